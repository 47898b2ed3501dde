import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.formulas import Spell, kaplan_meier, median, p90, poisson, quantile, rate, wilson

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
