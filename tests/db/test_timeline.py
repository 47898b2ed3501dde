"""A timeline is read in stretches, each part of it by an index and no further than asked for."""

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest

from db import timeline
from db.session import APP_ROLE, _compiled
from db.timeline import _read, _Shape
from db.timeline_parts import EDITS, PARTS
from domain.timeline import TimelineEntry, TimelineKind
from tests.support.onboarding import Everything, Onboarding, opened
from tests.support.providers import Provider, new_provider
from tests.support.worlds import fill

INDEXES = """
    select c.relname as table, array(
        select a.attname::text from unnest(i.indkey) with ordinality k(number, place)
        join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.number order by k.place) as columns
    from pg_index i join pg_class c on c.oid = i.indrelid where c.relnamespace = 'public'::regnamespace
"""


@dataclass(frozen=True, slots=True)
class Some:
    """A stretch of a timeline."""

    limit: int
    backward: bool = False
    after: tuple[Any, ...] | None = None
    before: tuple[Any, ...] | None = None


@pytest.fixture
async def onboarding(provider: Provider) -> Onboarding:
    onboarding = await opened(provider)
    await fill(onboarding, "told")
    return onboarding


def place(entry: TimelineEntry) -> tuple[Any, ...]:
    return entry.at, entry.kind.value, entry.id


async def walked(onboarding: Onboarding, *, backward: bool, of_client: bool) -> list[TimelineEntry]:
    """Return a timeline as whoever reads it three entries at a time sees it."""
    found: list[TimelineEntry] = []
    read = timeline.timelines_of_clients if of_client else timeline.timelines
    key = onboarding.client if of_client else onboarding.cycle
    async with onboarding.provider.context.database.reading(onboarding.provider.admin) as tx:
        while True:
            edge = place(found[-1]) if found else None
            stretch = Some(3, backward, before=edge) if backward else Some(3, after=edge)
            some = (await read(tx, [key], stretch))[key]
            found += some
            if len(some) < 3:
                return found


async def whole(onboarding: Onboarding, kinds: list[TimelineKind] | None = None) -> list[TimelineEntry]:
    async with onboarding.provider.context.database.reading(onboarding.provider.admin) as tx:
        return (await timeline.timelines(tx, [onboarding.cycle], Everything(), kinds))[onboarding.cycle]


async def test_a_timeline_read_in_stretches_is_the_whole_one(onboarding: Onboarding) -> None:
    """The clock stands still in between: most entries are of one instant."""
    everything = await whole(onboarding)
    assert len(everything) > 30
    assert everything == sorted(everything, key=place)
    assert await walked(onboarding, backward=False, of_client=False) == everything
    assert await walked(onboarding, backward=True, of_client=False) == everything[::-1]


async def test_a_clients_timeline_is_that_of_its_onboardings_with_what_was_edited_beside(
    onboarding: Onboarding,
) -> None:
    of_client = await walked(onboarding, backward=False, of_client=True)
    assert await walked(onboarding, backward=True, of_client=True) == of_client[::-1]
    of_cycle = await whole(onboarding)
    assert {place(entry) for entry in of_cycle} <= {place(entry) for entry in of_client}
    beside = [entry for entry in of_client if place(entry) not in {place(each) for each in of_cycle}]
    assert onboarding.cycle not in {entry.cycle_id for entry in beside}


async def test_kinds_narrow_a_timeline_and_its_count(onboarding: Onboarding) -> None:
    everything = await whole(onboarding)
    kinds = [TimelineKind.MOVED, TimelineKind.NOTE_ADDED]
    async with onboarding.provider.context.database.reading(onboarding.provider.admin) as tx:
        counts = [
            (await timeline.lengths(tx, [key], some, of_clients=of_clients))[key]
            for key, of_clients in ((onboarding.cycle, False), (onboarding.client, True))
            for some in (None, kinds, [])
        ]
    moved = [entry for entry in everything if entry.kind in kinds]
    assert await whole(onboarding, kinds) == moved
    assert await whole(onboarding, []) == []
    assert counts[:3] == [len(everything), len(moved), 0]
    of_client = await walked(onboarding, backward=False, of_client=True)
    assert counts[3:] == [len(of_client), len([entry for entry in of_client if entry.kind in kinds]), 0]


async def test_every_part_of_a_timeline_is_read_by_an_index(onboarding: Onboarding, worker_database: str) -> None:
    connection = await asyncpg.connect(worker_database)
    try:
        indexes: dict[str, list[list[str]]] = {}
        for row in await connection.fetch(INDEXES):
            indexes.setdefault(row["table"], []).append(row["columns"])
        scanned = {node["Relation Name"]: node async for node in scans(connection, onboarding)}
    finally:
        await connection.close()
    for part in PARTS:
        begins = [columns[:2] for columns in indexes[part.table]]
        assert ["tenant_id", "cycle_id"] in begins, f"{part.table} has no index by (tenant, cycle)"
        # With the few rows of a test the planner may take another index and filter; it never reads past the cycle.
        asked = scanned[part.table].get("Index Cond", "") + scanned[part.table].get("Filter", "")
        assert "cycle_id = p.key" in asked, scanned[part.table]
    assert ["tenant_id", "client_id", "recorded_at", "id"] in indexes[EDITS.table]
    asked = scanned[EDITS.table].get("Index Cond", "") + scanned[EDITS.table].get("Filter", "")
    assert "client_id = " in asked


async def scans(
    connection: "asyncpg.Connection[asyncpg.Record]", onboarding: Onboarding
) -> AsyncIterator[dict[str, Any]]:
    """Yield how each table of a timeline would be looked at in a database that has many of everything."""
    sql, names, defaults = _compiled(_read(_Shape(of_clients=False)))
    given = {"tenant": onboarding.provider.tenant_id, "parents": [onboarding.cycle], "limit": 21, "kinds": []}
    async with connection.transaction():
        await connection.execute(f"set local role {APP_ROLE}")
        await connection.execute(
            f"set local app.tenant = '{onboarding.provider.tenant_id}'; set local app.clients = '*'"
        )
        await connection.execute("set local enable_seqscan = off; set local enable_bitmapscan = off")
        arguments = [given[name] if name in given else defaults[name] for name in names]
        plan = json.loads(await connection.fetchval(f"explain (format json) {sql}", *arguments))
    for node in nodes(plan[0]["Plan"]):
        if "Relation Name" in node:
            yield node


def nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for below in node.get("Plans", ()):
        yield from nodes(below)


async def test_a_timeline_of_another_provider_is_empty(onboarding: Onboarding) -> None:
    other = await new_provider(onboarding.provider.context.database)
    async with other.context.database.reading(other.admin) as tx:
        of_cycle = await timeline.timelines(tx, [onboarding.cycle], Everything())
        of_client = await timeline.timelines_of_clients(tx, [onboarding.client], Everything())
        counted = await timeline.lengths(tx, [onboarding.cycle], of_clients=False)
    assert (of_cycle, of_client) == ({onboarding.cycle: []}, {onboarding.client: []})
    assert counted == {onboarding.cycle: 0}
