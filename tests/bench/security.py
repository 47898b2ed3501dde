"""Goal 6: each read of goal 1 with policies on, against the same with the statements' own predicates alone."""

from collections.abc import AsyncIterator

from tests.bench import policies, reads, sides
from tests.bench.read_documents import READS
from tests.bench.report import Goal
from tests.bench.world import World

MOST = 1.25


async def measure(world: World) -> AsyncIterator[Goal | str]:
    """Yield, of each read, how much longer it takes with policies: of the product, and of the bare statement."""
    await reads.make_functions(world)
    await policies.make_login(world)
    kinds = ("product", "product unpoliced", "raw", "raw unpoliced")
    async with sides.serving({kind: (kind, world) for kind in kinds}) as asked:
        for read in READS:
            paces = await sides.paced(asked, read)
            pace = paces.per_second
            what = f"6  policies, {read.what.partition(' ')[2]}"
            yield Goal(what, pace["product unpoliced"] / pace["product"], MOST, str(paces), at_most=True)
            bare = pace["raw unpoliced"] / pace["raw"]
            yield Goal("   the same of the bare statement", bare, MOST, "", at_most=True)
