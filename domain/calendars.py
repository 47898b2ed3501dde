"""A calendar says which hours of which local days a provider works."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain.periods import Weekday, local_day, start_of_day

MINUTES_A_DAY = 24 * 60

LONGEST_SEARCH_DAYS = 366
"""No calendar closes for longer than a year; one that does is a mistake, and is refused."""


class InvalidCalendar(ValueError):
    """A calendar has no working hours, hours that overlap, or an unknown zone; the message says which."""


@dataclass(frozen=True, slots=True, order=True)
class Hours:
    """One stretch of work within a local day, in minutes after midnight, half-open."""

    opens_minute: int
    closes_minute: int

    def __post_init__(self) -> None:
        if not 0 <= self.opens_minute < self.closes_minute <= MINUTES_A_DAY:
            raise InvalidCalendar(
                f"Working hours from minute {self.opens_minute} to minute {self.closes_minute} are impossible: "
                f"they open before they close, within 0 and {MINUTES_A_DAY}."
            )


NINE_TO_FIVE = (Hours(9 * 60, 17 * 60),)
ALL_DAY = (Hours(0, MINUTES_A_DAY),)


@dataclass(frozen=True, slots=True)
class Calendar:
    """Zone, working hours per weekday, week start and days off; a change makes a new version."""

    zone: ZoneInfo
    hours: Mapping[Weekday, tuple[Hours, ...]]
    week_start: Weekday = Weekday.MONDAY
    holidays: frozenset[date] = frozenset()
    version: int = 1

    def __post_init__(self) -> None:
        if not any(self.hours.values()):
            raise InvalidCalendar("A calendar needs working hours on at least one weekday.")
        for weekday, spans in self.hours.items():
            for earlier, later in pairwise(spans):
                if later.opens_minute < earlier.closes_minute:
                    raise InvalidCalendar(f"The working hours of {weekday} overlap or are out of order: {spans}.")

    @classmethod
    def weekdays(cls, zone: ZoneInfo, *, holidays: frozenset[date] = frozenset()) -> Self:
        """Return the usual calendar: Monday to Friday, nine to five."""
        return cls(zone=zone, hours=dict.fromkeys(list(Weekday)[:5], NINE_TO_FIVE), holidays=holidays)

    def is_business_day(self, day: date) -> bool:
        """Whether any hour of this local day is worked."""
        return day not in self.holidays and bool(self.hours.get(Weekday.of(day)))

    def add_business_days(self, day: date, count: int) -> date:
        """Return the business day that lies `count` business days after (or, if negative, before) a local day.

        With 0 the day itself, or the next business day when it is none.
        """
        worked = frozenset(weekday.number for weekday, spans in self.hours.items() if spans)
        step = timedelta(days=-1 if count < 0 else 1)
        moved = day if count else self._business_day(day, worked, step)
        for _ in range(abs(count)):
            moved = self._business_day(moved + step, worked, step)
        return moved

    def business_seconds_between(self, start: datetime, end: datetime) -> float:
        """Return the worked seconds between two instants; negative when `end` comes first."""
        if end < start:
            return -self.business_seconds_between(end, start)
        return sum(worked for worked, _ in self._days_between(start, end))

    def business_days_between(self, start: datetime, end: datetime) -> float:
        """Return the business days between two instants, as fractions of each day's own working time.

        Monday noon to Tuesday noon of a nine-to-five week is 1.0, and so is a short Friday worked whole.
        """
        if end < start:
            return -self.business_days_between(end, start)
        return sum(worked / whole for worked, whole in self._days_between(start, end))

    def to_data(self) -> dict[str, Any]:
        """Return the calendar as plain values for storage; `from_data` reads them back."""
        return {
            "zone": self.zone.key,
            "hours": {
                weekday.value: [[span.opens_minute, span.closes_minute] for span in spans]
                for weekday, spans in self.hours.items()
            },
            "week_start": self.week_start.value,
            "holidays": [day.isoformat() for day in sorted(self.holidays)],
            "version": self.version,
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_data` wrote.

        Raises InvalidCalendar for an unknown zone or impossible hours.
        """
        return cls(
            zone=zone_named(data["zone"]),
            hours={
                Weekday(weekday): tuple(Hours(opens, closes) for opens, closes in spans)
                for weekday, spans in data["hours"].items()
            },
            week_start=Weekday(data["week_start"]),
            holidays=frozenset(date.fromisoformat(day) for day in data["holidays"]),
            version=data["version"],
        )

    def _business_day(self, day: date, worked: frozenset[int], step: timedelta) -> date:
        candidate = day
        for _ in range(LONGEST_SEARCH_DAYS):
            if candidate.weekday() in worked and candidate not in self.holidays:
                return candidate
            candidate += step
        raise InvalidCalendar(f"The calendar has no business day within {LONGEST_SEARCH_DAYS} days of {day}.")

    def _days_between(self, start: datetime, end: datetime) -> Iterator[tuple[float, float]]:
        """Give, for every business day touched, the seconds worked inside and those of the whole day."""
        day, last = local_day(start, self.zone), local_day(end, self.zone)
        while day <= last:
            spans = self._open_instants(day)
            whole = sum((closes - opens).total_seconds() for opens, closes in spans)
            worked = sum(max(0.0, (min(closes, end) - max(opens, start)).total_seconds()) for opens, closes in spans)
            if whole and worked:
                yield worked, whole
            day += timedelta(days=1)

    def _open_instants(self, day: date) -> list[tuple[datetime, datetime]]:
        if day in self.holidays:
            return []
        spans = self.hours.get(Weekday.of(day), ())
        return [(self._instant(day, span.opens_minute), self._instant(day, span.closes_minute)) for span in spans]

    def _instant(self, day: date, minute: int) -> datetime:
        if minute == MINUTES_A_DAY:
            return start_of_day(day + timedelta(days=1), self.zone)
        wall = datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=self.zone)
        return wall.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Pauses:
    """Stretches of time that a clock doesn't count, such as holds; overlapping ones are merged."""

    spans: tuple[tuple[datetime, datetime], ...]

    @classmethod
    def of(cls, spans: list[tuple[datetime, datetime]]) -> Self:
        merged: list[tuple[datetime, datetime]] = []
        for start, end in sorted(spans):
            if merged and start <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(merged[-1][1], end))
            elif end > start:
                merged.append((start, end))
        return cls(tuple(merged))

    def within(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Give the parts of the pauses that lie between two instants."""
        first = max(0, bisect_right(self.spans, start, key=lambda span: span[0]) - 1)
        for opens, closes in self.spans[first:]:
            if opens >= end:
                return
            if closes > start:
                yield max(opens, start), min(closes, end)


def zone_named(name: str) -> ZoneInfo:
    """Return the IANA zone of this name.

    Raises InvalidCalendar when there is none.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidCalendar(f"{name!r} is no time zone. Use a name like Europe/Berlin or UTC.") from error
