"""HTTP load, as a process of its own: `python -m tests.bench.http_load ADDRESS TOKEN CONNECTIONS SECONDS < BODY`.

Every connection sends its next request when the answer to the last one is there. Answers are counted
and not read, so that the load itself takes little of the machine.
"""

import asyncio
import sys
import time
from typing import cast
from urllib.parse import urlsplit

import msgspec
import uvloop

from tests.bench.report import percentile


class Connection(asyncio.Protocol):
    """One connection that asks again and again; answers carry their length and come in one piece or several."""

    def __init__(self, request: bytes, until: float) -> None:
        self.request = request
        self.until = until
        self.times: list[float] = []
        self.failed = 0
        self.ended = asyncio.get_running_loop().create_future()
        self._began = 0.0
        self._missing = 0
        self._head = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance
        self._ask()

    def data_received(self, data: bytes) -> None:
        if self._missing == 0:
            self._head += data
            end = self._head.find(b"\r\n\r\n")
            if end < 0:
                return
            head = self._head[:end].lower()
            length = int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
            self.failed += not head.startswith(b"http/1.1 200")
            self._missing = end + 4 + length
            data, self._head = self._head, b""
        self._missing -= len(data)
        if self._missing == 0:
            self.times.append(time.perf_counter() - self._began)
            self._ask()

    def connection_lost(self, _: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(None)

    def _ask(self) -> None:
        self._began = time.perf_counter()
        if self._began >= self.until:
            self._transport.close()
        else:
            self._transport.write(self.request)


async def main(address: str, token: str, connections: int, seconds: float, body: bytes) -> None:
    """Load an address and print requests a second and latencies."""
    parts = urlsplit(address)
    head = f"POST {parts.path} HTTP/1.1\r\nhost: {parts.netloc}\r\nauthorization: Bearer {token}\r\n"
    head += "content-type: application/json\r\naccept: application/graphql-response+json\r\n"
    request = f"{head}content-length: {len(body)}\r\n\r\n".encode() + body
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    host, port = str(parts.hostname), int(parts.port or 80)
    opened = [
        (await loop.create_connection(lambda: Connection(request, began + seconds), host, port))[1]
        for _ in range(connections)
    ]
    await asyncio.gather(*(one.ended for one in opened))
    times = [one for connection in opened for one in connection.times]
    figures = {
        "answers": len(times),
        "per_second": len(times) / (time.perf_counter() - began),
        "p50_ms": percentile(times, 0.5) * 1e3,
        "p99_ms": percentile(times, 0.99) * 1e3,
        "failed": sum(one.failed for one in opened),
    }
    sys.stdout.buffer.write(msgspec.json.encode(figures))


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), sys.stdin.buffer.read()))
