"""Changes beside the moves as rows, which are only ever added to."""

from collections.abc import Iterable

from db.rows import Rows
from db.session import Transaction
from db.tables.onboarding import CycleChangeRow
from domain.cycle_changes import CycleChange

CHANGES = Rows(CycleChangeRow, CycleChange)


async def record(tx: Transaction, changes: Iterable[CycleChange]) -> None:
    """Keep changes, or refused attempts at them, for good."""
    for change in changes:
        await CHANGES.add(tx, change)
