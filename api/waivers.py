"""Waivers, attestations and follow-ups: mutations, and the list of what is still to be put right."""

from datetime import date, datetime
from typing import Annotated, TypeVar
from uuid import UUID

import strawberry

from api import onboarding_enums  # noqa: F401 -- publishes the enums named here
from api import onboarding_loaders as loaders
from api.changing import Payload
from api.context import Info
from api.fields import id_field, member_id_field, mutation_field, query_field, window
from api.gates import Waiver
from api.moves import OnboardingPayload, onboarding_of
from api.nodes import Node, nodes_of
from api.paging import After, Before, Connection, First, Last, Ordering, connection, page_of
from api.payloads import KEY, event_id
from db import waivers as stored
from domain import waivers
from domain.access import Scope
from domain.errors import ErrorCode, Outcome
from domain.ids import IdKind, parse
from domain.moves import Gate, Move
from domain.waivers import FollowUpKind
from workflows.waivers import (
    AttestCommand,
    CloseCommand,
    WaiverCommand,
    WaiverDecision,
    attest,
    close_follow_up,
    grant_waiver,
    request_waiver,
    withdraw_waiver,
)

P = TypeVar("P", bound="WaiverPayload")

BY_DUE = Ordering("follow-ups by day due", (date, UUID))


@window(waivers.FollowUp, description="Something that a person promised to put right by a day.")
class FollowUp(Node):
    id: strawberry.ID = id_field(IdKind.FOLLOW_UP, description="The follow-up's id.")
    client_id: strawberry.ID = id_field(IdKind.CLIENT, "client_id", description="The client.")
    onboarding_id: strawberry.ID = id_field(IdKind.ONBOARDING, "cycle_id", description="The onboarding.")
    kind: FollowUpKind = strawberry.field(description="What it came from.")
    waiver_id: strawberry.ID = id_field(IdKind.WAIVER, "subject_id", description="The waiver it came from.")
    owner_id: strawberry.ID | None = member_id_field("owner_id", description="Who promised.")
    due_on: date = strawberry.field(description="The local day by which it is due.")
    opened_at: datetime = strawberry.field(description="When it was opened.")
    closed_at: datetime | None = strawberry.field(description="When it was closed.")
    closed_by_id: strawberry.ID | None = member_id_field("closed_by", description="Who closed it.")
    note: str | None = strawberry.field(description="What was said on closing it.")
    version: int = strawberry.field(description="Its version; give it as `expectedVersion` on closing.")


@strawberry.type
class WaiverPayload(Payload):
    """What the payload of every mutation of waivers has."""

    waiver: Waiver | None = strawberry.field(description="The waiver as it is now, where you may read it.")


@strawberry.type(description="What came of `waiverRequest`.")
class WaiverRequestPayload(WaiverPayload):
    pass


@strawberry.type(description="What came of `waiverGrant`.")
class WaiverGrantPayload(WaiverPayload):
    pass


@strawberry.type(description="What came of `waiverWithdraw`.")
class WaiverWithdrawPayload(WaiverPayload):
    pass


@strawberry.type(description="What came of `gateAttest`.")
class GateAttestPayload(OnboardingPayload):
    pass


@strawberry.type(description="What came of `followUpClose`.")
class FollowUpClosePayload(Payload):
    follow_up: FollowUp | None = strawberry.field(description="The follow-up as it is now, where you may read it.")


@strawberry.input(description="A gate to be waived for one move, once.")
class WaiverRequestInput:
    onboarding_id: strawberry.ID = strawberry.field(description="The onboarding.")
    move: Move = strawberry.field(description="The move.")
    gate: Gate = strawberry.field(description="The gate.")
    reason: str = strawberry.field(description="Why, in your words; kept in the audit trail.")
    expires_at: datetime | None = strawberry.field(
        default=None, description="When it ends unused; within 14 days, which is the term if left out."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="A decision on a waiver.")
class WaiverDecisionInput:
    waiver_id: strawberry.ID = strawberry.field(description="The waiver.")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="Your word for a gate that nothing measures yet.")
class GateAttestInput:
    onboarding_id: strawberry.ID = strawberry.field(description="The onboarding.")
    gate: Gate = strawberry.field(description="The gate, which must answer `NOT_MEASURED`.")
    statement: str = strawberry.field(description="What you attest, in a sentence.")
    attested_on: date = strawberry.field(description="The local day on which it was so; not in the future.")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="A follow-up to be closed.")
class FollowUpCloseInput:
    follow_up_id: strawberry.ID = strawberry.field(description="The follow-up.")
    note: str | None = strawberry.field(default=None, description="How it was put right.")
    expected_version: int = strawberry.field(description="The follow-up's `version` on which you decided.")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


nodes_of(IdKind.FOLLOW_UP, loaders.follow_up, Scope.AUDIT_READ)


