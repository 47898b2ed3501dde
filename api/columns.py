"""Columns: what is selected of objects is read for all of them at once, field by field.

A list of a hundred objects with ten fields is ten columns, not a thousand fields: each is read in one
pass, and what has to be loaded for a column is asked for together. Nothing here knows GraphQL's errors.
Whatever goes wrong, or is not what its type says, is raised; graphql-core then does it over.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, compress, islice
from typing import Any, Protocol

from graphql.execution.values import VariableValues

from api.context import OperationContext
from api.leaves import NOTHING, NotPlain, Show


@dataclass(frozen=True, slots=True)
class Asking:
    """For whom an operation is read, and with which variables; resolvers are given it as their `info`."""

    context: OperationContext
    variables: VariableValues


Load = Callable[[Asking, Sequence[Any]], Awaitable[Sequence[Any]]]
"""Takes objects to the value that each has of one field."""


class Shown(Protocol):
    """How the values of a column are shown; `waits` says whether something may have to be loaded for that."""

    @property
    def waits(self) -> bool: ...

    async def show(self, asking: Asking, values: Sequence[Any]) -> list[Any]:
        """Return what the answer shows of each value.

        Raises whatever there is: the values are then not shown in the short way.
        """
        ...


@dataclass(frozen=True, slots=True)
class Column:
    """One field of a selection: how it is got of objects, and how that is shown."""

    name: str
    load: Load
    shown: Shown
    loads: bool

    @property
    def waits(self) -> bool:
        return self.loads or self.shown.waits

    async def read(self, asking: Asking, objects: Sequence[Any]) -> list[Any]:
        """Return the field of each object as the answer shows it."""
        return await self.shown.show(asking, await self.load(asking, objects))


@dataclass(slots=True)
class Selection:
    """What is selected of the objects of one type, in the order of the document."""

    columns: Sequence[Column] = ()
    names: Sequence[str] = field(init=False)
    together: bool = field(init=False)

    def __post_init__(self) -> None:
        self.names = tuple(column.name for column in self.columns)
        self.together = sum(column.waits for column in self.columns) > 1

    @property
    def waits(self) -> bool:
        return any(column.waits for column in self.columns)

    async def rows(self, asking: Asking, objects: Sequence[Any]) -> list[dict[str, Any]]:
        """Return what the answer shows of objects; what has to be loaded is asked for at the same time."""
        if not objects:
            return []
        if self.together:
            found = await at_once(column.read(asking, objects) for column in self.columns)
        else:
            found = [await column.read(asking, objects) for column in self.columns]
        return [dict(zip(self.names, row, strict=True)) for row in zip(*found, strict=True)]


@dataclass(frozen=True, slots=True)
class Leaf:
    """Scalars and enum values."""

    leaf: Show
    waits: bool = False

    async def show(self, _: Asking, values: Sequence[Any]) -> list[Any]:
        return self.leaf(values)


@dataclass(frozen=True, slots=True)
class Objects:
    """Objects, each shown as its class says; `None` stands for any class where a type has no other sign."""

    selections: Mapping[type | None, Selection]
    nullable: bool
    waits: bool

    async def show(self, asking: Asking, values: Sequence[Any]) -> list[Any]:
        classes = set(map(type, values))
        if NOTHING in classes:
            if not self.nullable:
                raise NotPlain
            present = [value is not None for value in values]
            return _refilled(present, iter(await self.show(asking, list(compress(values, present)))))
        if len(classes) <= 1:
            return await self._selection(*classes).rows(asking, values) if classes else []
        shown: dict[type, Iterator[Any]] = {}
        for one in classes:
            same = [value for value in values if type(value) is one]
            shown[one] = iter(await self._selection(one).rows(asking, same))
        return [next(shown[type(value)]) for value in values]

    def _selection(self, one: type) -> Selection:
        found = self.selections.get(one) or self.selections.get(None)
        if found is None or issubclass(one, Exception):
            raise NotPlain
        return found


@dataclass(frozen=True, slots=True)
class Many:
    """Lists: what all of them hold is shown as one column, and cut again."""

    each: Shown
    nullable: bool

    @property
    def waits(self) -> bool:
        return self.each.waits

    async def show(self, asking: Asking, values: Sequence[Any]) -> list[Any]:
        classes = set(map(type, values))
        if not classes <= {list, tuple}:
            if not (self.nullable and classes <= {list, tuple, NOTHING}):
                raise NotPlain
            present = [value is not None for value in values]
            return _refilled(present, iter(await self.show(asking, list(compress(values, present)))))
        if len(values) == 1:
            return [await self.each.show(asking, values[0])]
        alike = {id(value): value for value in values}
        if len(alike) < len(values):
            # One list that many objects share, such as the first days of all series, is shown once.
            shown_once = dict(zip(alike, await self.show(asking, list(alike.values())), strict=True))
            return [shown_once[id(value)] for value in values]
        shown = iter(await self.each.show(asking, list(chain.from_iterable(values))))
        return [list(islice(shown, len(value))) for value in values]


def _refilled(present: Sequence[bool], shown: Iterator[Any]) -> list[Any]:
    return [next(shown) if there else None for there in present]


async def at_once(works: "Iterator[Awaitable[Any]]") -> list[Any]:
    """Return what comes of all of them; the first failure is raised when none is under way any more."""
    found = await asyncio.gather(*works, return_exceptions=True)
    for one in found:
        if isinstance(one, BaseException):
            raise one
    return found
