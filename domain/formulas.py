"""The arithmetic behind every figure: rates with intervals, quantiles, and durations still running."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import exp, floor, fsum, log, sqrt

from domain.distributions import Z_95, beta_below, median_rank, t_975


@dataclass(frozen=True, slots=True)
class Interval:
    """A 95 % interval; both ends in the unit of the figure. An open end is None."""

    low: float | None
    high: float | None


def rate(numerator: float, denominator: float) -> float | None:
    """Return a share, or None where there is nothing to divide by: no data is not zero."""
    return numerator / denominator if denominator > 0 else None


def wilson(successes: float, trials: float) -> Interval:
    """Return the 95 % score interval of a share.

    Source: E. B. Wilson (1927), "Probable inference, the law of succession, and statistical inference",
    JASA 22, 209–212, without continuity correction. It stays inside 0–1 and is honest on small samples.
    Raises ValueError when `successes` isn't between 0 and `trials`.
    """
    if trials <= 0:
        return Interval(None, None)
    if not 0 <= successes <= trials:
        raise ValueError(f"{successes} successes in {trials} trials are impossible.")
    share = successes / trials
    squared = Z_95 * Z_95
    centre = (share + squared / (2 * trials)) / (1 + squared / trials)
    half = Z_95 / (1 + squared / trials) * sqrt(share * (1 - share) / trials + squared / (4 * trials * trials))
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == trials else min(1.0, centre + half)
    return Interval(low, high)


def poisson(count: float) -> Interval:
    """Return the 95 % interval of the mean behind a count of independent occurrences.

    Source: Byar's approximation of the exact limits, N. E. Breslow and N. E. Day (1987), "Statistical
    Methods in Cancer Research" II, IARC, p. 69.
    """
    low = 0.0 if count <= 0 else count * (1 - 1 / (9 * count) - Z_95 / (3 * sqrt(count))) ** 3
    more = count + 1
    return Interval(max(0.0, low), more * (1 - 1 / (9 * more) + Z_95 / (3 * sqrt(more))) ** 3)


def net_promoters(promoters: int, detractors: int, answers: int) -> Interval:
    """Return the 95 % interval of 100 × (promoters − detractors) ÷ answers, within ±100.

    Source: the adjusted Wald interval with three answers added, three quarters of one at each end; B. Rocks (2016),
    "Interval estimation for the Net Promoter Score", The American Statistician 70, 365–372.
    Raises ValueError where promoters and detractors are more than all answers.
    """
    if answers <= 0:
        return Interval(None, None)
    if promoters < 0 or detractors < 0 or promoters + detractors > answers:
        raise ValueError(f"{promoters} promoters and {detractors} detractors of {answers} answers are impossible.")
    more = answers + 3
    for_, against = (promoters + 0.75) / more, (detractors + 0.75) / more
    centre = for_ - against
    half = Z_95 * sqrt((for_ + against - centre * centre) / more)
    return Interval(max(-100.0, 100 * (centre - half)), min(100.0, 100 * (centre + half)))


def shrunk_rate(successes: float, trials: float, prior: float, weight: float) -> float:
    """Return a share drawn towards a prior one that weighs as much as so many trials.

    It is the mean of Beta(prior × weight + successes, (1 − prior) × weight + failures).
    """
    return (prior * weight + successes) / (weight + trials)


def likely_above(limit: float, successes: float, trials: float, prior: float, weight: float) -> float:
    """Return how likely the share behind the trials lies above a limit, under the prior of `shrunk_rate`."""
    return 1 - beta_below(limit, prior * weight + successes, (1 - prior) * weight + trials - successes)


def mean_interval(n: int, mean: float, variance: float) -> Interval:
    """Return the 95 % t interval of a mean of `n` values with their sample variance (of n − 1); open below two."""
    if n < 2:  # noqa: PLR2004 -- one value has no spread
        return Interval(None, None)
    half = t_975(n - 1) * sqrt(max(0.0, variance) / n)
    return Interval(mean - half, mean + half)


def quantile(values: Iterable[float], share: float) -> float | None:
    """Return the quantile by linear interpolation between order statistics, or None of no values.

    Source: definition 7 of R. J. Hyndman and Y. Fan (1996), "Sample quantiles in statistical packages".
    PostgreSQL's `percentile_cont` computes the same.
    """
    ordered = sorted(values)
    if not ordered:
        return None
    position = (len(ordered) - 1) * share
    below = floor(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (position - below)


def median(values: Iterable[float]) -> float | None:
    return quantile(values, 0.5)


def p90(values: Iterable[float]) -> float | None:
    return quantile(values, 0.9)


def counted_quantile(counts: Sequence[tuple[float, int]], share: float) -> float | None:
    """Return the quantile of values that each come so many times, in ascending order, as `quantile` of them all."""
    total = sum(times for _, times in counts)
    if total <= 0:
        return None
    position = (total - 1) * share
    below = floor(position)
    low, high = _ranked(counts, below + 1), _ranked(counts, min(below + 2, total))
    return low + (high - low) * (position - below)


def counted_median_interval(counts: Sequence[tuple[float, int]]) -> Interval:
    """Return the 95 % interval of the median by order statistics; open below six values, which can't tell.

    It supposes nothing about how the values are spread; at its ranks see `distributions.median_rank`.
    """
    total = sum(times for _, times in counts)
    rank = median_rank(total) if total > 0 else None
    if rank is None:
        return Interval(None, None)
    return Interval(_ranked(counts, rank), _ranked(counts, total - rank + 1))


def counted_mean(counts: Sequence[tuple[float, int]]) -> float | None:
    total = sum(times for _, times in counts)
    return fsum(value * times for value, times in counts) / total if total > 0 else None


def counted_mean_interval(counts: Sequence[tuple[float, int]]) -> Interval:
    """Return the 95 % t interval of the mean of values that each come so many times; open below two."""
    mean = counted_mean(counts)
    total = sum(times for _, times in counts)
    if mean is None or total < 2:  # noqa: PLR2004 -- one value has no spread
        return Interval(None, None)
    squares = fsum(times * (value - mean) ** 2 for value, times in counts)
    return mean_interval(total, mean, squares / (total - 1))


def _ranked(counts: Sequence[tuple[float, int]], rank: int) -> float:
    """Return the value at a rank from 1 on."""
    passed = 0
    for value, times in counts:
        passed += times
        if passed >= rank:
            return value
    raise ValueError(f"There is no value of rank {rank} among {passed}.")


@dataclass(frozen=True, slots=True)
class Spell:
    """One duration; `ended` is False while only its lower bound is known.

    That is while it still runs, or for good where it was `broken_off`, as by an onboarding that was lost.
    """

    duration: float
    ended: bool
    broken_off: bool = False


@dataclass(frozen=True, slots=True)
class Survival:
    """What Kaplan and Meier make of a set of spells; a quantile is None while too few have ended.

    `running` are those that may still end; what was broken off is censored, and never will.
    """

    median: float | None
    p90: float | None
    interval: Interval
    ended: int
    running: int


def kaplan_meier(spells: Sequence[Spell]) -> Survival:
    """Return median, 90th percentile and the 95 % interval of the median of spells, some still running.

    The quantile is the first duration at which the surviving share has fallen to the complement or below.
    Leaving the running spells out would show slow stages as quick.
    Sources: E. L. Kaplan and P. Meier (1958), JASA 53, 457–481; interval of R. Brookmeyer and J. Crowley
    (1982), Biometrics 38, 29–41, on the log(−log) scale with Greenwood's variance.
    """
    ended = sum(1 for spell in spells if spell.ended)
    curve = _curve(spells)
    low, high = _median_interval(curve)
    return Survival(
        median=_first_at_or_below(curve, 0.5),
        p90=_first_at_or_below(curve, 0.1),
        interval=Interval(low, high),
        ended=ended,
        running=sum(1 for spell in spells if not spell.ended and not spell.broken_off),
    )


@dataclass(frozen=True, slots=True)
class _Step:
    duration: float
    survival: float
    greenwood: float


_ROUNDING = 1e-12
"""A product such as 0.9 × 8/9 × … may miss one half by the last bit."""


def _curve(spells: Sequence[Spell]) -> list[_Step]:
    """Return the survival curve at each duration at which some spell ended."""
    endings: dict[float, int] = {}
    leavings: dict[float, int] = {}
    for spell in spells:
        leavings[spell.duration] = leavings.get(spell.duration, 0) + 1
        if spell.ended:
            endings[spell.duration] = endings.get(spell.duration, 0) + 1
    at_risk, survival, greenwood = len(spells), 1.0, 0.0
    curve = []
    for duration in sorted(leavings):
        if ends := endings.get(duration, 0):
            survival *= 1 - ends / at_risk
            greenwood += ends / (at_risk * (at_risk - ends)) if at_risk > ends else 0.0
            curve.append(_Step(duration, survival, greenwood))
        at_risk -= leavings[duration]
    return curve


def _first_at_or_below(curve: Sequence[_Step], share: float) -> float | None:
    return next((step.duration for step in curve if step.survival <= share + _ROUNDING), None)


def _median_interval(curve: Sequence[_Step]) -> tuple[float | None, float | None]:
    """Return the durations at which the band around the curve crosses one half."""
    low = next((step.duration for step in curve if _band(step)[0] <= 0.5 + _ROUNDING), None)
    high = next((step.duration for step in curve if _band(step)[1] <= 0.5 + _ROUNDING), None)
    return low, high


def _band(step: _Step) -> tuple[float, float]:
    if step.survival <= 0:
        return 0.0, 0.0
    if step.survival >= 1:
        return 1.0, 1.0
    logged = log(step.survival)
    spread = Z_95 * sqrt(step.greenwood) / abs(logged)
    return exp(logged * exp(spread)), exp(logged * exp(-spread))
