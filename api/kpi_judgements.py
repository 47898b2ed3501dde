"""How a series is doing, as the API shows it: its trend, how it stands among the clients, and what is wanted of it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import strawberry

from api.context import Info, OperationContext
from api.enums import described
from api.fields import resolved, window
from api.kpi_values import KpiValue
from db import benchmarks as among
from db import targets as stored
from domain import benchmarks, trends
from domain.benchmarks import NoBenchmark
from domain.kpis import Dimension
from domain.questions import Question
from domain.targets import Goal, Targets, TargetStanding, goal_of
from domain.trends import Course, NoTrend, TrendMethod, Turn, trend_of

described(
    Course,
    "Where a series is going.",
    "KpiCourse",
    RISING="It rises: the whole interval of its slope lies above zero.",
    FALLING="It falls: the whole interval of its slope lies below zero.",
    FLAT="Neither, by more than chance: the interval of its slope holds zero.",
    UNKNOWN="Nothing can be told; `refusal` says why.",
)

described(
    Turn,
    "Whether a course is a good one, by the figure's direction.",
    "KpiTurn",
    FOR_BETTER="For the better.",
    FOR_WORSE="For the worse.",
    NEITHER="Neither: there is no course, or no way is better.",
)

described(
    TrendMethod,
    "How a slope and its interval are found.",
    "KpiTrendMethod",
    WEIGHTED_LEAST_SQUARES="The line of least squares, a bucket weighing what it rests on; Student's interval, widened "
    "where neighbouring buckets are alike.",
    MEAN_CHANGE="Of a level: the mean change from bucket to bucket, with Student's interval.",
)

described(
    NoTrend,
    "Why no trend is told.",
    "KpiNoTrendReason",
    TOO_FEW_POINTS="Fewer than 6 buckets are whole, over and settled, with a value.",
    TOO_DEPENDENT="The buckets follow their neighbours so closely that they are too few in effect.",
)

described(
    NoBenchmark,
    "Why a client isn't ranked.",
    "KpiNoBenchmarkReason",
    TOO_FEW_CLIENTS="Fewer than 5 clients have enough sample.",
    OWN_SAMPLE_TOO_SMALL="This client's own sample is too small.",
)

described(
    TargetStanding,
    "Whether a value keeps to its target, its interval considered.",
    "KpiTargetStanding",
    MET="It does: its whole interval keeps to the target.",
    MISSED="It doesn't: its whole interval lies beyond the target.",
    UNDECIDED="The target lies inside the interval, there is no data, or more is still being counted.",
)


@window(
    trends.Trend,
    description="Where a series is going, by the buckets that are whole, over and settled: a line with its 95 % "
    "interval.",
    name="KpiTrend",
)
class KpiTrend:
    course: Course = strawberry.field(name="direction", description="Where it is going.")
    turn: Turn = strawberry.field(description="Whether that is for the better.")
    slope: float | None = strawberry.field(description="By how much each bucket, in the figure's unit.")
    low: float | None = strawberry.field(description="Lower end of the slope's 95 % interval.")
    high: float | None = strawberry.field(description="Upper end of the slope's 95 % interval.")
    points: int = strawberry.field(description="How many buckets it rests on.")
    method: TrendMethod = strawberry.field(description="How it was found.")
    refusal: NoTrend | None = strawberry.field(description="Why no trend is told, if none is.")


@window(
    benchmarks.Benchmark,
    description="How a client stands among all clients that you see, over the whole period.",
    name="KpiBenchmark",
)
class KpiBenchmark:
    pooled: KpiValue = strawberry.field(description="The value over all rows of all known clients together.")
    clients: int = strawberry.field(description="How many clients have at least `minSample`; only these are ranked.")
    median: float | None = strawberry.field(description="The median of their values.")
    mean: float | None = strawberry.field(
        description="The mean of their values: of rates, the mean of client rates, a small client counting as a large."
    )
    mean_low: float | None = strawberry.field(description="Lower end of the mean's 95 % interval.")
    mean_high: float | None = strawberry.field(description="Upper end of the mean's 95 % interval.")
    percentile: float | None = strawberry.field(
        description="The client's rank by value: 0 is the lowest, 100 the highest; `null` of a series of no one client."
    )
    refusal: NoBenchmark | None = strawberry.field(description="Why the client isn't ranked, if it isn't.")


@window(Goal, description="What is wanted of a series, held against its values.", name="KpiGoal")
class KpiGoal:
    value: float = strawberry.field(description="The target as it was set: of a count per 30 days.")
    due: float = strawberry.field(description="What it comes to over the whole period.")
    standing: TargetStanding = strawberry.field(name="onTarget", description="Whether the total keeps to it.")
    dues: list[float] = strawberry.field(description="What it comes to over each bucket, in order.")
    standings: list[TargetStanding] = strawberry.field(
        name="onTargets", description="Whether the value of each bucket keeps to it."
    )


async def among_clients(context: OperationContext, asked: Sequence[Question]) -> list[among.Among | None]:
    """Load the clients that series are held against, one reading for all series of a question."""
    async with context.reading() as tx:
        return await among.among_all(tx, asked, context.context.clock())


async def wanted_of(context: OperationContext, asked: Sequence[Question]) -> list[Targets]:
    """Load what is wanted of the figures of questions, as of the moment that each is about."""
    now = context.context.clock()
    moments = {question: now if question.as_of is None else min(question.as_of, now) for question in asked}
    async with context.reading() as tx:
        found = {
            moment: await stored.wanted(tx, sorted({one.kpi.name for one in asked if moments[one] == moment}), moment)
            for moment in set(moments.values())
        }
    return [found[moments[question]] for question in asked]


@strawberry.type
class SeriesJudgement:
    """How a series is doing, as fields of it."""

    @resolved(description="Where it is going; ask for at least 6 buckets.")
    def trend(root: Any) -> KpiTrend:  # noqa: N805 -- the root is a domain value, not this class
        return trend_of(root.series)  # type: ignore[return-value]

    @resolved(
        description="How it stands among all clients that you see, or where it is of no one client, how those are; "
        "`null` of a mean over leads, and where the figure isn't kept by client and the other dimension together."
    )
    async def benchmark(root: Any, info: Info) -> KpiBenchmark | None:  # noqa: N805
        clients = root.question.where.clients
        named = clients is not None and len(clients) == 1 and not root.question.by
        question = replace(root.question, where=replace(root.question.where, clients=None), compare=None, top=None)
        found = await info.context.loader(among_clients).load(question)
        if found is None:
            return None
        by, members = root.question.by, root.members
        if named:
            by, members = (Dimension.CLIENT,), (clients[0].hex,)
        return found.of(by, members)  # type: ignore[return-value]

    @resolved(
        description="What is wanted of it; `null` where nothing is. A share or a duration that is wanted of the "
        "provider is wanted of each client and part; a count or a level only of what it was set for."
    )
    async def target(root: Any, info: Info) -> KpiGoal | None:  # noqa: N805
        found = await info.context.loader(wanted_of).load(root.question)
        return goal_of(root.question, root.members, root.series, found)  # type: ignore[return-value]
