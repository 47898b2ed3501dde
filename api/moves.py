"""Mutations that open and move onboardings."""

from datetime import date
from typing import Any, TypeVar

import strawberry

from api import onboarding_enums  # noqa: F401 -- publishes the enums named here
from api import onboarding_loaders as loaders
from api.changing import Payload, change_as, id_of
from api.context import Info
from api.fields import mutation_field
from api.onboarding import Onboarding
from api.payloads import KEY, event_id
from domain.access import Scope
from domain.errors import ErrorCode, Outcome, invalid, refused
from domain.ids import IdKind, parse
from domain.moves import Move
from domain.onboarding import EndReason, HoldReason
from domain.stages import Stage
from workflows.onboarding import MoveCommand, move_cycle
from workflows.opening import OpenCommand, open_cycle
from workflows.teams import TeamCommand, change_team

P = TypeVar("P", bound="OnboardingPayload")

VERSION = "The onboarding's `version` on which you decided; another one gets `STALE_VERSION`."
WHY = "Why, in your words; kept in the audit trail."

ADVANCES = {
    Stage.ASSET_DISCOVERY: Move.BEGIN_DISCOVERY,
    Stage.EARLY_SUPPORT: Move.GO_LIVE,
    Stage.STEADY_STATE: Move.GRADUATE,
}

MOVING = (
    ErrorCode.NOT_FOUND,
    ErrorCode.NOT_ALLOWED,
    ErrorCode.STALE_VERSION,
    ErrorCode.MOVE_NOT_POSSIBLE,
    ErrorCode.TRANSITION_BLOCKED,
)


@strawberry.type
class OnboardingPayload(Payload):
    """What the payload of every move has."""

    onboarding: Onboarding | None = strawberry.field(description="The onboarding as it is now, where it is known.")


@strawberry.type(description="What came of `onboardingOpen`.")
class OnboardingOpenPayload(OnboardingPayload):
    pass


@strawberry.type(description="What came of `onboardingReopen`.")
class OnboardingReopenPayload(OnboardingPayload):
    pass


@strawberry.type(description="What came of `onboardingUpdate`.")
class OnboardingUpdatePayload(OnboardingPayload):
    pass


@strawberry.type(description="What came of `onboardingAdvance`.")
class OnboardingAdvancePayload(OnboardingPayload):
    pass


@strawberry.type(description="What came of `onboardingRollBack`.")
class OnboardingRollBackPayload(OnboardingPayload):
    pass


@strawberry.type(description="What came of `onboardingHold`.")
class OnboardingHoldPayload(OnboardingPayload):
    pass


@strawberry.type(description="What came of `onboardingResume`.")
class OnboardingResumePayload(OnboardingPayload):
    pass


@strawberry.type(description="What came of `onboardingLose`.")
class OnboardingLosePayload(OnboardingPayload):
    pass


@strawberry.type(description="What came of `onboardingOffBoard`.")
class OnboardingOffBoardPayload(OnboardingPayload):
    pass


@strawberry.input(description="A client's onboarding to be opened.")
class OnboardingOpenInput:
    client_id: strawberry.ID = strawberry.field(description="The client.")
    lead_id: strawberry.ID = strawberry.field(description="The member who leads it.")
    contract_id: strawberry.ID | None = strawberry.field(default=None, description="The contract it works towards.")
    account_manager_id: strawberry.ID | None = strawberry.field(default=None, description="The account manager.")
    technical_lead_id: strawberry.ID | None = strawberry.field(default=None, description="The technical lead.")
    engineer_ids: list[strawberry.ID] | None = strawberry.field(default=None, description="The engineers.")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)

    def command(self, *, reopen: bool) -> OpenCommand:
        """Return the command that the input stands for."""
        return OpenCommand(
            client=parse(IdKind.CLIENT, self.client_id),
            lead=parse(IdKind.MEMBER, self.lead_id),
            contract=parse(IdKind.CONTRACT, self.contract_id) if self.contract_id else None,
            account_manager=parse(IdKind.MEMBER, self.account_manager_id) if self.account_manager_id else None,
            technical_lead=parse(IdKind.MEMBER, self.technical_lead_id) if self.technical_lead_id else None,
            engineers=tuple(parse(IdKind.MEMBER, member) for member in self.engineer_ids or ()),
            reopen=reopen,
        )


