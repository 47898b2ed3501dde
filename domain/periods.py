"""A period is a half-open run of local days; buckets cut it by day, week, month, quarter or year."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

LONGEST_PERIOD_DAYS = 7_320
"""Twenty years: longer than any provider's ticket history, short enough to answer."""

FIRST_YEAR, LAST_YEAR = 1900, 2300
"""The years of which a period may speak: wider than any ticket's, and far from where the calendar ends."""

MOST_BUCKETS = 1_100
"""Three years of days: more points than a chart can show."""


class InvalidPeriod(ValueError):
    """A period is reversed, empty, too long, in no year of ours or has too many buckets; the message says which."""


class Grain(StrEnum):
    """How wide one bucket of a series is."""

    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"
    QUARTER = "QUARTER"
    YEAR = "YEAR"


class Weekday(StrEnum):
    """A day of the week; `number` is Python's, Monday is 0."""

    MONDAY = "MONDAY"
    TUESDAY = "TUESDAY"
    WEDNESDAY = "WEDNESDAY"
    THURSDAY = "THURSDAY"
    FRIDAY = "FRIDAY"
    SATURDAY = "SATURDAY"
    SUNDAY = "SUNDAY"

    @property
    def number(self) -> int:
        """Monday is 0, Sunday is 6, as in `date.weekday()`."""
        return _WEEKDAYS.index(self)

    @classmethod
    def of(cls, day: date) -> Weekday:
        """Return the weekday of a local day."""
        return _WEEKDAYS[day.weekday()]


_WEEKDAYS = tuple(Weekday)


@dataclass(frozen=True, slots=True)
class Period:
    """The local days from `start` up to, but without, `end`."""

    start: date
    end: date

    def __post_init__(self) -> None:
        """Refuse what is reversed, empty, longer than twenty years or far from any year of ours."""
        if self.end <= self.start:
            message = (
                f"The period from {self.start} to {self.end} has no day in it: "
                "`to` is the day after the last one and must be later than `from`."
            )
            raise InvalidPeriod(message)
        if self.days > LONGEST_PERIOD_DAYS:
            message = (
                f"The period from {self.start} to {self.end} has {self.days} days; "
                f"ask for at most {LONGEST_PERIOD_DAYS} at a time."
            )
            raise InvalidPeriod(message)
        if not FIRST_YEAR <= self.start.year <= self.end.year <= LAST_YEAR:
            message = (
                f"The period from {self.start} to {self.end} lies outside the years {FIRST_YEAR} to {LAST_YEAR}; "
                "ask for days within them."
            )
            raise InvalidPeriod(message)

    @property
    def days(self) -> int:
        """How many local days it has."""
        return (self.end - self.start).days

    @property
    def whole_months(self) -> bool:
        """Whether it begins and ends on the first day of a month."""
        return self.start.day == 1 and self.end.day == 1

    def previous(self) -> Period:
        """Return the period just before: as many months if it is whole months, else as many days."""
        if self.whole_months:
            months = (self.end.year - self.start.year) * 12 + self.end.month - self.start.month
            return Period(_add_months(self.start, -months), self.start)
        return Period(self.start - timedelta(days=self.days), self.start)

    def year_before(self) -> Period:
        """Return the same days one year earlier; 29 February becomes the 28th."""
        start, end = _add_months(self.start, -12), _add_months(self.end, -12)
        return Period(start, end) if end > start else Period(start, start + timedelta(days=1))

    def instants(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """Return the UTC instants between which these local days lie, half-open."""
        return start_of_day(self.start, zone), start_of_day(self.end, zone)


@dataclass(frozen=True, slots=True)
class Bucket:
    """The part of one day, week, month, quarter or year that lies inside the period."""

    start: date
    end: date
    whole: bool
    """False when the period cuts it, so that it holds fewer days than its name says."""


@lru_cache(maxsize=256)
def buckets(period: Period, grain: Grain, week_start: Weekday = Weekday.MONDAY) -> tuple[Bucket, ...]:
    """Cut a period into its buckets, in order.

    Raises InvalidPeriod when there would be more than `MOST_BUCKETS`.
    """
    estimate = period.days // _SHORTEST_DAYS[grain]
    if estimate > MOST_BUCKETS:
        message = (
            f"{period.days} days by {grain} make about {estimate} points; at most {MOST_BUCKETS} "
            "are given at a time. Ask for a shorter period or a coarser grain."
        )
        raise InvalidPeriod(message)
    edges = [bucket_start(period.start, grain, week_start)]
    while edges[-1] < period.end:
        edges.append(_next_start(edges[-1], grain))
    return tuple(
        Bucket(
            start=max(start, period.start),
            end=min(end, period.end),
            whole=start >= period.start and end <= period.end,
        )
        for start, end in pairwise(edges)
    )


def bucket_start(day: date, grain: Grain, week_start: Weekday = Weekday.MONDAY) -> date:
    """Return the first day of the bucket in which a day lies."""
    if grain is Grain.DAY:
        return day
    if grain is Grain.WEEK:
        return day - timedelta(days=(day.weekday() - week_start.number) % 7)
    if grain is Grain.MONTH:
        return day.replace(day=1)
    if grain is Grain.QUARTER:
        return date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
    return date(day.year, 1, 1)


@lru_cache(maxsize=16_384)
def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """Return the UTC instant at which a local day begins.

    Where the clock skips midnight the day begins at the first moment that exists; where midnight
    comes twice, at the first. Two neighbouring days therefore always meet, and a day may last 23
    or 25 hours.
    """
    # fold=0 reads a midnight that doesn't exist with the offset from before the jump, which is the
    # moment of the jump itself, and a midnight that comes twice as the earlier one.
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


def local_day(instant: datetime, zone: ZoneInfo) -> date:
    """Return the local day on which an instant lies."""
    return instant.astimezone(zone).date()


_SHORTEST_DAYS = {Grain.DAY: 1, Grain.WEEK: 7, Grain.MONTH: 28, Grain.QUARTER: 90, Grain.YEAR: 365}


def _next_start(start: date, grain: Grain) -> date:
    if grain is Grain.DAY:
        return start + timedelta(days=1)
    if grain is Grain.WEEK:
        return start + timedelta(days=7)
    return _add_months(start, {Grain.MONTH: 1, Grain.QUARTER: 3, Grain.YEAR: 12}[grain])


def _add_months(day: date, months: int) -> date:
    """Move a date by calendar months; a day that the month lacks becomes its last one."""
    number = day.year * 12 + day.month - 1 + months
    year, month = divmod(number, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, min(day.day, last))
        except ValueError:
            continue
    message = f"{day} moved by {months} months lies outside the calendar."
    raise InvalidPeriod(message)
