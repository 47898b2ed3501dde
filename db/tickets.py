"""Tickets as they are stored: a batch with its hand-overs, escalations and deltas in a fixed number of statements."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

import asyncpg
from sqlalchemy import text

from db import facts
from db.session import Transaction, columns
from domain.movements import Assessed, Standing, movements

_COLUMNS = """client_id, external_id, client_key, kind, source, priority, category, logged_at, day, resolved_at,
    closed_at, changed_at, exclusion, stage, phase, cycle_id, escalations, first_escalated_at, rule_version, digest"""

_UNNESTED = f"""unnest(cast(:ids as uuid[]), cast(:clients as uuid[]), cast(:external_ids as text[]),
    cast(:client_keys as text[]), cast(:kinds as text[]), cast(:sources as text[]), cast(:priorities as text[]),
    cast(:categories as text[]), cast(:logged as timestamptz[]), cast(:days as date[]),
    cast(:resolved as timestamptz[]), cast(:closed as timestamptz[]), cast(:changed as timestamptz[]),
    cast(:exclusions as text[]), cast(:stages as text[]), cast(:phases as text[]), cast(:cycles as uuid[]),
    cast(:escalations as int[]), cast(:first_escalated as timestamptz[]), cast(:rules as int[]),
    cast(:digests as bytea[])) as n(id, {_COLUMNS})"""

_PARAMETERS = (
    *("ids", "clients", "external_ids", "client_keys", "kinds", "sources", "priorities", "categories", "logged"),
    *("days", "resolved", "closed", "changed", "exclusions", "stages", "phases", "cycles", "escalations"),
    *("first_escalated", "rules", "digests"),
)

# Foreign keys are checked by plans that a connection makes once and keeps: made while the tables are still empty
# they would scan them whole for every row of an import.
BY_INDEX = text("set local enable_seqscan = off")

# In the order of the key, so that two batches that overlap wait for each other instead of deadlocking.
INSERT = text(f"""
    insert into ticket (tenant_id, system, recorded_at, version, id, {_COLUMNS})
    select :tenant, :system, :recorded_at, 1, n.* from {_UNNESTED}
    order by n.external_id
    on conflict (tenant_id, system, external_id) do nothing
    returning external_id
""")

# The lock comes first and by itself: what is read in the same statement would be older than what it waited for.
LOCK = text("""
    select id from ticket
    where tenant_id = :tenant and system = :system and external_id = any(:external_ids)
    order by external_id for update
""")

STORED = text("""
    select t.id, t.external_id, t.client_id, t.day, t.stage, t.phase, t.priority, t.source, t.exclusion, t.cycle_id,
           t.changed_at, t.digest, t.rule_version, e.days, e.times
    from ticket t
    cross join lateral (
        select array_agg(day order by position) as days, array_agg(times order by position) as times
        from escalation where tenant_id = :tenant and ticket_id = t.id
    ) e
    where t.tenant_id = :tenant and t.id = any(:ids)
""")

UPDATE = text(f"""
    update ticket t
    set recorded_at = :recorded_at, version = t.version + 1,
        ({_COLUMNS}) = row(n.client_id, n.external_id, n.client_key, n.kind, n.source, n.priority, n.category,
        n.logged_at, n.day, n.resolved_at, n.closed_at, n.changed_at, n.exclusion, n.stage, n.phase, n.cycle_id,
        n.escalations, n.first_escalated_at, n.rule_version, n.digest)
    from {_UNNESTED}
    where t.tenant_id = :tenant and t.id = n.id
""")

FORGET_HAND_OVERS = text("delete from hand_over where tenant_id = :tenant and ticket_id = any(:ids)")
FORGET_ESCALATIONS = text("delete from escalation where tenant_id = :tenant and ticket_id = any(:ids)")

HAND_OVERS = text("""
    insert into hand_over (tenant_id, ticket_id, client_id, position, at, team, tier, reassignments)
    select :tenant, n.*
    from unnest(cast(:tickets as uuid[]), cast(:clients as uuid[]), cast(:positions as int[]),
                cast(:instants as timestamptz[]), cast(:teams as text[]), cast(:tiers as int[]),
                cast(:counts as int[])) as n
