"""Onboarding: moving a cycle, each move one transaction with all that follows from it."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from db import cycles, evidence, follow_ups, steps
from db.portraits import portrait
from db.session import Transaction
from domain.access import Principal
from domain.client_rules import day_faults
from domain.consequences import told
from domain.definitions import Definition
from domain.effects import cancellation, held_business_days, opens_window, target_of
from domain.errors import ErrorCode, Outcome, TransitionBlocked, UserError, invalid, not_found, refused, stale
from domain.gates import Evidence, Verdict, blockers, judge
from domain.ids import IdKind, public
from domain.moves import MOVES, STAYING, Move, scope_for, targets_of
from domain.onboarding import (
    ENTERED_IN_ERROR,
    Cycle,
    EndReason,
    Hold,
    HoldReason,
    Visit,
    Window,
    possible_moves,
    superseded_by,
)
from domain.periods import local_day
from domain.portraits import differences
from domain.stages import ENDS, ORDER, Stage
from domain.steps import Step
from domain.tenants import TenantSettings
from domain.texts import REASON_LIMIT
from workflows import machine
from workflows.audit import Attempt, baseline, moved_event, not_yours, transition
from workflows.commands import perform
from workflows.context import Context, Request, new_id
from workflows.stage_checklists import lay_out

ENDING = (Move.LOSE, Move.OFF_BOARD, Move.DISCARD)

_OF_THEIR_OWN = frozenset({Move.GIVE_NOTICE, Move.WITHDRAW_NOTICE})
"""Moves that are possible from here, but take what a plain move does not carry."""


@dataclass(frozen=True, slots=True)
class MoveCommand:
    """Move a cycle; without `expected_version` as it stands.

    `to` is asked of a roll-back, `outcome` of an end, `hold_reason` of a hold.
    """

    cycle: UUID
    move: Move
    expected_version: int | None
    to: Stage | None = None
    reason: str | None = None
    outcome: EndReason | None = None
    hold_reason: HoldReason | None = None
    expected_resume_on: date | None = None
    dry_run: bool = False


async def move_cycle(context: Context, principal: Principal, request: Request, command: MoveCommand) -> Outcome:
    """Judge a move's gates on evidence that cannot change meanwhile, and make it or refuse it with every reason.

    Raises:
        ForbiddenError: the caller has no right to this kind of move anywhere.
    """
    rule = MOVES[command.move]
    principal.require(rule.scope)

    async def act(tx: Transaction) -> Outcome:
        return await move_within(context, principal, request, tx, command)

    mutation = f"onboarding{command.move.value.title()}"
    return await perform(context, principal, request, mutation, command, act, dry_run=command.dry_run)


async def move_within(
    context: Context, principal: Principal, request: Request, tx: Transaction, command: MoveCommand
) -> Outcome:
    """Make a move, or refuse it, inside a transaction that the caller has opened."""
    locked = await cycles.lock_to_move(tx, command.cycle)
    if locked is None:
        return refused(not_found("onboarding", "onboardingId"))
    cycle, definition, settings = locked.cycle, locked.definition, locked.settings
    attempt = Attempt(
        context, principal, request, cycle, command.move, command.reason, command.outcome, locked.recorded_at
    )
    error = (
        _unmovable(principal, cycle, command)
        or _gone_by(command, local_day(attempt.now, settings.zone))
        or await _expanded(tx, cycle, command)
        or await _served(tx, cycle, command)
    )
    if error is not None:
        return await attempt.refuse(tx, error, command.to or cycle.stage, definition)
    target = command.to or targets_of(command.move, cycle.stage)[0]
    if not (command.dry_run or command.move is Move.DISCARD):
        return await _move(tx, attempt, command, target, definition, settings)
    before = await portrait(tx, cycle.id)
    outcome = await _move(tx, attempt, command, target, definition, settings)
    return replace(outcome, facts=told(differences(before, await portrait(tx, cycle.id))))


async def _move(
    tx: Transaction,
    attempt: Attempt,
    command: MoveCommand,
    target: Stage,
    definition: Definition,
    settings: TenantSettings,
) -> Outcome:
    cycle, move = attempt.cycle, command.move
    wanted = evidence.Wanted(cycle, definition.rules)
    facts = (await evidence.gather(tx, [wanted], settings, attempt.now))[cycle.id]
    verdicts = judge(move, cycle, definition.rules, facts)
    shut = tuple(replace(blocker, cycle_id=cycle.id) for blocker in blockers(verdicts))
    if shut:
        message = f"{len(shut)} gates hold this move back; meet, attest or waive each: " + ", ".join(
            b.gate for b in shut
        )
        error = TransitionBlocked(ErrorCode.TRANSITION_BLOCKED, message, (), shut)
        return await attempt.refuse(tx, error, target, definition, verdicts)
    machine.advance(cycle.stage, move, target, verdicts)
    step = await _step(tx, attempt, command, target, definition, settings, facts, verdicts)
    await steps.take(tx, step)
    if target in ENDS:
        await follow_ups.end(tx, cycle.id, by=attempt.principal.id, now=attempt.now)
    if step.entered_visit:
        await lay_out(tx, step.cycle, definition.rules, target, attempt.now, settings.calendar)
    return Outcome(subject=cycle.id, version=step.cycle.version, event=step.envelope.id)


async def _step(
    tx: Transaction,
    attempt: Attempt,
    command: MoveCommand,
    target: Stage,
    definition: Definition,
    settings: TenantSettings,
    facts: Evidence,
    verdicts: tuple[Verdict, ...],
) -> Step:
    cycle, move, now = attempt.cycle, command.move, attempt.now
    stays = move in STAYING
    visits = (await cycles.visits(tx, [cycle.id]))[cycle.id] if move is Move.ROLL_BACK else ()
    entered = None if stays or target not in ORDER else Visit(new_id(), cycle.id, target, now, None, None)
    planned = attempt.planned(target, definition.rules, facts, settings.calendar)
    hold = _hold(attempt, command) if move is Move.HOLD else None
    shifted = await _shifted(tx, attempt, definition, settings, facts) if move is Move.RESUME else None
    moved = _after(attempt, command, target, entered, definition, settings, facts, shifted)
    event = moved_event(attempt, moved, cycle.stage, tuple(v.waiver for v in verdicts if v.waiver))
    graduates = move is Move.GRADUATE
    return Step(
        cycle=moved,
        transition=transition(attempt, moved, cycle.stage, definition, verdicts, planned, event),
        envelope=event,
        left_visit=None if stays else cycle.visit_id,
        left_target=cycle.target_at,
        entered_visit=entered,
        superseded=tuple(v.id for v in superseded_by(target, visits)) if move is Move.ROLL_BACK else (),
        held=hold,
        resumed=cycle.held_at is not None and move is not Move.HOLD,
        opened_window=Window(new_id(), cycle.id, now, None) if entered and opens_window(target) else None,
        closes_window=not stays and opens_window(cycle.stage),
        effects=planned,
        cancelled=cancellation(move, target, cycle, visits),
        shifted_target=shifted,
        # Tickets name no site and no service: their figures are the whole client's alone.
        baseline=await baseline(tx, cycle, now) if graduates and cycle.place_id is None else (),
    )


async def _shifted(
    tx: Transaction, attempt: Attempt, definition: Definition, settings: TenantSettings, facts: Evidence
) -> datetime | None:
    """Return the stage's target after all holds of this stay, or `None` where it does not move."""
    cycle, calendar = attempt.cycle, settings.calendar
    if cycle.target_at is None or cycle.stage is Stage.EARLY_SUPPORT:
        return None
    holds = (await cycles.holds(tx, [cycle.id]))[cycle.id]
    held = held_business_days(holds, cycle.entered_at, attempt.now, calendar)
    return target_of(cycle.stage, cycle.entered_at, definition.rules, facts, calendar, held_business_days=held)


