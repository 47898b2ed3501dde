"""Mutations by which people open tickets and work on them: each does one thing with one ticket."""

from typing import Any, TypeVar

import strawberry

from api import ticket_loaders
from api.changing import change, change_as, id_of
from api.consequences import changes_of
from api.context import Info
from api.fields import mutation_field
from api.payloads import event_id
from api.ticket_commands import (
    RestatingPayload,
    TicketAssignInput,
    TicketAssignPayload,
    TicketCommandInput,
    TicketCreateInput,
    TicketCreatePayload,
    TicketEscalateInput,
    TicketEscalatePayload,
    TicketExcludeInput,
    TicketExcludePayload,
    TicketHoldInput,
    TicketHoldPayload,
    TicketMergeInput,
    TicketMergePayload,
    TicketMoveInput,
    TicketMovePayload,
    TicketPayload,
    TicketReopenInput,
    TicketReopenPayload,
    TicketResolveInput,
    TicketResolvePayload,
    TicketRespondInput,
    TicketRespondPayload,
    TicketRestatingInput,
    TicketRestoreInput,
    TicketRestorePayload,
    TicketResumeInput,
    TicketResumePayload,
    TicketUpdateInput,
    TicketUpdatePayload,
    TicketWorkInput,
)
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
from workflows import ticket_work
from workflows.ticket_work import OpenTicket, WorkOnTicket

P = TypeVar("P", bound="TicketPayload")
R = TypeVar("R", bound="RestatingPayload")

MAY_FAIL = (ErrorCode.NOT_FOUND, ErrorCode.NOT_ALLOWED, ErrorCode.STALE_VERSION, ErrorCode.CONFLICT)
NEXT_WORD = " Where another system keeps the ticket, what that system says next of it holds."
LASTING = " It holds whatever the ticket's system says later."


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
