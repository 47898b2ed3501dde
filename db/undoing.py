"""Undoing: what a move changed is put back as it was, and what it had planned is called off."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from db.session import Transaction
from domain.effects import NOTICE_KEYS
from domain.onboarding import Transition

# The stay that the move began is left empty, so that nothing was ever done or logged in it.
EMPTY = text("""
    update visit set left_at = entered_at, superseded_at = :now
    where tenant_id = :tenant and cycle_id = :cycle and left_at is null
    returning id
""")

EMPTY_WINDOW = text("""
    update escalation_window set closed_at = opened_at
    where tenant_id = :tenant and cycle_id = :cycle and closed_at is null
""")

CONTINUE = text("""
    update visit set left_at = null, target_at = null
    where tenant_id = :tenant and id = (
        select v.id from visit v
        where v.tenant_id = :tenant and v.cycle_id = :cycle and v.superseded_at is null
        order by v.entered_at desc, v.id desc limit 1
    )
    returning id
""")

CONTINUE_WINDOW = text("""
    update escalation_window set closed_at = null
    where tenant_id = :tenant and cycle_id = :cycle and visit_id = :visit and closed_at = :moved_at
""")

CONTINUE_HOLD = text("""
    update hold set resumed_at = null
    where tenant_id = :tenant and id = (
        select h.id from hold h
        where h.tenant_id = :tenant and h.cycle_id = :cycle
        order by h.held_at desc, h.id desc limit 1
    )
""")

# Under a key of its own, so that the same move can be made again from the same stay. Timers of the stay that the
# contract has planned since go too; those of a notice follow the client.
CALL_OFF = text("""
    update effect set
        key = key || ':' || cast(:version as text), state = 'CANCELLED', reason = 'UNDO', settled_at = :now
    where tenant_id = :tenant and cycle_id = :cycle and state in ('PLANNED', 'SKIPPED')
      and (id = any(cast(:effects as uuid[]))
           or (visit_id = cast(:emptied as uuid) and kind = 'TIMER'
               and split_part(key, ':', 1) <> all(cast(:notice_keys as text[]))))
""")

# Whoever leads by now hears of the timers: the lead may have become another since the move.
BRING_BACK = text("""
    update effect set
        state = 'PLANNED', reason = null, settled_at = null,
        recipient = case when kind = 'TIMER' then cast(:lead as text) else recipient end
    where tenant_id = :tenant and cycle_id = :cycle and state = 'CANCELLED' and reason = :move
      and settled_at = :recorded_at
""")

SENT = text("""
    select count(*) from effect
    where tenant_id = :tenant and cycle_id = :cycle and kind = 'SURVEY' and state = 'DONE'
      and id = any(cast(:effects as uuid[]))
""")


async def sent(tx: Transaction, move: Transition) -> int:
    """Return how many surveys that a move set off have gone out."""
    count: int = await tx.value(SENT, tenant=tx.tenant, cycle=move.cycle_id, effects=list(move.effect_ids))
    return count


async def put_back(tx: Transaction, move: Transition, now: datetime, *, lead: UUID, held: bool) -> None:
    """Put stays, windows, holds and effects back as they were before a cycle's last move.

    `lead` is who leads the cycle by now; `held` says whether it was on hold then.
    """
    named = {"tenant": tx.tenant, "cycle": move.cycle_id}
    emptied = await tx.one(EMPTY, **named, now=now)
    await tx.run(EMPTY_WINDOW, **named)
    visit = await tx.value(CONTINUE, **named)
    await tx.run(CONTINUE_WINDOW, **named, visit=visit, moved_at=move.effective_at)
    if held:
        await tx.run(CONTINUE_HOLD, **named)
    await tx.run(
        CALL_OFF,
        **named,
        effects=list(move.effect_ids),
        emptied=emptied["id"] if emptied else None,
        notice_keys=sorted(NOTICE_KEYS),
        version=str(move.version),
        now=now,
    )
    await tx.run(BRING_BACK, **named, lead=str(lead), move=move.move.value, recorded_at=move.recorded_at)