def _after(
    attempt: Attempt,
    command: MoveCommand,
    target: Stage,
    entered: Visit | None,
    definition: Definition,
    settings: TenantSettings,
    facts: Evidence,
    shifted: datetime | None,
) -> Cycle:
    cycle, now = attempt.cycle, attempt.now
    after = replace(cycle, version=cycle.version + 1, active_at=now)
    if command.move is Move.HOLD:
        return replace(after, held_at=now)
    if command.move is Move.RESUME:
        return replace(after, held_at=None, target_at=shifted or cycle.target_at)
    after = replace(after, stage=target, held_at=None)
    if entered is None:
        return replace(after, ended_at=now, outcome=command.outcome, target_at=None)
    due = target_of(target, now, definition.rules, facts, settings.calendar)
    return replace(after, visit_id=entered.id, entered_at=now, target_at=due)


def _hold(attempt: Attempt, command: MoveCommand) -> Hold:
    reason = command.hold_reason
    if reason is None:
        msg = "a hold without its reason is refused before it gets here"
        raise ValueError(msg)
    return Hold(new_id(), attempt.cycle.id, reason, command.reason, attempt.now, command.expected_resume_on, None)


def _unmovable(principal: Principal, cycle: Cycle, command: MoveCommand) -> UserError | None:
    """Return why this move cannot be made by this person, from here, with this input; gates come later."""
    rule = MOVES[command.move]
    if not principal.reaches(rule.scope, cycle.team):
        return not_yours(command.move)
    if command.expected_version not in (None, cycle.version):
        return stale(cycle.version)
    if command.move in _OF_THEIR_OWN or command.move not in possible_moves(cycle):
        return _impossible(cycle, command.move)
    if command.move is Move.ROLL_BACK:
        if command.to not in targets_of(Move.ROLL_BACK, cycle.stage):
            options = ", ".join(targets_of(Move.ROLL_BACK, cycle.stage))
            return invalid(f"From {cycle.stage} a roll-back leads to one of: {options}.", "to")
        if not principal.reaches(scope_for(Move.ROLL_BACK, cycle.stage), cycle.team):
            message = "Rolling back from steady state takes a service manager."
            return UserError(ErrorCode.NOT_ALLOWED, message)
    return _incomplete(command)


