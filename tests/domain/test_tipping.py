from collections import Counter
from collections.abc import Callable
from random import Random

import pytest

from domain.least_squares import line, slope_of
from domain.tipping import ClientPoint, NoTipping, Refused, TippingPoint, tipping_point

KNEE = 0.12
MANY = 100


def flat(escalated: float) -> float:
    return 9.0


def declining(escalated: float) -> float:
    return 9 - 10 * escalated


def tipping(escalated: float) -> float:
    return 9 - max(0.0, 17 * (escalated - KNEE))


def recovering(escalated: float) -> float:
    return 7 + 17 * abs(escalated - KNEE)


def drawn(course: Callable[[float], float], seed: int, clients: int = 60, noise: float = 0.5) -> list[ClientPoint]:
    """Return clients whose satisfaction follows a course, the surer the more answers they gave."""
    random = Random(seed)
    points = []
    for _ in range(clients):
        escalated, answers = random.uniform(0, 0.3), random.randint(1, 12)
        points.append(ClientPoint(escalated, course(escalated) + random.gauss(0, noise / answers**0.5), answers))
    return points


def outcomes(course: Callable[[float], float]) -> Counter[NoTipping | None]:
    found = [tipping_point(drawn(course, seed)) for seed in range(MANY)]
    return Counter(one.reason if isinstance(one, Refused) else None for one in found)


def test_a_true_knee_is_found_and_its_interval_holds_it_nineteen_times_in_twenty() -> None:
    found = [tipping_point(drawn(tipping, seed)) for seed in range(MANY)]
    told = [one for one in found if isinstance(one, TippingPoint)]
    assert len(told) >= 0.98 * MANY
    held = [one for one in told if (one.interval.low or 0) <= KNEE <= (one.interval.high or 1)]
    assert len(held) >= 0.93 * len(told)
    assert sum(one.at for one in told) / len(told) == pytest.approx(KNEE, abs=0.01)
    assert all(one.slope_after < one.slope_before for one in told)
    assert sum(one.slope_after for one in told) / len(told) == pytest.approx(-17, abs=1)


def test_where_nothing_depends_on_escalations_a_tipping_point_is_told_at_most_once_in_twenty() -> None:
    found = outcomes(flat)
    assert found[None] <= 0.05 * MANY
    assert found[NoTipping.KNEE_NOT_SIGNIFICANT] >= 0.85 * MANY


def test_a_straight_decline_is_called_so_and_no_tipping_point() -> None:
    found = outcomes(declining)
    assert found[None] <= 0.05 * MANY
    assert found[NoTipping.STRAIGHT_DECLINE] >= 0.9 * MANY


def test_satisfaction_that_recovers_after_a_knee_has_no_tipping_point() -> None:
    refused = tipping_point(drawn(recovering, 1))
    assert isinstance(refused, Refused)
    assert refused.reason is NoTipping.NO_FALL_AFTER
    assert refused.chance is not None
    assert refused.chance < 0.05


def test_a_steeper_fall_after_a_gentle_one_is_a_tipping_point() -> None:
    found = tipping_point(drawn(lambda share: 9 - 2 * share - max(0.0, 25 * (share - KNEE)), 1))
    assert isinstance(found, TippingPoint)
    assert found.slope_after < found.slope_before
    assert found.slope_after_interval.high is not None
    assert found.slope_after_interval.high < 0
    assert found.clients == 60


def test_twenty_three_clients_are_too_few() -> None:
    refused = tipping_point(drawn(tipping, 1, clients=23))
    assert refused == Refused(NoTipping.TOO_FEW_CLIENTS, 23)
    assert "24 clients" in refused.reason.sentence
    assert tipping_point([]) == Refused(NoTipping.TOO_FEW_CLIENTS, 0)


def test_clients_that_all_have_the_same_share_or_the_same_satisfaction_show_nothing() -> None:
    alike = [ClientPoint(0.1, 7 + place % 3) for place in range(40)]
    content = [ClientPoint(place / 100, 9) for place in range(40)]
    few_apart = [*alike, *(ClientPoint(0.3, 5) for _ in range(7))]
    for points in (alike, content, few_apart):
        refused = tipping_point(points)
        assert isinstance(refused, Refused)
        assert refused.reason is NoTipping.NO_SPREAD


def test_points_on_one_line_bend_nowhere() -> None:
    refused = tipping_point([ClientPoint(place / 70, 9 - place / 30) for place in range(40)])
    assert isinstance(refused, Refused)
    assert refused.reason is NoTipping.STRAIGHT_DECLINE


def test_the_answer_is_the_same_every_time_and_in_any_order() -> None:
    points = drawn(tipping, 5)
    assert tipping_point(points) == tipping_point(points) == tipping_point(reversed(points))


def test_a_client_with_many_answers_weighs_more_than_one_with_few() -> None:
    points = drawn(tipping, 2)
    doubtful = [*points, *(ClientPoint(0.28, 9.5, 0.01) for _ in range(10))]
    found, anyway = tipping_point(points), tipping_point(doubtful)
    assert isinstance(found, TippingPoint)
    assert isinstance(anyway, TippingPoint)
    assert anyway.at == pytest.approx(found.at, abs=0.01)


def test_a_client_without_answers_is_an_error() -> None:
    with pytest.raises(ValueError, match="without answers"):
        tipping_point([ClientPoint(0.1, 9, 0)])


def test_a_line_is_that_of_the_textbook() -> None:
    # F. J. Anscombe (1973), "Graphs in statistical analysis", first set: y = 3.00 + 0.50 x.
    x = [10.0, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5]
    y = [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68]
    found = line(x, y, [1.0] * 11)
    assert found.intercept == pytest.approx(3.00, abs=0.005)
    assert found.slope == pytest.approx(0.50, abs=0.005)
    assert found.error(9) == pytest.approx(0.118, abs=0.0005)
    with pytest.raises(ValueError, match="two places"):
        line([1, 1], [2, 3], [1, 1])
    assert slope_of(x, y, [[2 * one for one in x]], 1, 9) is None
