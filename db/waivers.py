"""Waivers, attestations and follow-ups as rows."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import date
from functools import cache
from uuid import UUID

import asyncpg
from sqlalchemy import text
from sqlalchemy.sql.expression import TextClause

from db.session import Transaction
from domain.definitions import Hardness
from domain.onboarding import Gate, Move
from domain.waivers import Attestation, FollowUp, FollowUpKind, Waiver

_WAIVER = """
    id, client_id, cycle_id, visit_id, move, gate, hardness, reason, requested_by, requested_at, granted_by, granted_at,
    four_eyes, expires_at, withdrawn_at, used_by
"""

ADD = text(f"""
    insert into waiver (tenant_id, {_WAIVER})
    values (:tenant, :id, :client_id, :cycle_id, :visit_id, :move, :gate, :hardness, :reason, :requested_by,
        :requested_at, :granted_by, :granted_at, :four_eyes, :expires_at, :withdrawn_at, :used_by)
""")

SAVE = text("""
    update waiver set granted_by = :granted_by, granted_at = :granted_at, four_eyes = :four_eyes,
        withdrawn_at = :withdrawn_at
    where tenant_id = :tenant and id = :id
""")

FIND = text(f"select {_WAIVER} from waiver where tenant_id = :tenant and id = :id")

OF_CYCLES = text(f"""
    select {_WAIVER} from waiver
    where tenant_id = :tenant and cycle_id = any(cast(:cycles as uuid[]))
    order by cycle_id, requested_at, id
""")

ATTEST = text("""
    insert into attestation (tenant_id, id, client_id, cycle_id, visit_id, gate, statement, attested_on, attested_by,
        recorded_at)
    values (:tenant, :id, :client_id, :cycle_id, :visit, :gate, :statement, :attested_on, :attested_by, :recorded_at)
""")

ATTESTATIONS = text("""
    select id, client_id, cycle_id, gate, statement, attested_on, attested_by, recorded_at from attestation
    where tenant_id = :tenant and cycle_id = any(cast(:cycles as uuid[]))
    order by cycle_id, recorded_at, id
""")

_FOLLOW_UP = """
    id, client_id, cycle_id, kind, subject_id, owner_id, due_on, opened_at, closed_at, closed_by, note, version
"""

FOLLOW_UP = text(f"""
    insert into follow_up (tenant_id, {_FOLLOW_UP})
    values (:tenant, :id, :client_id, :cycle_id, :kind, :subject_id, :owner_id, :due_on, :opened_at, :closed_at,
        :closed_by, :note, :version)
""")

LOCK_FOLLOW_UP = text(f"select {_FOLLOW_UP} from follow_up where tenant_id = :tenant and id = :id for update")

CLOSE_FOLLOW_UP = text("""
    update follow_up set closed_at = :closed_at, closed_by = :closed_by, note = :note, version = :version
    where tenant_id = :tenant and id = :id
""")

FOLLOW_UPS_BY_IDS = text(f"""
    select {_FOLLOW_UP} from follow_up where tenant_id = :tenant and id = any(cast(:ids as uuid[]))
""")


async def add(tx: Transaction, waiver: Waiver) -> None:
    """Write a new waiver."""
    await tx.run(ADD, tenant=tx.tenant, **_plain(waiver))


async def save(tx: Transaction, waiver: Waiver) -> None:
    """Write who granted or withdrew a waiver; the caller holds the cycle's lock."""
    await tx.run(
        SAVE,
        tenant=tx.tenant,
        id=waiver.id,
        granted_by=waiver.granted_by,
        granted_at=waiver.granted_at,
        four_eyes=waiver.four_eyes,
        withdrawn_at=waiver.withdrawn_at,
    )


async def find(tx: Transaction, waiver: UUID) -> Waiver | None:
    """Return a waiver, or `None` where none is visible."""
    row = await tx.one(FIND, tenant=tx.tenant, id=waiver)
    return _waiver(row) if row else None


