"""Goal 5: from the commit into the hands of a thousand subscribers of one process, against raw frames on sockets."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import cycle
from urllib.parse import urlsplit

import asyncpg
import msgspec

from db.listen import Wire
from domain.access import Role
from domain.ids import IdKind, public
from tests.bench.raw_sockets import CHANNEL
from tests.bench.report import Goal, percentile
from tests.bench.serving import served
from tests.bench.transitions import send_on
from tests.bench.world import World
from workflows.context import Context, new_id

SOCKETS = 1_000
PACED = 12
PACE_S = 0.4
BURST = 30
PEOPLE = 50

Commit = Callable[[int], Awaitable[str]]
"""Makes the nth change, and returns the id of its event when it is committed."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """Milliseconds from a commit to a subscriber, one change at a time, and deliveries a second of many at once."""

    p50: float
    p99: float
    per_second: float
    missing: int

    def __str__(self) -> str:
        lost = f", {self.missing} MISSING" if self.missing else ""
        return f"p50 {self.p50:.0f} ms, p99 {self.p99:.0f} ms, {self.per_second:,.0f} deliveries/s{lost}"


async def measure(world: World) -> AsyncIterator[Goal | str]:
    """Yield latencies as multiples of the limit's, and deliveries as a share of them."""
    people = await _tokens(world)
    wire = Wire(world.database)
    telling = asyncio.create_task(wire.run())
    context = Context(world.database)
    # The last of them, which pgbench has not moved behind our back.
    onboarding = cycle(world.onboardings[-8:])

    async def move(_: int) -> str:
        event = await send_on(context, next(onboarding))
        return public(IdKind.EVENT, event)

    try:
        async with (
            served("product", world) as (product, _),
            served("sockets", world) as (raw, _),
            _notifier(world) as notify,
        ):
            limit = await _deliver(raw, people[:1], notify)
            shared = await _deliver(product, people[:1], move)
            several = await _deliver(product, people, move)
            limit_again = await _deliver(raw, people[:1], notify)
    finally:
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)
    best = Delivered(
        min(limit.p50, limit_again.p50),
        min(limit.p99, limit_again.p99),
        max(limit.per_second, limit_again.per_second),
        limit.missing + limit_again.missing,
    )
    yield f"5  raw frames on {SOCKETS:,} sockets, the limit: {best}"
    for who, found in (("one token", shared), (f"{PEOPLE} people", several)):
        times = f"p50 {found.p50 / best.p50:.1f} ×, p99 {found.p99 / best.p99:.1f} × the limit's"
        yield f"5  onboardingChanged, {SOCKETS:,} sockets of {who}: {found}; {times}"
    yield "5  the goal is set against mercurius, which is not measured yet"


async def _tokens(world: World) -> list[str]:
    members = [await world.provider.invited(Role.ADMIN) for _ in range(PEOPLE)]
    return [await world.provider.token_of(member.id) for member in members]


@asynccontextmanager
async def _notifier(world: World) -> AsyncIterator[Commit]:
    """Give a commit that does nothing but notify with a message as long as the product's."""
    connection = await asyncpg.connect(world.owner_url)

    async def notify(_: int) -> str:
        id_ = public(IdKind.EVENT, new_id())
        actor = {"kind": "PERSON", "id": public(IdKind.MEMBER, new_id())}
        event = {"id": id_, "type": "OnboardingMoved", "occurredAt": "2026-01-01T00:00:00.000000Z", "actor": actor}
        change = {"cursor": "x" * 24, "onboardingId": public(IdKind.ONBOARDING, new_id()), "event": event}
        message = {"type": "next", "id": "1", "payload": {"data": {"onboardingChanged": change}}}
        await connection.execute("select pg_notify($1, $2)", CHANNEL, msgspec.json.encode(message).decode())
        return id_

    try:
        yield notify
    finally:
        await connection.close()


async def _deliver(address: str, tokens: Sequence[str], commit: Commit) -> Delivered:
    """Open the sockets, make changes one at a time and then many at once, and return how they arrived."""
    arguments = (str(urlsplit(address).port), str(PACED + BURST), ",".join(tokens), str(SOCKETS))
    pipe = asyncio.subprocess.PIPE
    clients = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.socket_clients", *arguments, stdin=pipe, stdout=pipe
    )
    assert clients.stdout is not None
    async with asyncio.timeout(90):
        await clients.stdout.readline()
        committed: dict[str, float] = {}
        for number in range(PACED):
            event = await commit(number)
            committed[event] = time.monotonic()
            await asyncio.sleep(PACE_S)
        began = time.monotonic()
        burst = [await commit(number) for number in range(BURST)]
    try:
        async with asyncio.timeout(20):
            printed = await clients.stdout.read()
    except TimeoutError:
        printed = (await clients.communicate(b""))[0]
    await clients.wait()
    arrivals: dict[str, list[float]] = msgspec.json.decode(printed)
    # The first change finds caches cold.
    waits = [at - committed[event] for event in list(committed)[1:] for at in arrivals.get(event, ())]
    last = [at for event in burst for at in arrivals.get(event, ())]
    missing = SOCKETS * (PACED + BURST) - sum(map(len, arrivals.values()))
    pace = len(last) / (max(last) - began)
    return Delivered(percentile(waits, 0.5) * 1e3, percentile(waits, 0.99) * 1e3, pace, missing)
