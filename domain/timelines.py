"""Timelines: the buckets of an answer as they lie to its moment, begun or to come, over or not, settled or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from domain.kpi_definitions import REOPENING_HOURS, Settling
from domain.periods import Bucket, start_of_day

_REOPENING = timedelta(hours=REOPENING_HOURS)


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