@strawberry.type
class FollowUpQuery:
    @query_field(scope=Scope.AUDIT_READ, description="Follow-ups, the first due first.")
    async def follow_ups(
        self,
        info: Info,
        open: Annotated[
            bool | None, strawberry.argument(description="Still open (`true`) or closed (`false`); both if left out.")
        ] = None,
        owner_id: Annotated[strawberry.ID | None, strawberry.argument(description="Only this member's.")] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[FollowUp] | None:
        page = page_of(BY_DUE, first=first, after=after, last=last, before=before)
        where: dict[str, object] = {} if open is None else {"open": open}
        if owner_id is not None:
            where["owner"] = parse(IdKind.MEMBER, owner_id)

        async def count() -> int:
            async with info.context.reading() as tx:
                return await stored.count_follow_ups(tx, where)

        async with info.context.reading() as tx:
            rows = await stored.follow_ups(tx, where, page)
        return connection(page, rows, key=lambda f: (f.due_on, f.id), count=count)


@strawberry.type
class WaiversMutation:
    @mutation_field(
        scope=Scope.WAIVE_SOFT,
        description="Waive a soft gate at once, or ask a second person to waive a hard one. It opens a follow-up.",
        may_fail=(
            ErrorCode.NOT_FOUND,
            ErrorCode.NOT_ALLOWED,
            ErrorCode.MOVE_NOT_POSSIBLE,
            ErrorCode.ALREADY_EXISTS,
        ),
    )
    async def waiver_request(self, info: Info, input: WaiverRequestInput) -> WaiverRequestPayload:
        command = WaiverCommand(
            cycle=parse(IdKind.ONBOARDING, input.onboarding_id),
            move=input.move,
            gate=input.gate,
            reason=input.reason,
            expires_at=input.expires_at,
        )
        request = info.context.command(input.idempotency_key)
        outcome = await info.context.perform(request_waiver, request, command)
        # A refused request names its onboarding, since there is no waiver.
        return await _waiver(info, WaiverRequestPayload, outcome, known=not outcome.errors)

    @mutation_field(
        scope=Scope.WAIVE_HARD,
        description="Grant the waiver of a hard gate that somebody else asked for.",
        may_fail=(ErrorCode.NOT_FOUND, ErrorCode.CONFLICT, ErrorCode.SECOND_PERSON_REQUIRED),
    )
    async def waiver_grant(self, info: Info, input: WaiverDecisionInput) -> WaiverGrantPayload:
        command = WaiverDecision(parse(IdKind.WAIVER, input.waiver_id))
        request = info.context.command(input.idempotency_key)
        return await _waiver(info, WaiverGrantPayload, await info.context.perform(grant_waiver, request, command))

    @mutation_field(
        scope=Scope.WAIVE_SOFT,
        description="Take back a waiver that no move has used.",
        may_fail=(ErrorCode.NOT_FOUND, ErrorCode.NOT_ALLOWED, ErrorCode.CONFLICT),
    )
    async def waiver_withdraw(self, info: Info, input: WaiverDecisionInput) -> WaiverWithdrawPayload:
        command = WaiverDecision(parse(IdKind.WAIVER, input.waiver_id))
        request = info.context.command(input.idempotency_key)
        return await _waiver(info, WaiverWithdrawPayload, await info.context.perform(withdraw_waiver, request, command))

    @mutation_field(
        scope=Scope.ONBOARDING_MOVE,
        description="Give your word for a gate that nothing measures yet; it holds for this stay in the stage.",
        may_fail=(ErrorCode.NOT_FOUND, ErrorCode.NOT_ALLOWED),
    )
    async def gate_attest(self, info: Info, input: GateAttestInput) -> GateAttestPayload:
        command = AttestCommand(
            cycle=parse(IdKind.ONBOARDING, input.onboarding_id),
            gate=input.gate,
            statement=input.statement,
            attested_on=input.attested_on,
        )
        request = info.context.command(input.idempotency_key)
        outcome = await info.context.perform(attest, request, command)
        cycle = await onboarding_of(info, outcome)
        return GateAttestPayload(onboarding=cycle, event_id=event_id(outcome), errors=list(outcome.errors))  # type: ignore[arg-type]

    @mutation_field(
        scope=Scope.ONBOARDING_MOVE,
        description="Close a follow-up with a note.",
        may_fail=(ErrorCode.NOT_FOUND, ErrorCode.NOT_ALLOWED, ErrorCode.STALE_VERSION, ErrorCode.CONFLICT),
    )
    async def follow_up_close(self, info: Info, input: FollowUpCloseInput) -> FollowUpClosePayload:
        command = CloseCommand(parse(IdKind.FOLLOW_UP, input.follow_up_id), input.expected_version, input.note)
        request = info.context.command(input.idempotency_key)
        outcome = await info.context.perform(close_follow_up, request, command)
        readable = info.context.principal.has(Scope.AUDIT_READ)
        found = (
            await info.context.loader(loaders.follow_up).load(outcome.subject) if readable and outcome.subject else None
        )
        return FollowUpClosePayload(follow_up=found, event_id=event_id(outcome), errors=list(outcome.errors))  # type: ignore[arg-type]


async def _waiver(info: Info, payload: type[P], outcome: Outcome, *, known: bool = True) -> P:
    readable = known and info.context.principal.has(Scope.AUDIT_READ)
    found = await info.context.loader(loaders.waiver).load(outcome.subject) if readable and outcome.subject else None
    return payload(waiver=found, event_id=event_id(outcome), errors=list(outcome.errors))  # type: ignore[arg-type]
