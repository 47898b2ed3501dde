"""Clients that stay and leave: who was in service when a period began, whose service ended, who is under notice."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
from sqlalchemy import text

from db import tenants
from db.asked import Asked
from db.fact_rows import UNKNOWN, Cut, FactRow, Subject, clients_of
from db.onboarding_facts import LeftOut
from db.session import Transaction
from domain.kpis import Dimension
from domain.own_calendars import Calendars
from domain.periods import start_of_day
from domain.series import WHOLE, Totals
from domain.stages import ENDS
from domain.standings import Tenure, baseline_standing, tenure

# The figures kept at the last graduation are the client's baseline. What went live counts from its first day of
# service, which is steady state where nobody noted early support.
CLIENTS = text("""
    select c.id, c.client_id, c.opened_at, c.outcome, c.stage, c.scope_kind,
           case when c.ended_at <= :now then c.ended_at end as ended_at,
           coalesce(c.outcome = any(:never), false) as mistaken,
           r.live_since, r.stages, r.entered, r.left_behind, b.value as baseline_rate
    from cycle c
    cross join lateral (
        select min(v.entered_at) filter (where v.superseded_at is null or v.superseded_at > :now) as live_since,
               array_agg(v.stage order by v.entered_at, v.id) as stages,
               array_agg(v.entered_at order by v.entered_at, v.id) as entered,
               array_agg(case when v.left_at <= :now then v.left_at end order by v.entered_at, v.id) as left_behind
        from visit v
        where v.tenant_id = :tenant and v.cycle_id = c.id and v.entered_at <= :now
          and v.stage in ('EARLY_SUPPORT', 'STEADY_STATE')
    ) as r
    left join lateral (
        select b.value from baseline b
        where b.tenant_id = :tenant and b.cycle_id = c.id and b.kpi = 'ESCALATION_RATE' and b.as_of <= :now
        order by b.as_of desc limit 1
    ) as b on true
    where c.tenant_id = :tenant and (c.ended_at is null or c.ended_at >= :from)
      and (cast(:clients as uuid[]) is null or c.client_id = any(:clients))
    order by c.opened_at, c.id
""")

NOTICES = text("""
    select n.id, n.cycle_id, n.given_on, n.outcome,
           case when n.withdrawn_at <= :now then n.withdrawn_at end as withdrawn_at
    from notice n
    where n.tenant_id = :tenant and n.given_at <= :now and n.cycle_id = any(cast(:cycles as uuid[]))
    order by n.given_at, n.id
