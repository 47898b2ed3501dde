"""A series is one figure over time: sums become values with interval, sample and status, formulas last."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cache, cached_property, lru_cache
from itertools import repeat
from zoneinfo import ZoneInfo

from domain.formulas import (
    Interval,
    Spell,
    counted_mean,
    counted_mean_interval,
    counted_median_interval,
    counted_quantile,
    kaplan_meier,
    poisson,
    rate,
    wilson,
)
from domain.kpi_definitions import REOPENING_HOURS, Settling
from domain.kpis import Definition, Kpi, KpiKind
from domain.periods import Bucket, start_of_day


class Status(StrEnum):
    """How far a value may be trusted."""

    OK = "OK"
    NO_DATA = "NO_DATA"
    SUPPRESSED = "SUPPRESSED"
    INSUFFICIENT_SAMPLE = "INSUFFICIENT_SAMPLE"
    PARTIAL = "PARTIAL"


@dataclass(frozen=True, slots=True)
class Totals:
    """What one bucket of one series adds up to, before any formula.

    A count has a numerator only. `spells` carry the durations of a DURATION; where they are a part of longer ones,
    the numerator sums them up and the denominator the whole. `peak` is the highest daily load of a level. `counts`
    are times that all are over, each with how often it came about.
    """

    numerator: float = 0
    denominator: float | None = None
    spells: tuple[Spell, ...] = ()
    peak: float | None = None
    counts: tuple[tuple[float, int], ...] = ()

    @property
    def plain(self) -> bool:
        """Whether they are sums and nothing else."""
        return not self.spells and not self.counts and self.peak is None

    def __add__(self, other: Totals) -> Totals:
        both = (self.denominator, other.denominator)
        return Totals(
            numerator=self.numerator + other.numerator,
            denominator=None if both == (None, None) else sum(part or 0 for part in both),
            spells=self.spells + other.spells,
            counts=self.counts + other.counts,
            peak=_highest(self.peak, other.peak),
        )


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


@dataclass(frozen=True, slots=True)
class Point:
    """The value of one bucket; `complete` is False when the period cuts it or it isn't over yet."""

    bucket: Bucket
    value: KpiValue
    complete: bool


@dataclass(frozen=True, slots=True)
class Moment:
    """The instant a figure is asked as of, in the tenant's zone, and how long escalations take to come."""

    now: datetime
    zone: ZoneInfo
    settling: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Placed:
    """A bucket as it lies to a moment: begun or still to come, over or not, settled or not."""

    bucket: Bucket
    begun: bool
    over: bool
    settled: Mapping[Settling, bool]

    @classmethod
    def at(cls, bucket: Bucket, moment: Moment) -> Placed:
        end = start_of_day(bucket.end, moment.zone)
        return cls(
            bucket=bucket,
            begun=start_of_day(bucket.start, moment.zone) <= moment.now,
            over=end <= moment.now,
            settled={
                Settling.AT_ITS_END: end <= moment.now,
                Settling.ESCALATIONS: end + moment.settling <= moment.now,
                Settling.REOPENINGS: end + _REOPENING <= moment.now,
            },
        )

    @property
    def complete(self) -> bool:
        return self.bucket.whole and self.over


@dataclass(frozen=True)
class Timeline:
    """The buckets of an answer as they lie to its moment; worked out once for all of its series."""

    buckets: tuple[Placed, ...]
    whole: Placed

    @classmethod
    def of(cls, buckets: Sequence[Bucket], moment: Moment) -> Timeline:
        whole = Bucket(buckets[0].start, buckets[-1].end, whole=True)
        return cls(tuple(Placed.at(bucket, moment) for bucket in buckets), Placed.at(whole, moment))

    @cached_property
    def _settled(self) -> dict[Settling, tuple[bool, ...]]:
        return {settling: tuple(placed.settled[settling] for placed in self.buckets) for settling in Settling}

    def settled(self, settling: Settling) -> tuple[bool, ...]:
        """Tell of each bucket whether what it waits for has had its time."""
        return self._settled[settling]

    @cached_property
    def starts(self) -> tuple[date, ...]:
        """The first day of each bucket."""
        return tuple(placed.bucket.start for placed in self.buckets)

    @cached_property
    def complete(self) -> tuple[bool, ...]:
        """Whether each bucket is whole and over."""
        return tuple(placed.complete for placed in self.buckets)


_REOPENING = timedelta(hours=REOPENING_HOURS)

NOTHING = Totals()


