"""The tickets and escalations behind a figure: when each counts, how much, and why it is left out if it is."""

import functools
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg
from sqlalchemy import text
from sqlalchemy.sql.elements import TextClause

from db import tenants
from db.facts import MEMBER
from db.session import Transaction
from db.ticket_times import MINUTES_AN_HOUR
from domain.kpis import Dimension, Kpi
from domain.questions import NO_CLIENT, Part, Question
from domain.tickets import TicketKind

# A source that wasn't asked for is a reason like any other; what has none counts.
_REASON = "coalesce(t.exclusion, case when t.source <> all(:sources) then 'OTHER_SOURCE' end{more})"

_ROWS = """
    select {id} as id, {at} as at, {amount} as amount, t.id as ticket_id, t.stage, {reason} as reason,
           {counted} as counted
    from {rows}
    where t.tenant_id = :tenant and {within} {conditions}
"""

_PAGE = """
    select id, at, amount::float8 as amount, ticket_id, stage, reason from ({rows}) as r
    where {part} and (cast(:after_at as timestamptz) is null or (at, id) > (:after_at, cast(:after_id as uuid)))
    order by at, id limit :limit
"""

_COUNT = "select count(*) from (select 1 from ({rows}) as r where {part} limit :limit) as limited"

_PARTS = {
    Part.NUMERATOR: "r.reason is null and r.counted",
    Part.DENOMINATOR: "r.reason is null",
    Part.LEFT_OUT: "r.reason is not null",
}

_WITHIN = "{at} >= :from and {at} < :to"

# Open at an instant, where the period has begun by then: logged before it, not ended for good by then, and as often
# reopened as resolved.
_OPEN_AT = """cast(:from as timestamptz) <= :until
  and t.logged_at < :until and (t.ended_at is null or t.ended_at >= :until) and case
    when t.course ? 'resolutions' then (
        select count(*) filter (where (one->>0)::timestamptz < :until)
             = count(*) filter (where (one->>1)::timestamptz < :until)
        from jsonb_array_elements(t.course->'resolutions') as one
    ) else t.first_ended_at is null or t.first_ended_at >= :until end"""

_OF_KIND = """exists (select from escalation e where e.tenant_id = :tenant and e.ticket_id = t.id
                     and e.kind = :escalation_kind)"""

_ESCALATION = "escalation e join ticket t on t.tenant_id = :tenant and t.id = e.ticket_id"


@dataclass(frozen=True, slots=True)
class _Behind:
    """Where the rows of one figure come from: the instant by which they count, and what makes the numerator."""

    at: str = "t.logged_at"
    within: str = _WITHIN
    counted: str = "true"
    amount: str = "1"
    rows: str = "ticket t"
    id: str = "t.id"
    more: str = ""
    """Further reasons to be left out."""

    one_part: bool = True
    """A count has no denominator, and what is left out of it are rows that would be in its numerator."""


_Narrowed = tuple[Dimension | None, ...]
"""The dimensions that are narrowed; `None` stands for the tickets of no known client."""


_NOT_AN_INCIDENT = f", case when t.kind <> '{TicketKind.INCIDENT}' then 'NOT_AN_INCIDENT' end"

