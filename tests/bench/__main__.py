"""`make bench`: every goal that this version can be held to, one line each; a goal not met fails nothing."""

import os
import platform
import time
import traceback
from argparse import ArgumentParser
from collections.abc import AsyncIterator, Callable, Sequence

import uvloop

from tests.bench import growth, ingest, reads, security, subscribers, transitions
from tests.bench.report import Goal
from tests.bench.world import CLIENTS, TICKETS, World, world

GOALS: dict[str, Callable[[World], AsyncIterator[Goal | str]]] = {
    "reads": reads.measure,
    "growth": growth.measure,
    "ingest": ingest.measure,
    "security": security.measure,
    "transitions": transitions.measure,
    "subscribers": subscribers.measure,
}


async def main(wanted: Sequence[str], clients: int, drawn: int) -> None:
    """Measure the goals named, or all of them."""
    began = time.perf_counter()
    async with world(clients, drawn) as measured:
        print(
            f"PostgreSQL {await measured.version()} (embedded, fsync on), Python {platform.python_version()}, "
            f"{os.cpu_count()} cores; {await measured.size()}",
            flush=True,
        )
        for name in wanted or GOALS:
            print(f"{name}, at a load of {os.getloadavg()[0]:.1f}:", flush=True)
            try:
                async for said in GOALS[name](measured):
                    print(said.line() if isinstance(said, Goal) else said, flush=True)
            except Exception:  # noqa: BLE001 -- what is left is measured all the same
                print(f"{name} could not be measured to its end:\n{traceback.format_exc(limit=-3)}", flush=True)
    print(f"took {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    reader = ArgumentParser(prog="python -m tests.bench", description=__doc__)
    reader.add_argument("goals", nargs="*", help="what to measure; everything, if nothing is named")
    reader.add_argument("--clients", type=int, default=CLIENTS, help="how many clients (%(default)s)")
    reader.add_argument("--tickets", type=int, default=TICKETS, help="how many tickets to draw (%(default)s)")
    asked = reader.parse_args()
    if unknown := [name for name in asked.goals if name not in GOALS]:
        reader.error(f"nothing is called {unknown[0]!r}; there are {', '.join(GOALS)}")
    uvloop.run(main(asked.goals, asked.clients, asked.tickets))
