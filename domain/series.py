"""A series is one figure over time: sums become values, bucket by bucket and as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import repeat

from domain.kpi_values import KpiValue, no_data, of_sums, value_of
from domain.kpis import Kpi, KpiKind
from domain.periods import Bucket
from domain.timelines import Placed, Timeline
from domain.totals import NOTHING, WHOLE, PlainSums, Totals, together


@dataclass(frozen=True, slots=True)
class Point:
    """The value of one bucket; `complete` is False when the period cuts it or it isn't over yet."""

    bucket: Bucket
    value: KpiValue
    complete: bool


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
            return _at(self.kpi, self.timeline.whole, together(self.totals))
        begun = [value for value, placed in zip(self.values, self.timeline.buckets, strict=True) if placed.begun]
        if not begun:
            return no_data(NOTHING)
        peaks = [value.peak for value in begun if value.peak is not None]
        return replace(begun[-1], peak=max(peaks, default=None))

    @cached_property
    def values(self) -> tuple[KpiValue, ...]:
        """The value of each bucket."""
        level = self.kpi.definition.kind is KpiKind.LEVEL
        settled = self.timeline.settled(self.kpi.definition.settling)
        if isinstance(self.totals, PlainSums) and not level:
            return tuple(map(of_sums(self.kpi), *self.totals.in_order(len(settled)), settled))
        found = [self.totals.get(position, NOTHING) for position in range(len(self.timeline.buckets))]
        if level or not all(one.plain for one in found):
            return tuple(map(_at, repeat(self.kpi), self.timeline.buckets, found))
        value = of_sums(self.kpi)
        return tuple([value(one.numerator, one.denominator, late) for one, late in zip(found, settled, strict=True)])

    @cached_property
    def points(self) -> tuple[Point, ...]:
        """The value of each bucket with the bucket itself."""
        placed = zip(self.timeline.buckets, self.values, strict=True)
        return tuple(Point(one.bucket, value, one.complete) for one, value in placed)


def many(kpi: Kpi, timeline: Timeline, several: Sequence[Mapping[int, Totals]]) -> list[Series]:
    """Return a series for each of several sums; what plain ones come to as a whole is worked out as one column."""
    made = [Series(kpi, timeline, sums) for sums in several]
    definition = kpi.definition
    plain = [sums for sums in several if isinstance(sums, PlainSums)]
    if definition.additive and definition.kind is not KpiKind.LEVEL and len(plain) == len(several):
        settled = repeat(timeline.whole.settled[definition.settling])
        numerators, denominators = [sums.numerator for sums in plain], [sums.denominator for sums in plain]
        for one, total in zip(made, map(of_sums(kpi), numerators, denominators, settled), strict=True):
            one.__dict__["total"] = total  # where the property would keep it
    return made


def single(kpi: Kpi, placed: Placed, totals: Totals) -> KpiValue:
    """Return the value of one bucket by itself, such as a period to compare with."""
    return _at(kpi, placed, totals)


def _at(kpi: Kpi, placed: Placed, totals: Totals) -> KpiValue:
    definition = kpi.definition
    if definition.kind is KpiKind.LEVEL and not placed.begun:
        return no_data(NOTHING)
    settled = placed.settled[definition.settling]
    if not totals.plain:
        return value_of(definition, totals, settled=settled)
    return of_sums(kpi)(totals.numerator, totals.denominator, settled)
