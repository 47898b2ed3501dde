"""Working weeks: a calendar as somebody asks for it, made whole with public holidays, or what is wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from domain.calendars import LONGEST_SEARCH_DAYS, Calendar, Hours, InvalidCalendar
from domain.changes import UNCHANGED, Change
from domain.client_rules import day_faults
from domain.errors import UserError, invalid
from domain.periods import Weekday
from workflows.public_holidays import UnknownRegionError, public_holidays

OWN_DAYS_MOST = 400

Week = Mapping[Weekday, tuple[tuple[int, int], ...]]
"""Working hours as asked for: minutes of the day, by weekday."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a calendar is to be; what is left out is as in the calendar that it starts from."""

    zone: Change[ZoneInfo] = UNCHANGED
    week_start: Change[Weekday] = UNCHANGED
    hours: Change[Week] = UNCHANGED
    country: Change[str | None] = UNCHANGED
    subdivision: Change[str | None] = UNCHANGED
    own_days: Change[tuple[date, ...]] = UNCHANGED


def calendar_of(base: Calendar, terms: Terms, year: int) -> tuple[Calendar, list[UserError]]:
    """Return a calendar after some terms, with the public holidays of the years around one, and what is wrong with it.

    With another country goes its part, unless one is named. Terms that say nothing leave everything as it is.
    """
    if terms == Terms():
        return base, []
    errors: list[UserError] = []
    country = base.country if terms.country is UNCHANGED else terms.country
    kept = base.subdivision if country == base.country else None
    subdivision = kept if terms.subdivision is UNCHANGED else terms.subdivision
    own_days = base.own_days if terms.own_days is UNCHANGED else tuple(sorted(set(terms.own_days)))
    if len(own_days) > OWN_DAYS_MOST:
        errors.append(invalid(f"{len(own_days)} days are too many; {OWN_DAYS_MOST} at most.", "ownDays"))
    for day in own_days:
        errors += day_faults(day, "ownDays")
    public: frozenset[date] = frozenset()
    if country is not None:
        try:
            public = public_holidays(country, subdivision, year)
        except UnknownRegionError as error:
            errors.append(invalid(str(error), error.field))
    elif subdivision is not None:
        errors.append(invalid(f"{subdivision[:40]!r} is a part of no country; name the country too.", "subdivision"))
    wanted = replace(
        base,
        zone=base.zone if terms.zone is UNCHANGED else terms.zone,
        week_start=base.week_start if terms.week_start is UNCHANGED else terms.week_start,
        holidays=public | frozenset(own_days),
        country=country,
        subdivision=subdivision,
        own_days=own_days,
    )
    try:
        wanted = wanted if terms.hours is UNCHANGED else replace(wanted, hours=_week(terms.hours))
    except InvalidCalendar as error:
        errors.append(invalid(str(error), "hours"))
    return wanted, errors or _closed_faults(wanted)


def _week(asked: Week) -> dict[Weekday, tuple[Hours, ...]]:
    return {
        day: tuple(sorted(Hours(opens, closes) for opens, closes in asked[day])) for day in Weekday if asked.get(day)
    }


def _closed_faults(calendar: Calendar) -> list[UserError]:
    """Tell where a calendar is closed for so long that no business day can be found."""
    last = None
    for day in sorted(calendar.own_days):
        if last is not None and day <= last:
            continue
        last = day + timedelta(days=LONGEST_SEARCH_DAYS - 1)
        if calendar.business_days_in(day, last + timedelta(days=1)) == 0:
            message = f"From {day} on it has no business day for {LONGEST_SEARCH_DAYS} days; take some days off out."
            return [invalid(message, "ownDays")]
    return []
