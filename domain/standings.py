"""How a client stands that stays or leaves: how long it has been served, and how its onboarding went."""

from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from domain.periods import local_day


class Tenure(StrEnum):
    """For how long a client has been in service, in local days since it went live."""

    BEFORE_SERVICE = "BEFORE_SERVICE"
    UNDER_90_DAYS = "UNDER_90_DAYS"
    UNDER_1_YEAR = "UNDER_1_YEAR"
    UNDER_3_YEARS = "UNDER_3_YEARS"
    FROM_3_YEARS = "FROM_3_YEARS"


_BELOW_DAYS = ((90, Tenure.UNDER_90_DAYS), (365, Tenure.UNDER_1_YEAR), (3 * 365, Tenure.UNDER_3_YEARS))


class BaselineStanding(StrEnum):
    """How the escalation rate of a client's onboarding, as kept at graduation, stands to the provider's limit."""

    WITHIN_LIMIT = "WITHIN_LIMIT"
    OVER_LIMIT = "OVER_LIMIT"


def tenure(live_since: datetime, at: datetime, zone: ZoneInfo) -> Tenure:
    """Return for how long a client that went live has been in service at an instant."""
    days = (local_day(at, zone) - local_day(live_since, zone)).days
    return next((band for below, band in _BELOW_DAYS if days < below), Tenure.FROM_3_YEARS)


def baseline_standing(rate: float | None, limit: float | None) -> BaselineStanding | None:
    """Return how a baseline stands, or `None` where there is none, or no limit to hold it against."""
    if rate is None or limit is None:
        return None
    return BaselineStanding.OVER_LIMIT if rate > limit else BaselineStanding.WITHIN_LIMIT
