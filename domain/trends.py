"""Trend: whether a series rises or falls by more than chance, by how much each bucket, and whether that is good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from math import floor, fsum

from domain.distributions import t_975
from domain.formulas import Interval, mean_interval
from domain.kpi_definitions import Direction, KpiKind
from domain.least_squares import dot, line
from domain.series import Series

LEAST_POINTS = 6
"""Below it the interval of a slope is wider than any slope worth seeing."""


class Course(StrEnum):
    """Where a series is going; FLAT is a slope whose interval holds zero."""

    RISING = "RISING"
    FALLING = "FALLING"
    FLAT = "FLAT"
    UNKNOWN = "UNKNOWN"


class Turn(StrEnum):
    """Whether that is for the better."""

    FOR_BETTER = "FOR_BETTER"
    FOR_WORSE = "FOR_WORSE"
    NEITHER = "NEITHER"


class TrendMethod(StrEnum):
    """How the slope and its interval are found."""

    WEIGHTED_LEAST_SQUARES = "WEIGHTED_LEAST_SQUARES"
    MEAN_CHANGE = "MEAN_CHANGE"


class NoTrend(StrEnum):
    """Why no trend is told."""

    TOO_FEW_POINTS = "TOO_FEW_POINTS"
    TOO_DEPENDENT = "TOO_DEPENDENT"


@dataclass(frozen=True, slots=True)
class Trend:
    """Where a series is going: its slope per bucket in the figure's unit, with a 95 % interval.

    `points` are the buckets it rests on: whole, over and settled, with a value.
    """

    course: Course
    turn: Turn
    points: int
    slope: float | None = None
    low: float | None = None
    high: float | None = None
    refusal: NoTrend | None = None
    method: TrendMethod = TrendMethod.WEIGHTED_LEAST_SQUARES


def trend_of(series: Series) -> Trend:
    """Return the trend of a series over the buckets that nothing more will change.

    A bucket of a share, a mean or a duration weighs as many rows as it rests on; buckets of counts weigh the same. A
    gap keeps its width. A level carries each bucket on into the next, so that its changes are judged instead.
    """
    definition = series.kpi.definition
    sized = definition.kind is not KpiKind.COUNT
    at, values, weights = [], [], []
    for place, (placed, point) in enumerate(zip(series.timeline.buckets, series.points, strict=True)):
        if placed.complete and placed.settled[definition.settling] and point.value.value is not None:
            at.append(float(place))
            values.append(point.value.value)
            weights.append(float(max(1, point.value.sample_size)) if sized else 1.0)
    if definition.kind is KpiKind.LEVEL:
        return drift(at, values, definition.direction)
    return trend(at, values, weights, definition.direction)


def drift(at: Sequence[float], values: Sequence[float], direction: Direction) -> Trend:
    """Return the trend of a state by its mean change per bucket, with Student's interval of that mean.

    A line through a state that wanders by chance finds a slope two times in three; its changes know no such memory.
    Source: A. C. Harvey (1989), "Forecasting, structural time series models and the Kalman filter", section 2.3, the
    random walk with drift.
    """
    if len(at) < LEAST_POINTS:
        return _unknown(len(at), NoTrend.TOO_FEW_POINTS, TrendMethod.MEAN_CHANGE)
    changes = [
        (after - before) / (end - start) for (start, before), (end, after) in pairwise(zip(at, values, strict=True))
    ]
    mean = fsum(changes) / len(changes)
    variance = fsum((one - mean) ** 2 for one in changes) / (len(changes) - 1)
    interval = mean_interval(len(changes), mean, variance)
    return _told(mean, interval, len(at), direction, TrendMethod.MEAN_CHANGE)


def trend(at: Sequence[float], values: Sequence[float], weights: Sequence[float], direction: Direction) -> Trend:
    """Return the trend of weighted values in the order of `at`.

    The slope is that of weighted least squares, with Student's interval. Where neighbouring residuals are alike, as
    those of a state that is carried on from month to month, there is less to learn from them than their number says:
    the interval widens as if there were n × (1 − r) ÷ (1 + r) of them, with r their correlation.

    Source: B. D. Santer et al. (2000), "Statistical significance of trends and trend differences in layer-average
    atmospheric temperature time series", Journal of Geophysical Research 105, 7337–7356, section 4.
    """
    if len(at) < LEAST_POINTS:
        return _unknown(len(at), NoTrend.TOO_FEW_POINTS)
    found = line(at, values, weights)
    # Of points on a line, what is left are the last bits of their numbers, which follow no law.
    if found.squares <= _ROUNDING * dot(weights, [value * value for value in values]):
        return _told(found.slope, Interval(found.slope, found.slope), len(at), direction)
    alike = max(0.0, dot(found.residuals[1:], found.residuals[:-1]) / found.squares)
    degrees = len(at) * (1 - alike) / (1 + alike) - 2
    if degrees < 1:
        return _unknown(len(at), NoTrend.TOO_DEPENDENT)
    reach = t_975(floor(degrees)) * found.error(degrees)
    return _told(found.slope, Interval(found.slope - reach, found.slope + reach), len(at), direction)


def _told(
    slope: float,
    interval: Interval,
    points: int,
    direction: Direction,
    method: TrendMethod = TrendMethod.WEIGHTED_LEAST_SQUARES,
) -> Trend:
    course = Course.FLAT
    if interval.low is not None and interval.low > 0:
        course = Course.RISING
    if interval.high is not None and interval.high < 0:
        course = Course.FALLING
    return Trend(course, turn_of(course, direction), points, slope, interval.low, interval.high, method=method)


def turn_of(course: Course, direction: Direction) -> Turn:
    """Return whether a course is for the better, by which way is better."""
    if direction is Direction.NEUTRAL or course in (Course.FLAT, Course.UNKNOWN):
        return Turn.NEITHER
    up = course is Course.RISING
    return Turn.FOR_BETTER if up == (direction is Direction.HIGHER_IS_BETTER) else Turn.FOR_WORSE


def _unknown(points: int, refusal: NoTrend, method: TrendMethod = TrendMethod.WEIGHTED_LEAST_SQUARES) -> Trend:
    return Trend(Course.UNKNOWN, Turn.NEITHER, points, refusal=refusal, method=method)


_ROUNDING = 1e-24
"""The share of the sum of squares below which nothing but the last bits of the numbers is left."""
