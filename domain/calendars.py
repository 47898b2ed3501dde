"""A calendar says which hours of which local days a provider works."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from typing import Any, Self
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from domain.periods import Weekday, local_day, start_of_day
from domain.wall_clocks import days_of_change, stretches

MINUTES_A_DAY = 24 * 60
_A_DAY = timedelta(days=1)

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
                f"Working hours from {clock_time(self.opens_minute)} to {clock_time(self.closes_minute)} are "
                "impossible: they open before they close, from 00:00 to 24:00 of one day."
            )

    def __str__(self) -> str:
        """Return the stretch as people write it, such as ``09:00-17:00``."""
        return f"{clock_time(self.opens_minute)}-{clock_time(self.closes_minute)}"


class CalendarSource(StrEnum):
    """Whose calendar it is."""

    TENANT = "TENANT"
    SITE = "SITE"
    CONTRACT = "CONTRACT"


NINE_TO_FIVE = (Hours(9 * 60, 17 * 60),)
ALL_DAY = (Hours(0, MINUTES_A_DAY),)


@dataclass(frozen=True, slots=True)
class Calendar:
    """Zone, working hours per weekday, week start and days off; a change makes a new version.

    `holidays` are all days off: the public ones of `country` and `subdivision` (ISO 3166), and `own_days`.
    `owner_id` names the site or contract that it is of.
    """

    zone: ZoneInfo
    hours: Mapping[Weekday, tuple[Hours, ...]]
    week_start: Weekday = Weekday.MONDAY
    holidays: frozenset[date] = frozenset()
    version: int = 1
    country: str | None = None
    subdivision: str | None = None
    own_days: tuple[date, ...] = ()
    source: CalendarSource = CalendarSource.TENANT
    owner_id: UUID | None = None

    def __post_init__(self) -> None:
        if not any(self.hours.values()):
            raise InvalidCalendar("A calendar needs working hours on at least one weekday.")
        for weekday, spans in self.hours.items():
            for earlier, later in pairwise(spans):
                if later.opens_minute < earlier.closes_minute:
                    raise InvalidCalendar(
                        f"The working hours of {weekday} overlap or are out of order: {earlier}, {later}."
                    )

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
        worked = self._worked_weekdays()
        step = timedelta(days=-1 if count < 0 else 1)
        if count == 0:
            return self._business_day(day, worked, step)
        moved, left = day, abs(count)
        # Whole weeks at a time, so far as even a week without a day off cannot go too far.
        while (weeks := (left - 1) // len(worked)) > 0:
            reached = moved + weeks * 7 * step
            jumped = (moved + step, reached + step) if count > 0 else (reached, moved)
            left -= sum(self._business_days_by_weekday(*jumped).values())
            moved = reached
        for _ in range(left):
            moved = self._business_day(moved + step, worked, step)
        return moved

    def business_days_in(self, start: date, end: date) -> int:
        """Return how many of the local days from `start` up to, but without, `end` are business days."""
        return sum(self._business_days_by_weekday(start, end).values())

    def business_seconds_between(self, start: datetime, end: datetime) -> float:
        """Return the worked seconds between two instants; negative when `end` comes first."""
        return self._worked_between(start, end)[0]

    def business_days_between(self, start: datetime, end: datetime) -> float:
        """Return the business days between two instants, as fractions of each day's own working time.

        Monday noon to Tuesday noon of a nine-to-five week is 1.0, and so is a short Friday worked whole.
        """
        return self._worked_between(start, end)[1]

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
            "country": self.country,
            "subdivision": self.subdivision,
            "own_days": [day.isoformat() for day in self.own_days],
        }

    @classmethod
    def from_data(
        cls, data: Mapping[str, Any], source: CalendarSource = CalendarSource.TENANT, owner_id: UUID | None = None
    ) -> Self:
        """Read what `to_data` wrote; whose it is stands beside it.

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
            country=data.get("country"),
            subdivision=data.get("subdivision"),
            own_days=tuple(date.fromisoformat(day) for day in data.get("own_days", ())),
            source=source,
            owner_id=owner_id,
        )

    def _worked_weekdays(self) -> frozenset[int]:
        return frozenset(weekday.number for weekday, spans in self.hours.items() if spans)

    def _business_day(self, day: date, worked: frozenset[int], step: timedelta) -> date:
        candidate = day
        for _ in range(LONGEST_SEARCH_DAYS):
            if candidate.weekday() in worked and candidate not in self.holidays:
                return candidate
            candidate += step
        raise InvalidCalendar(f"The calendar has no business day within {LONGEST_SEARCH_DAYS} days of {day}.")

    def _worked_between(self, start: datetime, end: datetime) -> tuple[float, float]:
        """Return the seconds and the business days worked between two instants.

        The first and the last day are measured, and those on which the clock is changed; of all others between it
        is enough to know how many there are of each weekday.
        """
        # Two moments of one zone are compared and taken apart by their walls, not by what passed.
        start, end = start.astimezone(UTC), end.astimezone(UTC)
        if end < start:
            seconds, days = self._worked_between(end, start)
            return -seconds, -days
        first, last = local_day(start, self.zone), local_day(end, self.zone)
        changed = {
            day
            for year in range(first.year, last.year + 1)
            for day in days_of_change(self.zone, year)
            if first < day < last
        }
        seconds = days = 0.0
        for day in sorted(changed | {first, last}):
            spans = self._open_instants(day)
            whole = sum((closes - opens).total_seconds() for opens, closes in spans)
            worked = sum(max(0.0, (min(closes, end) - max(opens, start)).total_seconds()) for opens, closes in spans)
            seconds += worked
            days += worked / whole if whole else 0.0
        for weekday, count in self._business_days_by_weekday(first + _A_DAY, last, changed).items():
            seconds += count * 60.0 * sum(span.closes_minute - span.opens_minute for span in self.hours[weekday])
            days += count
        return seconds, days

    def _business_days_by_weekday(self, start: date, end: date, but: Collection[date] = ()) -> dict[Weekday, int]:
        """Count the business days of a half-open run of local days by their weekday, but for some."""
        length = max(0, (end - start).days)
        counts = [(length + 6 - (place - start.weekday()) % 7) // 7 for place in range(7)]
        for day in self.holidays.union(but):
            if start <= day < end:
                counts[day.weekday()] -= 1
        return {weekday: counts[weekday.number] for weekday, spans in self.hours.items() if spans}

    def _open_instants(self, day: date) -> Sequence[tuple[datetime, datetime]]:
        """Return when a local day is worked."""
        spans = () if day in self.holidays else self.hours.get(Weekday.of(day), ())
        return _worked(day, spans, self.zone) if spans else ()


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


@lru_cache(maxsize=4096)
def _worked(day: date, spans: tuple[Hours, ...], zone: ZoneInfo) -> tuple[tuple[datetime, datetime], ...]:
    """Return when a local day is worked: whenever the clock on the wall shows a working hour.

    An hour that the clock skips is not worked, and one that it shows twice is worked twice.
    """
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    worked = []
    for begins, ends, offset in stretches(start_of_day(day, zone), start_of_day(day + _A_DAY, zone), zone):
        for span in spans:
            opens = max(begins, midnight + timedelta(minutes=span.opens_minute) - offset)
            closes = min(ends, midnight + timedelta(minutes=span.closes_minute) - offset)
            if opens < closes:
                worked.append((opens, closes))
    return tuple(worked)


def zone_named(name: str) -> ZoneInfo:
    """Return the IANA zone of this name.

    Raises InvalidCalendar when there is none.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        near = get_close_matches(name, available_timezones(), n=3) or ["Europe/Berlin", "UTC"]
        raise InvalidCalendar(f"{name!r} is no time zone. Use a name like {' or '.join(near)}.") from error


def clock_time(minute: int) -> str:
    """Return a minute of the day as people write it, such as ``09:30``; the end of the day is ``24:00``."""
    return f"{minute // 60:02d}:{minute % 60:02d}"
