"""Calendars as the API shows them: working hours, days off by name, every version, and whose counts."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import strawberry

from api import kpi_enums  # noqa: F401 -- publishes the enums named here
from api.context import Info, OperationContext
from api.enums import described
from api.errors import BadUserInput
from api.fields import FieldPrice, resolved, window
from db import calendars as stored
from domain import calendars, own_calendars
from domain.calendars import CalendarSource, clock_time
from domain.onboarding import Cycle
from domain.own_calendars import CalendarOwner
from domain.periods import Weekday
from workflows.public_holidays import holiday_names

described(
    CalendarSource,
    "Whose calendar it is.",
    TENANT="The provider's.",
    SITE="A site's own.",
    CONTRACT="A contract's own: its coverage hours.",
)


@strawberry.type(description="One stretch of work within a weekday.")
class WorkingHours:
    weekday: Weekday = strawberry.field(description="The weekday.")
    opens: str = strawberry.field(description="When work begins, such as `09:00`.")
    closes: str = strawberry.field(description="When it ends, such as `17:00`; midnight at the end is `24:00`.")


@strawberry.type(description="A local day on which nobody works.")
class DayOff:
    day: date = strawberry.field(description="The day.")
    name: str | None = strawberry.field(description="What the public holiday is called; `null` for a day of its own.")


@window(own_calendars.CalendarVersion, description="A calendar as it was from one instant up to another.")
class CalendarVersion:
    version: int = strawberry.field(description="Which version it is, counted from 1.")
    valid_from: datetime = strawberry.field(description="From when on it was in force.")
    valid_to: datetime | None = strawberry.field(description="Until when; `null` for the one in force.")

    @resolved(description="What it said; `null` where a site or contract had none of its own meanwhile.")
    def calendar(root: Any) -> Annotated["Calendar", strawberry.lazy("api.calendars")] | None:  # noqa: N805 -- the root is a domain value
        found: calendars.Calendar | None = root.calendar
        return found  # type: ignore[return-value]


@window(calendars.Calendar, description="Which hours of which local days are worked; a change makes a new version.")
class Calendar:
    source: CalendarSource = strawberry.field(description="Whose calendar it is.")
    zone: ZoneInfo = strawberry.field(description="The zone whose days are its days.")
    week_start: Weekday = strawberry.field(description="The day on which weeks begin.")
    version: int = strawberry.field(description="How often it changed, counted from 1.")
    country: str | None = strawberry.field(description="The country whose public holidays it keeps, by ISO 3166.")
    subdivision: str | None = strawberry.field(description="The part of the country whose public holidays it keeps.")
    own_days: list[date] = strawberry.field(description="Its own days off, beside the public holidays.")

    @resolved(description="The working hours, from the start of the week on.")
    def hours(root: Any) -> list[WorkingHours]:  # noqa: N805
        days = list(Weekday)
        start = days.index(root.week_start)
        return [
            WorkingHours(weekday=day, opens=clock_time(span.opens_minute), closes=clock_time(span.closes_minute))
            for day in (*days[start:], *days[:start])
            for span in root.hours.get(day, ())
        ]

    @resolved(description="The days off, public and own, in order.")
    def holidays(root: Any) -> list[date]:  # noqa: N805
        return sorted(root.holidays)

    @resolved(description="The days off of one year, in order, with the names of the public ones.")
    def days_off(
        root: Any,  # noqa: N805
        year: Annotated[int, strawberry.argument(description="The year, such as `2026`.")],
    ) -> list[DayOff]:
        if not date.min.year <= year <= date.max.year:
            raise BadUserInput(f"year: {year} is no year; give one like 2026.")
        names = holiday_names(root.country, root.subdivision, year) if root.country else {}
        return [DayOff(day=day, name=names.get(day)) for day in sorted(root.holidays) if day.year == year]

    @resolved(description="How many business days there are from one local day up to, but without, another.")
    def business_days(
        root: Any,  # noqa: N805
        from_: Annotated[date, strawberry.argument(name="from", description="The first local day.")],
        to: Annotated[date, strawberry.argument(description="The local day after the last one.")],
    ) -> int:
        if to < from_:
            raise BadUserInput(f"to: {to} lies before {from_}; name the days the other way round.")
        found: int = root.business_days_in(from_, to)
        return found

    @resolved(description="All its versions, the oldest first.", cost=FieldPrice(list_size=3))
    async def versions(root: Any, info: Info) -> list[CalendarVersion]:  # noqa: N805
        return await info.context.loader(versions).load(CalendarOwner(root.source, root.owner_id))  # type: ignore[return-value]


async def versions(
    context: OperationContext, keys: Sequence[CalendarOwner]
) -> list[list[own_calendars.CalendarVersion]]:
    """Load the versions of calendars."""
    async with context.reading() as tx:
        tenant = (await stored.in_force(tx, ())).tenant
        found = await stored.versions(tx, keys, tenant)
    return [found[key] for key in keys]


async def counting(context: OperationContext, keys: Sequence[Cycle]) -> list[calendars.Calendar]:
    """Load the calendars by which onboardings count."""
    async with context.reading() as tx:
        found = await stored.of_cycles(tx, keys)
    return [found[key.id] for key in keys]


async def own(context: OperationContext, keys: Sequence[UUID]) -> list[calendars.Calendar | None]:
    """Load the calendars that sites and contracts have of their own."""
    async with context.reading() as tx:
        found = await stored.of_owners(tx, keys)
    return [found.get(key) for key in keys]


@strawberry.type
class CountingCalendar:
    """The calendar by which an onboarding counts, as a field of it."""

    @resolved(
        description="The calendar by which its targets and business days count: its site's own, else its contract's "
        "own, else the provider's."
    )
    async def calendar(root: Any, info: Info) -> Calendar:  # noqa: N805 -- the root is a domain value, not this class
        return await info.context.loader(counting).load(root)  # type: ignore[return-value]


@strawberry.type
class OwnCalendar:
    """The calendar that a site or a contract has of its own, as a field of it."""

    @resolved(description="Its own working hours and days off; `null` where the next calendar in line counts.")
    async def calendar(root: Any, info: Info) -> Calendar | None:  # noqa: N805 -- the root is a domain value
        return await info.context.loader(own).load(root.id)  # type: ignore[return-value]
