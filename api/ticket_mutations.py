"""Mutations by which people open tickets and work on them: each does one thing with one ticket."""

from datetime import datetime
from typing import Any, TypeVar

import strawberry

from api import ticket_loaders
from api.changing import EXPECTED, Payload, change, change_as, id_of
from api.clients import ClientRef
from api.consequences import DRY_RUN, ForeseeingPayload, changes_of
from api.context import Info
from api.fields import mutation_field
from api.payloads import KEY, event_id
from api.tickets import Ticket
from domain.access import Scope
from domain.errors import ErrorCode, Outcome
from domain.ids import IdKind, parse
from domain.ticket_work import (
    Assign,
    Edit,
    Escalate,
    Exclude,
    Hold,
    Merge,
    Move,
    Reopen,
    Resolve,
    Respond,
    Restore,
    Resume,
    Work,
)
from domain.tickets import EscalationKind, Exclusion, Priority, TicketKind, TicketSource, WaitingOn
from workflows import ticket_work
from workflows.ticket_work import OpenTicket, WorkOnTicket

P = TypeVar("P", bound="TicketPayload")
R = TypeVar("R", bound="RestatingPayload")

MAY_FAIL = (ErrorCode.NOT_FOUND, ErrorCode.NOT_ALLOWED, ErrorCode.STALE_VERSION, ErrorCode.CONFLICT)
NEXT_WORD = " Where another system keeps the ticket, what that system says next of it holds."
LASTING = " It holds whatever the ticket's system says later."


@strawberry.input(description="A ticket to be opened here.")
class TicketCreateInput:
    client: ClientRef = strawberry.field(description="The client whose matter it is.")
    title: str = strawberry.field(description="What it is about, in a line of up to 500 characters.")
    kind: TicketKind = strawberry.field(default=TicketKind.INCIDENT, description="What sort of matter it is.")
    source: TicketSource = strawberry.field(default=TicketSource.PERSON, description="Who raised it.")
    priority: Priority = strawberry.field(default=Priority.UNKNOWN, description="How urgent it is.")
    category: str | None = strawberry.field(default=None, description="The category.")
    site_id: strawberry.ID | None = strawberry.field(default=None, description="The client's site that it is about.")
    device_id: strawberry.ID | None = strawberry.field(
        default=None, description="The client's device that it is about."
    )
    team: str | None = strawberry.field(default=None, description="The team that gets it first.")
    tier: int | None = strawberry.field(default=None, description="The support line of that team, 1 being the first.")
    agent: str | None = strawberry.field(default=None, description="Who in the team gets it first.")
    logged_at: datetime | None = strawberry.field(default=None, description="When it was raised; left out, now.")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="What every command on a ticket takes.")
class TicketCommandInput:
    ticket_id: strawberry.ID = strawberry.field(description="The ticket.")
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="What every command takes that says when something was done.")
class TicketWorkInput(TicketCommandInput):
    at: datetime | None = strawberry.field(default=None, description="When it was done; left out, now.")


@strawberry.input(description="What every command takes that restates figures of the past.")
class TicketRestatingInput(TicketCommandInput):
    dry_run: bool = strawberry.field(default=False, description=DRY_RUN)


@strawberry.input(description="A change of a ticket; what is left out stays as it is.")
class TicketUpdateInput(TicketCommandInput):
    title: strawberry.Maybe[str | None] = strawberry.field(default=None, description="What it is about, in a line.")
    kind: strawberry.Maybe[TicketKind] = strawberry.field(default=None, description="What sort of matter it is.")
    priority: strawberry.Maybe[Priority] = strawberry.field(default=None, description="How urgent it is.")
    category: strawberry.Maybe[str | None] = strawberry.field(default=None, description="The category.")
    site_id: strawberry.Maybe[strawberry.ID | None] = strawberry.field(
        default=None, description="The client's site that it is about."
    )
    device_id: strawberry.Maybe[strawberry.ID | None] = strawberry.field(
        default=None, description="The client's device that it is about."
    )


