"""Goal 4: guarded transitions, 32 at a time, against pgbench running the very same statements."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import asyncpg

from db.listen import Wire
from db.session import _opening
from domain.moves import Move
from domain.stages import Stage
from tests.bench import pgbench
from tests.bench.pgbench import Script, Statement
from tests.bench.report import Goal, Measure, in_turns
from tests.bench.world import World
from tests.support.onboarding import Onboarding
from tests.support.providers import done, sent
from workflows.context import Context
from workflows.onboarding import MoveCommand, move_cycle
from workflows.relay import Relay

AT_ONCE = 32
SECONDS = 5.0
ROUNDS = 3
_FRESH_IDS = 12
"""Ids that the application makes for one move, and pgbench has PostgreSQL make while it locks the row."""


async def measure(world: World) -> AsyncIterator[Goal | str]:
    """Yield the share of pgbench's pace, and the pace with events published of that without."""
    context = Context(world.database)
    program = pgbench.program(world)
    groups = iter([world.onboardings[n : n + AT_ONCE] for n in range(0, len(world.onboardings), AT_ONCE)])
    with TemporaryDirectory(prefix="steadystate_bench_") as folder:
        script = Path(folder) / "moves.sql"
        constants = await _write_script(world, context, script)

        async def quiet() -> float:
            return await _pace(context, next(groups))

        async def publishing() -> float:
            async with _published(context):
                return await _pace(context, next(groups))

        async def peer(program: Path) -> float:
            cycles = "{" + ",".join(str(one.cycle) for one in next(groups)) + "}"
            given = {**constants, "cycles": cycles, "fresh": "1"}
            arguments = (program, world.server, script, given)
            return await asyncio.to_thread(pgbench.run, *arguments, clients=AT_ONCE, seconds=SECONDS)

        measures: dict[str, Measure] = {"quiet": quiet, "publishing": publishing}
        if program:
            measures["peer"] = partial(peer, program)
        pace = await in_turns(ROUNDS, measures)
    if program is None:
        yield "transitions: no pgbench lies beside the server's programs, so there is nothing to compare them with"
    else:
        figures = f"{pace['quiet']:.0f} moves/s, pgbench {pace['peer']:.0f}/s"
        yield Goal("4  transitions, 32 at a time, of pgbench", pace["quiet"] / pace["peer"], 0.75, figures)
    figures = f"{pace['publishing']:.0f} moves/s with their events numbered, {pace['quiet']:.0f}/s without"
    yield Goal("4  transitions, publishing of not publishing", pace["publishing"] / pace["quiet"], 0.9, figures)


async def _pace(context: Context, onboardings: Sequence[Onboarding]) -> float:
    """Return how many moves a second come through, each onboarding going to and fro by itself."""
    moves = 0
    began = time.perf_counter()
    until = began + SECONDS

    async def walk(onboarding: Onboarding) -> None:
        nonlocal moves
        while time.perf_counter() < until:
            await send_on(context, onboarding)
            moves += 1

    await asyncio.gather(*map(walk, onboardings))
    return moves / (time.perf_counter() - began)


async def send_on(context: Context, onboarding: Onboarding) -> UUID:
    """Send an onboarding on into discovery, or back, and return the id of the event."""
    # Opened at version 1, and nothing but these moves has happened since.
    move = Move.BEGIN_DISCOVERY if onboarding.version % 2 else Move.ROLL_BACK
    to, reason = (None, None) if move is Move.BEGIN_DISCOVERY else (Stage.CONTRACTING, "measured")
    command = MoveCommand(onboarding.cycle, move, onboarding.version, to=to, reason=reason)
    outcome = await move_cycle(context, onboarding.lead, sent(), command)
    done(outcome)
    assert outcome.version is not None
    assert outcome.event is not None
    onboarding.version = outcome.version
    return outcome.event


@asynccontextmanager
async def _published(context: Context) -> AsyncIterator[None]:
    """Number and announce events in this process while the block lasts, as one that serves and works does."""
    wire = Wire(context.database)
    relay = Relay(wire)
    while await relay.turn(context):
        pass

    async def number() -> None:
        while True:
            await relay.rest(await relay.turn(context))

    wire.relays_here = True
    tasks = [asyncio.create_task(wire.run()), asyncio.create_task(number())]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _write_script(world: World, context: Context, path: Path) -> dict[str, str]:
    """Record one move on and one back, and write them as a script; return its constants."""
    onboarding = world.onboardings[-1]
    before = await onboarding.seen()
    with pgbench.recorded() as onwards:
        await send_on(context, onboarding)
    between = await onboarding.seen()
    with pgbench.recorded() as back:
        await send_on(context, onboarding)
    known = {before.id: "at_id", before.client_id: "at_client_id"}
    connection = await asyncpg.connect(world.owner_url)
    try:
        constants: dict[str, str] = {}
        there = await _branch(connection, onwards, {**known, before.visit_id: "at_visit_id"}, constants)
        here = await _branch(connection, back, {**known, between.visit_id: "at_visit_id"}, constants)
        fresh = ", ".join(f"uuidv7() as fresh_{n}" for n in range(_FRESH_IDS))
        extra = f"(c.stage = '{Stage.CONTRACTING}')::int as onwards, {fresh}"
        script = Script(connection, {before.id: "cycle"}, constants)
        locked = (await script.render(onwards[0])).replace(" from cycle", f", {extra} from cycle", 1)
    finally:
        await connection.close()
    settings = _opening(world.provider.tenant_id, None, read_only=False, timeout_ms=5_000, lock_ms=2_000)
    path.write_text(
        "\n".join(
            [
                "\\if :fresh",
                "select (cast(:cycles as uuid[]))[:client_id + 1] as cycle \\gset",
                "\\set fresh 0",
                "\\endif",
                "\\startpipeline",  # one message, as the product sends it
                *(f"{part.strip()};" for part in settings.split(";")),
                "\\endpipeline",
                f"{locked} \\gset at_",
                "\\if :at_onwards",
                *(f"{statement};" for statement in there),
                "\\else",
                *(f"{statement};" for statement in here),
                "\\endif",
                "commit;",
            ]
        )
        + "\n",
        encoding="utf-8",
    )
    path.parent.chmod(0o755)
    return constants


async def _branch(
    connection: "asyncpg.Connection[asyncpg.Record]",
    statements: Sequence[Statement],
    known: dict[UUID, str],
    constants: dict[str, str],
) -> list[str]:
    """Return what follows the lock; every id that the move made is a fresh one in every run."""
    last = statements[-1]
    named = dict(zip(last.names, last.values, strict=True))
    made = [named[name] for name in ("transition", "event", "entered_visit") if named[name]] + named["effect_ids"]
    fresh = {id_: f"at_fresh_{n}" for n, id_ in enumerate(made)}
    script = Script(connection, known | fresh, constants, {"version": "cast(:at_version as integer) + 1"})
    return [await script.render(statement) for statement in statements[1:]]
