from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from domain.formulas import Spell
from domain.kpi_values import KpiValue, Status
from domain.kpis import Dimension, Kpi, KpiKind, NotOffered, offer
from domain.periods import Bucket, Grain, Period, buckets
from domain.series import Series
from domain.series import single as value_alone
from domain.timelines import Moment, Placed, Timeline
from domain.totals import WHOLE, Totals

UTC_ZONE = ZoneInfo("UTC")
MONTHS = buckets(Period(date(2026, 1, 1), date(2026, 4, 1)), Grain.MONTH)
LATER = Moment(datetime(2027, 1, 1, tzinfo=UTC), UTC_ZONE)


def series(kpi: Kpi, cut: Sequence[Bucket], totals: Mapping[int, Totals], moment: Moment) -> Series:
    return Series(kpi, Timeline.of(cut, moment), totals)


def single(kpi: Kpi, bucket: Bucket, totals: Totals, moment: Moment) -> KpiValue:
    return value_alone(kpi, Placed.at(bucket, moment), totals)


def test_a_total_is_the_rate_of_all_rows_not_the_average_of_rates() -> None:
    sums = {0: Totals(1, 100), 1: Totals(50, 100), 2: Totals(9, 800)}
    answer = series(Kpi.ESCALATION_RATE, MONTHS, sums, LATER)
    assert answer.total.value == pytest.approx(60 / 1000)
    assert (answer.total.numerator, answer.total.denominator, answer.total.sample_size) == (60, 1000, 1000)
    assert [point.value.value for point in answer.points] == [0.01, 0.5, pytest.approx(9 / 800)]
    assert {point.value.status for point in answer.points} == {Status.OK}


def test_a_rate_without_tickets_has_no_value_and_a_count_without_tickets_is_zero() -> None:
    empty = series(Kpi.ESCALATION_RATE, MONTHS, {}, LATER).total
    assert (empty.value, empty.status) == (None, Status.NO_DATA)
    none_logged = series(Kpi.TICKETS_LOGGED, MONTHS, {}, LATER).total
    assert (none_logged.value, none_logged.status, none_logged.low) == (0, Status.OK, 0)


def test_nineteen_tickets_are_too_few_for_a_rate_and_say_so() -> None:
    few = single(Kpi.ESCALATION_RATE, MONTHS[0], Totals(2, 19), LATER)
    assert few.status is Status.INSUFFICIENT_SAMPLE
    assert few.value == pytest.approx(2 / 19)
    assert few.low is not None
    assert single(Kpi.ESCALATION_RATE, MONTHS[0], Totals(2, 20), LATER).status is Status.OK


def test_a_rate_is_partial_until_escalations_would_have_come() -> None:
    after_january = datetime(2026, 2, 1, tzinfo=UTC)
    waiting = Moment(after_january, UTC_ZONE, settling=timedelta(days=3))
    settled = Moment(after_january + timedelta(days=3), UTC_ZONE, settling=timedelta(days=3))
    sums = {0: Totals(10, 100)}
    for moment, status in ((waiting, Status.PARTIAL), (settled, Status.OK)):
        january = series(Kpi.ESCALATION_RATE, MONTHS, sums, moment).points[0]
        assert january.value.status is status
        assert january.complete
    assert series(Kpi.ESCALATIONS, MONTHS, sums, waiting).points[0].value.status is Status.OK


def test_a_bucket_that_is_not_over_or_is_cut_is_not_complete() -> None:
    cut = buckets(Period(date(2026, 1, 10), date(2026, 4, 1)), Grain.MONTH)
    moment = Moment(datetime(2026, 3, 15, tzinfo=UTC), UTC_ZONE)
    points = series(Kpi.TICKETS_LOGGED, cut, {}, moment).points
    assert [point.complete for point in points] == [False, True, False]
    assert [point.value.status for point in points] == [Status.OK, Status.OK, Status.PARTIAL]


def test_the_total_of_a_level_is_its_last_bucket_that_has_begun() -> None:
    moment = Moment(datetime(2026, 2, 15, tzinfo=UTC), UTC_ZONE)
    answer = series(Kpi.OPEN_ONBOARDINGS, MONTHS, {0: Totals(5), 1: Totals(7)}, moment)
    assert answer.total.value == 7
    assert answer.total.low is None
    assert answer.points[2].value.status is Status.NO_DATA


def test_open_stays_are_censored_and_make_a_duration_partial() -> None:
    ended = tuple(Spell(days, ended=True) for days in (2.0, 4.0, 6.0, 8.0))
    answer = single(Kpi.TIME_IN_STAGE, MONTHS[0], Totals(spells=(*ended, Spell(9.0, ended=False))), LATER)
    assert answer.value == 6.0
    assert (answer.numerator, answer.denominator, answer.sample_size) == (4, 5, 5)
    assert answer.status is Status.PARTIAL
    assert single(Kpi.TIME_IN_STAGE, MONTHS[0], Totals(spells=ended), LATER).status is Status.INSUFFICIENT_SAMPLE


