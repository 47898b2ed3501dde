"""Effects as rows: what is due, what became of it, what a cycle has planned."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
from sqlalchemy import text

from db.session import Transaction
from domain.effects import Effect, EffectKind, EffectState

_COLUMNS = "id, client_id, cycle_id, visit_id, kind, key, recipient, due_at, state, reason, settled_at"

# On hold, surveys and the target wait; the contract's days and the hold's own review do not.
DUE_TENANTS = text("""
    select distinct e.tenant_id
    from effect e join cycle c on c.tenant_id = e.tenant_id and c.id = e.cycle_id
    where e.state = 'PLANNED' and e.due_at <= :now
      and (c.held_at is null or (e.kind = 'TIMER' and e.key <> 'TARGET'))
""")

TAKE_DUE = text(f"""
    select {", ".join("e." + name.strip() for name in _COLUMNS.split(","))}, c.version
    from effect e join cycle c on c.tenant_id = :tenant and c.id = e.cycle_id
    where e.tenant_id = :tenant and e.state = 'PLANNED' and e.due_at <= :now
      and (c.held_at is null or (e.kind = 'TIMER' and e.key <> 'TARGET'))
    order by e.due_at, e.id
    limit :limit
    for update of e skip locked
""")

SETTLE = text("""
    update effect set state = s.state, reason = s.reason, settled_at = :now
    from unnest(cast(:ids as uuid[]), cast(:states as text[]), cast(:reasons as text[])) as s(id, state, reason)
    where effect.tenant_id = :tenant and effect.id = s.id
""")

READDRESS = text("""
    update effect set recipient = :to
    where tenant_id = :tenant and cycle_id = :cycle and state = 'PLANNED' and kind = 'TIMER' and recipient = :former
    returning id
""")

OF_CYCLES = text(f"""
    select {_COLUMNS} from effect
    where tenant_id = :tenant and cycle_id = any(cast(:cycles as uuid[]))
    order by cycle_id, due_at, id
""")


async def tenants_with_due(relaying: Transaction, now: datetime) -> list[UUID]:
    """Return the tenants of which something is due."""
    return [row["tenant_id"] for row in await relaying.rows(DUE_TENANTS, now=now)]


async def take_due(tx: Transaction, now: datetime, limit: int) -> list[tuple[Effect, int]]:
    """Lock what is due, earliest first, each with its cycle's version; what another worker holds is passed over."""
    rows = await tx.rows(TAKE_DUE, tenant=tx.tenant, now=now, limit=limit)
    return [(_effect(row), row["version"]) for row in rows]


async def settle(tx: Transaction, settled: Sequence[tuple[UUID, EffectState, str | None]], now: datetime) -> None:
    """Write what became of effects that this transaction has locked."""
    await tx.run(
        SETTLE,
        tenant=tx.tenant,
        ids=[effect for effect, _, _ in settled],
        states=[state.value for _, state, _ in settled],
        reasons=[reason for _, _, reason in settled],
        now=now,
    )


async def readdress(tx: Transaction, cycle: UUID, former: UUID, to: UUID) -> int:
    """Send a cycle's timers that are still to come to its new lead instead of the former one; return how many."""
    return len(await tx.rows(READDRESS, tenant=tx.tenant, cycle=cycle, former=str(former), to=str(to)))


async def of_cycles(tx: Transaction, cycles: Iterable[UUID]) -> dict[UUID, list[Effect]]:
    """Return the effects of cycles, by when they are due."""
    found: dict[UUID, list[Effect]] = {}
    for row in await tx.rows(OF_CYCLES, tenant=tx.tenant, cycles=list(cycles)):
        effect = _effect(row)
        found.setdefault(effect.cycle_id, []).append(effect)
    return found


def _effect(row: asyncpg.Record) -> Effect:
    return Effect(
        id=row["id"],
        client_id=row["client_id"],
        cycle_id=row["cycle_id"],
        visit_id=row["visit_id"],
        kind=EffectKind(row["kind"]),
        key=row["key"],
        recipient=row["recipient"],
        due_at=row["due_at"],
        state=EffectState(row["state"]),
        reason=row["reason"],
        settled_at=row["settled_at"],
    )
