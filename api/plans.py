"""The mutation that plans an onboarding's next stages."""

from datetime import date

import strawberry

from api.consequences import DRY_RUN, ForeseeingPayload, changes_of
from api.context import Info
from api.fields import mutation_field
from api.moves import VERSION, onboarding_of
from api.onboarding import Onboarding
from api.payloads import KEY, event_id
from domain.access import Scope
from domain.errors import ErrorCode
from domain.ids import IdKind, parse
from domain.plans import Wish
from domain.stages import Stage
from workflows.plans import PlanCommand, plan


@strawberry.type(description="What came of `onboardingPlan`.")
class OnboardingPlanPayload(ForeseeingPayload):
    onboarding: Onboarding | None = strawberry.field(description="The onboarding as it is now, where it is known.")


@strawberry.input(description="The day on which one stage is meant to be entered.")
class PlannedDateInput:
    stage: Stage = strawberry.field(description="A stage still to come: ASSET_DISCOVERY, EARLY_SUPPORT, STEADY_STATE.")
    planned_on: date | None = strawberry.field(
        default=None,
        description="The local day, today or later, and not before an earlier stage's; `null` withdraws the day that "
        "stands, which takes a reason.",
    )


@strawberry.input(description="Planned dates of an onboarding; a stage that is left out stays as it is.")
class OnboardingPlanInput:
    onboarding_id: strawberry.ID = strawberry.field(description="The onboarding.")
    expected_version: int = strawberry.field(description=VERSION)
    dates: list[PlannedDateInput] = strawberry.field(description="The stages and their days, each stage once.")
    reason: str | None = strawberry.field(
        default=None, description="Why; a first date takes none, a change of one that stands does."
    )
    dry_run: bool = strawberry.field(default=False, description=DRY_RUN)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.type
class PlansMutation:
    @mutation_field(
        scope=Scope.ONBOARDING_MOVE,
        description="Set, change or withdraw the planned dates of the stages still to come; every change is kept.",
        may_fail=(
            ErrorCode.NOT_FOUND,
            ErrorCode.NOT_ALLOWED,
            ErrorCode.STALE_VERSION,
            ErrorCode.MOVE_NOT_POSSIBLE,
        ),
    )
    async def onboarding_plan(self, info: Info, input: OnboardingPlanInput) -> OnboardingPlanPayload:
        command = PlanCommand(
            cycle=parse(IdKind.ONBOARDING, input.onboarding_id),
            expected_version=input.expected_version,
            dates=tuple(Wish(each.stage, each.planned_on) for each in input.dates),
            reason=input.reason,
            dry_run=input.dry_run,
        )
        outcome = await info.context.perform(plan, info.context.command(input.idempotency_key), command)
        return OnboardingPlanPayload(
            onboarding=await onboarding_of(info, outcome),
            changes=changes_of(outcome.facts),
            event_id=event_id(outcome),
            errors=list(outcome.errors),  # type: ignore[arg-type]
        )
