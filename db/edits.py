"""Edits as rows, which are only ever added to."""

from db.rows import Rows
from db.session import Transaction
from db.tables.notes import ClientEditRow
from domain.edits import ClientEdit

_EDITS = Rows(ClientEditRow, ClientEdit)


async def record(tx: Transaction, edit: ClientEdit) -> None:
    """Keep for good that something was edited."""
    await _EDITS.add(tx, edit)
