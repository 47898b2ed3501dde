"""Timelines as the API shows them: everything that happened to an onboarding, or to a client, in one order."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry

from api.audit import TimelineEntry
from api.context import Info, OperationContext
from api.fields import resolved
from api.paging import After, Before, Connection, First, Last, Ordering, Page, connection, page_of
from db import timeline as stored
from domain import timeline
from domain.access import Scope
from domain.timeline import TimelineKind

BY_TIME = Ordering("timeline", (datetime, str, UUID))

Kinds = Annotated[
    list[TimelineKind] | None, strawberry.argument(description="Only entries of these kinds; all if left out.")
]


async def cycles_timelines(
    context: OperationContext, keys: Sequence[UUID], page: Page, kinds: frozenset[TimelineKind] | None
) -> list[list[timeline.TimelineEntry]]:
    """Load a stretch of the timeline of each onboarding."""
    async with context.reading() as tx:
        found = await stored.timelines(tx, keys, page, kinds)
    return [found[key] for key in keys]


async def clients_timelines(
    context: OperationContext, keys: Sequence[UUID], page: Page, kinds: frozenset[TimelineKind] | None
) -> list[list[timeline.TimelineEntry]]:
    """Load a stretch of the timeline of each client."""
    async with context.reading() as tx:
        found = await stored.timelines_of_clients(tx, keys, page, kinds)
    return [found[key] for key in keys]


async def lengths(
    context: OperationContext,
    keys: Sequence[UUID],
    kinds: frozenset[TimelineKind] | None,
    of_clients: bool,  # noqa: FBT001 -- a loader is told apart by its positional parameters
) -> list[int]:
    """Count the entries of timelines."""
    async with context.reading() as tx:
        found = await stored.lengths(tx, keys, kinds, of_clients=of_clients)
    return [found[key] for key in keys]


@strawberry.type
class OnboardingTimeline:
    """What happened to an onboarding, as a field of it."""

    @resolved(description="Everything that happened to it in one order, oldest first.", scope=Scope.AUDIT_READ)
    async def timeline(
        root: Any,  # noqa: N805 -- the root is a domain value, not this class
        info: Info,
        kinds: Kinds = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[TimelineEntry] | None:
        page = page_of(BY_TIME, first=first, after=after, last=last, before=before)
        return await _told(info, root.id, page, kinds, of_clients=False)


@strawberry.type
class ClientTimeline:
    """What happened to a client, as a field of it."""

    @resolved(
        description="Everything that happened to it in one order, oldest first: its onboardings, and what was edited "
        "or noted before, between and after them.",
        scope=Scope.AUDIT_READ,
    )
    async def timeline(
        root: Any,  # noqa: N805 -- the root is a domain value, not this class
        info: Info,
        kinds: Kinds = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[TimelineEntry] | None:
        page = page_of(BY_TIME, first=first, after=after, last=last, before=before)
        return await _told(info, root.id, page, kinds, of_clients=True)


async def _told(
    info: Info, key: UUID, page: Page, kinds: list[TimelineKind] | None, *, of_clients: bool
) -> Connection[Any]:
    wanted = None if kinds is None else frozenset(kinds)
    batch = clients_timelines if of_clients else cycles_timelines
    rows = await info.context.loader(batch, page, wanted).load(key)

    async def count() -> int:
        return await info.context.loader(lengths, wanted, of_clients).load(key)

    return connection(page, rows, key=lambda e: (e.at, e.kind.value, e.id), count=count)
