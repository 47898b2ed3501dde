from dataclasses import replace

import pytest

from domain.benchmarks import Benchmark, NoBenchmark, benchmark, percentile
from domain.kpi_definitions import Direction
from domain.kpi_values import KpiValue, Status
from domain.kpis import Kpi
from domain.scorecards import Ground, Verdict, judged
from domain.targets import TargetStanding, due, refusal, standing
from domain.trends import Course, Trend, Turn

RATE = Kpi.ESCALATION_RATE.definition
FLAT = Trend(Course.FLAT, Turn.NEITHER, 12)
BETTER = Trend(Course.FALLING, Turn.FOR_BETTER, 12)
WORSE = Trend(Course.RISING, Turn.FOR_WORSE, 12)


def value(share: float, low: float, high: float, sample: int = 200, status: Status = Status.OK) -> KpiValue:
    return KpiValue(share, share * sample, sample, sample, low, high, status)


TENTH = value(0.10, 0.07, 0.15)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (0.16, TargetStanding.MET),
        (0.15, TargetStanding.MET),
        (0.12, TargetStanding.UNDECIDED),
        (0.06, TargetStanding.MISSED),
    ],
)
def test_a_target_is_met_or_missed_only_by_the_whole_interval(target: float, expected: TargetStanding) -> None:
    assert standing(Direction.LOWER_IS_BETTER, target, 0.10, 0.07, 0.15) is expected
    assert standing(Direction.HIGHER_IS_BETTER, 1 - target, 0.90, 0.85, 0.93) is expected


def test_a_full_count_speaks_for_itself_and_an_open_end_may_lie_anywhere() -> None:
    assert standing(Direction.LOWER_IS_BETTER, 4, 4, None, None) is TargetStanding.MET
    assert standing(Direction.LOWER_IS_BETTER, 4, 5, None, None) is TargetStanding.MISSED
    assert standing(Direction.LOWER_IS_BETTER, 10, 8, 5, None) is TargetStanding.UNDECIDED
    assert standing(Direction.LOWER_IS_BETTER, 4, 8, 5, None) is TargetStanding.MISSED
    assert standing(Direction.LOWER_IS_BETTER, 4, None, None, None) is TargetStanding.UNDECIDED


def test_a_count_that_is_still_going_on_can_only_miss_its_target_where_fewer_are_better() -> None:
    assert standing(Direction.LOWER_IS_BETTER, 10, 2, 0.2, None) is TargetStanding.UNDECIDED
    assert standing(Direction.LOWER_IS_BETTER, 10, 40, 28.6, None) is TargetStanding.MISSED
    assert standing(Direction.HIGHER_IS_BETTER, 10, 40, 28.6, None) is TargetStanding.MET


def test_a_target_of_a_count_is_for_thirty_days() -> None:
    assert due(Kpi.ESCALATIONS.definition, 60, 90) == 180
    assert due(RATE, 0.15, 90) == 0.15


@pytest.mark.parametrize(
    ("kpi", "target", "words"),
    [
        (Kpi.TICKETS_LOGGED, 5, "no better side"),
        (Kpi.ESCALATION_RATE, 15, "is no share"),
        (Kpi.ESCALATIONS, -1, "is no target"),
        (Kpi.ESCALATIONS, float("nan"), "is no target"),
    ],
)
def test_a_target_that_cannot_be_is_refused_in_words(kpi: Kpi, target: float, words: str) -> None:
    assert words in (refusal(kpi.definition, target) or "")
    assert refusal(RATE, 0.15) is None


def test_a_benchmark_ranks_the_clients_with_enough_sample_alone() -> None:
    clients = {str(place): value(place / 100, 0, 1, sample=50) for place in range(1, 9)}
    clients["small"] = value(0.9, 0, 1, sample=19)
    clients["empty"] = KpiValue(None, 0, 0, 0, None, None, Status.NO_DATA)
    found = benchmark(TENTH, clients, 20, own="2")
    assert (found.clients, found.pooled.value) == (8, 0.10)
    assert found.median == pytest.approx(0.045)
    assert found.mean == pytest.approx(0.045)
    assert found.percentile == pytest.approx(100 * 1.5 / 8)
    assert benchmark(TENTH, clients, 20, own="small").refusal is NoBenchmark.OWN_SAMPLE_TOO_SMALL
    assert benchmark(TENTH, clients, 20).percentile is None


