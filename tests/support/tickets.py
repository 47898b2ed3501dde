"""Tickets for tests: reported in a line, asked for in a line."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from db import answers, facts
from domain.access import Principal, system
from domain.kpis import Kpi, Where
from domain.periods import Grain, Period
from domain.questions import Answer, Question
from domain.tickets import HandOver, ReportedTicket
from tests.support.providers import Provider, sent
from workflows import tickets
from workflows.tickets import IngestTickets

DESK = "DESK"
MARCH = Period(date(2026, 3, 1), date(2026, 4, 1))
YEAR = Period(date(2026, 1, 1), date(2027, 1, 1))
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def ticket(number: int = 1, *, days: float = 0, tiers: tuple[int, ...] = (1,), **said: object) -> ReportedTicket:
    logged = NOON + timedelta(days=days)
    handed = tuple(HandOver(logged + timedelta(days=n), f"T{tier}", tier) for n, tier in enumerate(tiers))
    return replace(ReportedTicket(f"T-{number}", None, logged, hand_overs=handed), **said)  # type: ignore[arg-type]


async def report(provider: Provider, *reports: ReportedTicket, client: UUID | None = None) -> dict[str, object]:
    command = IngestTickets(DESK, reports, client)
    outcome = await tickets.ingest(provider.context, provider.admin, sent(), command)
    assert outcome.errors == ()
    return dict(outcome.facts)


async def ask(provider: Provider, question: Question, principal: Principal | None = None) -> Answer:
    async with provider.context.database.reading(principal or provider.admin) as tx:
        return await answers.answer(tx, question, provider.clock())


async def number(provider: Provider, kpi: Kpi, where: Where | None = None, period: Period = YEAR) -> float | None:
    answer = await ask(provider, Question(kpi, period, Grain.YEAR, where=where or Where()))
    return answer.series[0].series.total.value


async def fold(provider: Provider) -> int:
    async with provider.context.database.writing(system(provider.tenant_id)) as tx:
        return await facts.fold(tx, provider.clock())
