"""Streams: server-sent events by graphql-sse's distinct connections mode, one operation each."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import msgspec
from graphql import OperationType
from starlette.responses import Response, StreamingResponse
from starlette.types import Scope

from api.bodies import GraphQLRequest
from api.connections import Connections
from api.credentials import Credentials, End
from api.errors import ApiError, Unauthenticated, body_of
from api.hardening import note
from api.operations import Rejected
from api.running import Answer, Caller, Runner, facts_of, rate_headers, refusal
from api.settings import Settings
from api.subscriptions import CredentialEnded, Open, Subscriptions

KEEP_ALIVE_S = 12.0
_COMPLETE = b"event: complete\ndata:\n\n"


class Streams:
    """Opens event streams on POST /graphql."""

    def __init__(
        self,
        runner: Runner,
        subscriptions: Subscriptions,
        credentials: Credentials,
        connections: Connections,
        settings: Settings,
    ) -> None:
        self._runner = runner
        self._subscriptions = subscriptions
        self._credentials = credentials
        self._connections = connections
        self._settings = settings

    async def open(self, asked: GraphQLRequest, caller: Caller, request_id: str, scope: Scope) -> Response | Answer:
        """Return a stream, or the answer that refuses one."""
        try:
            operation, context = self._runner.admit(asked, caller, request_id)
        except (Rejected, ApiError) as error:
            return refusal(error, request_id)
        note(scope, **facts_of(operation))
        headers = {"cache-control": "no-store", "x-accel-buffering": "no", **rate_headers(context.rate)}
        if operation.kind is not OperationType.SUBSCRIPTION:
            answer = await self._runner.execute(operation, context)
            return Response(_next(answer.encoded()) + _COMPLETE, 200, headers, "text/event-stream")
        stack = AsyncExitStack()
        try:
            stack.enter_context(self._connections.held("streams", caller.key, self._settings.caller.streams))
            stopped = asyncio.Event()
            credential = await stack.enter_async_context(self._credentials.watched(caller, lambda _: stopped.set()))
            stack.enter_context(self._connections.ended_by_drain(stopped.set))
            opened = await stack.enter_async_context(self._subscriptions.opened(operation, context, credential))
        except (Rejected, ApiError) as error:
            await stack.aclose()
            return refusal(error, request_id)
        return StreamingResponse(self._events(stack, opened, stopped, request_id), 200, headers, "text/event-stream")

    async def _events(
        self, stack: AsyncExitStack, opened: Open, stopped: asyncio.Event, request_id: str
    ) -> AsyncIterator[bytes]:
        async with stack:
            try:
                async for body in self._answers(opened, stopped):
                    yield b":\n\n" if body is None else _next(body.encode())
            except CredentialEnded:
                ended = Unauthenticated(End.TOKEN.value)
                yield _next(msgspec.json.encode(body_of(ended, request_id))) + _COMPLETE
            except Rejected as error:
                yield _next(refusal(error, request_id).encoded()) + _COMPLETE
            else:
                if not self._connections.draining:
                    yield _COMPLETE
                # A server about to stop sends no `complete`: the client is to connect again.

    async def _answers(self, opened: Open, stopped: asyncio.Event) -> AsyncIterator[str | None]:
        """Yield answers as they come, and `None` now and then to show that the line is alive."""
        answers = aiter(opened.answers())
        stopping = asyncio.ensure_future(stopped.wait())
        coming: asyncio.Future[str] | None = None
        try:
            yield None
            while not stopping.done():
                coming = coming or asyncio.ensure_future(anext(answers))
                await asyncio.wait((coming, stopping), timeout=KEEP_ALIVE_S, return_when=asyncio.FIRST_COMPLETED)
                if coming.done():
                    yield coming.result()
                    coming = None
                elif not stopping.done():
                    yield None
            if not self._connections.draining:
                raise CredentialEnded
        except StopAsyncIteration:
            return
        finally:
            stopping.cancel()
            if coming is not None:
                coming.cancel()
                await asyncio.wait((coming,))


def _next(data: bytes) -> bytes:
    return b"event: next\ndata: " + data + b"\n\n"
