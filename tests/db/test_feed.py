"""The log is numbered without gaps, read by cursor, cut from its beginning, and kept apart by tenant and client."""

import asyncio
import random
from datetime import UTC, datetime, timedelta
from itertools import product, starmap
from uuid import UUID, uuid4

import asyncpg
import pytest

from db import feed
from db.session import Database
from domain.access import Principal, Scope
from domain.events import MemberChanged
from domain.feed import Cursor, CursorExpiredError, Selection
from tests.support.events import edit, number, read, reader, tell
from workflows.feed import selection


async def test_events_are_numbered_from_one_for_each_tenant_in_the_order_they_were_told(database: Database) -> None:
    one, other = reader(), reader()
    first = await tell(database, one, edit("a"), edit("b"))
    elsewhere = await tell(database, other, edit("c"))
    second = await tell(database, one, edit("d"))
    await number(database)
    assert [(e.seq, e.id) for e in await read(database, one)] == list(enumerate([*first, *second], start=1))
    assert [(e.seq, e.id) for e in await read(database, other)] == list(enumerate(elsewhere, start=1))


async def test_twenty_writers_that_commit_out_of_order_leave_no_hole_for_readers(fresh_database: Database) -> None:
    writer, done = reader(), asyncio.Event()
    told: list[str] = []

    async def write() -> None:
        for _ in range(15):
            told.extend(await tell(fresh_database, writer, edit("x"), pause_s=random.random() * 0.02))

    async def relay() -> None:
        while not done.is_set():
            await number(fresh_database)

    readers = [asyncio.create_task(_follow(fresh_database, writer, first, done)) for first in (1, 7, 100)]
    relays = [asyncio.create_task(relay()) for _ in range(2)]
    await asyncio.gather(*(write() for _ in range(20)))
    await number(fresh_database)
    done.set()
    await asyncio.gather(*relays)
    for seen in await asyncio.gather(*readers):
        assert len(seen) == len(set(seen)) == 300
        assert set(seen) == set(told)


