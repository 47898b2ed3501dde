"""Onboarding: opening a cycle and moving it, each move one transaction with all that follows from it."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from db import cycles, definitions, evidence, steps, tenants
from db.session import Transaction
from domain.access import Principal
from domain.client_rules import day_faults
from domain.definitions import Definition
from domain.effects import PlannedEffect, cancellation, effects, held_business_days, opens_window, target_of
from domain.errors import ErrorCode, Outcome, TransitionBlocked, UserError, invalid, not_found, refused, stale
from domain.gates import Evidence, Verdict, blockers, judge
from domain.moves import MOVES, Move, scope_for, targets_of
from domain.onboarding import (
    Cycle,
    EndReason,
    Hold,
    HoldReason,
    ScopeKind,
    Visit,
    Window,
    possible_moves,
    superseded_by,
)
from domain.stages import ORDER, Stage
from domain.steps import Step
from domain.tenants import TenantSettings
from domain.texts import REASON_LIMIT
from workflows import machine
from workflows.audit import Attempt, baseline, moved_event, transition
from workflows.checks import running_again_on_duplicates
from workflows.commands import perform
from workflows.context import Context, Request, new_id
from workflows.teams import inactive


@dataclass(frozen=True, slots=True)
class OpenCommand:
    """Open a client's onboarding, or with `reopen` a new cycle for one that came back."""

    client: UUID
    lead: UUID
    contract: UUID | None = None
    account_manager: UUID | None = None
    technical_lead: UUID | None = None
    engineers: tuple[UUID, ...] = ()
    reopen: bool = False


@dataclass(frozen=True, slots=True)
class MoveCommand:
    """Move a cycle. `to` is asked of a roll-back, `outcome` of an end, `hold_reason` of a hold."""

    cycle: UUID
    move: Move
    expected_version: int
    to: Stage | None = None
    reason: str | None = None
    outcome: EndReason | None = None
    hold_reason: HoldReason | None = None
    expected_resume_on: date | None = None


async def open_cycle(context: Context, principal: Principal, request: Request, command: OpenCommand) -> Outcome:
    """Open a cycle in CONTRACTING, pinned to the newest definition.

    Raises:
        ForbiddenError: the caller may not move (or, to reopen, not end and reopen) onboardings.
    """
    move = Move.REOPEN if command.reopen else Move.OPEN
    principal.require(MOVES[move].scope)

    async def act(tx: Transaction) -> Outcome:
        standing = await cycles.standing(tx, command.client, command.contract)
        if standing is None:
            return refused(not_found("client", "clientId"))
        if not principal.reaches(MOVES[move].scope, (standing.owner_id, standing.account_manager_id)):
            return refused(_not_yours(move))
        if command.contract and not standing.has_contract:
            return refused(not_found("contract of this client", "contractId"))
        if error := await _unopenable(tx, command):
            return refused(error)
        with running_again_on_duplicates():
            return await _open(context, principal, request, tx, command, move)

    name = "onboardingReopen" if command.reopen else "onboardingOpen"
    return await perform(context, principal, request, name, command, act)


async def move_cycle(context: Context, principal: Principal, request: Request, command: MoveCommand) -> Outcome:
    """Judge a move's gates on evidence that cannot change meanwhile, and make it or refuse it with every reason.

    Raises:
        ForbiddenError: the caller has no right to this kind of move anywhere.
    """
    rule = MOVES[command.move]
    principal.require(rule.scope)

    async def act(tx: Transaction) -> Outcome:
        locked = await cycles.lock_to_move(tx, command.cycle)
        if locked is None:
            return refused(not_found("onboarding", "onboardingId"))
        cycle, definition, settings = locked.cycle, locked.definition, locked.settings
        attempt = Attempt(
            context, principal, request, cycle, command.move, command.reason, command.outcome, locked.recorded_at
        )
        error = _unmovable(principal, cycle, command)
        if error is not None:
            return await attempt.refuse(tx, error, command.to or cycle.stage, definition)
        target = command.to or targets_of(command.move, cycle.stage)[0]
        return await _move(tx, attempt, command, target, definition, settings)

    return await perform(context, principal, request, f"onboarding{command.move.value.title()}", command, act)


