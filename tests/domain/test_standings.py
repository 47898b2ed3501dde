from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from domain.standings import BaselineStanding, Tenure, baseline_standing, tenure

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
LIVE = datetime(2026, 1, 1, 23, 30, tzinfo=UTC)
"""Half past midnight of the 2nd in Amsterdam."""


@pytest.mark.parametrize(
    ("days", "band"),
    [
        (0, Tenure.UNDER_90_DAYS),
        (89, Tenure.UNDER_90_DAYS),
        (90, Tenure.UNDER_1_YEAR),
        (364, Tenure.UNDER_1_YEAR),
        (365, Tenure.UNDER_3_YEARS),
        (1094, Tenure.UNDER_3_YEARS),
        (1095, Tenure.FROM_3_YEARS),
    ],
)
def test_tenure_is_counted_in_local_days_since_going_live(days: int, band: Tenure) -> None:
    assert tenure(LIVE, LIVE + timedelta(days=days), AMSTERDAM) is band


def test_a_day_of_tenure_begins_at_local_midnight() -> None:
    ninetieth = datetime(2026, 4, 1, 22, tzinfo=UTC)
    assert tenure(LIVE, ninetieth - timedelta(minutes=1), AMSTERDAM) is Tenure.UNDER_90_DAYS
    assert tenure(LIVE, ninetieth, AMSTERDAM) is Tenure.UNDER_1_YEAR


def test_a_baseline_stands_to_the_limit_only_where_there_are_both() -> None:
    assert baseline_standing(0.2, 0.1) is BaselineStanding.OVER_LIMIT
    assert baseline_standing(0.1, 0.1) is BaselineStanding.WITHIN_LIMIT
    assert baseline_standing(None, 0.1) is None
    assert baseline_standing(0.2, None) is None
