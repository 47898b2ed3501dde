"""Passes through the tickets of a tenant: batch after batch in one order, from behind where the last one ended."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import text

from db.session import Transaction

BEGINNING = UUID(int=0)

# By the key: a ticket that comes in meanwhile has a later one, and is found as well or was written by what counts now.
NEXT = text("""
    select id, system, day, logged_at from ticket where tenant_id = :tenant and id > :after
    order by id limit :rows
""")

NEXT_OF_CLIENT = text("""
    select id, system, day, logged_at from ticket
    where tenant_id = :tenant and client_id = :client
      and (logged_at, id) > (coalesce(cast(:logged_at as timestamptz), '-infinity'), :after)
    order by logged_at, id limit :rows
""")

COUNT = text("""
    select count(*) from (
        select 1 from ticket
        where tenant_id = :tenant and (cast(:client as uuid) is null or client_id = :client)
        limit :most
    ) as counted
""")


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which tickets a pass is about: of a system, of a client, or logged within some local days."""

    system: str | None = None
    client: UUID | None = None
    start: date | None = None
    end: date | None = None


@dataclass(frozen=True, slots=True)
class Leg:
    """A batch of a pass: how many tickets it went by, those of them that it is about, and behind what to go on."""

    passed: int
    ids: tuple[UUID, ...]
    after: UUID
    logged_at: datetime | None


async def leg(tx: Transaction, chosen: Chosen, after: UUID, logged_at: datetime | None, rows: int) -> Leg:
    """Return the batch behind a place; at the end one that goes by nothing."""
    if chosen.client is None:
        found = await tx.rows(NEXT, tenant=tx.tenant, after=after, rows=rows)
    else:
        named = {"client": chosen.client, "logged_at": logged_at}
        found = await tx.rows(NEXT_OF_CLIENT, tenant=tx.tenant, after=after, rows=rows, **named)
    if not found:
        return Leg(0, (), after, logged_at)
    ids = tuple(
        row["id"]
        for row in found
        if chosen.system in (None, row["system"])
        and (chosen.start is None or chosen.start <= row["day"])
        and (chosen.end is None or row["day"] < chosen.end)
    )
    return Leg(len(found), ids, found[-1]["id"], found[-1]["logged_at"])


async def length(tx: Transaction, client: UUID | None, most: int | None = None) -> int:
    """Return how many tickets a pass goes by, counted no further than `most`."""
    return int(await tx.value(COUNT, tenant=tx.tenant, client=client, most=most))
