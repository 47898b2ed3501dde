"""Inputs of calendars: working hours and days off as a caller writes them."""

import re
from collections.abc import Sequence
from datetime import date
from zoneinfo import ZoneInfo

import strawberry

from api import kpi_enums  # noqa: F401 -- publishes the enums named here
from api.changing import change, change_as
from api.errors import BadUserInput
from domain.periods import Weekday
from workflows.working_weeks import Terms, Week

_TIME = re.compile(r"(?:([01][0-9]|2[0-3]):([0-5][0-9])|(24):(00))")


@strawberry.input(description="One stretch of work within a weekday.")
class WorkingHoursInput:
    weekday: Weekday = strawberry.field(description="The weekday.")
    opens: str = strawberry.field(description="When work begins, such as `09:00`.")
    closes: str = strawberry.field(description="When it ends, such as `17:00`; midnight at the end is `24:00`.")


@strawberry.input(
    description="A calendar of a site's or a contract's own; what is left out is as in the provider's calendar at "
    "this moment, and does not follow it afterwards."
)
class CalendarInput:
    zone: strawberry.Maybe[ZoneInfo] = strawberry.field(
        default=None, description="The zone whose days are its days; left out, a site's own comes first."
    )
    week_start: strawberry.Maybe[Weekday] = strawberry.field(default=None, description="The day on which weeks begin.")
    hours: strawberry.Maybe[list[WorkingHoursInput]] = strawberry.field(
        default=None, description="The working hours of the whole week."
    )
    country: strawberry.Maybe[str | None] = strawberry.field(
        default=None, description="The country whose public holidays it keeps, by ISO 3166, such as `NL`."
    )
    subdivision: strawberry.Maybe[str | None] = strawberry.field(
        default=None, description="The part of the country whose public holidays it keeps, such as `BY`."
    )
    own_days: strawberry.Maybe[list[date]] = strawberry.field(default=None, description="Its own days off.")

    def terms(self) -> Terms:
        """Return what is asked for.

        Raises:
            BadUserInput: an hour is no time of day.
        """
        return Terms(
            zone=change(self.zone),
            week_start=change(self.week_start),
            hours=change_as(self.hours, week),
            country=change(self.country),
            subdivision=change(self.subdivision),
            own_days=change_as(self.own_days, tuple),
        )


def week(given: Sequence[WorkingHoursInput]) -> Week:
    """Return working hours by weekday, in minutes of the day.

    Raises:
        BadUserInput: one is no time of day.
    """
    found: dict[Weekday, tuple[tuple[int, int], ...]] = {}
    for span in given:
        found[span.weekday] = (*found.get(span.weekday, ()), (_minute(span.opens), _minute(span.closes)))
    return found


def _minute(text: str) -> int:
    match = _TIME.fullmatch(text)
    if match is None:
        raise BadUserInput(f"{text[:20]!r} is no time of day; write it like 09:30, the end of the day as 24:00.")
    hour, minute = (part for part in match.groups() if part is not None)
    return int(hour) * 60 + int(minute)