async def _expanded(tx: Transaction, cycle: Cycle, command: MoveCommand) -> UserError | None:
    """Return why a client is not ended as a whole: sites or services of it are still being onboarded, or in service."""
    if command.move not in ENDING or cycle.place_id is not None:
        return None
    of_client = (await cycles.of_clients(tx, [cycle.client_id]))[cycle.client_id]
    places = [one for one in of_client if one.place_id is not None and not one.ended]
    if not places:
        return None
    named = ", ".join(f"{public(IdKind.ONBOARDING, one.id)} of a {one.scope_kind.lower()}" for one in places)
    message = f"{len(places)} onboardings of this client's sites or services are still open; end them first: {named}."
    return UserError(ErrorCode.MOVE_NOT_POSSIBLE, message)


async def _served(tx: Transaction, cycle: Cycle, command: MoveCommand) -> UserError | None:
    """Return why an onboarding is not discarded: its client was in service, so it was no error to enter it."""
    if command.move is not Move.DISCARD:
        return None
    windows = (await cycles.windows(tx, [cycle.id])).get(cycle.id, [])
    if all(window.closed_at == window.opened_at for window in windows):
        return None
    message = "This client was in service, so its onboarding is no error; lose it instead."
    return UserError(ErrorCode.MOVE_NOT_POSSIBLE, message)


def _gone_by(command: MoveCommand, today: date) -> UserError | None:
    wanted = command.expected_resume_on
    if wanted is None or wanted >= today:
        return None
    return invalid(f"A hold cannot be expected to end on {wanted}, before today, {today}.", "expectedResumeOn")


def _incomplete(command: MoveCommand) -> UserError | None:
    rule = MOVES[command.move]
    if rule.needs_reason and not (command.reason or "").strip():
        return invalid(f"To {rule.title} takes a reason; say why.", "reason")
    if command.reason is not None and len(command.reason) > REASON_LIMIT:
        return invalid(f"A reason has at most {REASON_LIMIT} characters; this one has {len(command.reason)}.", "reason")
    if command.move in ENDING and (error := _unfit_outcome(command)):
        return error
    if command.move is Move.HOLD and command.hold_reason is None:
        return invalid("A hold takes one of the reasons CLIENT, INTERNAL, VENDOR, LEGAL.", "holdReason")
    return next(day_faults(command.expected_resume_on, "expectedResumeOn"), None)


def _unfit_outcome(command: MoveCommand) -> UserError | None:
    title, outcome = MOVES[command.move].title, command.outcome
    errors = ", ".join(sorted(ENTERED_IN_ERROR))
    if command.move is Move.DISCARD:
        if outcome in ENTERED_IN_ERROR:
            return None
        return invalid(f"What is discarded was entered in error: give one of {errors} as its outcome.", "outcome")
    if outcome is None:
        return invalid(f"To {title} takes an outcome code.", "outcome")
    if outcome in ENTERED_IN_ERROR:
        return invalid(f"{outcome} is for what was entered in error; discard it instead.", "outcome")
    return None


def _impossible(cycle: Cycle, move: Move) -> UserError:
    if cycle.ended:
        message = f"This onboarding ended as {cycle.stage} and does not change any more; reopen the client instead."
    elif cycle.held_at is not None:
        message = "This onboarding is on hold; resume it first."
    else:
        options = ", ".join(possible_moves(cycle))
        message = f"{move} is not possible from {cycle.stage}; possible are: {options}."
    return UserError(ErrorCode.MOVE_NOT_POSSIBLE, message)
