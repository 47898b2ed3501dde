"""Facts of onboarding that are no sums: stays with their holds, onboardings open at an instant, moves past gates."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import asyncpg
from sqlalchemy import text

from db.session import Transaction
from domain.calendars import Pauses
from domain.formulas import Spell
from domain.kpis import Dimension, Where
from domain.onboarding import ENTERED_IN_ERROR
from domain.own_calendars import Calendars
from domain.periods import Bucket, start_of_day
from domain.stages import ENDS, ORDER, Stage
from domain.timelines import Moment

ONBOARDING_STAGES = [stage.value for stage in ORDER if stage is not Stage.STEADY_STATE]

NEVER_HAPPENED = sorted(outcome.value for outcome in ENTERED_IN_ERROR)
"""Outcomes of cycles that were entered in error: they count in no figure."""


class LeftOut(StrEnum):
    """Why a row of onboarding doesn't count."""

    ROLLED_BACK = "ROLLED_BACK"
    UNDONE = "UNDONE"
    ENTERED_IN_ERROR = "ENTERED_IN_ERROR"
    NO_GATES = "NO_GATES"
    NOT_SIGNED = "NOT_SIGNED"
    DATE_MISSING = "DATE_MISSING"
    OUT_OF_ORDER = "OUT_OF_ORDER"
    TURN_UNKNOWN = "TURN_UNKNOWN"
    NO_TARGET = "NO_TARGET"
    NOT_DUE = "NOT_DUE"
    FIRST_SETTING = "FIRST_SETTING"
    NOT_WHOLE_CLIENT = "NOT_WHOLE_CLIENT"
    MERGED_CLIENT = "MERGED_CLIENT"


@dataclass(frozen=True, slots=True)
class StageSpell:
    """One stay in a stage, in business days without its holds; still running where it hasn't ended."""

    visit: UUID
    cycle: UUID
    client: UUID
    stage: str
    entered_at: datetime
    bucket: int
    spell: Spell
    left_out: LeftOut | None


# The end of the last bucket closes the list of boundaries: what lies beyond it is in no bucket.
SPELLS = text("""
    select v.id, v.cycle_id, v.client_id, v.stage, v.entered_at,
           width_bucket(v.entered_at, cast(:instants as timestamptz[])) - 1 as bucket,
           case when v.left_at <= :now then v.left_at end as left_at,
           coalesce(v.superseded_at <= :now, false) as rolled_back,
           coalesce(c.outcome = any(:never), false) as mistaken, c.scope_kind, c.scope_key, c.contract_id,
           h.starts, h.ends
    from visit v
    join cycle c on c.tenant_id = :tenant and c.id = v.cycle_id
    cross join lateral (
        select array_agg(h.held_at order by h.held_at) as starts,
               array_agg(coalesce(h.resumed_at, :now) order by h.held_at) as ends
        from hold h
        where h.tenant_id = :tenant and h.cycle_id = v.cycle_id and h.visit_id = v.id and h.held_at <= :now
    ) as h
    where v.tenant_id = :tenant and v.stage <> all(:ended)
      and v.entered_at >= :from and v.entered_at < :to and v.entered_at <= :now
      and (cast(:clients as uuid[]) is null or v.client_id = any(:clients))
      and (cast(:stages as text[]) is null or v.stage = any(:stages))
    order by v.entered_at, v.id
""")

# Split only by what is asked for: a row per client, stage and day would be thousands for one number a day.
_SPLIT = """case when cast(:by_client as boolean) then {client} end as client_id,
           case when cast(:by_stage as boolean) then {stage} end as stage"""

# The stays of the period are found first, for an instant each would look through all that there ever were.
OPEN_CYCLES = text(f"""
    with stays as materialized (
        select v.cycle_id, v.client_id, v.stage, v.entered_at, v.left_at from visit v
        where v.tenant_id = :tenant and v.stage = any(:onboarding)
          and v.entered_at <= (select max(at) from unnest(cast(:instants as timestamptz[])) at)
          and (v.left_at is null or v.left_at > (select min(at) from unnest(cast(:instants as timestamptz[])) at))
          and (cast(:clients as uuid[]) is null or v.client_id = any(:clients))
          and (cast(:stages as text[]) is null or v.stage = any(:stages))
    ), onboardings as materialized (
        select v.* from stays v join cycle c on c.tenant_id = :tenant and c.id = v.cycle_id
        where coalesce(c.outcome <> all(:never), true)
    )
    select (i.n - 1)::int as bucket, {_SPLIT.format(client="v.client_id", stage="v.stage")}, count(*)::int as cycles
    from unnest(cast(:instants as timestamptz[])) with ordinality as i(at, n)
    join onboardings v on v.entered_at <= i.at and (v.left_at is null or v.left_at > i.at)
    group by 1, 2, 3
""")