@strawberry.input(description="To whom a ticket goes; a team left out stays, and so does its support line.")
class TicketAssignInput(TicketWorkInput):
    team: str | None = strawberry.field(default=None, description="The team.")
    tier: int | None = strawberry.field(default=None, description="Its support line, 1 being the first.")
    agent: str | None = strawberry.field(
        default=None, description="Who in the team, by the key that the ticket's system has for them."
    )


@strawberry.input(description="How a ticket is escalated.")
class TicketEscalateInput(TicketWorkInput):
    kind: EscalationKind = strawberry.field(
        default=EscalationKind.FUNCTIONAL,
        description="What rises. `FUNCTIONAL` and `VENDOR` hand it to `toTeam`; of the others that team is only told.",
    )
    to_team: str | None = strawberry.field(default=None, description="The team that it rises to.")
    to_tier: int | None = strawberry.field(default=None, description="The support line that it rises to.")
    reason: str | None = strawberry.field(default=None, description="Why, in a line.")


@strawberry.input(description="Whose first answer it is.")
class TicketRespondInput(TicketWorkInput):
    pass


@strawberry.input(description="For whom a ticket waits.")
class TicketHoldInput(TicketWorkInput):
    on: WaitingOn = strawberry.field(default=WaitingOn.CUSTOMER, description="Who is to act.")


@strawberry.input(description="Which ticket waits no longer.")
class TicketResumeInput(TicketWorkInput):
    pass


@strawberry.input(description="Which ticket is settled.")
class TicketResolveInput(TicketWorkInput):
    first_contact: bool | None = strawberry.field(
        default=None,
        description="Whether the first contact resolved it; left out, that follows from who had it and what it waited "
        "for.",
    )


@strawberry.input(description="Which ticket is taken up again.")
class TicketReopenInput(TicketWorkInput):
    pass


@strawberry.input(description="Which ticket is to stand for another.")
class TicketMergeInput(TicketRestatingInput):
    into_ticket_id: strawberry.ID = strawberry.field(
        description="The ticket that stands for it: of the same client and system, and itself counting."
    )


@strawberry.input(description="Whose a ticket is.")
class TicketMoveInput(TicketRestatingInput):
    client: ClientRef = strawberry.field(description="The client whose matter it is.")


@strawberry.input(description="Why a ticket is to be left out.")
class TicketExcludeInput(TicketRestatingInput):
    reason: Exclusion = strawberry.field(description="`SPAM` or `DELETED`.")


@strawberry.input(description="Which ticket is to count again.")
class TicketRestoreInput(TicketRestatingInput):
    pass


@strawberry.type
class TicketPayload(Payload):
    ticket: Ticket | None = strawberry.field(description="The ticket as it is now, where it is known.")


@strawberry.type
class RestatingPayload(ForeseeingPayload):
    ticket: Ticket | None = strawberry.field(description="The ticket as it is now, where it is known.")


@strawberry.type(description="The new ticket, or why none was opened.")
class TicketCreatePayload(TicketPayload):
    pass


@strawberry.type(description="The ticket after the change, or why nothing changed.")
class TicketUpdatePayload(TicketPayload):
    pass


@strawberry.type(description="The ticket with whoever has it now, or why nothing changed.")
class TicketAssignPayload(TicketPayload):
    pass


@strawberry.type(description="The escalated ticket, or why nothing changed.")
class TicketEscalatePayload(TicketPayload):
    pass


@strawberry.type(description="The answered ticket, or why nothing changed.")
class TicketRespondPayload(TicketPayload):
    pass


@strawberry.type(description="The waiting ticket, or why nothing changed.")
class TicketHoldPayload(TicketPayload):
    pass


@strawberry.type(description="The ticket that waits no longer, or why nothing changed.")
class TicketResumePayload(TicketPayload):
    pass


@strawberry.type(description="The resolved ticket, or why nothing changed.")
class TicketResolvePayload(TicketPayload):
    pass


@strawberry.type(description="The reopened ticket, or why nothing changed.")
class TicketReopenPayload(TicketPayload):
    pass


