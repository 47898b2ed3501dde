"""Backfill: the past of an onboarding, told by its dates, as the visits, moves and effects that it would have left."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from domain.calendars import Calendar
from domain.definitions import Rules
from domain.effects import EffectKind, EffectState, PlannedEffect, effects, opens_window, target_of
from domain.gates import Evidence
from domain.moves import Move
from domain.moving_in import Arrival, Stay, instant, stays
from domain.onboarding import Cycle, EndReason, Hold, Visit, Window
from domain.periods import local_day
from domain.stages import ENDS, ORDER, Stage

IMPORTED = "IMPORTED"
"""Why an effect of the past is skipped."""

_ENTERED_BY = {
    Stage.CONTRACTING: Move.OPEN,
    Stage.ASSET_DISCOVERY: Move.BEGIN_DISCOVERY,
    Stage.EARLY_SUPPORT: Move.GO_LIVE,
    Stage.STEADY_STATE: Move.GRADUATE,
    Stage.LOST: Move.LOSE,
    Stage.OFFBOARDED: Move.OFF_BOARD,
}
"""The move whose triggers a stage's beginning stands for."""

Planned = tuple[tuple[UUID, PlannedEffect], ...]


@dataclass(frozen=True, slots=True)
class BackfilledMove:
    """One move of the past: what it was recorded as, from where to where, when, and what it set off in which visit."""

    move: Move
    from_stage: Stage | None
    to_stage: Stage
    effective_at: datetime
    visit: UUID
    effects: Planned
    reason: str | None = None
    outcome: EndReason | None = None


@dataclass(frozen=True, slots=True)
class Backfill:
    """A cycle as it stands after its past, and the past itself, oldest first."""

    cycle: Cycle
    stays: tuple[Stay, ...]
    visits: tuple[Visit, ...]
    windows: tuple[tuple[UUID, Window], ...]
    """Each with the visit that it is of."""
    moves: tuple[BackfilledMove, ...]
    hold: Hold | None


@dataclass(frozen=True, slots=True)
class Frame:
    """By what a past is told anew: the rules of a definition, what is known today, and where ids come from."""

    rules: Rules
    facts: Evidence
    calendar: Calendar
    zone: ZoneInfo
    """In which the days are told; the calendar may be of a site or contract elsewhere."""
    new_id: Callable[[], UUID]


def backfilled(told: Arrival, cycle: Cycle, frame: Frame) -> Backfill:
    """Return the past of a cycle as its dates tell it.

    `cycle` brings its id, client, number, contract, definition and team; where it stands comes from the dates. The
    row has been judged: its stage, its dates and their order are sound. What is due by `frame.facts.now` is skipped
    as imported, and so is what an end called off; what is due later is planned, timers only for the present stay.
    """
    zone, now = frame.zone, frame.facts.now
    known = stays(told, zone)
    visits = tuple(_visit(stay, cycle, frame) for stay in known)
    last = known[-1]
    ended_at = last.left_at if told.stage in ENDS else None
    hold = _hold(told, cycle, frame)
    standing = replace(
        cycle,
        stage=told.stage or last.stage,
        visit_id=visits[-1].id,
        opened_at=min(instant(when, zone) for when in told.entered.values()),
        entered_at=last.entered_at,
        target_at=None if ended_at else _target(last, frame),
        held_at=hold.held_at if hold else None,
        ended_at=ended_at,
        outcome=told.outcome,
        version=0,
        active_at=now,
    )
    moves = [
        _entered(stay, visit, before, standing, frame)
        for stay, visit, before in zip(known, visits, (None, *known[:-1]), strict=True)
    ]
    if ended_at is not None:
        ended = _move(Move.IMPORT, (last.stage, standing.stage), ended_at, visits[-1].id, standing, frame)
        moves.append(replace(ended, reason=told.end_reason, outcome=told.outcome))
    if hold is not None:
        held = replace(standing, version=len(moves))
        stood = _move(Move.HOLD, (last.stage, last.stage), hold.held_at, visits[-1].id, held, frame)
        moves.append(replace(stood, reason=hold.note))
    windows = tuple(
        (v.id, Window(frame.new_id(), cycle.id, v.entered_at, v.left_at)) for v in visits if opens_window(v.stage)
    )
    return Backfill(replace(standing, version=len(moves)), known, visits, windows, tuple(moves), hold)


def _visit(stay: Stay, cycle: Cycle, frame: Frame) -> Visit:
    target = _target(stay, frame) if stay.left_at is not None else None
    return Visit(frame.new_id(), cycle.id, stay.stage, stay.entered_at, stay.left_at, None, target)


def _target(stay: Stay, frame: Frame) -> datetime | None:
    return target_of(stay.stage, stay.entered_at, frame.rules, frame.facts, frame.calendar)


def _hold(told: Arrival, cycle: Cycle, frame: Frame) -> Hold | None:
    hold = told.hold
    if hold is None:
        return None
    since = instant(hold.since, frame.zone)
    return Hold(frame.new_id(), cycle.id, hold.reason, hold.note, since, hold.expected_resume_on, None)


def _entered(stay: Stay, visit: Visit, before: Stay | None, cycle: Cycle, frame: Frame) -> BackfilledMove:
    """Return the move into a stay; what came before it is known only where the one ends as the other begins."""
    follows = before is not None and ORDER.index(before.stage) + 1 == ORDER.index(stay.stage)
    from_stage = before.stage if before and follows else None
    return _move(
        Move.IMPORT, (from_stage, stay.stage), stay.entered_at, visit.id, cycle, frame, left=stay.left_at is not None
    )


def _move(
    move: Move,
    path: tuple[Stage | None, Stage],
    at: datetime,
    visit: UUID,
    cycle: Cycle,
    frame: Frame,
    *,
    left: bool = False,
) -> BackfilledMove:
    now, zone = frame.facts.now, frame.zone
    then = replace(frame.facts, now=at, today=local_day(at, zone), entered_on=local_day(at, zone))
    to_stage = path[1]
    triggering = move if move is Move.HOLD else _ENTERED_BY[to_stage]
    found = effects(triggering, to_stage, cycle, frame.rules, then, frame.calendar)
    over = cycle.ended and to_stage not in ENDS
    settled = tuple((frame.new_id(), effect) for effect in _settled(found, now, left=left, over=over))
    return BackfilledMove(move, path[0], to_stage, at, visit, settled)


def _settled(found: tuple[PlannedEffect, ...], now: datetime, *, left: bool, over: bool) -> Iterator[PlannedEffect]:
    """Give effects as they stand today: none of the past, none that moving on or ending has called off."""
    for effect in found:
        called_off = over or (left and effect.kind is EffectKind.TIMER)
        unaddressed = effect.kind is EffectKind.SURVEY and effect.state is EffectState.SKIPPED
        if unaddressed or not (called_off or effect.due_at <= now):
            yield effect
        else:
            yield replace(effect, state=EffectState.SKIPPED, reason=IMPORTED)
