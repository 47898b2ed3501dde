"""Whole lists: a field that can answer for all rows of a list is asked once, and not row by row.

A resolver that loads costs every row a coroutine, a future and a reading of its arguments, several
times what is read. A field made with `for_all` is given all rows at once; whatever goes wrong then is
done over by graphql-core, row by row, which says precisely what is wrong and where.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLField, get_argument_values
from strawberry.types.arguments import convert_arguments
from strawberry.types.field import StrawberryField

from api.context import OperationContext
from api.fields import ForAll, scope_of

Read = Callable[[Any], Any]
Load = Callable[[Any, Sequence[Any]], Awaitable[Sequence[Any]]]
"""Takes the executor, whose context each event of a subscription has anew, and all rows."""


@dataclass(frozen=True, slots=True)
class Column:
    """One field of all rows: read off each, or loaded for all of them and then completed."""

    name: str
    read: Read
    load: Load | None = None

    async def of(self, executor: Any, rows: Sequence[Any]) -> list[Any]:
        values = rows if self.load is None else await self.load(executor, rows)
        return [self.read(value) for value in values]


async def rows_of(executor: Any, columns: Sequence[Column], rows: Sequence[Any]) -> list[dict[str, Any]]:
    """Return what is shown of all rows; what has to be loaded is asked for together, so that loaders batch it."""
    names = [column.name for column in columns]
    found = await asyncio.gather(*(column.of(executor, rows) for column in columns), return_exceptions=True)
    for values in found:
        if isinstance(values, BaseException):
            raise values
    return [dict(zip(names, row, strict=True)) for row in zip(*found, strict=True)]


def loading(field: GraphQLField, details: Any) -> Load | None:
    """Return how a field is loaded for all rows, or `None` where it has no such way."""
    definition = (field.extensions or {}).get("strawberry-definition")
    if not isinstance(definition, StrawberryField) or definition.base_resolver is None:
        return None
    arguments = definition.arguments
    for_all: ForAll | None = getattr(definition.base_resolver.wrapped_func, "for_all", None)
    if for_all is None:
        return None

    async def load(executor: Any, rows: Sequence[Any]) -> Sequence[Any]:
        context: OperationContext = executor.context_value
        if scope := scope_of(field):
            context.principal.require(scope)
        converter = executor.schema._strawberry_schema.schema_converter  # noqa: SLF001 -- the way strawberry takes
        first = details[0]
        given = get_argument_values(field, first.node, executor.variable_values, first.fragment_variable_values)
        read = convert_arguments(given, arguments, scalar_registry=converter.scalar_registry, config=converter.config)
        return await for_all(context, rows, **read)

    return load
