"""Whatever order tickets are told in, figures are those of a plain recount, and an earlier moment stays what it was."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db import answers
from db.session import Database
from domain.kpis import Dimension
from domain.periods import Grain
from domain.questions import Answer, Question
from tests.support.clock import Clock
from tests.support.providers import Provider, new_provider
from tests.support.slow_tickets import SlowTickets
from tests.support.ticket_lives import (
    NOW,
    PERIOD,
    SUMMED,
    TIMED,
    Life,
    assert_equal_to_a_recount,
    known_as,
    lives,
)
from tests.support.tickets import fold, report
from workflows.tickets import attribute

ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/St_Johns", "Asia/Riyadh")


@st.composite
def stories(draw: st.DrawFn) -> tuple[str, tuple[Life, ...], list[object]]:
    """Draw lives, and how they are told: in any order, batched, repeated, with folds and a mapping between."""
    told = tuple(draw(lives(number)) for number in range(draw(st.integers(1, 5))))
    every = [(ticket, version) for ticket, life in enumerate(told) for version in range(len(life.versions))]
    deliveries = draw(st.permutations(every)) + draw(st.lists(st.sampled_from(every), max_size=4))
    cuts = sorted(draw(st.lists(st.integers(0, len(deliveries)), max_size=4)))
    batches = [deliveries[one:other] for one, other in zip([0, *cuts], [*cuts, len(deliveries)], strict=True)]
    steps: list[object] = []
    for batch in batches:
        steps += draw(st.sampled_from([[batch], [batch, "fold"]]))
    steps.insert(draw(st.integers(0, len(steps))), "map")
    return draw(st.sampled_from(ZONES)), told, steps


EVERY = (
    *(Question(kpi, PERIOD, Grain.MONTH) for kpi in (*SUMMED, *TIMED)),
    *(Question(kpi, PERIOD, Grain.WEEK, by=(Dimension.CLIENT,)) for kpi in (*SUMMED, *TIMED)),
)


@given(story=stories())
@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
async def test_figures_are_those_of_a_plain_recount_however_the_tickets_were_told(
    database: Database, story: tuple[str, tuple[Life, ...], list[object]]
) -> None:
    zone, told, steps = story
    provider = await new_provider(database, Clock(NOW), zone=ZoneInfo(zone))
    clients = {key: await known_as(provider, key) for key in ("A", "B")}
    remembered: list[tuple[datetime, list[Answer]]] = []
    for step in steps:
        if step == "fold":
            await fold(provider)
        elif step == "map":
            clients["X"] = await known_as(provider, "X")
            await attribute(provider.context)
        else:
            await _deliver(provider, told, step)  # type: ignore[arg-type]
        remembered.append((provider.clock(), await _asked(provider)))
        provider.clock.forward(minutes=1)
    # What came in without a client before its key was mapped is found by the worker's next turn, as in the product.
    await attribute(provider.context)
    slow = SlowTickets(
        ZoneInfo(zone),
        [(life.versions[-1], clients[key].hex if (key := life.versions[-1].client) else "UNKNOWN") for life in told],
        provider.clock(),
    )
    await assert_equal_to_a_recount(provider, slow)
    for then, answered in remembered:
        assert _values(await _asked(provider, as_of=then)) == _values(answered)


async def _deliver(provider: Provider, told: Sequence[Life], batch: Sequence[tuple[int, int]]) -> None:
    """One batch names each ticket once: a second word on it goes into the next."""
    left = list(batch)
    while left:
        now = dict(reversed([(ticket, version) for ticket, version in left]))
        await report(provider, *(told[ticket].versions[version] for ticket, version in now.items()))
        for one in now.items():
            left.remove(one)


async def _asked(provider: Provider, as_of: datetime | None = None) -> list[Answer]:
    questions = [replace(question, as_of=as_of) for question in EVERY]
    async with provider.context.database.reading(provider.admin) as tx:
        return await answers.answer_all(tx, questions, provider.clock())


def _values(answered: Sequence[Answer]) -> list[object]:
    """What an answer says, of members that have anything; that it is of an earlier moment may show in its status."""
    return [
        {
            one.members: [
                (value.numerator, value.denominator, value.mean, value.median)
                for value in (one.series.total, *(point.value for point in one.series.points))
            ]
            for one in answer.series
            if one.series.total.sample_size or any(point.value.numerator for point in one.series.points)
        }
        for answer in answered
    ]
