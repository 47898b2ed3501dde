"""Tickets of which an agreement has run out with nothing decided: found by what is due, those that wait left out."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from db.session import Transaction
from db.stored_tickets import BY_INDEX
from db.tables.tickets import RESOLUTION_DUE, RESPONSE_DUE

# A tenant at a time by the index: however many tickets are open, only what is due is read.
TENANTS = text(f"""
    select n.id from tenant n
    where exists (select 1 from ticket where tenant_id = n.id and {RESPONSE_DUE} and response_due_at < :now)
       or exists (select 1 from ticket where tenant_id = n.id and {RESOLUTION_DUE} and resolution_due_at < :now)
""")

# What another worker holds is left to it; what it has written meanwhile comes to the same, and is written once.
TAKE = text(f"""
    select id from ticket
    where tenant_id = :tenant and id = any(array(
        (select id from ticket where tenant_id = :tenant and {RESPONSE_DUE} and response_due_at < :now
         order by response_due_at limit :rows)
        union
        (select id from ticket where tenant_id = :tenant and {RESOLUTION_DUE} and resolution_due_at < :now
         order by resolution_due_at limit :rows)
    ))
    order by id
    for update skip locked
""")


async def tenants(relaying: Transaction, now: datetime) -> list[UUID]:
    """Return the tenants of which a ticket is due, as the relay sees them."""
    await relaying.run(BY_INDEX)
    return [row["id"] for row in await relaying.rows(TENANTS, now=now)]


async def take(tx: Transaction, now: datetime, rows: int) -> list[UUID]:
    """Lock tickets that are due, the longest due first, up to so many of each agreement."""
    await tx.run(BY_INDEX)
    return [row["id"] for row in await tx.rows(TAKE, tenant=tx.tenant, now=now, rows=rows)]
