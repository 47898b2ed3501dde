"""Tickets as they are read: one by one, in lists that an index serves, and with what belongs to each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from sqlalchemy import ColumnElement, any_, bindparam, func, literal_column, select, text
from sqlalchemy import types as sqltypes
from sqlalchemy.dialects.postgresql import ARRAY

from db.keyset import Listing, Stretch
from db.session import Transaction, columns
from db.tables.base import INSTANT
from db.tables.tickets import MISSED, OPEN, EscalationRow, TicketRow, TicketTermRow
from db.terms import TermKind
from domain.courses import with_course
from domain.escalations import UNKNOWN_STAGE, RecordedEscalation
from domain.tickets import HandOver, ReportedTicket, Resolution, Ticket, Wait

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

_E = EscalationRow.__table__.c
_TERM = TicketTermRow.__table__.c
_NEVER = literal_column("'infinity'::timestamptz", INSTANT)


def _instant(name: str) -> ColumnElement[datetime]:
    return bindparam(name, type_=INSTANT)


def _literally(condition: str) -> ColumnElement[bool]:
    """Return a condition without parameters, so that the index made for it is seen to fit."""
    return literal_column(f"({condition})", sqltypes.Boolean())


def _either(name: str, condition: str, holding: str | None = None) -> dict[str, ColumnElement[bool]]:
    """Return a condition and its contrary."""
    return {name: _literally(holding or condition), f"not_{name}": _literally(f"not ({condition})")}


def _called(kind: TermKind, name: str) -> ColumnElement[Any]:
    """Return any of the ids of terms with the names given."""
    ids = select(_TERM.id).where(
        _TERM.tenant_id == bindparam("tenant", type_=sqltypes.Uuid()),
        _TERM.kind == literal_column(f"'{kind.value}'"),
        _TERM.name == any_(bindparam(name, type_=_TEXTS)),
    )
    return any_(func.array(ids.scalar_subquery(), type_=_UUIDS))


LISTING = Listing(
    columns=_COLUMNS,
    tenant=_T.tenant_id,
    orders={"LOGGED_AT": (_T.logged_at, _T.id), "RECORDED_AT": (_T.recorded_at, _T.id)},
    conditions={
        "clients": _T.client_id == any_(bindparam("clients", type_=_UUIDS)),
        "systems": _T.system == any_(bindparam("systems", type_=_TEXTS)),
        "external_ids": _T.external_id == any_(bindparam("external_ids", type_=_TEXTS)),
        "stages": _T.stage == any_(bindparam("stages", type_=_TEXTS)),
        "phases": _T.phase == any_(bindparam("phases", type_=_TEXTS)),
        "priorities": _T.priority == any_(bindparam("priorities", type_=_TEXTS)),
        "sources": _T.source == any_(bindparam("sources", type_=_TEXTS)),
        "kinds": _T.kind == any_(bindparam("kinds", type_=_TEXTS)),
        "tiers": _T.tier == any_(bindparam("tiers", type_=ARRAY(sqltypes.Integer()))),
        "sites": _T.site_id == any_(bindparam("sites", type_=_UUIDS)),
        "devices": _T.device_id == any_(bindparam("devices", type_=_UUIDS)),
        "categories": _T.category_id == _called(TermKind.CATEGORY, "categories"),
        "teams": _T.team_id == _called(TermKind.TEAM, "teams"),
        "agents": _T.agent_id == _called(TermKind.AGENT, "agents"),
        "escalation_kinds": _T.id.in_(
            select(_E.ticket_id).where(
                _E.tenant_id == bindparam("tenant", type_=sqltypes.Uuid()),
                _E.kind == any_(bindparam("escalation_kinds", type_=_TEXTS)),
            )
        ),
        "overdue": _literally(OPEN) & (_T.resolution_due_at < bindparam("overdue", type_=INSTANT)),
        "not_overdue": (~_literally(OPEN)) | (func.coalesce(_T.resolution_due_at, _NEVER) >= _instant("not_overdue")),
        "logged_from": _T.logged_at >= bindparam("logged_from", type_=INSTANT),
        "logged_to": _T.logged_at < bindparam("logged_to", type_=INSTANT),
        "ended_from": _T.ended_at >= bindparam("ended_from", type_=INSTANT),
        "ended_to": _T.ended_at < bindparam("ended_to", type_=INSTANT),
        "updated_since": _T.recorded_at >= bindparam("updated_since", type_=INSTANT),
        **_either("escalated", "escalations > 0"),
        **_either("unmapped", "client_id is null"),
        **_either("open", OPEN),
        **_either("waiting", f"waiting and {OPEN}"),
        **_either("reopened", "times_reopened > 0"),
        **_either("sla_missed", f"coalesce({MISSED}, false)", f"({MISSED})"),
        **_either("excluded", "exclusion is not null"),
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


COURSES = text("""
    select id, logged_at, resolved_at, course from ticket
    where tenant_id = :tenant and id = any(cast(:ids as uuid[]))
""")

OF_NUMBERS = text("""
    select t.system, t.external_id, t.id
    from unnest(cast(:systems as text[]), cast(:numbers as text[])) as n(system, number)
    join ticket t on t.tenant_id = :tenant and t.system = n.system and t.external_id = n.number
""")


@dataclass(frozen=True, slots=True)
class Course:
    """When a ticket waited, and when it was resolved and reopened, in the order of time."""

    waits: list[Wait]
    resolutions: list[Resolution]


async def listed(
    tx: Transaction, stretch: Stretch, where: Mapping[str, object], order: str = "LOGGED_AT"
) -> list[Ticket]:
    """Return a stretch of the tickets, narrowed by conditions of `LISTING`: the latest logged first, or as written."""
    descending = order == "LOGGED_AT"
    return [read(row) for row in await LISTING.rows(tx, order, stretch, where, descending=descending)]


async def count(tx: Transaction, where: Mapping[str, object]) -> int:
    """Return how many tickets there are under the conditions, no further than is told."""
    return await LISTING.count(tx, where)


async def many(tx: Transaction, ids: Sequence[UUID]) -> dict[UUID, Ticket]:
    """Return tickets by id, in one statement."""
    return {row["id"]: read(row) for row in await tx.rows(MANY, tenant=tx.tenant, ids=list(ids))}


async def of_numbers(tx: Transaction, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Ticket]:
    """Return tickets by their systems and their numbers there."""
    systems, numbers = columns(list(keys), 2)
    rows = await tx.rows(OF_NUMBERS, tenant=tx.tenant, systems=systems, numbers=numbers)
    found = await many(tx, [row["id"] for row in rows])
    return {(one.system, one.external_id): one for one in found.values()}


async def courses_of(tx: Transaction, tickets: Sequence[UUID]) -> dict[UUID, Course]:
    """Return when tickets waited and were resolved, in one statement."""
    found = {}
    for row in await tx.rows(COURSES, tenant=tx.tenant, ids=list(tickets)):
        bare = ReportedTicket("", None, row["logged_at"])
        whole = with_course(bare, row["course"], row["resolved_at"], None, None)
        found[row["id"]] = Course(list(whole.waits), list(whole.resolutions))
    return {ticket: found.get(ticket, Course([], [])) for ticket in tickets}


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
