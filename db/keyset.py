"""Keyset paging: stretches of a list in an order that an index serves, for one parent or for many at once."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

import asyncpg
from sqlalchemy import ARRAY, ColumnElement, Select, Uuid, bindparam, func, literal_column, select, true, tuple_

from db.session import Transaction

COUNT_LIMIT = 10_001
"""Rows counted at most: one more than is told."""


class Stretch(Protocol):
    """Which part of a list is wanted: places are values of the order's columns."""

    @property
    def backward(self) -> bool: ...
    @property
    def after(self) -> tuple[Any, ...] | None: ...
    @property
    def before(self) -> tuple[Any, ...] | None: ...
    @property
    def limit(self) -> int: ...


@dataclass(frozen=True, eq=False)
class Listing:
    """One list: what is read, the orders it comes in, and the conditions it can be narrowed by.

    Every condition has one parameter of its own name; `parent` is the column by which a list is cut
    into one for each parent, such as a client's contacts. `only` holds for every reading of the list.
    """

    columns: Sequence[ColumnElement[Any]]
    tenant: ColumnElement[UUID]
    orders: Mapping[str, Sequence[ColumnElement[Any]]]
    conditions: Mapping[str, ColumnElement[bool]] = field(default_factory=dict)
    parent: ColumnElement[UUID] | None = None
    only: Sequence[ColumnElement[bool]] = ()

    async def rows(
        self,
        tx: Transaction,
        order: str,
        stretch: Stretch,
        where: Mapping[str, object] | None = None,
        *,
        descending: bool = False,
    ) -> list[asyncpg.Record]:
        """Return the rows of a stretch, from its near end to its far end."""
        statement = self._stretch(order, self._shape(stretch, descending=descending), tuple(sorted(where or ())))
        return await tx.rows(statement, tenant=tx.tenant, **_places(stretch), **(where or {}))

    async def rows_of(
        self,
        tx: Transaction,
        parents: Sequence[UUID],
        order: str,
        stretch: Stretch,
        where: Mapping[str, object] | None = None,
        *,
        descending: bool = False,
    ) -> dict[UUID, list[asyncpg.Record]]:
        """Return the rows of one stretch for each parent, in one statement."""
        shape = self._shape(stretch, descending=descending)
        statement = self._stretches(order, shape, tuple(sorted(where or ())))
        rows = await tx.rows(statement, tenant=tx.tenant, parents=list(parents), **_places(stretch), **(where or {}))
        grouped: dict[UUID, list[asyncpg.Record]] = {parent: [] for parent in parents}
        for row in rows:
            grouped[row["parent_key"]].append(row)
        return grouped

    async def count(self, tx: Transaction, where: Mapping[str, object] | None = None) -> int:
        """Return how many rows there are, counting no further than one beyond what is told."""
        statement = self._count(tuple(sorted(where or ())))
        return int(await tx.value(statement, tenant=tx.tenant, **(where or {})))

    async def count_of(
        self, tx: Transaction, parents: Sequence[UUID], where: Mapping[str, object] | None = None
    ) -> dict[UUID, int]:
        """Return how many rows each parent has, in one statement."""
        statement = self._counts(tuple(sorted(where or ())))
        rows = await tx.rows(statement, tenant=tx.tenant, parents=list(parents), **(where or {}))
        return {row["parent_key"]: row["counted"] for row in rows}

    def _shape(self, stretch: Stretch, *, descending: bool) -> "_Shape":
        return _Shape(stretch.backward != descending, descending, stretch.after is not None, stretch.before is not None)

    def _base(self, where: Sequence[str]) -> Select[Any]:
        conditions = [self.conditions[name] for name in where]
        return select(*self.columns).where(self.tenant == bindparam("tenant", type_=Uuid()), *self.only, *conditions)

    # The caches keep one statement for each shape asked for, so that each is compiled once.
    @functools.cache  # noqa: B019 -- listings live as long as the process
    def _stretch(self, order: str, shape: "_Shape", where: tuple[str, ...]) -> Select[Any]:
        return self._within(self._base(where), order, shape)

    @functools.cache  # noqa: B019 -- as above
    def _stretches(self, order: str, shape: "_Shape", where: tuple[str, ...]) -> Select[Any]:
        parents = _parents()
        unread = [column for column in self.orders[order] if column.key not in {read.key for read in self.columns}]
        base = self._base(where).add_columns(*unread).where(self._parent == parents.c.key)
        inner = self._within(base, order, shape).lateral("inner_rows")
        directed = [inner.c[column.key or ""] for column in self.orders[order]]
        return (
            select(parents.c.key.label("parent_key"), *inner.c)
            .select_from(parents.join(inner, true()))
            .order_by(parents.c.key, *(c.desc() if shape.downwards else c for c in directed))
        )

    @functools.cache  # noqa: B019 -- as above
    def _count(self, where: tuple[str, ...]) -> Select[Any]:
        limited: Any = self._base(where).with_only_columns(literal_column("1").label("one")).limit(COUNT_LIMIT)
        return select(func.count()).select_from(limited.subquery())

    @functools.cache  # noqa: B019 -- as above
    def _counts(self, where: tuple[str, ...]) -> Select[Any]:
        parents = _parents()
        limited: Any = (
            self._base(where)
            .where(self._parent == parents.c.key)
            .with_only_columns(literal_column("1").label("one"))
            .limit(COUNT_LIMIT)
            .lateral("limited")
        )
        counted = func.count(limited.c.one).label("counted")
        joined = parents.outerjoin(limited, true())
        return select(parents.c.key.label("parent_key"), counted).select_from(joined).group_by(parents.c.key)

    @property
    def _parent(self) -> ColumnElement[UUID]:
        if self.parent is None:
            raise TypeError("this list has no parent column to be cut by")
        return self.parent

    def _within(self, base: Select[Any], order: str, shape: "_Shape") -> Select[Any]:
        columns = self.orders[order]
        place = tuple_(*columns)
        if shape.after:
            edge = _edge("after", columns)
            base = base.where(place < edge if shape.descending else place > edge)
        if shape.before:
            edge = _edge("before", columns)
            base = base.where(place > edge if shape.descending else place < edge)
        directed = [column.desc() if shape.downwards else column for column in columns]
        return base.order_by(*directed).limit(bindparam("limit", type_=literal_column("1").type))


@dataclass(frozen=True, slots=True)
class _Shape:
    """What makes one paging statement different from another; `downwards` is how rows are read."""

    downwards: bool
    descending: bool
    after: bool
    before: bool


def _parents() -> Any:
    listed = bindparam("parents", type_=ARRAY(Uuid()))
    return select(func.unnest(listed, type_=Uuid()).label("key")).subquery("parents")


def _edge(side: str, columns: Sequence[ColumnElement[Any]]) -> ColumnElement[Any]:
    return tuple_(*(bindparam(f"{side}_{index}", type_=column.type) for index, column in enumerate(columns)))


def _places(stretch: Stretch) -> dict[str, object]:
    places: dict[str, object] = {"limit": stretch.limit}
    for side, place in (("after", stretch.after), ("before", stretch.before)):
        places |= {f"{side}_{index}": value for index, value in enumerate(place or ())}
    return places
