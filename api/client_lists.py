"""Lists of what belongs to a client: each read for all clients of an answer in one statement."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from api import client_loaders as loaders
from api.context import Info
from api.paging import Connection, Ordering, Page, connection
from db.keyset import Listing
from domain.clients import name_key

PLACES: dict[str, tuple[tuple[type, ...], Callable[[Any], tuple[Any, ...]]]] = {
    "NAME": ((str, UUID), lambda row: (name_key(row.name), row.id)),
    "CREATED_AT": ((datetime, UUID), lambda row: (row.created_at, row.id)),
    "LAST_SEEN_AT": ((datetime, UUID), lambda row: (row.last_seen_at, row.id)),
    "RAN_AT": ((datetime, UUID), lambda row: (row.ran_at, row.id)),
}
"""For each order the types of a row's place in it, and how to tell the place."""


def ordering(what: str, field: str, *, descending: bool = False) -> Ordering:
    return Ordering(f"{what} {field}{' DESC' if descending else ''}", PLACES[field][0])


async def belonging(
    root: Any, info: Info, page: Page, listing: Listing, batch: Any, *parameters: Any, where: loaders.Where = ()
) -> Connection[Any]:
    """Return a client's own list, read for all clients of the answer in one statement."""
    rows = await info.context.loader(batch, *parameters, page).load(root.id)
    field = page.ordering.name.split()[1]

    async def count() -> int:
        return await info.context.loader(loaders.counts_of, listing, where).load(root.id)

    return connection(page, rows, key=PLACES[field][1], count=count)