""")

ESCALATIONS = text("""
    insert into escalation (tenant_id, id, ticket_id, client_id, position, kind, at, day, times,
                            from_team, to_team, from_tier, to_tier, rule_version)
    select :tenant, n.*
    from unnest(cast(:ids as uuid[]), cast(:tickets as uuid[]), cast(:clients as uuid[]), cast(:positions as int[]),
                cast(:kinds as text[]), cast(:instants as timestamptz[]), cast(:days as date[]), cast(:times as int[]),
                cast(:from_teams as text[]), cast(:to_teams as text[]), cast(:from_tiers as int[]),
                cast(:to_tiers as int[]), cast(:rules as int[])) as n
""")

ANY = text("select exists (select 1 from ticket where tenant_id = :tenant)")


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a batch: by client, how many tickets were new and how many changed, and on which days."""

    unchanged: int = 0
    hidden: tuple[str, ...] = ()
    """External ids of tickets that belong to a client the caller doesn't see."""
    clients: dict[UUID | None, "Touched"] = field(default_factory=dict)

    @property
    def created(self) -> int:
        return sum(touched.created for touched in self.clients.values())

    @property
    def changed(self) -> int:
        return sum(touched.changed for touched in self.clients.values())


@dataclass(slots=True)
class Touched:
    """What a batch did to one client's figures."""

    created: int = 0
    changed: int = 0
    days: set[date] = field(default_factory=set)


async def write(
    tx: Transaction, system: str, batch: Sequence[Assessed], recorded_at: datetime, new_id: Callable[[], UUID]
) -> Written:
    """Write a batch of one system's tickets; what is stored already and says the same stays as it is.

    External ids must differ within the batch. An older report of a ticket (by `changed_at`) leaves a newer one.
    """
    await tx.run(BY_INDEX)
    by_key = {assessed.report.external_id: assessed for assessed in batch}
    ids = {key: new_id() for key in by_key}
    rows = await tx.rows(INSERT, tenant=tx.tenant, system=system, recorded_at=recorded_at, **_parameters(ids, batch))
    created = {row["external_id"] for row in rows}
    stored = await _stored(tx, system, [key for key in by_key if key not in created])
    changed = {key: row for key, row in stored.items() if _differs(row, by_key[key])}
    if changed:
        ids |= {key: row["id"] for key, row in changed.items()}
        await _update(tx, ids, [by_key[key] for key in changed], recorded_at)
    written = [by_key[key] for key in by_key if key in created or key in changed]
    await _write_parts(tx, ids, written, new_id)
    before = {key: standing(row) for key, row in changed.items()}
    moved = movements((before.get(one.report.external_id), Standing.of(one)) for one in written)
    await facts.record(tx, moved, recorded_at)
    return Written(
        unchanged=len(stored) - len(changed),
        hidden=tuple(key for key in by_key if key not in created and key not in stored),
        clients=_touched(written, changed),
    )


async def exist(tx: Transaction) -> bool:
    """Tell whether the tenant has tickets: its zone then stays, because their local days were read in it."""
    return bool(await tx.value(ANY, tenant=tx.tenant))


async def _stored(tx: Transaction, system: str, keys: Sequence[str]) -> dict[str, asyncpg.Record]:
    if not keys:
        return {}
    locked = await tx.rows(LOCK, tenant=tx.tenant, system=system, external_ids=list(keys))
    rows = await tx.rows(STORED, tenant=tx.tenant, ids=[row["id"] for row in locked])
    return {row["external_id"]: row for row in rows}


