"""Migrations: onboardings under way brought to another version of the definition, many at once or none."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any
from uuid import UUID

from db import checklists, cycles, definitions, evidence, migrating, steps
from db.cycles import Locked
from db.portraits import portraits
from db.session import Transaction
from domain.access import Principal, Scope
from domain.bulk import BulkPolicy, BulkResult, BulkStatus
from domain.checklists import Item
from domain.consequences import Consequence, ConsequenceKind
from domain.definitions import Definition
from domain.effects import held_business_days
from domain.errors import ErrorCode, Outcome, UserError, invalid, not_found, stale
from domain.ids import IdKind, public
from domain.migrations import CYCLES_MOST, Carrying, Journey, carry, schedule
from domain.moves import MOVES, Move
from domain.portraits import differences
from domain.steps import Step
from domain.texts import REASON_LIMIT
from workflows import machine
from workflows.audit import Attempt, moved_event, not_yours, transition
from workflows.checks import fit, found, refusable
from workflows.commands import perform
from workflows.context import Context, Request, new_id
from workflows.item_migration import carry_over

RESULTS = "results"
REMAINING = "remaining"


@dataclass(frozen=True, slots=True)
class KeyMapping:
    """An item of a checklist that goes on under another key, or under none: it is retired."""

    before: str
    after: str | None


@dataclass(frozen=True, slots=True)
class MigrateCycles:
    """Bring cycles to a version: those named, those that keep to one version, or of those named only such."""

    to_number: int
    reason: str
    cycles: tuple[UUID, ...] | None = None
    from_number: int | None = None
    mapping: tuple[KeyMapping, ...] = ()
    policy: BulkPolicy = BulkPolicy.REJECT_ALL
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class _Traveller:
    """One locked cycle that can go on, and what becomes of its items."""

    index: int
    attempt: Attempt
    locked: Locked
    journey: Journey
    carrying: Carrying


async def migrate(context: Context, principal: Principal, request: Request, command: MigrateCycles) -> Outcome:
    """Pin cycles to another version: target and timers of their stage anew, and the work done carried over.

    All of it is one transaction. A cycle that cannot go on is named with why; with `REJECT_ALL` none goes on then.

    Raises:
        ForbiddenError: the caller may not write policies, or not move onboardings.
    """
    principal.require(Scope.POLICIES_WRITE)
    principal.require(MOVES[Move.MIGRATE].scope)

    @refusable
    async def act(tx: Transaction) -> Outcome:
        fit(_faults(command))
        known = await definitions.numbered(tx, [n for n in (command.to_number, command.from_number) if n])
        target = found(known.get(command.to_number), "version", "toNumber")
        source = found(known.get(command.from_number), "version", "fromNumber") if command.from_number else None
        ids, remaining = await _named(tx, command, source)
        judged = await _judged(tx, context, principal, request, command, target, ids)
        refusals = [one for one in judged if isinstance(one, BulkResult) and one.errors]
        travellers = [one for one in judged if isinstance(one, _Traveller)]
        results = [one for one in judged if isinstance(one, BulkResult)]
        if refusals and command.policy is BulkPolicy.REJECT_ALL:
            results += [BulkResult(one.index, BulkStatus.LEFT_OUT, one.locked.cycle.id) for one in travellers]
            facts = {RESULTS: [_told(one) for one in sorted(results, key=_place)], REMAINING: remaining}
            return Outcome(target.id, errors=tuple(error for one in refusals for error in one.errors), facts=facts)
        told, event = await _travel(tx, target, travellers)
        told += [_told(result) for result in results]
        told.sort(key=lambda result: result["index"])
        return Outcome(target.id, target.number, event, facts={RESULTS: told, REMAINING: remaining})

    return await perform(context, principal, request, "onboardingMigrate", command, act, dry_run=command.dry_run)


def _faults(command: MigrateCycles) -> list[UserError]:
    faults = []
    if not command.reason.strip():
        faults.append(invalid("To migrate takes a reason; say why.", "reason"))
    if len(command.reason) > REASON_LIMIT:
        message = f"A reason has at most {REASON_LIMIT} characters; this one has {len(command.reason)}."
        faults.append(invalid(message, "reason"))
    if command.cycles is None and command.from_number is None:
        message = "Say which onboardings: give onboardingIds, or fromNumber for all that keep to that version."
        faults.append(invalid(message, "onboardingIds"))
    if command.cycles is not None and not 1 <= len(command.cycles) <= CYCLES_MOST:
        message = f"{len(command.cycles)} onboardings cannot be migrated at once; give 1 to {CYCLES_MOST}."
        faults.append(invalid(message, "onboardingIds"))
    if command.cycles is not None and len(set(command.cycles)) < len(command.cycles):
        faults.append(invalid("An onboarding is named twice; name each once.", "onboardingIds"))
    keys = [entry.before for entry in command.mapping]
    for index, key in enumerate(keys):
        if key in keys[:index]:
            faults.append(invalid(f"{key[:60]!r} is mapped twice; map it once.", "mapping", str(index), "from"))
    return faults


async def _named(tx: Transaction, command: MigrateCycles, source: Definition | None) -> tuple[tuple[UUID, ...], int]:
    """Return the cycles meant, and how many are left for another command."""
    if command.cycles is not None or source is None:
        return command.cycles or (), 0
    ids = tuple(await migrating.pinned(tx, source.id, CYCLES_MOST))
    every = (await definitions.open_cycles(tx, [source.id])).get(source.id, 0)
    return ids, max(0, every - len(ids))


async def _judged(
    tx: Transaction,
    context: Context,
    principal: Principal,
    request: Request,
    command: MigrateCycles,
    target: Definition,
    ids: Sequence[UUID],
) -> list["BulkResult | _Traveller"]:
    """Lock every cycle, in the order in which all take such locks, and tell which can go on and what stops others."""
    places = {cycle: index for index, cycle in enumerate(ids)}
    seen = sorted((await cycles.by_ids(tx, ids)).values(), key=lambda cycle: (cycle.client_id, cycle.id))
    held = [locked for cycle in seen if (locked := await cycles.lock_to_move(tx, cycle.id))]
    items = await checklists.of_cycles(tx, [locked.cycle.id for locked in held])
    retired = await migrating.retired(tx, [locked.cycle.id for locked in held])
    fit(_mapping_faults(command, target, [locked.definition for locked in held], items))
    mapping = {entry.before: entry.after for entry in command.mapping}
    judged: list[BulkResult | _Traveller] = [
        _failed(command, index, None, not_found("onboarding", "onboardingIds"))
        for cycle, index in places.items()
        if cycle not in {locked.cycle.id for locked in held}
    ]
    for locked in held:
        cycle, index = locked.cycle, places[locked.cycle.id]
        attempt = Attempt(
            context, principal, request, cycle, Move.MIGRATE, command.reason.strip(), None, locked.recorded_at
        )
        journey = Journey(cycle, locked.definition.rules, target.rules, locked.settings.calendar, attempt.now)
        carrying = carry(journey, items.get(cycle.id, []), retired.get(cycle.id, []), mapping)
        error = _unmovable(principal, locked, command) or (carrying if isinstance(carrying, UserError) else None)
        if error is not None:
            await attempt.refuse(tx, error, cycle.stage, locked.definition)
            judged.append(_failed(command, index, cycle.id, error))
        elif locked.definition.id == target.id:
            judged.append(BulkResult(index, BulkStatus.UNCHANGED, cycle.id))
        elif not isinstance(carrying, UserError):
            judged.append(_Traveller(index, attempt, locked, journey, carrying))
    return judged


def _unmovable(principal: Principal, locked: Locked, command: MigrateCycles) -> UserError | None:
    cycle, number = locked.cycle, locked.definition.number
    if not principal.reaches(MOVES[Move.MIGRATE].scope, cycle.team):
        return not_yours(Move.MIGRATE)
    if cycle.ended:
        message = f"This onboarding ended as {cycle.stage} and keeps version {number}, by which it ended."
        return UserError(ErrorCode.MOVE_NOT_POSSIBLE, message)
    if command.from_number not in (None, number):
        message = f"This onboarding keeps to version {number}, not {command.from_number}; look at it and decide anew."
        return replace(stale(cycle.version), message=message, path=("fromNumber",))
    return None


def _mapping_faults(
    command: MigrateCycles, target: Definition, sources: Sequence[Definition], items: Mapping[UUID, Sequence[Item]]
) -> list[UserError]:
    """Tell of every key in the mapping that is nobody's, before or after."""
    there = {item.key for every in items.values() for item in every if not item.own}
    there |= {item.key for source in sources for every in source.rules.checklists.values() for item in every}
    new = {item.key for every in target.rules.checklists.values() for item in every}
    faults = []
    for index, entry in enumerate(command.mapping):
        path = ("mapping", str(index))
        if entry.before not in there:
            message = f"No onboarding meant has an item {entry.before[:60]!r}; take its key from the version before."
            faults.append(invalid(message, *path, "from"))
        if entry.after is not None and entry.after not in new:
            message = f"Version {target.number} has no item {entry.after[:60]!r}; name one of its keys, or none."
            faults.append(invalid(message, *path, "to"))
    return faults


