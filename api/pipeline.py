"""The pipeline board: every onboarding going on, by stage and pace, with what holds each back."""

from typing import Annotated, Any
from uuid import UUID

import strawberry

from api import onboarding_enums  # noqa: F401 -- publishes the enums named here
from api.context import Info
from api.errors import BadUserInput
from api.fields import FieldPrice, query_field
from api.onboarding import Onboarding
from api.plan_fields import paced
from db import cycles
from domain.access import Scope
from domain.ids import IdKind, parse
from domain.onboarding import Cycle
from domain.pace import Pace
from domain.stages import ORDER, Stage

IN_FLIGHT = (Stage.CONTRACTING, Stage.ASSET_DISCOVERY, Stage.EARLY_SUPPORT)
CARDS = 100
"""Cards of the whole board unless asked otherwise."""

MOST_CARDS = 500


@strawberry.type(description="How many onboardings of a column have one pace.")
class PaceCount:
    pace: Pace = strawberry.field(description="The pace.")
    count: int = strawberry.field(description="How many onboardings.")


@strawberry.type(description="One column of the board.")
class PipelineStage:
    stage: Stage = strawberry.field(description="The stage.")
    count: int = strawberry.field(description="How many onboardings stand here, shown or not.")
    paces: list[PaceCount] = strawberry.field(description="How many of the onboardings shown have which pace.")
    cards: list[Onboarding] = strawberry.field(
        description="The onboardings, the longest open first; in steady state only the count is given."
    )


@strawberry.type(description="The board of onboardings.")
class OnboardingPipeline:
    stages: list[PipelineStage] = strawberry.field(description="The four stages, in order.")
    truncated: bool = strawberry.field(description="Whether there are more onboardings than the cards shown.")


@strawberry.type
class PipelineQuery:
    @query_field(
        scope=Scope.CLIENTS_READ,
        description="The board: onboardings going on by stage and pace; ask each card for its `blockers`.",
        cost=FieldPrice(weight=5, sized_by=("first",), list_size=CARDS),
    )
    async def onboarding_pipeline(
        self,
        info: Info,
        lead_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Only what this member leads.")
        ] = None,
        first: Annotated[int, strawberry.argument(description="Cards of the whole board, from 1 to 500.")] = CARDS,
    ) -> OnboardingPipeline | None:
        if not 1 <= first <= MOST_CARDS:
            raise BadUserInput(f"first: {first} is out of range; a board has 1 to {MOST_CARDS} cards.")
        lead: UUID | None = parse(IdKind.MEMBER, lead_id) if lead_id is not None else None
        async with info.context.reading() as tx:
            found = await cycles.board(tx, IN_FLIGHT, lead=lead, limit=first + 1)
            counts = await cycles.stage_counts(tx, lead=lead)
        shown = found[:first]
        stages = [await _column(info, stage, counts, shown) for stage in ORDER]
        return OnboardingPipeline(stages=stages, truncated=len(found) > first)


async def _column(info: Info, stage: Stage, counts: dict[Stage, int], shown: list[Cycle]) -> PipelineStage:
    cards: Any = [cycle for cycle in shown if cycle.stage is stage]
    paces = [found.pace for found in await info.context.loader(paced).load_many(cards) if found]
    return PipelineStage(
        stage=stage,
        count=counts.get(stage, 0),
        paces=[PaceCount(pace=each, count=paces.count(each)) for each in Pace if each in paces],
        cards=cards,
    )
