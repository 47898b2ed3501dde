"""Loads of the leads: who led how many open onboardings at the end of each day, and which ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID

import asyncpg
from sqlalchemy import text

from db.asked import Asked
from db.fact_rows import Cut, FactRow, Key, Subject, Sums, clients_of
from db.onboarding_facts import ONBOARDING_STAGES, LeftOut
from db.session import Transaction
from domain.kpis import Dimension
from domain.lead_loads import Handed, Led, daily, led
from domain.own_calendars import Calendars
from domain.periods import start_of_day
from domain.totals import Totals

STAYS = text("""
    select v.client_id, v.cycle_id, v.stage, v.entered_at, v.left_at, c.lead_id, c.opened_at,
           coalesce(c.outcome = any(:never), false) as mistaken,
           l.instants, l.befores, l.afters
    from visit v
    join cycle c on c.tenant_id = :tenant and c.id = v.cycle_id
    cross join lateral (
        select array_agg(h.recorded_at order by h.version) as instants,
               array_agg(h.before[1] order by h.version) as befores,
               array_agg(h.after[1] order by h.version) as afters
        from cycle_change h
        where h.tenant_id = :tenant and h.cycle_id = v.cycle_id and h.field = 'LEAD' and h.accepted
    ) as l
    where v.tenant_id = :tenant and v.stage = any(:onboarding) and v.entered_at <= :now and v.entered_at < :to
      and (v.left_at is null or v.left_at > :from)
      and (cast(:clients as uuid[]) is null or v.client_id = any(:clients))
    order by v.entered_at, v.id
""")


@dataclass(frozen=True, slots=True)
class _Stretch:
    """An onboarding in one stage, in one lead's hands."""

    cycle: UUID
    opened_at: datetime
    mistaken: bool
    members: dict[Dimension, str]
    led: Led


async def loads(tx: Transaction, asked: Asked, _: Calendars) -> Sums:
    """Return how many onboardings each series has at the end of each bucket, over how many leads, and the peaks."""
    cut = Cut.of(asked)
    ends, last = _days(asked, cut)
    by_series: dict[Key, dict[UUID, list[Led]]] = {}
    for one in await _stretches(tx, asked, cut):
        if not one.mistaken:
            leads = by_series.setdefault(tuple(one.members[dimension] for dimension in asked.by), {})
            leads.setdefault(one.led.lead, []).append(one.led)
    per_person = Dimension.LEAD in asked.by
    return {key: _by_bucket(leads, ends, last, per_person=per_person) for key, leads in by_series.items()}


async def led_onboardings(tx: Transaction, asked: Asked, _: Calendars) -> list[FactRow]:
    """Return the onboardings open at the end of the last bucket that has begun, and their leads as the denominator."""
    cut = Cut.of(asked)
    if not cut.begun:
        return []
    bucket = cut.begun - 1
    at = cut.closes(bucket)
    rows = [
        FactRow(
            id=one.cycle,
            at=one.opened_at,
            bucket=bucket,
            totals=Totals(1, 0),
            members=one.members,
            subject=Subject(cycle=one.cycle, lead=one.led.lead, stage=one.members[Dimension.STAGE]),
            left_out=LeftOut.ENTERED_IN_ERROR if one.mistaken else None,
        )
        for one in await _stretches(tx, asked, cut)
        if one.led.at(at)
    ]
    leads: dict[UUID, datetime] = {}
    for row in rows:
        if row.left_out is None and row.subject.lead is not None:
            leads[row.subject.lead] = min(row.at, leads.get(row.subject.lead, row.at))
    # Of a lead who is asked for by name there is always one, however little they have.
    named = asked.where.leads if Dimension.LEAD in asked.by else None
    leads |= {UUID(lead): cut.start for lead in named or () if UUID(lead) not in leads}
    people = [
        FactRow(
            id=lead,
            at=since,
            bucket=bucket,
            totals=Totals(0, 1),
            members={Dimension.LEAD: lead.hex},
            subject=Subject(lead=lead),
        )
        for lead, since in leads.items()
    ]
    return [*rows, *people]


async def _stretches(tx: Transaction, asked: Asked, cut: Cut) -> list[_Stretch]:
    found = await tx.rows(
        STAYS, tenant=tx.tenant, clients=clients_of(asked), onboarding=ONBOARDING_STAGES, **cut.named()
    )
    wanted = asked.where.members().items()
    stretches = [one for record in found for one in _cut(record)]
    return [one for one in stretches if all(one.members[dimension] in among for dimension, among in wanted)]


def _cut(record: asyncpg.Record) -> list[_Stretch]:
    changes = zip(record["instants"] or (), record["befores"] or (), record["afters"] or (), strict=True)
    handed = [Handed(at, before, after) for at, before, after in changes]
    return [
        _Stretch(
            cycle=record["cycle_id"],
            opened_at=record["opened_at"],
            mistaken=record["mistaken"],
            members={
                Dimension.CLIENT: record["client_id"].hex,
                Dimension.STAGE: record["stage"],
                Dimension.LEAD: one.lead.hex,
            },
            led=one,
        )
        for one in led(record["entered_at"], record["left_at"], handed, record["lead_id"])
    ]


def _days(asked: Asked, cut: Cut) -> tuple[list[datetime], list[int]]:
    """Return the ends of the days that have begun, now for today's, and how many of them each bucket closes with."""
    zone, first, final = asked.moment.zone, asked.buckets[0].start, asked.buckets[-1].end
    midnights = [start_of_day(first + timedelta(days=n), zone) for n in range((final - first).days + 1)]
    ends = [min(end, cut.now) for start, end in pairwise(midnights) if start <= cut.now]
    return ends, [min((bucket.end - first).days, len(ends)) for bucket in asked.buckets[: cut.begun]]


def _by_bucket(
    leads: dict[UUID, list[Led]], ends: Sequence[datetime], last: Sequence[int], *, per_person: bool
) -> dict[int, Totals]:
    lines = [daily(stretches, ends) for stretches in leads.values()]
    totals = {}
    for bucket, (since, until) in enumerate(pairwise([0, *last])):
        closing = [line[until - 1] for line in lines]
        having = len(lines) if per_person else sum(1 for load in closing if load)
        peak = max((load for line in lines for load in line[since:until]), default=0)
        totals[bucket] = Totals(sum(closing), having, peak=peak)
    return totals
