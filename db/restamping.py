"""Tickets that may have to be placed anew: those whose key was mapped since, and those of one client."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from db.session import Transaction
from domain.clients import ExternalKey

# As `db.attribution` finds the client of a key: none is merged into another meanwhile.
MAPPABLE = text("""
    select t.id, t.logged_at, coalesce(c.merged_into, c.id) as client_id
    from ticket t
    join external_ref r
      on r.tenant_id = :tenant and r.kind = 'CLIENT' and r.system = t.system and r.key = t.client_key
    join client c on c.tenant_id = :tenant and c.id = r.client_id
    where t.tenant_id = :tenant and t.client_id is null
    order by t.id limit :rows
    for key share of c
""")
MAPPABLE_OF_KEY = text(str(MAPPABLE).replace("order by", "and t.system = :system and t.client_key = :key order by"))

OF_CLIENT = text("""
    select id, logged_at, client_id from ticket
    where tenant_id = :tenant and client_id = :client and logged_at >= :since and logged_at <= :until and id > :after
    order by id limit :rows
""")


@dataclass(frozen=True, slots=True)
class Placeable:
    """A ticket that may have to be placed anew, and the client that it is of."""

    id: UUID
    logged_at: datetime
    client: UUID


async def mappable(tx: Transaction, rows: int, key: ExternalKey | None = None) -> list[Placeable]:
    """Return tickets without a client whose key stands for one by now, or those of one key."""
    if key is None:
        found = await tx.rows(MAPPABLE, tenant=tx.tenant, rows=rows)
    else:
        found = await tx.rows(MAPPABLE_OF_KEY, tenant=tx.tenant, rows=rows, system=key.system, key=key.key)
    return [Placeable(row["id"], row["logged_at"], row["client_id"]) for row in found]


async def of_client(
    tx: Transaction, client: UUID, since: datetime, until: datetime, after: UUID | None, rows: int
) -> list[Placeable]:
    """Return a client's tickets logged within `[since, until]`, by id from the one after `after` on."""
    found = await tx.rows(
        OF_CLIENT,
        tenant=tx.tenant,
        client=client,
        since=since,
        until=until,
        after=after or UUID(int=0),
        rows=rows,
    )
    return [Placeable(row["id"], row["logged_at"], row["client_id"]) for row in found]