def _failed(command: MigrateCycles, index: int, cycle: UUID | None, error: UserError) -> BulkResult:
    path = ("onboardingIds", str(index)) if command.cycles is not None and error.code is ErrorCode.NOT_FOUND else ()
    return BulkResult(index, BulkStatus.FAILED, cycle, (replace(error, path=path or error.path),))


async def _travel(
    tx: Transaction, target: Definition, travellers: Sequence[_Traveller]
) -> tuple[list[dict[str, Any]], UUID | None]:
    """Bring every traveller to the version, and tell what that changed of each."""
    ids = [traveller.locked.cycle.id for traveller in travellers]
    before, holds = await portraits(tx, ids), await cycles.holds(tx, ids)
    event, items = None, {}
    for traveller in travellers:
        cycle = traveller.locked.cycle
        held = held_business_days(
            holds.get(cycle.id, ()), cycle.entered_at, traveller.attempt.now, traveller.journey.calendar
        )
        event = await _pin(tx, target, traveller, held)
        items[cycle.id] = await carry_over(tx, traveller.attempt, traveller.carrying, event)
    after = await portraits(tx, ids)
    told = []
    for traveller in travellers:
        cycle = traveller.locked.cycle
        versions = Consequence(
            ConsequenceKind.DEFINITION,
            before=str(traveller.locked.definition.number),
            after=str(target.number),
            subject=public(IdKind.ONBOARDING, cycle.id),
        )
        changes = (versions, *differences(before[cycle.id], after[cycle.id]), *items[cycle.id])
        told.append(_told(BulkResult(traveller.index, BulkStatus.UPDATED, cycle.id), changes))
    return told, event


