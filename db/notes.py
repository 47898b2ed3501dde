"""Notes in the database: of a client, or of one of its onboardings, the latest first."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy import Boolean, bindparam

from db.keyset import Listing, Stretch
from db.rows import Rows
from db.session import Transaction
from db.tables.notes import NoteRow
from domain.notes import Note

ROWS = Rows(NoteRow, Note)
_T = NoteRow.__table__.c

OF_CLIENT = Listing(
    columns=ROWS.columns,
    tenant=_T.tenant_id,
    orders={"WRITTEN": (_T.created_at, _T.id)},
    conditions={"pinned": _T.pinned == bindparam("pinned", type_=Boolean())},
    parent=_T.client_id,
)
"""A client's notes, those on its onboardings too."""

OF_CYCLE = replace(OF_CLIENT, parent=_T.cycle_id)


async def listed(
    tx: Transaction, listing: Listing, parents: Sequence[UUID], stretch: Stretch, where: Mapping[str, object]
) -> dict[UUID, list[Note]]:
    """Return one stretch of the notes of each client or cycle, the latest first."""
    rows = await listing.rows_of(tx, parents, "WRITTEN", stretch, where, descending=True)
    return {parent: [ROWS.read(row) for row in found] for parent, found in rows.items()}
