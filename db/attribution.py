"""What a ticket needs from its tenant before it can be stored: its client, and that client's hours and history."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import text

from db.session import Transaction
from domain.calendars import Calendar, CalendarSource
from domain.escalations import ClientHistory, Stay, Window
from domain.ids import IdKind

# No client is merged into another while its tickets are being written: what was waited for is seen as it is then.
CLIENTS = text("""
    select r.key, coalesce(c.merged_into, c.id) as client_id
    from external_ref r join client c on c.tenant_id = :tenant and c.id = r.client_id
    where r.tenant_id = :tenant and r.kind = 'CLIENT' and r.system = :system and r.key = any(:keys)
    order by c.id
    for key share of c
""")

# What a client has under a key of the system: of two clients each knows its own by the same key.
BELONGINGS = text("""
    select r.client_id, r.kind, r.key, r.subject_id from external_ref r
    where r.tenant_id = :tenant and r.kind in ('SITE', 'DEVICE') and r.system = :system and r.key = any(:keys)
      and r.client_id = any(cast(:clients as uuid[]))
""")

# The hours that a contract in force covers, of several the one signed last: what is only being agreed, or is over,
# covers nothing while there is one. Of a client that has none, the last one or the one that is to come tells.
COVERAGE = text("""
    select distinct on (k.client_id) k.client_id, c.body
    from contract k
    join calendar c on c.tenant_id = :tenant and c.contract_id = k.id and c.valid_to is null and c.body is not null
    where k.tenant_id = :tenant and k.client_id = any(cast(:clients as uuid[]))
      and (k.status = 'SIGNED' or not exists (
          select from contract f where f.tenant_id = :tenant and f.client_id = k.client_id and f.status = 'SIGNED'
      ))
    order by k.client_id, k.signed_at desc nulls last, k.id desc
""")

# A move of the client waits for the batch, and the batch for the move: a stamp is never of a half-told history.
HOLD_STILL = text("""
    select id from cycle where tenant_id = :tenant and client_id = any(:clients)
    order by client_id, id for share
""")

# Onboardings before clients, as whoever merges or moves them.
HOLD_NAMED = text("""
    select c.id from cycle c
    where c.tenant_id = :tenant and c.client_id in (
        select r.client_id from external_ref r
        where r.tenant_id = :tenant and r.kind = 'CLIENT' and r.system = :system and r.key = any(:keys)
    )
    order by c.client_id, c.id for share of c
""")

# A stay that was undone is left empty: no ticket was logged in it.
STAYS = text("""
    select v.client_id, v.stage, v.cycle_id, v.entered_at, v.left_at
    from visit v join cycle c on c.tenant_id = v.tenant_id and c.id = v.cycle_id
    where v.tenant_id = :tenant and v.client_id = any(:clients) and c.scope_kind = 'WHOLE_CLIENT'
      and (v.left_at is null or v.left_at > v.entered_at)
    order by v.entered_at
""")

WINDOWS = text("""
    select w.client_id, w.opened_at, w.closed_at
    from escalation_window w join cycle c on c.tenant_id = w.tenant_id and c.id = w.cycle_id
    where w.tenant_id = :tenant and w.client_id = any(:clients) and c.scope_kind = 'WHOLE_CLIENT'
    order by w.opened_at
""")


async def clients_of(tx: Transaction, system: str, keys: Iterable[str]) -> dict[str, UUID]:
    """Return the clients that a system's keys stand for; a key that nobody has mapped is absent."""
    named = {"tenant": tx.tenant, "system": system, "keys": sorted(set(keys))}
    if not named["keys"]:
        return {}
    await tx.run(HOLD_NAMED, **named)
    rows = await tx.rows(CLIENTS, **named)
    return {row["key"]: row["client_id"] for row in rows}


async def belongings(
    tx: Transaction, system: str, clients: Sequence[UUID], keys: Sequence[str]
) -> dict[tuple[UUID, IdKind, str], UUID]:
    """Return what sites and devices of clients a system's keys stand for."""
    if not clients or not keys:
        return {}
    rows = await tx.rows(BELONGINGS, tenant=tx.tenant, system=system, clients=list(clients), keys=list(keys))
    return {(row["client_id"], IdKind[row["kind"]], row["key"]): row["subject_id"] for row in rows}


async def coverage(tx: Transaction, clients: Sequence[UUID]) -> dict[UUID, Calendar]:
    """Return the hours that clients' contracts cover, of those that have hours of their own."""
    if not clients:
        return {}
    rows = await tx.rows(COVERAGE, tenant=tx.tenant, clients=list(clients))
    return {row["client_id"]: Calendar.from_data(row["body"], CalendarSource.CONTRACT) for row in rows}


async def histories(tx: Transaction, clients: Sequence[UUID]) -> dict[UUID, ClientHistory]:
    """Return where each client stood over time, and keep it so until the transaction ends."""
    if not clients:
        return {}
    named = {"tenant": tx.tenant, "clients": list(clients)}
    await tx.run(HOLD_STILL, **named)
    stays: dict[UUID, list[Stay]] = {client: [] for client in clients}
    windows: dict[UUID, list[Window]] = {client: [] for client in clients}
    for row in await tx.rows(STAYS, **named):
        stays[row["client_id"]].append(Stay(row["stage"], row["cycle_id"], row["entered_at"], row["left_at"]))
    for row in await tx.rows(WINDOWS, **named):
        windows[row["client_id"]].append(Window(row["opened_at"], row["closed_at"]))
    return {client: ClientHistory(tuple(stays[client]), tuple(windows[client])) for client in clients}
