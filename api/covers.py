"""Who of the provider's people is away today, read once for an answer."""

from collections.abc import Sequence

from api.context import OperationContext
from db import absences
from domain.absences import Cover


async def cover(context: OperationContext, keys: Sequence[str]) -> list[Cover]:
    """Load who is away today; there is only the one."""
    async with context.reading() as tx:
        found = await absences.cover(tx, context.context.clock())
    return [found for _ in keys]


async def covering(context: OperationContext) -> Cover:
    """Return who is away today and who stands in."""
    return await context.loader(cover).load("today")
