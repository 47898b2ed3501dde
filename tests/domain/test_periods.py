import itertools
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.periods import Grain, InvalidPeriod, Period, Weekday, bucket_start, buckets, start_of_day

BERLIN = ZoneInfo("Europe/Berlin")
DAYS = st.dates(date(1990, 1, 1), date(2100, 1, 1))
ZONES = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/Sao_Paulo", "America/Havana", "Pacific/Apia", "Asia/Kathmandu"]
)


def test_a_reversed_or_empty_period_is_refused_by_name() -> None:
    with pytest.raises(InvalidPeriod, match="2026-03-02 to 2026-03-01"):
        Period(date(2026, 3, 2), date(2026, 3, 1))
    with pytest.raises(InvalidPeriod, match="no day in it"):
        Period(date(2026, 3, 2), date(2026, 3, 2))


def test_a_period_of_thirty_years_and_a_series_of_too_many_points_are_refused() -> None:
    with pytest.raises(InvalidPeriod, match="at most 7320"):
        Period(date(1996, 1, 1), date(2026, 1, 1))
    with pytest.raises(InvalidPeriod, match="coarser grain"):
        buckets(Period(date(2016, 1, 1), date(2026, 1, 1)), Grain.DAY)


@pytest.mark.parametrize(
    ("start", "end"),
    [(date.min, date(1, 1, 2)), (date(9999, 12, 30), date.max), (date(1899, 12, 31), date(1900, 1, 2))],
)
def test_a_period_far_from_any_year_of_ours_is_refused_by_name(start: date, end: date) -> None:
    with pytest.raises(InvalidPeriod, match=f"{start} to {end} lies outside the years 1900 to 2300"):
        Period(start, end)


def test_days_of_a_clock_change_last_23_and_25_hours() -> None:
    spring, autumn = date(2026, 3, 29), date(2026, 10, 25)
    for day, hours in ((spring, 23), (autumn, 25), (date(2026, 6, 1), 24)):
        start, end = Period(day, day + timedelta(days=1)).instants(BERLIN)
        assert (end - start) == timedelta(hours=hours)


def test_a_day_whose_midnight_does_not_exist_begins_at_the_jump() -> None:
    zone = ZoneInfo("America/Sao_Paulo")
    assert start_of_day(date(2018, 11, 4), zone) == datetime(2018, 11, 4, 3, tzinfo=UTC)


@given(DAYS, st.integers(1, 900), st.sampled_from(Grain), st.sampled_from(Weekday))
def test_buckets_cover_the_period_without_gap_or_overlap(
    day: date, days: int, grain: Grain, week_start: Weekday
) -> None:
    period = Period(day, day + timedelta(days=days))
    cut = buckets(period, grain, week_start)
    assert cut[0].start == period.start
    assert cut[-1].end == period.end
    assert all(one.end == two.start for one, two in itertools.pairwise(cut))
    for bucket in cut:
        begins = bucket_start(bucket.start, grain, week_start)
        assert bucket_start(bucket.end - timedelta(days=1), grain, week_start) == begins
        if bucket.whole:
            assert begins == bucket.start
            assert bucket_start(bucket.end, grain, week_start) == bucket.end


@given(DAYS, ZONES)
def test_neighbouring_days_meet(day: date, name: str) -> None:
    zone = ZoneInfo(name)
    following = day + timedelta(days=1)
    assert start_of_day(day, zone) <= start_of_day(following, zone)
    assert Period(day, following).instants(zone)[1] == start_of_day(following, zone)


def test_weeks_begin_on_the_tenants_day_and_cut_ones_say_so() -> None:
    cut = buckets(Period(date(2026, 3, 3), date(2026, 3, 17)), Grain.WEEK, Weekday.SUNDAY)
    assert [(bucket.start.day, bucket.end.day, bucket.whole) for bucket in cut] == [
        (3, 8, False),
        (8, 15, True),
        (15, 17, False),
    ]


def test_the_previous_period_of_whole_months_is_as_many_months() -> None:
    assert Period(date(2026, 3, 1), date(2026, 4, 1)).previous() == Period(date(2026, 2, 1), date(2026, 3, 1))
    assert Period(date(2026, 3, 2), date(2026, 3, 9)).previous() == Period(date(2026, 2, 23), date(2026, 3, 2))
    assert Period(date(2024, 2, 29), date(2024, 3, 1)).year_before() == Period(date(2023, 2, 28), date(2023, 3, 1))
