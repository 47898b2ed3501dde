"""Recounts: deltas and times held against the tickets by SQL alone, and put right by signed corrections.

Nothing of the way by which figures are written is used here: what a ticket counts is said once more, from its columns,
its course and its escalations.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from uuid import UUID

import asyncpg
from sqlalchemy import text
from sqlalchemy.sql.elements import TextClause

from db.facts import PLACE
from db.session import Transaction
from domain.kpi_definitions import ESCALATED, FACTS, TIMES_ESCALATED, Fact
from domain.proofs import Difference, Ledger, Stretch
from domain.tickets import EscalationKind

AT_ONCE = 100_000
"""Tickets of one client that one statement goes through; of more it takes several, part by part."""

PATIENCE = text("set local statement_timeout = '55s'")
ALONE = text(
    "select pg_advisory_xact_lock(hashtextextended('figures rebuilt ' || cast(cast(:tenant as uuid) as text), 0))"
)

CLIENTS = text("""
    select c.id as client_id, (select count(*) from ticket t where t.tenant_id = :tenant and t.client_id = c.id) as rows
    from client c where c.tenant_id = :tenant
    union all
    select null, (select count(*) from ticket t where t.tenant_id = :tenant and t.client_id is null)
    order by client_id
""")


def _by_kind(facts: Mapping[EscalationKind, Fact]) -> str:
    return " ".join(f"when '{kind}' then '{fact}'" for kind, fact in facts.items())


# When a ticket was resolved and reopened, in order; closed without being resolved counts as resolved then.
_ENDINGS = """
    cross join lateral (
        select array_agg(ending.at order by ending.at) as resolved,
               array_agg(ending.reopened_at) filter (where ending.reopened_at is not null) as reopened,
               (array_agg(ending.at order by ending.place desc))[1] as last_at,
               (array_agg(ending.reopened_at order by ending.place desc))[1] as last_reopened_at,
               (array_agg(ending.at order by ending.place))[1] as first_at
        from (
            select (told.pair ->> 0)::timestamptz as at, (told.pair ->> 1)::timestamptz as reopened_at, told.place
            from jsonb_array_elements(t.course -> 'resolutions') with ordinality as told(pair, place)
            union all
            select t.resolved_at, null, 1
            where t.course -> 'resolutions' is null and t.resolved_at is not null
            union all
            select t.closed_at, null, 1000000
            where t.closed_at is not null
              and (t.closed_at > (t.course -> 'resolutions' -> -1 ->> 1)::timestamptz
                   or (t.course -> 'resolutions' is null and t.resolved_at is null))
        ) as ending
    ) as ended
"""

_FACTS = f"""
    cross join lateral (
        select t.day, fact, 1 as amount from (values ('tickets'), ('backlog')) as logged(fact)
        union all
        select t.day, case kind {_by_kind(ESCALATED)} end, 1
        from (select distinct e.kind from escalation e where e.tenant_id = :tenant and e.ticket_id = t.id) as kinds
        union all
        select (e.at at time zone :zone)::date, case e.kind {_by_kind(TIMES_ESCALATED)} end, e.times
        from escalation e where e.tenant_id = :tenant and e.ticket_id = t.id
        union all
        select (at at time zone :zone)::date, 'backlog', -1 from unnest(ended.resolved) as at
        union all
        select (at at time zone :zone)::date, 'backlog', 1 from unnest(ended.reopened) as at
        union all
        select (ended.first_at at time zone :zone)::date, fact, 1
        from (values ('resolved', true),
                     ('reopened', ended.reopened is not null or coalesce((t.course ->> 'reopened')::int, 0) > 0),
                     ('first_contact', t.first_contact)) as result(fact, holds)
        where result.holds and ended.first_at is not null
        union all
        select (decided_at at time zone :zone)::date, fact, 1
        from (values ('sla_decided', t.resolution_decided_at, true),
                     ('sla_met', t.resolution_decided_at, t.resolution_sla = 'MET'),
                     ('response_sla_decided', t.response_decided_at, true),
                     ('response_sla_met', t.response_decided_at, t.response_sla = 'MET')
             ) as decision(fact, decided_at, holds)
        where decision.holds and decided_at is not null
    ) as single
    -- What stands open counts once more where it is an incident.
    cross join lateral (
        select single.fact union all
        select 'open_incidents' where single.fact = 'backlog' and t.kind = 'INCIDENT'
    ) as of_facts(fact)
