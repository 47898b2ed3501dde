"""Undoing: whoever made the last move takes it back, within a day and before anything was sent."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from db import cycles, follow_ups, histories, parts, steps, undoing
from db.cycles import Locked
from db.portraits import portrait
from db.session import Transaction
from domain import consequences
from domain.access import Principal
from domain.errors import ErrorCode, Outcome, UserError, invalid, not_found, refused, stale
from domain.moves import MOVES, UNDOABLE, Move
from domain.onboarding import Cycle, Transition, replay
from domain.own_calendars import Calendars
from domain.portraits import Portrait, differences
from domain.retargeting import UNDER_WAY
from domain.stages import Stage
from domain.steps import Step
from domain.texts import REASON_LIMIT
from workflows import machine
from workflows.audit import Attempt, moved_event, not_yours, transition
from workflows.commands import perform
from workflows.context import Context, Request
from workflows.restating import restate
from workflows.retargeting import retarget

UNDO_WITHIN = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class UndoCommand:
    """Take back the last move of a cycle; with `dry_run` only tell what that would change."""

    cycle: UUID
    expected_version: int
    reason: str | None = None
    dry_run: bool = False


async def undo(context: Context, principal: Principal, request: Request, command: UndoCommand) -> Outcome:
    """Put a cycle back as it was before its last move; the trail keeps the move and says that it was undone.

    Raises:
        ForbiddenError: the caller may not move onboardings at all.
    """
    principal.require(MOVES[Move.UNDO].scope)

    async def act(tx: Transaction) -> Outcome:
        locked = await cycles.lock_to_move(tx, command.cycle)
        if locked is None:
            return refused(not_found("onboarding", "onboardingId"))
        cycle, definition = locked.cycle, locked.definition
        attempt = Attempt(context, principal, request, cycle, Move.UNDO, command.reason, None, locked.recorded_at)
        *earlier, last = await histories.accepted(tx, cycle.id)
        if error := await _not_undoable(tx, attempt, command, last):
            return await attempt.refuse(tx, error, cycle.stage, definition)
        back = _stage_before(last)
        machine.advance(cycle.stage, Move.UNDO, back, ())
        before = await portrait(tx, cycle.id)
        await follow_ups.bring_back(tx, cycle.id, last.recorded_at)
        await undoing.put_back(tx, last, attempt.now, lead=cycle.lead_id, held=replay(tuple(earlier)).held)
        put_back = _as_before(attempt, back, before, await portrait(tx, cycle.id))
        event = moved_event(attempt, put_back, cycle.stage, ())
        audit = transition(attempt, put_back, cycle.stage, definition, (), (), event)
        await steps.take(tx, Step(put_back, audit, event))
        await _retarget(tx, locked, put_back, attempt.now)
        span = (last.effective_at, attempt.now)
        restated = await restate(tx, principal, request, cycle, span, attempt.now)
        changes = (*differences(before, await portrait(tx, cycle.id)), *restated)
        return Outcome(cycle.id, put_back.version, event.id, facts=consequences.told(changes))

    return await perform(context, principal, request, "onboardingUndo", command, act, dry_run=command.dry_run)


def _stage_before(move: Transition) -> Stage:
    if move.from_stage is None:
        msg = "a move that can be undone has led from somewhere"
        raise ValueError(msg)
    return move.from_stage


def _as_before(attempt: Attempt, back: Stage, before: Portrait, stored: Portrait) -> Cycle:
    """Return the cycle in the stay that goes on, with the clock that it had."""
    cycle = attempt.cycle
    stay = next(visit for visit in stored.visits if visit.left_at is None)
    held = next((hold.held_at for hold in stored.holds if hold.resumed_at is None), None)
    return replace(
        cycle,
        stage=back,
        visit_id=stay.id,
        entered_at=stay.entered_at,
        target_at=next(visit.target_at for visit in before.visits if visit.id == stay.id),
        held_at=held,
        ended_at=None,
        outcome=None,
        active_at=attempt.now,
        version=cycle.version + 1,
    )


async def _retarget(tx: Transaction, locked: Locked, cycle: Cycle, now: datetime) -> None:
    """Set target and timers anew where the contract's start or the calendar became another since the move."""
    if cycle.stage in UNDER_WAY:
        await retarget(tx, [cycle], Calendars(locked.settings.calendar), locked.settings, now)


async def _not_undoable(tx: Transaction, attempt: Attempt, command: UndoCommand, last: Transition) -> UserError | None:
    principal, cycle = attempt.principal, attempt.cycle
    if command.expected_version != cycle.version:
        return stale(cycle.version)
    if len(command.reason or "") > REASON_LIMIT:
        message = f"A reason has at most {REASON_LIMIT} characters; this one has {len(command.reason or '')}."
        return invalid(message, "reason")
    if last.move in UNDOABLE and not principal.reaches(MOVES[last.move].scope, cycle.team):
        return not_yours(last.move)
    if last.actor_id != principal.id:
        message = f"Somebody else made the last move, {last.move}; only they can undo it. Roll back instead."
        return UserError(ErrorCode.NOT_ALLOWED, message)
    if why := await _too_late(tx, attempt, last):
        return UserError(ErrorCode.MOVE_NOT_POSSIBLE, why)
    return await _cannot_live_again(tx, cycle) if cycle.ended else None


async def _cannot_live_again(tx: Transaction, cycle: Cycle) -> UserError | None:
    if await cycles.others_open(tx, cycle):
        message = "Another onboarding of the same scope was opened since; end that one first."
        return UserError(ErrorCode.ALREADY_EXISTS, message)
    if why := await parts.lost_footing(tx, cycle):
        return UserError(ErrorCode.MOVE_NOT_POSSIBLE, why)
    return None


async def _too_late(tx: Transaction, attempt: Attempt, last: Transition) -> str | None:
    if last.move not in UNDOABLE:
        return f"The last move was {last.move}, which cannot be undone; these can: {', '.join(sorted(UNDOABLE))}."
    if attempt.now - last.recorded_at > UNDO_WITHIN:
        made_at = f"{last.recorded_at:%Y-%m-%d %H:%M} UTC"
        return f"{last.move} was made at {made_at}, more than 24 hours ago; roll back instead."
    if count := await undoing.sent(tx, last):
        return f"{count} surveys that {last.move} set off were sent, so it cannot be undone; roll back instead."
    return None
