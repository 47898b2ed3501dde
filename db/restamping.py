"""Tickets placed anew: with another client, stage or phase, and every figure moved along."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from db import facts, tenants
from db.session import Transaction, columns
from db.stored_tickets import locked_by_id
from db.tickets import Touched, touched_by
from domain.escalations import Stamp
from domain.movements import Assessed, movements

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

OF_CLIENT = text("""
    select id, logged_at, client_id from ticket
    where tenant_id = :tenant and client_id = :client and logged_at >= :since and logged_at <= :until and id > :after
    order by id limit :rows
""")

PLACE = text("""
    update ticket t
    set client_id = n.client_id, stage = n.stage, phase = n.phase, cycle_id = n.cycle_id,
        recorded_at = :recorded_at, version = t.version + 1
    from unnest(cast(:ids as uuid[]), cast(:clients as uuid[]), cast(:stages as text[]), cast(:phases as text[]),
                cast(:cycles as uuid[])) as n(id, client_id, stage, phase, cycle_id)
    where t.tenant_id = :tenant and t.id = n.id
""")

PLACE_HAND_OVERS = text("""
    update hand_over h set client_id = n.client_id
    from unnest(cast(:ids as uuid[]), cast(:clients as uuid[])) as n(id, client_id)
    where h.tenant_id = :tenant and h.ticket_id = n.id and h.client_id is distinct from n.client_id
""")

PLACE_ESCALATIONS = text("""
    update escalation e set client_id = n.client_id
    from unnest(cast(:ids as uuid[]), cast(:clients as uuid[])) as n(id, client_id)
    where e.tenant_id = :tenant and e.ticket_id = n.id and e.client_id is distinct from n.client_id
""")


@dataclass(frozen=True, slots=True)
class Placeable:
    """A ticket that may have to be placed anew, and the client that it is of."""

    id: UUID
    logged_at: datetime
    client: UUID


async def mappable(tx: Transaction, rows: int) -> list[Placeable]:
    """Return tickets without a client whose key stands for one by now."""
    found = await tx.rows(MAPPABLE, tenant=tx.tenant, rows=rows)
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


async def place(
    tx: Transaction, placed: Mapping[UUID, tuple[UUID, Stamp]], recorded_at: datetime
) -> dict[UUID, Touched]:
    """Give tickets another client, stage and phase; return what changed by client. What stands there already stays."""
    zone = (await tenants.get(tx)).settings.zone
    changes: list[tuple[Assessed, Assessed]] = []
    moving: list[tuple[UUID, UUID, str, str, UUID | None]] = []
    for key, stored in (await locked_by_id(tx, placed, zone)).items():
        client, stamp = placed[key]
        before = stored.assessed
        if (before.client, before.stamp) == (client, stamp):
            continue
        changes.append((before, before.placed(replace(before.subjects, client=client), stamp)))
        moving.append((key, client, stamp.stage, stamp.phase, stamp.cycle))
    if moving:
        await _write(tx, moving, recorded_at)
    await facts.record(tx, movements(changes), recorded_at)
    return {client: touched for client, touched in touched_by(changes).items() if client is not None}


async def _write(
    tx: Transaction, moving: Sequence[tuple[UUID, UUID, str, str, UUID | None]], recorded_at: datetime
) -> None:
    ids, clients, stages, phases, cycles = columns(moving, 5)
    named = {"tenant": tx.tenant, "ids": ids, "clients": clients}
    await tx.run(PLACE, **named, stages=stages, phases=phases, cycles=cycles, recorded_at=recorded_at)
    await tx.run(PLACE_HAND_OVERS, **named)
    await tx.run(PLACE_ESCALATIONS, **named)
