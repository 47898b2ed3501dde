"""Figures: one question, one answer, the catalogue behind both, and the rows behind every number."""

from collections.abc import Hashable, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry

from api import kpi_enums, onboarding_enums, ticket_enums
from api.context import Info, OperationContext
from api.errors import BadUserInput
from api.escalation_rules import RuleMixture, rule_mixtures
from api.fields import FieldPrice, query_field, resolved, window
from api.kpi_enums import KpiKey
from api.kpi_explaining import Explained
from api.kpi_types import KpiDefinition, KpiPeriod, KpiSeries
from db import answers
from db.kpis import UNKNOWN
from domain import questions
from domain.access import Principal, Scope
from domain.escalations import Phase
from domain.ids import IdKind, parse
from domain.kpis import Dimension, Kpi, NotOffered, Where
from domain.onboarding import EndReason
from domain.periods import Grain, InvalidPeriod, Period
from domain.questions import Answer, Comparison, Question
from domain.stages import Stage
from domain.standings import BaselineStanding, Tenure
from domain.tickets import EscalationKind, Priority, TicketKind, TicketSource

__all__ = ["ClientFigures", "KpiDefinition", "KpiQuery", "KpiSeries", "kpi_enums", "onboarding_enums", "ticket_enums"]

MOST_QUESTIONS = 40


@strawberry.input(description="Local days of the provider, half-open: `to` is the day after the last one.")
class PeriodInput:
    start: date = strawberry.field(name="from", description="The first day.")
    end: date = strawberry.field(name="to", description="The day after the last one.")


@strawberry.input(description="What a figure is narrowed to; what is left out stays open.")
class KpiWhere:
    client_ids: list[strawberry.ID] | None = strawberry.field(default=None, description="To these clients.")
    stages: list[Stage] | None = strawberry.field(default=None, description="To these stages.")
    phases: list[Phase] | None = strawberry.field(default=None, description="To these support phases.")
    priorities: list[Priority] | None = strawberry.field(default=None, description="To these priorities.")
    kinds: list[TicketKind] | None = strawberry.field(default=None, description="To tickets of these kinds.")
    category_ids: list[strawberry.ID] | None = strawberry.field(default=None, description="To these categories.")
    team_ids: list[strawberry.ID] | None = strawberry.field(default=None, description="To tickets of these teams.")
    technician_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="To tickets of these technicians; it is told to those who lead people."
    )
    site_ids: list[strawberry.ID] | None = strawberry.field(default=None, description="To tickets about these sites.")
    escalation_kind: EscalationKind = strawberry.field(
        default=EscalationKind.FUNCTIONAL,
        description="Which escalations the figures of escalations count; other figures know none but the default.",
    )
    lead_ids: list[strawberry.ID] | None = strawberry.field(default=None, description="To what these members lead.")
    outcomes: list[EndReason] | None = strawberry.field(default=None, description="To these outcome codes.")
    tenures: list[Tenure] | None = strawberry.field(default=None, description="To clients in service for so long.")
    baselines: list[BaselineStanding] | None = strawberry.field(
        default=None, description="To clients whose onboarding went so."
    )
    sources: list[TicketSource] | None = strawberry.field(
        default=None, description="To tickets opened by these; by people alone if left out."
    )

    def where(self) -> Where:
        sources = (TicketSource.PERSON,) if self.sources is None else tuple(self.sources)
        return Where(
            clients=None if self.client_ids is None else tuple(parse(IdKind.CLIENT, one) for one in self.client_ids),
            stages=None if self.stages is None else tuple(self.stages),
            phases=None if self.phases is None else tuple(self.phases),
            priorities=None if self.priorities is None else tuple(self.priorities),
            kinds=None if self.kinds is None else tuple(self.kinds),
            categories=_hex(IdKind.TERM, self.category_ids),
            teams=_hex(IdKind.TERM, self.team_ids),
            technicians=_hex(IdKind.TERM, self.technician_ids),
            sites=_hex(IdKind.SITE, self.site_ids),
            escalation_kind=self.escalation_kind,
            leads=_hex(IdKind.MEMBER, self.lead_ids),
            outcomes=None if self.outcomes is None else tuple(self.outcomes),
            tenures=None if self.tenures is None else tuple(self.tenures),
            baselines=None if self.baselines is None else tuple(self.baselines),
            sources=sources,
        )


