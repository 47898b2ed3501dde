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
from db import desk
from domain.access import Scope
from domain.ids import IdKind, parse
from domain.onboarding import Cycle, ScopeKind
from domain.pace import Pace
from domain.stages import ORDER, Stage

IN_FLIGHT = (Stage.CONTRACTING, Stage.ASSET_DISCOVERY, Stage.EARLY_SUPPORT)
CARDS = 100
"""Cards of the whole board unless asked otherwise."""

MOST_CARDS = 500

COUNTED_MOST = 2_000
"""Onboardings under way whose pace one board reads."""


@strawberry.type(description="How many onboardings of a column have one pace.")
class PaceCount:
    pace: Pace = strawberry.field(description="The pace.")
    count: int = strawberry.field(description="How many onboardings.")


@strawberry.type(description="One column of the board.")
class PipelineStage:
    stage: Stage = strawberry.field(description="The stage.")
    count: int = strawberry.field(
        description="How many onboardings stand here, shown or not; those of one pace, where the board is asked for it."
    )
    paces: list[PaceCount] = strawberry.field(
        description="How many of the column's onboardings have which pace, shown or not: of the 2,000 longest open."
    )
    cards: list[Onboarding] = strawberry.field(
        description="The onboardings, the longest open first; in steady state only the count is given."
    )


@strawberry.type(description="The board of onboardings.")
class OnboardingPipeline:
    stages: list[PipelineStage] = strawberry.field(description="The four stages, in order.")
    truncated: bool = strawberry.field(description="Whether there are more onboardings than the cards shown.")


@strawberry.input(description="Which onboardings a board shows; every condition given must hold.")
class PipelineWhere:
    stages: list[Stage] | None = strawberry.field(default=None, description="In one of these stages.")
    paces: list[Pace] | None = strawberry.field(
        default=None, description="With one of these paces; whatever is in steady state has none."
    )
    held: bool | None = strawberry.field(default=None, description="On hold (`true`) or not (`false`).")
    in_notice: bool | None = strawberry.field(
        default=None, description="Of a client whose notice runs (`true`) or not (`false`)."
    )
    scope_kinds: list[ScopeKind] | None = strawberry.field(
        default=None, description="About one of these: the whole client, a site, a service."
    )

    def conditions(self) -> dict[str, object]:
        """Return what is given as conditions of the statement; paces are read afterwards."""
        return {
            "stages": None if self.stages is None else [stage.value for stage in self.stages],
            "held": self.held,
            "in_notice": self.in_notice,
            "scope_kinds": None if self.scope_kinds is None else [kind.value for kind in self.scope_kinds],
        }


@strawberry.type
class PipelineQuery:
    @query_field(
        scope=Scope.CLIENTS_READ,
        description="The board: onboardings going on by stage and pace; ask each card for its `blockers`, and each of "
        "those for who can open it.",
        cost=FieldPrice(weight=20, sized_by=("first",), list_size=CARDS),
    )
    async def onboarding_pipeline(
        self,
        info: Info,
        lead_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Only what this member leads.")
        ] = None,
        where: Annotated[PipelineWhere | None, strawberry.argument(description="Which; all if left out.")] = None,
        first: Annotated[int, strawberry.argument(description="Cards of the whole board, from 1 to 500.")] = CARDS,
    ) -> OnboardingPipeline | None:
        if not 1 <= first <= MOST_CARDS:
            raise BadUserInput(f"first: {first} is out of range; a board has 1 to {MOST_CARDS} cards.")
        conditions = where.conditions() if where else {}
        conditions["lead"] = parse(IdKind.MEMBER, lead_id) if lead_id is not None else None
        async with info.context.reading() as tx:
            found = await desk.board(tx, IN_FLIGHT, conditions, COUNTED_MOST)
            counts = await desk.stage_counts(tx, conditions)
        readings = await info.context.loader(paced).load_many(found)
        cards = [(cycle, reading.pace if reading else None) for cycle, reading in zip(found, readings, strict=True)]
        if where and where.paces is not None:
            cards = [card for card in cards if card[1] in where.paces]
            held = [cycle.stage for cycle, _ in cards]
            counts = {stage: held.count(stage) for stage in ORDER}
        waiting = sum(counts[stage] for stage in IN_FLIGHT)
        shown = {cycle.id for cycle, _ in cards[:first]}
        return OnboardingPipeline(
            stages=[_column(stage, counts[stage], cards, shown) for stage in ORDER],
            truncated=waiting > len(shown),
        )


def _column(stage: Stage, count: int, cards: list[tuple[Cycle, Pace | None]], shown: set[UUID]) -> PipelineStage:
    here = [(cycle, pace) for cycle, pace in cards if cycle.stage is stage]
    paces = [pace for _, pace in here]
    own: Any = [cycle for cycle, _ in here if cycle.id in shown]
    return PipelineStage(
        stage=stage,
        count=count,
        paces=[PaceCount(pace=each, count=paces.count(each)) for each in Pace if each in paces],
        cards=own,
    )
