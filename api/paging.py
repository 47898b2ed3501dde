"""Paging: Relay connections with keyset cursors, written once for every list.

A resolver declares `first: First = None, after: After = None, last: Last = None, before: Before = None`,
turns its four arguments into a `Page`, hands it to db, and wraps what comes back:

    page = page_of(BY_NAME, first=first, after=after, last=last, before=before)
    async with info.context.reading() as tx:
        rows = await clients.listed(tx, where, page)
    return connection(page, rows, key=lambda c: (c.sort_name, c.id), count=lambda: ...)

The statement reads rows beyond `page.after` (and before `page.before`) in the list's order, or in
the opposite order where `page.backward`, at most `page.limit` of them: one more than shown, which
tells whether there are further ones.
"""

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

import msgspec
import strawberry

from api.errors import BadUserInput
from api.fields import resolved
from api.scalars import Cursor

T = TypeVar("T")
V = TypeVar("V")

MAX_PAGE = 100
COUNT_CAP = 10_000
_CURSOR_VERSION = 1


@dataclass(frozen=True, slots=True)
class Ordering:
    """One order of one list: its name, and the types of the columns that fix a row's place in it.

    The last column is the row's id, so that no two rows share a place.
    """

    name: str
    columns: tuple[type, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """Which stretch of a list is asked for; `after` and `before` are places in its ordering."""

    ordering: Ordering
    size: int
    backward: bool = False
    after: tuple[Any, ...] | None = None
    before: tuple[Any, ...] | None = None

    @property
    def limit(self) -> int:
        """Rows to read: one more than are shown."""
        return self.size + 1


def page_of(
    ordering: Ordering, *, first: int | None, after: str | None, last: int | None = None, before: str | None = None
) -> Page:
    """Return the page that a connection's arguments ask for.

    Raises:
        BadUserInput: not exactly one of first and last, out of 1 to 100, or a cursor that is not of this list.
    """
    if (first is None) == (last is None):
        raise BadUserInput(f"Give exactly one of first and last, from 1 to {MAX_PAGE}.")
    size = first if first is not None else last
    if size is None or not 1 <= size <= MAX_PAGE:
        name = "last" if first is None else "first"
        raise BadUserInput(f"{name}: {size} is out of range; a page has 1 to {MAX_PAGE} items.")
    return Page(
        ordering,
        size,
        backward=first is None,
        after=None if after is None else read_cursor(ordering, after, "after"),
        before=None if before is None else read_cursor(ordering, before, "before"),
    )


def write_cursor(ordering: Ordering, place: Sequence[Any]) -> Cursor:
    """Return the opaque form of a place in an ordering."""
    packed = msgspec.json.encode([_CURSOR_VERSION, ordering.name, *place])
    return Cursor(base64.urlsafe_b64encode(packed).rstrip(b"=").decode())


def read_cursor(ordering: Ordering, text: str, argument: str = "after") -> tuple[Any, ...]:
    """Return the place behind a cursor.

    Raises:
        BadUserInput: it is of another ordering, of another version of the server, or none at all.
    """
    try:
        packed = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        version, name, *place = msgspec.json.decode(packed, type=list[Any])
        if (version, name) == (_CURSOR_VERSION, ordering.name) and len(place) == len(ordering.columns):
            return tuple(msgspec.convert(value, column) for value, column in zip(place, ordering.columns, strict=True))
    except (ValueError, UnicodeError, binascii.Error, msgspec.MsgspecError, RecursionError):
        pass
    raise BadUserInput(
        f"{argument}: {text[:40]!r} is no cursor of this list in this order; "
        "take one from pageInfo or edges of the same query, or begin without."
    )


First = Annotated[int | None, strawberry.argument(description="Items from the beginning, or after `after`: 1 to 100.")]
Last = Annotated[int | None, strawberry.argument(description="Items from the end, or before `before`: 1 to 100.")]
After = Annotated[Cursor | None, strawberry.argument(description="Begin behind this place.")]
Before = Annotated[Cursor | None, strawberry.argument(description="End ahead of this place.")]


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether there are items after this page.")
    has_previous_page: bool = strawberry.field(description="Whether there are items before this page.")
    start_cursor: Cursor | None = strawberry.field(description="The place of the first item, to page backward from.")
    end_cursor: Cursor | None = strawberry.field(description="The place of the last item, to page forward from.")


@strawberry.type(description="One item with its place in the list.")
class Edge(Generic[T]):
    cursor: Cursor = strawberry.field(description="The item's place, for `after` and `before`.")
    node: T = strawberry.field(description="The item.")


@strawberry.type(description="One page of a list.")
class Connection(Generic[T]):
    nodes: list[T] = strawberry.field(description="The items of the page, in order.")
    page: strawberry.Private[Page]
    more: strawberry.Private[bool]
    key: strawberry.Private[Callable[[Any], Sequence[Any]]]
    count: strawberry.Private[Callable[[], Awaitable[int]] | None] = None
    counting: strawberry.Private[asyncio.Future[int] | None] = None

    @resolved(description="The items of the page, each with its cursor.")
    def edges(self) -> list[Edge[T]]:
        return [Edge(cursor=self._cursor(node), node=node) for node in self.nodes]

    @resolved(description="Where the page stands in the list.")
    def page_info(self) -> PageInfo:
        behind, ahead = self.page.after is not None, self.page.before is not None
        return PageInfo(
            has_next_page=ahead if self.page.backward else self.more,
            has_previous_page=self.more if self.page.backward else behind,
            start_cursor=self._cursor(self.nodes[0]) if self.nodes else None,
            end_cursor=self._cursor(self.nodes[-1]) if self.nodes else None,
        )

    @resolved(description="How many items the whole list has, counted only if asked and up to 10,000.")
    async def total_count(self) -> int:
        return min(await self._counted(), COUNT_CAP)

    @resolved(description="Whether `totalCount` is exact; `false` means 10,000 or more.")
    async def total_count_is_exact(self) -> bool:
        return await self._counted() <= COUNT_CAP

    async def _counted(self) -> int:
        if self.count is None:
            return len(self.nodes)
        # Both fields may be selected, and run at the same time: the statement runs once.
        if self.counting is None:
            self.counting = asyncio.ensure_future(self.count())
        return await self.counting

    def _cursor(self, node: Any) -> Cursor:
        return write_cursor(self.page.ordering, self.key(node))


def connection(
    page: Page,
    rows: Sequence[V],
    *,
    key: Callable[[V], Sequence[Any]],
    count: Callable[[], Awaitable[int]] | None = None,
) -> Connection[Any]:
    """Wrap the domain values read for a page; `key` gives a row's place, in the columns of the ordering.

    `count` reads the length of the whole list, stopping at `COUNT_CAP` + 1; it runs only where
    `totalCount` is selected. Without it the list is taken to be the page, which is right for lists
    that are never longer.
    """
    shown: list[Any] = list(rows[: page.size])
    if page.backward:
        shown.reverse()
    return Connection(nodes=shown, page=page, more=len(rows) > page.size, key=key, count=count)
