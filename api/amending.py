"""Mutations that set right what was done: undo, correct, discard, and notice with its withdrawal."""

from datetime import date, datetime
from typing import TypeVar

import strawberry

from api import onboarding_enums  # noqa: F401 -- publishes the enums named here
from api.changing import id_of
from api.consequences import DRY_RUN, ForeseeingPayload, changes_of
from api.context import Info
from api.fields import mutation_field
from api.moves import VERSION, WHY, onboarding_of
from api.onboarding import Onboarding
from api.payloads import KEY, event_id
from domain.access import Scope
from domain.clients import Party
from domain.errors import ErrorCode, Outcome
from domain.ids import IdKind, parse
from domain.moves import Move
from domain.onboarding import EndReason
from workflows.correcting import CorrectCommand, correct
from workflows.notices import NoticeCommand, WithdrawCommand, give_notice, withdraw_notice
from workflows.onboarding import MoveCommand, move_cycle
from workflows.undoing import UndoCommand, undo

P = TypeVar("P", bound="AmendingPayload")

AMENDING = (
    ErrorCode.NOT_FOUND,
    ErrorCode.NOT_ALLOWED,
    ErrorCode.STALE_VERSION,
    ErrorCode.MOVE_NOT_POSSIBLE,
)


@strawberry.type
class AmendingPayload(ForeseeingPayload):
    """What the payload of every one of these has."""

    onboarding: Onboarding | None = strawberry.field(description="The onboarding as it is now, where it is known.")


@strawberry.type(description="What came of `onboardingUndo`.")
class OnboardingUndoPayload(AmendingPayload):
    pass


@strawberry.type(description="What came of `onboardingCorrect`.")
class OnboardingCorrectPayload(AmendingPayload):
    pass


@strawberry.type(description="What came of `onboardingDiscard`.")
class OnboardingDiscardPayload(AmendingPayload):
    pass


@strawberry.type(description="What came of `onboardingGiveNotice`.")
class OnboardingGiveNoticePayload(AmendingPayload):
    pass


@strawberry.type(description="What came of `onboardingWithdrawNotice`.")
class OnboardingWithdrawNoticePayload(AmendingPayload):
    pass


@strawberry.input(description="One's own last move, to be taken back.")
class OnboardingUndoInput:
    onboarding_id: strawberry.ID = strawberry.field(description="The onboarding.")
    expected_version: int = strawberry.field(description=VERSION)
    reason: str | None = strawberry.field(default=None, description=WHY)
    dry_run: bool = strawberry.field(default=False, description=DRY_RUN)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="When a move really took effect.")
class OnboardingCorrectInput:
    onboarding_id: strawberry.ID = strawberry.field(description="The onboarding.")
    transition_id: strawberry.ID = strawberry.field(description="The move, by its id in the onboarding's `history`.")
    effective_at: datetime = strawberry.field(
        description="When it took effect: not before the move before it, not after the next one, not in the future."
    )
    reason: str = strawberry.field(description=WHY)
    expected_version: int = strawberry.field(description=VERSION)
    dry_run: bool = strawberry.field(default=False, description=DRY_RUN)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="An onboarding that was entered in error.")
class OnboardingDiscardInput:
    onboarding_id: strawberry.ID = strawberry.field(description="The onboarding, in `CONTRACTING`.")
    outcome: EndReason = strawberry.field(description="`MISTAKE` or `DUPLICATE`.")
    reason: str = strawberry.field(description=WHY)
    expected_version: int = strawberry.field(description=VERSION)
    dry_run: bool = strawberry.field(default=False, description=DRY_RUN)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="A notice: service will end.")
class OnboardingGiveNoticeInput:
    onboarding_id: strawberry.ID = strawberry.field(description="The onboarding, in early support or steady state.")
    given_by: Party = strawberry.field(description="Who gave notice.")
    contact_id: strawberry.ID | None = strawberry.field(default=None, description="Which contact gave it, if known.")
    given_on: date | None = strawberry.field(
        default=None, description="On which local day of the provider; today if left out."
    )
    ends_on: date = strawberry.field(description="The last day of service, a local day of the provider.")
    outcome: EndReason = strawberry.field(description="Why, in a code.")
    reason: str = strawberry.field(description=WHY)
    expected_version: int = strawberry.field(description=VERSION)
    dry_run: bool = strawberry.field(default=False, description=DRY_RUN)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="A notice that is taken back: the client stays.")
class OnboardingWithdrawNoticeInput:
    onboarding_id: strawberry.ID = strawberry.field(description="The onboarding in notice.")
    reason: str = strawberry.field(description=WHY)
    expected_version: int = strawberry.field(description=VERSION)
    dry_run: bool = strawberry.field(default=False, description=DRY_RUN)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.type
