"""Goal 1: reads over HTTP, beside PostGraphile, mercurius and *raw*, the JSON that PostgreSQL builds by itself."""

from collections.abc import AsyncIterator

import asyncpg
import msgspec

from tests.bench import peers, raw_reads, sides
from tests.bench.comparing import difference
from tests.bench.read_documents import READS, Read
from tests.bench.report import Goal
from tests.bench.world import World

OF_POSTGRAPHILE = (1.2, 2.0)
OF_MERCURIUS = 1.2
OF_RAW = 0.75
"""Where a goal has a second number, that is the one hoped for, and *raw*'s first one is the read's own floor."""


async def measure(world: World) -> AsyncIterator[Goal | str]:
    """Yield, of each read, how the product's pace compares."""
    await make_functions(world)
    kinds = ["product", "raw"]
    if missing := peers.missing():
        yield missing
    else:
        yield f"peers: {peers.versions()}"
        kinds += peers.KINDS
    async with sides.serving({kind: (kind, world) for kind in kinds}) as asked:
        for read in READS:
            ours, *others = [await sides.answer(side, read) for side in asked]
            for side, theirs in zip(asked[1:], others, strict=True):
                if found := difference(ours, theirs):
                    yield f"{read.what}: {side.kind} answers differently, and is no fair peer: {found}"
            size = len(msgspec.json.encode(ours)) / 1e3
            for goal in _goals(read, await sides.paced(asked, read), size):
                yield goal


def _goals(read: Read, paces: sides.Paces, size: float) -> list[Goal]:
    pace = paces.per_second
    ours = pace["product"]
    cost = paces.cost_ms["raw"] / paces.cost_ms["product"]
    figures = f"{paces}; {size:.1f} kB; of raw by processor time {cost:.2f}"
    goals = [Goal(f"{read.what}, of raw", ours / pace["raw"], read.floor, figures, hoped=OF_RAW)]
    if "PostGraphile" in pace:
        floor, hoped = OF_POSTGRAPHILE
        goals.append(Goal("   of PostGraphile", ours / pace["PostGraphile"], floor, "", hoped=hoped))
        goals.append(Goal("   of mercurius, hoped for", ours / pace["mercurius"], OF_MERCURIUS, ""))
    return goals


async def make_functions(world: World) -> None:
    """Define what *raw* and PostGraphile call; harmless where it is there already."""
    connection = await asyncpg.connect(world.owner_url)
    try:
        if await connection.fetchval("select to_regnamespace('bench')") is None:
            await connection.execute(raw_reads.functions())
    finally:
        await connection.close()