@strawberry.input(description="A change of the contract or the team; what is left out stays as it is.")
class OnboardingUpdateInput:
    onboarding_id: strawberry.ID = strawberry.field(description="The onboarding.")
    expected_version: int = strawberry.field(description=VERSION)
    contract_id: strawberry.ID | None = strawberry.field(default=None, description="The contract it works towards.")
    lead_id: strawberry.ID | None = strawberry.field(default=None, description="The member who leads it.")
    account_manager_id: strawberry.Maybe[strawberry.ID | None] = strawberry.field(
        default=None, description="The account manager; `null` for nobody."
    )
    technical_lead_id: strawberry.Maybe[strawberry.ID | None] = strawberry.field(
        default=None, description="The technical lead; `null` for nobody."
    )
    engineer_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="The engineers; the list replaces the one before."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="A move one stage on.")
class OnboardingAdvanceInput:
    onboarding_id: strawberry.ID = strawberry.field(description="The onboarding.")
    to: Stage = strawberry.field(description="The next stage: `ASSET_DISCOVERY`, `EARLY_SUPPORT` or `STEADY_STATE`.")
    expected_version: int = strawberry.field(description=VERSION)
    reason: str | None = strawberry.field(default=None, description=WHY)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="A move back to an earlier stage.")
class OnboardingRollBackInput:
    onboarding_id: strawberry.ID = strawberry.field(description="The onboarding.")
    to: Stage = strawberry.field(description="The earlier stage.")
    reason: str = strawberry.field(description=WHY)
    expected_version: int = strawberry.field(description=VERSION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="A hold: the clock of the stage's target stands still until it is resumed.")
class OnboardingHoldInput:
    onboarding_id: strawberry.ID = strawberry.field(description="The onboarding.")
    hold_reason: HoldReason = strawberry.field(description="Whom or what it waits for.")
    note: str | None = strawberry.field(default=None, description="What there is to say about it.")
    expected_resume_on: date | None = strawberry.field(default=None, description="The local day it should end.")
    expected_version: int = strawberry.field(description=VERSION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="The end of a hold.")
class OnboardingResumeInput:
    onboarding_id: strawberry.ID = strawberry.field(description="The onboarding.")
    expected_version: int = strawberry.field(description=VERSION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="The end of an onboarding.")
