"""Planned dates as rows, which are only ever added to; the last of a stage is what stands."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import text

from db.rows import Rows
from db.session import Transaction
from db.tables.notes import PlannedDateRow
from domain.plans import PlannedDate

_DATES = Rows(PlannedDateRow, PlannedDate)

OF_CYCLES = text(f"""
    select {", ".join(column.name for column in _DATES.columns)} from planned_date
    where tenant_id = :tenant and cycle_id = any(cast(:cycles as uuid[]))
    order by cycle_id, recorded_at, id
""")


async def of_cycles(tx: Transaction, cycles: Iterable[UUID]) -> dict[UUID, list[PlannedDate]]:
    """Return every change of the planned dates of cycles, oldest first, in one statement."""
    found: dict[UUID, list[PlannedDate]] = {}
    for row in await tx.rows(OF_CYCLES, tenant=tx.tenant, cycles=list(cycles)):
        found.setdefault(row["cycle_id"], []).append(_DATES.read(row))
    return found


async def record(tx: Transaction, changes: Iterable[PlannedDate]) -> None:
    """Keep changes of planned dates for good."""
    for change in changes:
        await _DATES.add(tx, change)