async def _unopenable(tx: Transaction, command: OpenCommand) -> UserError | None:
    team = (command.lead, command.account_manager, command.technical_lead, *command.engineers)
    if error := await inactive(tx, team):
        return error
    earlier = (await cycles.of_clients(tx, [command.client])).get(command.client, [])
    if any(not c.ended for c in earlier):
        return _already_open()
    if earlier and not command.reopen:
        message = "This client had an onboarding before; reopen it to begin a new one."
        return UserError(ErrorCode.MOVE_NOT_POSSIBLE, message, ("clientId",))
    if command.reopen and not earlier:
        message = "This client never had an onboarding; open its first one."
        return UserError(ErrorCode.MOVE_NOT_POSSIBLE, message, ("clientId",))
    return None


async def _open(
    context: Context, principal: Principal, request: Request, tx: Transaction, command: OpenCommand, move: Move
) -> Outcome:
    now = context.clock()
    definition = await definitions.newest(tx)
    if definition is None:
        msg = "a tenant always has a definition"
        raise LookupError(msg)
    settings = (await tenants.get(tx)).settings
    visit = Visit(new_id(), new_id(), Stage.CONTRACTING, now, None, None)
    cycle = Cycle(
        id=visit.cycle_id,
        client_id=command.client,
        number=await cycles.next_number(tx, command.client),
        scope_kind=ScopeKind.WHOLE_CLIENT,
        scope_key="",
        contract_id=command.contract,
        definition_id=definition.id,
        lead_id=command.lead,
        account_manager_id=command.account_manager,
        technical_lead_id=command.technical_lead,
        engineer_ids=command.engineers,
        stage=Stage.CONTRACTING,
        visit_id=visit.id,
        opened_at=now,
        entered_at=now,
        target_at=None,
        held_at=None,
        ended_at=None,
        outcome=None,
        version=0,
    )
    facts = _before_any_evidence(now, settings)
    verdicts = judge(move, cycle, definition.rules, facts)
    attempt = Attempt(context, principal, request, cycle, move, None, None, now)
    planned = _planned(move, Stage.CONTRACTING, attempt, definition, facts, settings)
    opened = replace(
        cycle,
        target_at=target_of(Stage.CONTRACTING, now, definition.rules, facts, settings.calendar),
        version=1,
    )
    event = moved_event(attempt, opened, from_stage=None, waivers=())
    audit = transition(attempt, opened, None, definition, verdicts, planned, event)
    await steps.take(tx, Step(opened, audit, event, opened=True, entered_visit=visit, effects=planned))
    return Outcome(subject=opened.id, version=opened.version, event=event.id)


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
    shut = blockers(verdicts)
    if shut:
        message = f"{len(shut)} gates hold this move back; meet, attest or waive each: " + ", ".join(
            b.gate for b in shut
        )
        error = TransitionBlocked(ErrorCode.TRANSITION_BLOCKED, message, (), shut)
        return await attempt.refuse(tx, error, target, definition, verdicts)
    machine.advance(cycle.stage, move, target, verdicts)
    step = await _step(tx, attempt, command, target, definition, settings, facts, verdicts)
    await steps.take(tx, step)
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
    stays = move in (Move.HOLD, Move.RESUME)
    visits = (await cycles.visits(tx, [cycle.id]))[cycle.id] if move is Move.ROLL_BACK else ()
    entered = None if stays or target not in ORDER else Visit(new_id(), cycle.id, target, now, None, None)
    planned = _planned(move, target, attempt, definition, facts, settings)
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
        entered_visit=entered,
        superseded=tuple(v.id for v in superseded_by(target, visits)) if move is Move.ROLL_BACK else (),
        held=hold,
        resumed=cycle.held_at is not None and move is not Move.HOLD,
        opened_window=Window(new_id(), cycle.id, now, None) if entered and opens_window(target) else None,
        closes_window=not stays and opens_window(cycle.stage),
        effects=planned,
        cancelled=cancellation(move, target, cycle, visits),
        shifted_target=shifted,
        baseline=await baseline(tx, cycle, now) if graduates else (),
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
    after = replace(cycle, version=cycle.version + 1)
    if command.move is Move.HOLD:
        return replace(after, held_at=now)
    if command.move is Move.RESUME:
        return replace(after, held_at=None, target_at=shifted or cycle.target_at)
    after = replace(after, stage=target, held_at=None)
    if entered is None:
        return replace(after, ended_at=now, outcome=command.outcome, target_at=None)
    due = target_of(target, now, definition.rules, facts, settings.calendar)
    return replace(after, visit_id=entered.id, entered_at=now, target_at=due)


