"""The worlds that are measured: a PostgreSQL that keeps its promises, and a provider with two years of work."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import asyncpg

from db import definitions
from db.embedded import EmbeddedServer
from db.migrate import upgrade
from db.session import APP_ROLE, RELAY_ROLE, Database
from domain.access import Role
from domain.definitions import Definition, Hardness, Rules
from domain.moves import Gate
from tests.bench import many_tickets
from tests.bench.recounting import recounted
from tests.support.clock import Clock
from tests.support.onboarding import Onboarding, opened
from tests.support.providers import Provider, new_provider
from workflows.context import Context, new_id

T = TypeVar("T")

CLIENTS = 2_000
ONBOARDING = 300
"""So many clients are still to be onboarded; the others went into service, one group of them after another."""
TICKETS = 5_000_000
FEW_TICKETS = 50_000
DAYS = 730
ZONE = "Europe/Amsterdam"

LARGE, SMALL = "postgres", "small"
_AT_ONCE = 16
_GROUP = 100
_GROUPS_APART = timedelta(days=20)
_STAGES = (timedelta(days=10), timedelta(days=25), timedelta(days=85))
"""When a group goes into discovery, early support and steady state, from when it is its turn."""

_SETTINGS = ("max_wal_size = '16GB'", "checkpoint_timeout = '30min'")
"""What a server that takes in millions of rows at once would be given; all else is as PostgreSQL comes."""


@dataclass(frozen=True, slots=True)
class World:
    """One provider in a database of its own; `small` is the same one with few tickets."""

    server: EmbeddedServer
    name: str
    database: Database
    provider: Provider
    onboardings: list[Onboarding]
    clients: int
    tickets: int
    filled_s: float
    """How long its tickets took to draw."""
    recounted: int = 0
    """So many tickets the product itself has assessed and counted anew, with nothing that differed."""
    small: "World | None" = None

    @property
    def urls(self) -> tuple[str, str]:
        return self.server.url(self.name, APP_ROLE), self.server.url(self.name, RELAY_ROLE)

    @property
    def owner_url(self) -> str:
        """Where the tables' owner comes in, whom no policy binds."""
        return self.server.url(self.name)

    async def size(self) -> str:
        """Say how much there is."""
        connection = await asyncpg.connect(self.owner_url)
        try:
            held = await connection.fetchval("select pg_database_size(current_database())")
        finally:
            await connection.close()
        return (
            f"{self.clients:,} clients, {self.tickets:,} tickets over {DAYS} days, {held / 1e9:.1f} GB, policies on; "
            f"drawn in {self.filled_s:.0f} s, {self.recounted:,} of them assessed and counted anew"
        )

    async def version(self) -> str:
        """Return the version of PostgreSQL."""
        connection = await asyncpg.connect(self.owner_url)
        try:
            return str(await connection.fetchval("show server_version"))
        finally:
            await connection.close()


@asynccontextmanager
async def world(clients: int = CLIENTS, tickets: int = TICKETS, few_tickets: int = FEW_TICKETS) -> AsyncIterator[World]:
    """Bring up a server, take clients into service through the product's own workflows, and draw their tickets."""
    with tempfile.TemporaryDirectory(prefix="steadystate_bench_") as folder:
        Path(folder).chmod(0o711)  # as root the server runs as another account, which has to come to it
        server = await asyncio.to_thread(EmbeddedServer(Path(folder) / "postgres").start)
        try:
            await asyncio.to_thread(upgrade, server.url())
            async with _connected(server, LARGE) as database:
                provider = await new_provider(database, Clock(datetime.now(UTC) - timedelta(days=DAYS + 30)))
                onboardings = await _onboardings(provider, clients)
            await _copy(server)
            async with AsyncExitStack() as stack:
                made = World(server, LARGE, database, provider, onboardings[:ONBOARDING], clients, tickets, 0.0)
                small = await _filled(stack, replace(made, name=SMALL, tickets=few_tickets), onboardings)
                yield replace(await _filled(stack, made, onboardings), small=small)
        finally:
            await asyncio.to_thread(server.stop)


@asynccontextmanager
async def _connected(server: EmbeddedServer, name: str) -> AsyncIterator[Database]:
    urls = server.url(name, APP_ROLE), server.url(name, RELAY_ROLE)
    database = await Database.connect(*urls, size=40, timeout_ms=30_000)
    try:
        yield database
    finally:
        await database.close()


async def _copy(server: EmbeddedServer) -> None:
    """Make the small database as a copy of the large one, before either has tickets."""
    connection = await asyncpg.connect(server.url("template1"))
    try:
        for setting in _SETTINGS:
            await connection.execute(f"alter system set {setting}")
        await connection.execute("select pg_reload_conf()")
        await connection.execute(f"create database {SMALL} template {LARGE}")
    finally:
        await connection.close()


async def _filled(stack: AsyncExitStack, made: World, onboardings: list[Onboarding]) -> World:
    """Draw a world's tickets, and leave no upkeep of that to run during the measuring."""
    database = await stack.enter_async_context(_connected(made.server, made.name))
    clock = Clock(datetime.now(UTC))
    provider = replace(made.provider, context=Context(database, clock=clock), clock=clock)
    began = time.perf_counter()
    url = made.owner_url
    await many_tickets.fill(url, provider, [one.client for one in onboardings], made.tickets, DAYS)
    took = time.perf_counter() - began
    middle = onboardings[len(onboardings) // 2].client
    recounts = [await recounted(provider, one) for one in (middle, onboardings[-1].client)]
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("vacuum analyze")
        await connection.execute("checkpoint")
    finally:
        await connection.close()
    own = [replace(one, provider=provider) for one in made.onboardings]
    return replace(made, database=database, provider=provider, onboardings=own, filled_s=took, recounted=sum(recounts))


UNMEASURED = (Gate.HAND_OFF_COMPLETE, Gate.THRESHOLD_SET, Gate.CONTRACTING_CHECKLIST)
"""Gates that a person's word would have to meet anew for every move; the others are judged on evidence."""


async def _onboardings(provider: Provider, clients: int) -> list[Onboarding]:
    """Open all clients' onboardings on one day, and take all but the first into service over the following year."""
    rules = Rules(gates=dict.fromkeys(UNMEASURED, Hardness.OFF))
    async with provider.context.database.writing(provider.admin) as tx:
        await definitions.add(tx, Definition(new_id(), 2, rules, provider.clock.now))
    lead = await provider.invited(Role.ONBOARDING_LEAD)

    async def ready(number: int) -> Onboarding:
        onboarding = await opened(provider, lead=lead)
        if number < ONBOARDING:
            await onboarding.sign()
        return onboarding

    onboardings = await _all_of(ready(number) for number in range(clients))
    served = onboardings[ONBOARDING:]
    began = provider.clock.now
    groups = [served[n : n + _GROUP] for n in range(0, len(served), _GROUP)]
    turns = [(n * _GROUPS_APART + after, group) for n, group in enumerate(groups) for after in _STAGES]
    for after, group in sorted(turns, key=lambda turn: turn[0]):
        provider.clock.now = began + after
        await _all_of(one.forward() for one in group)
    return onboardings


async def _all_of(works: Iterable[Awaitable[T]]) -> list[T]:
    slots = asyncio.Semaphore(_AT_ONCE)

    async def one(work: Awaitable[T]) -> T:
        async with slots:
            return await work

    return await asyncio.gather(*map(one, works))