_BEHIND: dict[Kpi, _Behind] = {
    Kpi.TICKETS_LOGGED: _Behind(),
    Kpi.ESCALATED_TICKETS: _Behind(within=f"{_WITHIN} and {_OF_KIND}"),
    Kpi.ESCALATION_RATE: _Behind(counted=_OF_KIND, one_part=False),
    Kpi.ESCALATIONS: _Behind(
        at="e.at",
        within=f"e.tenant_id = :tenant and {_WITHIN} and e.kind = :escalation_kind",
        amount="e.times",
        rows=_ESCALATION,
        id="e.id",
    ),
    Kpi.FIRST_CONTACT_RESOLUTION: _Behind(at="t.first_ended_at", counted="t.first_contact", one_part=False),
    Kpi.REOPEN_RATE: _Behind(at="t.first_ended_at", counted="t.times_reopened > 0", one_part=False),
    Kpi.SLA_MET: _Behind(at="t.resolution_decided_at", counted="t.resolution_sla = 'MET'", one_part=False),
    Kpi.RESPONSE_SLA_MET: _Behind(at="t.response_decided_at", counted="t.response_sla = 'MET'", one_part=False),
    Kpi.BACKLOG: _Behind(within=_OPEN_AT),
    Kpi.OPEN_INCIDENTS: _Behind(within=_OPEN_AT, more=_NOT_AN_INCIDENT),
    Kpi.FIRST_RESPONSE_TIME: _Behind(
        at="t.first_responded_at",
        amount=f"t.response_minutes / {MINUTES_AN_HOUR}.0",
        more=", case when t.response_minutes is null then 'OUT_OF_ORDER' end",
        one_part=False,
    ),
    Kpi.MTTR: _Behind(
        at="t.ended_at",
        amount=f"t.resolve_minutes / {MINUTES_AN_HOUR}.0",
        more=f"{_NOT_AN_INCIDENT}, case when t.resolve_minutes is null then 'OUT_OF_ORDER' end",
        one_part=False,
    ),
}


def hold(kpi: Kpi) -> bool:
    """Tell whether tickets and escalations are what is behind a figure."""
    return kpi in _BEHIND


async def page(
    tx: Transaction, question: Question, part: Part, after: tuple[datetime, UUID] | None, limit: int, now: datetime
) -> list[asyncpg.Record]:
    """Return a stretch of the rows of one part, in the order in which they count."""
    statement = _page(question.kpi, part, _narrowed(question))
    if statement is None:
        return []
    after_at, after_id = after or (None, None)
    asked = await _asked(tx, question, now)
    return await tx.rows(statement, **asked, after_at=after_at, after_id=after_id, limit=limit)


async def count(tx: Transaction, question: Question, part: Part, now: datetime, limit: int) -> int:
    """Return how many rows a part has, counting no further than a limit."""
    statement = _count(question.kpi, part, _narrowed(question))
    return 0 if statement is None else int(await tx.value(statement, **await _asked(tx, question, now), limit=limit))


@functools.cache
def _page(kpi: Kpi, part: Part, narrowed: _Narrowed) -> TextClause | None:
    rows = _rows(kpi, part, narrowed)
    return None if rows is None else text(_PAGE.format(rows=rows, part=_PARTS[part]))


@functools.cache
def _count(kpi: Kpi, part: Part, narrowed: _Narrowed) -> TextClause | None:
    rows = _rows(kpi, part, narrowed)
    return None if rows is None else text(_COUNT.format(rows=rows, part=_PARTS[part]))


def _rows(kpi: Kpi, part: Part, narrowed: _Narrowed) -> str | None:
    behind = _BEHIND[kpi]
    if part is Part.DENOMINATOR and behind.one_part:
        return None
    conditions = "".join(_condition(one) for one in narrowed)
    return _ROWS.format(
        id=behind.id,
        at=behind.at,
        amount=behind.amount,
        reason=_REASON.format(more=behind.more),
        counted=behind.counted,
        rows=behind.rows,
        within=behind.within.format(at=behind.at),
        conditions=conditions,
    )


def _narrowed(question: Question) -> _Narrowed:
    clients = question.where.clients
    if clients is None or NO_CLIENT not in clients:
        return question.where.dimensions()
    return (None, *question.where.members())


def _condition(narrowed: Dimension | None) -> str:
    if narrowed is None:
        return " and t.client_id is null"
    of_row = MEMBER | {Dimension.CLIENT: "{row}.client_id"}
    return f" and {of_row[narrowed].format(row='t')} = any(:{narrowed.lower()})"


async def _asked(tx: Transaction, question: Question, now: datetime) -> dict[str, object]:
    start, end = question.period.instants((await tenants.get(tx)).settings.zone)
    where = question.where
    return {
        "tenant": tx.tenant,
        "from": start,
        "to": end,
        "until": min(end, now),
        "client": None if where.clients is None else list(where.clients),
        "sources": list(where.sources),
        "escalation_kind": where.escalation_kind.value,
        **{one.lower(): list(members) for one, members in where.members().items()},
    }