def _differs(row: asyncpg.Record, assessed: Assessed) -> bool:
    report = assessed.report
    if row["changed_at"] is not None and report.changed_at is not None and report.changed_at < row["changed_at"]:
        return False
    stamp = assessed.stamp
    return (row["digest"], row["client_id"], row["rule_version"], row["stage"], row["phase"], row["cycle_id"]) != (
        report.digest(),
        assessed.client,
        assessed.rule.version,
        stamp.stage,
        stamp.phase,
        stamp.cycle,
    )


async def _update(tx: Transaction, ids: dict[str, UUID], batch: Sequence[Assessed], recorded_at: datetime) -> None:
    touched = [ids[assessed.report.external_id] for assessed in batch]
    await tx.run(UPDATE, tenant=tx.tenant, recorded_at=recorded_at, **_parameters(ids, batch))
    await tx.run(FORGET_HAND_OVERS, tenant=tx.tenant, ids=touched)
    await tx.run(FORGET_ESCALATIONS, tenant=tx.tenant, ids=touched)


async def _write_parts(
    tx: Transaction, ids: dict[str, UUID], batch: Sequence[Assessed], new_id: Callable[[], UUID]
) -> None:
    if not batch:
        return
    handed = [
        (ids[one.report.external_id], one.client, position, had.at, had.team, had.tier, had.reassignments)
        for one in batch
        for position, had in enumerate(one.report.hand_overs)
    ]
    names = ("tickets", "clients", "positions", "instants", "teams", "tiers", "counts")
    await tx.run(HAND_OVERS, tenant=tx.tenant, **dict(zip(names, columns(handed, len(names)), strict=True)))
    escalated = [
        (
            *(new_id(), ids[one.report.external_id], one.client, found.hand_over, one.rule.kind, found.at, day),
            *(found.times, found.from_team, found.to_team, found.from_tier, found.to_tier, one.rule.version),
        )
        for one in batch
        for found, day in zip(one.escalations, one.escalation_days, strict=True)
    ]
    escalation_names = (
        *("ids", "tickets", "clients", "positions", "kinds", "instants", "days"),
        *("times", "from_teams", "to_teams", "from_tiers", "to_tiers", "rules"),
    )
    await tx.run(
        ESCALATIONS,
        tenant=tx.tenant,
        **dict(zip(escalation_names, columns(escalated, len(escalation_names)), strict=True)),
    )


def _parameters(ids: dict[str, UUID], batch: Sequence[Assessed]) -> dict[str, object]:
    rows = [
        (
            *(ids[one.report.external_id], one.client, one.report.external_id, one.report.client, one.report.kind),
            *(one.report.source, one.report.priority, one.report.category, one.report.logged_at, one.day),
            *(one.report.resolved_at, one.report.closed_at, one.report.changed_at, one.report.exclusion),
            *(one.stamp.stage, one.stamp.phase, one.stamp.cycle, one.times_escalated, one.first_escalated_at),
            *(one.rule.version, one.report.digest()),
        )
        for one in batch
    ]
    return dict(zip(_PARAMETERS, columns(rows, len(_PARAMETERS)), strict=True))


def standing(row: asyncpg.Record) -> Standing:
    """Return what a stored ticket adds to the figures, from a row of `STORED`."""
    return Standing(
        client=row["client_id"],
        day=row["day"],
        stage=row["stage"],
        phase=row["phase"],
        priority=row["priority"],
        source=row["source"],
        counted=row["exclusion"] is None,
        escalations=tuple(zip(row["days"] or (), row["times"] or (), strict=True)),
    )


def _touched(written: Sequence[Assessed], changed: dict[str, asyncpg.Record]) -> dict[UUID | None, Touched]:
    clients: dict[UUID | None, Touched] = {}
    for assessed in written:
        touched = clients.setdefault(assessed.client, Touched())
        touched.days.update((assessed.day, *assessed.escalation_days))
        before = changed.get(assessed.report.external_id)
        if before is None:
            touched.created += 1
            continue
        touched.changed += 1
        left = clients.setdefault(before["client_id"], Touched())
        left.days.update((before["day"], *(before["days"] or ())))
        if left is not touched:
            left.changed += 1
    return clients