async def _pin(tx: Transaction, target: Definition, traveller: _Traveller, held: float) -> UUID:
    """Make the move: the version, and by it the target and the timers of the stay; what has fired stays fired."""
    attempt, journey, settings = traveller.attempt, traveller.journey, traveller.locked.settings
    cycle, now = journey.cycle, attempt.now
    machine.advance(cycle.stage, Move.MIGRATE, cycle.stage, ())
    facts = (await evidence.gather(tx, [evidence.Wanted(cycle, target.rules)], settings, now))[cycle.id]
    due, timers = schedule(journey, facts, held)
    moved = replace(cycle, definition_id=target.id, target_at=due, version=cycle.version + 1)
    event = moved_event(attempt, moved, cycle.stage, ())
    await steps.take(tx, Step(moved, transition(attempt, moved, cycle.stage, target, (), (), event), event))
    await migrating.pin(tx, moved)
    await migrating.call_off(tx, cycle.visit_id, [timer.key for timer in timers], now)
    await steps.reschedule(tx, moved, due, [(new_id(), timer) for timer in timers], now)
    return event.id


def _told(result: BulkResult, changes: Sequence[Consequence] = ()) -> dict[str, Any]:
    return result.to_data() | {"changes": [asdict(change) for change in changes]}


def _place(result: BulkResult) -> int:
    return result.index
