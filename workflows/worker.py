"""The worker: numbers events, keeps the schedule and does jobs, each loop apart from the others' troubles."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import structlog
from prometheus_client import Counter, Histogram

from db.errors import DatabaseUnavailableError
from db.listen import Wire
from workflows import job_runs
from workflows.context import Context
from workflows.relay import Relay
from workflows.schedule import EVENTS_KEPT, chores

BACK_OFF_S = (0.2, 5.0)
JOBS_EVERY_S = 0.5
"""How often a worker with nothing to do looks for a job that is due."""

GRACE_S = 10.0
"""How long a loop may finish its turn after the worker was told to stop."""

TURNS = Counter("steadystate_worker_turns", "Turns of the worker's loops.", ["loop", "outcome"])
DONE = Counter("steadystate_worker_done", "Things that the worker's loops have done: events, effects, rows.", ["loop"])
SECONDS = Histogram("steadystate_worker_turn_seconds", "How long the turns of the worker's loops took.", ["loop"])

log = structlog.get_logger("steadystate.worker")

Turn = Callable[[Context], Awaitable[int]]
Rest = Callable[[int], Awaitable[None]]


async def run(
    context: Context, stop: asyncio.Event, wire: Wire | None = None, *, events_kept: timedelta = EVENTS_KEPT
) -> None:
    """Work until told to stop, then let every loop finish its turn for up to ten seconds.

    `wire` is that of the process where it has one already; otherwise the worker keeps its own.
    """
    own = wire is None
    wire = wire or Wire(context.database)
    listening = [asyncio.create_task(wire.run())] if own else []
    relay = Relay(wire)
    wire.relays_here = True
    loops = [
        asyncio.create_task(_keep("relay", relay.turn, relay.rest, context, stop)),
        *(
            asyncio.create_task(_keep("jobs", partial(job_runs.work, stopping=stop.is_set), _until_due, context, stop))
            for _ in range(job_runs.AT_ONCE)
        ),
        *(
            asyncio.create_task(_keep(chore.name, chore.turn, partial(_pause, chore.every_s), context, stop))
            for chore in chores(events_kept)
        ),
    ]
    log.info("worker works", loops=len(loops))
    try:
        await stop.wait()
        await asyncio.wait(loops, timeout=GRACE_S)
    finally:
        wire.relays_here = False
        await _end([*loops, *listening])
    log.info("worker has stopped")


async def _keep(name: str, turn: Turn, rest: Rest, context: Context, stop: asyncio.Event) -> None:
    """Repeat one loop until stopped: an error costs it a pause, and costs the other loops nothing."""
    delay = BACK_OFF_S[0]
    while not stop.is_set():
        try:
            did = await _measured(name, turn, context)
        except Exception as error:
            TURNS.labels(name, "failed").inc()
            known = isinstance(error, DatabaseUnavailableError)
            log.warning("turn failed", loop=name, reason=f"{type(error).__name__}: {error}", exc_info=not known)
            await _unless(stop, asyncio.sleep(delay * random.uniform(0.5, 1.5)))  # noqa: S311 -- keeps no secret
            delay = min(delay * 2, BACK_OFF_S[1])
        else:
            delay = BACK_OFF_S[0]
            await _unless(stop, rest(did))


async def _measured(name: str, turn: Turn, context: Context) -> int:
    began = time.perf_counter()
    did = await turn(context)
    SECONDS.labels(name).observe(time.perf_counter() - began)
    TURNS.labels(name, "done").inc()
    DONE.labels(name).inc(did)
    return did


async def _until_due(did: int) -> None:
    await _pause(JOBS_EVERY_S, did)


async def _pause(every_s: float, did: int) -> None:
    await asyncio.sleep(0 if did else every_s)


async def _unless(stop: asyncio.Event, rest: Awaitable[None]) -> None:
    """Rest, but no longer than until stopped."""
    tasks: list[asyncio.Future[Any]] = [asyncio.ensure_future(rest), asyncio.create_task(stop.wait())]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await _end(tasks)


async def _end(tasks: Sequence["asyncio.Future[Any]"]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
