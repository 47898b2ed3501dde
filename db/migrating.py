"""Migrating: a cycle pinned to another version, its timers called off, and its items carried over."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from db import many
from db.checklists import ITEMS, WITHOUT_DAY
from db.session import Transaction
from db.tables.checklists import ChecklistStepRow
from domain.checklists import Item, ItemDeed
from domain.effects import TARGET
from domain.onboarding import Cycle

PINNED = text("""
    select id from cycle
    where tenant_id = :tenant and definition_id = :definition and ended_at is null
    order by client_id, id limit :limit
""")

PIN = text("update cycle set definition_id = :definition where tenant_id = :tenant and id = :cycle")

# Only the timers that a definition gives a stage; reviews of holds and what notices set off stay.
CALL_OFF = text("""
    update effect set state = 'CANCELLED', reason = 'MIGRATE', settled_at = :now
    where tenant_id = :tenant and visit_id = :visit and kind = 'TIMER' and state = 'PLANNED'
      and (key = :target or key like 'DAY\\_%') and not key = any(cast(:kept as text[]))
""")

RETIRED = text(f"""
    select {", ".join(column.name for column in ITEMS.columns)} from checklist_item
    where tenant_id = :tenant and cycle_id = any(cast(:cycles as uuid[])) and removed_at is not null and not own
    order by cycle_id, removed_at, id
""")

# Keys are let go of first, so that items can change keys with each other.
LET_GO = text("""
    update checklist_item set key = key || '@' || id
    where tenant_id = :tenant and cycle_id = :cycle and id = any(cast(:ids as uuid[]))
""")

CARRY = text("""
    update checklist_item as i set stage = n.stage, key = n.key, title = n.title, owner = n.owner,
        required = n.required, proves = n.proves, assignee_id = n.assignee, due_on = n.due_on,
        due_key = coalesce(n.due_on, :without_day), removed_at = n.removed_at, version = n.version
    from unnest(cast(:ids as uuid[]), cast(:stages as text[]), cast(:keys as text[]), cast(:titles as text[]),
                cast(:owners as text[]), cast(:requireds as boolean[]), cast(:proves as text[]),
                cast(:assignees as uuid[]), cast(:dues as date[]), cast(:removals as timestamptz[]),
                cast(:versions as int[]))
         as n(id, stage, key, title, owner, required, proves, assignee, due_on, removed_at, version)
    where i.tenant_id = :tenant and i.cycle_id = :cycle and i.id = n.id
""")


async def pinned(tx: Transaction, definition: UUID, limit: int) -> list[UUID]:
    """Return open cycles that keep to a version, client by client."""
    return [row["id"] for row in await tx.rows(PINNED, tenant=tx.tenant, definition=definition, limit=limit)]


async def pin(tx: Transaction, cycle: Cycle) -> None:
    """Let a cycle keep to the version that it names now."""
    await tx.run(PIN, tenant=tx.tenant, cycle=cycle.id, definition=cycle.definition_id)


async def call_off(tx: Transaction, visit: UUID, kept: Sequence[str], now: datetime) -> None:
    """Call off the timers of a stay that the version does not know; what has fired stays fired."""
    await tx.run(CALL_OFF, tenant=tx.tenant, visit=visit, target=TARGET, kept=list(kept), now=now)


async def retired(tx: Transaction, cycles: Sequence[UUID]) -> dict[UUID, list[Item]]:
    """Return the items that earlier migrations of cycles have retired, the longest ago first."""
    found: dict[UUID, list[Item]] = {}
    for row in await tx.rows(RETIRED, tenant=tx.tenant, cycles=list(cycles)):
        item = ITEMS.read(row)
        found.setdefault(item.cycle_id, []).append(item)
    return found


async def carry(tx: Transaction, cycle: UUID, items: Sequence[Item]) -> None:
    """Write the items of a cycle over their rows, whatever keys they exchange."""
    if not items:
        return
    ids = [item.id for item in items]
    await tx.run(LET_GO, tenant=tx.tenant, cycle=cycle, ids=ids)
    await tx.run(
        CARRY,
        tenant=tx.tenant,
        cycle=cycle,
        without_day=WITHOUT_DAY,
        ids=ids,
        stages=[item.stage.value for item in items],
        keys=[item.key for item in items],
        titles=[item.title for item in items],
        owners=[item.owner.value for item in items],
        requireds=[item.required for item in items],
        proves=[item.proves.value if item.proves else None for item in items],
        assignees=[item.assignee_id for item in items],
        dues=[item.due_on for item in items],
        removals=[item.removed_at for item in items],
        versions=[item.version for item in items],
    )


async def record(tx: Transaction, deeds: Sequence[ItemDeed]) -> None:
    """Keep for good what a migration did to items."""
    await many.insert(tx, ChecklistStepRow, [many.values(deed) for deed in deeds])