class AmendingMutation:
    @mutation_field(
        scope=Scope.ONBOARDING_MOVE,
        description="Take back your own last move, within 24 hours and before a survey of it was sent: the stay before "
        "it goes on as if nothing had happened, and the history keeps both.",
        may_fail=(*AMENDING, ErrorCode.ALREADY_EXISTS),
    )
    async def onboarding_undo(self, info: Info, input: OnboardingUndoInput) -> OnboardingUndoPayload:
        command = UndoCommand(
            cycle=parse(IdKind.ONBOARDING, input.onboarding_id),
            expected_version=input.expected_version,
            reason=input.reason,
            dry_run=input.dry_run,
        )
        request = info.context.command(input.idempotency_key)
        outcome = await info.context.perform(undo, request, command)
        return await _told(info, OnboardingUndoPayload, outcome)

    @mutation_field(
        scope=Scope.ONBOARDING_MOVE,
        description="Say when a move really took effect: stays, windows, targets, timers and the phases of tickets "
        "follow; what has fired stays, and nothing is sent for a moment gone by.",
        may_fail=AMENDING,
    )
    async def onboarding_correct(self, info: Info, input: OnboardingCorrectInput) -> OnboardingCorrectPayload:
        command = CorrectCommand(
            cycle=parse(IdKind.ONBOARDING, input.onboarding_id),
            move=parse(IdKind.TRANSITION, input.transition_id),
            effective_at=input.effective_at,
            reason=input.reason,
            expected_version=input.expected_version,
            dry_run=input.dry_run,
        )
        request = info.context.command(input.idempotency_key)
        outcome = await info.context.perform(correct, request, command)
        return await _told(info, OnboardingCorrectPayload, outcome)

    @mutation_field(
        scope=Scope.ONBOARDING_END,
        description="Set aside what was entered by mistake or twice; it counts in no figure.",
        may_fail=AMENDING,
    )
    async def onboarding_discard(self, info: Info, input: OnboardingDiscardInput) -> OnboardingDiscardPayload:
        command = MoveCommand(
            cycle=parse(IdKind.ONBOARDING, input.onboarding_id),
            move=Move.DISCARD,
            expected_version=input.expected_version,
            reason=input.reason,
            outcome=input.outcome,
            dry_run=input.dry_run,
        )
        request = info.context.command(input.idempotency_key)
        outcome = await info.context.perform(move_cycle, request, command)
        return await _told(info, OnboardingDiscardPayload, outcome)

    @mutation_field(
        scope=Scope.ONBOARDING_HOLD,
        description="Note that service will end: timers count down, the off-boarding checklist is laid out, surveys "
        "of recommendation stop, and a follow-up to save the client is opened. Off-boarding remains a move of its own.",
        may_fail=AMENDING,
    )
    async def onboarding_give_notice(self, info: Info, input: OnboardingGiveNoticeInput) -> OnboardingGiveNoticePayload:
        command = NoticeCommand(
            cycle=parse(IdKind.ONBOARDING, input.onboarding_id),
            expected_version=input.expected_version,
            given_by=input.given_by,
            ends_on=input.ends_on,
            outcome=input.outcome,
            reason=input.reason,
            given_on=input.given_on,
            contact=id_of(IdKind.CONTACT, input.contact_id),
            dry_run=input.dry_run,
        )
        request = info.context.command(input.idempotency_key)
        outcome = await info.context.perform(give_notice, request, command)
        return await _told(info, OnboardingGiveNoticePayload, outcome)

    @mutation_field(
        scope=Scope.ONBOARDING_HOLD,
        description="Take a notice back: its timers are called off, and the surveys that it stopped come back.",
        may_fail=AMENDING,
    )
    async def onboarding_withdraw_notice(
        self, info: Info, input: OnboardingWithdrawNoticeInput
    ) -> OnboardingWithdrawNoticePayload:
        command = WithdrawCommand(
            cycle=parse(IdKind.ONBOARDING, input.onboarding_id),
            expected_version=input.expected_version,
            reason=input.reason,
            dry_run=input.dry_run,
        )
        request = info.context.command(input.idempotency_key)
        outcome = await info.context.perform(withdraw_notice, request, command)
        return await _told(info, OnboardingWithdrawNoticePayload, outcome)


async def _told(info: Info, payload: type[P], outcome: Outcome) -> P:
    """Return what came of it; after a dry run the onboarding is as it was."""
    return payload(
        onboarding=await onboarding_of(info, outcome),
        event_id=event_id(outcome),
        errors=list(outcome.errors),  # type: ignore[arg-type]
        changes=changes_of(outcome.facts),
    )