"""

_TIMES = """
    cross join lateral (
        select 'RESPONSE', t.response_minutes, (t.first_responded_at at time zone :zone)::date
        where t.response_minutes is not null and t.first_responded_at is not null
        union all
        select 'RESOLUTION', t.resolve_minutes, (ended.last_at at time zone :zone)::date
        where t.resolve_minutes is not null and ended.last_at is not null and ended.last_reopened_at is null
    ) as single(measure, minutes, day)
"""

_OTHERS = [name for name in PLACE if name not in ("client_id", "day")]
_PLACED = ", ".join(f"t.{name}" for name in _OTHERS)
_KEPT_FACTS = ", ".join(f"('{fact}', d.{fact})" for fact in FACTS)


def _part(row: str) -> str:
    """Take a part of all places: whole places, so that what is kept and what is counted stay side by side."""
    said = ", ".join(f"{row}.{name}" for name in ("priority", "kind", "category_id", "team_id", "agent_id"))
    return f"(hashtext(concat_ws('/', {said})) & 65535) % cast(:parts as int) = :part"


_OF_DELTAS = f"""
    select single.day, {_PLACED}, of_facts.fact as measure, cast(null as int) as minutes,
           0 as kept, single.amount as counted
    from ticket t {_ENDINGS} {_FACTS}
    where t.tenant_id = :tenant and t.{{of_client}} and t.exclusion is null and {_part("t")}
    union all
    select d.day, {_PLACED.replace("t.", "d.")}, kept.fact, null, kept.amount, 0
    from ticket_delta d cross join lateral (values {_KEPT_FACTS}) as kept(fact, amount)
    where d.tenant_id = :tenant and d.{{of_client}} and kept.amount <> 0 and {_part("d")}
"""

_OF_TIMES = f"""
    select single.day, {_PLACED}, single.measure, single.minutes, 0 as kept, 1 as counted
    from ticket t {_ENDINGS} {_TIMES}
    where t.tenant_id = :tenant and t.{{of_client}} and t.exclusion is null and {_part("t")}
    union all
    select d.day, {_PLACED.replace("t.", "d.")}, d.measure, d.minutes, d.amount, 0
    from ticket_time d
    where d.tenant_id = :tenant and d.{{of_client}} and {_part("d")}
"""

_DIFFERING = """
    select day, {others}, measure, minutes, sum(kept)::int as kept, sum(counted)::int as counted
    from ({both}) as both_sides
    group by day, {others}, measure, minutes
    having sum(kept) <> sum(counted)
"""

_TOLD = """
    select differing.*, count(*) over () as found from ({differing}) as differing
    order by day, measure, minutes, {others} limit :rows
"""

_MEND_DELTAS = """
    with corrected as (
        insert into ticket_delta (tenant_id, recorded_at, client_id, day, {others}, {facts})
        select :tenant, :recorded_at, cast(:client as uuid), day, {others}, {corrections}
        from ({differing}) as differing
        group by day, {others}
        returning *
    ), unfolded as (
        insert into unfolded_delta (tenant_id, id, client_id, day, {others}, {facts})
        select tenant_id, id, client_id, day, {others}, {facts} from corrected
    )
    select count(*) from corrected
"""

_MEND_TIMES = """
    with corrected as (
        insert into ticket_time (tenant_id, recorded_at, client_id, day, {others}, measure, minutes, amount)
        select :tenant, :recorded_at, cast(:client as uuid), day, {others}, measure, minutes, counted - kept
        from ({differing}) as differing
        returning id
    )
    select count(*) from corrected