def _planned(
    move: Move, target: Stage, attempt: Attempt, definition: Definition, facts: Evidence, settings: TenantSettings
) -> tuple[tuple[UUID, PlannedEffect], ...]:
    found = effects(
        move,
        target,
        attempt.cycle,
        definition.rules,
        facts,
        settings.calendar,
        historical=attempt.request.historical,
    )
    return tuple((new_id(), effect) for effect in found)


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
        return _not_yours(command.move)
    if command.expected_version != cycle.version:
        return stale(cycle.version)
    if command.move not in possible_moves(cycle):
        return _impossible(cycle, command.move)
    if command.move is Move.ROLL_BACK:
        if command.to not in targets_of(Move.ROLL_BACK, cycle.stage):
            options = ", ".join(targets_of(Move.ROLL_BACK, cycle.stage))
            return invalid(f"From {cycle.stage} a roll-back leads to one of: {options}.", "to")
        if not principal.reaches(scope_for(Move.ROLL_BACK, cycle.stage), cycle.team):
            message = "Rolling back from steady state takes a service manager."
            return UserError(ErrorCode.NOT_ALLOWED, message)
    return _incomplete(command)


def _incomplete(command: MoveCommand) -> UserError | None:
    rule = MOVES[command.move]
    if rule.needs_reason and not (command.reason or "").strip():
        return invalid(f"To {rule.title} takes a reason; say why.", "reason")
    if command.reason is not None and len(command.reason) > REASON_LIMIT:
        return invalid(f"A reason has at most {REASON_LIMIT} characters; this one has {len(command.reason)}.", "reason")
    if command.move in (Move.LOSE, Move.OFF_BOARD) and command.outcome is None:
        return invalid(f"To {rule.title} takes an outcome code.", "outcome")
    if command.move is Move.HOLD and command.hold_reason is None:
        return invalid("A hold takes one of the reasons CLIENT, INTERNAL, VENDOR, LEGAL.", "holdReason")
    return next(day_faults(command.expected_resume_on, "expectedResumeOn"), None)


def _impossible(cycle: Cycle, move: Move) -> UserError:
    if cycle.ended:
        message = f"This onboarding ended as {cycle.stage} and does not change any more; reopen the client instead."
    elif cycle.held_at is not None:
        message = "This onboarding is on hold; resume it first."
    else:
        options = ", ".join(possible_moves(cycle))
        message = f"{move} is not possible from {cycle.stage}; possible are: {options}."
    return UserError(ErrorCode.MOVE_NOT_POSSIBLE, message)


def _not_yours(move: Move) -> UserError:
    message = f"You may {MOVES[move].title} only onboardings on whose team you are."
    return UserError(ErrorCode.NOT_ALLOWED, message)


def _already_open() -> UserError:
    message = "This client already has an open onboarding; move that one."
    return UserError(ErrorCode.ALREADY_EXISTS, message, ("clientId",))


def _before_any_evidence(now: datetime, settings: TenantSettings) -> Evidence:
    """Return what is known when a cycle opens: an active lead, and nothing else that a gate asks for."""
    today = now.astimezone(settings.zone).date()
    return Evidence(
        now=now,
        today=today,
        entered_on=today,
        contract=None,
        lead_active=True,
        primary_contacts=0,
        surveyable=(),
        devices_discovered=0,
        devices_managed=0,
        devices_explained=0,
        devices_pending_overdue=0,
        last_discovery_at=None,
        critical_services=0,
        critical_unmapped=(),
        open_priority_1=0,
        recent_tickets=0,
        recent_escalated=0,
        escalation_rate_limit=None,
        attested={},
        waived={},
    )