def test_what_was_broken_off_is_censored_and_never_makes_a_duration_partial() -> None:
    ended = tuple(Spell(days, ended=True) for days in (2.0, 4.0, 6.0, 8.0))
    lost = Spell(3.0, ended=False, broken_off=True)
    answer = single(Kpi.TIME_TO_GO_LIVE, MONTHS[0], Totals(spells=(*ended, lost)), LATER)
    assert answer.value == 6.0
    assert (answer.numerator, answer.denominator, answer.status) == (4, 5, Status.OK)
    assert single(Kpi.TIME_TO_GO_LIVE, MONTHS[0], Totals(), LATER).status is Status.NO_DATA


def test_the_share_of_a_part_is_of_all_days_together() -> None:
    answers = [Totals(1, 10, (Spell(1, ended=True),)), Totals(9, 10, (Spell(9, ended=True),)), Totals(0, 80)]
    answer = series(Kpi.PROVIDER_RESPONSE_TIME, MONTHS, dict(enumerate(answers)), LATER)
    assert answer.total.share == pytest.approx(10 / 100)
    assert single(Kpi.CONTRACTING_TIME, MONTHS[0], Totals(spells=(Spell(1, ended=True),)), LATER).share is None


def test_retention_of_a_period_is_asked_anew_and_is_no_sum_of_its_buckets() -> None:
    sums = {0: Totals(19, 20), 1: Totals(19, 20), 2: Totals(19, 20), WHOLE: Totals(17, 20)}
    answer = series(Kpi.CLIENT_RETENTION, MONTHS, sums, LATER)
    assert (answer.total.value, answer.total.numerator, answer.total.denominator) == (0.85, 17, 20)
    assert [point.value.value for point in answer.points] == [0.95, 0.95, 0.95]
    assert series(Kpi.CLIENT_RETENTION, MONTHS, {}, LATER).total.status is Status.NO_DATA


def test_a_load_per_lead_is_a_mean_with_the_highest_peak_of_all_buckets() -> None:
    moment = Moment(datetime(2026, 3, 15, tzinfo=UTC), UTC_ZONE)
    sums = {0: Totals(9, 2, peak=7), 1: Totals(4, 2, peak=5), 2: Totals(0, 0, peak=3)}
    answer = series(Kpi.ONBOARDINGS_PER_LEAD, MONTHS, sums, moment)
    assert [point.value.value for point in answer.points] == [4.5, 2.0, None]
    assert (answer.total.value, answer.total.status, answer.total.peak) == (None, Status.NO_DATA, 7)
    of_one = series(Kpi.ONBOARDINGS_PER_LEAD, MONTHS, {2: Totals(0, 1, peak=3)}, moment)
    assert (of_one.total.value, of_one.total.status) == (0, Status.PARTIAL)


def test_figures_that_are_read_row_by_row_may_be_split_by_any_two_of_theirs() -> None:
    offer(Kpi.CLIENTS_LOST, [Dimension.OUTCOME, Dimension.TENURE], [Dimension.STAGE], Grain.QUARTER)
    offer(Kpi.CLIENT_RETENTION, [Dimension.BASELINE], [Dimension.TENURE], Grain.YEAR)
    with pytest.raises(NotOffered, match="CLIENTS_IN_NOTICE isn't kept by LEAD"):
        offer(Kpi.CLIENTS_IN_NOTICE, [Dimension.LEAD], [], Grain.MONTH)


def test_what_the_cells_do_not_hold_is_refused_with_what_they_do() -> None:
    offer(Kpi.ESCALATION_RATE, [Dimension.CLIENT, Dimension.STAGE], [Dimension.CLIENT], Grain.DAY)
    offer(Kpi.ESCALATION_RATE, [Dimension.PHASE], [Dimension.PHASE], Grain.YEAR)
    with pytest.raises(NotOffered, match="PHASE and STAGE aren't kept together"):
        offer(Kpi.ESCALATION_RATE, [Dimension.STAGE], [Dimension.PHASE], Grain.DAY)
    with pytest.raises(NotOffered, match="OPEN_ONBOARDINGS isn't kept by PRIORITY"):
        offer(Kpi.OPEN_ONBOARDINGS, [Dimension.PRIORITY], [], Grain.DAY)
    with pytest.raises(NotOffered, match="twice"):
        offer(Kpi.ESCALATIONS, [Dimension.STAGE, Dimension.STAGE], [], Grain.DAY)


def test_every_entry_of_the_catalogue_states_its_whole_definition() -> None:
    for kpi in Kpi:
        definition = kpi.definition
        assert definition.title
        assert definition.formula.endswith(".")
        assert definition.source.endswith(".")
        if definition.kind is KpiKind.PROPORTION:
            assert definition.min_sample == 20
            assert not isinstance(definition.facts, tuple) or len(definition.facts) == 2
        if definition.kind is KpiKind.DURATION:
            assert definition.min_sample == 5
        assert definition.about_staff or Dimension.LEAD not in definition.dimensions
        assert definition.grains == tuple(Grain)
