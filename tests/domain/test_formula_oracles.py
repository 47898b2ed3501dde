"""Intervals held against statsmodels and SciPy, survival curves against lifelines: other code, the same answers."""

import math
from random import Random

import numpy as np
import pandas as pd
import pytest
from lifelines import KaplanMeierFitter
from scipy import stats
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.rates import confint_poisson
from statsmodels.stats.weightstats import DescrStatsW

from domain.distributions import beta_below, fair_tosses_at_most, median_rank, t_975
from domain.formulas import (
    Interval,
    Spell,
    counted_mean,
    counted_mean_interval,
    counted_median_interval,
    counted_quantile,
    kaplan_meier,
    likely_above,
    mean_interval,
    poisson,
    wilson,
)


def ends(interval: Interval) -> tuple[float, float]:
    assert interval.low is not None
    assert interval.high is not None
    return interval.low, interval.high


def drawn(seed: int, most: int = 40) -> list[tuple[float, int]]:
    """Return some values that each come several times, in ascending order."""
    random = Random(seed)
    values = sorted({round(random.lognormvariate(3, 1), 1) for _ in range(random.randint(2, most))})
    return [(value, random.randint(1, 5)) for value in values]


def spelled(counts: list[tuple[float, int]]) -> list[float]:
    return [value for value, times in counts for _ in range(times)]


@pytest.mark.parametrize("trials", [1, 4, 5, 20, 137, 5_000, 1_000_000])
def test_wilsons_interval_is_that_of_statsmodels(trials: int) -> None:
    for successes in {0, 1, trials // 7, trials // 2, trials - 1, trials}:
        expected = proportion_confint(successes, trials, alpha=0.05, method="wilson")
        assert ends(wilson(successes, trials)) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("count", [1, 2, 5, 10, 60, 1_000, 250_000])
def test_the_interval_of_a_count_is_close_to_the_exact_one_of_statsmodels(count: int) -> None:
    low, high = confint_poisson(count, 1, method="exact-c", alpha=0.05)
    # Byar's approximation: within 0.03 occurrences of the exact limits from the first one on.
    assert ends(poisson(count)) == pytest.approx((low, high), abs=0.03)


@pytest.mark.parametrize("degrees", [1, 2, 3, 10, 29, 120, 5_000, 5_000_000])
def test_the_quantile_of_students_t_is_that_of_scipy(degrees: int) -> None:
    assert t_975(degrees) == pytest.approx(stats.t.ppf(0.975, degrees), rel=1e-9)


def test_the_tail_of_beta_is_that_of_scipy() -> None:
    random = Random(7)
    for _ in range(500):
        x, a, b = random.random(), random.uniform(0.05, 400), random.uniform(0.05, 400)
        assert beta_below(x, a, b) == pytest.approx(stats.beta.cdf(x, a, b), rel=1e-9, abs=1e-12)


def test_how_likely_a_share_lies_above_a_limit_is_the_tail_of_the_posterior_of_scipy() -> None:
    for successes, trials in ((0, 0), (1, 4), (5, 20), (30, 150), (900, 7_000)):
        expected = stats.beta.sf(0.15, 0.1 * 20 + successes, 0.9 * 20 + trials - successes)
        assert likely_above(0.15, successes, trials, 0.1, 20) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("tosses", [1, 6, 7, 25, 100, 999, 20_000, 5_000_000])
def test_the_ranks_of_the_interval_of_a_median_are_quantiles_of_the_binomial_of_scipy(tosses: int) -> None:
    rank = median_rank(tosses) or 0
    assert stats.binom.cdf(rank - 1, tosses, 0.5) <= 0.025 < stats.binom.cdf(rank, tosses, 0.5)
    assert fair_tosses_at_most(rank, tosses) == pytest.approx(stats.binom.cdf(rank, tosses, 0.5), rel=1e-6)


@pytest.mark.parametrize("seed", range(40))
def test_the_interval_of_a_mean_is_that_of_statsmodels(seed: int) -> None:
    counts = drawn(seed)
    values = spelled(counts)
    expected = DescrStatsW(values).tconfint_mean(alpha=0.05)
    assert ends(counted_mean_interval(counts)) == pytest.approx(expected, rel=1e-9)
    variance = float(np.var(values, ddof=1))
    assert ends(mean_interval(len(values), float(np.mean(values)), variance)) == pytest.approx(expected, rel=1e-9)
    assert counted_mean(counts) == pytest.approx(float(np.mean(values)))


@pytest.mark.parametrize("seed", range(40))
def test_quantiles_of_counted_values_are_those_of_numpy(seed: int) -> None:
    counts = drawn(seed)
    for share in (0, 0.1, 0.5, 0.9, 1):
        assert counted_quantile(counts, share) == pytest.approx(float(np.quantile(spelled(counts), share)))


@pytest.mark.parametrize("seed", range(40))
def test_the_interval_of_a_median_is_that_of_the_order_statistics_of_scipy(seed: int) -> None:
    counts = drawn(seed)
    values = spelled(counts)
    found = stats.quantile_test(values, p=0.5).confidence_interval(0.95)
    interval = counted_median_interval(counts)
    if interval.low is None or math.isnan(found.low):
        assert (interval.low is None) == math.isnan(found.low)
        return
    assert ends(interval) == (found.low, found.high)


@pytest.mark.parametrize("seed", range(60))
def test_kaplan_and_meier_are_those_of_lifelines(seed: int) -> None:
    random = Random(seed)
    spells = [
        Spell(round(random.expovariate(0.1), 0 if seed % 2 else 3), ended=random.random() < 0.8)
        for _ in range(random.randint(3, 80))
    ]
    fitted = KaplanMeierFitter(alpha=0.05).fit([one.duration for one in spells], [one.ended for one in spells])
    survival = kaplan_meier(spells)
    lower, upper = (fitted.confidence_interval_.iloc[:, column] for column in (0, 1))
    assert survival.median == fallen_to(fitted.survival_function_["KM_estimate"], 0.5)
    assert survival.p90 == fallen_to(fitted.survival_function_["KM_estimate"], 0.1)
    assert (survival.interval.low, survival.interval.high) == (fallen_to(lower, 0.5), fallen_to(upper, 0.5))


def fallen_to(curve: pd.Series, share: float) -> float | None:
    """Return where a curve of lifelines has fallen to a share; it sums logarithms, so one half may miss by a bit."""
    fallen = curve[curve <= share + 1e-9]
    return None if fallen.empty else float(fallen.index[0])
