"""Following the feed: every subscriber of a process is served from one reading of each tenant's log.

The log is read once per batch into a short ring; whoever is further behind reads its own pages from
the database. A slow subscriber therefore holds up nobody and is never buffered for.
"""

import asyncio
import random
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Iterable
from contextlib import asynccontextmanager, suppress
from uuid import UUID

import structlog

from db import feed
from db.errors import DatabaseUnavailableError
from db.listen import Wire
from db.session import Database, Transaction
from domain.access import Principal, Reach, Scope, system
from domain.events import ClientChanged, ClientsUpserted, MemberChanged, OnboardingChanged, TokenChanged
from domain.feed import Checkpoint, Cursor, CursorExpiredError, LoggedEvent, Selection

RING_EVENTS = 512
PAGE_EVENTS = 100
CHECKPOINT_S = 15.0
POLL_S = 0.5
_READS_AT_ONCE = 3
_BACK_OFF_S = (0.1, 5.0)

_EVERYTHING = Selection(frozenset(scope.value for scope in Scope))

_RIGHTS = frozenset(
    event.TYPE for event in (MemberChanged, TokenChanged, ClientChanged, ClientsUpserted, OnboardingChanged)
)
"""Events by which somebody's rights may have changed: of their own, or by the teams they are on."""

log = structlog.get_logger("steadystate.feed")


def selection(
    principal: Principal, types: Iterable[str] | None = None, clients: Iterable[UUID] | None = None
) -> Selection:
    """Return what a principal gets of the feed: by scope, by the clients it may see, and by its own wish.

    A scope that reaches only the clients of the person's teams counts where the principal is limited
    to those, and not otherwise: the feed itself does not look into teams.
    """
    limited = principal.clients is not None
    scopes = frozenset(scope.value for scope, reach in principal.scopes.items() if reach is Reach.ALL or limited)
    wished = None if clients is None else frozenset(clients)
    if principal.clients is not None:
        wished = principal.clients if wished is None else wished & principal.clients
    return Selection(scopes, None if types is None else frozenset(types), wished)


class Feed:
    """The feed of one process: joins subscribers to the logs of their tenants; `run` keeps it moving."""

    def __init__(
        self, database: Database, wire: Wire, *, checkpoint_s: float = CHECKPOINT_S, poll_s: float = POLL_S
    ) -> None:
        self.wire = wire
        self.on_rights: Callable[[UUID], None] = lambda _: None
        """Called with a tenant where somebody's rights may have changed, before anybody is shown what followed."""
        self._database = database
        self._checkpoint_s = checkpoint_s
        self._poll_s = poll_s
        self._channels: dict[UUID, _Channel] = {}
        # However many come back at once, requests find the pool's other connections free.
        self._reads = asyncio.Semaphore(_READS_AT_ONCE)

    @property
    def subscribers(self) -> int:
        """How many follow at this moment."""
        return sum(channel.readers for channel in self._channels.values())

    async def follow(
        self, principal: Principal, wanted: Selection, after: Cursor | None = None
    ) -> AsyncGenerator[LoggedEvent | Checkpoint, None]:
        """Replay what follows a cursor, then stay live; without a cursor begin now, with a checkpoint that says where.

        A checkpoint also moves a reader on for whom the log holds nothing, at most every 15 s.

        Raises:
            CursorExpiredError: something that came after the cursor is no longer held.
        """
        channel = self._join(principal.tenant_id)
        try:
            place = after or channel.end or await self._end(principal)
            told_at, told_seq = time.monotonic(), place.seq
            if after is None:
                yield Checkpoint(place.text())
            while True:
                events, place = channel.after(place) or await self._read(principal, wanted, place)
                for event in events:
                    if wanted.admits(event):
                        yield event
                        told_at, told_seq = time.monotonic(), event.seq
                if place.seq > told_seq and time.monotonic() - told_at >= self._checkpoint_s:
                    yield Checkpoint(place.text())
                    told_at, told_seq = time.monotonic(), place.seq
                untold = place.seq > told_seq
                await channel.beyond(place, told_at + self._checkpoint_s - time.monotonic() if untold else None)
        finally:
            self._leave(principal.tenant_id, channel)

    async def run(self) -> None:
        """Read on whenever a log has grown, until cancelled."""
        all_known = False
        while True:
            try:
                async with asyncio.timeout(self._poll_s):
                    await self.wire.moved.wait()
                self.wire.moved.clear()
                grown = self.wire.grown() if all_known else None
            except TimeoutError:
                grown = None
            try:
                await self._read_on(grown)
                all_known = True
            except Exception as error:  # noqa: BLE001 -- whatever it was, subscribers are not to be left in silence
                all_known = False
                log.warning("feed could not read on", reason=f"{type(error).__name__}: {error}")
                await asyncio.sleep(self._poll_s)

    async def _read_on(self, grown: dict[UUID, Cursor] | None) -> None:
        if not self._channels:
            return
        if grown is None:
            async with self._database.relaying() as tx:
                grown = await feed.ends(tx, list(self._channels))
        behind = [
            channel
            for tenant, channel in self._channels.items()
            if channel.end is None or grown.get(tenant, channel.end) != channel.end
        ]
        slots = asyncio.Semaphore(_READS_AT_ONCE)

        async def fill(channel: "_Channel") -> None:
            async with slots:
                await self._fill(channel)

        failed = [
            error for error in await asyncio.gather(*map(fill, behind), return_exceptions=True) if error is not None
        ]
        if failed:
            raise failed[0]

    async def _fill(self, channel: "_Channel") -> None:
        """Bring one channel up to the end of its tenant's log."""
        reader = system(channel.tenant)
        more = True
        while more:
            async with self._database.reading(reader) as tx:
                if channel.end is None:
                    await self._begin(tx, channel)
                    return
                try:
                    page = await feed.page(tx, channel.end, _EVERYTHING, RING_EVENTS)
                except CursorExpiredError:
                    # Another epoch: whoever follows with a cursor of the old one is told so by its own next read.
                    await self._begin(tx, channel)
                    return
            if any(event.type in _RIGHTS for event in page.events):
                self.on_rights(channel.tenant)
            channel.extend(page.events, page.end)
            more = page.has_more

    async def _begin(self, tx: Transaction, channel: "_Channel") -> None:
        """Begin at the end of the log; what lies before it may have changed rights unseen."""
        end = (await feed.extent(tx)).end
        self.on_rights(channel.tenant)
        channel.begin(end)

    async def _read(
        self, principal: Principal, wanted: Selection, place: Cursor
    ) -> tuple[Collection[LoggedEvent], Cursor]:
        """Read one page as the principal, waiting for the database as long as the subscriber stays."""
        delay = _BACK_OFF_S[0]
        while True:
            with suppress(DatabaseUnavailableError):
                async with self._reads, self._database.reading(principal) as tx:
                    page = await feed.page(tx, place, wanted, PAGE_EVENTS)
                return page.events, page.end
            await asyncio.sleep(delay * random.uniform(0.5, 1.5))  # noqa: S311 -- spreads retries, keeps no secret
            delay = min(delay * 2, _BACK_OFF_S[1])

    async def _end(self, principal: Principal) -> Cursor:
        async with self._reads, self._database.reading(principal) as tx:
            return (await feed.extent(tx)).end

    def _join(self, tenant: UUID) -> "_Channel":
        channel = self._channels.get(tenant)
        if channel is None:
            channel = self._channels[tenant] = _Channel(tenant)
            self.wire.moved.set()
        channel.readers += 1
        return channel

    def _leave(self, tenant: UUID, channel: "_Channel") -> None:
        channel.readers -= 1
        if channel.readers == 0:
            self._channels.pop(tenant, None)


