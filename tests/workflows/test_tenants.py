"""Providers: made once per slug, and changed in what they have decided for themselves."""

from datetime import date
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from db import tenants as stored
from domain.access import Role
from domain.errors import ForbiddenError
from domain.periods import Weekday
from domain.tenants import Tenant
from tests.support.providers import Provider, codes, sent
from tests.support.tickets import report, ticket
from workflows import tenants
from workflows.tenants import CreateTenant, UpdateSettings

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


async def read(provider: Provider) -> Tenant:
    async with provider.context.database.reading(provider.admin) as tx:
        return await stored.get(tx)


async def change(provider: Provider, command: UpdateSettings) -> list[str]:
    return codes(await tenants.update_settings(provider.context, provider.admin, sent(), command))


async def test_a_slug_is_given_once(provider: Provider) -> None:
    slug = (await read(provider)).slug
    command = CreateTenant(slug, "Twin", AMSTERDAM, "Ada", "ada@twin.example")
    issued = await tenants.create(provider.context, sent(), command)

    assert codes(issued.outcome) == ["ALREADY_EXISTS"]
    assert issued.secret is None


@pytest.mark.parametrize(
    ("field", "value"),
    [("slug", "Big Slug"), ("name", ""), ("admin_email", "ada"), ("country", "XX"), ("language", "?")],
)
async def test_what_cannot_be_a_provider_is_refused(provider: Provider, field: str, value: str) -> None:
    values = {"slug": f"p{uuid4().hex[:9]}", "name": "P", "admin_name": "Ada", "admin_email": "ada@p.example"}
    command = CreateTenant(**{"zone": AMSTERDAM, **values, field: value})  # type: ignore[arg-type]

    assert codes((await tenants.create(provider.context, sent(), command)).outcome) == ["INVALID"]


async def test_a_country_fills_the_calendar_with_its_holidays(provider: Provider) -> None:
    assert await change(provider, UpdateSettings(country="NL", own_days=(date(2026, 12, 24),))) == []
    calendar = (await read(provider)).settings.calendar

    assert date(2026, 4, 27) in calendar.holidays  # the King's birthday
    assert not calendar.is_business_day(date(2026, 12, 24))
    assert calendar.version == 2


async def test_a_week_from_sunday_to_thursday_is_kept(provider: Provider) -> None:
    hours = dict.fromkeys((Weekday.SUNDAY, Weekday.MONDAY, Weekday.THURSDAY), ((8 * 60, 16 * 60),))
    assert await change(provider, UpdateSettings(hours=hours, week_start=Weekday.SUNDAY)) == []
    calendar = (await read(provider)).settings.calendar

    assert calendar.week_start is Weekday.SUNDAY
    assert calendar.is_business_day(date(2026, 3, 8))
    assert not calendar.is_business_day(date(2026, 3, 6))


@pytest.mark.parametrize(
    "command",
    [
        UpdateSettings(hours={}),
        UpdateSettings(hours={Weekday.MONDAY: ((600, 540),)}),
        UpdateSettings(hours={Weekday.MONDAY: ((540, 700), (600, 720))}),
        UpdateSettings(country="ZZ"),
        UpdateSettings(country="US", subdivision="NOWHERE"),
        UpdateSettings(hard_waiver_persons=0),
        UpdateSettings(hard_waiver_persons=3),
        UpdateSettings(language="english"),
        UpdateSettings(name=" "),
        UpdateSettings(brand="\x00"),
        UpdateSettings(escalation_rate_limit=1.5),
    ],
)
async def test_an_impossible_setting_is_refused_and_changes_nothing(
    provider: Provider, command: UpdateSettings
) -> None:
    before = await read(provider)

    assert await change(provider, command) == ["INVALID"]
    assert await read(provider) == before


async def test_settings_change_by_themselves_and_keep_the_calendars_version(provider: Provider) -> None:
    command = UpdateSettings(hard_waiver_persons=1, sandbox=True, brand="North", language="nl")
    assert await change(provider, command) == []
    settings = (await read(provider)).settings

    assert settings.hard_waiver_persons == 1
    assert (settings.sandbox, settings.brand, settings.language) == (True, "North", "nl")
    assert settings.calendar.version == 1


async def test_the_zone_stays_once_tickets_are_counted_by_its_days(provider: Provider) -> None:
    assert await change(provider, UpdateSettings(zone=ZoneInfo("Asia/Tokyo"))) == []
    await report(provider, ticket())

    assert await change(provider, UpdateSettings(zone=AMSTERDAM)) == ["CONFLICT"]
    assert (await read(provider)).settings.zone.key == "Asia/Tokyo"


async def test_of_two_changes_to_one_version_the_second_is_stale(provider: Provider) -> None:
    assert await change(provider, UpdateSettings(language="nl", expected_version=1)) == []
    assert await change(provider, UpdateSettings(language="de", expected_version=1)) == ["STALE_VERSION"]


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMIN])
async def test_only_an_admin_changes_settings(provider: Provider, role: Role) -> None:
    person = await provider.invited(role)

    with pytest.raises(ForbiddenError, match="TENANT_WRITE"):
        await tenants.update_settings(provider.context, person, sent(), UpdateSettings(language="nl"))
