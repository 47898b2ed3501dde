"""What a figure costs: sums read cells and what is not folded yet, times their narrow rows, and neither the tickets."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from asyncpg import Record
from sqlalchemy.sql.expression import Executable

from db import answers
from db.session import Transaction
from domain.kpis import Dimension, DirectFact, Kpi
from domain.periods import Grain
from domain.questions import Comparison, Question
from domain.tickets import ReportedTicket, Resolution, TicketKind
from tests.support.providers import Provider
from tests.support.tickets import NOON, YEAR, fold, report, ticket

OF_TICKETS = re.compile(r"\b(?:from|join)\s+(?:ticket|escalation|hand_over)\b", re.IGNORECASE)

SUMMED = tuple(kpi for kpi in Kpi if not isinstance(kpi.definition.facts, DirectFact))
TIMED = (Kpi.FIRST_RESPONSE_TIME, Kpi.MTTR)


@dataclass
class Read:
    statements: list[str] = field(default_factory=list)
    rows: int = 0


@contextmanager
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[Read]:
    """See every statement that is run meanwhile, and how many rows come back."""
    read, rows = Read(), Transaction.rows

    async def watching(self: Transaction, statement: Executable, **params: object) -> list[Record]:
        found = await rows(self, statement, **params)
        read.statements.append(str(statement))
        read.rows += len(found)
        return found

    with monkeypatch.context() as patched:
        patched.setattr(Transaction, "rows", watching)
        yield read


async def asked(provider: Provider, *questions: Question) -> None:
    async with provider.context.database.reading(provider.admin) as tx:
        await answers.answer_all(tx, questions, provider.clock())


def some(count: int) -> Iterator[ReportedTicket]:
    for number in range(count):
        logged = NOON + timedelta(days=number % 28)
        yield ticket(
            number,
            days=number % 28,
            tiers=(1, 2) if number % 3 else (1,),
            kind=TicketKind.INCIDENT,
            first_responded_at=logged + timedelta(minutes=number),
            resolutions=(Resolution(logged + timedelta(hours=30)),),
        )


async def cost(provider: Provider, monkeypatch: pytest.MonkeyPatch, *questions: Question) -> Read:
    with watched(monkeypatch) as read:
        await asked(provider, *questions)
    return read


async def test_no_figure_of_tickets_reads_tickets(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    await report(provider, *some(30), client=await provider.client())
    provider.clock.forward(days=60)
    ways = ((), (Dimension.CLIENT,), (Dimension.PRIORITY,), (Dimension.TEAM,), (Dimension.CLIENT, Dimension.STAGE))
    questions = [
        Question(kpi, YEAR, Grain.MONTH, by=by, compare=Comparison.PREVIOUS_PERIOD)
        for kpi in (*SUMMED, *TIMED)
        for by in ways
    ]
    questions += [Question(kpi, YEAR, as_of=NOON + timedelta(days=20)) for kpi in (*SUMMED, *TIMED)]
    read = await cost(provider, monkeypatch, *questions)
    assert any("ticket_cell" in statement for statement in read.statements)
    assert [statement for statement in read.statements if OF_TICKETS.search(statement)] == []


async def test_a_figure_costs_the_same_whatever_the_number_of_tickets(
    provider: Provider, other_provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    few, many = provider, other_provider
    await report(few, *some(3), client=await few.client())
    await report(many, *some(300), client=await many.client())
    for kpi in (*SUMMED, *TIMED):
        question = Question(kpi, YEAR, Grain.MONTH, compare=Comparison.PREVIOUS_PERIOD)
        costs = []
        for who in (few, many):
            while await fold(who):
                pass
            read = await cost(who, monkeypatch, question)
            costs.append((len(read.statements), read.rows))
        assert costs[0] == costs[1], kpi


async def test_a_dashboard_of_sums_reads_them_once(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    await report(provider, *some(30), client=await provider.client())
    shares = [kpi for kpi in SUMMED if kpi not in (Kpi.BACKLOG, Kpi.OPEN_INCIDENTS)]
    one = await cost(provider, monkeypatch, Question(Kpi.ESCALATION_RATE, YEAR))
    all_of_them = await cost(provider, monkeypatch, *(Question(kpi, YEAR) for kpi in shares))
    assert len(all_of_them.statements) == len(one.statements)
