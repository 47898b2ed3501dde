"""`make bench`: every goal that this version can be held to, one line each; a goal not met fails nothing."""

import os
import platform
import sys
import time
from collections.abc import AsyncIterator, Callable

import uvloop

from tests.bench import growth, reads, security, subscribers, transitions
from tests.bench.report import Goal
from tests.bench.world import World, world

GOALS: dict[str, Callable[[World], AsyncIterator[Goal | str]]] = {
    "reads": reads.measure,
    "growth": growth.measure,
    "security": security.measure,
    "transitions": transitions.measure,
    "subscribers": subscribers.measure,
}


async def main(wanted: list[str]) -> None:
    """Measure the goals named, or all of them."""
    began = time.perf_counter()
    async with world() as measured:
        print(
            f"PostgreSQL {await measured.version()} (embedded, fsync on), Python {platform.python_version()}, "
            f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {await measured.size()}",
            flush=True,
        )
        for name in wanted or GOALS:
            async for said in GOALS[name](measured):
                print(said.line() if isinstance(said, Goal) else said, flush=True)
    print(f"took {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1:]))
