"""Loaders: what many fields ask for one by one is read in one statement, once per operation."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from api.context import OperationContext

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

Batch = Callable[..., Awaitable[Sequence[V]]]
"""`async def batch(context, keys, *parameters)`: one value per key, in the order of the keys."""


class Loader(Generic[K, V]):
    """Gathers the keys asked for in one turn of the event loop, reads them in one batch, and remembers what came."""

    __slots__ = ("_found", "_read", "_waiting", "_working")

    def __init__(self, read: Callable[[list[K]], Awaitable[Sequence[V]]]) -> None:
        self._read = read
        self._found: dict[K, asyncio.Future[V]] = {}
        self._waiting: list[K] = []
        self._working: set[asyncio.Task[None]] = set()

    def load(self, key: K) -> "asyncio.Future[V]":
        """Return the value of a key, read together with what else is asked for at this moment."""
        found = self._found.get(key)
        if found is None:
            loop = asyncio.get_running_loop()
            found = self._found[key] = loop.create_future()
            if not self._waiting:
                loop.call_soon(self._start)
            self._waiting.append(key)
        return found

    async def load_many(self, keys: Iterable[K]) -> list[V]:
        """Return the values of keys, in their order."""
        return await asyncio.gather(*map(self.load, keys))

    def _start(self) -> None:
        # The loop itself keeps only a weak hold of its tasks.
        working = asyncio.ensure_future(self._batch())
        self._working.add(working)
        working.add_done_callback(self._working.discard)

    async def _batch(self) -> None:
        keys, self._waiting = self._waiting, []
        try:
            found = list(zip(keys, await self._read(keys), strict=True))
        except BaseException as error:
            # Whoever awaits a key is told, even where the batch was cancelled with the operation.
            for key in keys:
                _settle(self._found[key], error)
            if not isinstance(error, Exception):
                raise
        else:
            for key, value in found:
                _settle(self._found[key], value)


def _settle(waiting: "asyncio.Future[Any]", value: Any) -> None:
    if waiting.done():
        return  # nobody waits any more: the operation was cancelled
    if isinstance(value, asyncio.CancelledError):
        waiting.cancel()
    elif isinstance(value, BaseException):
        waiting.set_exception(value)
    else:
        waiting.set_result(value)


class Loaders:
    """The loaders of one operation, made on first use and forgotten with what they hold."""

    __slots__ = ("_context", "_made")

    def __init__(self, context: "OperationContext") -> None:
        self._context = context
        self._made: dict[Hashable, Loader[Any, Any]] = {}

    def of(self, batch: Callable[..., Awaitable[Sequence[V]]], *parameters: Hashable) -> Loader[Any, V]:
        """Return the loader of a batch function; other parameters make another loader."""
        key = (batch, parameters)
        found = self._made.get(key)
        if found is None:
            found = self._made[key] = Loader(partial(_load, self._context, batch, parameters))
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
