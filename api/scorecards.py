"""The scorecard as the API shows it: what does well and what needs work, in one query."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import strawberry

from api import client_loaders as loaders
from api.changing import id_of
from api.context import Info
from api.enums import described
from api.errors import BadUserInput
from api.fields import FieldPrice, optional_id_field, query_field, resolved, window
from api.kpi_judgements import KpiBenchmark, KpiGoal, KpiTrend
from api.kpi_types import KpiDefinition, KpiPeriod
from api.kpi_values import KpiValue
from api.kpis import PeriodInput
from db import scorecards as stored
from domain import scorecards
from domain.access import Scope
from domain.ids import IdKind
from domain.kpi_definitions import Family
from domain.kpis import Kpi
from domain.periods import Grain, InvalidPeriod, Period
from domain.scorecards import Ground, Scored, Verdict

described(
    Verdict,
    "How a figure does.",
    "KpiVerdict",
    DOES_WELL="It keeps to its target, or stands out for the better.",
    NEEDS_WORK="It misses its target, or stands out for the worse.",
    STEADY="Neither, or some of both.",
    UNKNOWN="Nothing can be said; the grounds say why.",
)

described(
    Ground,
    "What a verdict rests on, or why there is none.",
    "KpiGround",
    TARGET_MET="Its whole interval keeps to the target.",
    TARGET_MISSED="Its whole interval lies beyond the target.",
    TARGET_UNDECIDED="The target lies inside its interval, or more is still being counted.",
    TREND_FOR_BETTER="It goes the better way by more than chance.",
    TREND_FOR_WORSE="It goes the worse way by more than chance.",
    BETTER_THAN_BEFORE="It is better than in the period before, their intervals lying apart.",
    WORSE_THAN_BEFORE="It is worse than in the period before, their intervals lying apart.",
    BETTER_THAN_CLIENTS="The client's interval lies on the better side of the median of all clients.",
    WORSE_THAN_CLIENTS="The client's interval lies on the worse side of the median of all clients.",
    STILL_PARTIAL="More is still to come.",
    NO_DATA="There is nothing to compute it from.",
    TOO_SMALL_A_SAMPLE="It rests on fewer than `minSample`.",
    NO_BETTER_SIDE="No way is the better one of this figure.",
    NOTHING_STANDS_OUT="Nothing of all that stands out.",
)


@window(Scored, description="One figure of a scorecard.", name="ScoredFigure")
class ScoredFigure:
    previous: KpiValue | None = strawberry.field(description="The value of the period before.")
    trend: KpiTrend = strawberry.field(description="Where it is going within the period.")

    @resolved(description="The figure's entry in the catalogue.")
    def definition(root: Any) -> KpiDefinition:  # noqa: N805 -- the root is a domain value, not this class
        return root.kpi.definition  # type: ignore[no-any-return]

    @resolved(description="How it does.")
    def verdict(root: Any) -> Verdict:  # noqa: N805
        verdict: Verdict = root.judged.verdict
        return verdict

    @resolved(description="What the verdict rests on: the target first, then trend, change and the other clients.")
    def grounds(root: Any) -> list[Ground]:  # noqa: N805
        return list(root.judged.grounds)

    @resolved(description="The value of the whole period.")
    def value(root: Any) -> KpiValue:  # noqa: N805
        return root.series.total  # type: ignore[no-any-return]

    @resolved(description="The value less the previous one, in the unit; `null` where either is missing.")
    def change(root: Any) -> float | None:  # noqa: N805
        now, before = root.series.total, root.previous
        return None if before is None or None in (now.value, before.value) else now.value - before.value

    @resolved(description="How the client stands among all clients that you see, or how those are.")
    def benchmark(root: Any) -> KpiBenchmark | None:  # noqa: N805
        return root.among  # type: ignore[no-any-return]

    @resolved(description="What is wanted of it.")
    def target(root: Any) -> KpiGoal | None:  # noqa: N805
        return root.goal  # type: ignore[no-any-return]


@strawberry.type(description="The figures of one part of the work.")
class ScorecardFamily:
    family: Family = strawberry.field(description="Which part.")
    scored: strawberry.Private[Sequence[Scored]]

    @resolved(description="The figures, in the order of the catalogue.")
    def figures(self) -> list[ScoredFigure]:
        return list(self.scored)  # type: ignore[arg-type]

    @resolved(description="How many of them do well.")
    def does_well(self) -> int:
        return sum(one.judged.verdict is Verdict.DOES_WELL for one in self.scored)

    @resolved(description="How many of them need work.")
    def needs_work(self) -> int:
        return sum(one.judged.verdict is Verdict.NEEDS_WORK for one in self.scored)


@window(
    scorecards.Scorecard,
    description="What does well and what needs work over a period. A missed target needs work; one that is met does "
    "well unless something turned for the worse; else trend, change and the other clients decide, if they agree.",
    name="Scorecard",
)
class ScorecardShown:
    client_id: strawberry.ID | None = optional_id_field(
        IdKind.CLIENT, "client", description="Whose it is; `null` of all clients that you see."
    )
    period: KpiPeriod = strawberry.field(description="The days it is about.")
    grain: Grain = strawberry.field(
        description="The buckets by which trends are told: the widest of which there are 7."
    )
    time_zone: str = strawberry.field(description="The provider's zone.")

    @resolved(description="The days compared with.")
    def compared_with(root: Any) -> KpiPeriod:  # noqa: N805
        return root.period.previous()  # type: ignore[no-any-return]

    @resolved(description="As of when it holds.")
    def as_of(root: Any) -> datetime:  # noqa: N805
        now: datetime = root.now
        return now

    @resolved(description="The parts of the work that have figures.")
    def families(root: Any) -> list[ScorecardFamily]:  # noqa: N805
        return [ScorecardFamily(family=family, scored=scored) for family in Family if (scored := root.of(family))]


@strawberry.type
class ScorecardQuery:
    @query_field(
        scope=Scope.KPIS_READ,
        description="What does well and what needs work, of all clients that you see or of one: every figure with its "
        "value, the change, the trend, the target, the other clients, and a verdict with its grounds. Ask for seven "
        "months or more to see trends by month.",
        cost=FieldPrice(weight=40),
    )
    async def scorecard(
        self,
        info: Info,
        period: Annotated[PeriodInput, strawberry.argument(description="The days it is about.")],
        client_id: Annotated[
            strawberry.ID | None,
            strawberry.argument(description="Of this client alone; `null` where you see none such."),
        ] = None,
    ) -> ScorecardShown | None:
        told = info.context.principal.told_of_staff
        kpis = [kpi for kpi in Kpi if told or not kpi.definition.about_staff]
        client = id_of(IdKind.CLIENT, client_id)
        try:
            days = Period(period.start, period.end)
            if client is not None and await info.context.loader(loaders.client).load(client) is None:
                return None
            async with info.context.reading() as tx:
                return await stored.scorecard(tx, days, client, kpis, info.context.context.clock())  # type: ignore[return-value]
        except InvalidPeriod as error:
            raise BadUserInput(f"{error}") from error
