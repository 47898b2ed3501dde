"""Ways: from the signature to going live or to steady state, each onboarding's own."""

from datetime import datetime

import asyncpg
from sqlalchemy import text

from db.asked import Asked
from db.fact_rows import Cut, FactRow, Subject, clients_of, pauses_of, worked_days
from db.onboarding_facts import LeftOut
from db.session import Transaction
from domain.formulas import Spell
from domain.kpis import Dimension
from domain.own_calendars import Calendars
from domain.stages import Stage
from domain.totals import Totals

# A site or a service may join under a contract that is years old: its way begins with the amendment, or when it is
# opened, and so does that of a client that comes back under a contract it had before. `passed` is true of whoever
# went beyond the goal, even if nobody noted when it was met.
WAYS = text("""
    with way as (
        select c.id, c.client_id, c.opened_at, c.stage, c.scope_kind, c.scope_key, c.contract_id,
               case when c.ended_at <= :now then c.ended_at end as ended_at,
               coalesce(c.outcome = any(:never), false) as mistaken,
               case when c.amendment_id is not null then a.signed_at
                    when k.signed_at < c.opened_at and exists (
                        select from cycle e
                        where e.tenant_id = :tenant and e.client_id = c.client_id and e.contract_id = c.contract_id
                          and e.number < c.number and coalesce(e.outcome <> all(:never), true)
                    ) then c.opened_at
                    else k.signed_at end as began_at,
               r.reached_at, coalesce(r.passed, false) as passed
        from cycle c
        left join contract k on k.tenant_id = :tenant and k.client_id = c.client_id and k.id = c.contract_id
                            and k.signed_at <= :now
        left join amendment a on a.tenant_id = :tenant and a.client_id = c.client_id and a.id = c.amendment_id
                             and a.signed_at <= :now
        cross join lateral (
            select min(v.entered_at) filter (where v.stage = :goal) as reached_at,
                   bool_or(v.stage = any(cast(:beyond as text[]))) as passed
            from visit v
            where v.tenant_id = :tenant and v.cycle_id = c.id and v.entered_at <= :now
              and (v.superseded_at is null or v.superseded_at > :now)
        ) as r
        where c.tenant_id = :tenant and c.opened_at <= :now
          and (cast(:clients as uuid[]) is null or c.client_id = any(:clients))
    )
    select w.*, h.starts, h.ends
    from way w
    cross join lateral (
        select array_agg(h.held_at order by h.held_at) as starts,
               array_agg(coalesce(h.resumed_at, :now) order by h.held_at) as ends
        from hold h
        where h.tenant_id = :tenant and h.cycle_id = w.id and h.held_at <= :now
    ) as h
    where coalesce(w.began_at, w.opened_at) >= :from and coalesce(w.began_at, w.opened_at) < :to
    order by w.opened_at, w.id
""")


async def to_go_live(tx: Transaction, asked: Asked, calendars: Calendars) -> list[FactRow]:
    """Return each onboarding's way from the signature to early support."""
    return await _ways(tx, asked, calendars, Stage.EARLY_SUPPORT)


async def to_steady_state(tx: Transaction, asked: Asked, calendars: Calendars) -> list[FactRow]:
    """Return each onboarding's way from the signature to steady state."""
    return await _ways(tx, asked, calendars, Stage.STEADY_STATE)


async def _ways(tx: Transaction, asked: Asked, calendars: Calendars, goal: Stage) -> list[FactRow]:
    cut = Cut.of(asked)
    beyond = [Stage.STEADY_STATE.value] if goal is Stage.EARLY_SUPPORT else []
    found = await tx.rows(
        WAYS, tenant=tx.tenant, clients=clients_of(asked), goal=goal.value, beyond=beyond, **cut.named()
    )
    return [row for row in (_row(record, cut, calendars) for record in found) if row is not None]


def _row(record: asyncpg.Record, cut: Cut, calendars: Calendars) -> FactRow | None:
    began, reached = record["began_at"], record["reached_at"]
    at = began if began is not None else record["opened_at"]
    bucket = cut.place(at)
    if bucket is None:
        return None
    until = next(instant for instant in (reached, record["ended_at"], cut.now) if instant is not None)
    left_out = _left_out(record, until)
    days = 0.0
    if left_out is None:
        calendar = calendars.counting(record["scope_kind"], record["scope_key"], record["contract_id"])
        days = worked_days(began, until, pauses_of(record["starts"], record["ends"]), calendar)
    broken_off = reached is None and record["ended_at"] is not None
    return FactRow(
        id=record["id"],
        at=at,
        bucket=bucket,
        totals=Totals(spells=(Spell(days, ended=reached is not None, broken_off=broken_off),)),
        members={Dimension.CLIENT: record["client_id"].hex},
        subject=Subject(cycle=record["id"], stage=record["stage"], ended=reached is not None),
        amount=days,
        left_out=left_out,
    )


def _left_out(record: asyncpg.Record, until: datetime) -> LeftOut | None:
    if record["mistaken"]:
        return LeftOut.ENTERED_IN_ERROR
    if record["began_at"] is None:
        return LeftOut.NOT_SIGNED
    if record["reached_at"] is None and record["passed"]:
        return LeftOut.DATE_MISSING
    return LeftOut.OUT_OF_ORDER if until < record["began_at"] else None
