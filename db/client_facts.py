"""Clients that stay and leave: who was in service when a period began, whose service ended, who is under notice."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg
from sqlalchemy import text

from db.asked import Asked
from db.client_standings import ClientStanding, standings
from db.fact_rows import Cut, FactRow, Key, Sums, narrowed, summed
from db.onboarding_facts import LeftOut
from db.session import Transaction
from domain.own_calendars import Calendars
from domain.periods import start_of_day
from domain.stages import ENDS
from domain.totals import WHOLE, Totals

NOTICES = text("""
    select n.id, n.cycle_id, n.given_on, n.outcome,
           case when n.withdrawn_at <= :now then n.withdrawn_at end as withdrawn_at
    from notice n
    where n.tenant_id = :tenant and n.given_at <= :now and n.cycle_id = any(cast(:cycles as uuid[]))
    order by n.given_at, n.id
""")


async def retained(tx: Transaction, asked: Asked, _: Calendars) -> Sums:
    """Return of the clients in service at the start of each bucket, and at that of the period, how many stayed.

    A row for each client and day would be hundreds of thousands for one year by day: they are counted as they come.
    """
    cut = Cut.of(asked)
    clients = await _whole(tx, asked, cut)
    sums = summed(narrowed(_at_the_start(clients, cut), asked), asked.by)
    for client in clients:
        if client.error is None:
            _count(sums, client, asked, cut)
    return sums


async def served(tx: Transaction, asked: Asked, _: Calendars) -> list[FactRow]:
    """Return the clients in service at the start of the period, and whether they stayed."""
    cut = Cut.of(asked)
    return _at_the_start(await _whole(tx, asked, cut), cut)


async def ended(tx: Transaction, asked: Asked, _: Calendars) -> list[FactRow]:
    """Return the clients whose onboarding or service ended in the buckets."""
    cut = Cut.of(asked)
    rows = []
    for client in await standings(tx, asked, cut):
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
    clients = {one.cycle: one for one in await standings(tx, asked, cut)}
    found = await tx.rows(NOTICES, tenant=tx.tenant, cycles=list(clients), now=cut.now)
    return [
        row
        for place in range(cut.begun)
        for row in (_noticed(clients[record["cycle_id"]], record, place, cut.closes(place)) for record in found)
        if row is not None
    ]


async def _whole(tx: Transaction, asked: Asked, cut: Cut) -> list[ClientStanding]:
    return [one for one in await standings(tx, asked, cut) if one.record["scope_kind"] == "WHOLE_CLIENT"]


def _at_the_start(clients: Sequence[ClientStanding], cut: Cut) -> list[FactRow]:
    if not cut.begun:
        return []
    rows = []
    for client in clients:
        stage = client.served_in(cut.start)
        if stage is not None:
            lost = client.lost_before(cut.end)
            rows.append(
                FactRow(
                    id=client.cycle,
                    at=client.record["opened_at"],
                    bucket=WHOLE,
                    totals=Totals(0 if lost else 1, 1),
                    members=client.members(cut.start, stage=stage),
                    subject=client.subject(stage=stage, outcome=client.record["outcome"] if lost else None, ended=lost),
                    left_out=client.error,
                )
            )
    return rows


def _count(sums: Sums, client: ClientStanding, asked: Asked, cut: Cut) -> None:
    wanted = asked.where.members()
    by_member = bool(asked.by or wanted)
    for place, stage in client.served_places(cut):
        key: Key = ()
        if by_member:
            members = client.members(cut.starts[place], stage=stage)
            if any(members[dimension] not in among for dimension, among in wanted.items()):
                continue
            key = tuple(members[dimension] for dimension in asked.by)
        series = sums.setdefault(key, {})
        before = series.get(place, Totals())
        kept = 0 if client.lost_before(cut.ends(place)) else 1
        series[place] = Totals(before.numerator + kept, (before.denominator or 0) + 1)


def _noticed(client: ClientStanding, record: asyncpg.Record, place: int, at: datetime) -> FactRow | None:
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
