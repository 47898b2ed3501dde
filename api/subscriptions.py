"""Subscriptions: events become answers, once for all who asked the same with the same rights."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Hashable
from contextlib import asynccontextmanager, suppress
from typing import Any

import msgspec
import structlog
from graphql import GraphQLError

from api import metrics
from api.context import OperationContext
from api.credentials import Credential
from api.errors import present_all
from api.operations import Operation, Operations, Rejected, Subscription
from api.running import log_internals, shown

log = structlog.get_logger("api")

_KEPT_RESPONSES = 1_024
_KEPT_CHARACTERS = 65_536
"""A longer response is shared by those who already wait for it, and not kept."""


class CredentialEnded(Exception):
    """The token behind an open subscription was revoked, has expired, or stands for other rights now."""


class Subscriptions:
    """Opens subscriptions of one process, and shares what they answer.

    A source that hands the same event object to many subscribers has it executed and rendered once
    for each distinct operation, variables and principal.
    """

    def __init__(self, operations: Operations, seconds: float) -> None:
        self._operations = operations
        self.seconds = seconds
        self._rendered: OrderedDict[Hashable, tuple[object, asyncio.Task[str]]] = OrderedDict()

    @asynccontextmanager
    async def opened(
        self, operation: Operation, context: OperationContext, credential: Credential
    ) -> AsyncIterator["Open"]:
        """Open a subscription for as long as the block lasts.

        Raises:
            Rejected: the variables do not fit, or the resolver refused.
        """
        subscription = await self._operations.subscribe(operation, context)
        metrics.SUBSCRIPTIONS.inc()
        opened = Open(self, operation, subscription, context, credential)
        try:
            yield opened
        finally:
            metrics.SUBSCRIPTIONS.dec()
            source = subscription.source
            if isinstance(source, AsyncGenerator):
                with suppress(Exception):
                    await source.aclose()
            with suppress(Exception):
                await context.close()

    async def render(self, opened: "Open", event: Any) -> str:
        """Return the rendered answer to one event, made once for all who share it."""
        key = (opened.share, id(event))
        found = self._rendered.get(key)
        if found is None or found[1].cancelled():
            # A task of its own: the first subscriber may leave while others wait for the answer.
            # The event is kept with it, so that its identity is not given to another one meanwhile.
            found = self._rendered[key] = (event, asyncio.ensure_future(opened.answer(event)))
            found[1].add_done_callback(lambda task: self._forget_long(key, task))
            if len(self._rendered) > _KEPT_RESPONSES:
                self._rendered.popitem(last=False)
        metrics.PUSHED.inc()
        task = found[1]
        return task.result() if task.done() else await asyncio.shield(task)

    def _forget_long(self, key: Hashable, task: asyncio.Task[str]) -> None:
        if task.cancelled() or len(task.result()) > _KEPT_CHARACTERS:
            self._rendered.pop(key, None)


class Open:
    """One open subscription; `last_cursor` is the feed's place of the last event that was taken."""

    def __init__(
        self,
        subscriptions: Subscriptions,
        operation: Operation,
        subscription: Subscription,
        context: OperationContext,
        credential: Credential,
    ) -> None:
        self._subscriptions = subscriptions
        self._subscription = subscription
        self._context = context
        self._credential = credential
        self.last_cursor: str | None = None
        variables = msgspec.json.encode(operation.variables, order="deterministic")
        self.share = (_Same(operation.document), operation.name, variables, credential.caller.key)

    async def answers(self) -> AsyncIterator[str]:
        """Yield the rendered answer to every event.

        Raises:
            CredentialEnded: nothing more may be shown.
            Rejected: the source failed; the errors say why.
        """
        iterator = aiter(self._subscription.source)
        while True:
            try:
                event = await anext(iterator)
            except StopAsyncIteration:
                return
            except Exception as error:
                located = error if isinstance(error, GraphQLError) else GraphQLError(str(error), original_error=error)
                raise Rejected([located], 400) from error
            if not await self._credential.holds(event):
                raise CredentialEnded
            yield await self._subscriptions.render(self, event)
            self.last_cursor = getattr(event, "cursor", None)

    async def answer(self, event: Any) -> str:
        """Execute the operation for one event, in a context of its own."""
        old = self._context
        context = OperationContext(old.context, old.principal, old.request_id, old.rate)
        try:
            async with asyncio.timeout(self._subscriptions.seconds):
                body, _ = shown(await self._subscription.respond(event, context), context.request_id)
        except Exception as error:  # noqa: BLE001 -- one event that fails leaves the stream open
            failed = GraphQLError("internal", original_error=error)
            log_internals([failed], context.request_id)
            body = {"errors": present_all([failed], context.request_id)[0]}
        finally:
            await context.close()
        return msgspec.json.encode(body).decode()


class _Same:
    """Equal only to another of the very same object, and keeps that object alive."""

    __slots__ = ("_object",)

    def __init__(self, object_: object) -> None:
        self._object = object_

    def __hash__(self) -> int:
        return id(self._object)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other._object is self._object