@strawberry.type(description="The merged ticket, or why nothing changed.")
class TicketMergePayload(RestatingPayload):
    pass


@strawberry.type(description="The moved ticket, or why nothing changed.")
class TicketMovePayload(RestatingPayload):
    pass


@strawberry.type(description="The ticket that was left out, or why nothing changed.")
class TicketExcludePayload(RestatingPayload):
    pass


@strawberry.type(description="The ticket that counts again, or why nothing changed.")
class TicketRestorePayload(RestatingPayload):
    pass


@strawberry.type
class TicketsMutation:
    @mutation_field(
        scope=Scope.TICKETS_WRITE,
        description="Open a ticket here: it is of the system `STEADYSTATE`, gets the next number and counts at once.",
        may_fail=(ErrorCode.NOT_FOUND, ErrorCode.NOT_ALLOWED, ErrorCode.CONFLICT),
    )
    async def ticket_create(self, info: Info, input: TicketCreateInput) -> TicketCreatePayload:
        assigned = input.team is not None or input.tier is not None or input.agent is not None
        command = OpenTicket(
            client=input.client.value(),
            title=input.title,
            kind=input.kind,
            source=input.source,
            priority=input.priority,
            category=input.category,
            site_id=id_of(IdKind.SITE, input.site_id),
            device_id=id_of(IdKind.DEVICE, input.device_id),
            assign=Assign(input.team, input.tier, input.agent) if assigned else None,
            logged_at=input.logged_at,
        )
        request = info.context.command(input.idempotency_key)
        outcome = await info.context.perform(ticket_work.create, request, command)
        return TicketCreatePayload(**await _shown(info, outcome))

    @mutation_field(
        scope=Scope.TICKETS_WRITE,
        description="Say better what a ticket is about, how urgent it is, and where." + NEXT_WORD,
        may_fail=MAY_FAIL,
    )
    async def ticket_update(self, info: Info, input: TicketUpdateInput) -> TicketUpdatePayload:
        edit = Edit(
            title=change(input.title),
            kind=change(input.kind),
            priority=change(input.priority),
            category=change(input.category),
            site_id=change_as(input.site_id, lambda given: id_of(IdKind.SITE, given)),
            device_id=change_as(input.device_id, lambda given: id_of(IdKind.DEVICE, given)),
        )
        return await _work(info, input, edit, TicketUpdatePayload)

    @mutation_field(
        scope=Scope.TICKETS_WRITE,
        description="Hand a ticket to a team, to a support line, to somebody. The provider's rule says whether that is "
        "an escalation." + NEXT_WORD,
        may_fail=MAY_FAIL,
    )
    async def ticket_assign(self, info: Info, input: TicketAssignInput) -> TicketAssignPayload:
        return await _work(info, input, Assign(input.team, input.tier, input.agent), TicketAssignPayload)

    @mutation_field(
        scope=Scope.TICKETS_WRITE,
        description="Escalate a ticket. It counts once, also where the provider's rule sees the hand-over." + NEXT_WORD,
        may_fail=MAY_FAIL,
    )
    async def ticket_escalate(self, info: Info, input: TicketEscalateInput) -> TicketEscalatePayload:
        raised = Escalate(input.kind, input.to_team, input.to_tier, input.reason)
        return await _work(info, input, raised, TicketEscalatePayload)

    @mutation_field(
        scope=Scope.TICKETS_WRITE,
        description="Say that the client was answered for the first time." + NEXT_WORD,
        may_fail=MAY_FAIL,
    )
    async def ticket_respond(self, info: Info, input: TicketRespondInput) -> TicketRespondPayload:
        return await _work(info, input, Respond(), TicketRespondPayload)

    @mutation_field(
        scope=Scope.TICKETS_WRITE,
        description="Let a ticket wait for somebody else: the provider's clock stands still." + NEXT_WORD,
        may_fail=MAY_FAIL,
    )
    async def ticket_hold(self, info: Info, input: TicketHoldInput) -> TicketHoldPayload:
        return await _work(info, input, Hold(input.on), TicketHoldPayload)

    @mutation_field(
        scope=Scope.TICKETS_WRITE,
        description="Take a ticket up again for which somebody else was to act." + NEXT_WORD,
        may_fail=MAY_FAIL,
    )
    async def ticket_resume(self, info: Info, input: TicketResumeInput) -> TicketResumePayload:
        return await _work(info, input, Resume(), TicketResumePayload)

    @mutation_field(
        scope=Scope.TICKETS_WRITE,
        description="Say that the matter is settled; a wait ends with it." + NEXT_WORD,
        may_fail=MAY_FAIL,
    )
    async def ticket_resolve(self, info: Info, input: TicketResolveInput) -> TicketResolvePayload:
        return await _work(info, input, Resolve(input.first_contact), TicketResolvePayload)

    @mutation_field(
        scope=Scope.TICKETS_WRITE,
        description="Take a ticket up again that was resolved or closed." + NEXT_WORD,
        may_fail=MAY_FAIL,
    )
    async def ticket_reopen(self, info: Info, input: TicketReopenInput) -> TicketReopenPayload:
        return await _work(info, input, Reopen(), TicketReopenPayload)

    @mutation_field(
        scope=Scope.TICKETS_WRITE,
        description="Let another ticket stand for this one, which counts no longer: figures of the past are restated."
        + LASTING,
        may_fail=MAY_FAIL,
    )
    async def ticket_merge(self, info: Info, input: TicketMergeInput) -> TicketMergePayload:
        return await _restate(info, input, Merge(parse(IdKind.TICKET, input.into_ticket_id)), TicketMergePayload)

    @mutation_field(
        scope=Scope.TICKETS_WRITE,
        description="Say whose a ticket is: figures of both clients are restated, by the stage and phase in which the "
        "new one stood when it was logged." + LASTING,
        may_fail=MAY_FAIL,
    )
    async def ticket_move(self, info: Info, input: TicketMoveInput) -> TicketMovePayload:
        return await _restate(info, input, Move(input.client.value()), TicketMovePayload)

    @mutation_field(
        scope=Scope.TICKETS_WRITE,
        description="Leave a ticket out of every figure, of the past too." + LASTING,
        may_fail=MAY_FAIL,
    )
    async def ticket_exclude(self, info: Info, input: TicketExcludeInput) -> TicketExcludePayload:
        return await _restate(info, input, Exclude(input.reason), TicketExcludePayload)

    @mutation_field(
        scope=Scope.TICKETS_WRITE,
        description="Let a ticket count again that was merged, left out, or deleted at its source." + LASTING,
        may_fail=MAY_FAIL,
    )
    async def ticket_restore(self, info: Info, input: TicketRestoreInput) -> TicketRestorePayload:
        return await _restate(info, input, Restore(), TicketRestorePayload)


async def _work(info: Info, input: TicketCommandInput, work: Work, payload: type[P]) -> P:
    at = input.at if isinstance(input, TicketWorkInput) else None
    command = WorkOnTicket(parse(IdKind.TICKET, input.ticket_id), work, at, input.expected_version)
    outcome = await info.context.perform(ticket_work.work, info.context.command(input.idempotency_key), command)
    return payload(**await _shown(info, outcome))


async def _restate(info: Info, input: TicketRestatingInput, work: Work, payload: type[R]) -> R:
    ticket = parse(IdKind.TICKET, input.ticket_id)
    command = WorkOnTicket(ticket, work, None, input.expected_version, input.dry_run)
    outcome = await info.context.perform(ticket_work.work, info.context.command(input.idempotency_key), command)
    return payload(**await _shown(info, outcome), changes=changes_of(outcome.facts))


async def _shown(info: Info, outcome: Outcome) -> dict[str, Any]:
    readable = outcome.subject is not None and info.context.principal.has(Scope.TICKETS_READ)
    ticket = await info.context.loader(ticket_loaders.ticket).load(outcome.subject) if readable else None
    return {"ticket": ticket, "event_id": event_id(outcome), "errors": list(outcome.errors)}
