"""Additive facts: signed deltas written beside the tickets, folded into cells, exact at every instant."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text

from db.session import Transaction
from domain.kpis import SETTLING_SAMPLE, SETTLING_SHARE
from domain.movements import Amounts, Place

ALL_CLIENTS = UUID(int=0)
"""The client of a cell that holds all clients together; on nobody's list, so only who sees all sees it."""

UNMAPPED = UUID(int=2**128 - 1)
"""The client of a cell that holds the tickets of no known client."""

FOLD_BATCH_ROWS = 5_000

RECORD = text("""
    with recorded as (
        insert into ticket_delta (tenant_id, client_id, recorded_at, day, stage, phase, priority, source,
                                  tickets, escalated_tickets, escalations)
        select :tenant, m.client_id, :recorded_at, m.day, m.stage, m.phase, m.priority, m.source,
               m.tickets, m.escalated_tickets, m.escalations
        from unnest(cast(:clients as uuid[]), cast(:days as date[]), cast(:stages as text[]), cast(:phases as text[]),
                    cast(:priorities as text[]), cast(:sources as text[]), cast(:tickets as int[]),
                    cast(:escalated_tickets as int[]), cast(:escalations as int[]))
             as m(client_id, day, stage, phase, priority, source, tickets, escalated_tickets, escalations)
        returning *
    )
    insert into unfolded_delta (tenant_id, id, client_id, day, stage, phase, priority, source,
                                tickets, escalated_tickets, escalations)
    select tenant_id, id, client_id, day, stage, phase, priority, source, tickets, escalated_tickets, escalations
    from recorded
""")

FOLD = text("""
    with taken as (
        delete from unfolded_delta d
        using (select id from unfolded_delta where tenant_id = :tenant order by id limit :rows
               for update skip locked) as free
        where d.tenant_id = :tenant and d.id = free.id
        returning d.client_id, d.day, d.stage, d.phase, d.priority, d.source,
                  d.tickets, d.escalated_tickets, d.escalations
    ), summed as (
        select split.dimension, t.source, span.grain, level.client_id, span.day, split.member,
               sum(t.tickets)::int as tickets, sum(t.escalated_tickets)::int as escalated_tickets,
               sum(t.escalations)::int as escalations
        from taken t
        cross join lateral (values (cast(:all_clients as uuid)),
                                   (coalesce(t.client_id, cast(:unmapped as uuid)))) as level(client_id)
        cross join lateral (values ('D', t.day),
                                   ('M', date_trunc('month', t.day::timestamp)::date)) as span(grain, day)
        cross join lateral (values ('NONE', ''), ('STAGE', t.stage), ('PHASE', t.phase),
                                   ('PRIORITY', t.priority)) as split(dimension, member)
        group by 1, 2, 3, 4, 5, 6
    ), added as (
        -- In the order of the key: two folds at once then wait for each other instead of deadlocking.
        insert into ticket_cell as c (tenant_id, dimension, source, grain, client_id, day, member,
                                      tickets, escalated_tickets, escalations)
        select :tenant, s.dimension, s.source, s.grain, s.client_id, s.day, s.member,
               s.tickets, s.escalated_tickets, s.escalations
        from summed s
        order by s.dimension, s.source, s.grain, s.client_id, s.day, s.member
        on conflict (tenant_id, dimension, source, grain, client_id, day, member) do update
        set tickets = c.tickets + excluded.tickets,
            escalated_tickets = c.escalated_tickets + excluded.escalated_tickets,
            escalations = c.escalations + excluded.escalations
    )
    select count(*) from taken
""")

TENANTS_TO_FOLD = text("select distinct tenant_id from unfolded_delta")

# Policies make the planner expect few rows, and so read every escalated ticket instead of the latest ones.
BY_INDEX_ALONE = text("set local enable_bitmapscan = off")

SETTLE = text("""
    insert into ticket_settling (tenant_id, seconds, computed_at)
    select :tenant, percentile_cont(:share) within group (order by delay), :now
    from (
        select greatest(0, extract(epoch from first_escalated_at - logged_at)) as delay from ticket
        where tenant_id = :tenant and first_escalated_at is not null
        order by first_escalated_at desc limit :rows
    ) as latest
    having count(*) > 0
    on conflict (tenant_id) do update set seconds = excluded.seconds, computed_at = excluded.computed_at
""")

SETTLING = text("select seconds from ticket_settling where tenant_id = :tenant")


async def record(tx: Transaction, moved: Mapping[Place, Amounts], recorded_at: datetime) -> None:
    """Write what moved; call it in the transaction that writes the tickets."""
    if not moved:
        return
    places, amounts = list(moved), list(moved.values())
    await tx.run(
        RECORD,
        tenant=tx.tenant,
        recorded_at=recorded_at,
        clients=[place.client for place in places],
        days=[place.day for place in places],
        stages=[place.stage for place in places],
        phases=[place.phase for place in places],
        priorities=[place.priority for place in places],
        sources=[place.source for place in places],
        tickets=[amount.tickets for amount in amounts],
        escalated_tickets=[amount.escalated_tickets for amount in amounts],
        escalations=[amount.escalations for amount in amounts],
    )


async def fold(tx: Transaction, now: datetime, rows: int = FOLD_BATCH_ROWS) -> int:
    """Add up to `rows` deltas to the cells and return how many there were; takes a principal of all clients.

    Deltas that another fold holds are left to it. A reader sees either the delta or the cell that took it up,
    never both, because one transaction does both. The time within which escalations come is computed anew.
    """
    folded = int(await tx.value(FOLD, tenant=tx.tenant, rows=rows, all_clients=ALL_CLIENTS, unmapped=UNMAPPED))
    if folded:
        await tx.run(BY_INDEX_ALONE)
        await tx.run(SETTLE, tenant=tx.tenant, share=SETTLING_SHARE, rows=SETTLING_SAMPLE, now=now)
    return folded


async def settling(tx: Transaction) -> timedelta:
    """Return within which time nine of ten escalated tickets were first escalated, as of the last fold."""
    return timedelta(seconds=float(await tx.value(SETTLING, tenant=tx.tenant) or 0))


async def tenants_to_fold(tx: Transaction) -> list[UUID]:
    """Return the tenants with deltas to fold, as the relay sees them."""
    return [row["tenant_id"] for row in await tx.rows(TENANTS_TO_FOLD)]
