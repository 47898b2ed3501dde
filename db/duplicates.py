"""Duplicates in the database: clients that may be the same company, and what is left of those that were merged."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import text

from db import clients
from db.keyset import COUNT_LIMIT, Stretch
from db.session import Transaction
from domain.clients import Client
from domain.merging import FREE_MAIL, Duplicate, DuplicateReason
from domain.onboarding import ENTERED_IN_ERROR

# Whoever is the same on several counts comes once. Merged, discarded and erased clients are no candidates.
_FOUND = """
    select other.id, array_agg(distinct found.reason order by found.reason) as reasons
    from (
        select d.id, 'SAME_NAME' as reason from client d
        where d.tenant_id = :tenant and d.name_key = k.name_key
        union all
        select b.client_id, 'SAME_MAIL_DOMAIN'
        from (
            select distinct email_domain as domain from contact
            where tenant_id = :tenant and client_id = k.id and email_domain is not null
        ) as own
        join contact b on b.tenant_id = :tenant and b.email_domain = own.domain
        where own.domain <> all(cast(:free as text[]))
        union all
        select b.client_id, 'SAME_DEVICE_SERIAL'
        from device a
        join device b on b.tenant_id = :tenant and b.serial = a.serial
        where a.tenant_id = :tenant and a.client_id = k.id and a.serial is not null
    ) as found
    join client other on other.tenant_id = :tenant and other.id = found.id
    where other.id <> k.id and other.merged_into is null and other.erased_at is null
      and (other.cycle_id is null or (
          select 1 from cycle y
          where y.tenant_id = :tenant and y.client_id = other.id and coalesce(y.outcome <> all(:never), true) limit 1
      ) is not null)
      and (cast(:after as uuid) is null or other.id > :after)
      and (cast(:before as uuid) is null or other.id < :before)
    group by other.id
    order by other.id {direction}
    limit :limit
"""

_EACH = """
    select k.id as client, o.id, o.reasons
    from client k cross join lateral ({found}) as o
    where k.tenant_id = :tenant and k.id = any(cast(:clients as uuid[]))
      and k.merged_into is null and k.erased_at is null
    order by k.id, o.id {direction}
"""

FORWARD = text(_EACH.format(found=_FOUND.format(direction="asc"), direction="asc"))
BACKWARD = text(_EACH.format(found=_FOUND.format(direction="desc"), direction="desc"))

MERGED = text("""
    with recursive gone(winner, id) as (
        select merged_into, id from client
        where tenant_id = :tenant and merged_into = any(cast(:clients as uuid[]))
        union all
        select gone.winner, c.id
        from gone join client c on c.tenant_id = :tenant and c.merged_into = gone.id
    )
    select winner, id from gone order by winner, id
""")


async def of_clients(tx: Transaction, wanted: Sequence[UUID], stretch: Stretch) -> dict[UUID, list[Duplicate]]:
    """Return a stretch of the clients that each may be the same company as, by id, in one statement."""
    rows = await tx.rows(
        BACKWARD if stretch.backward else FORWARD,
        tenant=tx.tenant,
        clients=list(wanted),
        free=sorted(FREE_MAIL),
        never=sorted(ENTERED_IN_ERROR),
        after=stretch.after[0] if stretch.after else None,
        before=stretch.before[0] if stretch.before else None,
        limit=stretch.limit,
    )
    found: dict[UUID, list[Duplicate]] = {client: [] for client in wanted}
    for row in rows:
        found[row["client"]].append(Duplicate(row["id"], tuple(DuplicateReason(one) for one in row["reasons"])))
    return found


async def counts(tx: Transaction, wanted: Sequence[UUID]) -> dict[UUID, int]:
    """Return how many there are of each, counting no further than one beyond what is told."""
    found = await of_clients(tx, wanted, _Whole())
    return {client: len(some) for client, some in found.items()}


async def merged_into(tx: Transaction, wanted: Sequence[UUID]) -> Mapping[UUID, list[Client]]:
    """Return the clients that were merged into others, those too that were merged into these before."""
    rows = await tx.rows(MERGED, tenant=tx.tenant, clients=list(wanted))
    gone = await clients.ROWS.many(tx, [row["id"] for row in rows]) if rows else {}
    found: dict[UUID, list[Client]] = {client: [] for client in wanted}
    for row in rows:
        found[row["winner"]].append(gone[row["id"]])
    return found


class _Whole:
    """The whole list, as far as is counted."""

    backward = False
    after = None
    before = None
    limit = COUNT_LIMIT
