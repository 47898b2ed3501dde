"""Waivers and attestations: mutations."""

from datetime import date, datetime
from typing import TypeVar

import strawberry

from api import onboarding_enums  # noqa: F401 -- publishes the enums named here
from api import onboarding_loaders as loaders
from api.changing import Payload
from api.context import Info
from api.fields import mutation_field
from api.gates import Waiver
from api.moves import OnboardingPayload, onboarding_of
from api.payloads import KEY, event_id
from domain.access import Scope
from domain.errors import ErrorCode, Outcome
from domain.ids import IdKind, parse
from domain.moves import Gate, Move
from workflows.waivers import (
    AttestCommand,
    WaiverCommand,
    WaiverDecision,
    attest,
    grant_waiver,
    request_waiver,
    withdraw_waiver,
)

P = TypeVar("P", bound="WaiverPayload")


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
        description="Give your word for a gate that nothing measures yet; it holds for this stay in the stage. A hard "
        "gate takes the words of two people.",
        may_fail=(ErrorCode.NOT_FOUND, ErrorCode.NOT_ALLOWED, ErrorCode.SECOND_PERSON_REQUIRED),
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


async def _waiver(info: Info, payload: type[P], outcome: Outcome, *, known: bool = True) -> P:
    readable = known and info.context.principal.has(Scope.AUDIT_READ)
    found = await info.context.loader(loaders.waiver).load(outcome.subject) if readable and outcome.subject else None
    return payload(waiver=found, event_id=event_id(outcome), errors=list(outcome.errors))  # type: ignore[arg-type]
