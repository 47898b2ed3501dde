"""Waivers, attestations and follow-ups as rows."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import Boolean, Uuid, bindparam, text

from db.keyset import Listing, Stretch
from db.rows import Rows
from db.session import Transaction
from db.tables.onboarding import AttestationRow, FollowUpRow, WaiverRow
from domain.waivers import Attestation, FollowUp, Waiver

WAIVERS = Rows(WaiverRow, Waiver)
ATTESTATIONS = Rows(AttestationRow, Attestation, derived=("visit_id",))
FOLLOW_UPS = Rows(FollowUpRow, FollowUp)

_F = FollowUpRow.__table__.c

LISTING = Listing(
    columns=FOLLOW_UPS.columns,
    tenant=_F.tenant_id,
    orders={"DUE": (_F.due_on, _F.id)},
    conditions={
        "open": _F.closed_at.is_(None) == bindparam("open", type_=Boolean()),
        "owner": _F.owner_id == bindparam("owner", type_=Uuid()),
    },
)

WAIVERS_OF_CYCLES = text("""
    select id, client_id, cycle_id, visit_id, move, gate, hardness, reason, requested_by, requested_at, granted_by,
           granted_at, four_eyes, expires_at, withdrawn_at, withdrawn_by, used_by
    from waiver where tenant_id = :tenant and cycle_id = any(cast(:cycles as uuid[]))
    order by cycle_id, requested_at, id
""")

CLOSE_FOLLOW_UP = text("""
    update follow_up set closed_at = :now, closed_by = :by, note = :note, version = version + 1
    where tenant_id = :tenant and kind = 'WAIVER' and subject_id = :waiver and closed_at is null
""")

ATTESTATIONS_OF_CYCLES = text("""
    select id, client_id, cycle_id, gate, statement, attested_on, attested_by, recorded_at
    from attestation where tenant_id = :tenant and cycle_id = any(cast(:cycles as uuid[]))
    order by cycle_id, recorded_at, id
""")


async def of_cycles(tx: Transaction, cycles: Iterable[UUID]) -> dict[UUID, list[Waiver]]:
    """Return the waivers of cycles, oldest first."""
    found: dict[UUID, list[Waiver]] = {}
    for row in await tx.rows(WAIVERS_OF_CYCLES, tenant=tx.tenant, cycles=list(cycles)):
        found.setdefault(row["cycle_id"], []).append(WAIVERS.read(row))
    return found


async def attestations(tx: Transaction, cycles: Iterable[UUID]) -> dict[UUID, list[Attestation]]:
    """Return the attestations of cycles, oldest first."""
    found: dict[UUID, list[Attestation]] = {}
    for row in await tx.rows(ATTESTATIONS_OF_CYCLES, tenant=tx.tenant, cycles=list(cycles)):
        found.setdefault(row["cycle_id"], []).append(ATTESTATIONS.read(row))
    return found


async def attest(tx: Transaction, attestation: Attestation, visit: UUID) -> None:
    """Write a person's word, which holds for one visit."""
    await ATTESTATIONS.add(tx, attestation, visit_id=visit)


async def close_follow_up(tx: Transaction, waiver: UUID, by: UUID, now: datetime, note: str) -> None:
    """Close what a waiver opened, where it is still open."""
    await tx.run(CLOSE_FOLLOW_UP, tenant=tx.tenant, waiver=waiver, by=by, now=now, note=note)


async def follow_ups(tx: Transaction, where: Mapping[str, object], stretch: Stretch) -> list[FollowUp]:
    """Return a stretch of the follow-ups by the day they are due; `where` names conditions of the listing."""
    return [FOLLOW_UPS.read(row) for row in await LISTING.rows(tx, "DUE", stretch, where)]


async def count_follow_ups(tx: Transaction, where: Mapping[str, object]) -> int:
    """Return how many follow-ups there are, up to the limit of counting."""
    return await LISTING.count(tx, where)
