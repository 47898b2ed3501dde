"""Additive facts: signed deltas written beside the tickets, folded into cells, exact at every instant."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from db.session import Transaction
from domain.movements import Amounts, Place

ALL_CLIENTS = UUID(int=0)
"""The client of a cell that holds all clients together; on nobody's list, so only who sees all sees it."""

UNMAPPED = UUID(int=2**128 - 1)
"""The client of a cell that holds the tickets of no known client."""

FOLD_BATCH_ROWS = 20_000

RECORD = text("""
    insert into ticket_delta (tenant_id, client_id, recorded_at, day, stage, phase, priority, source,
                              tickets, escalated_tickets, escalations, folded)
    select :tenant, m.client_id, :recorded_at, m.day, m.stage, m.phase, m.priority, m.source,
           m.tickets, m.escalated_tickets, m.escalations, false
    from unnest(cast(:clients as uuid[]), cast(:days as date[]), cast(:stages as text[]), cast(:phases as text[]),
                cast(:priorities as text[]), cast(:sources as text[]), cast(:tickets as int[]),
                cast(:escalated_tickets as int[]), cast(:escalations as int[]))
         as m(client_id, day, stage, phase, priority, source, tickets, escalated_tickets, escalations)
""")

FOLD = text("""
    with taken as (
        select id, client_id, day, stage, phase, priority, source, tickets, escalated_tickets, escalations
        from ticket_delta
        where tenant_id = :tenant and not folded
        order by id limit :rows
        for update skip locked
    ), marked as (
        update ticket_delta d set folded = true from taken t
        where d.tenant_id = :tenant and d.id = t.id
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

TENANTS_TO_FOLD = text("select distinct tenant_id from ticket_delta where not folded")


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


async def fold(tx: Transaction, rows: int = FOLD_BATCH_ROWS) -> int:
    """Add up to `rows` deltas to the cells and return how many there were; takes a principal of all clients.

    Deltas that another fold holds are left to it. A reader sees either the delta or the cell that took it up,
    never both, because one transaction does both.
    """
    return int(await tx.value(FOLD, tenant=tx.tenant, rows=rows, all_clients=ALL_CLIENTS, unmapped=UNMAPPED))


async def tenants_to_fold(tx: Transaction) -> list[UUID]:
    """Return the tenants with deltas to fold, as the relay sees them."""
    return [row["tenant_id"] for row in await tx.rows(TENANTS_TO_FOLD)]
