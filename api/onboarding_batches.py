"""Mutations that do the same to many onboardings: reassign, hold, resume, plan."""

from datetime import date
from typing import Any, TypeVar
from uuid import UUID

import strawberry

from api import client_enums, definition_enums, onboarding_enums  # noqa: F401 -- publish the enums named here
from api.changing import Payload, id_of
from api.consequences import DRY_RUN, Consequence, ForeseeingPayload, changes_of
from api.context import Info
from api.fields import FieldPrice, mutation_field
from api.payloads import KEY, event_id
from api.plans import PlannedDateInput
from api.user_errors import UserError
from domain import bulk
from domain.access import Scope
from domain.bulk import BulkPolicy, BulkStatus
from domain.definitions import Owner
from domain.errors import ErrorCode, Outcome
from domain.ids import IdKind, parse, public
from domain.onboarding import HoldReason
from domain.plans import Wish
from workflows import cycle_batches
from workflows.cycle_batches import RESULTS, CyclePlan, HoldCycles, PlanCycles, ResumeCycles
from workflows.reassigning import REMAINING, Reassign, reassign

P = TypeVar("P", bound="OnboardingBatchPayload")

THE_ONES = "The onboardings, 1 to 200, each once."
POLICY = "What becomes of the others when one is refused."
PRICE = FieldPrice(weight=100)
MAY_FAIL = (
    ErrorCode.NOT_FOUND,
    ErrorCode.NOT_ALLOWED,
    ErrorCode.STALE_VERSION,
    ErrorCode.MOVE_NOT_POSSIBLE,
    ErrorCode.TRANSITION_BLOCKED,
)


@strawberry.type(description="What became of one onboarding of a batch.")
class OnboardingBatchResult:
    index: int = strawberry.field(description="Its place in the input, from 0.")
    onboarding_id: strawberry.ID | None = strawberry.field(
        description="The onboarding; `null` where none with the id named is visible to you."
    )
    status: BulkStatus = strawberry.field(description="What became of it.")
    changes: list[Consequence] = strawberry.field(description="What changed of it, or would change.")
    errors: list[UserError] = strawberry.field(description="Why it was refused; empty when it was not.")


@strawberry.type
class OnboardingBatchPayload(ForeseeingPayload, Payload):
    """What the payload of every batch of onboardings has."""

    results: list[OnboardingBatchResult] = strawberry.field(
        description="What became of each, in the order of the input, else client by client; `eventId` is the last of "
        "one event for each."
    )


@strawberry.type(description="What came of `onboardingsReassign`.")
class OnboardingsReassignPayload(OnboardingBatchPayload):
    remaining: int = strawberry.field(description="How many more the member works on: send the command again.")


@strawberry.type(description="What came of `onboardingsHold`.")
class OnboardingsHoldPayload(OnboardingBatchPayload):
    pass


@strawberry.type(description="What came of `onboardingsResume`.")
class OnboardingsResumePayload(OnboardingBatchPayload):
    pass


@strawberry.type(description="What came of `onboardingsPlan`.")
class OnboardingsPlanPayload(OnboardingBatchPayload):
    pass


@strawberry.input(description="Roles of one member in onboardings that another takes over.")
class OnboardingsReassignInput:
    from_member_id: strawberry.ID = strawberry.field(description="Whose roles they are.")
    to_member_id: strawberry.ID | None = strawberry.field(
        default=None, description="Who takes over; the deputy, if left out."
    )
    roles: list[Owner] | None = strawberry.field(default=None, description="Which roles; all, if left out.")
    onboarding_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="The onboardings, 1 to 200; without, the first 200 open ones with one of the roles."
    )
    reason: str | None = strawberry.field(default=None, description="Why; kept as a note on each onboarding.")
    policy: BulkPolicy = strawberry.field(default=BulkPolicy.REJECT_ALL, description=POLICY)
    dry_run: bool = strawberry.field(default=False, description=DRY_RUN)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="Onboardings to be put on hold.")
class OnboardingsHoldInput:
    onboarding_ids: list[strawberry.ID] = strawberry.field(description=THE_ONES)
    hold_reason: HoldReason = strawberry.field(description="Whom or what they wait for.")
    expected_resume_on: date | None = strawberry.field(default=None, description="The local day it should end.")
    note: str | None = strawberry.field(default=None, description="What there is to say about it.")
    policy: BulkPolicy = strawberry.field(default=BulkPolicy.REJECT_ALL, description=POLICY)
    dry_run: bool = strawberry.field(default=False, description=DRY_RUN)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="Onboardings whose holds end.")
class OnboardingsResumeInput:
    onboarding_ids: list[strawberry.ID] = strawberry.field(description=THE_ONES)
    policy: BulkPolicy = strawberry.field(default=BulkPolicy.REJECT_ALL, description=POLICY)
    dry_run: bool = strawberry.field(default=False, description=DRY_RUN)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="Planned dates of one onboarding.")
