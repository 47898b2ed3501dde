"""Correcting: a move took effect at another time than was recorded, and everything that counts from it follows."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from db import corrections, cycles, evidence, histories, steps
from db.corrections import Shift
from db.cycles import Locked
from db.portraits import portrait
from db.session import Transaction
from domain import consequences
from domain.access import Principal
from domain.corrections import Happening, Stays, displaced, happening, scope_of, stays_about
from domain.effects import held_business_days, target_of
from domain.errors import ErrorCode, Outcome, UserError, invalid, not_found, refused, stale
from domain.moves import MOVES, STAYING, Move
from domain.onboarding import Cycle, Transition, Visit
from domain.portraits import differences
from domain.retargeting import UNDER_WAY, target_anew, timers_anew
from domain.steps import Step
from domain.texts import REASON_LIMIT
from workflows.audit import Attempt, moved_event, not_yours, transition
from workflows.commands import perform
from workflows.context import Context, Request, new_id
from workflows.restating import restate


@dataclass(frozen=True, slots=True)
class CorrectCommand:
    """Say when an accepted move really took effect; with `dry_run` only tell what that would change."""

    cycle: UUID
    move: UUID
    effective_at: datetime
    reason: str
    expected_version: int
    dry_run: bool = False


async def correct(context: Context, principal: Principal, request: Request, command: CorrectCommand) -> Outcome:
    """Put a move to when it took effect: between the move before it and the one after it, and never in the future.

    Stays, windows, holds, targets and timers follow, and tickets get the stage and phase that they were logged in.
    What has fired or was sent stays so, and nothing is sent for a moment gone by.

    Raises:
        ForbiddenError: the caller may not move onboardings at all.
    """
    principal.require(MOVES[Move.CORRECT].scope)

    async def act(tx: Transaction) -> Outcome:
        locked = await cycles.lock_to_move(tx, command.cycle)
        if locked is None:
            return refused(not_found("onboarding", "onboardingId"))
        attempt = Attempt(
            context, principal, request, locked.cycle, Move.CORRECT, command.reason, None, locked.recorded_at
        )
        trail = await histories.accepted(tx, locked.cycle.id)
        found = _correctable(attempt, command, trail)
        if isinstance(found, UserError):
            if found.code is ErrorCode.NOT_FOUND:
                return refused(found, subject=locked.cycle.id)
            return await attempt.refuse(tx, found, locked.cycle.stage, locked.definition)
        return await _put(tx, attempt, locked, command, found, trail)

    return await perform(context, principal, request, "onboardingCorrect", command, act, dry_run=command.dry_run)


def _correctable(attempt: Attempt, command: CorrectCommand, trail: tuple[Transition, ...]) -> Happening | UserError:
    if command.expected_version != attempt.cycle.version:
        return stale(attempt.cycle.version)
    if not 1 <= len(command.reason.strip()) <= REASON_LIMIT:
        return invalid(f"A correction takes a reason of 1 to {REASON_LIMIT} characters; say why.", "reason")
    found = happening(trail, command.move)
    if isinstance(found, UserError):
        return found
    if not attempt.principal.reaches(scope_of(found.move), attempt.cycle.team):
        return not_yours(Move.CORRECT)
    return found.fault(command.effective_at, attempt.now) or found


async def _put(
    tx: Transaction,
    attempt: Attempt,
    locked: Locked,
    command: CorrectCommand,
    found: Happening,
    trail: tuple[Transition, ...],
) -> Outcome:
    cycle, to = locked.cycle, command.effective_at
    before = await portrait(tx, cycle.id)
    moves_on = found.move.move not in STAYING
    stays = stays_about(trail, found.move, before.visits, before.holds)
    aside = displaced(before.visits, stays.entered, to)
    await corrections.put(tx, Shift(cycle, found.move, stays, found.effective_at, to, aside), attempt.now)
    corrected = replace((await cycles.by_ids(tx, [cycle.id]))[cycle.id], version=cycle.version + 1)
    corrected = await _retarget(tx, attempt, locked, corrected, stays)
    event = moved_event(attempt, corrected, cycle.stage, ())
    audit = transition(attempt, corrected, cycle.stage, locked.definition, (), (), event)
    await steps.take(tx, Step(corrected, replace(audit, effective_at=to, corrects=found.move.id), event))
    span = (min(found.effective_at, to), max(found.effective_at, to))
    restated = await restate(tx, attempt.principal, attempt.request, cycle, span, attempt.now) if moves_on else ()
    changes = (*differences(before, await portrait(tx, cycle.id)), *restated)
    return Outcome(cycle.id, corrected.version, event.id, facts=consequences.told(changes))


async def _retarget(tx: Transaction, attempt: Attempt, locked: Locked, cycle: Cycle, about: Stays) -> Cycle:
    """Set anew the target of the stay that began or was held at another time, and the timers of the one that goes on.

    Of other stays that are over it stays as it was: by the contract, the calendar and the rules of their time.
    """
    rules, settings = locked.definition.rules, locked.settings
    wanted = evidence.Wanted(cycle, rules, settings.calendar)
    facts = (await evidence.gather(tx, [wanted], settings, attempt.now))[cycle.id]
    holds = (await cycles.holds(tx, [cycle.id])).get(cycle.id, [])
    for visit in (await cycles.visits(tx, [cycle.id]))[cycle.id]:
        if visit.left_at is not None and visit.target_at is not None and _concerned(visit, about):
            within = [hold for hold in holds if _within(hold.held_at, visit)]
            held = held_business_days(within, visit.entered_at, visit.left_at, settings.calendar)
            target = target_of(visit.stage, visit.entered_at, rules, facts, settings.calendar, held_business_days=held)
            if target != visit.target_at:
                await corrections.retarget_stay(tx, visit.id, target)
    if cycle.stage not in UNDER_WAY:
        return cycle
    target = target_anew(cycle, rules, facts, settings.calendar, holds)
    timers = timers_anew(cycle, rules, facts, settings.calendar, target)
    await steps.reschedule(tx, cycle, target, [(new_id(), timer) for timer in timers], attempt.now)
    return replace(cycle, target_at=target)


def _concerned(visit: Visit, about: Stays) -> bool:
    began = about.entered is not None and about.entered.id == visit.id
    return began or (about.hold is not None and _within(about.hold.held_at, visit))


def _within(instant: datetime, visit: Visit) -> bool:
    return visit.entered_at <= instant and (visit.left_at is None or instant <= visit.left_at)