async def of_cycles(tx: Transaction, cycles: Iterable[UUID]) -> dict[UUID, list[Waiver]]:
    """Return the waivers of cycles, oldest first."""
    found: dict[UUID, list[Waiver]] = {}
    for row in await tx.rows(OF_CYCLES, tenant=tx.tenant, cycles=list(cycles)):
        found.setdefault(row["cycle_id"], []).append(_waiver(row))
    return found


async def attest(tx: Transaction, attestation: Attestation, visit: UUID) -> None:
    """Write a person's word, which holds for one visit."""
    await tx.run(ATTEST, tenant=tx.tenant, visit=visit, **_plain(attestation))


async def attestations(tx: Transaction, cycles: Iterable[UUID]) -> dict[UUID, list[Attestation]]:
    """Return the attestations of cycles, oldest first."""
    found: dict[UUID, list[Attestation]] = {}
    for row in await tx.rows(ATTESTATIONS, tenant=tx.tenant, cycles=list(cycles)):
        values = dict(row) | {"gate": Gate(row["gate"])}
        found.setdefault(row["cycle_id"], []).append(Attestation(**values))
    return found


async def open_follow_up(tx: Transaction, follow_up: FollowUp) -> None:
    """Write a new follow-up."""
    await tx.run(FOLLOW_UP, tenant=tx.tenant, **_plain(follow_up))


async def lock_follow_up(tx: Transaction, follow_up: UUID) -> FollowUp | None:
    """Return a follow-up with its row locked."""
    row = await tx.one(LOCK_FOLLOW_UP, tenant=tx.tenant, id=follow_up)
    return _follow_up(row) if row else None


async def close_follow_up(tx: Transaction, follow_up: FollowUp) -> None:
    """Write when, by whom and with what note a locked follow-up was closed."""
    await tx.run(
        CLOSE_FOLLOW_UP,
        tenant=tx.tenant,
        id=follow_up.id,
        closed_at=follow_up.closed_at,
        closed_by=follow_up.closed_by,
        note=follow_up.note,
        version=follow_up.version,
    )


async def follow_ups_by_ids(tx: Transaction, ids: Iterable[UUID]) -> dict[UUID, FollowUp]:
    """Return follow-ups by id."""
    rows = await tx.rows(FOLLOW_UPS_BY_IDS, tenant=tx.tenant, ids=list(ids))
    return {row["id"]: _follow_up(row) for row in rows}


@cache
def _page(*, open_only: bool, forward: bool, bounded: bool) -> TextClause:
    order = "asc" if forward else "desc"
    still_open = "and closed_at is null" if open_only else ""
    bound = f"and (due_on, id) {'>' if forward else '<'} (:at, :after)" if bounded else ""
    return text(f"""
        select {_FOLLOW_UP} from follow_up
        where tenant_id = :tenant {still_open} {bound}
        order by due_on {order}, id {order} limit :limit
    """)


async def follow_ups(
    tx: Transaction, *, open_only: bool, limit: int, forward: bool, after: tuple[date, UUID] | None
) -> list[FollowUp]:
    """Return a page of follow-ups by (due_on, id)."""
    bound = {"at": after[0], "after": after[1]} if after else {}
    statement = _page(open_only=open_only, forward=forward, bounded=after is not None)
    return [_follow_up(row) for row in await tx.rows(statement, tenant=tx.tenant, limit=limit, **bound)]


def _plain(value: Waiver | Attestation | FollowUp) -> dict[str, object]:
    return asdict(value)


def _waiver(row: asyncpg.Record) -> Waiver:
    values = dict(row) | {
        "move": Move(row["move"]),
        "gate": Gate(row["gate"]),
        "hardness": Hardness(row["hardness"]),
    }
    return Waiver(**values)


def _follow_up(row: asyncpg.Record) -> FollowUp:
    return FollowUp(**(dict(row) | {"kind": FollowUpKind(row["kind"])}))
