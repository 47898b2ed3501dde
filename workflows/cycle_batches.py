"""Batches of onboardings: the same done to many, each by the rules of one, in one transaction."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from db import cycles, savepoints
from db.session import Transaction
from domain.access import Principal
from domain.bulk import BulkPolicy, BulkResult, BulkStatus
from domain.consequences import CHANGES
from domain.errors import ErrorCode, Outcome, UserError, invalid, not_found, refused
from domain.moves import MOVES, Move
from domain.onboarding import HoldReason
from domain.plans import Wish
from workflows.checks import fit, refusable
from workflows.commands import perform
from workflows.context import Context, Request
from workflows.onboarding import MoveCommand, move_within
from workflows.plans import PlanCommand, Planner, plan_in

CYCLES_MOST = 200
RESULTS = "results"

Step = Callable[[int, UUID], Awaitable[Outcome]]
"""Does one place of the input to its onboarding, or refuses; refused, it has written its audit row alone."""


@dataclass(frozen=True, slots=True)
class Rows:
    """What a batch is about: the onboardings by their place in the input, which is called `field` there."""

    cycles: tuple[UUID, ...]
    field: str = "onboardingIds"


@dataclass(frozen=True, slots=True)
class HoldCycles:
    cycles: tuple[UUID, ...]
    hold_reason: HoldReason
    expected_resume_on: date | None = None
    note: str | None = None
    policy: BulkPolicy = BulkPolicy.REJECT_ALL
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class ResumeCycles:
    cycles: tuple[UUID, ...]
    policy: BulkPolicy = BulkPolicy.REJECT_ALL
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class CyclePlan:
    """The days wanted for one onboarding."""

    cycle: UUID
    dates: tuple[Wish, ...]


@dataclass(frozen=True, slots=True)
class PlanCycles:
    items: tuple[CyclePlan, ...]
    reason: str | None = None
    policy: BulkPolicy = BulkPolicy.REJECT_ALL
    dry_run: bool = False


async def hold(context: Context, principal: Principal, request: Request, command: HoldCycles) -> Outcome:
    """Put onboardings on hold for one reason.

    Raises:
        ForbiddenError: the caller may not hold onboardings at all.
    """
    details = MoveCommand(
        UUID(int=0),
        Move.HOLD,
        None,
        reason=command.note,
        hold_reason=command.hold_reason,
        expected_resume_on=command.expected_resume_on,
    )
    return await _move(context, principal, request, "onboardingsHold", command, details)


async def resume(context: Context, principal: Principal, request: Request, command: ResumeCycles) -> Outcome:
    """End the holds of onboardings.

    Raises:
        ForbiddenError: the caller may not hold onboardings at all.
    """
    details = MoveCommand(UUID(int=0), Move.RESUME, None)
    return await _move(context, principal, request, "onboardingsResume", command, details)


async def plan(context: Context, principal: Principal, request: Request, command: PlanCycles) -> Outcome:
    """Set, change or withdraw planned dates of onboardings.

    Raises:
        ForbiddenError: the caller may not move onboardings at all.
    """
    principal.require(MOVES[Move.BEGIN_DISCOVERY].scope)
    planner = Planner(principal, request, context.clock())

    @refusable
    async def act(tx: Transaction) -> Outcome:
        async def step(index: int, cycle: UUID) -> Outcome:
            locked = await cycles.lock(tx, cycle)
            if locked is None:
                return refused(not_found("onboarding", "onboardingId"))
            wanted = PlanCommand(cycle, None, command.items[index].dates, command.reason)
            return await plan_in(tx, planner, locked, wanted)

        return await each(tx, Rows(tuple(item.cycle for item in command.items), "items"), command.policy, step)

    return await perform(context, principal, request, "onboardingsPlan", command, act, dry_run=command.dry_run)


async def _move(
    context: Context,
    principal: Principal,
    request: Request,
    mutation: str,
    command: HoldCycles | ResumeCycles,
    details: MoveCommand,
) -> Outcome:
    principal.require(MOVES[details.move].scope)

    @refusable
    async def act(tx: Transaction) -> Outcome:
        async def step(_index: int, cycle: UUID) -> Outcome:
            # Told what it changes as a dry run is; whether it stays is decided for the whole batch.
            return await move_within(context, principal, request, tx, replace(details, cycle=cycle, dry_run=True))

        return await each(tx, Rows(command.cycles), command.policy, step)

    return await perform(context, principal, request, mutation, command, act, dry_run=command.dry_run)


async def each(tx: Transaction, rows: Rows, policy: BulkPolicy, step: Step) -> Outcome:
    """Do a step to each onboarding, in the order in which all take such locks, and tell what became of each.

    With `REJECT_ALL` one refusal takes back what was done to the others; the refused attempts stay in the trail.
    """
    fit(size_faults(rows))
    seen = sorted((await cycles.by_ids(tx, rows.cycles)).values(), key=lambda cycle: (cycle.client_id, cycle.id))
    places = {cycle: index for index, cycle in enumerate(rows.cycles)}
    await savepoints.begin(tx)
    outcomes = {places[cycle.id]: await step(places[cycle.id], cycle.id) for cycle in seen}
    missing = refused(not_found("onboarding", "onboardingId"))
    failed = {index: outcomes.get(index, missing) for index in range(len(rows.cycles))}
    failed = {index: outcome for index, outcome in failed.items() if outcome.errors}
    if failed and policy is BulkPolicy.REJECT_ALL:
        await savepoints.take_back(tx)
        for index in sorted(failed.keys() & outcomes.keys()):
            await _kept_refusal(tx, index, rows.cycles[index], step)
        told = [_told(rows, index, failed.get(index), left_out=True) for index in range(len(rows.cycles))]
        errors = tuple(error for index in sorted(failed) for error in _placed(rows, index, failed[index]))
        return Outcome(errors=errors, facts={RESULTS: told})
    await savepoints.keep(tx)
    told = [_told(rows, index, outcomes.get(index, missing)) for index in range(len(rows.cycles))]
    event = next((outcomes[index].event for index in sorted(outcomes, reverse=True) if outcomes[index].event), None)
    return Outcome(event=event, facts={RESULTS: told})


def size_faults(rows: Rows) -> Iterator[UserError]:
    """Tell whether a batch is too small or too big, or names an onboarding twice."""
    if not 1 <= len(rows.cycles) <= CYCLES_MOST:
        yield invalid(f"A batch has 1 to {CYCLES_MOST} onboardings; this one has {len(rows.cycles)}.", rows.field)
    for index, cycle in enumerate(rows.cycles):
        if cycle in rows.cycles[:index]:
            yield invalid("This onboarding is named twice; name each once.", rows.field, str(index))


async def _kept_refusal(tx: Transaction, index: int, cycle: UUID, step: Step) -> None:
    """Refuse once more, now that the rest is taken back, so that the attempt stays in the trail."""
    await savepoints.begin(tx)
    if (await step(index, cycle)).errors:
        await savepoints.keep(tx)
    else:
        await savepoints.take_back(tx)


def _told(rows: Rows, index: int, outcome: Outcome | None, *, left_out: bool = False) -> dict[str, Any]:
    cycle = rows.cycles[index]
    if outcome is None or (left_out and not outcome.errors):
        return BulkResult(index, BulkStatus.LEFT_OUT, cycle).to_data() | {CHANGES: []}
    if outcome.errors:
        unknown = any(error.code is ErrorCode.NOT_FOUND for error in outcome.errors) and outcome.subject is None
        result = BulkResult(index, BulkStatus.FAILED, None if unknown else cycle, _placed(rows, index, outcome))
        return result.to_data() | {CHANGES: []}
    status = BulkStatus.UPDATED if outcome.event else BulkStatus.UNCHANGED
    return BulkResult(index, status, cycle).to_data() | {CHANGES: outcome.facts.get(CHANGES, [])}


def _placed(rows: Rows, index: int, outcome: Outcome) -> tuple[UserError, ...]:
    """Return why one was refused, each path leading there from the whole input."""
    above = (rows.field, str(index))
    return tuple(
        replace(error, path=above if error.path in ((), ("onboardingId",)) else (*above, *error.path))
        for error in outcome.errors
    )
