"""The limit of subscriptions: what is notified goes as one ready frame to every socket, with nothing in between.

`python -m tests.bench.raw_sockets URL PORT`: no GraphQL, no tokens, no replay; a notification's payload is the frame.
"""

import asyncio
import base64
import hashlib
import re
import resource
import sys
from typing import Any, cast

import asyncpg
import uvloop

CHANNEL = "bench_raw"
_KEY = re.compile(rb"Sec-WebSocket-Key: (\S+)", re.IGNORECASE)
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def frame(text: bytes) -> bytes:
    """Return a text frame as a server sends it."""
    size = bytes([len(text)]) if len(text) < 126 else b"\x7e" + len(text).to_bytes(2, "big")
    return b"\x81" + size + text


class Socket(asyncio.Protocol):
    """One socket; it answers the handshake and the two messages before the first event."""

    def __init__(self, subscribed: set[asyncio.Transport]) -> None:
        self._subscribed = subscribed

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if data.startswith(b"GET /health"):
            self._transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        elif found := _KEY.search(data):
            accept = base64.b64encode(hashlib.sha1(found[1] + _GUID, usedforsecurity=False).digest())
            head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            protocol = b"Sec-WebSocket-Protocol: graphql-transport-ws\r\n"
            self._transport.write(head + protocol + b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")
        elif b"connection_init" in data:
            self._transport.write(frame(b'{"type":"connection_ack"}'))
        elif b'"subscribe"' in data:
            self._subscribed.add(self._transport)

    def connection_lost(self, _: Exception | None) -> None:
        self._subscribed.discard(self._transport)


async def serve(url: str, port: int) -> None:
    """Serve until killed."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    subscribed: set[asyncio.Transport] = set()

    def push(_connection: Any, _pid: int, _channel: str, payload: Any) -> None:
        ready = frame(str(payload).encode())
        for transport in subscribed:
            transport.write(ready)

    connection = await asyncpg.connect(url)
    await connection.add_listener(CHANNEL, push)
    server = await asyncio.get_running_loop().create_server(
        lambda: Socket(subscribed), "127.0.0.1", port, backlog=4_096
    )
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1], int(sys.argv[2])))
