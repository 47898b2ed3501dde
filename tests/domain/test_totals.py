"""Sums that are kept as columns come to what the same sums one by one come to."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.kpis import Kpi
from domain.periods import Grain, Period, buckets
from domain.series import Series, many
from domain.timelines import Moment, Timeline
from domain.totals import NO_SUMS, PlainSums, Totals, first_apart

MONTHS = buckets(Period(date(2026, 1, 1), date(2027, 1, 1)), Grain.MONTH)
LATER = Timeline.of(MONTHS, Moment(datetime(2026, 9, 5, tzinfo=UTC), ZoneInfo("UTC")))
SUMS = st.dictionaries(
    st.integers(0, len(MONTHS) - 1), st.tuples(st.integers(0, 30), st.integers(0, 30)).map(sorted), max_size=12
)


def columns(sums: dict[int, list[int]], *, shares: bool) -> PlainSums:
    numerators = [low for low, _ in sums.values()]
    return PlainSums(list(sums), numerators, [high for _, high in sums.values()] if shares else None)


def one_by_one(sums: dict[int, list[int]], *, shares: bool) -> dict[int, Totals]:
    return {place: Totals(low, high if shares else None) for place, (low, high) in sums.items()}


@pytest.mark.parametrize("kpi", [Kpi.ESCALATION_RATE, Kpi.TICKETS_LOGGED, Kpi.BACKLOG])
@given(several=st.lists(SUMS, max_size=4))
def test_series_of_columns_have_the_values_of_series_of_totals(kpi: Kpi, several: list[dict[int, list[int]]]) -> None:
    shares = kpi is Kpi.ESCALATION_RATE
    plain = [Series(kpi, LATER, one_by_one(sums, shares=shares)) for sums in several]
    found = many(kpi, LATER, [columns(sums, shares=shares) for sums in several])
    assert [(one.total, one.values) for one in found] == [(one.total, one.values) for one in plain]


@given(SUMS, st.booleans())
def test_columns_are_read_as_the_totals_they_stand_for(sums: dict[int, list[int]], shares: bool) -> None:
    found, plain = columns(sums, shares=shares), one_by_one(sums, shares=shares)
    assert dict(found) == plain
    first, others = first_apart(found)
    assert (first, dict(others)) == first_apart(plain)


def test_a_series_in_which_nothing_happened_has_no_data() -> None:
    assert many(Kpi.ESCALATION_RATE, LATER, [NO_SUMS]) == [Series(Kpi.ESCALATION_RATE, LATER, NO_SUMS)]
    assert many(Kpi.ESCALATION_RATE, LATER, [NO_SUMS])[0].total.value is None