def _hex(kind: IdKind, ids: list[strawberry.ID] | None) -> tuple[str, ...] | None:
    """Return ids as members are told by; `UNKNOWN` stands for what has none."""
    if ids is None:
        return None
    return tuple(UNKNOWN if one == UNKNOWN else parse(kind, one).hex for one in ids)


@strawberry.input(name="KpiQuery", description="One figure over a period, by at most two dimensions.")
class KpiQueryInput:
    key: KpiKey = strawberry.field(description="The figure.")
    period: PeriodInput = strawberry.field(description="The days it is about.")
    grain: Grain = strawberry.field(default=Grain.MONTH, description="How wide its buckets are.")
    by: list[Dimension] | None = strawberry.field(
        default=None,
        description="By what it is split: at most two. Sums of tickets are kept by one of STAGE, PHASE and PRIORITY, "
        "alone or with CLIENT, or by one of KIND, CATEGORY, TEAM, TECHNICIAN and SITE alone; times by any two.",
    )
    where: KpiWhere | None = strawberry.field(default=None, description="What it is narrowed to.")
    compare_with: Comparison | None = strawberry.field(default=None, description="With what it is compared.")
    as_of: datetime | None = strawberry.field(
        default=None, description="An earlier moment: the answer as it was then, under today's formula."
    )
    top: int | None = strawberry.field(default=None, description="The largest series only, so many: 1 to 200.")

    def question(self, context: OperationContext) -> Question:
        """Return what is asked.

        Raises:
            BadUserInput: the period is reversed or too long, `asOf` is still to come, or the combination isn't kept.
            ForbiddenError: it is about the provider's people, of whom the caller may not read.
        """
        if self.as_of is not None and self.as_of > context.context.clock():
            msg = f"asOf: {self.as_of.isoformat()} is still to come; give an earlier moment, or leave it out for now."
            raise BadUserInput(msg)
        try:
            question = Question(
                kpi=Kpi[self.key.value],
                period=Period(self.period.start, self.period.end),
                grain=self.grain,
                by=tuple(self.by or ()),
                where=self.where.where() if self.where else questions.EVERYTHING,
                compare=self.compare_with,
                as_of=self.as_of,
                top=self.top,
            )
            question.check()
        except (InvalidPeriod, NotOffered) as error:
            raise BadUserInput(f"{error}") from error
        if question.is_about_staff and not _of_oneself(question, context.principal):
            context.principal.require_told_of_staff()
        return question


def _of_oneself(question: Question, principal: Principal) -> bool:
    return principal.member_id is not None and question.where.leads == (principal.member_id.hex,)


@window(questions.Answer, description="What was asked, and what came of it.")
class KpiResult(Explained):
    time_zone: str = strawberry.field(description="The provider's zone, whose local days the buckets are.")
    truncated: bool = strawberry.field(description="Whether there were more series than are given.")

    @resolved(description="The figure's entry in the catalogue.")
    def definition(root: Any) -> KpiDefinition:  # noqa: N805 -- the root is a domain value, not this class
        return root.question.kpi.definition  # type: ignore[no-any-return]

    @resolved(description="The version of the formula.")
    def definition_version(root: Any) -> int:  # noqa: N805
        version: int = root.question.kpi.definition.version
        return version

    @resolved(description="The days it is about.")
    def period(root: Any) -> KpiPeriod:  # noqa: N805
        return root.question.period  # type: ignore[no-any-return]

    @resolved(description="The days compared with, where a comparison was asked for.")
    def compared_with(root: Any) -> KpiPeriod | None:  # noqa: N805
        return root.question.compared_with  # type: ignore[no-any-return]

    @resolved(description="As of when it holds: now, or the earlier moment that was asked for.")
    def as_of(root: Any) -> datetime:  # noqa: N805
        now: datetime = root.now
        return now

    @resolved(description="When it was computed.")
    def computed_at(root: Any) -> datetime:  # noqa: N805
        computed: datetime = root.computed_at
        return computed

    @resolved(description="How long after its end a bucket of a rate stays PARTIAL, in seconds.")
    def settling_seconds(root: Any) -> float:  # noqa: N805
        seconds: float = root.settling.total_seconds()
        return seconds

    @resolved(
        description="Where tickets stand by more than one version of what counts as an escalation, because a new one "
        "is being applied: the systems, and the versions by which this figure was formed. Empty when all stand by one."
    )
    async def rule_mixtures(root: Any, info: Info) -> list[RuleMixture]:  # noqa: N805
        return await info.context.loader(rule_mixtures).load(root.now)

    @resolved(description="One series per member, or pair of members, of the dimensions; one alone without.")
    def series(root: Any) -> list[KpiSeries]:  # noqa: N805
        return list(root.series)


