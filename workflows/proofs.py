"""Proofs: all kept figures of tickets held against a recount, told stretch by stretch, and put right."""

from collections.abc import AsyncIterator

from db import cell_recounts, recounts, tenants
from db.recounts import Part
from db.session import Transaction
from domain.access import Principal
from domain.proofs import Ledger, Mended, Stretch
from workflows.context import Context

TOLD = 1_000
"""Differences of one stretch that are named; how many there are is told in any case."""

_OF_TICKETS = (Ledger.DELTAS, Ledger.TIMES)


async def prove(context: Context, principal: Principal, told: int = TOLD) -> AsyncIterator[Stretch]:
    """Hold deltas and times against tickets, and cells against deltas, in stretches that each see one instant.

    Nothing is locked and nobody waits: what is written meanwhile is on both sides of what is compared, or on neither.
    """
    zone, parts = await _parts(context, principal)
    for ledger in _OF_TICKETS:
        for part in parts:
            async with context.database.reading(principal) as tx:
                stretch = await recounts.prove(tx, ledger, part, zone, told)
            yield stretch
    async with context.database.reading(principal) as tx:
        months = await cell_recounts.months(tx)
    for month in months:
        async with context.database.reading(principal) as tx:
            stretch = await cell_recounts.prove(tx, month, told)
        yield stretch


async def rebuild(context: Context, principal: Principal) -> AsyncIterator[Mended]:
    """Put right what `prove` finds: deltas and times by signed corrections recorded now, cells by what they lack.

    What was answered as of an earlier instant stays: nothing recorded before is touched. Each stretch is a
    transaction of its own; cut off, it is begun again, and finds what is right already.
    """
    zone, parts = await _parts(context, principal)
    for ledger in _OF_TICKETS:
        for part in parts:
            async with context.database.writing(principal) as tx:
                corrections = await recounts.mend(tx, ledger, part, zone, context.clock())
            yield Mended(ledger, recounts.named(part), corrections)
    async with context.database.reading(principal) as tx:
        months = await cell_recounts.months(tx)
    for month in months:
        async with context.database.writing(principal) as tx:
            corrections = await cell_recounts.mend(tx, month)
        yield Mended(Ledger.CELLS, cell_recounts.named(month), corrections)


async def _parts(context: Context, principal: Principal) -> tuple[str, list[Part]]:
    async with context.database.reading(principal) as tx:
        return await _zone(tx), await recounts.parts(tx)


async def _zone(tx: Transaction) -> str:
    return (await tenants.get(tx)).settings.zone.key
