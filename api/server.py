"""The server: uvicorn with the limits that it lacks, and an end that leaves nobody hanging."""

import asyncio
import gc
import socket
from typing import Any

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from api.settings import Settings

SOCKET_MESSAGE_BYTES = 262_144
_KEEP_ALIVE_S = 5
_OBJECTS_PER_COLLECTION = 20_000
"""About as many as one long answer makes: nearly all go with it, and looking through them sooner finds nothing."""
_PING_S = 20.0
_LINGER_S = 2.0
"""How long a reader that was too slow has to take what is left before the line is cut."""


def serve(app: Starlette, settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM, then answer what is under way and stop."""
    server(app, settings).run()


def server(app: Starlette, settings: Settings) -> "Server":
    """Return a server that is configured and not yet started."""
    return Server(
        uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            loop="uvloop",
            http=_protocol(settings),
            ws=_SocketProtocol,
            ws_max_size=SOCKET_MESSAGE_BYTES,
            ws_per_message_deflate=False,
            ws_ping_interval=_PING_S,
            ws_ping_timeout=_PING_S,
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=True,
            forwarded_allow_ips=settings.trusted_proxies,
            limit_concurrency=settings.connections,
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=settings.shutdown_seconds,
        )
    )


class Server(uvicorn.Server):
    """Asks sockets and streams to end before it waits for what is under way."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen, with all that is loaded set aside: a collection would go through it again and again."""
        await super().startup(sockets)
        gc.collect()
        gc.freeze()
        gc.set_threshold(_OBJECTS_PER_COLLECTION)

    async def until_stopped(self, listening: list[socket.socket] | None = None) -> None:
        """Serve until `stop`, with signals left to the caller: uvicorn's own way raises them again at its end."""
        await self._serve(listening)

    def stop(self) -> None:
        """Begin to stop; called again, stop without waiting for what is under way."""
        self.force_exit = self.should_exit
        self.should_exit = True

    async def shutdown(self, sockets: list[Any] | None = None) -> None:
        app = self.config.app
        if isinstance(app, Starlette):
            app.state.connections.drain()
            # Each socket sends its own close code; then uvicorn closes whatever is left.
            await asyncio.sleep(0.05)
        await super().shutdown(sockets)


def _protocol(settings: Settings) -> type[HttpToolsProtocol]:
    """Return an HTTP protocol with these deadlines; uvicorn makes one instance per connection."""
    return type(
        "BoundedHttpProtocol",
        (_BoundedHttpProtocol,),
        {
            "header_bytes": settings.header_bytes,
            "header_seconds": settings.header_seconds,
            "slow_seconds": settings.slow_reader_seconds,
        },
    )


class _BoundedHttpProtocol(HttpToolsProtocol):
    """Cuts the line of a client that sends its head too slowly or too large, or leaves its answer unread."""

    header_bytes = 32_768
    header_seconds = 10.0
    slow_seconds = 15.0

    _head_timer: asyncio.TimerHandle | None = None
    _slow_timer: asyncio.TimerHandle | None = None
    _head_size = 0
    _in_head = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timers()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            self._head_size += len(data)
        super().data_received(data)
        # A body that came along with its head is not counted: the head is complete by now.
        if self._in_head and self._head_size > self.header_bytes:
            self._refuse("431 Request Header Fields Too Large", "The request's head is too large.")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if not self._in_head:
            self._await_head()

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._head_size = 0
        if self._head_timer:
            self._head_timer.cancel()
            self._head_timer = None
        super().on_headers_complete()

    def handle_websocket_upgrade(self) -> None:
        self._stop_timers()
        super().handle_websocket_upgrade()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._slow_timer = self.loop.call_later(self.slow_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._slow_timer:
            self._slow_timer.cancel()
            self._slow_timer = None

    def _await_head(self) -> None:
        self._in_head = True
        self._head_size = 0
        if self._head_timer:
            self._head_timer.cancel()
        message = "The request's head took too long."
        self._head_timer = self.loop.call_later(self.header_seconds, self._refuse, "408 Request Timeout", message)

    def _refuse(self, status: str, message: str) -> None:
        if self.transport.is_closing():
            return
        head = f"HTTP/1.1 {status}\r\ncontent-type: text/plain\r\ncontent-length: {len(message)}\r\nconnection: close"
        self.transport.write(f"{head}\r\n\r\n{message}".encode("ascii"))
        self.transport.close()

    def _stop_timers(self) -> None:
        for timer in (self._head_timer, self._slow_timer):
            if timer:
                timer.cancel()
        self._head_timer = self._slow_timer = None


class _SocketProtocol(WebSocketsSansIOProtocol):
    """Closes past a client that does not read: the close frame does not wait for its turn."""

    async def send(self, message: Any) -> None:
        if message.get("urgent"):
            self.writable.set()
        await super().send(message)
        if message.get("urgent"):
            self.loop.call_later(_LINGER_S, self._cut)

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self.loop.call_later(_LINGER_S, self._cut)

    def _cut(self) -> None:
        if not self.disconnected:
            self.transport.abort()
