"""Imports: how far a file is, what came of it, and its bad lines as rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import asyncpg
from sqlalchemy import text

from db.session import Transaction, columns
from domain.imports import LineError


class ImportStatus(StrEnum):
    """How an import stands; one that was cut off is started again, and finds what it had written."""

    RUNNING = "RUNNING"
    DONE = "DONE"
    FAILED = "FAILED"
    INTERRUPTED = "INTERRUPTED"


class ImportKind(StrEnum):
    """What a file brings."""

    TICKETS = "TICKETS"
    CLIENTS = "CLIENTS"


@dataclass(frozen=True, slots=True)
class Import:
    """One import of a file; one of clients names no system, for each of its rows may name another."""

    id: UUID
    kind: ImportKind
    system: str
    file_name: str
    status: ImportStatus
    started_at: datetime
    finished_at: datetime | None
    line: int
    created: int
    changed: int
    unchanged: int
    bad_lines: int
    failure: str | None
    requested_by: UUID


@dataclass(frozen=True, slots=True)
class Step:
    """What one batch of an import did."""

    line: int
    created: int
    changed: int
    unchanged: int
    errors: Sequence[LineError]


BEGIN = text("""
    insert into import_run (tenant_id, id, kind, system, file_name, status, started_at, finished_at, line, created,
                            changed, unchanged, bad_lines, failure, requested_by)
    values (:tenant, :id, :kind, :system, :file_name, 'RUNNING', :now, null, 0, 0, 0, 0, 0, null, :requested_by)
""")

INTERRUPT = text("""
    update import_run set status = 'INTERRUPTED', finished_at = :now
    where tenant_id = :tenant and kind = :kind and system = :system and file_name = :file_name and status = 'RUNNING'
""")

STEP = text("""
    update import_run
    set line = greatest(line, :line), created = created + :created, changed = changed + :changed,
        unchanged = unchanged + :unchanged, bad_lines = bad_lines + :bad_lines
    where tenant_id = :tenant and id = :id
    returning bad_lines
""")

ERRORS = text("""
    insert into import_error (tenant_id, import_id, number, line, column_name, value, reason)
    select :tenant, :id, e.*
    from unnest(cast(:numbers as int[]), cast(:lines as int[]), cast(:names as text[]), cast(:contents as text[]),
                cast(:reasons as text[])) as e
""")

END = text("""
    update import_run set status = :status, finished_at = :now, failure = :failure
    where tenant_id = :tenant and id = :id
""")

GET = text("""
    select id, kind, system, file_name, status, started_at, finished_at, line, created, changed, unchanged, bad_lines,
           failure, requested_by
    from import_run where tenant_id = :tenant and id = :id
""")

RECENT = text("""
    select id, kind, system, file_name, status, started_at, finished_at, line, created, changed, unchanged, bad_lines,
           failure, requested_by
    from import_run where tenant_id = :tenant order by started_at desc, id desc limit :rows
""")

BAD_LINES = text("""
    select number, line, column_name, value, reason from import_error
    where tenant_id = :tenant and import_id = :id and number > :after
    order by number limit :rows
""")


@dataclass(frozen=True, slots=True)
class Begun:
    """What an import that begins brings, from which file, and who asked for it."""

    kind: ImportKind
    system: str
    file_name: str
    requested_by: UUID


async def begin(tx: Transaction, key: UUID, begun: Begun, now: datetime) -> None:
    """Write a new import; one of the same file that was cut off is marked so."""
    same = {"kind": begun.kind.value, "system": begun.system, "file_name": begun.file_name, "now": now}
    await tx.run(INTERRUPT, tenant=tx.tenant, **same)
    await tx.run(BEGIN, tenant=tx.tenant, id=key, requested_by=begun.requested_by, **same)


async def step(tx: Transaction, key: UUID, done: Step) -> None:
    """Add what one batch did, in the transaction that did it."""
    bad_lines = await tx.value(
        STEP,
        tenant=tx.tenant,
        id=key,
        line=done.line,
        created=done.created,
        changed=done.changed,
        unchanged=done.unchanged,
        bad_lines=len(done.errors),
    )
    if not done.errors:
        return
    first = bad_lines - len(done.errors) + 1
    rows = [
        (number, error.line, error.column, error.value, error.reason)
        for number, error in enumerate(done.errors, start=first)
    ]
    names = ("numbers", "lines", "names", "contents", "reasons")
    await tx.run(ERRORS, tenant=tx.tenant, id=key, **dict(zip(names, columns(rows, len(names)), strict=True)))


async def end(tx: Transaction, key: UUID, status: ImportStatus, now: datetime, failure: str | None = None) -> None:
    await tx.run(END, tenant=tx.tenant, id=key, status=status.value, now=now, failure=failure)


async def get(tx: Transaction, key: UUID) -> Import | None:
    row = await tx.one(GET, tenant=tx.tenant, id=key)
    return _read(row) if row else None


async def recent(tx: Transaction, rows: int) -> list[Import]:
    """Return the latest imports, newest first."""
    found = await tx.rows(RECENT, tenant=tx.tenant, rows=rows)
    return [_read(row) for row in found]


async def bad_lines(tx: Transaction, key: UUID, after: int, rows: int) -> list[tuple[int, LineError]]:
    """Return the bad lines of an import with their numbers, from the one after `after` on."""
    found = await tx.rows(BAD_LINES, tenant=tx.tenant, id=key, after=after, rows=rows)
    return [(row["number"], LineError(row["line"], row["column_name"], row["value"], row["reason"])) for row in found]


def _read(row: asyncpg.Record) -> Import:
    return Import(**{**row, "kind": ImportKind(row["kind"]), "status": ImportStatus(row["status"])})