async def answer_questions(context: OperationContext, asked: Sequence[Question]) -> list[Answer]:
    """Load the answers to questions, all in one snapshot."""
    async with context.reading() as tx:
        return await answers.answer_all(tx, asked, context.context.clock())


@strawberry.type
class KpiQuery:
    @query_field(scope=Scope.KPIS_READ, description="Every figure that can be asked for, with its whole definition.")
    def kpi_catalogue(self) -> list[KpiDefinition] | None:
        return [kpi.definition for kpi in Kpi]  # type: ignore[misc]

    @query_field(scope=Scope.KPIS_READ, description="One figure over a period.", cost=FieldPrice(weight=5))
    async def kpi(
        self, info: Info, query: Annotated[KpiQueryInput, strawberry.argument(description="What is asked.")]
    ) -> KpiResult | None:
        return await info.context.loader(answer_questions).load(query.question(info.context))  # type: ignore[return-value]

    @query_field(
        scope=Scope.KPIS_READ,
        description="Several figures at once, such as a dashboard, all of one moment; at most 40.",
        cost=FieldPrice(weight=5, sized_by=("queries",)),
    )
    async def kpis(
        self, info: Info, queries: Annotated[list[KpiQueryInput], strawberry.argument(description="What is asked.")]
    ) -> list[KpiResult] | None:
        if len(queries) > MOST_QUESTIONS:
            raise BadUserInput(f"queries: {len(queries)} are too many; ask at most {MOST_QUESTIONS} at a time.")
        loader = info.context.loader(answer_questions)
        return await loader.load_many([query.question(info.context) for query in queries])  # type: ignore[return-value]


async def answer_for_clients(
    context: OperationContext, keys: Sequence[UUID], *parameters: Hashable
) -> list[KpiSeries | None]:
    """Load the series of one figure for clients, in one statement whatever their number."""
    key, start, end, grain = parameters
    period = Period(_day(start), _day(end))
    asked = Question(kpi=Kpi[str(key)], period=period, grain=Grain(str(grain)), by=(Dimension.CLIENT,))
    return await _for_clients(context, keys, asked)


async def _for_clients(context: OperationContext, keys: Sequence[UUID], asked: Question) -> list[KpiSeries | None]:
    question = replace(asked, where=Where(clients=tuple(keys)))
    # Through a loader, so that other figures of the same clients are answered together with this one.
    answer = await context.loader(answer_questions).load(question)
    if answer.truncated:
        raise BadUserInput(f"{len(keys)} clients by {asked.grain} make too many points; ask for a coarser grain.")
    found = {one.members[0]: one for one in answer.series}
    return [found.get(key.hex) for key in keys]  # type: ignore[misc]


def _day(value: Hashable) -> date:
    if not isinstance(value, date):
        raise TypeError(f"{value!r} is no day")
    return value


async def figures_of(
    context: OperationContext, roots: Sequence[Any], key: KpiKey, period: PeriodInput, grain: Grain = Grain.MONTH
) -> list[KpiSeries | None]:
    """Return the series of one figure for all clients of a list."""
    asked = KpiQueryInput(key=key, period=period, grain=grain, by=[Dimension.CLIENT]).question(context)
    return await _for_clients(context, [root.id for root in roots], asked)


@strawberry.type
class ClientFigures:
    """The field by which a client shows its own figures; the type of clients inherits it."""

    @resolved(
        scope=Scope.KPIS_READ,
        description="One figure of this client; asked of many clients at once it is still read in one statement.",
        cost=FieldPrice(weight=2),
        for_all=figures_of,
    )
    async def kpi(
        root: Any,  # noqa: N805
        info: Info,
        key: Annotated[KpiKey, strawberry.argument(description="The figure.")],
        period: Annotated[PeriodInput, strawberry.argument(description="The days it is about.")],
        grain: Annotated[Grain, strawberry.argument(description="How wide its buckets are.")] = Grain.MONTH,
    ) -> KpiSeries | None:
        KpiQueryInput(key=key, period=period, grain=grain, by=[Dimension.CLIENT]).question(info.context)
        loader = info.context.loader(answer_for_clients, key.value, period.start, period.end, grain.value)
        return await loader.load(root.id)