class OnboardingEndInput:
    onboarding_id: strawberry.ID = strawberry.field(description="The onboarding.")
    outcome: EndReason = strawberry.field(description="Why it ends, in a code.")
    reason: str = strawberry.field(description=WHY)
    expected_version: int = strawberry.field(description=VERSION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


Moving = (
    OnboardingAdvanceInput | OnboardingRollBackInput | OnboardingHoldInput | OnboardingResumeInput | OnboardingEndInput
)


@strawberry.type
class MovesMutation:
    @mutation_field(
        scope=Scope.ONBOARDING_MOVE,
        description="Open a client's first onboarding, in `CONTRACTING`, under the newest definition.",
        may_fail=(ErrorCode.NOT_FOUND, ErrorCode.NOT_ALLOWED, ErrorCode.ALREADY_EXISTS, ErrorCode.MOVE_NOT_POSSIBLE),
    )
    async def onboarding_open(self, info: Info, input: OnboardingOpenInput) -> OnboardingOpenPayload:
        request = info.context.command(input.idempotency_key)
        return await _payload(
            info, OnboardingOpenPayload, await info.context.perform(open_cycle, request, input.command(reopen=False))
        )

    @mutation_field(
        scope=Scope.ONBOARDING_END,
        description="Open a new onboarding for a client that came back; nothing of the old one changes.",
        may_fail=(ErrorCode.NOT_FOUND, ErrorCode.NOT_ALLOWED, ErrorCode.ALREADY_EXISTS, ErrorCode.MOVE_NOT_POSSIBLE),
    )
    async def onboarding_reopen(self, info: Info, input: OnboardingOpenInput) -> OnboardingReopenPayload:
        request = info.context.command(input.idempotency_key)
        return await _payload(
            info, OnboardingReopenPayload, await info.context.perform(open_cycle, request, input.command(reopen=True))
        )

    @mutation_field(
        scope=Scope.ONBOARDING_MOVE,
        description="Change an onboarding's contract or team.",
        may_fail=(
            ErrorCode.NOT_FOUND,
            ErrorCode.NOT_ALLOWED,
            ErrorCode.STALE_VERSION,
            ErrorCode.MOVE_NOT_POSSIBLE,
            ErrorCode.CONFLICT,
        ),
    )
    async def onboarding_update(self, info: Info, input: OnboardingUpdateInput) -> OnboardingUpdatePayload:
        command = TeamCommand(
            cycle=parse(IdKind.ONBOARDING, input.onboarding_id),
            expected_version=input.expected_version,
            contract=parse(IdKind.CONTRACT, input.contract_id) if input.contract_id else None,
            lead=parse(IdKind.MEMBER, input.lead_id) if input.lead_id else None,
            account_manager=change_as(input.account_manager_id, lambda given: id_of(IdKind.MEMBER, given)),
            technical_lead=change_as(input.technical_lead_id, lambda given: id_of(IdKind.MEMBER, given)),
            engineers=None
            if input.engineer_ids is None
            else tuple(parse(IdKind.MEMBER, member) for member in input.engineer_ids),
        )
        request = info.context.command(input.idempotency_key)
        return await _payload(info, OnboardingUpdatePayload, await info.context.perform(change_team, request, command))

    @mutation_field(
        scope=Scope.ONBOARDING_MOVE,
        description="Move an onboarding one stage on, past its gates: to begin discovery, go live or graduate.",
        may_fail=MOVING,
    )
    async def onboarding_advance(self, info: Info, input: OnboardingAdvanceInput) -> OnboardingAdvancePayload:
        move = ADVANCES.get(input.to)
        if move is None:
            error = invalid(f"An advance leads to one of {', '.join(ADVANCES)}; {input.to} is reached otherwise.", "to")
            return await _payload(info, OnboardingAdvancePayload, refused(error))
        return await _move(info, OnboardingAdvancePayload, input, move, reason=input.reason)

    @mutation_field(
        scope=Scope.ONBOARDING_MOVE,
        description="Move an onboarding back to an earlier stage. Out of steady state it takes a service manager.",
        may_fail=MOVING,
    )
    async def onboarding_roll_back(self, info: Info, input: OnboardingRollBackInput) -> OnboardingRollBackPayload:
        return await _move(info, OnboardingRollBackPayload, input, Move.ROLL_BACK, to=input.to, reason=input.reason)

    @mutation_field(
        scope=Scope.ONBOARDING_HOLD,
        description="Put an onboarding on hold. Its target waits; day 90 of the contract does not.",
        may_fail=MOVING,
    )
    async def onboarding_hold(self, info: Info, input: OnboardingHoldInput) -> OnboardingHoldPayload:
        return await _move(
            info,
            OnboardingHoldPayload,
            input,
            Move.HOLD,
            reason=input.note,
            hold_reason=input.hold_reason,
            expected_resume_on=input.expected_resume_on,
        )

    @mutation_field(
        scope=Scope.ONBOARDING_HOLD,
        description="End a hold; the target moves by the business days held.",
        may_fail=MOVING,
    )
    async def onboarding_resume(self, info: Info, input: OnboardingResumeInput) -> OnboardingResumePayload:
        return await _move(info, OnboardingResumePayload, input, Move.RESUME)

    @mutation_field(
        scope=Scope.ONBOARDING_MOVE,
        description="End an onboarding before service began.",
        may_fail=MOVING,
    )
    async def onboarding_lose(self, info: Info, input: OnboardingEndInput) -> OnboardingLosePayload:
        return await _move(info, OnboardingLosePayload, input, Move.LOSE, reason=input.reason, outcome=input.outcome)

    @mutation_field(
        scope=Scope.ONBOARDING_END,
        description="End service: the window closes, surveys stop, the history stays.",
        may_fail=MOVING,
    )
    async def onboarding_off_board(self, info: Info, input: OnboardingEndInput) -> OnboardingOffBoardPayload:
        return await _move(
            info, OnboardingOffBoardPayload, input, Move.OFF_BOARD, reason=input.reason, outcome=input.outcome
        )


async def _move(info: Info, payload: type[P], input: Moving, move: Move, **details: Any) -> P:
    command = MoveCommand(parse(IdKind.ONBOARDING, input.onboarding_id), move, input.expected_version, **details)
    request = info.context.command(input.idempotency_key)
    return await _payload(info, payload, await info.context.perform(move_cycle, request, command))


async def _payload(info: Info, payload: type[P], outcome: Outcome) -> P:
    return payload(
        onboarding=await onboarding_of(info, outcome),
        event_id=event_id(outcome),
        errors=list(outcome.errors),  # type: ignore[arg-type]
    )


async def onboarding_of(info: Info, outcome: Outcome) -> Onboarding | None:
    """Return the onboarding that a command was about, read afresh."""
    if outcome.subject is None:
        return None
    return await info.context.loader(loaders.cycle).load(outcome.subject)  # type: ignore[return-value]
