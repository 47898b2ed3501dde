"""Folding finds what is free by its key, even where its table is taken for empty."""

import asyncpg
from sqlalchemy import text

from db import facts
from domain.access import system
from tests.support.providers import Provider
from tests.support.tickets import report, ticket

ALWAYS_BY_INDEX = ("set local enable_seqscan = off", "set local enable_bitmapscan = off")


async def test_deltas_are_taken_by_their_ids_though_statistics_know_of_none(
    provider: Provider, worker_database: str
) -> None:
    owner = await asyncpg.connect(worker_database)
    try:
        await owner.execute("analyze unfolded_delta")
    finally:
        await owner.close()
    await report(provider, *(ticket(number, days=number) for number in range(20)))

    async with provider.context.database.writing(system(provider.tenant_id)) as tx:
        for setting in ALWAYS_BY_INDEX:
            await tx.run(text(setting))
        explained = await tx.rows(
            text(f"explain {facts.FOLD}"),
            tenant=tx.tenant,
            rows=facts.FOLD_BATCH_ROWS,
            all_clients=facts.ALL_CLIENTS,
            unmapped=facts.UNMAPPED,
        )
    plan = [row[0].strip() for row in explained]
    taken = plan.index(next(line for line in plan if "unfolded_delta d " in line and "Scan" in line))
    assert "id = ANY" in plan[taken + 1], plan
