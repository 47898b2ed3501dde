"""The feed under kill -9, a dead database and a frozen process: nothing lost, nothing doubled, all in order."""

import asyncio
import os
import random
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from db import feed
from db.embedded import EmbeddedServer
from db.errors import DatabaseUnavailableError
from db.migrate import upgrade
from db.session import APP_ROLE, RELAY_ROLE, Database
from domain.access import Principal
from domain.feed import Cursor, LoggedEvent
from tests.support.events import edit, reader, serving, tell
from tests.support.postgres import Postgres
from workflows.feed import Feed, following, selection

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")


async def test_workers_killed_again_and_again_lose_and_double_nothing(
    postgres: Postgres, database_url: str, fresh_database: Database
) -> None:
    name = urlsplit(database_url).path.removeprefix("/")
    urls = (postgres.url(name, APP_ROLE), postgres.url(name, RELAY_ROLE))
    told, done = Told(), asyncio.Event()
    async with following(fresh_database) as current, _collecting(current, told.writer) as seen:
        killing = [asyncio.create_task(_kill_workers(urls, done)) for _ in range(2)]
        await told.keep_telling(fresh_database, seconds=6)
        done.set()
        assert sum(await asyncio.gather(*killing)) >= 4
        worker = await _start_worker(urls)
        try:
            await told.check(seen)
        finally:
            worker.kill()
            await worker.wait()


async def test_a_database_that_dies_and_comes_back_is_met_without_a_restart(server_folder: Path) -> None:
    server = EmbeddedServer(server_folder / "dies").start()
    again: EmbeddedServer | None = None
    try:
        await asyncio.to_thread(upgrade, server.url())
        database = await Database.connect(server.url("postgres", APP_ROLE), server.url("postgres", RELAY_ROLE))
        told = Told()
        async with serving(database) as current, _collecting(current, told.writer) as seen:
            telling = asyncio.create_task(told.keep_telling(database, seconds=7))
            await asyncio.sleep(2)
            os.kill(int((server.home / "cluster" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
            await asyncio.sleep(2)
            again = await asyncio.to_thread(EmbeddedServer(server_folder / "dies").start)
            await telling
            await told.check(seen)
        await database.close()
    finally:
        server.stop()
        if again is not None:
            again.stop()


async def test_a_leader_that_freezes_in_the_middle_holds_the_feed_up_for_seconds_only(
    fresh_database: Database,
) -> None:
    writer = reader()
    told = await tell(fresh_database, writer, edit("x"))
    freezing = asyncio.create_task(_lead_and_freeze(fresh_database))
    await asyncio.sleep(0.3)
    began = time.monotonic()
    async with serving(fresh_database) as current, _collecting(current, writer) as seen:
        async with asyncio.timeout(10):
            while not seen:  # noqa: ASYNC110 -- the server's patience is what is waited for
                await asyncio.sleep(0.05)
    assert 3 < time.monotonic() - began < 8
    assert [event.id for event in seen] == told
    freezing.cancel()
    await asyncio.gather(freezing, return_exceptions=True)


@dataclass
class Told:
    """What writers have said and had acknowledged, through whatever happened to the server meanwhile."""

    writer: Principal = field(default_factory=reader)
    acknowledged: list[str] = field(default_factory=list)
    unknown: int = 0

    async def keep_telling(self, database: Database, seconds: float) -> None:
        until = asyncio.get_running_loop().time() + seconds

        async def one() -> None:
            while asyncio.get_running_loop().time() < until:
                try:
                    told = await tell(database, self.writer, edit("x"), pause_s=random.random() * 0.02)
                    self.acknowledged += told
                except DatabaseUnavailableError:
                    self.unknown += 1
                    await asyncio.sleep(0.05)

        await asyncio.gather(*(one() for _ in range(8)))
        assert len(self.acknowledged) > 100

    async def check(self, seen: list[LoggedEvent]) -> None:
        """Wait until everything acknowledged was seen; nothing may have come twice or out of order."""
        async with asyncio.timeout(20):
            while not set(self.acknowledged) <= {event.id for event in seen}:  # noqa: ASYNC110 -- others do what is waited for
                await asyncio.sleep(0.1)
        await asyncio.sleep(0.5)
        assert [event.seq for event in seen] == list(range(1, len(seen) + 1))
        assert len({event.id for event in seen}) == len(seen)
        assert len(seen) <= len(self.acknowledged) + self.unknown


@asynccontextmanager
async def _collecting(current: Feed, principal: Principal) -> AsyncIterator[list[LoggedEvent]]:
    """Follow from the beginning for as long as the block lasts."""
    seen: list[LoggedEvent] = []
    async with current._database.reading(principal) as tx:
        start = Cursor((await feed.extent(tx)).epoch, 0)

    async def collect() -> None:
        async with aclosing(current.follow(principal, selection(principal), start)) as items:
            async for item in items:
                assert isinstance(item, LoggedEvent)
                seen.append(item)

    task = asyncio.create_task(collect())
    try:
        yield seen
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _lead_and_freeze(database: Database) -> None:
    async with database.relaying() as tx:
        assert (await feed.number(tx, datetime.now(UTC))).events == 1
        await asyncio.sleep(60)


async def _kill_workers(urls: tuple[str, str], done: asyncio.Event) -> int:
    """Start a worker, let it work for a moment, kill it, and begin again."""
    killed = 0
    while not done.is_set():
        process = await _start_worker(urls)
        await asyncio.sleep(1 + random.random())
        assert process.returncode is None
        process.kill()
        await process.wait()
        killed += 1
    return killed


async def _start_worker(urls: tuple[str, str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.worker_process", *urls, stdout=asyncio.subprocess.DEVNULL
    )
