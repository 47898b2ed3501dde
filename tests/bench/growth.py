"""Goal 2: what the same reads cost with a hundred times as many tickets, and what cells spare a scan of them."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from zoneinfo import ZoneInfo

import asyncpg

from db import ticket_sums
from db.asked import Asked
from domain.kpis import Fact, Where
from domain.periods import Grain, Period, buckets
from domain.timelines import Moment
from tests.bench import sides
from tests.bench.read_documents import CLIENT_TREND, DASHBOARD, OVERALL_TREND
from tests.bench.report import Goal, in_turns
from tests.bench.world import ZONE, World

MOST = {DASHBOARD: 1.2, OVERALL_TREND: 1.2, CLIENT_TREND: 2.0}
FASTER = 1_000.0
READINGS = 20

# Nothing but what the question needs, in an index of its own that the product does not have.
INDEX = "create index bench_scan on ticket (tenant_id, day) include (source, exclusion, escalations)"
SCAN = """
    select date_trunc('month', day::timestamp)::date, count(*), count(*) filter (where escalations > 0) from ticket
    where tenant_id = $1 and day >= $2 and day < $3 and source = 'PERSON' and exclusion is null
    group by 1
"""


async def measure(world: World) -> AsyncIterator[Goal | str]:
    """Yield how often the cost of the small world the large one takes, and how much faster than a scan cells are."""
    small = world.small
    assert small is not None
    async with sides.serving({"large": ("product", world), "small": ("product", small)}) as asked:
        for read, most in MOST.items():
            paces = await sides.paced(asked, read)
            pace = paces.per_second
            yield Goal(f"2  growth, {read.what}", pace["small"] / pace["large"], most, str(paces), at_most=True)
    yield await _against_a_scan(world)


async def _against_a_scan(world: World) -> Goal:
    now = datetime.now(UTC)
    start, end = OVERALL_TREND.period(now.date())
    asked = Asked(buckets(Period(start, end), Grain.MONTH), (), Where(), Moment(now, ZoneInfo(ZONE)))
    facts = (Fact.ESCALATED_TICKETS, Fact.TICKETS)
    connection = await asyncpg.connect(world.owner_url, command_timeout=600)
    try:
        await connection.execute(INDEX)
        await connection.execute("vacuum analyze ticket")
        scan = await connection.prepare(SCAN)

        async def cells() -> float:
            async with world.database.reading(world.provider.admin) as tx:
                return await _ms(partial(ticket_sums.read, tx, asked, facts), READINGS)

        took = await in_turns(
            sides.ROUNDS,
            {"scan": partial(_ms, partial(scan.fetch, world.provider.tenant_id, start, end), 1), "cells": cells},
        )
    finally:
        await connection.execute("drop index if exists bench_scan")
        await connection.close()
    figures = f"scan {took['scan']:.0f} ms, cells {took['cells']:.2f} ms, both with the way to PostgreSQL and back"
    return Goal("2  overall trend from cells, times faster than a scan", took["scan"] / took["cells"], FASTER, figures)


async def _ms(read: Callable[[], Awaitable[object]], times: int) -> float:
    began = time.perf_counter()
    for _ in range(times):
        await read()
    return (time.perf_counter() - began) / times * 1e3