""")


@dataclass(frozen=True, slots=True)
class _Client:
    """The onboarding of a whole client, and how it stands."""

    record: asyncpg.Record
    zone: ZoneInfo
    limit: float | None

    @property
    def cycle(self) -> UUID:
        cycle: UUID = self.record["id"]
        return cycle

    @property
    def standing(self) -> str | None:
        return baseline_standing(self.record["baseline_rate"], self.limit)

    @property
    def error(self) -> LeftOut | None:
        return LeftOut.ENTERED_IN_ERROR if self.record["mistaken"] else None

    def served_in(self, instant: datetime) -> str | None:
        """Return the stage in which the client was in service just before an instant, or `None`."""
        stays = zip(
            self.record["stages"] or (), self.record["entered"] or (), self.record["left_behind"] or (), strict=True
        )
        return next((stage for stage, start, end in stays if start < instant and (end is None or end >= instant)), None)

    def tenure_at(self, instant: datetime) -> str:
        live = self.record["live_since"]
        return Tenure.BEFORE_SERVICE if live is None or live > instant else tenure(live, instant, self.zone)

    def members(self, at: datetime, **said: str | None) -> dict[Dimension, str]:
        """Return by what the client counts at an instant."""
        return {
            Dimension.CLIENT: self.record["client_id"].hex,
            Dimension.TENURE: self.tenure_at(at),
            Dimension.BASELINE: self.standing or UNKNOWN,
            **{Dimension(name.upper()): member or UNKNOWN for name, member in said.items()},
        }

    def subject(self, *, stage: str | None, outcome: str | None, ended: bool) -> Subject:
        return Subject(
            cycle=self.cycle,
            stage=stage,
            ended=ended,
            outcome=outcome,
            baseline_rate=self.record["baseline_rate"],
            baseline_standing=self.standing,
        )


async def served(tx: Transaction, asked: Asked, _: Calendars) -> list[FactRow]:
    """Return the clients in service at the start of each bucket, and at that of the period, and whether they stayed."""
    cut = Cut.of(asked)
    clients = [one for one in await _clients(tx, asked, cut) if one.record["scope_kind"] == "WHOLE_CLIENT"]
    spans = [(place, cut.starts[place], cut.ends(place)) for place in range(cut.begun)]
    if spans:
        spans.append((WHOLE, cut.start, cut.end))
    return [
        row
        for place, start, end in spans
        for row in (_kept(client, place, start, end) for client in clients)
        if row is not None
    ]


async def ended(tx: Transaction, asked: Asked, _: Calendars) -> list[FactRow]:
    """Return the clients whose onboarding or service ended in the buckets."""
    cut = Cut.of(asked)
    rows = []
    for client in await _clients(tx, asked, cut):
        at, record = client.record["ended_at"], client.record
        bucket = None if at is None else cut.place(at)
        if at is None or bucket is None or record["stage"] not in ENDS:
            continue
        part = None if record["scope_kind"] == "WHOLE_CLIENT" else LeftOut.NOT_WHOLE_CLIENT
        rows.append(
            FactRow(
                id=client.cycle,
                at=at,
                bucket=bucket,
                totals=Totals(1),
                members=client.members(at, stage=record["stage"], outcome=record["outcome"]),
                subject=client.subject(stage=record["stage"], outcome=record["outcome"], ended=True),
                left_out=client.error or part,
            )
        )
    return rows


async def in_notice(tx: Transaction, asked: Asked, _: Calendars) -> list[FactRow]:
    """Return, for the end of each bucket that has begun, the clients under notice."""
    cut = Cut.of(asked)
    clients = {one.cycle: one for one in await _clients(tx, asked, cut)}
    found = await tx.rows(NOTICES, tenant=tx.tenant, cycles=list(clients), now=cut.now)
    return [
        row
        for place in range(cut.begun)
        for row in (_noticed(clients[record["cycle_id"]], record, place, cut.closes(place)) for record in found)
        if row is not None
    ]


async def _clients(tx: Transaction, asked: Asked, cut: Cut) -> list[_Client]:
    limit = (await tenants.get(tx)).settings.escalation_rate_limit
    found = await tx.rows(CLIENTS, tenant=tx.tenant, clients=clients_of(asked), **cut.named())
    return [_Client(record, asked.moment.zone, limit) for record in found]


def _kept(client: _Client, place: int, start: datetime, end: datetime) -> FactRow | None:
    stage = client.served_in(start)
    if stage is None:
        return None
    at = client.record["ended_at"]
    lost = at is not None and at < end
    return FactRow(
        id=client.cycle,
        at=client.record["opened_at"],
        bucket=place,
        totals=Totals(0 if lost else 1, 1),
        members=client.members(start, stage=stage),
        subject=client.subject(stage=stage, outcome=client.record["outcome"] if lost else None, ended=lost),
        left_out=client.error,
    )


def _noticed(client: _Client, record: asyncpg.Record, place: int, at: datetime) -> FactRow | None:
    given = start_of_day(record["given_on"], client.zone)
    gone = client.record["ended_at"]
    withdrawn = record["withdrawn_at"]
    if given > at or (gone is not None and gone <= at) or (withdrawn is not None and withdrawn <= at):
        return None
    part = None if client.record["scope_kind"] == "WHOLE_CLIENT" else LeftOut.NOT_WHOLE_CLIENT
    return FactRow(
        id=record["id"],
        at=given,
        bucket=place,
        totals=Totals(1),
        members=client.members(at, outcome=record["outcome"]),
        subject=client.subject(stage=client.served_in(at), outcome=record["outcome"], ended=False),
        left_out=client.error or part,
    )