async def test_two_changes_of_one_client_keep_the_order_of_its_row_lock(database: Database) -> None:
    writer, lock = reader(), asyncio.Lock()
    told: list[str] = []

    async def change(delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        async with lock:  # stands for the row lock that every use case takes before it tells
            told.extend(await tell(database, writer, edit("x"), pause_s=0.003))

    await asyncio.gather(*(change(random.random() * 0.02) for _ in range(20)))
    await number(database)
    assert [event.id for event in await read(database, writer)] == told


async def test_only_one_process_numbers_at_a_time_and_the_other_is_told(fresh_database: Database) -> None:
    await tell(fresh_database, reader(), edit("x"))
    now = datetime.now(UTC)
    async with fresh_database.relaying() as leader:
        assert (await feed.number(leader, now)).events == 1
        await tell(fresh_database, reader(), edit("y"))
        async with fresh_database.relaying() as second:
            assert await feed.number(second, now) == feed.Numbered(0, taken=True)
    assert await number(fresh_database) == 1


async def test_what_a_dead_leader_had_begun_is_numbered_once_by_the_next(fresh_database: Database) -> None:
    writer = reader()
    told = await tell(fresh_database, writer, edit("x"))

    with pytest.raises(_DiedError):
        await _number_and_die(fresh_database)
    assert await number(fresh_database) == 1
    assert [(event.seq, event.id) for event in await read(fresh_database, writer)] == [(1, told[0])]


async def test_a_page_says_where_to_go_on_even_when_nothing_in_it_is_wanted(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "WINDOW_EVENTS", 5)
    writer = reader()
    await tell(database, writer, *(edit("x") for _ in range(12)))
    await tell(database, writer, MemberChanged(created=True, active=True, roles=()))
    await number(database)
    wanted = selection(writer, types=["member.changed"])
    async with database.reading(writer) as tx:
        page = await feed.page(tx, None, wanted, 10)
    assert (page.events, page.end.seq, page.has_more) == ((), 5, True)
    assert [event.seq for event in await read(database, writer, wanted=wanted)] == [13]


async def test_a_tenant_reads_its_own_events_only_even_with_another_tenants_cursor(database: Database) -> None:
    one, other = reader(), reader()
    await tell(database, one, edit("a"), edit("b"))
    await tell(database, other, edit("c"))
    await number(database)
    theirs = Cursor.read((await read(database, one))[0].cursor)
    assert await read(database, other, theirs) == []
    with pytest.raises(CursorExpiredError) as raised:
        await read(database, other, Cursor(theirs.epoch, 2))
    assert raised.value.oldest.seq == 0


async def test_row_level_security_alone_hides_other_tenants_and_other_clients(database: Database) -> None:
    mine, theirs, tenant = uuid4(), uuid4(), uuid4()
    writer = reader(tenant)
    await tell(database, writer, edit("a"), client=mine)
    await tell(database, writer, edit("b"), client=theirs)
    await tell(database, writer, edit("c"))
    await number(database)
    everything = Selection(frozenset(scope.value for scope in Scope))
    for principal, seen in (
        (reader(tenant, clients=[mine]), {mine}),
        (reader(tenant, clients=[]), set()),
        (reader(), set()),
        (writer, {mine, theirs, None}),
    ):
        assert {event.client for event in await read(database, principal, wanted=everything)} == seen


async def test_a_reader_gets_only_what_its_scopes_and_clients_allow(database: Database) -> None:
    mine, theirs, tenant = uuid4(), uuid4(), uuid4()
    writer = reader(tenant)
    await tell(database, writer, edit("a"), client=mine)
    await tell(database, writer, edit("b"), client=theirs)
    await tell(database, writer, MemberChanged(created=True, active=True, roles=()))
    await number(database)

    async def seen(wanted: Selection) -> list[int]:
        return [event.seq for event in await read(database, writer, wanted=wanted)]

    assert await seen(selection(writer)) == [1, 2, 3]
    assert await seen(selection(reader(tenant, scopes=[Scope.CLIENTS_READ]))) == [1, 2]
    assert await seen(selection(reader(tenant, scopes=[]))) == []
    assert await seen(selection(writer, clients=[theirs])) == [2]
    assert await seen(selection(reader(tenant, clients=[mine]))) == [1]
    assert await seen(selection(reader(tenant, clients=[mine]), clients=[theirs])) == []


async def test_the_statement_of_a_page_and_the_filter_of_live_readers_agree_on_every_event(database: Database) -> None:
    clients, tenant = [uuid4(), uuid4()], uuid4()
    writer = reader(tenant)
    for client in (*clients, None):
        await tell(database, writer, edit("a"), MemberChanged(created=True, active=True, roles=()), client=client)
    await number(database)
    everything = await read(database, writer)
    scopes = [frozenset[str](), frozenset({"CLIENTS_READ"}), frozenset({"CLIENTS_READ", "MEMBERS_READ"})]
    types = [None, frozenset[str](), frozenset({"member.changed"}), frozenset({"client.changed", "member.changed"})]
    limits = [None, frozenset[UUID](), frozenset(clients[:1]), frozenset(clients)]
    for wanted in starmap(Selection, product(scopes, types, limits)):
        assert await read(database, writer, wanted=wanted) == [e for e in everything if wanted.admits(e)], wanted


async def test_old_events_are_forgotten_from_the_beginning_and_an_older_cursor_gets_the_oldest(
    fresh_database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer, other = reader(), reader()
    await tell(fresh_database, writer, *(edit("x") for _ in range(6)))
    await tell(fresh_database, other, edit("x"))
    await number(fresh_database)
    cursors = [Cursor.read(event.cursor) for event in await read(fresh_database, writer)]
    # The clock stood wrong when the second was numbered; it goes all the same, for the log has no holes.
    await _as_owner(
        database_url, "update event_log set numbered_at = now() - interval '91 days' where seq in (1, 3, 4)"
    )
    monkeypatch.setattr(feed, "PURGE_EVENTS", 3)
    forgotten: list[int] = []
    while forgotten[-1:] != [0]:
        async with fresh_database.relaying() as tx:
            forgotten.append(await feed.purge(tx, datetime.now(UTC) - timedelta(days=90)))
    assert sum(forgotten) == 5
    assert [event.seq for event in await read(fresh_database, writer)] == [5, 6]
    assert [event.seq for event in await read(fresh_database, writer, cursors[3])] == [5, 6]
    with pytest.raises(CursorExpiredError) as raised:
        await read(fresh_database, writer, cursors[2])
    assert raised.value.oldest == cursors[3]
    await tell(fresh_database, other, edit("y"))
    await number(fresh_database)
    assert [event.seq for event in await read(fresh_database, other)] == [2]


async def test_a_restored_database_begins_an_epoch_before_it_numbers_and_refuses_older_cursors(
    fresh_database: Database, database_url: str
) -> None:
    writer = reader()
    await tell(fresh_database, writer, edit("x"), edit("y"))
    await number(fresh_database)
    before = Cursor.read((await read(fresh_database, writer))[0].cursor)
    await _as_owner(database_url, "update feed_epoch set origin = 'the server it was dumped from'")
    await tell(fresh_database, writer, edit("z"))
    await number(fresh_database)
    with pytest.raises(CursorExpiredError) as raised:
        await read(fresh_database, writer, before)
    assert raised.value.oldest.epoch > before.epoch
    assert [event.seq for event in await read(fresh_database, writer, raised.value.oldest)] == [1, 2, 3]
    epochs = await _as_owner(database_url, "select epoch from feed_epoch")
    await number(fresh_database)
    assert await _as_owner(database_url, "select epoch from feed_epoch") == epochs
    assert len(epochs) == 2


async def test_a_dump_restored_within_one_server_is_another_life_of_the_log(database_url: str) -> None:
    [[first]] = await _as_owner(database_url, "select feed_origin()")
    await _as_owner(database_url, "alter table event_log rename to event_log_as_dumped")
    await _as_owner(database_url, "create table event_log ()")
    [[second]] = await _as_owner(database_url, "select feed_origin()")
    assert first.split("/")[:2] == second.split("/")[:2]
    assert first != second


async def test_the_apps_login_can_neither_write_nor_change_nor_remove_what_was_logged(database: Database) -> None:
    writer = reader()
    await tell(database, writer, edit("x"))
    await number(database)
    for table in ("event_log", "event_counter", "feed_epoch"):
        for right in ("insert", "update", "delete", "truncate"):
            async with database.reading(writer) as tx:
                rows = await tx._connection.fetch("select has_table_privilege($1, $2)", table, right)
            assert not rows[0][0], (table, right)


async def _follow(database: Database, principal: Principal, first: int, done: asyncio.Event) -> list[str]:
    """Read by cursor, in pages of a size, until nothing more comes after all is done."""
    async with database.reading(principal) as tx:
        place = (await feed.extent(tx)).oldest
    seen: list[str] = []
    while True:
        ended = done.is_set()
        events = await read(database, principal, place, first=first)
        if events:
            place = Cursor(place.epoch, events[-1].seq)
            seen += [event.id for event in events]
        elif ended:
            return seen
        await asyncio.sleep(0.002)


class _DiedError(Exception):
    pass


async def _number_and_die(database: Database) -> None:
    async with database.relaying() as tx:
        await feed.number(tx, datetime.now(UTC))
        raise _DiedError


async def _as_owner(url: str, statement: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetch(statement)
    finally:
        await connection.close()
