"""Waivers and attestations as rows."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import text

from db.rows import Rows
from db.session import Transaction
from db.tables.onboarding import AttestationRow, WaiverRow
from domain.moves import Gate
from domain.onboarding import Cycle
from domain.waivers import Attestation, Waiver

WAIVERS = Rows(WaiverRow, Waiver)
ATTESTATIONS = Rows(AttestationRow, Attestation, derived=("visit_id",))

WAIVERS_OF_CYCLES = text("""
    select id, client_id, cycle_id, visit_id, move, gate, hardness, reason, requested_by, requested_at, granted_by,
           granted_at, four_eyes, expires_at, withdrawn_at, withdrawn_by, used_by
    from waiver where tenant_id = :tenant and cycle_id = any(cast(:cycles as uuid[]))
    order by cycle_id, requested_at, id
""")

ATTESTATIONS_OF_CYCLES = text("""
    select id, client_id, cycle_id, gate, statement, attested_on, attested_by, recorded_at
    from attestation where tenant_id = :tenant and cycle_id = any(cast(:cycles as uuid[]))
    order by cycle_id, recorded_at, id
""")

ATTESTERS = text("""
    select distinct attested_by from attestation
    where tenant_id = :tenant and cycle_id = :cycle and visit_id = :visit and gate = :gate
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


async def attesters(tx: Transaction, cycle: Cycle, gate: Gate) -> set[UUID]:
    """Return who has given their word for a gate in the stay that a cycle is in."""
    rows = await tx.rows(ATTESTERS, tenant=tx.tenant, cycle=cycle.id, visit=cycle.visit_id, gate=gate.value)
    return {row["attested_by"] for row in rows}


async def attest(tx: Transaction, attestation: Attestation, visit: UUID) -> None:
    """Write a person's word, which holds for one visit."""
    await ATTESTATIONS.add(tx, attestation, visit_id=visit)
