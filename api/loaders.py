"""Loaders: what many fields ask for one by one is read in one statement, once per operation."""

from collections.abc import Awaitable, Callable, Hashable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from strawberry.dataloader import DataLoader

if TYPE_CHECKING:
    from api.context import OperationContext

K = TypeVar("K")
V = TypeVar("V")

Batch = Callable[..., Awaitable[Sequence[V]]]
"""`async def batch(context, keys, *parameters)`: one value per key, in the order of the keys."""


class Loaders:
    """The loaders of one operation, made on first use and forgotten with what they hold."""

    __slots__ = ("_context", "_made")

    def __init__(self, context: "OperationContext") -> None:
        self._context = context
        self._made: dict[Hashable, DataLoader[Any, Any]] = {}

    def of(self, batch: Callable[..., Awaitable[Sequence[V]]], *parameters: Hashable) -> DataLoader[Any, V]:
        """Return the loader of a batch function; other parameters make another loader."""
        key = (batch, parameters)
        found = self._made.get(key)
        if found is None:
            found = self._made[key] = DataLoader(partial(_load, self._context, batch, parameters))
        return found

    def clear(self) -> None:
        """Forget everything read so far: something was written, or the next event has come."""
        self._made.clear()


async def _load(
    context: "OperationContext",
    batch: Callable[..., Awaitable[Sequence[V]]],
    parameters: Sequence[Hashable],
    keys: list[K],
) -> Sequence[V]:
    return await batch(context, keys, *parameters)