@asynccontextmanager
async def following(database: Database) -> AsyncIterator[Feed]:
    """Keep a process's feed and its wire running while the block lasts."""
    current = Feed(database, Wire(database))
    tasks = [asyncio.create_task(current.wire.run()), asyncio.create_task(current.run())]
    try:
        yield current
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class _Channel:
    """The newest events of one tenant, for as long as somebody follows."""

    def __init__(self, tenant: UUID) -> None:
        self.tenant = tenant
        self.readers = 0
        self.end: Cursor | None = None
        self._start = 0
        self._ring: deque[LoggedEvent] = deque()
        self._moved = asyncio.Event()

    def begin(self, end: Cursor) -> None:
        """Start anew from a place, with an empty ring."""
        self._ring.clear()
        self._start = end.seq
        self._advance(end)

    def extend(self, events: Iterable[LoggedEvent], end: Cursor) -> None:
        """Take in what was read up to a place, and wake everybody."""
        for event in events:
            self._ring.append(event)
            if len(self._ring) > RING_EVENTS:
                self._start = self._ring.popleft().seq
        self._advance(end)

    def after(self, place: Cursor) -> tuple[list[LoggedEvent], Cursor] | None:
        """Return up to a page of what follows a place, or `None` where the ring does not reach back to it."""
        if self.end is None or self.end.epoch != place.epoch or not self._start <= place.seq <= self.end.seq:
            return None
        events: list[LoggedEvent] = []
        for event in reversed(self._ring):
            if event.seq <= place.seq:
                break
            events.append(event)
        events.reverse()
        if len(events) <= PAGE_EVENTS:
            return events, self.end
        return events[:PAGE_EVENTS], Cursor(place.epoch, events[PAGE_EVENTS - 1].seq)

    async def beyond(self, place: Cursor, patience_s: float | None) -> None:
        """Wait until the log may hold more than up to a place, or until patience ends."""
        moved = self._moved
        if self.end is None or self.end <= place:
            with suppress(TimeoutError):
                async with asyncio.timeout(patience_s):
                    await moved.wait()

    def _advance(self, end: Cursor) -> None:
        self.end = end
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()
