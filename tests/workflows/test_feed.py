"""Subscribers replay from their cursor and stay live, whatever dies meanwhile, and never see what is not theirs."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
import pytest

from db import feed
from db.errors import DatabaseUnavailableError
from db.session import Database
from domain.access import Principal, Scope
from domain.events import MemberChanged
from domain.feed import Checkpoint, Cursor, CursorExpiredError, LoggedEvent, Selection
from tests.support.events import edit, number, read, reader, serving, tell
from workflows import feed as following
from workflows.feed import Feed, selection

Item = LoggedEvent | Checkpoint


async def test_a_subscriber_replays_from_its_cursor_and_then_stays_live(database: Database) -> None:
    writer = reader()
    before = await tell(database, writer, edit("a"), edit("b"), edit("c"))
    await number(database)
    first = Cursor.read((await read(database, writer))[0].cursor)
    async with serving(database) as current, _subscribed(current, writer, first) as subscriber:
        assert await subscriber.ids(2) == before[1:]
        after = await tell(database, writer, edit("d"))
        assert await subscriber.ids(1) == after


async def test_without_a_cursor_it_begins_now_and_says_where(database: Database) -> None:
    writer = reader()
    await tell(database, writer, edit("a"))
    await number(database)
    async with serving(database) as current, _subscribed(current, writer) as subscriber:
        beginning = await subscriber.one()
        assert isinstance(beginning, Checkpoint)
        assert Cursor.read(beginning.cursor).seq == 1
        after = await tell(database, writer, edit("b"))
        assert await subscriber.ids(1) == after


async def test_a_thousand_events_come_once_and_in_order_to_readers_at_any_pace(database: Database) -> None:
    writer = reader()
    async with serving(database) as current:
        start = Cursor(await _epoch(database, writer), 0)
        async with (
            _subscribed(current, writer, start) as quick,
            _subscribed(current, writer, start) as slow,
        ):
            told = [id_ for _ in range(10) for id_ in await tell(database, writer, *(edit("x") for _ in range(100)))]
            assert await quick.ids(1_000) == told
            # The slow one begins to read when the ring has long let go of the first events.
            slow.begin()
            assert await slow.ids(1_000) == told


async def test_a_slow_reader_is_not_buffered_for_and_holds_up_nobody(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "RING_EVENTS", 10)
    writer = reader()
    async with serving(database) as current:
        start = Cursor(await _epoch(database, writer), 0)
        async with _subscribed(current, writer, start) as quick, aclosing(_follow(current, writer, start)) as slow:
            told = await tell(database, writer, edit("x"))
            first = await anext(slow)
            told += [id_ for _ in range(5) for id_ in await tell(database, writer, *(edit("x") for _ in range(20)))]
            assert await quick.ids(101) == told
            [channel] = current._channels.values()
            assert len(channel._ring) <= 10
            assert [_id(first), *[_id(await anext(slow)) for _ in range(100)]] == told


async def test_an_idle_filtered_reader_is_moved_on_by_checkpoints(database: Database) -> None:
    writer = reader()
    wanted = selection(writer, types=["member.changed"])
    async with serving(database, checkpoint_s=0.2) as current, _subscribed(current, writer, None, wanted) as subscriber:
        assert isinstance(await subscriber.one(), Checkpoint)
        await tell(database, writer, edit("a"), edit("b"))
        moved = await subscriber.one()
        assert isinstance(moved, Checkpoint)
        assert Cursor.read(moved.cursor).seq == 2
        told = await tell(database, writer, MemberChanged(created=True, active=True, roles=()))
        assert await subscriber.ids(1) == told
        with pytest.raises(TimeoutError):  # nothing has passed unseen, so there is nothing to say
            await subscriber.one(within_s=0.5)


async def test_a_subscriber_sees_its_tenant_its_clients_and_its_scopes_only(database: Database) -> None:
    mine, theirs, tenant = uuid4(), uuid4(), uuid4()
    writer, stranger = reader(tenant), reader()
    limited, narrow = reader(tenant, clients=[mine]), reader(tenant, scopes=[Scope.MEMBERS_READ])
    start = Cursor(await _epoch(database, writer), 0)
    async with (
        serving(database) as current,
        _subscribed(current, writer, start) as everything,
        _subscribed(current, stranger, start) as elsewhere,
        _subscribed(current, limited, start) as of_client,
        _subscribed(current, narrow, start) as of_scope,
    ):
        one = await tell(database, writer, edit("a"), client=mine)
        two = await tell(database, writer, edit("b"), client=theirs)
        three = await tell(database, writer, MemberChanged(created=True, active=True, roles=()))
        four = await tell(database, writer, edit("c"), client=mine)
        other = await tell(database, stranger, edit("d"))
        assert await everything.ids(4) == [*one, *two, *three, *four]
        assert await of_client.ids(2) == [*one, *four]
        assert await of_scope.ids(1) == three
        assert await elsewhere.ids(1) == other
        for subscriber in (everything, of_client, of_scope, elsewhere):
            with pytest.raises(TimeoutError):
                await subscriber.one(within_s=0.1)


async def test_a_cursor_older_than_what_is_kept_expires_instead_of_leaving_a_hole(fresh_database: Database) -> None:
    writer = reader()
    await tell(fresh_database, writer, edit("a"), edit("b"))
    await number(fresh_database)
    first = Cursor.read((await read(fresh_database, writer))[0].cursor)
    async with fresh_database.relaying() as tx:
        await feed.purge(tx, datetime.now(UTC) + timedelta(days=1))
    async with serving(fresh_database) as current, _subscribed(current, writer, first) as subscriber:
        with pytest.raises(CursorExpiredError) as raised:
            await subscriber.one()
    assert raised.value.oldest == Cursor(first.epoch, 2)


async def test_whoever_follows_while_the_database_is_replaced_is_told_to_begin_anew(
    fresh_database: Database, database_url: str
) -> None:
    writer = reader()
    async with serving(fresh_database) as current:
        start = Cursor(await _epoch(fresh_database, writer), 0)
        async with _subscribed(current, writer, start) as subscriber:
            told = await tell(fresh_database, writer, edit("a"))
            assert await subscriber.ids(1) == told
            owner = await asyncpg.connect(database_url)
            await owner.execute("update feed_epoch set origin = 'before the restore'")
            await owner.close()
            await tell(fresh_database, writer, edit("b"))
            with pytest.raises(CursorExpiredError) as raised:
                await subscriber.one()
    assert raised.value.oldest.epoch > start.epoch


async def test_a_follower_outlives_an_unreachable_database(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = reader()
    start = Cursor(await _epoch(database, writer), 0)
    told = await tell(database, writer, edit("a"))
    down = True

    @asynccontextmanager
    async def reading(principal: Principal) -> AsyncIterator[object]:
        if down:
            raise DatabaseUnavailableError("no server answers")
        async with real(principal) as tx:
            yield tx

    real = database.reading
    async with serving(database) as current:
        monkeypatch.setattr(database, "reading", reading)
        async with _subscribed(current, writer, start) as subscriber:
            with pytest.raises(TimeoutError):
                await subscriber.one(within_s=0.5)
            down = False
            assert await subscriber.ids(1) == told


async def test_what_nobody_follows_any_more_is_let_go(database: Database) -> None:
    async with serving(database) as current:
        writer = reader()
        async with _subscribed(current, writer) as subscriber:
            await subscriber.one()
            assert current.subscribers == 1
        assert current.subscribers == 0
        assert current._channels == {}


class _Subscriber:
    """Collects what a follower yields, from the moment it is told to begin."""

    def __init__(self, items: AsyncIterator[Item]) -> None:
        self._items = items
        self._got: asyncio.Queue[Item | BaseException] = asyncio.Queue()
        self.task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        if self.task is None:
            self.task = asyncio.create_task(self._collect())

    async def _collect(self) -> None:
        try:
            async for item in self._items:
                self._got.put_nowait(item)
        except CursorExpiredError as error:
            self._got.put_nowait(error)

    async def one(self, within_s: float = 10) -> Item:
        self.begin()
        async with asyncio.timeout(within_s):
            item = await self._got.get()
        if isinstance(item, BaseException):
            raise item
        return item

    async def ids(self, count: int) -> list[str]:
        return [_id(await self.one()) for _ in range(count)]


@asynccontextmanager
async def _subscribed(
    current: Feed, principal: Principal, after: Cursor | None = None, wanted: Selection | None = None
) -> AsyncIterator[_Subscriber]:
    async with aclosing(current.follow(principal, wanted or selection(principal), after)) as items:
        subscriber = _Subscriber(items)
        yield subscriber
        if subscriber.task is not None:
            subscriber.task.cancel()
            await asyncio.gather(subscriber.task, return_exceptions=True)


def _follow(current: Feed, principal: Principal, after: Cursor) -> AsyncGenerator[Item, None]:
    return current.follow(principal, selection(principal), after)


def _id(item: Item) -> str:
    assert isinstance(item, LoggedEvent)
    return item.id


async def _epoch(database: Database, principal: Principal) -> int:
    async with database.reading(principal) as tx:
        return (await feed.extent(tx)).epoch
