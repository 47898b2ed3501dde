"""Corrections: when a move took effect, told anew; what was recorded of it stays as it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from uuid import UUID

from domain.access import Scope
from domain.client_rules import EARLIEST_DAY
from domain.errors import ErrorCode, UserError, invalid
from domain.moves import STAYING, Move
from domain.onboarding import Hold, Transition, Visit
from domain.stages import ENDS, ORDER

_BESIDE = frozenset({Move.CORRECT, Move.MIGRATE})
"""Entries of the trail that happen at no time of their own."""

_FIXED = frozenset({Move.UNDO, Move.DISCARD, Move.GIVE_NOTICE, Move.WITHDRAW_NOTICE, *_BESIDE})
"""Moves whose time is no matter of when something happened at the client, or is told by days of their own."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One accepted move and when it took effect by the latest correction, between the moves before and after it."""

    move: Transition
    effective_at: datetime
    after: datetime | None
    before: datetime | None

    def fault(self, wanted: datetime, now: datetime) -> UserError | None:
        """Return why this move cannot have happened at an instant, or `None`."""
        name = self.move.move.value
        if wanted.date() < EARLIEST_DAY:
            message = f"{wanted.isoformat()} is out of range; give an instant from {EARLIEST_DAY} on."
            return invalid(message, "effectiveAt")
        if wanted > now:
            return invalid(f"{name} cannot have happened at {wanted:%Y-%m-%d %H:%M} UTC, in the future.", "effectiveAt")
        if self.after is not None and wanted < self.after:
            when = f"{self.after:%Y-%m-%d %H:%M} UTC"
            return invalid(f"{name} cannot have happened before the move before it, at {when}.", "effectiveAt")
        if self.before is not None and wanted > self.before:
            when = f"{self.before:%Y-%m-%d %H:%M} UTC"
            return invalid(f"{name} cannot have happened after the move after it, at {when}.", "effectiveAt")
        return None


def happenings(trail: Sequence[Transition]) -> tuple[Happening, ...]:
    """Return what happened to a cycle by its accepted moves in their order, without what was undone."""
    corrected = {step.corrects: step.effective_at for step in trail if step.corrects}
    undone = {earlier.id for earlier, later in pairwise(trail) if later.move is Move.UNDO}
    steps = [s for s in trail if s.id not in undone and s.move is not Move.UNDO and s.move not in _BESIDE]
    times = [corrected.get(step.id, step.effective_at) for step in steps]
    befores, afters = [None, *times[:-1]], [*times[1:], None]
    return tuple(Happening(*each) for each in zip(steps, times, befores, afters, strict=True))


def happening(trail: Sequence[Transition], move: UUID) -> Happening | UserError:
    """Return one move of a cycle as it can be corrected, or why it can not."""
    known = next((step for step in trail if step.id == move), None)
    if known is None:
        message = "No accepted move of this onboarding has this id; take one from its history."
        return UserError(ErrorCode.NOT_FOUND, message, ("transitionId",))
    found = next((each for each in happenings(trail) if each.move.id == move), None)
    if found is None or known.move in _FIXED:
        why = "was undone" if found is None and known.move not in _FIXED else "has no time to correct"
        return UserError(ErrorCode.MOVE_NOT_POSSIBLE, f"This {known.move} {why}.", ("transitionId",))
    return found


def scope_of(move: Transition) -> Scope:
    """Return what it takes to correct a move: who may end an onboarding so may say when it ended."""
    if move.to_stage in ENDS and move.move is not Move.LOSE:
        return Scope.ONBOARDING_END
    return Scope.ONBOARDING_MOVE


@dataclass(frozen=True, slots=True)
class Stays:
    """The stay that a move ended and the one that it began, and the hold that it began or ended, as far as it did."""

    left: Visit | None = None
    entered: Visit | None = None
    hold: Hold | None = None


def stays_about(trail: Sequence[Transition], move: Transition, visits: Sequence[Visit], holds: Sequence[Hold]) -> Stays:
    """Return the stays on both sides of a move, and the hold that it is about.

    Every move into a stage has begun one stay, in their order; what was undone has left an empty one.
    """
    hold = _hold_about(trail, move, holds)
    if move.move in STAYING:
        return Stays(hold=hold)
    entries = [s for s in trail if s.move not in STAYING and s.move is not Move.UNDO and s.to_stage in ORDER]
    begun = dict(zip((entry.id for entry in entries), visits, strict=True))
    told = [each.move for each in happenings(trail) if each.move.move not in STAYING]
    position = next(i for i, each in enumerate(told) if each.id == move.id)
    # Of a client brought in, what lay between two stays may be unknown: then the one did not end the other.
    left = begun.get(told[position - 1].id) if position and move.from_stage else None
    return Stays(left, begun.get(move.id), hold)


def displaced(visits: Sequence[Visit], entered: Visit | None, to: datetime) -> tuple[Visit, ...]:
    """Return the stays that would change places with one that is entered at another instant.

    Only stays that were undone can: they are empty, and lie between the others at no time of their own.
    """
    if entered is None:
        return ()
    place = visits.index(entered)
    before = (visit for visit in visits[:place] if visit.entered_at > to)
    return (*before, *(visit for visit in visits[place + 1 :] if visit.entered_at < to))


def _hold_about(trail: Sequence[Transition], move: Transition, holds: Sequence[Hold]) -> Hold | None:
    """Return the hold that a move began, or that lasted until it."""
    begun, lasting = iter(holds), None
    for each in happenings(trail):
        over = each.move.move is Move.RESUME or each.move.to_stage in ENDS
        if each.move.move is Move.HOLD:
            lasting = next(begun)
        if each.move.id == move.id:
            return lasting if over or each.move.move is Move.HOLD else None
        if over:
            lasting = None
    return None
