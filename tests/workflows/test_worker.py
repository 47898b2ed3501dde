"""The worker's loops go on through lost connections and faults, each by itself, and end when told to."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import asyncpg
import pytest
from sqlalchemy import text

from db import feed, idempotency
from db.errors import DatabaseUnavailableError
from db.session import APP_ROLE, RELAY_ROLE, Database
from domain.access import Principal
from domain.errors import Outcome
from domain.feed import Cursor, LoggedEvent
from tests.support.events import edit, read, reader, serving, tell
from tests.support.postgres import Postgres
from workflows import worker
from workflows.context import Context
from workflows.feed import Feed, following, selection
from workflows.schedule import Chore


@pytest.fixture
async def processes(postgres: Postgres, database_url: str) -> AsyncIterator[list[Database]]:
    """Two processes' doors to one database."""
    name = urlsplit(database_url).path.removeprefix("/")
    opened = [
        await Database.connect(postgres.url(name, APP_ROLE), postgres.url(name, RELAY_ROLE), size=20) for _ in range(2)
    ]
    yield opened
    for database in opened:
        await database.close()


async def test_two_relays_whose_backends_are_killed_lose_nothing_and_double_nothing(
    processes: list[Database], database_url: str
) -> None:
    writer, told = reader(), list[str]()
    done = asyncio.Event()

    async def write(name: int) -> None:
        for turn in range(15):
            told.append(await _tell_surely(random.choice(processes), writer, f"{name}/{turn}"))

    async with serving(processes[0]) as one, serving(processes[1]) as two:
        followers = [asyncio.create_task(_collect(current, writer, 300)) for current in (one, two)]
        chaos = asyncio.create_task(_kill_backends(database_url, done))
        await asyncio.gather(*(write(name) for name in range(20)))
        done.set()
        assert await chaos > 5
        for follower in followers:
            async with asyncio.timeout(30):
                seen = await follower
            assert len(seen) == len({event.id for event in seen}) == 300
            assert [event.seq for event in seen] == list(range(1, 301))
            assert {event.id for event in seen} == set(told)
            for name in range(20):
                mine = [_field(event) for event in seen if _field(event).startswith(f"{name}/")]
                assert mine == [f"{name}/{turn}" for turn in range(15)]


async def test_a_process_without_a_worker_tells_another_to_number_what_it_committed(
    processes: list[Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workflows.relay.POLL_S", 30)
    writer = reader()
    async with serving(processes[0]), following(processes[1]) as current:
        start = Cursor(await _epoch(processes[1], writer), 0)
        collecting = asyncio.create_task(_collect(current, writer, 1, start))
        await asyncio.sleep(0.3)
        told = await tell(processes[1], writer, edit("x"))
        async with asyncio.timeout(5):
            assert [event.id for event in await collecting] == told


async def test_a_loop_that_fails_goes_on_and_the_others_never_notice(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = {"fails": 0, "is cut off": 0, "works": 0}

    def counted(name: str, error: Exception | None) -> Chore:
        async def turn(context: Context) -> int:
            turns[name] += 1
            if error:
                raise error
            return 0

        return Chore(name, 0.01, turn)

    chores = (
        counted("fails", ValueError("a fault of ours")),
        counted("is cut off", DatabaseUnavailableError("no server")),
        counted("works", None),
    )
    monkeypatch.setattr(worker, "chores", lambda kept: chores)
    monkeypatch.setattr(worker, "BACK_OFF_S", (0.01, 0.02))
    async with serving(database) as current:
        writer = reader()
        start = Cursor(await _epoch(database, writer), 0)
        told = await tell(database, writer, edit("x"))
        assert [event.id for event in await _collect(current, writer, 1, start)] == told
        async with asyncio.timeout(10):
            while min(turns.values()) < 5:  # noqa: ASYNC110 -- the loops are what is waited for
                await asyncio.sleep(0.02)


async def test_a_worker_told_to_stop_finishes_the_turn_it_is_in(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def turn(context: Context) -> int:
        begun.set()
        await asyncio.sleep(0.2)
        ended.set()
        return 1

    monkeypatch.setattr(worker, "chores", lambda kept: (Chore("slow", 1, turn),))
    stop = asyncio.Event()
    work = asyncio.create_task(worker.run(Context(database), stop))
    await begun.wait()
    stop.set()
    async with asyncio.timeout(5):
        await work
    assert ended.is_set()


async def test_the_schedule_forgets_old_outcomes_and_old_events(fresh_database: Database) -> None:
    writer = reader()
    now = datetime.now(UTC)
    claims = [idempotency.Claim(writer.id, "clientCreate", key, b"digest") for key in ("old", "new")]
    async with fresh_database.writing(writer) as tx:
        for claim, age in zip(claims, (timedelta(hours=25), timedelta(hours=23)), strict=True):
            assert await idempotency.claim(tx, claim, now - age) is None
            await idempotency.record(tx, claim, Outcome())
    await tell(fresh_database, writer, edit("old"))
    async with serving(fresh_database) as current:
        await _collect(current, writer, 1, Cursor(await _epoch(fresh_database, writer), 0))
    stop = asyncio.Event()
    later = Context(fresh_database, clock=lambda: now + timedelta(minutes=30))
    work = asyncio.create_task(worker.run(later, stop, events_kept=timedelta(minutes=10)))
    async with asyncio.timeout(10):
        while await read(fresh_database, writer):  # noqa: ASYNC110 -- what is waited for happens in the database
            await asyncio.sleep(0.05)
    stop.set()
    await work
    async with fresh_database.writing(writer) as tx:
        assert await idempotency.claim(tx, claims[0], now) is None
        assert await idempotency.claim(tx, claims[1], now) is not None


async def _collect(current: Feed, principal: Principal, count: int, after: Cursor | None = None) -> list[LoggedEvent]:
    if after is None:
        after = Cursor(await _epoch(current._database, principal), 0)
    events: list[LoggedEvent] = []
    async with aclosing(current.follow(principal, selection(principal), after)) as items:
        async for item in items:
            if isinstance(item, LoggedEvent):
                events.append(item)
            if len(events) == count:
                break
    return events


FIND = text("""
    select body ->> 'id' from pending where body -> 'data' -> 'fields' ->> 0 = cast(:name as text)
    union all
    select body ->> 'id' from event_log where body -> 'data' -> 'fields' ->> 0 = cast(:name as text)
""")


async def _tell_surely(database: Database, writer: Principal, name: str) -> str:
    """Write one event through lost connections: ask whether an attempt arrived before making another."""
    while True:
        try:
            return (await tell(database, writer, edit(name), pause_s=random.random() * 0.02))[0]
        except DatabaseUnavailableError:
            if (arrived := await _find(database, name)) is not None:
                return arrived


async def _find(database: Database, name: str) -> str | None:
    while True:
        try:
            async with database.relaying() as tx:
                found: str | None = await tx.value(FIND, name=name)
                return found
        except DatabaseUnavailableError:
            await asyncio.sleep(0.05)


async def _kill_backends(url: str, done: asyncio.Event) -> int:
    owner = await asyncpg.connect(url)
    killed = 0
    while not done.is_set():
        await asyncio.sleep(0.1)
        killed += await owner.fetchval(
            "select count(*) from (select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid() and random() < 0.3) killed"
        )
    await owner.close()
    return killed


def _field(event: LoggedEvent) -> str:
    fields = event.data["fields"]
    assert isinstance(fields, list)
    return str(fields[0])


async def _epoch(database: Database, principal: Principal) -> int:
    async with database.reading(principal) as tx:
        return (await feed.extent(tx)).epoch
