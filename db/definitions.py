"""Stored definitions: numbered and immutable, so that a cycle keeps what it was opened with."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import asyncpg
import msgspec
from sqlalchemy import text

from db.keyset import Listing, Stretch
from db.session import Transaction
from db.tables.onboarding import DefinitionRow
from domain.access import PrincipalKind
from domain.definitions import OF_THE_PRODUCT, Authorship, Definition, Rules

INSERT = text("""
    insert into definition (tenant_id, id, number, body, created_at, author_kind, author_id, note, based_on)
    values (:tenant, :id, :number, :body, :now, :author_kind, :author, :note, :based_on)
""")

_COLUMNS = "id, number, body, created_at, author_kind, author_id, note, based_on"

NEWEST = text(f"select {_COLUMNS} from definition where tenant_id = :tenant order by number desc limit 1")

BY_IDS = text(f"select {_COLUMNS} from definition where tenant_id = :tenant and id = any(cast(:ids as uuid[]))")

NUMBERED = text(f"""
    select {_COLUMNS} from definition where tenant_id = :tenant and number = any(cast(:numbers as int[]))
""")

OPEN_CYCLES = text("""
    select definition_id, count(*) as cycles from cycle
    where tenant_id = :tenant and definition_id = any(cast(:ids as uuid[])) and ended_at is null
    group by definition_id
""")

_D = DefinitionRow.__table__.c

LISTING = Listing(
    columns=[column for column in _D if column.name != "tenant_id"],
    tenant=_D.tenant_id,
    orders={"NUMBER": (_D.number, _D.id)},
)


async def add(tx: Transaction, definition: Definition) -> None:
    """Store a new version; nobody can change it afterwards.

    Raises:
        DuplicateError: there is a version of this number already.
    """
    made = definition.authorship or OF_THE_PRODUCT
    await tx.run(
        INSERT,
        tenant=tx.tenant,
        id=definition.id,
        number=definition.number,
        body=msgspec.to_builtins(definition.rules, enc_hook=dict),
        now=definition.created_at,
        author_kind=made.kind.value,
        author=made.id,
        note=made.note,
        based_on=made.based_on,
    )


async def newest(tx: Transaction) -> Definition | None:
    """Return the version that a cycle opened now is pinned to."""
    row = await tx.one(NEWEST, tenant=tx.tenant)
    return _definition(row) if row else None


async def by_ids(tx: Transaction, ids: Iterable[UUID]) -> dict[UUID, Definition]:
    """Return versions by id, in one statement."""
    rows = await tx.rows(BY_IDS, tenant=tx.tenant, ids=list(set(ids)))
    return {row["id"]: _definition(row) for row in rows}


async def numbered(tx: Transaction, numbers: Iterable[int]) -> dict[int, Definition]:
    """Return versions by their number, in one statement."""
    rows = await tx.rows(NUMBERED, tenant=tx.tenant, numbers=list(set(numbers)))
    return {row["number"]: _definition(row) for row in rows}


async def listed(tx: Transaction, stretch: Stretch) -> list[Definition]:
    """Return a stretch of the versions, the newest first."""
    return [_definition(row) for row in await LISTING.rows(tx, "NUMBER", stretch, descending=True)]


async def count(tx: Transaction) -> int:
    """Return how many versions there are, up to the limit of counting."""
    return await LISTING.count(tx)


async def open_cycles(tx: Transaction, ids: Iterable[UUID]) -> dict[UUID, int]:
    """Return how many open cycles that the caller sees keep to each version."""
    rows = await tx.rows(OPEN_CYCLES, tenant=tx.tenant, ids=list(set(ids)))
    return {row["definition_id"]: row["cycles"] for row in rows}


def _definition(row: asyncpg.Record) -> Definition:
    made = Authorship(PrincipalKind(row["author_kind"]), row["author_id"], row["note"], row["based_on"])
    return read(row["id"], row["number"], row["body"], row["created_at"], made)


def read(id: UUID, number: int, body: object, created_at: datetime, authorship: Authorship | None = None) -> Definition:
    """Return the version that is stored in these columns."""
    return Definition(id, number, msgspec.convert(body, Rules), created_at, authorship)
