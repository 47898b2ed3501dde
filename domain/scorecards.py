"""Scorecard: what does well and what needs work, figure by figure, each verdict with its reasons."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.benchmarks import Benchmark
from domain.kpi_definitions import Definition, Direction, Family
from domain.kpi_values import KpiValue, Status
from domain.kpis import Kpi
from domain.periods import Grain, Period
from domain.series import Series
from domain.targets import Goal, TargetStanding, grows_with_size
from domain.trends import LEAST_POINTS, Trend, Turn


class Verdict(StrEnum):
    """How a figure does."""

    DOES_WELL = "DOES_WELL"
    NEEDS_WORK = "NEEDS_WORK"
    STEADY = "STEADY"
    UNKNOWN = "UNKNOWN"


class Ground(StrEnum):
    """What a verdict rests on, or why there is none."""

    TARGET_MET = "TARGET_MET"
    TARGET_MISSED = "TARGET_MISSED"
    TARGET_UNDECIDED = "TARGET_UNDECIDED"
    TREND_FOR_BETTER = "TREND_FOR_BETTER"
    TREND_FOR_WORSE = "TREND_FOR_WORSE"
    BETTER_THAN_BEFORE = "BETTER_THAN_BEFORE"
    WORSE_THAN_BEFORE = "WORSE_THAN_BEFORE"
    BETTER_THAN_CLIENTS = "BETTER_THAN_CLIENTS"
    WORSE_THAN_CLIENTS = "WORSE_THAN_CLIENTS"
    STILL_PARTIAL = "STILL_PARTIAL"
    NO_DATA = "NO_DATA"
    TOO_SMALL_A_SAMPLE = "TOO_SMALL_A_SAMPLE"
    NO_BETTER_SIDE = "NO_BETTER_SIDE"
    NOTHING_STANDS_OUT = "NOTHING_STANDS_OUT"


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict and its grounds, the weightiest first."""

    verdict: Verdict
    grounds: tuple[Ground, ...]


@dataclass(frozen=True, slots=True)
class Scored:
    """One figure of a scorecard: its values, how it is doing, and the verdict."""

    kpi: Kpi
    series: Series
    previous: KpiValue | None
    trend: Trend
    among: Benchmark | None
    goal: Goal | None
    judged: Judged


@dataclass(frozen=True, slots=True)
class Scorecard:
    """Every figure that can be asked over a period, of all clients or of one."""

    period: Period
    grain: Grain
    client: UUID | None
    time_zone: str
    now: datetime
    scored: tuple[Scored, ...]

    def of(self, family: Family) -> list[Scored]:
        """Return the figures of one part of the work, in the order of the catalogue."""
        return [one for one in self.scored if one.kpi.definition.family is family]


def grain_for(period: Period) -> Grain:
    """Return the widest buckets of which a period has enough for a trend, with some to spare for what is cut."""
    for grain, days in ((Grain.MONTH, 31), (Grain.WEEK, 7)):
        if period.days >= days * (LEAST_POINTS + 1):
            return grain
    return Grain.DAY


_FOR = frozenset({Ground.TREND_FOR_BETTER, Ground.BETTER_THAN_BEFORE, Ground.BETTER_THAN_CLIENTS})
_AGAINST = frozenset({Ground.TREND_FOR_WORSE, Ground.WORSE_THAN_BEFORE, Ground.WORSE_THAN_CLIENTS})

_SILENT = {
    Status.NO_DATA: Ground.NO_DATA,
    Status.SUPPRESSED: Ground.NO_DATA,
    Status.INSUFFICIENT_SAMPLE: Ground.TOO_SMALL_A_SAMPLE,
}


def judged(
    definition: Definition,
    value: KpiValue,
    previous: KpiValue | None,
    trend: Trend,
    among: Benchmark | None,
    target: TargetStanding | None,
) -> Judged:
    """Return how a figure does over a period.

    A missed target needs work, whatever else is seen. A target that is met does well, unless something has turned for
    the worse. Without a target, or while it is undecided, the other signs decide if all of them point one way. Every
    sign is told only beyond chance: by intervals that lie apart, or that don't hold zero.
    """
    if value.value is None or value.status in _SILENT:
        return Judged(Verdict.UNKNOWN, (_SILENT.get(value.status, Ground.NO_DATA),))
    if definition.direction is Direction.NEUTRAL:
        return Judged(Verdict.UNKNOWN, (Ground.NO_BETTER_SIDE,))
    signs = [*_of_target(target), *_of_trend(trend), *_of_before(definition.direction, value, previous)]
    signs += _of_clients(definition, value, among)
    verdict = _verdict(frozenset(signs))
    partial = [Ground.STILL_PARTIAL] if value.status is Status.PARTIAL else []
    return Judged(verdict, (*(signs or [Ground.NOTHING_STANDS_OUT]), *partial))


def _verdict(signs: AbstractSet[Ground]) -> Verdict:
    better, worse = bool(signs & _FOR), bool(signs & _AGAINST)
    if Ground.TARGET_MISSED in signs:
        return Verdict.NEEDS_WORK
    if Ground.TARGET_MET in signs:
        return Verdict.STEADY if worse else Verdict.DOES_WELL
    if better == worse:
        return Verdict.STEADY
    return Verdict.DOES_WELL if better else Verdict.NEEDS_WORK


def _of_target(target: TargetStanding | None) -> list[Ground]:
    return [] if target is None else [Ground[f"TARGET_{target.name}"]]


def _of_trend(trend: Trend) -> list[Ground]:
    return [] if trend.turn is Turn.NEITHER else [Ground[f"TREND_{trend.turn.name}"]]


def _of_before(direction: Direction, value: KpiValue, previous: KpiValue | None) -> list[Ground]:
    """Two intervals that lie apart differ beyond chance; that they overlap proves nothing."""
    if previous is None or previous.value is None:
        return []
    return _apart(direction, value, previous.low, previous.high, Ground.BETTER_THAN_BEFORE, Ground.WORSE_THAN_BEFORE)


def _of_clients(definition: Definition, value: KpiValue, among: Benchmark | None) -> list[Ground]:
    """A client stands out where its interval lies beyond the median of all clients."""
    if among is None or among.percentile is None or grows_with_size(definition):
        return []
    direction = definition.direction
    return _apart(direction, value, among.median, among.median, Ground.BETTER_THAN_CLIENTS, Ground.WORSE_THAN_CLIENTS)


def _apart(
    direction: Direction, value: KpiValue, low: float | None, high: float | None, better: Ground, worse: Ground
) -> list[Ground]:
    up = better if direction is Direction.HIGHER_IS_BETTER else worse
    down = worse if direction is Direction.HIGHER_IS_BETTER else better
    if value.low is not None and high is not None and value.low > high:
        return [up]
    if value.high is not None and low is not None and value.high < low:
        return [down]
    return []
