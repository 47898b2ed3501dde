from collections.abc import Callable
from datetime import UTC, date, datetime
from random import Random
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from statsmodels.regression.linear_model import WLS

from domain.kpi_definitions import Direction
from domain.kpis import Kpi
from domain.periods import Grain, Period, buckets
from domain.series import Series
from domain.timelines import Moment, Timeline
from domain.totals import Totals
from domain.trends import Course, NoTrend, Trend, TrendMethod, Turn, drift, trend, trend_of

MANY = 1_000


def wandering(seed: int, points: int = 12) -> list[float]:
    random, values = Random(seed), [0.0]
    for _ in range(points - 1):
        values.append(values[-1] + random.gauss(0, 1))
    return values


def noise(seed: int, points: int = 12, carried: float = 0.0, slope: float = 0.0) -> list[float]:
    random, values, last = Random(seed), [], 0.0
    for place in range(points):
        last = carried * last + random.gauss(0, 1)
        values.append(last + slope * place)
    return values


def told(values: list[float], weights: list[float] | None = None) -> Trend:
    return trend(
        [float(place) for place in range(len(values))], values, weights or [1.0] * len(values), Direction.NEUTRAL
    )


def moving(make: Callable[[int], list[float]], judge: Callable[[list[float]], Trend]) -> float:
    found = [judge(make(seed)).course for seed in range(MANY)]
    return sum(course in (Course.RISING, Course.FALLING) for course in found) / MANY


def series(kpi: Kpi, sums: dict[int, Totals], now: datetime = datetime(2026, 11, 10, tzinfo=UTC)) -> Series:
    cut = buckets(Period(date(2026, 1, 1), date(2026, 12, 1)), Grain.MONTH)
    return Series(kpi, Timeline.of(cut, Moment(now, ZoneInfo("Europe/Amsterdam"))), sums)


@pytest.mark.parametrize("seed", range(30))
def test_the_slope_and_its_interval_are_those_of_statsmodels_where_neighbours_are_independent(seed: int) -> None:
    random = Random(seed)
    values = [place * 0.1 + (-1) ** place * random.uniform(0.1, 1) for place in range(14)]
    weights = [random.uniform(1, 50) for _ in values]
    found = told(values, weights)
    design = np.column_stack([np.ones(14), np.arange(14)])
    fitted = WLS(np.array(values), design, weights=np.array(weights)).fit()
    residuals = np.sqrt(weights) * (np.array(values) - fitted.fittedvalues)
    assert residuals[1:] @ residuals[:-1] <= 0, "the residuals of this test alternate"
    assert found.slope == pytest.approx(fitted.params[1], rel=1e-9)
    assert (found.low, found.high) == pytest.approx(tuple(fitted.conf_int(alpha=0.05)[1]), rel=1e-9)


def test_noise_is_called_flat_nineteen_times_in_twenty() -> None:
    assert moving(noise, told) <= 0.06


def test_months_that_follow_their_neighbours_are_seldom_taken_for_a_trend() -> None:
    # Without regard to it a quarter of such series would have a trend.
    assert moving(lambda seed: noise(seed, points=24, carried=0.5), told) <= 0.12


def test_a_true_slope_is_found() -> None:
    assert moving(lambda seed: noise(seed, points=24, slope=0.3), told) >= 0.97


def test_a_level_that_wanders_by_chance_is_called_flat_nineteen_times_in_twenty() -> None:
    assert moving(wandering, lambda values: drift(list(map(float, range(12))), values, Direction.NEUTRAL)) <= 0.06


def test_five_points_are_too_few() -> None:
    found = told([1.0, 2, 3, 4, 5])
    assert found == Trend(Course.UNKNOWN, Turn.NEITHER, 5, refusal=NoTrend.TOO_FEW_POINTS)
    assert told([1.0, 2, 3, 4, 5, 6]).course is Course.RISING


def test_points_that_only_repeat_their_neighbours_tell_no_trend() -> None:
    found = told([0.0] * 10 + [1.0] * 10 + [0.0] * 10)
    assert found.refusal is NoTrend.TOO_DEPENDENT
    assert found.slope is None


def test_equal_values_are_flat_and_exact_lines_rise() -> None:
    assert told([0.3] * 8).course is Course.FLAT
    rising = told([0.1 * place for place in range(8)])
    assert rising.course is Course.RISING
    assert rising.slope == pytest.approx(0.1)


def test_rising_is_for_the_worse_where_lower_is_better() -> None:
    sums = {place: Totals(10 + 8 * place, 200) for place in range(10)}
    found = trend_of(series(Kpi.ESCALATION_RATE, sums))
    assert (found.course, found.turn) == (Course.RISING, Turn.FOR_WORSE)
    assert found.slope == pytest.approx(0.04)
    falling = {place: Totals(180 - 8 * place, 200) for place in range(10)}
    assert trend_of(series(Kpi.ON_TIME_STAGES, falling)).turn is Turn.FOR_WORSE
    assert trend_of(series(Kpi.TICKETS_LOGGED, {place: Totals(place) for place in range(10)})).turn is Turn.NEITHER


def test_a_bucket_that_is_not_over_and_a_month_without_tickets_take_no_part() -> None:
    sums = {place: Totals(20, 200) for place in range(10) if place != 4} | {10: Totals(150, 200)}
    found = trend_of(series(Kpi.ESCALATION_RATE, sums))
    assert (found.course, found.points) == (Course.FLAT, 9)


def test_a_month_of_three_tickets_hardly_moves_a_trend() -> None:
    sums = {place: Totals(20 + place % 2, 200) for place in range(10)} | {9: Totals(3, 3)}
    assert trend_of(series(Kpi.ESCALATION_RATE, sums)).course is Course.FLAT


def test_a_level_is_judged_by_its_changes() -> None:
    found = trend_of(series(Kpi.OPEN_ONBOARDINGS, {place: Totals(5 + 2 * place) for place in range(11)}))
    assert (found.course, found.method, found.slope) == (Course.RISING, TrendMethod.MEAN_CHANGE, 2)
    assert drift([0.0, 1, 2], [1.0, 2, 3], Direction.NEUTRAL).refusal is NoTrend.TOO_FEW_POINTS
