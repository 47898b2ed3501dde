"""Calendars: a site's or a contract's own counts before the provider's, in versions, and open targets follow it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from db import calendars, effects
from domain.access import Role
from domain.calendars import Calendar, CalendarSource
from domain.clients import ContractScope, ContractType
from domain.consequences import Consequence, ConsequenceKind, untold
from domain.effects import Effect
from domain.errors import ForbiddenError, Outcome
from domain.moves import Move
from domain.onboarding import HoldReason
from domain.own_calendars import OWN, CalendarOwner, CalendarVersion
from domain.periods import Weekday, start_of_day
from domain.stages import Stage
from tests.support.expansions import served
from tests.support.onboarding import Onboarding, opened
from tests.support.providers import Provider, codes, done, sent
from workflows import tenants
from workflows.calendars import SetCalendar, set_contract, set_site
from workflows.contracts import CreateContract
from workflows.contracts import create as create_contract
from workflows.readiness import judged
from workflows.sites import ArchiveSite, CreateSite
from workflows.sites import archive as archive_site
from workflows.sites import create as create_site
from workflows.teams import TeamCommand, change_team
from workflows.tenants import UpdateSettings
from workflows.working_weeks import Terms

SUNDAY_TO_THURSDAY = dict.fromkeys(
    (Weekday.SUNDAY, Weekday.MONDAY, Weekday.TUESDAY, Weekday.WEDNESDAY, Weekday.THURSDAY),
    ((8 * 60, 12 * 60), (13 * 60, 16 * 60)),
)
RIYADH = Terms(zone=ZoneInfo("Asia/Riyadh"), hours=SUNDAY_TO_THURSDAY, week_start=Weekday.SUNDAY, country="SA")


async def of_contract(onboarding: Onboarding, terms: Terms | None, *, dry_run: bool = False) -> Outcome:
    command = SetCalendar(onboarding.contract, terms, dry_run=dry_run)
    return await set_contract(onboarding.provider.context, onboarding.lead, sent(), command)


async def change(provider: Provider, command: UpdateSettings) -> Outcome:
    return await tenants.update_settings(provider.context, provider.admin, sent(), command)


async def calendar_of(onboarding: Onboarding) -> Calendar:
    cycle = await onboarding.seen()
    async with onboarding.provider.context.database.reading(onboarding.provider.admin) as tx:
        return (await calendars.of_cycles(tx, [cycle]))[cycle.id]


async def versions_of(provider: Provider, owner: CalendarOwner) -> list[CalendarVersion]:
    async with provider.context.database.reading(provider.admin) as tx:
        tenant = (await calendars.in_force(tx)).tenant
        return (await calendars.versions(tx, [owner], tenant))[owner]


async def timers(onboarding: Onboarding) -> dict[str, Effect]:
    async with onboarding.provider.context.database.reading(onboarding.provider.admin) as tx:
        planned = (await effects.of_cycles(tx, [onboarding.cycle]))[onboarding.cycle]
    visit = (await onboarding.seen()).visit_id
    return {effect.key: effect for effect in planned if effect.visit_id == visit and effect.kind.value == "TIMER"}


async def of_a_site(provider: Provider, zone: str) -> tuple[Onboarding, UUID]:
    """Return the onboarding of a site that a client in service has taken on, and the site."""
    client = await served(provider)
    command = CreateSite(client.whole.client, "Harbour", zone=ZoneInfo(zone))
    site = done(await create_site(provider.context, provider.admin, sent(), command))
    contract = await client.signed_contract(provider.clock().date())
    return await client.expanded(contract, site=site), site


def end_of(calendar: Calendar, start: date, days: int) -> datetime:
    return start_of_day(calendar.add_business_days(start, days) + timedelta(days=1), calendar.zone)


async def test_an_onboarding_counts_by_its_contracts_own_calendar_from_its_opening_on(provider: Provider) -> None:
    onboarding = await opened(provider)
    assert (await onboarding.seen()).target_at == datetime(2026, 3, 16, 23, tzinfo=UTC)
    done(await of_contract(onboarding, RIYADH))

    calendar = await calendar_of(onboarding)
    assert (calendar.source, calendar.owner_id, calendar.zone.key) == (
        CalendarSource.CONTRACT,
        onboarding.contract,
        "Asia/Riyadh",
    )
    assert (await onboarding.seen()).target_at == end_of(calendar, date(2026, 3, 2), 10)
    assert (await timers(onboarding))["TARGET"].due_at == end_of(calendar, date(2026, 3, 2), 10)

    assert await onboarding.forward() is Stage.ASSET_DISCOVERY
    assert (await onboarding.seen()).target_at == end_of(calendar, date(2026, 3, 2), 20)


async def test_a_sites_calendar_comes_before_its_contracts_and_that_before_the_providers(provider: Provider) -> None:
    onboarding, site = await of_a_site(provider, "Asia/Kolkata")
    assert (await calendar_of(onboarding)).source is CalendarSource.TENANT
    done(await of_contract(onboarding, RIYADH))
    assert (await calendar_of(onboarding)).source is CalendarSource.CONTRACT

    done(await set_site(provider.context, onboarding.lead, sent(), SetCalendar(site, Terms())))
    calendar = await calendar_of(onboarding)
    assert (calendar.source, calendar.owner_id, calendar.zone.key) == (CalendarSource.SITE, site, "Asia/Kolkata")
    assert (await onboarding.seen()).target_at == end_of(calendar, date(2026, 3, 2), 10)

    done(await set_site(provider.context, onboarding.lead, sent(), SetCalendar(site, None)))
    assert (await calendar_of(onboarding)).source is CalendarSource.CONTRACT
    done(await of_contract(onboarding, None))
    assert (await onboarding.seen()).target_at == datetime(2026, 3, 16, 23, tzinfo=UTC)


async def test_a_sites_onboarding_is_opened_by_the_sites_calendar(provider: Provider) -> None:
    client = await served(provider)
    site = await client.site()
    terms = Terms(hours={Weekday.MONDAY: ((540, 1020),)}, zone=ZoneInfo("Asia/Kolkata"))
    done(await set_site(provider.context, client.whole.lead, sent(), SetCalendar(site, terms)))
    onboarding = await client.expanded(await client.signed_contract(provider.clock().date()), site=site)

    # Ten Mondays after Monday, 2 March.
    assert (await onboarding.seen()).target_at == start_of_day(date(2026, 5, 12), ZoneInfo("Asia/Kolkata"))


async def test_a_dry_run_tells_which_targets_move_and_moves_none(provider: Provider) -> None:
    onboarding, other = await opened(provider), await opened(provider)
    before = await onboarding.seen()
    told = await of_contract(onboarding, RIYADH, dry_run=True)

    assert await onboarding.seen() == before
    assert await versions_of(provider, CalendarOwner(CalendarSource.CONTRACT, onboarding.contract)) == []
    real = await of_contract(onboarding, RIYADH)
    assert untold(told.facts) == untold(real.facts)
    calendar, target = untold(real.facts)
    assert (calendar.kind, calendar.name, calendar.before, calendar.after) == (
        ConsequenceKind.CALENDAR,
        "CONTRACT",
        None,
        "1",
    )
    after = (await onboarding.seen()).target_at
    assert before.target_at is not None
    assert after is not None
    assert target == Consequence(
        ConsequenceKind.TARGET,
        "CONTRACTING",
        before.target_at.isoformat(),
        after.isoformat(),
        subject=f"onb_{onboarding.cycle.hex}",
    )
    assert (await other.seen()).target_at == before.target_at


async def test_what_changes_nothing_makes_no_version(provider: Provider) -> None:
    onboarding = await opened(provider)
    assert untold((await of_contract(onboarding, None)).facts) == []
    first = await of_contract(onboarding, RIYADH)
    again = await of_contract(onboarding, RIYADH)

    assert (again.version, again.event, untold(again.facts)) == (first.version, None, [])
    kept = await versions_of(provider, CalendarOwner(CalendarSource.CONTRACT, onboarding.contract))
    assert [version.version for version in kept] == [1]


async def test_every_version_stays_readable_with_the_time_in_which_it_was_in_force(provider: Provider) -> None:
    onboarding = await opened(provider)
    owner = CalendarOwner(CalendarSource.CONTRACT, onboarding.contract)
    instants = []
    for terms in (RIYADH, None, replace(RIYADH, own_days=(date(2026, 3, 9),))):
        instants.append(provider.clock())
        done(await of_contract(onboarding, terms))
        provider.clock.forward(days=1)

    kept = await versions_of(provider, owner)
    assert [(one.version, one.valid_from, one.valid_to) for one in kept] == [
        (1, instants[0], instants[1]),
        (2, instants[1], instants[2]),
        (3, instants[2], None),
    ]
    assert kept[1].calendar is None
    assert kept[0].calendar is not None
    assert date(2026, 3, 9) not in kept[0].calendar.holidays
    assert kept[2].calendar is not None
    assert date(2026, 3, 9) in kept[2].calendar.holidays


async def test_the_providers_versions_are_kept_from_its_beginning_on(provider: Provider) -> None:
    born = provider.clock()
    (only,) = await versions_of(provider, OWN)
    assert (only.version, only.valid_from, only.valid_to) == (1, born, None)
    changed = provider.clock.forward(days=3)
    done(await change(provider, UpdateSettings(country="NL")))
    provider.clock.forward(days=3)
    done(await change(provider, UpdateSettings(own_days=(date(2026, 12, 24),))))

    kept = await versions_of(provider, OWN)
    assert [(one.version, one.valid_from) for one in kept] == [(1, born), (2, changed), (3, provider.clock())]
    assert [one.calendar.country for one in kept if one.calendar] == [None, "NL", "NL"]


async def test_a_change_of_the_providers_calendar_moves_the_targets_that_count_by_it(provider: Provider) -> None:
    plain, own = await opened(provider), await opened(provider)
    done(await of_contract(own, RIYADH))
    kept = (await own.seen()).target_at
    days_off = (date(2026, 3, 4), date(2026, 3, 5))
    told = untold((await change(provider, UpdateSettings(own_days=days_off, dry_run=True))).facts)
    assert (await plain.seen()).target_at == datetime(2026, 3, 16, 23, tzinfo=UTC)

    outcome = await change(provider, UpdateSettings(own_days=days_off))
    assert untold(outcome.facts) == told
    assert [(one.kind, one.subject) for one in told] == [
        (ConsequenceKind.CALENDAR, f"ten_{provider.tenant_id.hex}"),
        (ConsequenceKind.TARGET, f"onb_{plain.cycle.hex}"),
    ]
    assert (await plain.seen()).target_at == datetime(2026, 3, 18, 23, tzinfo=UTC)
    assert (await timers(plain))["TARGET"].due_at == datetime(2026, 3, 18, 23, tzinfo=UTC)
    assert (await own.seen()).target_at == kept


async def test_holds_that_ended_stay_in_a_target_that_is_set_anew(provider: Provider) -> None:
    onboarding = await opened(provider)
    done(await onboarding.move(Move.HOLD, hold_reason=HoldReason.CLIENT))
    provider.clock.forward(days=2)
    done(await onboarding.move(Move.RESUME))
    assert (await onboarding.seen()).target_at == datetime(2026, 3, 18, 23, tzinfo=UTC)

    done(await change(provider, UpdateSettings(own_days=(date(2026, 3, 18),))))
    assert (await onboarding.seen()).target_at == datetime(2026, 3, 19, 23, tzinfo=UTC)


async def test_an_onboarding_that_names_another_contract_counts_by_its_calendar(provider: Provider) -> None:
    onboarding = await opened(provider)
    command = CreateContract(onboarding.client, "Better", ContractType.MANAGED, (ContractScope.ENDPOINTS,))
    better = done(await create_contract(provider.context, provider.admin, sent(), command))
    done(await set_contract(provider.context, onboarding.lead, sent(), SetCalendar(better, RIYADH)))
    assert (await onboarding.seen()).target_at == datetime(2026, 3, 16, 23, tzinfo=UTC)

    team = TeamCommand(onboarding.cycle, onboarding.version, contract=better)
    done(await change_team(provider.context, onboarding.lead, sent(), team))
    assert (await onboarding.seen()).target_at == end_of(await calendar_of(onboarding), date(2026, 3, 2), 10)
    assert (await calendar_of(onboarding)).owner_id == better


async def test_what_has_fired_stays_fired(provider: Provider) -> None:
    onboarding = await opened(provider)
    fired = (await timers(onboarding))["TARGET"]
    async with provider.context.database.writing(provider.admin) as tx:
        await tx.run(
            text("update effect set state = 'DONE', settled_at = due_at where tenant_id = :tenant and id = :id"),
            tenant=tx.tenant,
            id=fired.id,
        )
    done(await of_contract(onboarding, RIYADH))

    assert (await timers(onboarding))["TARGET"].due_at == fired.due_at
    assert (await onboarding.seen()).target_at != fired.due_at


async def test_the_days_of_early_support_begin_at_the_midnights_of_the_calendar(provider: Provider) -> None:
    onboarding = await opened(provider)
    while await onboarding.forward() is not Stage.EARLY_SUPPORT:
        pass
    before = await onboarding.seen()
    done(await of_contract(onboarding, RIYADH))
    after = await onboarding.seen()

    assert before.target_at is not None
    assert after.target_at == start_of_day(date(2026, 6, 1), ZoneInfo("Asia/Riyadh"))
    assert before.target_at == start_of_day(date(2026, 6, 1), ZoneInfo("Europe/Amsterdam"))
    assert (await timers(onboarding))["DAY_30"].due_at == start_of_day(date(2026, 4, 1), ZoneInfo("Asia/Riyadh"))


async def test_readiness_foresees_what_the_move_does_by_the_same_calendar(provider: Provider) -> None:
    onboarding = await opened(provider)
    done(await of_contract(onboarding, RIYADH))
    async with provider.context.database.reading(provider.admin) as tx:
        seen = (await judged(tx, [onboarding.cycle], provider.clock()))[onboarding.cycle]
    begin = next(move for move in seen.moves if move.move is Move.BEGIN_DISCOVERY)
    foreseen = {effect.key: effect.due_at for effect in begin.would_trigger}

    await onboarding.forward()
    assert (await onboarding.seen()).target_at == foreseen["TARGET"]


async def test_a_contracts_own_calendar_states_its_coverage_hours(provider: Provider) -> None:
    onboarding = await opened(provider)

    async def answer() -> str:
        async with provider.context.database.reading(provider.admin) as tx:
            seen = (await judged(tx, [onboarding.cycle], provider.clock()))[onboarding.cycle]
        begin = next(move for move in seen.moves if move.move is Move.BEGIN_DISCOVERY)
        return next(gate.answer.value for gate in begin.gates if gate.gate.value == "COVERAGE_HOURS")

    assert await answer() == "FAIL"
    done(await of_contract(onboarding, Terms()))
    assert await answer() == "PASS"


@pytest.mark.parametrize(
    ("terms", "path", "words"),
    [
        (Terms(hours={}), ("calendar", "hours"), "at least one weekday"),
        (Terms(hours={Weekday.MONDAY: ((540, 780), (720, 1020))}), ("calendar", "hours"), "09:00-13:00, 12:00-17:00"),
        (Terms(country="Netherlands"), ("calendar", "country"), "such as NL"),
        (Terms(country="DE", subdivision="Bayern"), ("calendar", "subdivision"), "give BY"),
        (Terms(country=None, subdivision="BY"), ("calendar", "subdivision"), "name the country"),
    ],
)
async def test_a_calendar_that_cannot_be_is_refused_in_words(
    provider: Provider, terms: Terms, path: tuple[str, ...], words: str
) -> None:
    onboarding = await opened(provider)
    outcome = await of_contract(onboarding, terms)

    assert [(error.code.value, error.path) for error in outcome.errors] == [("INVALID", path)]
    assert words in outcome.errors[0].message
    assert (await calendar_of(onboarding)).source is CalendarSource.TENANT


async def test_a_stranger_an_old_version_and_an_archived_site_are_refused(provider: Provider) -> None:
    onboarding = await opened(provider)
    stranger = await provider.invited(Role.ONBOARDING_LEAD)
    command = SetCalendar(onboarding.contract, RIYADH)
    assert codes(await set_contract(provider.context, stranger, sent(), command)) == ["NOT_ALLOWED"]
    stale = replace(command, expected_version=7)
    assert codes(await set_contract(provider.context, onboarding.lead, sent(), stale)) == ["STALE_VERSION"]
    viewer = await provider.invited(Role.VIEWER)
    with pytest.raises(ForbiddenError, match="CLIENTS_WRITE"):
        await set_contract(provider.context, viewer, sent(), command)

    site = done(await create_site(provider.context, provider.admin, sent(), CreateSite(onboarding.client, "Closed")))
    done(await archive_site(provider.context, provider.admin, sent(), ArchiveSite(site)))
    assert codes(await set_site(provider.context, provider.admin, sent(), SetCalendar(site, RIYADH))) == ["CONFLICT"]


async def test_another_providers_contract_is_as_if_there_were_none(
    provider: Provider, other_provider: Provider
) -> None:
    onboarding = await opened(provider)
    command = SetCalendar(onboarding.contract, RIYADH)
    outcome = await set_contract(other_provider.context, other_provider.admin, sent(), command)
    assert codes(outcome) == ["NOT_FOUND"]


async def test_days_off_that_close_a_calendar_for_more_than_a_year_are_refused(provider: Provider) -> None:
    days = tuple(date(2026, 3, 2) + timedelta(days=n) for n in range(367))
    outcome = await change(provider, UpdateSettings(own_days=days))

    assert [error.path for error in outcome.errors] == [("ownDays",)]
    assert "no business day for 366 days" in outcome.errors[0].message
