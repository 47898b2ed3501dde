"""What a resolver is handed as `info.context`: one object per operation, on sockets too."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, TypeVar

import strawberry

from api.loaders import Loader, Loaders
from api.rates import Rate
from db.session import Transaction
from domain.access import Principal
from workflows.context import Channel, Context, Request

V = TypeVar("V")
C = TypeVar("C")
O = TypeVar("O")  # noqa: E741 -- the outcome of a command


class OperationContext:
    """Who asks, under which id, with one read-only snapshot and one set of loaders."""

    __slots__ = ("_given_up", "_loaders", "_lock", "_open", "_snapshot", "context", "principal", "rate", "request_id")

    def __init__(self, context: Context, principal: Principal, request_id: str, rate: Rate) -> None:
        self.context = context
        self.principal = principal
        self.request_id = request_id
        self.rate = rate
        self._loaders = Loaders(self)
        self._lock = asyncio.Lock()
        self._open: AsyncExitStack | None = None
        self._snapshot: Transaction | None = None
        self._given_up: Exception | None = None

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Transaction]:
        """Lend the operation's one snapshot, opened on first use, to one reader at a time.

        A failed statement rolls it back, and the next reader opens a new one. Read and leave: a
        loader awaited inside the block would wait for this very block to end.
        """
        async with self._lock:
            if self._given_up is not None:
                raise self._given_up
            try:
                if self._snapshot is None:
                    stack = AsyncExitStack()
                    self._snapshot = await stack.enter_async_context(self.context.database.reading(self.principal))
                    self._open = stack
                yield self._snapshot
            except BaseException as error:
                await self._roll_back(error)
                raise

    def give_up(self, error: Exception) -> None:
        """Let every further reader fail as one has failed, instead of waiting as long for the same."""
        self._given_up = error

    def loader(self, batch: Callable[..., Awaitable[Sequence[V]]], *parameters: Hashable) -> Loader[Any, V]:
        """Return the operation's loader of a batch function: `await info.context.loader(batch).load(key)`."""
        return self._loaders.of(batch, *parameters)

    def command(self, idempotency_key: str | None = None, *, historical: bool = False) -> Request:
        """Return how this command came in, for the audit trail and for sending it again safely."""
        return Request(self.request_id, Channel.API, idempotency_key, historical=historical)

    async def perform(self, verb: Callable[..., Awaitable[O]], *arguments: Any, **named: Any) -> O:
        """Run a use case as this caller, and read afresh afterwards."""
        try:
            return await verb(self.context, self.principal, *arguments, **named)
        finally:
            await self.renew()

    async def renew(self) -> None:
        """End the snapshot and forget what loaders hold: a command has run, or the next event has come."""
        self._loaders.clear()
        async with self._lock:
            stack, self._open, self._snapshot = self._open, None, None
            if stack is not None:
                await stack.aclose()

    close = renew

    async def _roll_back(self, error: BaseException) -> None:
        stack, self._open, self._snapshot = self._open, None, None
        if stack is not None:
            # The transaction leaves by the error's way out; what it raises anew is the same error.
            try:
                await stack.__aexit__(type(error), error, error.__traceback__)
            except BaseException as again:
                if again is not error:
                    raise


Info = strawberry.Info[OperationContext, Any]
"""The type of a resolver's `info` argument."""
