"""Tickets as they are read: one by one, in lists that an index serves, and with what belongs to each."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import asyncpg
import msgspec
from sqlalchemy import any_, bindparam, select, text
from sqlalchemy import types as sqltypes
from sqlalchemy.dialects.postgresql import ARRAY

from db.keyset import Listing, Stretch
from db.session import Transaction
from db.tables.base import INSTANT
from db.tables.tickets import TicketRow
from domain.escalations import UNKNOWN_STAGE, RecordedEscalation
from domain.tickets import HandOver, Ticket

_T = TicketRow.__table__.c
_TEXTS = ARRAY(sqltypes.Text())
_UUIDS = ARRAY(sqltypes.Uuid())
_COLUMNS = (
    *(_T.id, _T.client_id, _T.system, _T.external_id, _T.client_key, _T.kind, _T.source, _T.priority, _T.category),
    *(_T.title, _T.category_id, _T.team_id, _T.tier, _T.agent_id, _T.site_id, _T.site_key, _T.device_id),
    *(_T.device_key, _T.logged_at, _T.day, _T.first_responded_at, _T.response_minutes, _T.resolved_at),
    *(_T.resolve_minutes, _T.times_reopened, _T.first_contact, _T.closed_at, _T.response_due_at, _T.response_sla),
    *(_T.resolution_due_at, _T.resolution_sla, _T.exclusion, _T.merged_into, _T.client_pinned),
    *(_T.exclusion_pinned,),
    *(_T.stage, _T.phase, _T.cycle_id),
    *(_T.escalations.label("times_escalated"), _T.first_escalated_at, _T.rule_version, _T.recorded_at, _T.version),
)

LISTING = Listing(
    columns=_COLUMNS,
    tenant=_T.tenant_id,
    orders={"LOGGED_AT": (_T.logged_at, _T.id)},
    conditions={
        "clients": _T.client_id == any_(bindparam("clients", type_=_UUIDS)),
        "systems": _T.system == any_(bindparam("systems", type_=_TEXTS)),
        "external_ids": _T.external_id == any_(bindparam("external_ids", type_=_TEXTS)),
        "stages": _T.stage == any_(bindparam("stages", type_=_TEXTS)),
        "phases": _T.phase == any_(bindparam("phases", type_=_TEXTS)),
        "priorities": _T.priority == any_(bindparam("priorities", type_=_TEXTS)),
        "sources": _T.source == any_(bindparam("sources", type_=_TEXTS)),
        "escalated": (_T.escalations > 0) == bindparam("escalated", type_=sqltypes.Boolean()),
        "unmapped": (_T.client_id.is_(None)) == bindparam("unmapped", type_=sqltypes.Boolean()),
        "open": (_T.resolved_at.is_(None) & _T.closed_at.is_(None)) == bindparam("open", type_=sqltypes.Boolean()),
        "logged_from": _T.logged_at >= bindparam("logged_from", type_=INSTANT),
        "logged_to": _T.logged_at < bindparam("logged_to", type_=INSTANT),
    },
    parent=_T.client_id,
)

MANY = select(*_COLUMNS).where(_T.tenant_id == bindparam("tenant"), _T.id == any_(bindparam("ids", type_=_UUIDS)))

HAND_OVERS = text("""
    select h.ticket_id, h.at, h.team, h.tier, h.reassignments, a.name as agent
    from hand_over h left join ticket_term a on a.tenant_id = :tenant and a.id = h.agent_id
    where h.tenant_id = :tenant and h.ticket_id = any(cast(:tickets as uuid[])) order by h.ticket_id, h.position
""")

ESCALATIONS = text("""
    select id, ticket_id, client_id, kind, at, times, from_team, to_team, from_tier, to_tier, reason,
           rule_version
    from escalation
    where tenant_id = :tenant and ticket_id = any(cast(:tickets as uuid[])) order by ticket_id, position
""")


async def listed(tx: Transaction, stretch: Stretch, where: Mapping[str, object]) -> list[Ticket]:
    """Return a stretch of the tickets, the latest logged first, narrowed by conditions of `LISTING`."""
    return [read(row) for row in await LISTING.rows(tx, "LOGGED_AT", stretch, where, descending=True)]


async def count(tx: Transaction, where: Mapping[str, object]) -> int:
    """Return how many tickets there are under the conditions, no further than is told."""
    return await LISTING.count(tx, where)


async def many(tx: Transaction, ids: Sequence[UUID]) -> dict[UUID, Ticket]:
    """Return tickets by id, in one statement."""
    return {row["id"]: read(row) for row in await tx.rows(MANY, tenant=tx.tenant, ids=list(ids))}


async def hand_overs_of(tx: Transaction, tickets: Sequence[UUID]) -> dict[UUID, list[HandOver]]:
    """Return who had each ticket, in order, in one statement."""
    found: dict[UUID, list[HandOver]] = {ticket: [] for ticket in tickets}
    for row in await tx.rows(HAND_OVERS, tenant=tx.tenant, tickets=list(tickets)):
        found[row["ticket_id"]].append(HandOver(*row[1:]))
    return found


async def escalations_of(tx: Transaction, tickets: Sequence[UUID]) -> dict[UUID, list[RecordedEscalation]]:
    """Return the escalations of each ticket, in order, in one statement."""
    found: dict[UUID, list[RecordedEscalation]] = {ticket: [] for ticket in tickets}
    for row in await tx.rows(ESCALATIONS, tenant=tx.tenant, tickets=list(tickets)):
        found[row["ticket_id"]].append(msgspec.convert(dict(row), RecordedEscalation))
    return found


def read(row: asyncpg.Record) -> Ticket:
    """Return the ticket of a row that has the columns of `LISTING`."""
    known = row["stage"] != UNKNOWN_STAGE
    return msgspec.convert({**row, "stage": row["stage"] if known else None}, Ticket)