"""

_BOTH = {Ledger.DELTAS: _OF_DELTAS, Ledger.TIMES: _OF_TIMES}


@dataclass(frozen=True, slots=True)
class Part:
    """What one statement goes through: a client's tickets, or those of no known client, or a part of many."""

    client: UUID | None
    part: int
    parts: int


async def parts(tx: Transaction) -> list[Part]:
    """Return all of a tenant's tickets in parts that one statement can go through."""
    await tx.run(PATIENCE)
    rows = await tx.rows(CLIENTS, tenant=tx.tenant)
    return [
        Part(row["client_id"], part, wanted)
        for row in rows
        for wanted in [1 + row["rows"] // AT_ONCE]
        for part in range(wanted)
    ]


async def prove(tx: Transaction, ledger: Ledger, part: Part, zone: str, rows: int) -> Stretch:
    """Hold a part of the deltas or times against the tickets, as of one snapshot; name so many differences."""
    await tx.run(PATIENCE)
    found = await tx.rows(_told(ledger, named=part.client is not None), **_named(tx, part, zone), rows=rows)
    differences = tuple(_difference(ledger, part, row) for row in found)
    return Stretch(ledger, named(part), differences, found[0]["found"] - len(found) if found else 0)


async def mend(tx: Transaction, ledger: Ledger, part: Part, zone: str, recorded_at: datetime) -> int:
    """Record what is missing to what the tickets say, and return how many corrections that took.

    Corrections are additions to a sum: whatever is written meanwhile adds up with them, and no writer waits. Only
    another who mends does.
    """
    await tx.run(PATIENCE)
    await tx.run(ALONE, tenant=tx.tenant)
    statement = _mending(ledger, named=part.client is not None)
    return int(await tx.value(statement, **_named(tx, part, zone), recorded_at=recorded_at))


def _named(tx: Transaction, part: Part, zone: str) -> dict[str, object]:
    return {"tenant": tx.tenant, "client": part.client, "part": part.part, "parts": part.parts, "zone": zone}


def _differing(ledger: Ledger, *, named: bool) -> str:
    # Written twice over: with one condition for both, no index would serve.
    of_client = "client_id = :client" if named else "client_id is null"
    return _DIFFERING.format(others=", ".join(_OTHERS), both=_BOTH[ledger].format(of_client=of_client))


@cache
def _told(ledger: Ledger, *, named: bool) -> TextClause:
    return text(_TOLD.format(differing=_differing(ledger, named=named), others=", ".join(_OTHERS)))


@cache
def _mending(ledger: Ledger, *, named: bool) -> TextClause:
    differing, others = _differing(ledger, named=named), ", ".join(_OTHERS)
    if ledger is Ledger.TIMES:
        return text(_MEND_TIMES.format(differing=differing, others=others))
    corrections = ", ".join(
        f"coalesce(sum(counted - kept) filter (where measure = '{fact}'), 0)::int" for fact in FACTS
    )
    return text(
        _MEND_DELTAS.format(differing=differing, others=others, facts=", ".join(FACTS), corrections=corrections)
    )


def _difference(ledger: Ledger, part: Part, row: asyncpg.Record) -> Difference:
    measure, minutes = row["measure"], row["minutes"]
    return Difference(
        ledger=ledger,
        client=part.client,
        day=row["day"],
        place=_place(row, _OTHERS),
        fact=measure if minutes is None else f"{measure} of {minutes} minutes",
        kept=row["kept"],
        counted=row["counted"],
    )


def _place(row: asyncpg.Record, names: Sequence[str]) -> str:
    return " ".join(f"{name}={row[name]}" for name in names if row[name] is not None)


def named(part: Part) -> str:
    """Say for people what a part is of."""
    whose = f"client {part.client}" if part.client else "tickets of no known client"
    return whose if part.parts == 1 else f"{whose}, part {part.part + 1} of {part.parts}"
