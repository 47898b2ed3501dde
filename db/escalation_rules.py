"""Escalation rules as they are stored: a version after the other for each system, of which the newest counts."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
from sqlalchemy import any_, bindparam, text
from sqlalchemy import types as sqltypes
from sqlalchemy.dialects.postgresql import ARRAY

from db.keyset import Listing, Stretch
from db.session import Transaction
from db.tables.tickets import EscalationRuleRow
from domain.access import PrincipalKind
from domain.escalations import EscalationRule, RuleVersion

# What tickets are assessed by stays as it is while a batch is being written, and a change of it waits for the batch:
# nothing is written by what was in force before, once the tickets have begun to be gone through by what is.
_LOCK = "hashtextextended('tickets of ' || cast(cast(:tenant as uuid) as text), 0)"
HOLD = text(f"select pg_advisory_xact_lock_shared({_LOCK})")
ALONE = text(f"select pg_advisory_xact_lock({_LOCK})")

_COLUMNS = "id, system, version, body, created_at, author_kind, author_id, note, applied_at"

NEWEST = text(f"""
    select distinct on (system) {_COLUMNS} from escalation_rule
    where tenant_id = :tenant and (cast(:system as text) is null or system = :system)
    order by system, version desc
""")

ADD = text(f"""
    insert into escalation_rule (tenant_id, {_COLUMNS})
    values (:tenant, :id, :system, :version, :body, :created_at, :author_kind, :author_id, :note, :applied_at)
    on conflict (tenant_id, system, version) do nothing
    returning id
""")

BY_IDS = text(f"select {_COLUMNS} from escalation_rule where tenant_id = :tenant and id = any(cast(:ids as uuid[]))")

APPLIED = text("""
    update escalation_rule set applied_at = :now
    where tenant_id = :tenant and system = :system and version = :version and applied_at is null
""")

# The versions by which tickets may stand: the newest, and back to the last one that had been gone through to the end.
MIXED = text("""
    select r.system, r.version from escalation_rule r
    where r.tenant_id = :tenant and r.created_at <= :at
      and r.version >= (select max(w.version) from escalation_rule w
                        where w.tenant_id = :tenant and w.system = r.system
                          and (w.applied_at <= :at or w.version = 1))
    order by r.system, r.version
""")

_R = EscalationRuleRow.__table__.c
LISTING = Listing(
    columns=tuple(_R[name] for name in _COLUMNS.split(", ")),
    tenant=_R.tenant_id,
    orders={"CREATED_AT": (_R.created_at, _R.id)},
    conditions={"systems": _R.system == any_(bindparam("systems", type_=ARRAY(sqltypes.Text())))},
)


async def hold(tx: Transaction) -> None:
    """Keep rules and hours of a tenant as they are until this batch of its tickets is written."""
    await tx.run(HOLD, tenant=tx.tenant)


async def alone(tx: Transaction) -> None:
    """Wait for the batches that are being written, and let new ones wait until rules or hours have changed.

    Call it before anything is locked for which a batch could wait.
    """
    await tx.run(ALONE, tenant=tx.tenant)


async def newest(tx: Transaction) -> dict[str, RuleVersion]:
    """Return the version of each system that counts."""
    return {row["system"]: _read(row) for row in await tx.rows(NEWEST, tenant=tx.tenant, system=None)}


async def newest_of(tx: Transaction, system: str) -> RuleVersion | None:
    """Return the version that counts for a system's tickets, or `None` where none was ever set."""
    row = await tx.one(NEWEST, tenant=tx.tenant, system=system)
    return _read(row) if row else None


async def add(tx: Transaction, version: RuleVersion) -> bool:
    """Write a version, and tell whether that was done; one that has the number already stays."""
    added = await tx.value(
        ADD,
        tenant=tx.tenant,
        id=version.id,
        system=version.system,
        version=version.version,
        body=version.rule.to_data(),
        created_at=version.created_at,
        author_kind=version.author_kind,
        author_id=version.author_id,
        note=version.note,
        applied_at=version.applied_at,
    )
    return added is not None


async def many(tx: Transaction, keys: Sequence[UUID]) -> dict[UUID, RuleVersion]:
    """Return versions by id, those that there are."""
    return {row["id"]: _read(row) for row in await tx.rows(BY_IDS, tenant=tx.tenant, ids=list(keys))}


async def note_applied(tx: Transaction, system: str, version: int, now: datetime) -> None:
    """Note that all tickets of a system have been gone through by a version of its rule."""
    await tx.run(APPLIED, tenant=tx.tenant, system=system, version=version, now=now)


async def mixed(tx: Transaction, at: datetime) -> dict[str, tuple[int, ...]]:
    """Return by system the versions by which its tickets may have stood at an instant, where those were several."""
    found: dict[str, tuple[int, ...]] = {}
    for row in await tx.rows(MIXED, tenant=tx.tenant, at=at):
        found[row["system"]] = (*found.get(row["system"], ()), row["version"])
    return {system: versions for system, versions in found.items() if len(versions) > 1}


async def history(tx: Transaction, stretch: Stretch, where: Mapping[str, object]) -> list[RuleVersion]:
    """Return versions of rules, the newest first."""
    return [_read(row) for row in await LISTING.rows(tx, "CREATED_AT", stretch, where, descending=True)]


async def count(tx: Transaction, where: Mapping[str, object]) -> int:
    """Return how many versions there are, counting no further than is told."""
    return await LISTING.count(tx, where)


def _read(row: asyncpg.Record) -> RuleVersion:
    return RuleVersion(
        id=row["id"],
        system=row["system"],
        rule=EscalationRule.from_data(row["body"]),
        created_at=row["created_at"],
        author_kind=PrincipalKind(row["author_kind"]) if row["author_kind"] else None,
        author_id=row["author_id"],
        note=row["note"],
        applied_at=row["applied_at"],
    )