# A correction is a row of the trail with the time that it tells: the latest such row says when a move took effect, and
# the next thing that happened after a move whether it was undone.
# Policies make the planner expect a single row everywhere: what took effect is found first, and only then looked up.
_MOVES = """
    took_effect as materialized (
        select coalesce(r.corrects, r.id) as id, r.effective_at
        from transition r
        where r.tenant_id = :tenant and r.accepted and r.effective_at >= :from and r.effective_at < :to
          and r.recorded_at <= :now
          and not exists (
              select from transition k
              where k.tenant_id = :tenant and k.cycle_id = r.cycle_id and k.accepted and k.version > r.version
                and k.corrects = coalesce(r.corrects, r.id) and k.recorded_at <= :now
          )
    ), moves as (
        select t.id, t.client_id, t.cycle_id, r.effective_at, t.from_stage, t.gates, t.waiver_ids,
               coalesce(c.outcome = any(:never), false) as mistaken,
               coalesce((
                   select n.move = 'UNDO' from transition n
                   where n.tenant_id = :tenant and n.cycle_id = t.cycle_id and n.accepted and n.version > t.version
                     and n.recorded_at <= :now
                   order by n.version limit 1
               ), false) as undone
        from took_effect r
        join transition t on t.tenant_id = :tenant and t.id = r.id
        join cycle c on c.tenant_id = :tenant and c.id = t.cycle_id
        where t.from_stage <> t.to_stage
          and (cast(:clients as uuid[]) is null or t.client_id = any(:clients))
          and (cast(:stages as text[]) is null or t.from_stage = any(:stages))
    )
"""

GATED_MOVES = text(f"""
    with {_MOVES}
    select width_bucket(t.effective_at, cast(:instants as timestamptz[])) - 1 as bucket,
           {_SPLIT.format(client="t.client_id", stage="t.from_stage")}, count(*)::int as moves,
           (count(*) filter (where cardinality(t.waiver_ids) > 0))::int as waived
    from moves t
    where jsonb_array_length(t.gates) > 0 and not t.mistaken and not t.undone
    group by 1, 2, 3
""")


# The same rows one by one, for whoever wants to see what a figure is made of.
CYCLE_ROWS = text("""
    select c.id, c.opened_at as at, c.id as cycle_id, v.stage, true as counted,
           case when c.outcome = any(:never) then 'ENTERED_IN_ERROR' end as reason
    from visit v
    join cycle c on c.tenant_id = :tenant and c.id = v.cycle_id
    where v.tenant_id = :tenant and v.entered_at <= :instant and (v.left_at is null or v.left_at > :instant)
      and v.stage = any(:onboarding)
      and (cast(:clients as uuid[]) is null or v.client_id = any(:clients))
      and (cast(:stages as text[]) is null or v.stage = any(:stages))
    order by c.opened_at, c.id
""")

MOVE_ROWS = text(f"""
    with {_MOVES}
    select t.id, t.effective_at as at, t.cycle_id, t.from_stage as stage, cardinality(t.waiver_ids) > 0 as counted,
           case when t.mistaken then 'ENTERED_IN_ERROR'
                when jsonb_array_length(t.gates) = 0 then 'NO_GATES'
                when t.undone then 'UNDONE' end as reason
    from moves t
    order by t.effective_at, t.id
""")


async def spells(
    tx: Transaction, buckets: Sequence[Bucket], where: Where, moment: Moment, calendars: Calendars
) -> list[StageSpell]:
    """Return the stays that began in the buckets, those that are left out too, as of the moment."""
    rows = await tx.rows(
        SPELLS,
        tenant=tx.tenant,
        **_span(buckets, moment),
        **_narrowed(where),
        now=moment.now,
        never=NEVER_HAPPENED,
        ended=[stage.value for stage in ENDS],
    )
    return [_spell(row, moment.now, calendars) for row in rows]


