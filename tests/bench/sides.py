"""Whoever answers reads: the product and its peers, each a process of its own that the same load asks in turns."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import httpx2
import msgspec

from tests.bench.processor import seconds
from tests.bench.read_documents import Read
from tests.bench.report import in_turns
from tests.bench.serving import served
from tests.bench.world import World

CONNECTIONS = 8
SECONDS = 2.0
WARMING_S = 0.5
ROUNDS = 3

_BODY: dict[str, Callable[[Read, World], bytes]] = {
    "raw": Read.asked_bare,
    "raw unpoliced": Read.asked_bare,
    "PostGraphile": Read.asked_of_functions,
}


@dataclass(frozen=True, slots=True)
class Side:
    """One server that answers; `name` tells those of one kind apart."""

    kind: str
    world: World
    address: str
    pid: int
    name: str

    def request(self, read: Read) -> tuple[str, str, bytes]:
        """Return where a read is asked, with which token, and what is sent."""
        path = read.name if self.kind.startswith("raw") else "graphql"
        body = _BODY.get(self.kind, Read.asked)(read, self.world)
        return f"{self.address}/{path}", self.world.provider.admin_token, body


@dataclass(frozen=True, slots=True)
class Paces:
    """Of each side: answers a second, and milliseconds of processor time that an answer takes of the machine."""

    per_second: dict[str, float]
    cost_ms: dict[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        each = (f"{name} {pace:.0f}/s at {self.cost_ms[name]:.1f} ms" for name, pace in self.per_second.items())
        return ", ".join(each)


@asynccontextmanager
async def serving(wanted: Mapping[str, tuple[str, World]]) -> AsyncIterator[list[Side]]:
    """Serve a kind and a world by each name for as long as the block lasts."""
    async with AsyncExitStack() as stack:
        yield [
            Side(kind, world, *await stack.enter_async_context(served(kind, world)), name)
            for name, (kind, world) in wanted.items()
        ]


async def answer(side: Side, read: Read) -> Any:
    """Return what one side answers, as data."""
    address, token, body = side.request(read)
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    async with httpx2.AsyncClient(trust_env=False, timeout=30) as client:
        said = await client.post(address, content=body, headers=headers)
    if said.status_code != 200 or "errors" in said.json():
        msg = f"{side.name} does not answer {read.name}: {said.text[:2000]}"
        raise RuntimeError(msg)
    return said.json()["data"]


async def paced(sides: Sequence[Side], read: Read) -> Paces:
    """Ask each side in turns, once more than is counted, and return the median paces."""
    spent: dict[str, list[float]] = {side.name: [] for side in sides}
    for side in sides:
        await _load(side.request(read), WARMING_S)

    def measure(side: Side) -> Callable[[], Any]:
        async def one() -> float:
            before = seconds(side.world, side.pid)
            figures = await _load(side.request(read), SECONDS)
            spent[side.name].append((seconds(side.world, side.pid) - before) / figures["answers"] * 1e3)
            return figures["per_second"]

        return one

    paces = await in_turns(ROUNDS, {side.name: measure(side) for side in sides})
    return Paces(paces, {name: median(each) for name, each in spent.items()})


async def _load(request: tuple[str, str, bytes], lasting_s: float) -> dict[str, float]:
    """Return how many answers come back, in all and a second, by a process that only asks."""
    address, token, body = request
    arguments = ("-m", "tests.bench.http_load", address, token, str(CONNECTIONS), str(lasting_s))
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdin=pipe, stdout=pipe)
    async with asyncio.timeout(lasting_s + 30):
        printed, _ = await process.communicate(body)
    figures: dict[str, float] = msgspec.json.decode(printed)
    if figures["failed"]:
        print(f"  {figures['failed']} answers of {address} were not 200")
    return figures
