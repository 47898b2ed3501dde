"""Plans: the days on which an onboarding's next stages are meant to be entered, set first and changed with a reason."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from db import activity, calendars, cycles, plans
from db.session import Transaction
from domain.access import Principal, Scope
from domain.consequences import Consequence, ConsequenceKind, told
from domain.errors import ErrorCode, Outcome, UserError, not_found, refused, stale
from domain.events import OnboardingChanged
from domain.ids import IdKind, public
from domain.onboarding import Cycle
from domain.periods import local_day
from domain.plans import PlannedDate, Wish, changed, plan_faults, plan_of, standing
from workflows.commands import perform, publish
from workflows.context import Context, Request, new_id

_NEXT = timedelta(microseconds=1)
"""The least by which one change lies behind another, should the clock have been set back."""


@dataclass(frozen=True, slots=True)
class PlanCommand:
    """Plan stages of a cycle; with `dry_run` only tell what that would change."""

    cycle: UUID
    expected_version: int | None
    dates: tuple[Wish, ...]
    reason: str | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Planner:
    """Who plans, by which request, and when."""

    principal: Principal
    request: Request
    now: datetime


async def plan(context: Context, principal: Principal, request: Request, command: PlanCommand) -> Outcome:
    """Set, change or withdraw the planned dates of a cycle's next stages.

    Raises:
        ForbiddenError: the caller may not move onboardings at all.
    """
    principal.require(Scope.ONBOARDING_MOVE)

    async def act(tx: Transaction) -> Outcome:
        cycle = await cycles.lock(tx, command.cycle)
        if cycle is None:
            return refused(not_found("onboarding", "onboardingId"))
        return await plan_in(tx, Planner(principal, request, context.clock()), cycle, command)

    return await perform(context, principal, request, "onboardingPlan", command, act, dry_run=command.dry_run)


async def plan_in(tx: Transaction, planner: Planner, cycle: Cycle, command: PlanCommand) -> Outcome:
    """Plan stages of one cycle whose row is locked, as part of whatever else its transaction does.

    Returns what changed among the facts, or the refusal; a refused one has written nothing.
    """
    if not planner.principal.reaches(Scope.ONBOARDING_MOVE, cycle.team):
        message = "You may plan only onboardings on whose team you are."
        return refused(UserError(ErrorCode.NOT_ALLOWED, message, ("onboardingId",)), subject=cycle.id)
    if command.expected_version not in (None, cycle.version):
        return refused(stale(cycle.version), subject=cycle.id)
    dates, reason = command.dates, command.reason
    calendar = (await calendars.of_cycles(tx, [cycle]))[cycle.id]
    history = (await plans.of_cycles(tx, [cycle.id])).get(cycle.id, [])
    days = standing(plan_of(history))
    faults = tuple(plan_faults(cycle, days, dates, reason, local_day(planner.now, calendar.zone)))
    if faults:
        return refused(*faults, subject=cycle.id)
    wanted = changed(days, dates)
    if not wanted:
        return Outcome(cycle.id, cycle.version, facts=told([]))
    now = max(planner.now, history[-1].recorded_at + _NEXT) if history else planner.now
    moved = replace(cycle, version=cycle.version + 1)
    await cycles.update(tx, moved)
    await activity.touch(tx, now, cycle=cycle.id)
    event = await publish(
        tx,
        planner.principal,
        planner.request,
        OnboardingChanged(change="PLAN"),
        subject=cycle.id,
        version=moved.version,
        client=cycle.client_id,
        now=now,
    )
    said = reason.strip() if reason and reason.strip() else None
    await plans.record(
        tx,
        [
            PlannedDate(
                id=new_id(),
                client_id=cycle.client_id,
                cycle_id=cycle.id,
                stage=wish.stage,
                planned_on=wish.planned_on,
                previous_on=days.get(wish.stage),
                re_plan=wish.stage in days,
                reason=said,
                recorded_at=now,
                actor_kind=planner.principal.kind.value,
                actor_id=planner.principal.id,
                request_id=planner.request.id,
                event_id=event,
            )
            for wish in wanted
        ],
    )
    changes = [
        Consequence(
            ConsequenceKind.PLANNED_DATE,
            name=wish.stage.value,
            before=days[wish.stage].isoformat() if wish.stage in days else None,
            after=wish.planned_on.isoformat() if wish.planned_on else None,
            subject=public(IdKind.ONBOARDING, cycle.id),
        )
        for wish in wanted
    ]
    return Outcome(cycle.id, moved.version, event, facts=told(changes))
