"""Histories: the audit trail of cycles, every move with its refused attempts."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg
from sqlalchemy import text

from db.keyset import Listing, Stretch
from db.session import Transaction
from db.tables.onboarding import TransitionRow
from domain.moves import Move
from domain.onboarding import EndReason, Transition
from domain.stages import Stage

_T = TransitionRow.__table__.c

HISTORY = Listing(
    columns=[column for column in _T if column.name != "tenant_id"],
    tenant=_T.tenant_id,
    orders={"RECORDED": (_T.recorded_at, _T.id)},
    parent=_T.cycle_id,
)

_COLUMNS = ", ".join(column.name for column in HISTORY.columns)

ACCEPTED = text(f"""
    select {_COLUMNS} from transition
    where tenant_id = :tenant and cycle_id = :cycle and accepted order by version
""")


async def histories(tx: Transaction, cycles: Sequence[UUID], stretch: Stretch) -> dict[UUID, list[Transition]]:
    """Return one stretch of each cycle's audit trail, refused attempts too, oldest first."""
    found = await HISTORY.rows_of(tx, cycles, "RECORDED", stretch)
    return {cycle: [_transition(row) for row in rows] for cycle, rows in found.items()}


async def accepted(tx: Transaction, cycle: UUID) -> tuple[Transition, ...]:
    """Return the accepted moves of a cycle in their order."""
    return tuple(_transition(row) for row in await tx.rows(ACCEPTED, tenant=tx.tenant, cycle=cycle))


def _transition(row: asyncpg.Record) -> Transition:
    values = {column.name: row[column.name] for column in HISTORY.columns}
    values["move"] = Move(row["move"])
    values["from_stage"] = Stage(row["from_stage"]) if row["from_stage"] else None
    values["to_stage"] = Stage(row["to_stage"])
    values["outcome"] = EndReason(row["outcome"]) if row["outcome"] else None
    for name in ("gates", "waiver_ids", "effect_ids"):
        values[name] = tuple(row[name])
    return Transition(**values)
