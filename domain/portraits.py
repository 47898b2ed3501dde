"""Portraits: all that is stored of one cycle at a moment, and what a change of it comes to."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from domain.consequences import Consequence, ConsequenceKind
from domain.effects import Effect, EffectKind, EffectState
from domain.follow_ups import FollowUp
from domain.ids import IdKind, public
from domain.onboarding import Cycle, Hold, Notice, Visit, Window


@dataclass(frozen=True, slots=True)
class Portrait:
    """One cycle with its stays, holds, windows, effects, notices and follow-ups."""

    cycle: Cycle
    visits: tuple[Visit, ...]
    holds: tuple[Hold, ...]
    windows: tuple[Window, ...]
    effects: tuple[Effect, ...]
    notices: tuple[Notice, ...]
    follow_ups: tuple[FollowUp, ...]


def differences(before: Portrait, after: Portrait) -> tuple[Consequence, ...]:
    """Return what changed of a cycle, in the order in which a person would ask: stage first, then what follows."""
    return (
        *_of_cycle(before.cycle, after.cycle),
        *_of_rows(ConsequenceKind.STAY, IdKind.VISIT, _visits(before), _visits(after)),
        *_of_rows(ConsequenceKind.HOLD, IdKind.HOLD, _holds(before), _holds(after)),
        *_of_rows(ConsequenceKind.WINDOW, IdKind.WINDOW, _windows(before), _windows(after)),
        *_of_rows(ConsequenceKind.NOTICE, IdKind.NOTICE, _notices(before), _notices(after)),
        *_of_rows(ConsequenceKind.TIMER, IdKind.EFFECT, *_effects(before, after, EffectKind.TIMER)),
        *_of_rows(ConsequenceKind.SURVEY, IdKind.EFFECT, *_effects(before, after, EffectKind.SURVEY)),
        *_of_rows(ConsequenceKind.FOLLOW_UP, IdKind.FOLLOW_UP, _follow_ups(before), _follow_ups(after)),
    )


_Told = Mapping[UUID, tuple[str, str]]
"""By id: what a row is called, and what is to be told of it."""


def _of_cycle(before: Cycle, after: Cycle) -> Iterator[Consequence]:
    subject = public(IdKind.ONBOARDING, after.id)
    for kind, was, becomes in (
        (ConsequenceKind.STAGE, before.stage.value, after.stage.value),
        (ConsequenceKind.TARGET, _at(before.target_at), _at(after.target_at)),
    ):
        if was != becomes:
            yield Consequence(kind, before=was, after=becomes, subject=subject)


def _of_rows(kind: ConsequenceKind, of: IdKind, before: _Told, after: _Told) -> Iterator[Consequence]:
    for row in (*before, *(row for row in after if row not in before)):
        was, becomes = before.get(row), after.get(row)
        if was != becomes:
            name = (becomes or was or ("", ""))[0]
            yield Consequence(
                kind,
                name,
                before=was[1] if was else None,
                after=becomes[1] if becomes else None,
                subject=public(of, row),
            )


def _visits(portrait: Portrait) -> _Told:
    return {
        visit.id: (
            visit.stage.value,
            _span(visit.entered_at, visit.left_at) + (", set aside" if visit.superseded_at else ""),
        )
        for visit in portrait.visits
    }


def _holds(portrait: Portrait) -> _Told:
    return {hold.id: (hold.reason.value, _span(hold.held_at, hold.resumed_at)) for hold in portrait.holds}


def _windows(portrait: Portrait) -> _Told:
    return {window.id: ("ESCALATION", _span(window.opened_at, window.closed_at)) for window in portrait.windows}


def _notices(portrait: Portrait) -> _Told:
    return {
        notice.id: (
            notice.given_by.value,
            f"service ends on {_on(notice.ends_on)}" + (", withdrawn" if notice.withdrawn_at else ""),
        )
        for notice in portrait.notices
    }


def _effects(before: Portrait, after: Portrait, kind: EffectKind) -> tuple[_Told, _Told]:
    def told(portrait: Portrait) -> _Told:
        return {e.id: (e.name, _state(e)) for e in portrait.effects if e.kind is kind}

    return told(before), told(after)


def _follow_ups(portrait: Portrait) -> _Told:
    return {
        follow_up.id: (
            follow_up.kind.value,
            "closed" if follow_up.closed_at else f"open, due on {_on(follow_up.due_on)}",
        )
        for follow_up in portrait.follow_ups
    }


def _state(effect: Effect) -> str:
    if effect.state is EffectState.PLANNED:
        return f"PLANNED for {_at(effect.due_at)}"
    return effect.state.value + (f" ({effect.reason})" if effect.reason else "")


def _span(start: datetime, end: datetime | None) -> str:
    return f"from {_at(start)}" + (f" to {_at(end)}" if end else "")


def _at(instant: datetime | None) -> str | None:
    return instant.isoformat(timespec="seconds").replace("+00:00", "Z") if instant else None


def _on(day: date) -> str:
    return day.isoformat()
