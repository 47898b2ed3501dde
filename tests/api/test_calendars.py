"""Calendars in the API: set for a site or a contract, read with their versions, and named by what counts by them."""

from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from api.operations import Rejected
from domain.access import Role
from domain.ids import IdKind, public
from domain.stages import Stage
from tests.support.asking import answered, asked
from tests.support.onboarding import Onboarding, opened
from tests.support.providers import Provider, done, sent
from workflows.sites import CreateSite
from workflows.sites import create as create_site

SET = """
    mutation ($input: ContractCalendarSetInput!) { contractCalendarSet(input: $input) {
      eventId errors { code message path } changes { kind name before after subject }
      contract { version calendar { source zone weekStart version country ownDays
        hours { weekday opens closes } versions { version validFrom validTo calendar { zone } } } } } }
"""
SITE = """
    mutation ($input: SiteCalendarSetInput!) { siteCalendarSet(input: $input) {
      errors { code path } changes { kind name } site { version calendar { source zone } } } }
"""
ASKED = """
    query ($id: ID!) { onboarding(id: $id) { targetAt calendar { source zone weekStart version } } }
"""
SETTINGS = """
    mutation ($input: TenantSettingsUpdateInput!) { tenantSettingsUpdate(input: $input) {
      errors { code message path } changes { kind name before after subject }
      tenant { settings { ownDays calendar { source version versions { version validTo } } } } } }
"""
DAYS = [{"weekday": day, "opens": "08:00", "closes": "16:00"} for day in ("MONDAY", "SUNDAY", "TUESDAY")]


async def named(onboarding: Onboarding) -> dict[str, Any]:
    answer = await asked(onboarding.provider, ASKED, {"id": public(IdKind.ONBOARDING, onboarding.cycle)})
    found: dict[str, Any] = answer["onboarding"]
    return found


async def test_a_contract_is_given_its_coverage_hours_and_its_onboarding_counts_by_them(provider: Provider) -> None:
    onboarding = await opened(provider)
    assert (await named(onboarding))["calendar"]["source"] == "TENANT"
    given = {
        "contractId": public(IdKind.CONTRACT, onboarding.contract),
        "calendar": {"zone": "Asia/Dubai", "weekStart": "SUNDAY", "hours": DAYS, "country": "AE"},
    }
    foreseen = (await asked(provider, SET, {"input": {**given, "dryRun": True}}, onboarding.lead))[
        "contractCalendarSet"
    ]
    assert (foreseen["eventId"], foreseen["contract"]["calendar"]) == (None, None)
    payload = (await asked(provider, SET, {"input": given}, onboarding.lead))["contractCalendarSet"]

    assert payload["errors"] == []
    assert payload["eventId"] is not None
    assert payload["changes"] == foreseen["changes"]
    assert [change["kind"] for change in payload["changes"]] == ["CALENDAR", "TARGET"]
    calendar = payload["contract"]["calendar"]
    assert [hours["weekday"] for hours in calendar["hours"]] == ["SUNDAY", "MONDAY", "TUESDAY"]
    assert (calendar["source"], calendar["zone"], calendar["country"]) == ("CONTRACT", "Asia/Dubai", "AE")
    assert [version["version"] for version in calendar["versions"]] == [1]
    seen = await named(onboarding)
    assert seen["calendar"] == {"source": "CONTRACT", "zone": "Asia/Dubai", "weekStart": "SUNDAY", "version": 1}
    assert seen["targetAt"] == payload["changes"][1]["after"].replace("+00:00", "Z")


async def test_null_takes_a_calendar_away_and_leaving_it_out_is_refused(provider: Provider) -> None:
    onboarding = await opened(provider)
    contract = public(IdKind.CONTRACT, onboarding.contract)
    await asked(provider, SET, {"input": {"contractId": contract, "calendar": {"ownDays": ["2026-03-05"]}}})
    refused = (await asked(provider, SET, {"input": {"contractId": contract}}))["contractCalendarSet"]
    taken = (await asked(provider, SET, {"input": {"contractId": contract, "calendar": None}}))["contractCalendarSet"]

    assert [(error["code"], error["path"]) for error in refused["errors"]] == [("INVALID", ["calendar"])]
    assert taken["contract"]["calendar"] is None
    assert (await named(onboarding))["calendar"]["source"] == "TENANT"


async def test_a_sites_calendar_takes_over_the_sites_own_zone(provider: Provider) -> None:
    onboarding = await opened(provider)
    site = await _site(provider, onboarding.client)
    given = {"siteId": public(IdKind.SITE, site), "calendar": {}}
    payload = (await asked(provider, SITE, {"input": given}, onboarding.lead))["siteCalendarSet"]

    assert payload["errors"] == []
    assert payload["site"] == {"version": 2, "calendar": {"source": "SITE", "zone": "Europe/Lisbon"}}
    assert payload["changes"] == [{"kind": "CALENDAR", "name": "SITE"}]


async def test_the_providers_calendar_foretells_what_moves_and_keeps_its_versions(provider: Provider) -> None:
    onboarding = await opened(provider)
    given = {"ownDays": ["2026-03-04"], "country": "NL"}
    foreseen = await asked(provider, SETTINGS, {"input": {**given, "dryRun": True}})
    assert foreseen["tenantSettingsUpdate"]["tenant"]["settings"]["calendar"]["version"] == 1
    payload = (await asked(provider, SETTINGS, {"input": given}))["tenantSettingsUpdate"]

    assert payload["changes"] == foreseen["tenantSettingsUpdate"]["changes"]
    assert [(one["kind"], one["subject"]) for one in payload["changes"]] == [
        ("CALENDAR", public(IdKind.TENANT, provider.tenant_id)),
        ("TARGET", public(IdKind.ONBOARDING, onboarding.cycle)),
    ]
    calendar = payload["tenant"]["settings"]["calendar"]
    assert [version["version"] for version in calendar["versions"]] == [1, 2]
    assert [version["validTo"] is None for version in calendar["versions"]] == [False, True]


