"""Figures as the API shows them: a value with everything needed to judge it, point by point or packed in columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import strawberry

from api.context import Info, OperationContext
from api.fields import member_id_field, resolved, window
from api.kpi_enums import KpiKey
from api.kpi_judgements import SeriesJudgement
from api.kpi_values import KpiValue
from api.targets import KpiTargetShown, of_provider
from db import clients, members, sites, terms
from db.explain import ExplainedRow, Reason
from db.kpis import UNKNOWN
from domain import kpis, questions, series
from domain.ids import IdKind, public
from domain.kpi_definitions import Settling
from domain.kpi_values import Status
from domain.kpis import Dimension, DirectFact, Direction, Family, KpiKind, Unit
from domain.periods import Grain, Period
from domain.standings import BaselineStanding


@window(kpis.Definition, description="An entry of the catalogue: everything that makes a figure what it is.")
class KpiDefinition:
    title: str = strawberry.field(description="Its name for people.")
    formula: str = strawberry.field(description="Its formula in words.")
    unit: Unit = strawberry.field(description="What the number counts.")
    kind: KpiKind = strawberry.field(description="How the number is formed.")
    family: Family = strawberry.field(description="Which part of the work it speaks of.")
    direction: Direction = strawberry.field(description="Which way is better.")
    source: str = strawberry.field(description="What it is made from, and the source of its interval.")
    min_sample: int = strawberry.field(description="Below this sample a value is `INSUFFICIENT_SAMPLE`.")
    settles: bool = strawberry.field(
        description="Whether a bucket stays PARTIAL until late escalations would have come."
    )
    settling: Settling = strawberry.field(description="What may still come when a bucket is over.")
    additive: bool = strawberry.field(
        description="Whether its buckets add up to the period; if not, each asks anew from its own first day."
    )
    about_staff: bool = strawberry.field(
        description="Whether it speaks of the provider's people: it takes `MEMBERS_READ` and a role that "
        "leads people, or to ask of oneself."
    )
    version: int = strawberry.field(description="The version of the formula.")

    @resolved(description="Its key.")
    def key(root: Any) -> KpiKey:  # noqa: N805 -- the root is a domain value, not this class
        return KpiKey[kpis.Kpi(root).name]

    @resolved(
        description="By what it may be split or narrowed; of tickets, by one of STAGE, PHASE and PRIORITY at a time."
    )
    def dimensions(root: Any) -> list[Dimension]:  # noqa: N805
        return list(root.dimensions)

    @resolved(
        description="What it is made of: sums of tickets, the numerator first and of a share the denominator after it, "
        "or the one kind of rows that are read as they are."
    )
    def facts(root: Any) -> list[str]:  # noqa: N805
        facts = root.facts
        return [facts.name] if isinstance(facts, DirectFact) else [fact.name for fact in facts]

    @resolved(description="What the provider wants of it; `null` where nothing is wanted of it as a whole.")
    async def target(root: Any, info: Info) -> KpiTargetShown | None:  # noqa: N805
        return await info.context.loader(of_provider).load(kpis.Kpi(root).name)  # type: ignore[return-value]

    @resolved(description="How wide its buckets may be.")
    def grains(root: Any) -> list[Grain]:  # noqa: N805
        return list(root.grains)


@window(Period, description="Local days of the provider, half-open.")
class KpiPeriod:
    start: date = strawberry.field(name="from", description="The first day.")
    end: date = strawberry.field(name="to", description="The day after the last.")
    days: int = strawberry.field(description="How many days it has.")


@window(series.Point, description="The value of one bucket.")
class KpiPoint:
    value: KpiValue = strawberry.field(description="The value.")
    complete: bool = strawberry.field(description="False when the period cuts the bucket, or it isn't over yet.")

    @resolved(description="The bucket's first day inside the period.")
    def start(root: Any) -> date:  # noqa: N805
        start: date = root.bucket.start
        return start

    @resolved(description="The day after its last.")
    def end(root: Any) -> date:  # noqa: N805
        end: date = root.bucket.end
        return end


@window(
    series.Series,
    name="KpiColumns",
    description="All points of a series as columns, one entry per bucket: much lighter than one object each.",
)
class KpiColumns:
    @resolved(description="First days of the buckets.")
    def starts(root: Any) -> list[date]:  # noqa: N805
        return root.timeline.starts  # type: ignore[no-any-return]

    @resolved(description="Values.")
    def values(root: Any) -> list[float | None]:  # noqa: N805
        return [value.value for value in root.values]

    @resolved(description="Numerators.")
    def numerators(root: Any) -> list[float | None]:  # noqa: N805
        return [value.numerator for value in root.values]

    @resolved(description="Denominators.")
    def denominators(root: Any) -> list[float | None]:  # noqa: N805
        return [value.denominator for value in root.values]

    @resolved(description="Lower ends of the intervals.")
    def lows(root: Any) -> list[float | None]:  # noqa: N805
        return [value.low for value in root.values]

    @resolved(description="Upper ends of the intervals.")
    def highs(root: Any) -> list[float | None]:  # noqa: N805
        return [value.high for value in root.values]

    @resolved(description="Statuses.")
    def statuses(root: Any) -> list[Status]:  # noqa: N805
        return [value.status for value in root.values]

    @resolved(description="Whether each bucket is whole and over.")
    def complete(root: Any) -> list[bool]:  # noqa: N805
        return root.timeline.complete  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a dimension."""

    dimension: Dimension
    name: str


