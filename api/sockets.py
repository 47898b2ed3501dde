"""Sockets: GraphQL over WebSocket by the protocol graphql-transport-ws, and by no other."""

import asyncio
from urllib.parse import urlsplit

from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from api import metrics
from api.auth import Authenticator
from api.closing import Close, Closing
from api.connections import Connections
from api.credentials import Credentials
from api.running import Runner
from api.settings import Settings
from api.socket import Socket
from api.subscriptions import Subscriptions

PROTOCOL = "graphql-transport-ws"

_NO_PROTOCOL = Closing(Close.NO_PROTOCOL, f"Connect with the subprotocol {PROTOCOL}.")


class Sockets:
    """An ASGI application that serves WebSockets on /graphql."""

    def __init__(
        self,
        runner: Runner,
        subscriptions: Subscriptions,
        credentials: Credentials,
        connections: Connections,
        authenticator: Authenticator,
        settings: Settings,
    ) -> None:
        self.runner = runner
        self.subscriptions = subscriptions
        self.credentials = credentials
        self.connections = connections
        self.authenticator = authenticator
        self.settings = settings
        self._open: set[Socket] = set()

    async def run(self) -> None:
        """Close sockets that leave what was sent to them unread, until cancelled."""
        patience_s = self.settings.slow_reader_seconds
        while True:
            await asyncio.sleep(min(1.0, patience_s / 4))
            for socket in list(self._open):
                socket.close_if_slow(patience_s)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        websocket = WebSocket(scope, receive, send)
        if not self._is_welcome(websocket):
            await websocket.close()
            return
        offered = PROTOCOL in scope["subprotocols"]
        await websocket.accept(PROTOCOL if offered else None)
        with metrics.SOCKETS.track_inprogress():
            socket = Socket(self, websocket, send)
            self._open.add(socket)
            try:
                await (socket.serve() if offered else socket.close(_NO_PROTOCOL))
            except Closing as closing:
                await socket.close(closing)
            except WebSocketDisconnect:
                pass
            finally:
                self._open.discard(socket)

    def _is_welcome(self, websocket: WebSocket) -> bool:
        """Tell whether the page that opens the socket, if it is a page, is of an allowed origin."""
        origin = websocket.headers.get("origin")
        if origin is None:
            return True
        same = urlsplit(origin).netloc == websocket.headers.get("host")
        return same or origin in self.settings.cors_origins or "*" in self.settings.cors_origins
