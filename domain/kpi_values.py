"""Values: what totals come to, with interval, sample and status; the formula last."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache, lru_cache

from domain.formulas import (
    Interval,
    counted_mean,
    counted_mean_interval,
    counted_median_interval,
    counted_quantile,
    kaplan_meier,
    poisson,
    rate,
    wilson,
)
from domain.kpis import Definition, Kpi, KpiKind
from domain.totals import Totals


class Status(StrEnum):
    """How far a value may be trusted."""

    OK = "OK"
    NO_DATA = "NO_DATA"
    SUPPRESSED = "SUPPRESSED"
    INSUFFICIENT_SAMPLE = "INSUFFICIENT_SAMPLE"
    PARTIAL = "PARTIAL"


@dataclass(frozen=True, slots=True)
class KpiValue:
    """One number with everything needed to judge it; shares 0–1, durations in the definition's unit."""

    value: float | None
    numerator: float | None
    denominator: float | None
    sample_size: int
    low: float | None
    high: float | None
    status: Status
    mean: float | None = None
    """The mean of times that are over."""
    median: float | None = None
    """The median of a DURATION, or of times that are over."""
    p90: float | None = None
    """The 90th percentile of a DURATION, or of times that are over."""
    share: float | None = None
    """Of a DURATION that is a part of a longer one: its share of that, all rows together."""
    peak: float | None = None
    """The highest daily load of one lead, of a level that is kept per lead."""


@cache
def of_sums(kpi: Kpi) -> Callable[[float, float | None, bool], KpiValue]:
    """Return what plain sums come to, remembered as the sums are."""

    @lru_cache(maxsize=4_096)
    def value(numerator: float, denominator: float | None, settled: bool) -> KpiValue:  # noqa: FBT001
        return value_of(kpi.definition, Totals(numerator, denominator), settled=settled)

    return value


def value_of(definition: Definition, totals: Totals, *, settled: bool) -> KpiValue:
    """Return what totals come to; `settled` tells whether all that may come later has had its time."""
    if definition.kind is KpiKind.PROPORTION:
        return _proportion(definition, totals, settled=settled)
    if totals.counts:
        return _times(definition, totals, settled=settled)
    if definition.kind in (KpiKind.DURATION, KpiKind.MEAN):
        return _duration(definition, totals, settled=settled)
    if definition.per_lead:
        return _mean_level(totals, settled=settled)
    interval = poisson(totals.numerator) if definition.kind is KpiKind.COUNT else Interval(None, None)
    return KpiValue(
        value=totals.numerator,
        numerator=totals.numerator,
        denominator=None,
        sample_size=round(totals.numerator),
        low=interval.low,
        high=interval.high,
        status=Status.OK if settled else Status.PARTIAL,
    )


def _proportion(definition: Definition, totals: Totals, *, settled: bool) -> KpiValue:
    denominator = totals.denominator or 0
    share = rate(totals.numerator, denominator)
    if share is None:
        return no_data(totals)
    interval = wilson(totals.numerator, denominator)
    return KpiValue(
        value=share,
        numerator=totals.numerator,
        denominator=denominator,
        sample_size=round(denominator),
        low=interval.low,
        high=interval.high,
        status=_status(definition, round(denominator), settled=settled),
    )


def _duration(definition: Definition, totals: Totals, *, settled: bool) -> KpiValue:
    if not totals.spells:
        return no_data(totals)
    survival = kaplan_meier(totals.spells)
    return KpiValue(
        value=survival.median,
        numerator=survival.ended,
        denominator=len(totals.spells),
        sample_size=len(totals.spells),
        low=survival.interval.low,
        high=survival.interval.high,
        status=_status(definition, len(totals.spells), settled=settled and survival.running == 0),
        median=survival.median,
        p90=survival.p90,
        share=None if totals.denominator is None else rate(totals.numerator, totals.denominator),
    )


def _times(definition: Definition, totals: Totals, *, settled: bool) -> KpiValue:
    """A MEAN gives the mean, a DURATION the median; both are told beside it, for one says little without the other."""
    counts = _merged(totals.counts)
    sample = sum(times for _, times in counts)
    mean, median = counted_mean(counts), counted_quantile(counts, 0.5)
    averaged = definition.kind is KpiKind.MEAN
    interval = counted_mean_interval(counts) if averaged else counted_median_interval(counts)
    return KpiValue(
        value=mean if averaged else median,
        numerator=sum(value * times for value, times in counts) if averaged else sample,
        denominator=sample,
        sample_size=sample,
        low=interval.low,
        high=interval.high,
        status=_status(definition, sample, settled=settled),
        mean=mean,
        median=median,
        p90=counted_quantile(counts, 0.9),
    )


def _merged(counts: Sequence[tuple[float, int]]) -> list[tuple[float, int]]:
    together: dict[float, int] = {}
    for value, times in counts:
        together[value] = together.get(value, 0) + times
    return sorted((value, times) for value, times in together.items() if times)


def _mean_level(totals: Totals, *, settled: bool) -> KpiValue:
    """Of nobody there is no mean; who had some before still shows in the peak."""
    mean = rate(totals.numerator, totals.denominator or 0)
    if mean is None:
        return replace(no_data(totals), peak=totals.peak)
    return KpiValue(
        value=mean,
        numerator=totals.numerator,
        denominator=totals.denominator,
        sample_size=round(totals.denominator or 0),
        low=None,
        high=None,
        status=Status.OK if settled else Status.PARTIAL,
        peak=totals.peak,
    )


def _status(definition: Definition, sample: int, *, settled: bool) -> Status:
    """A small sample is said first: waiting doesn't make a value of three tickets trustworthy."""
    if sample < definition.min_sample:
        return Status.INSUFFICIENT_SAMPLE
    return Status.OK if settled else Status.PARTIAL


def no_data(totals: Totals) -> KpiValue:
    """Return the value of what cannot be told, such as a share of nothing."""
    return KpiValue(
        value=None,
        numerator=totals.numerator,
        denominator=totals.denominator or 0,
        sample_size=0,
        low=None,
        high=None,
        status=Status.NO_DATA,
    )