@lru_cache(maxsize=16_384)
def plain_sums(numerator: float, denominator: float | None = None) -> Totals:
    """Return plain sums; the same few come up again and again, for a client has few tickets in a month."""
    return Totals(numerator, denominator)


WHOLE = -1
"""The position of the whole period's own sums, where buckets don't add up to it."""


@dataclass(frozen=True)
class Series:
    """The sums of each bucket by its position, and the values they come to, each worked out when it is asked for.

    Never an average of averages: the total is the formula over all rows. Of a LEVEL, which is a state and
    no flow, the total is the last bucket that has begun, with the highest peak of all.
    """

    kpi: Kpi
    timeline: Timeline
    totals: Mapping[int, Totals]

    @cached_property
    def total(self) -> KpiValue:
        """The value of the whole period."""
        definition = self.kpi.definition
        if not definition.additive:
            return _at(self.kpi, self.timeline.whole, self.totals.get(WHOLE, NOTHING))
        if definition.kind is not KpiKind.LEVEL:
            return _at(self.kpi, self.timeline.whole, added(self.totals.values()))
        begun = [value for value, placed in zip(self.values, self.timeline.buckets, strict=True) if placed.begun]
        if not begun:
            return _no_data(NOTHING)
        peaks = [value.peak for value in begun if value.peak is not None]
        return replace(begun[-1], peak=max(peaks, default=None))

    @cached_property
    def values(self) -> tuple[KpiValue, ...]:
        """The value of each bucket."""
        found = [self.totals.get(position, NOTHING) for position in range(len(self.timeline.buckets))]
        if self.kpi.definition.kind is KpiKind.LEVEL or not all(one.plain for one in found):
            return tuple(map(_at, repeat(self.kpi), self.timeline.buckets, found))
        of_sums = _of_sums(self.kpi)
        settled = self.timeline.settled(self.kpi.definition.settling)
        return tuple([of_sums(one.numerator, one.denominator, late) for one, late in zip(found, settled, strict=True)])

    @cached_property
    def points(self) -> tuple[Point, ...]:
        """The value of each bucket with the bucket itself."""
        placed = zip(self.timeline.buckets, self.values, strict=True)
        return tuple(Point(one.bucket, value, one.complete) for one, value in placed)


def single(kpi: Kpi, placed: Placed, totals: Totals) -> KpiValue:
    """Return the value of one bucket by itself, such as a period to compare with."""
    return _at(kpi, placed, totals)


def _at(kpi: Kpi, placed: Placed, totals: Totals) -> KpiValue:
    definition = kpi.definition
    if definition.kind is KpiKind.LEVEL and not placed.begun:
        return _no_data(NOTHING)
    settled = placed.settled[definition.settling]
    if not totals.plain:
        return _value(definition, totals, settled=settled)
    return _of_sums(kpi)(totals.numerator, totals.denominator, settled)


@cache
def _of_sums(kpi: Kpi) -> Callable[[float, float | None, bool], KpiValue]:
    """Return what plain sums come to, remembered as the sums are."""

    @lru_cache(maxsize=4_096)
    def value(numerator: float, denominator: float | None, settled: bool) -> KpiValue:  # noqa: FBT001
        return _value(kpi.definition, Totals(numerator, denominator), settled=settled)

    return value


def _value(definition: Definition, totals: Totals, *, settled: bool) -> KpiValue:
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
        return _no_data(totals)
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
        return _no_data(totals)
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
        return replace(_no_data(totals), peak=totals.peak)
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


def _no_data(totals: Totals) -> KpiValue:
    return KpiValue(
        value=None,
        numerator=totals.numerator,
        denominator=totals.denominator or 0,
        sample_size=0,
        low=None,
        high=None,
        status=Status.NO_DATA,
    )


def added(several: Collection[Totals]) -> Totals:
    """Return the sum of any number of totals, in one go."""
    numerator, denominator, peak = 0.0, None, None
    spells: list[Spell] = []
    counts: list[tuple[float, int]] = []
    for one in several:
        numerator += one.numerator
        if one.denominator is not None:
            denominator = one.denominator + (denominator or 0)
        if one.peak is not None:
            peak = _highest(peak, one.peak)
        spells += one.spells
        counts += one.counts
    if not spells and not counts and peak is None:
        return plain_sums(numerator, denominator)
    return Totals(numerator, denominator, tuple(spells), peak, tuple(counts))


def _highest(one: float | None, other: float | None) -> float | None:
    return max((peak for peak in (one, other) if peak is not None), default=None)
