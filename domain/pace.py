"""Pace: whether a cycle is on time, derived from its clock and never set."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

from domain.definitions import Rules
from domain.onboarding import Cycle, Hold
from domain.stages import Stage


class Pace(StrEnum):
    """How a cycle stands to the target of its stage; ON_HOLD while the clock stands still."""

    ON_TRACK = "ON_TRACK"
    AT_RISK = "AT_RISK"
    LATE = "LATE"
    ON_HOLD = "ON_HOLD"


def pace(cycle: Cycle, rules: Rules, now: datetime, holds: Iterable[Hold] = ()) -> Pace | None:
    """Return the pace, or `None` where nothing is to be reached: in steady state, at an end, without a target.

    AT_RISK begins when the stated share of the way from entry to target has passed. Time on hold is no part of the
    way, except in early support, whose day 90 does not wait.
    """
    if cycle.ended or cycle.stage is Stage.STEADY_STATE:
        return None
    if cycle.held_at is not None:
        return Pace.ON_HOLD
    if cycle.target_at is None:
        return None
    if now >= cycle.target_at:
        return Pace.LATE
    held = timedelta() if cycle.stage is Stage.EARLY_SUPPORT else _held(holds, cycle.entered_at)
    whole = cycle.target_at - cycle.entered_at - held
    passed = now - cycle.entered_at - held
    return Pace.AT_RISK if whole <= timedelta() or passed / whole >= rules.at_risk_share else Pace.ON_TRACK


def _held(holds: Iterable[Hold], entered_at: datetime) -> timedelta:
    ended = (h.resumed_at - h.held_at for h in holds if h.resumed_at is not None and h.held_at >= entered_at)
    return sum(ended, timedelta())
