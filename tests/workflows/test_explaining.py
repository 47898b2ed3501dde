"""Every number of the catalogue is the rows behind it: whole, bucket by bucket and member by member."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from db import answers, explain
from db.session import Database, Transaction
from domain.access import Role
from domain.kpi_values import KpiValue
from domain.kpis import Dimension, Kpi, KpiKind, NotOffered, Where
from domain.periods import Grain, Period
from domain.questions import NO_CLIENT, Part, Question, of_members
from domain.tickets import EscalationKind, TicketSource
from tests.support.onboarding_life import Life
from tests.support.providers import Provider, new_provider
from tests.support.random_tickets import lived
from tests.support.tickets import fold

PERIOD = Period(date(2026, 2, 16), date(2026, 8, 1))
MEMBERS_OF_ONE = (Dimension.KIND, Dimension.CATEGORY, Dimension.TEAM, Dimension.TECHNICIAN, Dimension.SITE)


@dataclass(frozen=True)
class All:
    """A stretch of everything."""

    after: tuple[Any, ...] | None = None
    limit: int = 10_000


@pytest.fixture(scope="module")
async def world(database: Database) -> Provider:
    """Onboardings and tickets of a hundred days, some of the tickets of no known client and some not folded yet."""
    provider = await new_provider(database)
    leads = [await provider.invited(Role.ONBOARDING_LEAD) for _ in range(3)]
    life = Life(provider, leads, random.Random(1))
    await life.live(130)
    clients = list(dict.fromkeys(one.client for one in life.going))
    await lived(provider, [*clients[:3], None], tickets=30, seed=5)
    await fold(provider)
    provider.clock.now = max(provider.clock.now, datetime(2026, 5, 20, tzinfo=UTC))
    return provider


def splits(kpi: Kpi) -> Iterator[tuple[Dimension, ...]]:
    """Yield every way in which a figure can be split."""
    dimensions = kpi.definition.dimensions
    yield ()
    for one in dimensions:
        yield (one,)
        if one is not Dimension.CLIENT and one not in MEMBERS_OF_ONE and Dimension.CLIENT in dimensions:
            yield (Dimension.CLIENT, one)


@pytest.mark.parametrize("kpi", Kpi, ids=lambda kpi: kpi.name)
async def test_the_rows_behind_a_number_add_up_to_it_in_every_bucket_and_under_every_member(
    world: Provider, kpi: Kpi
) -> None:
    counted = 0
    async with world.context.database.reading(world.admin) as tx:
        for by in splits(kpi):
            question = Question(kpi, PERIOD, Grain.MONTH, by=by)
            answer = await answers.answer(tx, question, world.clock())
            for one in answer.series:
                narrowed = of_members(question, dict(zip(by, one.members, strict=True)))
                counted += await held(tx, world, narrowed, one.series.total)
                for point in one.series.points:
                    counted += await held(tx, world, narrowed, point.value, point.bucket.start)
    assert counted, "where nothing was counted nothing is proved"


@pytest.mark.parametrize("kind", list(EscalationKind))
async def test_each_kind_of_escalation_is_explained_by_its_own(world: Provider, kind: EscalationKind) -> None:
    async with world.context.database.reading(world.admin) as tx:
        for kpi in (Kpi.ESCALATIONS, Kpi.ESCALATED_TICKETS, Kpi.ESCALATION_RATE):
            where = Where(escalation_kind=kind, sources=(TicketSource.PERSON, TicketSource.ALERT))
            question = Question(kpi, PERIOD, Grain.WEEK, where=where)
            (whole,) = (await answers.answer(tx, question, world.clock())).series
            await held(tx, world, question, whole.series.total)
            for point in whole.series.points:
                await held(tx, world, question, point.value, point.bucket.start)


async def held(tx: Transaction, world: Provider, question: Question, value: KpiValue, day: date | None = None) -> int:
    """Hold a value against its rows, read whole, counted, and each with its reason; return how many there were."""
    found = {part: await explain.rows(tx, question, part, All(), world.clock(), day) for part in Part}
    told = (question.kpi.name, question.by, question.where, day)
    for part, rows in found.items():
        assert await explain.count(tx, question, part, world.clock(), day) == len(rows), told
        assert all((row.reason is not None) == (part is Part.LEFT_OUT) for row in rows), told
    kind = question.kpi.definition.kind
    rows = found[Part.NUMERATOR]
    # Of a duration the amount is how long each took, and what is counted are the rows; a mean sums the amounts up.
    numerator = len(rows) if kind is KpiKind.DURATION else sum(row.amount for row in rows)
    assert numerator == pytest.approx(value.numerator or 0), told
    assert len(found[Part.DENOMINATOR]) == (value.denominator or 0), told
    if value.denominator is not None and question.kpi is not Kpi.ONBOARDINGS_PER_LEAD:
        assert {row.id for row in found[Part.NUMERATOR]} <= {row.id for row in found[Part.DENOMINATOR]}, told
    assert not {row.id for row in found[Part.LEFT_OUT]} & {row.id for row in found[Part.NUMERATOR]}, told
    return len(found[Part.NUMERATOR])


async def test_tickets_of_no_known_client_are_explained_as_those_of_unknown(world: Provider) -> None:
    question = Question(Kpi.TICKETS_LOGGED, PERIOD, Grain.MONTH, by=(Dimension.CLIENT,))
    async with world.context.database.reading(world.admin) as tx:
        answer = await answers.answer(tx, question, world.clock())
        (unknown,) = [one for one in answer.series if one.members == ("UNKNOWN",)]
        nobodys = of_members(question, {Dimension.CLIENT: "UNKNOWN"})
        assert nobodys.where.clients == (NO_CLIENT,)
        assert await held(tx, world, nobodys, unknown.series.total) > 0


async def test_a_member_outside_of_what_was_asked_has_no_rows(world: Provider) -> None:
    question = Question(Kpi.TICKETS_LOGGED, PERIOD, Grain.MONTH, where=Where(priorities=("P1",)))
    elsewhere = of_members(question, {Dimension.PRIORITY: "P2"})
    async with world.context.database.reading(world.admin) as tx:
        assert await explain.count(tx, elsewhere, Part.NUMERATOR, world.clock()) == 0


async def test_a_day_outside_the_period_has_no_bucket(world: Provider) -> None:
    question = Question(Kpi.TICKETS_LOGGED, PERIOD, Grain.MONTH)
    async with world.context.database.reading(world.admin) as tx:
        with pytest.raises(NotOffered, match="2027-01-01 lies outside"):
            await explain.count(tx, question, Part.NUMERATOR, world.clock(), date(2027, 1, 1))
        with pytest.raises(NotOffered, match="without asOf"):
            await explain.count(tx, replace(question, as_of=world.clock()), Part.NUMERATOR, world.clock())