async def test_days_off_have_names_and_business_days_can_be_counted(provider: Provider) -> None:
    await asked(provider, SETTINGS, {"input": {"ownDays": ["2026-12-24"], "country": "NL"}})
    answer = await asked(
        provider,
        """{ tenant { settings { calendar { daysOff(year: 2026) { day name }
          businessDays(from: "2026-12-21", to: "2027-01-01") } } } }""",
    )
    calendar = answer["tenant"]["settings"]["calendar"]

    assert {"day": "2026-04-27", "name": "King's Day"} in calendar["daysOff"]
    assert {"day": "2026-12-24", "name": None} in calendar["daysOff"]
    assert calendar["businessDays"] == 7
    _, errors = await answered(
        provider,
        """{ tenant { settings { calendar { businessDays(from: "2026-12-22", to: "2026-12-21") } } } }""",
    )
    assert errors == ["to: 2026-12-21 lies before 2026-12-22; name the days the other way round."]


@pytest.mark.parametrize(
    ("calendar", "path", "words"),
    [
        ({"hours": []}, ["calendar", "hours"], "at least one weekday"),
        (
            {"hours": [DAYS[0], {"weekday": "MONDAY", "opens": "12:00", "closes": "18:00"}]},
            ["calendar", "hours"],
            "MONDAY overlap or are out of order: 08:00-16:00, 12:00-18:00",
        ),
        ({"country": "NLD"}, ["calendar", "country"], "such as NL"),
        ({"country": "US", "subdivision": "US-CA"}, ["calendar", "subdivision"], "give CA"),
    ],
)
async def test_a_calendar_that_cannot_be_is_refused_with_what_to_do(
    provider: Provider, calendar: dict[str, Any], path: list[str], words: str
) -> None:
    onboarding = await opened(provider)
    given = {"contractId": public(IdKind.CONTRACT, onboarding.contract), "calendar": calendar}
    payload = (await asked(provider, SET, {"input": given}))["contractCalendarSet"]

    assert [(error["code"], error["path"]) for error in payload["errors"]] == [("INVALID", path)]
    assert words in payload["errors"][0]["message"]
    assert payload["changes"] == []


async def test_a_zone_that_is_none_is_told_with_those_that_are_near(provider: Provider) -> None:
    onboarding = await opened(provider)
    given = {"contractId": public(IdKind.CONTRACT, onboarding.contract), "calendar": {"zone": "Europe/Lisbn"}}
    with pytest.raises(Rejected, match=r"'Europe/Lisbn' is no TimeZone: .* such as Europe/Lisbon"):
        await answered(provider, SET, {"input": given})


async def test_weeks_of_a_figure_begin_on_the_providers_first_day(provider: Provider) -> None:
    await opened(provider)
    await asked(provider, SETTINGS, {"input": {"weekStart": "SUNDAY"}})
    answer = await asked(
        provider,
        """{ kpi(query: {key: OPEN_ONBOARDINGS, period: {from: "2026-02-22", to: "2026-03-03"}, grain: WEEK}) {
          series { columns { starts complete } } } }""",
    )
    assert answer["kpi"]["series"][0]["columns"] == {"starts": ["2026-02-22", "2026-03-01"], "complete": [True, False]}


async def test_figures_count_each_onboarding_by_its_own_calendar(provider: Provider) -> None:
    usual, mondays = await opened(provider), await opened(provider)
    given = {"contractId": public(IdKind.CONTRACT, mondays.contract), "calendar": {"hours": [DAYS[0]]}}
    await asked(provider, SET, {"input": given})
    provider.clock.forward(days=7)
    for onboarding in (usual, mondays):
        assert await onboarding.forward() is Stage.ASSET_DISCOVERY
    answer = await asked(
        provider,
        """{ kpi(query: {key: TIME_IN_STAGE, period: {from: "2026-03-01", to: "2026-04-01"}, by: [CLIENT],
          where: {stages: [CONTRACTING]}}) { series { dimensions { member } total { value } } } }""",
    )
    found = {series["dimensions"][0]["member"]: series["total"]["value"] for series in answer["kpi"]["series"]}

    assert found == {
        public(IdKind.CLIENT, usual.client): pytest.approx(5.0),
        public(IdKind.CLIENT, mondays.client): pytest.approx(1.0),
    }


async def test_an_account_manager_off_the_team_is_refused(provider: Provider) -> None:
    onboarding = await opened(provider)
    stranger = await provider.invited(Role.ACCOUNT_MANAGER)
    given = {"contractId": public(IdKind.CONTRACT, onboarding.contract), "calendar": {}}
    payload = (await asked(provider, SET, {"input": given}, stranger))["contractCalendarSet"]
    assert [error["code"] for error in payload["errors"]] == ["NOT_ALLOWED"]


async def _site(provider: Provider, client: UUID) -> UUID:
    command = CreateSite(client, "Harbour", zone=ZoneInfo("Europe/Lisbon"))
    return done(await create_site(provider.context, provider.admin, sent(), command))


async def test_days_off_at_the_ends_of_the_calendar_are_named_as_out_of_range(provider: Provider) -> None:
    given = {"ownDays": ["2026-12-24", "9999-12-31"], "dryRun": True}
    payload = (await asked(provider, SETTINGS, {"input": given}))["tenantSettingsUpdate"]

    assert [error["message"] for error in payload["errors"]] == [
        "9999-12-31 is out of range; give a day from 1970-01-01 to 2199-12-31."
    ]
