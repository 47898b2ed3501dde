"""External references: the keys under which other systems know our objects."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg
from sqlalchemy import text

from db.session import Transaction, columns
from domain.clients import ExternalRef
from domain.ids import IdKind

OF_A_CLIENT = text("""
    select kind, system, key, subject_id, client_id from external_ref
    where tenant_id = :tenant and kind = :kind and system = :system and key = any(:keys) and client_id = :client
""")
FIND = text("""
    select r.kind, r.system, r.key, r.subject_id, r.client_id
    from unnest(cast(:systems as text[]), cast(:keys as text[])) as wanted(system, key)
    join external_ref r on r.tenant_id = :tenant and r.kind = :kind and r.system = wanted.system and r.key = wanted.key
""")
OF_SUBJECTS = text("""
    select kind, system, key, subject_id, client_id from external_ref
    where tenant_id = :tenant and subject_id = any(cast(:subjects as uuid[])) order by system, key
""")
ADD = text("""
    insert into external_ref (tenant_id, kind, system, key, subject_id, client_id)
    select :tenant, r.kind, r.system, r.key, r.subject_id, r.client_id
    from unnest(cast(:kinds as text[]), cast(:systems as text[]), cast(:keys as text[]), cast(:subjects as uuid[]),
                cast(:clients as uuid[])) as r(kind, system, key, subject_id, client_id)
    order by r.kind, r.system, r.key
""")
TAKE = text("""
    insert into external_ref (tenant_id, kind, system, key, subject_id, client_id)
    select :tenant, r.kind, r.system, r.key, r.subject_id, r.client_id
    from unnest(cast(:kinds as text[]), cast(:systems as text[]), cast(:keys as text[]), cast(:subjects as uuid[]),
                cast(:clients as uuid[])) as r(kind, system, key, subject_id, client_id)
    order by r.kind, r.system, r.key
    on conflict do nothing
    returning subject_id
""")
REMOVE = text("delete from external_ref where tenant_id = :tenant and subject_id = :subject")


async def find(tx: Transaction, kind: IdKind, pairs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], ExternalRef]:
    """Return the references behind (system, key) pairs, as far as this transaction sees them."""
    # What is not printable is no key, and some of it PostgreSQL would not even take as text.
    systems, keys = columns([pair for pair in pairs if all(part.isprintable() for part in pair)], 2)
    rows = await tx.rows(FIND, tenant=tx.tenant, kind=kind.name, systems=systems, keys=keys)
    return {(row["system"], row["key"]): _read(row) for row in rows}


async def of_a_client(
    tx: Transaction, kind: IdKind, client: UUID, system: str, keys: Sequence[str]
) -> dict[str, ExternalRef]:
    """Return by their keys those references of one system that lead to what one client has."""
    names = [key for key in keys if key.isprintable()] if system.isprintable() else []
    rows = await tx.rows(OF_A_CLIENT, tenant=tx.tenant, kind=kind.name, system=system, keys=names, client=client)
    return {row["key"]: _read(row) for row in rows}


async def of_subjects(tx: Transaction, subjects: Sequence[UUID]) -> dict[UUID, list[ExternalRef]]:
    """Return the references of objects, by system and key."""
    found: dict[UUID, list[ExternalRef]] = {}
    for row in await tx.rows(OF_SUBJECTS, tenant=tx.tenant, subjects=list(subjects)):
        found.setdefault(row["subject_id"], []).append(_read(row))
    return found


async def add(tx: Transaction, refs: Sequence[ExternalRef]) -> None:
    """Write references, in the order of their keys, so that two writers of the same ones take turns.

    Raises:
        DuplicateError: one of the keys leads somewhere already.
    """
    if refs:
        await tx.run(ADD, tenant=tx.tenant, **_columns(refs))


async def take(tx: Transaction, refs: Sequence[ExternalRef]) -> frozenset[UUID]:
    """Write those references whose keys are free, and return the subjects that got theirs.

    A key that another transaction is writing is waited for.
    """
    if not refs:
        return frozenset()
    return frozenset(row["subject_id"] for row in await tx.rows(TAKE, tenant=tx.tenant, **_columns(refs)))


async def replace_all(tx: Transaction, subject: UUID, refs: Sequence[ExternalRef]) -> None:
    """Write the references of one object anew.

    Raises:
        DuplicateError: one of the keys leads somewhere else.
    """
    await tx.run(REMOVE, tenant=tx.tenant, subject=subject)
    await add(tx, refs)


def _columns(refs: Sequence[ExternalRef]) -> dict[str, list[object]]:
    rows = [(r.kind.name, r.system, r.key, r.subject_id, r.client_id) for r in refs]
    names = ("kinds", "systems", "keys", "subjects", "clients")
    return dict(zip(names, columns(rows, len(names)), strict=True))


def _read(row: asyncpg.Record) -> ExternalRef:
    return ExternalRef(IdKind[row["kind"]], row["system"], row["key"], row["subject_id"], row["client_id"])
