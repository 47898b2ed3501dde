"""One open socket: its caller, and the operations under way on it, by the protocol graphql-transport-ws."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import structlog
from graphql import OperationType
from starlette.types import Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from api import metrics
from api.auth import bearer_of_init
from api.closing import Close, Closing, refusing
from api.credentials import Credential, End
from api.errors import ApiError, BadRequest, RateLimited
from api.hardening import address_of
from api.operations import Rejected
from api.running import Answer, Caller, failure, refusal
from api.socket_messages import Complete, Init, Message, Ping, Pong, Subscribe, read_message, request_of
from api.subscriptions import CredentialEnded, Open

if TYPE_CHECKING:
    from api.sockets import Sockets

log = structlog.get_logger("api")

_MOST_REASON_BYTES = 120


@dataclass(frozen=True, slots=True)
class Session:
    """Who has opened a socket, with a credential that is watched."""

    caller: Caller
    credential: Credential


class Socket:
    """One open socket: its caller, and its operations under way."""

    def __init__(self, sockets: "Sockets", websocket: WebSocket, send: Send) -> None:
        self._sockets = sockets
        self._websocket = websocket
        self._settings = sockets.settings
        self._request_id: str = websocket.scope["state"]["request_id"]
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._write = send
        self._sending_since: list[float] = []
        self._last_cursor: str | None = None
        self._stopped: asyncio.Future[Closing] = asyncio.get_running_loop().create_future()
        self._stack = AsyncExitStack()
        self._who: dict[str, str] = {}
        self._count = 0

    async def serve(self) -> None:
        """Serve until either side closes.

        Raises:
            Closing: the server's side closes, with code and reason.
            WebSocketDisconnect: the client's side has closed.
        """
        reading = asyncio.ensure_future(self._read())
        try:
            with self._sockets.connections.ended_by_drain(
                lambda: self._stop(Close.RESTART, "The server restarts; connect again.")
            ):
                await asyncio.wait((reading, self._stopped), return_when=asyncio.FIRST_COMPLETED)
            if self._stopped.done():
                raise self._stopped.result()
            reading.result()
        finally:
            tasks = [reading, *self._operations.values()]
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            await self._stack.aclose()

    async def close(self, closing: Closing) -> None:
        """Close, past whatever the client has left unread."""
        metrics.CLOSED.labels(str(int(closing.code))).inc()
        facts = {"request_id": self._request_id, "code": int(closing.code), "reason": closing.reason}
        log.info("socket closed", **facts, **self._who)
        reason = closing.reason.encode()[:_MOST_REASON_BYTES].decode(errors="ignore")
        with suppress(RuntimeError, WebSocketDisconnect, OSError):
            await self._websocket.send(
                {"type": "websocket.close", "code": int(closing.code), "reason": reason, "urgent": True}
            )

    def close_if_slow(self, patience_s: float) -> None:
        """Have the socket closed if the client has left something unread for longer than this."""
        if self._sending_since and time.monotonic() - min(self._sending_since) > patience_s:
            place = f"; go on after {self._last_cursor}" if self._last_cursor else ""
            self._stop(Close.DUPLICATE_OR_SLOW, f"Too slow{place}")

    def _stop(self, code: Close, reason: str) -> None:
        if not self._stopped.done():
            self._stopped.set_result(Closing(code, reason))

    def _stop_for(self, end: End) -> None:
        # Clients take 4401 as final and come back after 4403, which then shows what they may see now.
        self._stop(Close.UNAUTHENTICATED if end is End.TOKEN else Close.FORBIDDEN, end.value)

    async def _read(self) -> None:
        session = await self._begin()
        while True:
            message = await self._receive()
            if isinstance(message, Subscribe):
                await self._subscribe(message, session)
            else:
                await self._obey(message)

    async def _begin(self) -> Session:
        """Wait for connection_init with a credential that holds."""
        try:
            async with asyncio.timeout(self._settings.socket_init_seconds):
                message = await self._receive()
                while isinstance(message, Ping | Pong):
                    await self._obey(message)
                    message = await self._receive()
        except TimeoutError:
            raise Closing(Close.INIT_TIMEOUT, "No connection_init came in time.") from None
        if not isinstance(message, Init):
            raise Closing(Close.UNAUTHENTICATED, "Begin with connection_init.")
        try:
            token = bearer_of_init(message.payload)
            principal = await self._sockets.authenticator.principal(token, address_of(self._websocket.scope))
            caller = Caller(principal, token)
            held = self._sockets.connections.held("sockets", caller.key, self._settings.caller.sockets)
            self._stack.enter_context(held)
        except RateLimited as error:
            raise Closing(Close.LIMIT, error.message) from error
        except Exception as error:
            raise refusing(error, self._request_id) from error
        self._who = {"tenant": str(principal.tenant_id), "principal": str(principal.id)}
        watched = self._sockets.credentials.watched(caller, self._stop_for)
        session = Session(caller, await self._stack.enter_async_context(watched))
        await self._send({"type": "connection_ack"})
        return session

    async def _receive(self) -> Message:
        message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code") or 1005)
        try:
            return read_message(message.get("text"))
        except BadRequest as error:
            raise Closing(Close.BAD_MESSAGE, error.message) from error

    async def _obey(self, message: Message) -> None:
        match message:
            case Init():
                raise Closing(Close.LIMIT, "Too many initialisation requests.")
            case Ping():
                await self._send({"type": "pong"})
            case Complete(id_):
                if task := self._operations.get(id_):
                    task.cancel()

    async def _subscribe(self, message: Subscribe, session: Session) -> None:
        if message.id in self._operations:
            raise Closing(Close.DUPLICATE_OR_SLOW, f"Subscriber for {message.id} already exists")
        limit = self._settings.caller.operations_per_socket
        self._count += 1
        request_id = f"{self._request_id}-{self._count}"
        if len(self._operations) >= limit:
            error = RateLimited(f"This socket runs {limit} operations, as many as it may; complete one first.", 5)
            await self._send_error(message.id, refusal(error, request_id))
            return
        task = asyncio.ensure_future(self._operate(message, session, request_id))
        self._operations[message.id] = task
        task.add_done_callback(lambda done: self._forget(message.id, done))

    def _forget(self, id_: str, task: asyncio.Task[None] | None) -> None:
        # The id is free again before the last message about it is sent, and may be in use anew.
        if self._operations.get(id_) is task:
            del self._operations[id_]

    async def _operate(self, message: Subscribe, session: Session, request_id: str) -> None:
        """Run one operation; what goes wrong with it is its own."""
        try:
            operation, context = self._sockets.runner.admit(request_of(message), session.caller, request_id)
            if operation.kind is not OperationType.SUBSCRIPTION:
                answer = await self._sockets.runner.execute(operation, context)
                await self._send_text(_head_of_next(message.id) + answer.encoded().decode() + "}")
            else:
                async with self._sockets.subscriptions.opened(operation, context, session.credential) as opened:
                    await self._push(message.id, opened)
        except (Rejected, ApiError) as error:
            await self._send_error(message.id, refusal(error, request_id))
        except CredentialEnded:
            self._stop_for(session.credential.ended or End.TOKEN)
        except (OSError, RuntimeError):
            # The client has gone while something was on its way to it; the reader sees the same.
            return
        except Exception as error:  # noqa: BLE001 -- a fault in one operation leaves the others alone
            await self._send_error(message.id, failure(error, request_id))
        else:
            self._forget(message.id, asyncio.current_task())
            with suppress(OSError, RuntimeError):
                await self._send({"type": "complete", "id": message.id})

    async def _push(self, id_: str, opened: Open) -> None:
        head = _head_of_next(id_)
        async for body in opened.answers():
            await self._send_text(head + body + "}")
            self._last_cursor = opened.last_cursor

    async def _send_error(self, id_: str, answer: Answer) -> None:
        self._forget(id_, asyncio.current_task())
        with suppress(OSError, RuntimeError):
            await self._send({"type": "error", "id": id_, "payload": answer.body["errors"]})

    async def _send(self, message: Mapping[str, Any]) -> None:
        await self._send_text(msgspec.json.encode(message).decode())

    async def _send_text(self, text: str) -> None:
        began = time.monotonic()
        self._sending_since.append(began)
        try:
            await self._write({"type": "websocket.send", "text": text})
        finally:
            self._sending_since.remove(began)


def _head_of_next(id_: str) -> str:
    return f'{{"type":"next","id":{msgspec.json.encode(id_).decode()},"payload":'
