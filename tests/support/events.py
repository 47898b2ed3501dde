"""Events for tests: principals of a tenant, events written as a use case would, and readers by cursor."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

from db import feed
from db.session import Database
from domain.access import Principal, PrincipalKind, Reach, Scope
from domain.events import ClientChanged, Event
from domain.feed import Cursor, LoggedEvent, Selection
from workflows import worker
from workflows.commands import publish
from workflows.context import Channel, Context, Request
from workflows.feed import Feed, following, selection

EVERY_SCOPE = tuple(Scope)


def reader(
    tenant: UUID | None = None, *, clients: Iterable[UUID] | None = None, scopes: Iterable[Scope] = EVERY_SCOPE
) -> Principal:
    """Return a program of a tenant, limited to clients if any are named."""
    return Principal(
        PrincipalKind.SERVICE,
        uuid4(),
        tenant or uuid4(),
        "reader",
        dict.fromkeys(scopes, Reach.ALL),
        clients=None if clients is None else frozenset(clients),
    )


async def tell(
    database: Database, principal: Principal, *events: Event, client: UUID | None = None, pause_s: float = 0
) -> list[str]:
    """Write events in one transaction; return the ids under which the feed is to show them."""
    request = Request("test", Channel.SYSTEM)
    context = Context(database)
    async with database.writing(principal) as tx:
        ids = [
            await publish(
                tx,
                principal,
                request,
                event,
                subject=client or uuid4(),
                version=1,
                client=client,
                now=context.clock(),
            )
            for event in events
        ]
        await asyncio.sleep(pause_s)
    return [f"evt_{id_.hex}" for id_ in ids]


def edit(*fields: str) -> Event:
    """Return an event that says which fields of a client changed."""
    return ClientChanged(created=False, fields=fields)


async def number(database: Database) -> int:
    """Number everything that is pending; return how many events that was."""
    context, total = Context(database), 0
    while True:
        async with database.relaying() as tx:
            numbered = await feed.number(tx, context.clock())
        total += numbered.events
        if not numbered.events and not numbered.taken:
            return total


async def read(
    database: Database,
    principal: Principal,
    after: Cursor | None = None,
    wanted: Selection | None = None,
    first: int = 100,
) -> list[LoggedEvent]:
    """Return everything that follows a cursor, page by page."""
    events: list[LoggedEvent] = []
    while True:
        async with database.reading(principal) as tx:
            page = await feed.page(tx, after, wanted or selection(principal), first)
        events += page.events
        after = page.end
        if not page.has_more:
            return events


@asynccontextmanager
async def serving(database: Database, *, checkpoint_s: float = 15.0) -> AsyncIterator[Feed]:
    """Run what a serving process runs for events: the wire, the feed and the worker."""
    stop = asyncio.Event()
    async with following(database) as current:
        current._checkpoint_s = checkpoint_s
        work = asyncio.create_task(worker.run(Context(database), stop, current.wire))
        try:
            yield current
        finally:
            stop.set()
            await work
