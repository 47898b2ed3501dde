"""Notices: a client in service will leave; it is worked towards, or taken back."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from uuid import UUID

from db import contacts, cycles, follow_ups, notices, steps
from db.cycles import Locked
from db.portraits import portrait
from db.session import Transaction
from domain import consequences
from domain.access import Principal
from domain.client_rules import day_faults
from domain.clients import Party
from domain.effects import PlannedEffect, notice_timers
from domain.errors import ErrorCode, Outcome, UserError, invalid, not_found, refused, stale
from domain.follow_ups import FollowUpKind
from domain.moves import MOVES, Move
from domain.onboarding import ENTERED_IN_ERROR, Cycle, EndReason, Notice, possible_moves
from domain.periods import local_day
from domain.portraits import Portrait, differences
from domain.stages import Stage
from domain.steps import Step
from domain.texts import REASON_LIMIT
from workflows.audit import Attempt, moved_event, not_yours, transition
from workflows.commands import perform
from workflows.context import Context, Request, new_id
from workflows.follow_ups import Promise, open_about
from workflows.stage_checklists import lay_out

SAVE_WITHIN_DAYS = 7
"""Days after a notice by which somebody has talked with the client about staying."""

WITHDRAWN = "The notice was withdrawn."


@dataclass(frozen=True, slots=True)
class NoticeCommand:
    """Note that service ends: who gave notice, on which local day, and which is the last day of service."""

    cycle: UUID
    expected_version: int
    given_by: Party
    ends_on: date
    outcome: EndReason
    reason: str
    given_on: date | None = None
    contact: UUID | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class WithdrawCommand:
    """Take a notice back: the client stays."""

    cycle: UUID
    expected_version: int
    reason: str
    dry_run: bool = False


async def give_notice(context: Context, principal: Principal, request: Request, command: NoticeCommand) -> Outcome:
    """Put a client in service into notice; its stage stays, and off-boarding remains a person's move.

    Timers count down to the end of service, the checklist of off-boarding is laid out, surveys of recommendation
    stop, and the account manager (else the lead) gets a follow-up to save the client.

    Raises:
        ForbiddenError: the caller may neither hold onboardings nor give notice.
    """
    principal.require(MOVES[Move.GIVE_NOTICE].scope)

    async def act(tx: Transaction) -> Outcome:
        locked = await cycles.lock_to_move(tx, command.cycle)
        if locked is None:
            return refused(not_found("onboarding", "onboardingId"))
        attempt = Attempt(
            context,
            principal,
            request,
            locked.cycle,
            Move.GIVE_NOTICE,
            command.reason,
            command.outcome,
            locked.recorded_at,
        )
        if error := _unfit(attempt, command) or await _unfit_notice(tx, attempt, locked, command):
            return await attempt.refuse(tx, error, locked.cycle.stage, locked.definition)
        return await _give(tx, attempt, locked, command)

    return await perform(context, principal, request, "onboardingGiveNotice", command, act, dry_run=command.dry_run)


async def withdraw_notice(
    context: Context, principal: Principal, request: Request, command: WithdrawCommand
) -> Outcome:
    """Take the notice of a client back; what it had called off comes back, unless its moment has gone by.

    Raises:
        ForbiddenError: the caller may neither hold onboardings nor withdraw notices.
    """
    principal.require(MOVES[Move.WITHDRAW_NOTICE].scope)

    async def act(tx: Transaction) -> Outcome:
        locked = await cycles.lock_to_move(tx, command.cycle)
        if locked is None:
            return refused(not_found("onboarding", "onboardingId"))
        cycle = locked.cycle
        attempt = Attempt(
            context, principal, request, cycle, Move.WITHDRAW_NOTICE, command.reason, None, locked.recorded_at
        )
        if error := _unfit(attempt, command):
            return await attempt.refuse(tx, error, cycle.stage, locked.definition)
        before = await portrait(tx, cycle.id)
        notice = next(n for n in before.notices if n.id == cycle.notice_id)
        await notices.withdraw(
            tx, notice, attempt.now, given=Move.GIVE_NOTICE.value, because=Move.WITHDRAW_NOTICE.value
        )
        await follow_ups.close_about(
            tx, FollowUpKind.SAVE_CLIENT, notice.id, by=principal.id, now=attempt.now, note=WITHDRAWN
        )
        return await _taken(tx, attempt, locked, replace(cycle, notice_id=None), before)

    return await perform(context, principal, request, "onboardingWithdrawNotice", command, act, dry_run=command.dry_run)


async def _give(tx: Transaction, attempt: Attempt, locked: Locked, command: NoticeCommand) -> Outcome:
    cycle, calendar = locked.cycle, locked.settings.calendar
    before = await portrait(tx, cycle.id)
    given_on = command.given_on or local_day(attempt.now, locked.settings.zone)
    notice = Notice(
        id=new_id(),
        cycle_id=cycle.id,
        given_by=command.given_by,
        contact_id=command.contact,
        given_on=given_on,
        ends_on=command.ends_on,
        outcome=command.outcome,
        reason=command.reason,
        given_at=attempt.now,
        withdrawn_at=None,
    )
    await notices.give(tx, cycle.client_id, notice, Move.GIVE_NOTICE.value)
    owner = cycle.account_manager_id or cycle.lead_id
    due_on = given_on + timedelta(days=SAVE_WITHIN_DAYS)
    promise = Promise(FollowUpKind.SAVE_CLIENT, notice.id, owner, due_on, attempt.principal.member_id)
    await open_about(tx, cycle, promise, attempt.now)
    await lay_out(tx, cycle, locked.definition.rules, Stage.OFFBOARDED, attempt.now, calendar)
    timers = tuple((new_id(), t) for t in notice_timers(cycle, command.ends_on, calendar, attempt.now))
    return await _taken(tx, attempt, locked, replace(cycle, notice_id=notice.id), before, timers)


async def _taken(
    tx: Transaction,
    attempt: Attempt,
    locked: Locked,
    changed: Cycle,
    before: Portrait,
    timers: tuple[tuple[UUID, PlannedEffect], ...] = (),
) -> Outcome:
    after = replace(changed, version=changed.version + 1, active_at=attempt.now)
    event = moved_event(attempt, after, after.stage, ())
    audit = transition(attempt, after, after.stage, locked.definition, (), timers, event)
    await steps.take(tx, Step(after, audit, event, effects=timers))
    changes = differences(before, await portrait(tx, after.id))
    return Outcome(after.id, after.version, event.id, facts=consequences.told(changes))


def _unfit(attempt: Attempt, command: NoticeCommand | WithdrawCommand) -> UserError | None:
    cycle, move = attempt.cycle, attempt.move
    if not attempt.principal.reaches(MOVES[move].scope, cycle.team):
        return not_yours(move)
    if command.expected_version != cycle.version:
        return stale(cycle.version)
    if move not in possible_moves(cycle):
        return UserError(ErrorCode.MOVE_NOT_POSSIBLE, _impossible(cycle, move))
    if not 1 <= len(command.reason.strip()) <= REASON_LIMIT:
        return invalid(f"To {MOVES[move].title} takes a reason of 1 to {REASON_LIMIT} characters; say why.", "reason")
    return None


def _impossible(cycle: Cycle, move: Move) -> str:
    if cycle.stage not in MOVES[move].sources:
        return f"A notice concerns a client in service; this onboarding is in {cycle.stage}: lose it instead."
    if move is Move.GIVE_NOTICE:
        return "Notice was given already; withdraw it first to give another."
    return "No notice was given, so there is none to withdraw."


async def _unfit_notice(tx: Transaction, attempt: Attempt, locked: Locked, command: NoticeCommand) -> UserError | None:
    today = local_day(attempt.now, locked.settings.zone)
    given_on = command.given_on or today
    for day, path in ((command.given_on, "givenOn"), (command.ends_on, "endsOn")):
        if error := next(day_faults(day, path), None):
            return error
    if given_on > today:
        return invalid(f"Notice cannot have been given on {given_on}, after today, {today}.", "givenOn")
    if command.ends_on < given_on:
        return invalid(f"Service cannot end on {command.ends_on}, before notice is given on {given_on}.", "endsOn")
    if command.outcome in ENTERED_IN_ERROR:
        return invalid(f"{command.outcome} is for what was entered in error; say why the client leaves.", "outcome")
    if command.contact is not None:
        contact = await contacts.ROWS.get(tx, command.contact)
        if contact is None or contact.client_id != locked.cycle.client_id:
            return not_found("contact of this client", "contactId")
    return None
