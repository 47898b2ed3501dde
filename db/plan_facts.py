"""Plans kept and changed: stays that were due, and planned dates that were set anew."""

from datetime import datetime, timedelta

import asyncpg
from sqlalchemy import text

from db.asked import Asked
from db.fact_rows import Cut, FactRow, Subject, clients_of
from db.onboarding_facts import ONBOARDING_STAGES, LeftOut
from db.session import Transaction
from domain.kpis import Dimension
from domain.own_calendars import Calendars
from domain.totals import Totals

_LAST_INSTANT = timedelta(microseconds=1)
"""A target is the midnight after its last day; one that is missed is missed on that day."""

# Of the stay that lasts, the target is the cycle's. `stood_since` is since when a hold has kept it from passing:
# day 90 waits for nobody.
STAYS = text("""
    select v.id, v.client_id, v.cycle_id, v.stage, v.entered_at,
           case when v.left_at <= :now then v.left_at end as left_at,
           coalesce(v.target_at, case when v.id = c.visit_id then c.target_at end) as target_at,
           coalesce(v.superseded_at <= :now, false) as rolled_back,
           coalesce(v.id = c.visit_id and c.ended_at <= :now, false) as broken_off,
           coalesce(c.outcome = any(:never), false) as mistaken,
           case when v.stage <> 'EARLY_SUPPORT' then (
               select max(h.held_at) from hold h
               where h.tenant_id = :tenant and h.cycle_id = v.cycle_id and h.visit_id = v.id and h.held_at <= :now
                 and (h.resumed_at is null or h.resumed_at >= least(v.left_at, :now))
           ) end as stood_since
    from visit v
    join cycle c on c.tenant_id = :tenant and c.id = v.cycle_id
    where v.tenant_id = :tenant and v.stage = any(:onboarding) and v.entered_at <= :now and v.entered_at < :to
      and (v.left_at is null or v.left_at >= :from)
      and (cast(:clients as uuid[]) is null or v.client_id = any(:clients))
""")

RE_PLANS = text("""
    select p.id, p.client_id, p.cycle_id, p.stage, p.recorded_at, p.re_plan,
           coalesce(c.outcome = any(:never), false) as mistaken
    from planned_date p
    join cycle c on c.tenant_id = :tenant and c.id = p.cycle_id
    where p.tenant_id = :tenant and p.recorded_at >= :from and p.recorded_at < :to and p.recorded_at <= :now
      and (cast(:clients as uuid[]) is null or p.client_id = any(:clients))
""")


async def due_stays(tx: Transaction, asked: Asked, _: Calendars) -> list[FactRow]:
    """Return the stays whose target was kept or missed in the buckets, and those of which neither can be said."""
    cut = Cut.of(asked)
    found = await tx.rows(
        STAYS, tenant=tx.tenant, clients=clients_of(asked), onboarding=ONBOARDING_STAGES, **cut.named()
    )
    return [row for row in (_stay(record, cut) for record in found) if row is not None]


async def re_plans(tx: Transaction, asked: Asked, _: Calendars) -> list[FactRow]:
    """Return the planned dates that were noted in the buckets; only what changed an earlier one counts."""
    cut = Cut.of(asked)
    rows = []
    for record in await tx.rows(RE_PLANS, tenant=tx.tenant, clients=clients_of(asked), **cut.named()):
        left_out = None if record["re_plan"] else LeftOut.FIRST_SETTING
        rows.append(
            FactRow(
                id=record["id"],
                at=record["recorded_at"],
                bucket=cut.place(record["recorded_at"]) or 0,
                totals=Totals(1),
                members={Dimension.CLIENT: record["client_id"].hex, Dimension.STAGE: record["stage"]},
                subject=Subject(cycle=record["cycle_id"], stage=record["stage"]),
                left_out=LeftOut.ENTERED_IN_ERROR if record["mistaken"] else left_out,
            )
        )
    return rows


def _stay(record: asyncpg.Record, cut: Cut) -> FactRow | None:
    left, target = record["left_at"], record["target_at"]
    in_time = left is not None and not record["broken_off"] and target is not None and left < target
    missed = not in_time and target is not None and _passed(record, target, cut.now)
    at = left if left is not None else record["entered_at"]
    if missed:
        at = target - _LAST_INSTANT
    bucket = cut.place(at)
    if bucket is None:
        return None
    return FactRow(
        id=record["id"],
        at=at,
        bucket=bucket,
        totals=Totals(1 if in_time else 0, 1),
        members={Dimension.CLIENT: record["client_id"].hex, Dimension.STAGE: record["stage"]},
        subject=Subject(cycle=record["cycle_id"], stage=record["stage"], ended=left is not None),
        left_out=_left_out(record, decided=in_time or missed),
    )


def _passed(record: asyncpg.Record, target: datetime, now: datetime) -> bool:
    """Tell whether a target had passed when the stay was left or broken off, or has passed by now."""
    if record["left_at"] is not None and not record["broken_off"]:
        return True
    until = record["left_at"] if record["left_at"] is not None else now
    stood: datetime | None = record["stood_since"]
    return bool(target <= (until if stood is None else min(stood, until)))


def _left_out(record: asyncpg.Record, *, decided: bool) -> LeftOut | None:
    if record["mistaken"]:
        return LeftOut.ENTERED_IN_ERROR
    if record["rolled_back"]:
        return LeftOut.ROLLED_BACK
    if record["target_at"] is None:
        return LeftOut.NO_TARGET
    return None if decided else LeftOut.NOT_DUE
