"""Stored definitions: numbered and immutable, so that a cycle keeps what it was opened with."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import asyncpg
import msgspec
from sqlalchemy import text

from db.session import Transaction
from domain.definitions import Definition, Rules

INSERT = text("""
    insert into definition (tenant_id, id, number, body, created_at)
    values (:tenant, :id, :number, :body, :now)
""")

NEWEST = text("""
    select id, number, body, created_at from definition
    where tenant_id = :tenant order by number desc limit 1
""")

BY_IDS = text("""
    select id, number, body, created_at from definition
    where tenant_id = :tenant and id = any(cast(:ids as uuid[]))
""")


async def add(tx: Transaction, definition: Definition) -> None:
    """Store a new version; nobody can change it afterwards."""
    await tx.run(
        INSERT,
        tenant=tx.tenant,
        id=definition.id,
        number=definition.number,
        body=msgspec.to_builtins(definition.rules, enc_hook=dict),
        now=definition.created_at,
    )


async def newest(tx: Transaction) -> Definition | None:
    """Return the version that a cycle opened now is pinned to."""
    row = await tx.one(NEWEST, tenant=tx.tenant)
    return _definition(row) if row else None


async def by_ids(tx: Transaction, ids: Iterable[UUID]) -> dict[UUID, Definition]:
    """Return versions by id, in one statement."""
    rows = await tx.rows(BY_IDS, tenant=tx.tenant, ids=list(set(ids)))
    return {row["id"]: _definition(row) for row in rows}


def _definition(row: asyncpg.Record) -> Definition:
    return read(row["id"], row["number"], row["body"], row["created_at"])


def read(id: UUID, number: int, body: object, created_at: datetime) -> Definition:
    """Return the version that is stored in these columns."""
    return Definition(id, number, msgspec.convert(body, Rules), created_at)