def test_four_clients_are_too_few_to_rank() -> None:
    found = benchmark(TENTH, {str(place): TENTH for place in range(4)}, 20, own="1")
    assert found == Benchmark(TENTH, 4, refusal=NoBenchmark.TOO_FEW_CLIENTS)


def test_equal_values_stand_in_the_middle() -> None:
    assert percentile(1, [1, 1, 1, 1]) == 50
    assert percentile(3, [1, 2, 3, 4, 5]) == 50


@pytest.mark.parametrize(
    ("target", "trend", "verdict", "ground"),
    [
        (TargetStanding.MISSED, BETTER, Verdict.NEEDS_WORK, Ground.TARGET_MISSED),
        (TargetStanding.MET, FLAT, Verdict.DOES_WELL, Ground.TARGET_MET),
        (TargetStanding.MET, WORSE, Verdict.STEADY, Ground.TARGET_MET),
        (TargetStanding.UNDECIDED, WORSE, Verdict.NEEDS_WORK, Ground.TARGET_UNDECIDED),
        (None, BETTER, Verdict.DOES_WELL, Ground.TREND_FOR_BETTER),
        (None, WORSE, Verdict.NEEDS_WORK, Ground.TREND_FOR_WORSE),
        (None, FLAT, Verdict.STEADY, Ground.NOTHING_STANDS_OUT),
    ],
)
def test_the_target_decides_first_and_then_the_other_signs(
    target: TargetStanding | None, trend: Trend, verdict: Verdict, ground: Ground
) -> None:
    found = judged(RATE, TENTH, None, trend, None, target)
    assert (found.verdict, found.grounds[0]) == (verdict, ground)


def test_a_change_counts_where_the_intervals_lie_apart() -> None:
    found = judged(RATE, TENTH, value(0.25, 0.20, 0.31), FLAT, None, None)
    assert found.grounds == (Ground.BETTER_THAN_BEFORE,)
    assert judged(RATE, TENTH, value(0.16, 0.12, 0.22), FLAT, None, None).verdict is Verdict.STEADY
    worse = judged(RATE, TENTH, value(0.03, 0.02, 0.05), BETTER, None, None)
    assert worse.verdict is Verdict.STEADY
    assert worse.grounds == (Ground.TREND_FOR_BETTER, Ground.WORSE_THAN_BEFORE)


def test_a_client_is_held_against_the_median_of_all_but_not_by_how_many_it_has() -> None:
    clients = {str(place): value(place / 20, 0, 1) for place in range(1, 10)}
    among = benchmark(TENTH, clients, 20, own="1")
    assert judged(RATE, TENTH, None, FLAT, among, None).grounds == (Ground.BETTER_THAN_CLIENTS,)
    counted = Kpi.ESCALATIONS.definition
    assert judged(counted, TENTH, None, FLAT, among, None).grounds == (Ground.NOTHING_STANDS_OUT,)


def test_nothing_is_said_of_a_small_sample_of_no_data_or_where_no_side_is_better() -> None:
    small = replace(TENTH, status=Status.INSUFFICIENT_SAMPLE)
    none = KpiValue(None, 0, 0, 0, None, None, Status.NO_DATA)
    assert judged(RATE, small, None, WORSE, None, None).grounds == (Ground.TOO_SMALL_A_SAMPLE,)
    assert judged(RATE, none, None, WORSE, None, None).grounds == (Ground.NO_DATA,)
    neutral = judged(Kpi.TICKETS_LOGGED.definition, TENTH, None, FLAT, None, None)
    assert (neutral.verdict, neutral.grounds) == (Verdict.UNKNOWN, (Ground.NO_BETTER_SIDE,))


def test_a_verdict_says_that_more_is_still_to_come() -> None:
    found = judged(RATE, replace(TENTH, status=Status.PARTIAL), None, WORSE, None, None)
    assert (found.verdict, found.grounds) == (Verdict.NEEDS_WORK, (Ground.TREND_FOR_WORSE, Ground.STILL_PARTIAL))
