"""Changes of figures over a subscription: what was touched, gathered while a subscriber rests, never a value."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from api.context import OperationContext
from api.kpi_changes import gathered, telling
from api.rates import Rate
from api.running import shown
from db.feed import extent
from db.session import Database
from domain.access import Principal, Reach, Scope
from domain.ids import IdKind, public
from domain.kpis import Kpi
from domain.tickets import ReportedTicket
from domain.touches import Touch
from tests.support.asking import operations
from tests.support.events import EVERY_SCOPE, reader, serving
from tests.support.providers import Provider, sent
from workflows import tickets
from workflows.tickets import IngestTickets

DOCUMENT = """subscription ($keys: [KpiKey!], $clientIds: [ID!], $after: Cursor) {
    kpiChanged(keys: $keys, clientIds: $clientIds, after: $after) { cursor keys clientIds days } }"""


def touch(place: int, *kpis: Kpi) -> Touch:
    return Touch(str(place), frozenset(kpis), frozenset({f"cli_{place}"}), None)


async def test_what_comes_while_a_subscriber_rests_is_told_as_one() -> None:
    arrivals: asyncio.Queue[Touch | None] = asyncio.Queue()
    rested = asyncio.Event()
    resting = asyncio.Event()

    async def source() -> AsyncGenerator[Touch, None]:
        while (one := await arrivals.get()) is not None:
            yield one
            arrivals.task_done()

    async def pause() -> None:
        resting.set()
        await rested.wait()
        rested.clear()

    async with aclosing(gathered(source(), pause)) as told:
        await arrivals.put(touch(1, Kpi.ESCALATIONS))
        assert await anext(told) == touch(1, Kpi.ESCALATIONS)
        following = asyncio.create_task(anext(told))
        await resting.wait()
        for place in (2, 3, 4):
            await arrivals.put(touch(place, Kpi.RE_PLANS))
        await arrivals.join()
        await arrivals.put(None)
        assert not following.done()
        rested.set()
        one = await following
        assert (one.cursor, one.clients) == ("4", frozenset({"cli_2", "cli_3", "cli_4"}))
        rested.set()
        with pytest.raises(StopAsyncIteration):
            await anext(told)


async def test_what_goes_wrong_behind_reaches_the_subscriber() -> None:
    async def source() -> AsyncGenerator[Touch, None]:
        yield touch(1, Kpi.ESCALATIONS)
        raise ConnectionError("gone")

    async def pause() -> None:
        return

    async with aclosing(gathered(source(), pause)) as told:
        assert await anext(told) == touch(1, Kpi.ESCALATIONS)
        with pytest.raises(ConnectionError, match="gone"):
            await anext(told)


async def test_tickets_touch_their_figures_of_their_client_on_their_days(
    database: Database, provider: Provider
) -> None:
    one, other = await provider.client("One"), await provider.client("Other")
    wanted = {"keys": ["ESCALATION_RATE", "RE_PLANS"], "clientIds": [public(IdKind.CLIENT, one)]}
    async with serving(database) as feed:
        context = replace(provider.context, feed=feed)
        async with database.reading(provider.admin) as tx:
            after = (await extent(tx)).end.text()
        operation = operations().prepare(DOCUMENT, {**wanted, "after": after}, None)
        opened = await operations().subscribe(operation, _operation(context, provider.admin))
        source: Any = opened.source
        async with aclosing(source), asyncio.timeout(10):
            for client, number in ((other, 1), (one, 2)):
                logged = datetime(2026, 3, number, 23, 30, tzinfo=UTC)
                report = ReportedTicket(f"T-{number}", None, logged)
                outcome = await tickets.ingest(
                    provider.context, provider.admin, sent(), IngestTickets("DESK", (report,), client)
                )
                assert outcome.errors == ()
            answering = _operation(context, provider.admin)
            body, _ = shown(await opened.respond(await anext(source), answering), "req-test")
            await answering.close()
    change = body["data"]["kpiChanged"]
    assert change.pop("cursor")
    # Half past eleven at night in UTC is the next day in Amsterdam.
    assert change == {"keys": ["ESCALATION_RATE"], "clientIds": wanted["clientIds"], "days": ["2026-03-03"]}


def test_whoever_may_read_figures_learns_of_touches_without_the_scopes_of_their_events() -> None:
    figures = telling(reader(scopes=[Scope.KPIS_READ]))
    assert Scope.TICKETS_READ.value in figures.scopes
    assert telling(reader(scopes=[Scope.CLIENTS_READ])).scopes == {Scope.CLIENTS_READ.value}
    mine = reader(scopes=EVERY_SCOPE)
    limited = replace(mine, scopes=dict.fromkeys(EVERY_SCOPE, Reach.OWN))
    assert telling(limited).scopes == frozenset()


def _operation(context: Any, principal: Principal) -> OperationContext:
    return OperationContext(context, principal, "req-test", Rate(1_000, 1_000, 10))
