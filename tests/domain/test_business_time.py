"""Business time against a slow count that walks the clock step by step and asks the wall what time it is."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from math import floor
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from domain.calendars import Calendar, Hours
from domain.definitions import Rules
from domain.effects import held_business_days, target_of
from domain.gates import Evidence
from domain.onboarding import Hold, HoldReason
from domain.periods import Weekday
from domain.stages import Stage

# Beside the usual ones: half an hour of summer time (Lord Howe), two hours (Troll), a change at midnight (Cairo,
# Havana, Beirut, Azores, Sao Paulo), one twice around Ramadan (Casablanca), and offsets that are no whole hours.
ZONES = (
    "Europe/Amsterdam",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Asia/Riyadh",
    "Africa/Cairo",
    "Africa/Casablanca",
    "America/Havana",
    "America/Sao_Paulo",
    "America/St_Johns",
    "Antarctica/Troll",
    "Asia/Beirut",
    "Asia/Kathmandu",
    "Atlantic/Azores",
    "UTC",
)

Week = dict[int, tuple[tuple[int, int], ...]]
"""Working minutes of the day by weekday, Monday 0: the test's own words for what a calendar says."""

MONDAY_TO_FRIDAY: Week = dict.fromkeys(range(5), ((540, 1020),))
SUNDAY_TO_THURSDAY: Week = dict.fromkeys((6, 0, 1, 2, 3), ((480, 720), (780, 960)))
MONDAY_TO_SATURDAY: Week = {**dict.fromkeys(range(5), ((480, 1080),)), 5: ((540, 780),)}
ROUND_THE_CLOCK: Week = dict.fromkeys(range(7), ((0, 1440),))
NIGHTS: Week = dict.fromkeys(range(7), ((0, 135), (150, 165), (1320, 1440)))
IN_THE_GAP: Week = {6: ((120, 180),), 3: ((0, 60),), 4: ((0, 60),)}
SHAPES = (MONDAY_TO_FRIDAY, SUNDAY_TO_THURSDAY, MONDAY_TO_SATURDAY, ROUND_THE_CLOCK, NIGHTS, IN_THE_GAP)


@lru_cache
def days_with_a_change(zone: str) -> tuple[date, ...]:
    """Return the days of some years around which the zone's offset becomes another, seen from noon to noon."""
    noons = [datetime(2015, 1, 1, 12, tzinfo=UTC) + timedelta(days=n) for n in range(20 * 365)]
    offsets = [noon.astimezone(ZoneInfo(zone)).utcoffset() for noon in noons]
    return tuple(noon.date() for noon, old, new in zip(noons[1:], offsets, offsets[1:], strict=False) if old != new)


@st.composite
def settings_of_time(draw: st.DrawFn) -> tuple[Calendar, Week, frozenset[date], datetime]:
    """Draw a calendar, what it says in the test's own words, and a moment, often near a change of the clock."""
    zone = draw(st.sampled_from(ZONES))
    week = draw(st.sampled_from(SHAPES))
    days = st.dates(date(2015, 1, 1), date(2034, 12, 1))
    if days_with_a_change(zone):
        days |= st.sampled_from(days_with_a_change(zone))
    around = draw(days)
    start = datetime(around.year, around.month, around.day, tzinfo=UTC) + timedelta(
        seconds=draw(st.integers(-3 * 86_400, 2 * 86_400))
    )
    off = draw(st.frozensets(st.integers(-20, 60), max_size=12))
    holidays = frozenset(around + timedelta(days=n) for n in off)
    hours = {tuple(Weekday)[day]: tuple(Hours(*span) for span in spans) for day, spans in week.items()}
    return Calendar(ZoneInfo(zone), hours, holidays=holidays), week, holidays, start


class SlowCount:
    """The definition, read aloud: a moment is worked if the clock on the wall shows a working hour of a working day."""

    def __init__(self, zone: ZoneInfo, week: Mapping[int, tuple[tuple[int, int], ...]], off: frozenset[date]) -> None:
        self.zone, self.week, self.off = zone, week, off
        self.of_a_day: dict[date, float] = {}

    def worked(self, moment: datetime) -> bool:
        wall = moment.astimezone(self.zone)
        minute = wall.hour * 60 + wall.minute
        return wall.date() not in self.off and any(a <= minute < b for a, b in self.week.get(wall.weekday(), ()))

    def pieces(self, start: datetime, end: datetime, step: int) -> Iterator[tuple[datetime, float]]:
        """Cut the time between two instants at every full step of minutes; give each piece's begin and seconds."""
        at = start
        while at < end:
            full = at.replace(minute=at.minute // step * step, second=0, microsecond=0)
            until = min(full + timedelta(minutes=step), end)
            yield at, (until - at).total_seconds()
            at = until

    def seconds(self, start: datetime, end: datetime, step: int) -> float:
        return sum(length for at, length in self.pieces(start, end, step) if self.worked(at))

    def days(self, start: datetime, end: datetime, step: int) -> float:
        total = 0.0
        for at, length in self.pieces(start, end, step):
            if self.worked(at):
                total += length / self.whole(at.astimezone(self.zone).date(), step)
        return total

    def whole(self, day: date, step: int) -> float:
        if day not in self.of_a_day:
            noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
            near = self.pieces(noon - timedelta(hours=40), noon + timedelta(hours=40), step)
            own = [(at, length) for at, length in near if at.astimezone(self.zone).date() == day]
            self.of_a_day[day] = sum(length for at, length in own if self.worked(at))
        return self.of_a_day[day]

    def business_day(self, day: date) -> bool:
        return day not in self.off and day.weekday() in self.week

    def add(self, day: date, count: int) -> date:
        if count == 0:
            while not self.business_day(day):
                day += timedelta(days=1)
            return day
        passed = 0
        while passed < abs(count):
            day += timedelta(days=1 if count > 0 else -1)
            passed += self.business_day(day)
        return day

    def end_of(self, day: date) -> datetime:
        """Return the first full minute on which the wall shows a later day."""
        at = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=14)
        while at.astimezone(self.zone).date() <= day:
            at += timedelta(minutes=1)
        return at


