import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.distributions import beta_below, t_975
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
    median,
    net_promoters,
    p90,
    poisson,
    quantile,
    rate,
    shrunk_rate,
    wilson,
)

DURATIONS = st.lists(st.tuples(st.integers(1, 60), st.booleans()), min_size=1, max_size=60)


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [(0, 5, 0, 43.4), (1, 4, 4.6, 69.9), (2, 8, 7.1, 59.1), (3, 20, 5.2, 36.0), (30, 200, 10.7, 20.6)],
)
def test_the_wilson_interval_reproduces_the_published_figures(
    successes: int, trials: int, low: float, high: float
) -> None:
    interval = wilson(successes, trials)
    assert interval.low is not None
    assert interval.high is not None
    assert round(100 * interval.low, 1) == low
    assert round(100 * interval.high, 1) == high


@given(st.integers(0, 500), st.integers(1, 500))
def test_a_share_lies_inside_its_interval(successes: int, more: int) -> None:
    trials = successes + more - 1 or 1
    successes = min(successes, trials)
    interval = wilson(successes, trials)
    assert interval.low is not None
    assert interval.high is not None
    assert 0 <= interval.low <= successes / trials <= interval.high <= 1


def test_no_data_is_not_zero() -> None:
    assert rate(0, 0) is None
    assert wilson(0, 0).low is None
    assert median([]) is None
    with pytest.raises(ValueError, match="5 successes in 4 trials"):
        wilson(5, 4)


def test_the_poisson_interval_is_close_to_the_exact_limits() -> None:
    # Exact limits of 10 events: 4.795 to 18.39 (chi-squared quantiles).
    interval = poisson(10)
    assert interval.low == pytest.approx(4.795, abs=0.02)
    assert interval.high == pytest.approx(18.39, abs=0.03)
    assert poisson(0).low == 0


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=50))
def test_quantiles_agree_with_the_standard_library(values: list[float]) -> None:
    deciles = statistics.quantiles(values, n=10, method="inclusive")
    assert p90(values) == pytest.approx(deciles[8], rel=1e-9, abs=1e-6)
    assert median(values) == pytest.approx(statistics.median(values), rel=1e-9, abs=1e-6)


def test_kaplan_and_meiers_median_waits_for_those_still_running() -> None:
    ended = [Spell(days, ended=True) for days in (2, 4, 6, 8)]
    assert kaplan_meier(ended).median == 4
    running = [*ended, Spell(9, ended=False), Spell(9, ended=False), Spell(9, ended=False)]
    assert kaplan_meier(running).median == 8
    assert kaplan_meier([*ended[:1], *running[-3:]]).median is None


def test_kaplan_meier_reproduces_the_leukaemia_trial_of_freireich() -> None:
    # E. J. Freireich et al. (1963), 6-MP arm, as tabulated in textbooks: median 23 weeks, lower limit 13.
    ended = (6, 6, 6, 7, 10, 13, 16, 22, 23)
    censored = (6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35)
    spells = [Spell(weeks, ended=True) for weeks in ended] + [Spell(weeks, ended=False) for weeks in censored]
    survival = kaplan_meier(spells)
    assert survival.median == 23
    assert survival.interval.low == 13
    assert survival.interval.high is None
    assert (survival.ended, survival.running) == (9, 12)


@given(DURATIONS)
def test_the_median_lies_inside_its_interval(drawn: list[tuple[int, bool]]) -> None:
    survival = kaplan_meier([Spell(duration, ended) for duration, ended in drawn])
    if survival.median is not None:
        assert survival.interval.low is not None
        assert survival.interval.low <= survival.median
        assert survival.interval.high is None or survival.median <= survival.interval.high
        assert survival.p90 is None or survival.median <= survival.p90


@given(st.lists(st.integers(1, 40), min_size=1, max_size=40))
def test_without_running_spells_it_is_the_lower_sample_median(durations: list[int]) -> None:
    ordered = sorted(durations)
    survival = kaplan_meier([Spell(duration, ended=True) for duration in durations])
    assert survival.median == ordered[(len(ordered) - 1) // 2]
    assert quantile(durations, 0) == ordered[0]


@pytest.mark.parametrize(
    ("escalated", "tickets", "share", "likely"), [(1, 4, 12.5, 0.308), (5, 20, 17.5, 0.633), (30, 150, 18.8, 0.905)]
)
def test_a_shrunk_rate_reproduces_the_published_figures(
    escalated: int, tickets: int, share: float, likely: float
) -> None:
    assert round(100 * shrunk_rate(escalated, tickets, 0.10, 20), 1) == share
    assert round(likely_above(0.15, escalated, tickets, 0.10, 20), 3) == likely


@pytest.mark.parametrize(
    ("promoters", "passives", "detractors", "centre", "half"), [(6, 3, 1, 38.5, 38.7), (5, 0, 0, 62.5, 45.0)]
)
def test_the_interval_of_a_promoter_score_reproduces_the_published_figures(
    promoters: int, passives: int, detractors: int, centre: float, half: float
) -> None:
    interval = net_promoters(promoters, detractors, promoters + passives + detractors)
    assert interval.low is not None
    # Both figures are published rounded; beyond 100 no score can lie.
    assert interval.low == pytest.approx(centre - half, abs=0.1)
    assert interval.high == pytest.approx(min(100.0, centre + half), abs=0.1)


def test_a_promoter_score_of_nobody_or_of_more_than_all_has_no_interval() -> None:
    assert net_promoters(0, 0, 0) == Interval(None, None)
    with pytest.raises(ValueError, match="6 promoters and 5 detractors of 10"):
        net_promoters(6, 5, 10)


def test_five_values_are_too_few_for_the_interval_of_a_median_and_one_for_that_of_a_mean() -> None:
    assert counted_median_interval([(1, 2), (2, 3)]) == Interval(None, None)
    assert counted_median_interval([(1, 3), (2, 3)]) == Interval(1, 2)
    assert counted_mean_interval([(4, 1)]) == Interval(None, None)
    assert mean_interval(1, 4, 0) == Interval(None, None)
    assert counted_quantile([], 0.5) is None
    assert counted_mean([]) is None


def test_impossible_parameters_of_a_distribution_are_refused() -> None:
    with pytest.raises(ValueError, match=r"Beta\(0, 1\)"):
        beta_below(0.5, 0, 1)
    with pytest.raises(ValueError, match="0 degrees"):
        t_975(0)
