"""Pace: whether a cycle is on time and being worked on, derived from its clock and never set."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from domain.calendars import Calendar
from domain.definitions import Rules
from domain.onboarding import Cycle, Hold
from domain.periods import local_day, start_of_day
from domain.stages import ORDER, Stage

_INSTANT = timedelta(microseconds=1)


class Pace(StrEnum):
    """How a cycle stands to the day its stage should be over, and whether anybody works on it.

    The worst comes first: what is LATE is so whoever works on it, and a client sees it. What is STALE is late to be,
    for nobody moves it: it wants somebody's attention now, which something AT_RISK that is in hand does not. Only
    ON_HOLD stands above both: its clock stands still, and so does the silence.
    """

    ON_TRACK = "ON_TRACK"
    AT_RISK = "AT_RISK"
    STALE = "STALE"
    LATE = "LATE"
    ON_HOLD = "ON_HOLD"


@dataclass(frozen=True, slots=True)
class PaceReading:
    """A pace, and in words what it is due to.

    `due_at` is the earlier of the stage's target and the end of the day planned for the next stage, where there is
    either. `silent_business_days` are those since anybody last did something for the cycle.
    """

    pace: Pace
    reason: str
    due_at: datetime | None
    silent_business_days: float


def pace(
    cycle: Cycle,
    rules: Rules,
    now: datetime,
    calendar: Calendar,
    holds: Iterable[Hold] = (),
    planned_on: date | None = None,
) -> Pace | None:
    """Return the pace that `reading` tells of."""
    found = reading(cycle, rules, now, calendar, holds, planned_on)
    return found.pace if found else None


def reading(
    cycle: Cycle,
    rules: Rules,
    now: datetime,
    calendar: Calendar,
    holds: Iterable[Hold] = (),
    planned_on: date | None = None,
) -> PaceReading | None:
    """Return the pace, or `None` where there is nothing to be late for: in steady state, at an end, without any date.

    A cycle without a date is STALE all the same. AT_RISK begins when the stated share of the way from entry to the
    day due has passed. Time on hold is no part of the way to a target, which moves by it; it is part of the way to
    day 90 and to a planned date (`planned_on`, that of the next stage), which do not wait.
    """
    if cycle.ended or cycle.stage is Stage.STEADY_STATE:
        return None
    due, by_plan = _due(cycle, calendar, planned_on)
    silent = max(0.0, calendar.business_days_between(cycle.active_at, now))
    if cycle.held_at is not None:
        said = f"It is on hold since {local_day(cycle.held_at, calendar.zone)}; its clock stands still."
        return PaceReading(Pace.ON_HOLD, said, due, silent)
    allowed = rules.stale_business_days.get(cycle.stage)
    stale = allowed is not None and silent >= allowed
    silence = f"Nothing was done for {int(silent)} business days; {allowed} may pass in {cycle.stage}."
    if due is None:
        return PaceReading(Pace.STALE, silence, None, silent) if stale else None
    what = _named(cycle, rules, calendar, due, by_plan=by_plan)
    if now >= due:
        said = f"{what} has passed."
        return PaceReading(Pace.LATE, f"{said} {silence}" if stale else said, due, silent)
    waits = cycle.stage is not Stage.EARLY_SUPPORT and not by_plan
    share = _share(cycle, now, due, _held(holds, cycle.entered_at) if waits else timedelta())
    said = f"{what} is ahead; {int(share * 100)} % of the way to it has passed."
    if stale:
        return PaceReading(Pace.STALE, f"{silence} {said}", due, silent)
    return PaceReading(Pace.AT_RISK if share >= rules.at_risk_share else Pace.ON_TRACK, said, due, silent)


def _due(cycle: Cycle, calendar: Calendar, planned_on: date | None) -> tuple[datetime | None, bool]:
    """Return the earlier of target and planned day, and whether it is the planned one."""
    if planned_on is None:
        return cycle.target_at, False
    planned = start_of_day(planned_on + timedelta(days=1), calendar.zone)
    by_plan = cycle.target_at is None or planned < cycle.target_at
    return (planned, True) if by_plan else (cycle.target_at, False)


def _share(cycle: Cycle, now: datetime, due: datetime, held: timedelta) -> float:
    whole, passed = due - cycle.entered_at - held, now - cycle.entered_at - held
    return 1.0 if whole <= timedelta() else max(0.0, passed / whole)


def _held(holds: Iterable[Hold], entered_at: datetime) -> timedelta:
    ended = (h.resumed_at - h.held_at for h in holds if h.resumed_at is not None and h.held_at >= entered_at)
    return sum(ended, timedelta())


def _named(cycle: Cycle, rules: Rules, calendar: Calendar, due: datetime, *, by_plan: bool) -> str:
    last = local_day(due - _INSTANT, calendar.zone)
    if by_plan:
        return f"The day planned for {ORDER[ORDER.index(cycle.stage) + 1]}, {last},"
    if cycle.stage is Stage.EARLY_SUPPORT:
        return f"Day {rules.early_support_days}, {last},"
    return f"The target of {cycle.stage}, {last},"
