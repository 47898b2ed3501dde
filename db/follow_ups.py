"""Follow-ups as rows."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Boolean, Text, Uuid, bindparam, text

from db.keyset import Listing, Stretch
from db.rows import Rows
from db.session import Transaction
from db.tables.onboarding import FollowUpRow
from domain.follow_ups import FollowUp, FollowUpKind
from domain.onboarding import Cycle

FOLLOW_UPS = Rows(FollowUpRow, FollowUp)

_F = FollowUpRow.__table__.c

LISTING = Listing(
    columns=FOLLOW_UPS.columns,
    tenant=_F.tenant_id,
    orders={"DUE": (_F.due_on, _F.id)},
    conditions={
        "open": _F.closed_at.is_(None) == bindparam("open", type_=Boolean()),
        "owner": _F.owner_id == bindparam("owner", type_=Uuid()),
        "cycle": _F.cycle_id == bindparam("cycle", type_=Uuid()),
        "kind": _F.kind == bindparam("kind", type_=Text()),
    },
)

CLOSE_ABOUT = text("""
    update follow_up set closed_at = :now, closed_by = :by, note = :note, version = version + 1
    where tenant_id = :tenant and kind = :kind and subject_id = :subject and closed_at is null
""")

HAND_ON = text("""
    update follow_up set owner_id = :lead, version = version + 1
    where tenant_id = :tenant and cycle_id = :cycle and owner_id = any(cast(:former as uuid[])) and closed_at is null
    returning id
""")

# What ends with an onboarding comes back with it, where the end is undone.
END = text("""
    update follow_up set closed_at = :now, closed_by = :by, note = :note, version = version + 1
    where tenant_id = :tenant and cycle_id = :cycle and closed_at is null
""")

BRING_BACK = text("""
    update follow_up set closed_at = null, closed_by = null, note = null, version = version + 1
    where tenant_id = :tenant and cycle_id = :cycle and closed_at = :ended_at and note = :note
""")

ENDED = "The onboarding ended."

OF_CYCLES = text("""
    select id, client_id, cycle_id, kind, subject_id, owner_id, due_on, opened_at, closed_at, closed_by, note, version,
           title, opened_by
    from follow_up where tenant_id = :tenant and cycle_id = any(cast(:cycles as uuid[]))
    order by cycle_id, opened_at, id
""")


async def close_about(
    tx: Transaction, kind: FollowUpKind, subject: UUID, *, by: UUID, now: datetime, note: str
) -> None:
    """Close what something opened, where it is still open."""
    await tx.run(CLOSE_ABOUT, tenant=tx.tenant, kind=kind.value, subject=subject, by=by, now=now, note=note)


async def hand_on(tx: Transaction, before: Cycle, after: Cycle) -> int:
    """Give what those who left a team have promised and not done to the lead; return how many."""
    former = [member for member in set(before.team) - set(after.team) if member]
    if not former:
        return 0
    return len(await tx.rows(HAND_ON, tenant=tx.tenant, cycle=after.id, lead=after.lead_id, former=former))


async def end(tx: Transaction, cycle: UUID, *, by: UUID, now: datetime) -> None:
    """Close what is open of an onboarding that ends."""
    await tx.run(END, tenant=tx.tenant, cycle=cycle, by=by, now=now, note=ENDED)


async def bring_back(tx: Transaction, cycle: UUID, ended_at: datetime) -> None:
    """Open again what an end closed that is undone."""
    await tx.run(BRING_BACK, tenant=tx.tenant, cycle=cycle, ended_at=ended_at, note=ENDED)


async def of_cycles(tx: Transaction, cycles: Sequence[UUID]) -> dict[UUID, list[FollowUp]]:
    """Return the follow-ups of onboardings, oldest first."""
    found: dict[UUID, list[FollowUp]] = {}
    for row in await tx.rows(OF_CYCLES, tenant=tx.tenant, cycles=list(cycles)):
        found.setdefault(row["cycle_id"], []).append(FOLLOW_UPS.read(row))
    return found


async def listed(tx: Transaction, where: Mapping[str, object], stretch: Stretch) -> list[FollowUp]:
    """Return a stretch of the follow-ups by the day they are due; `where` names conditions of the listing."""
    return [FOLLOW_UPS.read(row) for row in await LISTING.rows(tx, "DUE", stretch, where)]


async def count(tx: Transaction, where: Mapping[str, object]) -> int:
    """Return how many follow-ups there are, up to the limit of counting."""
    return await LISTING.count(tx, where)
