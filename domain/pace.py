"""Pace: whether a cycle is on time, derived from its clock and never set."""

from datetime import datetime
from enum import StrEnum

from domain.definitions import Rules
from domain.onboarding import Cycle, Stage


class Pace(StrEnum):
    """How a cycle stands to the target of its stage; ON_HOLD while the clock stands still."""

    ON_TRACK = "ON_TRACK"
    AT_RISK = "AT_RISK"
    LATE = "LATE"
    ON_HOLD = "ON_HOLD"


def pace(cycle: Cycle, rules: Rules, now: datetime) -> Pace | None:
    """Return the pace, or `None` where nothing is to be reached: in steady state, at an end, without a target.

    AT_RISK begins when the stated share of the way from entry to target has passed.
    """
    if cycle.ended or cycle.stage is Stage.STEADY_STATE:
        return None
    if cycle.held_at is not None:
        return Pace.ON_HOLD
    if cycle.target_at is None:
        return None
    if now >= cycle.target_at:
        return Pace.LATE
    whole = (cycle.target_at - cycle.entered_at).total_seconds()
    passed = (now - cycle.entered_at).total_seconds()
    return Pace.AT_RISK if whole <= 0 or passed / whole >= rules.at_risk_share else Pace.ON_TRACK
