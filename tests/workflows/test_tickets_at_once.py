"""Several write the same tickets at the same moment, folds and merges between them: figures are those of a recount."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.errors import LockTimeoutError, RetryableError
from db.session import Database
from domain.errors import ErrorCode, Outcome
from domain.kpis import Dimension, Kpi
from domain.periods import Grain
from domain.questions import Question
from tests.support.clock import Clock
from tests.support.providers import Provider, new_provider, sent
from tests.support.slow_tickets import SlowTickets
from tests.support.ticket_lives import NOW, PERIOD, Life, assert_equal_to_a_recount, known_as, lives
from tests.support.tickets import DESK, ask
from workflows import agreements, tickets
from workflows.merging import MergeClients, merge
from workflows.tickets import IngestTickets

ZONE = ZoneInfo("Europe/Berlin")
WRITERS = 4

Batch = tuple[tuple[int, int], ...]
"""Which version of which ticket, each ticket once."""


class Ticking(Clock):
    """A clock that goes on each time that somebody looks at it, as with several at work it does."""

    def __call__(self) -> datetime:
        return self.forward(milliseconds=1)


@st.composite
def crowds(draw: st.DrawFn) -> tuple[tuple[Life, ...], list[list[Batch]]]:
    """Draw lives, and what each writer sends: overlapping batches in an order of its own, every last word by one."""
    told = tuple(draw(lives(number)) for number in range(draw(st.integers(3, 8))))
    every = [(ticket, version) for ticket, life in enumerate(told) for version in range(len(life.versions))]
    writers = []
    for number in range(WRITERS):
        sending = every if number == 0 else draw(st.lists(st.sampled_from(every), max_size=12))
        writers.append(_batched(draw(st.permutations(sending)), draw(st.integers(1, 8))))
    return told, writers


def _batched(sending: Sequence[tuple[int, int]], most: int) -> list[Batch]:
    batches: list[dict[int, int]] = [{}]
    for ticket, version in sending:
        if ticket in batches[-1] or len(batches[-1]) == most:
            batches.append({})
        batches[-1][ticket] = version
    return [tuple(batch.items()) for batch in batches]


@given(crowd=crowds(), merging=st.booleans())
@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
async def test_who_writes_at_once_loses_nothing(
    database: Database, crowd: tuple[tuple[Life, ...], list[list[Batch]]], merging: bool
) -> None:
    told, writers = crowd
    provider = await new_provider(database, Ticking(NOW), zone=ZONE)
    clients = {key: await known_as(provider, key) for key in ("A", "B")}
    began = provider.clock.now
    ended = asyncio.Event()
    work: list[Awaitable[None]] = [_write(provider, told, batches) for batches in writers]
    if merging:
        work.append(_merge(provider, clients))
    upkeep = [asyncio.create_task(_fold(provider, ended)) for _ in range(2)]
    upkeep.append(asyncio.create_task(_decide(provider, ended)))
    try:
        clients["X"] = await known_as(provider, "X")
        await asyncio.gather(*work)
    finally:
        ended.set()
        await asyncio.gather(*upkeep)
    await tickets.attribute(provider.context)
    slow = SlowTickets(
        ZONE,
        [(life.versions[-1], clients[key].hex if (key := life.versions[-1].client) else "UNKNOWN") for life in told],
        provider.clock(),
    )
    await assert_equal_to_a_recount(provider, slow)
    await _assert_never_less_than_nothing(provider, began)


async def _write(provider: Provider, told: Sequence[Life], batches: Sequence[Batch]) -> None:
    for batch in batches:
        reports = tuple(told[ticket].versions[version] for ticket, version in batch)
        command = IngestTickets(DESK, reports)
        await _until_done(partial(tickets.ingest, provider.context, provider.admin, sent(), command))


async def _merge(provider: Provider, clients: dict[str, UUID]) -> None:
    """Merge one client into another while tickets of it come in."""
    kept, duplicate = await provider.client("Kept"), clients["B"]
    command = MergeClients(kept, duplicate, "Entered twice", 1, 1)
    clients["B"] = kept
    await _until_done(partial(merge, provider.context, provider.admin, sent(), command))


async def _until_done(send: Callable[[], Awaitable[Outcome]]) -> None:
    """Send a command until nobody is in its way, as who sends it would."""
    while errors := (await send()).errors:
        assert [error.code for error in errors] == [ErrorCode.BUSY]


async def _fold(provider: Provider, ended: asyncio.Event) -> None:
    while not ended.is_set():
        await tickets.fold_one(provider.context, provider.tenant_id)
        await asyncio.sleep(0)


async def _decide(provider: Provider, ended: asyncio.Event) -> None:
    while not ended.is_set():
        with suppress(RetryableError, LockTimeoutError):
            await agreements.decide_one(provider.context, provider.tenant_id)
        await asyncio.sleep(0)


async def _assert_never_less_than_nothing(provider: Provider, began: datetime) -> None:
    """As of no earlier instant is there less than nothing of anything, whoever waited for whom."""
    by = (Dimension.PRIORITY,)
    for share in range(1, 10):
        then = began + (provider.clock.now - began) * share / 10
        for kpi in (Kpi.TICKETS_LOGGED, Kpi.ESCALATED_TICKETS):
            answer = await ask(provider, Question(kpi, PERIOD, Grain.YEAR, by=by, as_of=then))
            assert all(amount >= 0 for one in answer.series if (amount := one.series.total.numerator))
