"""Corrections written: stays, windows, holds and what was planned, put to another instant."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from db.session import Transaction
from domain.corrections import Stays
from domain.onboarding import Cycle, Transition

LEFT = text("update visit set left_at = :to where tenant_id = :tenant and id = :visit")

ENTERED = text("update visit set entered_at = :to where tenant_id = :tenant and id = :visit")

SET_ASIDE = text("""
    update visit set superseded_at = :to
    where tenant_id = :tenant and cycle_id = :cycle and superseded_at = :at
""")

WINDOWS = text("""
    update escalation_window set
        opened_at = case when visit_id = cast(:entered as uuid) then cast(:to as timestamptz) else opened_at end,
        closed_at = case when visit_id = cast(:left as uuid) then cast(:to as timestamptz) else closed_at end
    where tenant_id = :tenant and cycle_id = :cycle
      and (visit_id = cast(:entered as uuid) or visit_id = cast(:left as uuid))
""")

HOLDS = text("""
    update hold set
        held_at = case when held_at = :at then cast(:to as timestamptz) else held_at end,
        resumed_at = case when resumed_at = :at then cast(:to as timestamptz) else resumed_at end
    where tenant_id = :tenant and cycle_id = :cycle and (held_at = :at or resumed_at = :at)
""")

CYCLE = text("""
    update cycle set
        opened_at = case when cast(:opens as boolean) then cast(:to as timestamptz) else opened_at end,
        entered_at = case when visit_id = cast(:entered as uuid) then cast(:to as timestamptz) else entered_at end,
        held_at = case when held_at = :at then cast(:to as timestamptz) else held_at end,
        ended_at = case when ended_at = :at then cast(:to as timestamptz) else ended_at end
    where tenant_id = :tenant and id = :cycle
""")

# What counts from the move itself moves along; the stage's own target and days are set anew elsewhere.
PLANNED = text("""
    with moved as (
        select id, due_at + (cast(:to as timestamptz) - cast(:at as timestamptz)) as due_at from effect
        where tenant_id = :tenant and cycle_id = :cycle and state = 'PLANNED' and id = any(cast(:effects as uuid[]))
          and (kind = 'SURVEY' or key like 'HOLD_REVIEW:%')
    )
    update effect set
        due_at = moved.due_at,
        state = case when moved.due_at > :now then 'PLANNED' else 'SKIPPED' end,
        reason = case when moved.due_at > :now then null else 'PAST' end,
        settled_at = case when moved.due_at > :now then null else cast(:now as timestamptz) end
    from moved where effect.tenant_id = :tenant and effect.id = moved.id
""")

VISIT_TARGET = text("update visit set target_at = :target where tenant_id = :tenant and id = :visit")


@dataclass(frozen=True, slots=True)
class Shift:
    """A move that is put from one instant to another."""

    cycle: Cycle
    move: Transition
    stays: Stays
    at: datetime
    to: datetime


async def put(tx: Transaction, shift: Shift, now: datetime) -> None:
    """Write what a move began and ended at its other instant; the target of the stage is set apart from this."""
    named = {"tenant": tx.tenant, "cycle": shift.cycle.id, "at": shift.at, "to": shift.to}
    left, entered = shift.stays.left, shift.stays.entered
    if left:
        await tx.run(LEFT, tenant=tx.tenant, visit=left.id, to=shift.to)
    if entered:
        await tx.run(ENTERED, tenant=tx.tenant, visit=entered.id, to=shift.to)
    sides = {"left": left.id if left else None, "entered": entered.id if entered else None}
    await tx.run(SET_ASIDE, **named)
    await tx.run(WINDOWS, tenant=tx.tenant, cycle=shift.cycle.id, to=shift.to, **sides)
    await tx.run(HOLDS, **named)
    await tx.run(CYCLE, **named, entered=sides["entered"], opens=shift.move.from_stage is None)
    await tx.run(PLANNED, **named, effects=list(shift.move.effect_ids), now=now)


async def retarget_stay(tx: Transaction, visit: UUID, target: datetime | None) -> None:
    """Write what the target of a stay that is over was."""
    await tx.run(VISIT_TARGET, tenant=tx.tenant, visit=visit, target=target)
