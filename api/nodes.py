"""Nodes: any object by its id alone, whatever its kind."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

import strawberry

from api.context import Info, OperationContext
from api.errors import BadUserInput
from api.fields import FieldPrice, query_field
from domain.access import Scope
from domain.ids import IdKind, kind_of, parse

MAX_NODES = 100

Batch = Callable[[OperationContext, Sequence[UUID]], Awaitable[Sequence[object | None]]]


@strawberry.interface(description="An object that has an id of its own, the same in the API, in events and in exports.")
class Node:
    id: strawberry.ID = strawberry.field(description="The object's opaque id: a short prefix and 32 digits.")


@dataclass(frozen=True, slots=True)
class _Source:
    batch: Batch
    scope: Scope | None


_SOURCES: dict[IdKind, _Source] = {}


def nodes_of(kind: IdKind, batch: Batch, scope: Scope | None) -> None:
    """Let `node` find objects of a kind: a loader's batch function, and the scope to read them if it takes one."""
    _SOURCES[kind] = _Source(batch, scope)


async def _find(context: OperationContext, id_: str) -> object | None:
    kind = kind_of(id_)
    key = parse(kind, id_)
    source = _SOURCES.get(kind)
    if source is None:
        return None
    if source.scope is not None:
        context.principal.require(source.scope)
    return await context.loader(source.batch).load(key)


Id = Annotated[strawberry.ID, strawberry.argument(description="The object's id.")]
Ids = Annotated[list[strawberry.ID], strawberry.argument(description="The objects' ids, of any kind.")]


@strawberry.type
class NodesQuery:
    @query_field(description="One object by its id, or `null` if none with this id is visible to you.")
    async def node(self, info: Info, id: Id) -> Node | None:
        return await _find(info.context, id)  # type: ignore[return-value]

    @query_field(
        description="Up to 100 objects by their ids, in the same order, `null` for each that is not visible to you.",
        cost=FieldPrice(sized_by=("ids",)),
    )
    async def nodes(self, info: Info, ids: Ids) -> list[Node | None]:
        if len(ids) > MAX_NODES:
            raise BadUserInput(f"ids: {len(ids)} are too many; ask for at most {MAX_NODES} at a time.")
        # An exception in the list is the error of that one item.
        found = await asyncio.gather(*(_find(info.context, id_) for id_ in ids), return_exceptions=True)
        return list(found)  # type: ignore[arg-type]
