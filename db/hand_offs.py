"""Hand-off records as rows, and who changed which field of them."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg
from sqlalchemy import text

from db.rows import Rows
from db.session import Transaction
from db.tables.checklists import HandOffChangeRow
from domain.clients import ContactRole
from domain.hand_off import HandOff, HandOffChange, HandOffContact, HandOffField

CHANGES = Rows(HandOffChangeRow, HandOffChange)

_COLUMNS = """
    id, client_id, cycle_id, scope_sold, promises, incumbent, contact_roles, contact_ids, support, approvers, vips,
    risks, secrets_place, declared_none, updated_at, version
"""

OF_CYCLES = text(f"""
    select {_COLUMNS} from hand_off where tenant_id = :tenant and cycle_id = any(cast(:cycles as uuid[]))
""")

# The cycle's row is locked by whoever writes, so that two first writers cannot meet here.
SAVE = text("""
    insert into hand_off (tenant_id, id, client_id, cycle_id, scope_sold, promises, incumbent, contact_roles,
        contact_ids, support, approvers, vips, risks, secrets_place, declared_none, updated_at, version)
    values (:tenant, :id, :client, :cycle, :scope_sold, :promises, :incumbent, cast(:contact_roles as text[]),
        cast(:contact_ids as uuid[]), :support, cast(:approvers as uuid[]), cast(:vips as uuid[]), :risks,
        :secrets_place, cast(:declared_none as text[]), :updated_at, :version)
    on conflict (tenant_id, cycle_id) do update
    set scope_sold = excluded.scope_sold, promises = excluded.promises, incumbent = excluded.incumbent,
        contact_roles = excluded.contact_roles, contact_ids = excluded.contact_ids, support = excluded.support,
        approvers = excluded.approvers, vips = excluded.vips, risks = excluded.risks,
        secrets_place = excluded.secrets_place, declared_none = excluded.declared_none,
        updated_at = excluded.updated_at, version = excluded.version
""")

OF_CLIENT = text("""
    select id from contact
    where tenant_id = :tenant and client_id = :client and id = any(cast(:contacts as uuid[])) and erased_at is null
""")


async def of_cycles(tx: Transaction, cycles: Sequence[UUID]) -> dict[UUID, HandOff]:
    """Return the records of onboardings that have one."""
    rows = await tx.rows(OF_CYCLES, tenant=tx.tenant, cycles=list(cycles))
    return {row["cycle_id"]: _record(row) for row in rows}


async def save(tx: Transaction, record: HandOff) -> None:
    """Write a record over its row, or the first one of its onboarding; the caller holds the onboarding's lock."""
    await tx.run(
        SAVE,
        tenant=tx.tenant,
        id=record.id,
        client=record.client_id,
        cycle=record.cycle_id,
        scope_sold=record.scope_sold,
        promises=record.promises,
        incumbent=record.incumbent,
        contact_roles=[contact.role.value for contact in record.contacts],
        contact_ids=[contact.contact_id for contact in record.contacts],
        support=record.support,
        approvers=list(record.approvers),
        vips=list(record.vips),
        risks=record.risks,
        secrets_place=record.secrets_place,
        declared_none=[f.value for f in record.declared_none],
        updated_at=record.updated_at,
        version=record.version,
    )


async def record(tx: Transaction, change: HandOffChange) -> None:
    """Keep for good who changed which fields, without what they say."""
    await CHANGES.add(tx, change)


async def contacts_of(tx: Transaction, client: UUID, contacts: Sequence[UUID]) -> frozenset[UUID]:
    """Return those of the ids that are contacts of this client."""
    rows = await tx.rows(OF_CLIENT, tenant=tx.tenant, client=client, contacts=list(contacts))
    return frozenset(row["id"] for row in rows)


def _record(row: asyncpg.Record) -> HandOff:
    pairs = zip(row["contact_roles"], row["contact_ids"], strict=True)
    return HandOff(
        id=row["id"],
        client_id=row["client_id"],
        cycle_id=row["cycle_id"],
        scope_sold=row["scope_sold"],
        promises=row["promises"],
        incumbent=row["incumbent"],
        contacts=tuple(HandOffContact(ContactRole(role), contact) for role, contact in pairs),
        support=row["support"],
        approvers=tuple(row["approvers"]),
        vips=tuple(row["vips"]),
        risks=row["risks"],
        secrets_place=row["secrets_place"],
        declared_none=tuple(HandOffField(f) for f in row["declared_none"]),
        updated_at=row["updated_at"],
        version=row["version"],
    )
