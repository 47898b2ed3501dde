"""Corrections written: stays, windows, holds and what was planned, put to another instant."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from db.session import Transaction
from domain.corrections import Stays
from domain.moves import Move
from domain.onboarding import Cycle, Transition, Visit
from domain.stages import ENDS

LEFT = text("update visit set left_at = :to where tenant_id = :tenant and id = :visit")

ENTERED = text("update visit set entered_at = :to where tenant_id = :tenant and id = :visit")

DISPLACED = text("""
    with emptied as (
        update visit set entered_at = :to, left_at = :to
        where tenant_id = :tenant and id = any(cast(:visits as uuid[])) and left_at = entered_at
    )
    update escalation_window set opened_at = :to, closed_at = :to
    where tenant_id = :tenant and visit_id = any(cast(:visits as uuid[])) and closed_at = opened_at
""")

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

HELD = text("update hold set held_at = :to where tenant_id = :tenant and id = :hold")

RESUMED = text("update hold set resumed_at = :to where tenant_id = :tenant and id = :hold")

CYCLE = text("""
    update cycle set
        opened_at = case when cast(:opens as boolean) then cast(:to as timestamptz) else opened_at end,
        entered_at = case when visit_id = cast(:entered as uuid) then cast(:to as timestamptz) else entered_at end,
        held_at = case when cast(:holds as boolean) then cast(:to as timestamptz) else held_at end,
        ended_at = case when cast(:ends as boolean) then cast(:to as timestamptz) else ended_at end
    where tenant_id = :tenant and id = :cycle
""")

# What counts from the move itself moves along; the stage's own target and days are set anew elsewhere. A survey whose
# moment had gone by is planned again where that lies ahead after all.
PLANNED = text("""
    with moved as (
        select id, due_at + (cast(:to as timestamptz) - cast(:at as timestamptz)) as due_at from effect
        where tenant_id = :tenant and cycle_id = :cycle and id = any(cast(:effects as uuid[]))
          and (state = 'PLANNED' or (state = 'SKIPPED' and reason = 'PAST'))
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
    displaced: tuple[Visit, ...] = ()


async def put(tx: Transaction, shift: Shift, now: datetime) -> None:
    """Write what a move began and ended at its other instant; the target of the stage is set apart from this."""
    move, to = shift.move, shift.to
    left, entered, hold = shift.stays.left, shift.stays.entered, shift.stays.hold
    named = {"tenant": tx.tenant, "cycle": shift.cycle.id, "to": to}
    sides = {"left": left.id if left else None, "entered": entered.id if entered else None}
    if left:
        await tx.run(LEFT, tenant=tx.tenant, visit=left.id, to=to)
    if entered:
        await tx.run(ENTERED, tenant=tx.tenant, visit=entered.id, to=to)
    if shift.displaced:
        await tx.run(DISPLACED, tenant=tx.tenant, visits=[visit.id for visit in shift.displaced], to=to)
    if move.move is Move.ROLL_BACK:
        await tx.run(SET_ASIDE, **named, at=shift.at)
    if hold:
        await tx.run(HELD if move.move is Move.HOLD else RESUMED, tenant=tx.tenant, hold=hold.id, to=to)
    await tx.run(WINDOWS, **named, **sides)
    await tx.run(
        CYCLE,
        **named,
        entered=sides["entered"],
        # A client brought in may have been opened before the first stay that is known of it.
        opens=move.from_stage is None and shift.cycle.opened_at == shift.at,
        holds=move.move is Move.HOLD and hold is not None and hold.resumed_at is None,
        ends=move.to_stage in ENDS,
    )
    await tx.run(PLANNED, **named, at=shift.at, effects=list(move.effect_ids), now=now)


async def retarget_stay(tx: Transaction, visit: UUID, target: datetime | None) -> None:
    """Write what the target of a stay that is over was."""
    await tx.run(VISIT_TARGET, tenant=tx.tenant, visit=visit, target=target)