async def open_cycles(
    tx: Transaction, buckets: Sequence[Bucket], by: Sequence[Dimension], where: Where, moment: Moment
) -> list[asyncpg.Record]:
    """Return, for the end of each bucket that has begun, how many onboardings were open, split as asked."""
    begun = [bucket for bucket in buckets if start_of_day(bucket.start, moment.zone) <= moment.now]
    return await tx.rows(
        OPEN_CYCLES,
        tenant=tx.tenant,
        instants=[instant_of(bucket, moment) for bucket in begun],
        onboarding=ONBOARDING_STAGES,
        never=NEVER_HAPPENED,
        **_split(by),
        **_narrowed(where),
    )


async def gated_moves(
    tx: Transaction, buckets: Sequence[Bucket], by: Sequence[Dimension], where: Where, moment: Moment
) -> list[asyncpg.Record]:
    """Return, for each bucket, how many moves out of a stage had gates and how many used a waiver, split as asked."""
    return await tx.rows(
        GATED_MOVES,
        tenant=tx.tenant,
        **_span(buckets, moment),
        **_split(by),
        **_narrowed(where),
        now=moment.now,
        never=NEVER_HAPPENED,
    )


async def cycle_rows(tx: Transaction, buckets: Sequence[Bucket], where: Where, moment: Moment) -> list[asyncpg.Record]:
    """Return the onboardings open at the end of the last bucket that has begun, one by one."""
    begun = [bucket for bucket in buckets if start_of_day(bucket.start, moment.zone) <= moment.now]
    if not begun:
        return []
    return await tx.rows(
        CYCLE_ROWS,
        tenant=tx.tenant,
        instant=instant_of(begun[-1], moment),
        onboarding=ONBOARDING_STAGES,
        never=NEVER_HAPPENED,
        **_narrowed(where),
    )


async def move_rows(tx: Transaction, buckets: Sequence[Bucket], where: Where, moment: Moment) -> list[asyncpg.Record]:
    """Return the moves out of a stage within the buckets, one by one, those that had no gates too."""
    span = _span(buckets, moment)
    named = {"from": span["from"], "to": span["to"]}
    return await tx.rows(MOVE_ROWS, tenant=tx.tenant, **named, **_narrowed(where), now=moment.now, never=NEVER_HAPPENED)


def instant_of(bucket: Bucket, moment: Moment) -> datetime:
    """Return the instant at which a bucket's state is taken: its end, or now while it isn't over."""
    return min(start_of_day(bucket.end, moment.zone), moment.now)


def _span(buckets: Sequence[Bucket], moment: Moment) -> dict[str, object]:
    starts = [start_of_day(bucket.start, moment.zone) for bucket in buckets]
    return {"instants": starts, "from": starts[0], "to": start_of_day(buckets[-1].end, moment.zone)}


def _split(by: Sequence[Dimension]) -> dict[str, object]:
    return {"by_client": Dimension.CLIENT in by, "by_stage": Dimension.STAGE in by}


def _narrowed(where: Where) -> dict[str, object]:
    return {
        "clients": None if where.clients is None else list(where.clients),
        "stages": None if where.stages is None else list(where.stages),
    }


def _spell(row: asyncpg.Record, now: datetime, calendars: Calendars) -> StageSpell:
    calendar = calendars.counting(row["scope_kind"], row["scope_key"], row["contract_id"])
    entered, left = row["entered_at"], row["left_at"]
    ended = left if left is not None else now
    pauses = Pauses.of([(start, end) for start, end in zip(row["starts"] or (), row["ends"] or (), strict=True)])
    held = sum(calendar.business_days_between(start, end) for start, end in pauses.within(entered, ended))
    days = max(0.0, calendar.business_days_between(entered, ended) - held)
    mistaken = LeftOut.ENTERED_IN_ERROR if row["mistaken"] else None
    return StageSpell(
        visit=row["id"],
        cycle=row["cycle_id"],
        client=row["client_id"],
        stage=row["stage"],
        entered_at=entered,
        bucket=row["bucket"],
        spell=Spell(days, ended=left is not None),
        left_out=LeftOut.ROLLED_BACK if row["rolled_back"] else mistaken,
    )
