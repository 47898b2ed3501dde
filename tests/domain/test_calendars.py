from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calendars import ALL_DAY, NINE_TO_FIVE, Calendar, Hours, InvalidCalendar, Pauses, zone_named
from domain.onboarding import ScopeKind
from domain.own_calendars import Calendars
from domain.periods import Weekday
from domain.tenants import TenantSettings

BERLIN = ZoneInfo("Europe/Berlin")
MAY_DAY = date(2026, 5, 1)
OFFICE = Calendar.weekdays(BERLIN, holidays=frozenset({MAY_DAY}))
INSTANTS = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001


def at(day: int, hour: int, minute: int = 0, month: int = 5) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=BERLIN)


def test_business_days_skip_weekends_and_holidays() -> None:
    thursday = date(2026, 4, 30)
    assert OFFICE.add_business_days(thursday, 1) == date(2026, 5, 4)
    assert OFFICE.add_business_days(date(2026, 5, 4), -1) == thursday
    assert OFFICE.add_business_days(MAY_DAY, 0) == date(2026, 5, 4)
    assert OFFICE.add_business_days(thursday, 10) == date(2026, 5, 15)


def test_noon_to_noon_over_a_weekend_and_a_holiday_is_one_business_day() -> None:
    assert OFFICE.business_days_between(at(30, 13, month=4), at(4, 13)) == pytest.approx(1.0)
    assert OFFICE.business_seconds_between(at(30, 13, month=4), at(4, 13)) == 8 * 3600


def test_a_short_friday_worked_whole_is_one_business_day() -> None:
    calendar = Calendar(BERLIN, {Weekday.THURSDAY: NINE_TO_FIVE, Weekday.FRIDAY: (Hours(9 * 60, 13 * 60),)})
    assert calendar.business_days_between(at(15, 9), at(15, 13)) == pytest.approx(1.0)


def test_a_day_round_the_clock_counts_23_hours_when_the_clock_jumps() -> None:
    calendar = Calendar(BERLIN, dict.fromkeys(Weekday, ALL_DAY))
    start, end = at(29, 0, month=3), at(30, 0, month=3)
    assert calendar.business_seconds_between(start, end) == 23 * 3600
    assert calendar.business_days_between(start, end) == pytest.approx(1.0)


def test_impossible_calendars_are_refused_in_words() -> None:
    with pytest.raises(InvalidCalendar, match="at least one weekday"):
        Calendar(BERLIN, {})
    with pytest.raises(InvalidCalendar, match="overlap"):
        Calendar(BERLIN, {Weekday.MONDAY: (Hours(540, 800), Hours(700, 1020))})
    with pytest.raises(InvalidCalendar, match="open before they close"):
        Hours(600, 600)
    with pytest.raises(InvalidCalendar, match="Mars/Olympus"):
        zone_named("Mars/Olympus")


def test_a_calendar_comes_back_from_storage_as_it_went() -> None:
    assert Calendar.from_data(OFFICE.to_data()) == OFFICE


def test_settings_that_kept_the_country_beside_the_calendar_are_still_read() -> None:
    calendar = replace(OFFICE, country="DE", subdivision="BY", own_days=(MAY_DAY,))
    stored = TenantSettings(calendar).to_data()
    beside = {name: stored["calendar"].pop(name) for name in ("country", "subdivision", "own_days")}
    assert TenantSettings.from_data(stored | beside).calendar == calendar


def test_an_onboardings_calendar_is_its_sites_else_its_contracts_else_the_providers() -> None:
    site, contract = UUID(int=1), UUID(int=2)
    by_site, by_contract = replace(OFFICE, version=2), replace(OFFICE, version=3)
    calendars = Calendars(OFFICE, {site: by_site}, {contract: by_contract})
    assert calendars.counting(ScopeKind.SITE, site.hex, contract) is by_site
    assert calendars.counting(ScopeKind.SITE, UUID(int=9).hex, contract) is by_contract
    assert calendars.counting(ScopeKind.WHOLE_CLIENT, "", contract) is by_contract
    assert calendars.counting(ScopeKind.SERVICE, UUID(int=9).hex, None) is OFFICE


def test_a_zone_that_is_none_is_told_with_the_ones_nearest() -> None:
    with pytest.raises(InvalidCalendar, match="Europe/Lisbon"):
        zone_named("Europe/Lisbn")


@given(INSTANTS, INSTANTS, INSTANTS)
def test_business_time_adds_up_over_any_cut(one: datetime, two: datetime, three: datetime) -> None:
    for measure in (OFFICE.business_seconds_between, OFFICE.business_days_between):
        assert measure(one, two) + measure(two, three) == pytest.approx(measure(one, three), abs=1e-6)


@given(st.dates(date(2026, 1, 1), date(2026, 12, 31)), st.integers(1, 40))
def test_going_forth_and_back_returns_to_a_business_day(day: date, count: int) -> None:
    started = OFFICE.add_business_days(day, 0)
    assert OFFICE.add_business_days(OFFICE.add_business_days(started, count), -count) == started


def test_overlapping_pauses_count_once() -> None:
    pauses = Pauses.of([(at(5, 12), at(6, 12)), (at(4, 12), at(5, 18)), (at(9, 9), at(9, 9))])
    inside = list(pauses.within(at(5, 0), at(7, 0)))
    assert inside == [(at(5, 0), at(6, 12))]
    assert sum(((end - start) for start, end in pauses.spans), timedelta()) == timedelta(days=2)