class OnboardingsPlanItem:
    onboarding_id: strawberry.ID = strawberry.field(description="The onboarding.")
    dates: list[PlannedDateInput] = strawberry.field(description="The stages and their days, each stage once.")


@strawberry.input(description="Planned dates of onboardings; a stage that is left out stays as it is.")
class OnboardingsPlanInput:
    items: list[OnboardingsPlanItem] = strawberry.field(description="1 to 200 onboardings, each once.")
    reason: str | None = strawberry.field(
        default=None, description="Why; a first date takes none, a change of one that stands does."
    )
    policy: BulkPolicy = strawberry.field(default=BulkPolicy.REJECT_ALL, description=POLICY)
    dry_run: bool = strawberry.field(default=False, description=DRY_RUN)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.type
class OnboardingBatchesMutation:
    @mutation_field(
        scope=Scope.ONBOARDING_MOVE,
        description="Let another member take over from one in many onboardings: timers to come, items of checklists "
        "and follow-ups that are open go with it. A `reason` takes `NOTES_WRITE`.",
        may_fail=(*MAY_FAIL, ErrorCode.CONFLICT),
        cost=PRICE,
    )
    async def onboardings_reassign(self, info: Info, input: OnboardingsReassignInput) -> OnboardingsReassignPayload:
        ids = input.onboarding_ids
        command = Reassign(
            former=parse(IdKind.MEMBER, input.from_member_id),
            to=id_of(IdKind.MEMBER, input.to_member_id),
            roles=tuple(Owner) if input.roles is None else tuple(input.roles),
            cycles=None if ids is None else _ids(ids),
            reason=input.reason,
            policy=input.policy,
            dry_run=input.dry_run,
        )
        outcome = await info.context.perform(reassign, info.context.command(input.idempotency_key), command)
        remaining: Any = outcome.facts.get(REMAINING, 0)
        return _payload(OnboardingsReassignPayload, outcome, remaining=remaining)

    @mutation_field(
        scope=Scope.ONBOARDING_HOLD,
        description="Put many onboardings on hold, each by the rules of `onboardingHold`, at whatever version it is.",
        may_fail=MAY_FAIL,
        cost=PRICE,
    )
    async def onboardings_hold(self, info: Info, input: OnboardingsHoldInput) -> OnboardingsHoldPayload:
        command = HoldCycles(
            _ids(input.onboarding_ids),
            input.hold_reason,
            input.expected_resume_on,
            input.note,
            input.policy,
            input.dry_run,
        )
        request = info.context.command(input.idempotency_key)
        return _payload(OnboardingsHoldPayload, await info.context.perform(cycle_batches.hold, request, command))

    @mutation_field(
        scope=Scope.ONBOARDING_HOLD,
        description="End the holds of many onboardings.",
        may_fail=MAY_FAIL,
        cost=PRICE,
    )
    async def onboardings_resume(self, info: Info, input: OnboardingsResumeInput) -> OnboardingsResumePayload:
        command = ResumeCycles(_ids(input.onboarding_ids), input.policy, input.dry_run)
        request = info.context.command(input.idempotency_key)
        return _payload(OnboardingsResumePayload, await info.context.perform(cycle_batches.resume, request, command))

    @mutation_field(
        scope=Scope.ONBOARDING_MOVE,
        description="Set, change or withdraw the planned dates of many onboardings, each by the rules of "
        "`onboardingPlan`.",
        may_fail=MAY_FAIL,
        cost=PRICE,
    )
    async def onboardings_plan(self, info: Info, input: OnboardingsPlanInput) -> OnboardingsPlanPayload:
        items = tuple(
            CyclePlan(
                parse(IdKind.ONBOARDING, item.onboarding_id),
                tuple(Wish(each.stage, each.planned_on) for each in item.dates),
            )
            for item in input.items
        )
        command = PlanCycles(items, input.reason, input.policy, input.dry_run)
        request = info.context.command(input.idempotency_key)
        return _payload(OnboardingsPlanPayload, await info.context.perform(cycle_batches.plan, request, command))


def _ids(given: list[strawberry.ID]) -> tuple[UUID, ...]:
    return tuple(parse(IdKind.ONBOARDING, one) for one in given)


def _payload(payload: type[P], outcome: Outcome, **further: Any) -> P:
    told: Any = outcome.facts.get(RESULTS, ())
    results = [_result(one) for one in told]
    return payload(
        results=results,
        changes=[change for result in results for change in result.changes],
        event_id=event_id(outcome),
        errors=list(outcome.errors),  # type: ignore[arg-type]
        **further,
    )


def _result(told: Any) -> OnboardingBatchResult:
    result = bulk.BulkResult.from_data(told)
    return OnboardingBatchResult(
        index=result.index,
        onboarding_id=strawberry.ID(public(IdKind.ONBOARDING, result.subject)) if result.subject else None,
        status=result.status,
        changes=changes_of(told),
        errors=list(result.errors),  # type: ignore[arg-type]
    )