@settings(max_examples=150, deadline=None)
@given(settings_of_time(), st.integers(0, 9 * 86_400))
def test_some_days_of_work_are_those_that_a_count_minute_by_minute_finds(
    given_time: tuple[Calendar, Week, frozenset[date], datetime], seconds: int
) -> None:
    calendar, week, off, start = given_time
    end = start + timedelta(seconds=seconds)
    slow = SlowCount(calendar.zone, week, off)
    assert calendar.business_seconds_between(start, end) == pytest.approx(slow.seconds(start, end, 1), abs=1e-6)
    assert calendar.business_days_between(start, end) == pytest.approx(slow.days(start, end, 1), abs=1e-9)
    assert calendar.business_days_between(end, start) == -calendar.business_days_between(start, end)
    on_the_wall = (start.astimezone(calendar.zone), end.astimezone(calendar.zone))
    assert calendar.business_seconds_between(*on_the_wall) == calendar.business_seconds_between(start, end)


@settings(max_examples=40, deadline=None)
@given(settings_of_time(), st.integers(0, 500 * 96))
def test_years_of_work_are_those_that_a_count_by_quarters_of_an_hour_finds(
    given_time: tuple[Calendar, Week, frozenset[date], datetime], quarters: int
) -> None:
    calendar, week, off, start = given_time
    end = start + timedelta(minutes=15 * quarters)
    slow = SlowCount(calendar.zone, week, off)
    assert calendar.business_seconds_between(start, end) == pytest.approx(slow.seconds(start, end, 15), abs=1e-6)
    assert calendar.business_days_between(start, end) == pytest.approx(slow.days(start, end, 15), abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(settings_of_time(), st.integers(0, 40 * 86_400), st.integers(0, 40 * 86_400))
def test_two_spans_that_meet_add_up_to_the_whole(
    given_time: tuple[Calendar, Week, frozenset[date], datetime], first: int, second: int
) -> None:
    calendar, _, _, start = given_time
    middle = start + timedelta(seconds=first)
    end = middle + timedelta(seconds=second)
    whole = calendar.business_days_between(start, end)
    parts = calendar.business_days_between(start, middle) + calendar.business_days_between(middle, end)
    assert parts == pytest.approx(whole, abs=1e-9)


@settings(max_examples=300, deadline=None)
@given(settings_of_time(), st.integers(-1_500, 1_500) | st.integers(-12, 12))
def test_business_days_ahead_and_back_are_those_that_a_walk_day_by_day_comes_to(
    given_time: tuple[Calendar, Week, frozenset[date], datetime], count: int
) -> None:
    calendar, week, off, start = given_time
    slow = SlowCount(calendar.zone, week, off)
    assert calendar.add_business_days(start.date(), count) == slow.add(start.date(), count)


def _hold(start: datetime, begins: int, lasts: int) -> Hold:
    held_at = start + timedelta(minutes=begins)
    resumed_at = held_at + timedelta(minutes=lasts)
    return Hold(UUID(int=1), UUID(int=2), HoldReason.CLIENT, None, held_at, None, resumed_at)


def _nothing_known(now: datetime, calendar: Calendar) -> Evidence:
    today = now.astimezone(calendar.zone).date()
    return Evidence(
        now=now,
        today=today,
        entered_on=today,
        contract=None,
        lead_active=True,
        primary_contacts=0,
        surveyable=(),
        devices_discovered=0,
        devices_managed=0,
        devices_explained=0,
        devices_pending_overdue=0,
        last_discovery_at=None,
        critical_services=0,
        critical_unmapped=(),
        open_priority_1=0,
        recent_tickets=0,
        recent_escalated=0,
        escalation_rate_limit=None,
        attested={},
        waived={},
    )


_BEFORE_A_HOLD = st.lists(st.tuples(st.integers(0, 3 * 1440), st.integers(1, 4 * 1440)), max_size=3)


@settings(max_examples=80, deadline=None)
@given(settings_of_time(), st.integers(0, 30), _BEFORE_A_HOLD)
@example((Calendar.weekdays(ZoneInfo("UTC")), MONDAY_TO_FRIDAY, frozenset(), datetime(2026, 3, 2, tzinfo=UTC)), 10, [])
def test_a_target_is_the_end_of_the_day_that_a_slow_count_over_days_and_holds_comes_to(
    given_time: tuple[Calendar, Week, frozenset[date], datetime], days: int, pairs: list[tuple[int, int]]
) -> None:
    calendar, week, off, start = given_time
    slow = SlowCount(calendar.zone, week, off)
    holds, at = [], 0
    for wait, lasts in pairs:
        holds.append(_hold(start, at + wait, lasts))
        at += wait + lasts
    now = start + timedelta(minutes=at)
    held = sum(slow.days(hold.held_at, hold.resumed_at or now, 1) for hold in holds)
    assert held_business_days(holds, start, now, calendar) == pytest.approx(held, abs=1e-9)
    assume(abs(held % 1 - 0.5) > 1e-6)  # exactly half a day is rounded by a float's last bit
    rules = Rules(target_business_days={Stage.ASSET_DISCOVERY: days})
    target = target_of(
        Stage.ASSET_DISCOVERY, start, rules, _nothing_known(now, calendar), calendar, held_business_days=held
    )
    last_day = slow.add(start.astimezone(calendar.zone).date(), days + floor(held + 0.5))
    assert target == slow.end_of(last_day)
