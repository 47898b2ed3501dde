"""The wire carries hints, comes back when it breaks, and is not missed while it is dead."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from db import feed, listen
from db.errors import DatabaseUnavailableError
from db.listen import Wire
from db.session import Database
from domain.feed import Cursor, LoggedEvent
from tests.support.events import edit, number, reader, serving, tell
from workflows.feed import following, selection


async def test_many_commits_of_a_process_become_few_notifications(fresh_database: Database, database_url: str) -> None:
    heard: list[str] = []
    owner = await asyncpg.connect(database_url)
    await owner.add_listener(listen.PENDING_CHANNEL, lambda *call: heard.append(str(call[3])))
    async with _running(Wire(fresh_database)) as wire:
        await _connected(wire)
        for _ in range(500):
            wire.announce()
        await asyncio.sleep(0.2)
    await owner.close()
    assert 1 <= len(heard) <= 3


async def test_a_batch_says_which_logs_have_grown_and_how_far(database: Database) -> None:
    one, other = reader(), reader()
    async with _running(Wire(database)) as wire:
        await _connected(wire)
        wire.grown()
        wire.moved.clear()
        await tell(database, one, edit("a"), edit("b"))
        await tell(database, other, edit("c"))
        await number(database)
        async with asyncio.timeout(5):
            await wire.moved.wait()
        grown = wire.grown()
        assert grown is not None
        assert (grown[one.tenant_id].seq, grown[other.tenant_id].seq) == (2, 1)


async def test_a_batch_of_very_many_tenants_says_that_any_log_may_have_grown(database: Database) -> None:
    async with _running(Wire(database)) as wire:
        await _connected(wire)
        assert wire.grown() is None
        assert wire.grown() == {}
        for _ in range(121):
            await tell(database, reader(), edit("x"))
        wire.moved.clear()
        await number(database)
        async with asyncio.timeout(5):
            await wire.moved.wait()
        assert wire.grown() is None


async def test_a_killed_connection_is_made_again_and_says_that_anything_may_have_happened(
    fresh_database: Database, database_url: str
) -> None:
    async with _running(Wire(fresh_database)) as wire:
        await _connected(wire)
        wire.grown()
        wire.moved.clear()
        owner = await asyncpg.connect(database_url)
        await owner.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and query ilike 'listen%'"
        )
        await owner.close()
        await _connected(wire, times=2)
        assert wire.moved.is_set()
        assert wire.grown() is None


async def test_events_arrive_by_polling_while_the_wire_is_dead_in_silence_and_the_wire_notices(
    fresh_database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listen, "PING_S", 0.4)
    monkeypatch.setattr(listen, "ANSWER_S", 0.4)
    writer = reader()
    async with _proxy(database_url) as proxy:
        direct = fresh_database.listener

        async def listener() -> "asyncpg.Connection[asyncpg.Record]":
            if proxy.frozen:
                return await direct()
            return await asyncpg.connect(proxy.url, timeout=5)

        monkeypatch.setattr(fresh_database, "listener", listener)
        async with serving(fresh_database) as current:
            await _connected(current.wire)
            async with aclosing(current.follow(writer, selection(writer), await _start(fresh_database))) as items:
                proxy.freeze()
                for _ in range(3):
                    told = await tell(fresh_database, writer, edit("x"))
                    async with asyncio.timeout(1):
                        item = await anext(items)
                    assert isinstance(item, LoggedEvent)
                    assert [item.id] == told
            await _connected(current.wire, times=2)


async def test_an_announcement_while_the_wire_is_down_is_made_up_for_by_polling(
    fresh_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def listener() -> "asyncpg.Connection[asyncpg.Record]":
        raise DatabaseUnavailableError("no connection for listening")

    monkeypatch.setattr(fresh_database, "listener", listener)
    writer = reader()
    start = await _start(fresh_database)
    async with (
        serving(fresh_database),
        following(fresh_database) as current,
        aclosing(current.follow(writer, selection(writer), start)) as items,
    ):
        told = await tell(fresh_database, writer, edit("x"))
        async with asyncio.timeout(2):
            item = await anext(items)
        assert isinstance(item, LoggedEvent)
        assert [item.id] == told


class _Proxy:
    """Forwards a PostgreSQL socket until it is frozen: then it swallows everything and closes nothing."""

    def __init__(self, target: str, database: str, folder: Path) -> None:
        self._target = target
        self.frozen = False
        self.url = f"postgresql://postgres@/{database}?host={folder}"
        self._tasks: set[asyncio.Task[None]] = set()

    def freeze(self) -> None:
        self.frozen = True

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream_reader, upstream_writer = await asyncio.open_unix_connection(self._target)
        for source, sink in ((reader, upstream_writer), (upstream_reader, writer)):
            task = asyncio.create_task(self._pump(source, sink))
            self._tasks.add(task)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(65_536):
                if not self.frozen:
                    sink.write(data)
                    await sink.drain()
            sink.close()

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def _proxy(database_url: str) -> AsyncIterator[_Proxy]:
    address = urlsplit(database_url)
    if address.hostname:
        pytest.skip("the proxy stands before a unix socket; this server listens elsewhere")
    [host] = parse_qs(address.query)["host"]
    with tempfile.TemporaryDirectory() as folder:
        proxy = _Proxy(f"{host}/.s.PGSQL.5432", address.path.removeprefix("/"), Path(folder))
        server = await asyncio.start_unix_server(proxy.accept, f"{folder}/.s.PGSQL.5432")
        try:
            yield proxy
        finally:
            server.close()
            await proxy.close()


@asynccontextmanager
async def _running(wire: Wire) -> AsyncIterator[Wire]:
    task = asyncio.create_task(wire.run())
    try:
        yield wire
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _connected(wire: Wire, times: int = 1) -> None:
    async with asyncio.timeout(10):
        while wire.connections < times:  # noqa: ASYNC110 -- the wire's own task is what is waited for
            await asyncio.sleep(0.01)


async def _start(database: Database) -> Cursor:
    async with database.reading(reader()) as tx:
        return (await feed.extent(tx)).oldest
