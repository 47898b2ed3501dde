"""Many subscribers, as a process of its own: `python -m tests.bench.socket_clients PORT EXPECTED TOKEN,TOKEN… SOCKETS`.

Each socket speaks graphql-transport-ws as far as it must. The process says `ready` when all have subscribed,
and prints when each event came to each of them once all have come or its standard input is closed.
"""

import asyncio
import base64
import os
import re
import resource
import sys
import time
from typing import cast

import msgspec
import uvloop

DOCUMENT = "subscription { onboardingChanged { cursor onboardingId event { id type occurredAt actor { kind id } } } }"
_EVENT = re.compile(rb'"(evt_[0-9a-f]{32})"')


def frame(text: bytes) -> bytes:
    """Return a masked text frame; a mask of zeros leaves the text as it is."""
    size = bytes([0x80 | len(text)]) if len(text) < 126 else bytes([0xFE]) + len(text).to_bytes(2, "big")
    return b"\x81" + size + bytes(4) + text


class Subscriber(asyncio.Protocol):
    """One socket with one subscription."""

    def __init__(self, crowd: "Crowd", token: str) -> None:
        self._crowd = crowd
        self._token = token
        self._open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        key = base64.b64encode(os.urandom(16)).decode()
        self._transport.write(
            f"GET /graphql HTTP/1.1\r\nHost: 127.0.0.1:{self._crowd.port}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        now = time.monotonic()
        if not self._open:
            self._open = True
            payload = {"authorization": f"Bearer {self._token}"}
            self._transport.write(frame(msgspec.json.encode({"type": "connection_init", "payload": payload})))
        elif b'"connection_ack"' in data:
            message = {"id": "1", "type": "subscribe", "payload": {"query": DOCUMENT}}
            self._transport.write(frame(msgspec.json.encode(message)))
            self._crowd.subscribed()
        else:
            for event in _EVENT.findall(data):
                self._crowd.came(event, now)


class Crowd:
    """All subscribers of the process, and what came to them."""

    def __init__(self, port: int, sockets: int, expected: int) -> None:
        self.port = port
        self.arrivals: dict[str, list[float]] = {}
        self.ready = asyncio.Event()
        self.done = asyncio.Event()
        self._waiting = sockets
        self._left = sockets * expected

    def subscribed(self) -> None:
        self._waiting -= 1
        if self._waiting == 0:
            self.ready.set()

    def came(self, event: bytes, at: float) -> None:
        self.arrivals.setdefault(event.decode(), []).append(at)
        self._left -= 1
        if self._left == 0:
            self.done.set()


async def main(port: int, expected: int, tokens: list[str], sockets: int) -> None:
    """Open the sockets, wait for what is expected, and print it."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    loop = asyncio.get_running_loop()
    crowd = Crowd(port, sockets, expected)
    for number in range(sockets):
        token = tokens[number % len(tokens)]
        await loop.create_connection(lambda token=token: Subscriber(crowd, token), "127.0.0.1", port)  # type: ignore[misc]
    async with asyncio.timeout(60):
        await crowd.ready.wait()
    await asyncio.sleep(1)  # for the last of them to have its subscription open
    print("ready", flush=True)
    closed = loop.run_in_executor(None, sys.stdin.read)
    await asyncio.wait({asyncio.ensure_future(crowd.done.wait()), closed}, return_when=asyncio.FIRST_COMPLETED)
    sys.stdout.buffer.write(msgspec.json.encode(crowd.arrivals))
    sys.stdout.buffer.flush()
    os._exit(0)  # the executor's thread may still wait for the input


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3].split(","), int(sys.argv[4])))
