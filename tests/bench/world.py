"""The world that is measured: an embedded PostgreSQL that keeps its promises, and a provider with two years of work."""

import asyncio
import random
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import asyncpg

from db import definitions
from db.embedded import EmbeddedServer
from db.migrate import upgrade
from db.session import APP_ROLE, RELAY_ROLE, Database
from domain.access import Role
from domain.definitions import Definition, Hardness, Rules
from domain.moves import Gate
from domain.tickets import HandOver, Priority, ReportedTicket, Resolution
from tests.support.clock import Clock
from tests.support.onboarding import Onboarding, opened
from tests.support.providers import Provider, new_provider, sent
from workflows import tickets
from workflows.context import new_id
from workflows.tickets import IngestTickets

T = TypeVar("T")

CLIENTS = 300
TICKETS_EACH = 700
DAYS = 730
ZONE = "Europe/Amsterdam"
_AT_ONCE = 16
_BATCH = 1_000


@dataclass(frozen=True, slots=True)
class World:
    """One provider in a database of its own; `filled_s` is how long its tickets took to come in."""

    server: EmbeddedServer
    database: Database
    provider: Provider
    onboardings: list[Onboarding]
    tickets_each: int
    filled_s: float

    @property
    def urls(self) -> tuple[str, str]:
        return self.server.url("postgres", APP_ROLE), self.server.url("postgres", RELAY_ROLE)

    def size(self) -> str:
        """Say how much there is."""
        number = len(self.onboardings)
        return f"{number} clients, {number * self.tickets_each:,} tickets over {DAYS} days, policies on"

    async def version(self) -> str:
        """Return the version of PostgreSQL."""
        connection = await asyncpg.connect(self.server.url())
        try:
            return str(await connection.fetchval("show server_version"))
        finally:
            await connection.close()


@asynccontextmanager
async def world(clients: int = CLIENTS, tickets_each: int = TICKETS_EACH) -> AsyncIterator[World]:
    """Bring up a server, fill it through the product's own workflows, and take it down again."""
    with tempfile.TemporaryDirectory(prefix="steadystate_bench_") as folder:
        Path(folder).chmod(0o711)  # as root the server runs as another account, which has to come to it
        server = await asyncio.to_thread(EmbeddedServer(Path(folder) / "postgres").start)
        try:
            await asyncio.to_thread(upgrade, server.url())
            urls = server.url("postgres", APP_ROLE), server.url("postgres", RELAY_ROLE)
            database = await Database.connect(*urls, size=40, timeout_ms=30_000)
            try:
                provider = await new_provider(database, Clock(datetime.now(UTC) - timedelta(days=DAYS + 30)))
                onboardings = await _onboardings(provider, clients)
                provider.clock.now = datetime.now(UTC)
                began = time.perf_counter()
                await _all_of(_tickets_of(provider, one.client, tickets_each) for one in onboardings)
                filled = time.perf_counter() - began
                while await tickets.fold(provider.context):
                    pass
                await _settle(server)
                yield World(server, database, provider, onboardings, tickets_each, filled)
            finally:
                await database.close()
        finally:
            await asyncio.to_thread(server.stop)


UNMEASURED = (Gate.HAND_OFF_COMPLETE, Gate.THRESHOLD_SET, Gate.CONTRACTING_CHECKLIST)
"""Gates that a person's word would have to meet anew for every move; the others are judged on evidence."""


async def _onboardings(provider: Provider, clients: int) -> list[Onboarding]:
    rules = Rules(gates=dict.fromkeys(UNMEASURED, Hardness.OFF))
    async with provider.context.database.writing(provider.admin) as tx:
        await definitions.add(tx, Definition(new_id(), 2, rules, provider.clock.now))
    lead = await provider.invited(Role.ONBOARDING_LEAD)

    async def ready() -> Onboarding:
        onboarding = await opened(provider, lead=lead)
        await onboarding.sign()
        return onboarding

    return await _all_of(ready() for _ in range(clients))


async def _tickets_of(provider: Provider, client: UUID, number: int) -> None:
    pick = random.Random(client.int)
    reports = [_ticket(pick, provider.clock.now) for _ in range(number)]
    for start in range(0, number, _BATCH):
        command = IngestTickets("BENCH", tuple(reports[start : start + _BATCH]), client)
        outcome = await tickets.ingest(provider.context, provider.admin, sent(), command)
        assert outcome.errors == (), outcome.errors


def _ticket(pick: random.Random, now: datetime) -> ReportedTicket:
    logged = now - timedelta(seconds=pick.uniform(600, DAYS * 86_400))
    handed = [HandOver(logged, "Service desk", 1)]
    if pick.random() < 0.2:
        handed.append(HandOver(logged + timedelta(hours=pick.expovariate(1 / 6)), "Engineers", 2))
    return ReportedTicket(
        f"INC{pick.getrandbits(64):016x}",
        None,
        logged,
        priority=pick.choice(list(Priority)),
        resolutions=(Resolution(logged + timedelta(hours=pick.expovariate(1 / 20))),),
        hand_overs=tuple(handed),
    )


async def _all_of(works: Iterable[Awaitable[T]]) -> list[T]:
    slots = asyncio.Semaphore(_AT_ONCE)

    async def one(work: Awaitable[T]) -> T:
        async with slots:
            return await work

    return await asyncio.gather(*map(one, works))


async def _settle(server: EmbeddedServer) -> None:
    """Leave no upkeep of the filling to run during the measuring."""
    connection = await asyncpg.connect(server.url())
    try:
        await connection.execute("vacuum analyze")
        await connection.execute("checkpoint")
    finally:
        await connection.close()