@window(Member, name="KpiMember", description="One member of a dimension, such as a stage or a client.")
class KpiMember:
    dimension: Dimension = strawberry.field(description="The dimension.")

    @resolved(description="The name of an enum's value, the id of what it is, or `UNKNOWN`.")
    def member(root: Any) -> str:  # noqa: N805
        kind = None if root.name == UNKNOWN else MEMBER_IDS.get(root.dimension)
        return root.name if kind is None else public(kind, UUID(root.name))

    @resolved(description="What people call it: its name as it is now, or the member itself.")
    async def label(root: Any, info: Info) -> str:  # noqa: N805
        if root.name == UNKNOWN or root.dimension not in MEMBER_IDS:
            name: str = root.name
            return name
        return await info.context.loader(_NAMES[root.dimension]).load(UUID(root.name))


MEMBER_IDS = {
    Dimension.CLIENT: IdKind.CLIENT,
    Dimension.LEAD: IdKind.MEMBER,
    Dimension.CATEGORY: IdKind.TERM,
    Dimension.TEAM: IdKind.TERM,
    Dimension.TECHNICIAN: IdKind.TERM,
    Dimension.SITE: IdKind.SITE,
}
"""Dimensions whose members are told by their ids."""


async def client_names(context: OperationContext, keys: Sequence[UUID]) -> list[str]:
    """Load the names of clients."""
    async with context.reading() as tx:
        found = await clients.many(tx, keys)
    return [found[key].name if key in found else UNKNOWN for key in keys]


async def lead_names(context: OperationContext, keys: Sequence[UUID]) -> list[str]:
    """Load the names of leads."""
    async with context.reading() as tx:
        found = await members.many(tx, keys)
    return [found[key].name if key in found else UNKNOWN for key in keys]


async def term_names(context: OperationContext, keys: Sequence[UUID]) -> list[str]:
    """Load what sources call categories, teams and technicians."""
    async with context.reading() as tx:
        found = await terms.names(tx, keys)
    return [found.get(key, UNKNOWN) for key in keys]


async def site_names(context: OperationContext, keys: Sequence[UUID]) -> list[str]:
    """Load the names of sites."""
    async with context.reading() as tx:
        found = await sites.ROWS.many(tx, keys)
    return [found[key].name if key in found else UNKNOWN for key in keys]


_NAMES = {
    Dimension.CLIENT: client_names,
    Dimension.LEAD: lead_names,
    Dimension.CATEGORY: term_names,
    Dimension.TEAM: term_names,
    Dimension.TECHNICIAN: term_names,
    Dimension.SITE: site_names,
}


@window(
    questions.MemberSeries,
    name="KpiSeries",
    description="One figure over time, of one member of each dimension asked for.",
)
class KpiSeries(SeriesJudgement):
    @resolved(description="Whose series it is; empty where the question splits by nothing.")
    def dimensions(root: Any) -> list[KpiMember]:  # noqa: N805
        return [Member(*one) for one in zip(root.question.by, root.members, strict=True)]  # type: ignore[misc]

    @resolved(description="The value of the whole period: the formula over all rows, never an average of averages.")
    def total(root: Any) -> KpiValue:  # noqa: N805
        return root.series.total  # type: ignore[no-any-return]

    @resolved(description="The value of the period compared with, where a comparison was asked for.")
    def previous(root: Any) -> KpiValue | None:  # noqa: N805
        return root.previous  # type: ignore[no-any-return]

    @resolved(description="The total less the previous value, in the unit; `null` where either is missing.")
    def change(root: Any) -> float | None:  # noqa: N805
        now, before = root.series.total, root.previous
        return None if before is None or None in (now.value, before.value) else now.value - before.value

    @resolved(description="The value of each bucket, in order.")
    def points(root: Any) -> list[KpiPoint]:  # noqa: N805
        return list(root.series.points)

    @resolved(description="The same as columns.")
    def columns(root: Any) -> KpiColumns:  # noqa: N805
        return root.series  # type: ignore[no-any-return]


@window(ExplainedRow, name="KpiRow", description="One row behind a number.")
class KpiRow:
    at: datetime = strawberry.field(description="When it counts.")
    amount: float = strawberry.field(
        description="How much it counts: 1, or how often a ticket was escalated; of a duration its business days."
    )
    reason: Reason | None = strawberry.field(description="Why it is left out, if it is.")
    stage: str | None = strawberry.field(description="The stage it counts under.")
    ended: bool | None = strawberry.field(
        description="Of a stay or another duration: whether it has ended; of a client in service: whether it left."
    )
    lead_id: strawberry.ID | None = member_id_field(
        "lead_id", description="Of an onboarding that is counted per lead: who led it then; of a lead, who it is."
    )
    outcome: str | None = strawberry.field(description="Of a client that left, or is about to: the outcome code.")
    baseline_rate: float | None = strawberry.field(
        description="Of a client: the escalation rate of its onboarding, as it was kept at graduation."
    )
    baseline_standing: BaselineStanding | None = strawberry.field(
        description="Of a client: how that rate stands to the provider's limit of today."
    )

    @resolved(description="The ticket it leads to; `node` finds it.")
    def ticket_id(root: Any) -> strawberry.ID | None:  # noqa: N805
        return None if root.ticket_id is None else strawberry.ID(public(IdKind.TICKET, root.ticket_id))

    @resolved(description="The onboarding it leads to; `node` finds it.")
    def onboarding_id(root: Any) -> strawberry.ID | None:  # noqa: N805
        return None if root.cycle_id is None else strawberry.ID(public(IdKind.ONBOARDING, root.cycle_id))

    @resolved(description="The contract it leads to; `node` finds it.")
    def contract_id(root: Any) -> strawberry.ID | None:  # noqa: N805
        return None if root.contract_id is None else strawberry.ID(public(IdKind.CONTRACT, root.contract_id))
