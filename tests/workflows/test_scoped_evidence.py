"""Gates look at what an onboarding is about: the whole client, one site, or one service."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from db import definitions, evidence, tenants
from domain.amendments import AmendmentStatus
from domain.clients import ContactRole, ContractScope, ContractStatus, DeviceState
from domain.gates import Answer, Evidence, Verdict, judge
from domain.moves import Gate, Move
from tests.support.expansions import Served, served
from tests.support.onboarding import Onboarding
from tests.support.providers import Provider, done, sent
from workflows.amendments import UpdateAmendment
from workflows.amendments import update as update_amendment
from workflows.contacts import CreateContact
from workflows.contacts import create as create_contact
from workflows.contracts import UpdateContract
from workflows.contracts import update as update_contract
from workflows.device_batches import DeviceRow, UpsertDevices, upsert
from workflows.devices import RecordDiscovery, record_discovery
from workflows.services import UpdateService
from workflows.services import update as update_service


@pytest.fixture
async def world(provider: Provider) -> Served:
    return await served(provider)


async def seen_by(onboarding: Onboarding) -> Evidence:
    provider, cycle = onboarding.provider, await onboarding.seen()
    async with provider.context.database.reading(provider.admin) as tx:
        rules = (await definitions.by_ids(tx, [cycle.definition_id]))[cycle.definition_id].rules
        settings = (await tenants.get(tx)).settings
        wanted = evidence.Wanted(cycle, rules)
        return (await evidence.gather(tx, [wanted], settings, provider.clock()))[cycle.id]


async def judged(onboarding: Onboarding, move: Move, gate: Gate) -> Verdict:
    provider, cycle = onboarding.provider, await onboarding.seen()
    async with provider.context.database.reading(provider.admin) as tx:
        rules = (await definitions.by_ids(tx, [cycle.definition_id]))[cycle.definition_id].rules
    verdicts = judge(move, cycle, rules, await seen_by(onboarding))
    return next(verdict for verdict in verdicts if verdict.gate is gate)


async def devices(world: Served, *rows: DeviceRow) -> list[UUID]:
    outcome = await upsert(
        world.provider.context, world.provider.admin, sent(), UpsertDevices(world.whole.client, "RMM", rows)
    )
    assert outcome.errors == ()
    return [UUID(hex=row["subject"]) for row in outcome.facts["results"]]  # type: ignore[attr-defined]


async def searched(world: Served, at: datetime, site: UUID | None = None) -> None:
    command = RecordDiscovery(world.whole.client, "scan", 3, at, site)
    done(await record_discovery(world.provider.context, world.provider.admin, sent(), command))


async def test_a_site_counts_its_own_devices_and_services_and_a_service_the_devices_it_runs_on(world: Served) -> None:
    site = await world.site()
    here, _, elsewhere = await devices(
        world,
        DeviceRow("depot-1", state=DeviceState.MANAGED, site_id=site),
        DeviceRow("depot-2", site_id=site),
        DeviceRow("head-1", state=DeviceState.MANAGED),
    )
    shop = await world.service("Web shop", critical=True, device_ids=(elsewhere, here))
    await world.service("Tills", critical=True, site_id=site)
    whole = await seen_by(world.whole)
    at_site = await seen_by(await world.expanded(await world.contract(), site=site))
    selling = await world.expanded(await world.contract(), service=shop)
    of_shop = await seen_by(selling)
    assert [(e.devices_discovered, e.devices_managed) for e in (whole, at_site, of_shop)] == [(3, 2), (2, 1), (2, 2)]
    assert [(e.critical_services, e.critical_unmapped) for e in (whole, at_site, of_shop)] == [
        (2, ("Tills",)),
        (1, ("Tills",)),
        (1, ()),
    ]
    fewer = UpdateService(shop, device_ids=(elsewhere,))
    done(await update_service(world.provider.context, world.provider.admin, sent(), fewer))
    assert (await seen_by(selling)).devices_discovered == 1


async def test_a_site_has_its_own_contacts_if_it_has_any_else_the_clients(world: Served) -> None:
    provider, site = world.provider, await world.site()
    part = await world.expanded(await world.contract(), site=site)
    before = await seen_by(part)
    assert (before.primary_contacts, len(before.surveyable)) == (1, 1)
    keeper = CreateContact(
        world.whole.client, "Kim Keeper", "kim@depot.example", roles=(ContactRole.USER,), site_id=site
    )
    contact = done(await create_contact(provider.context, provider.admin, sent(), keeper))
    after = await seen_by(part)
    assert (after.primary_contacts, after.surveyable) == (0, (contact,))
    whole = await seen_by(world.whole)
    assert (whole.primary_contacts, len(whole.surveyable)) == (1, 2)


async def test_a_search_of_one_site_counts_for_that_site_and_the_client_is_as_fresh_as_its_stalest_site(
    world: Served,
) -> None:
    now = world.provider.clock()
    days = [now - timedelta(days=day) for day in range(5)]
    await searched(world, days[4])
    assert (await seen_by(world.whole)).last_discovery_at == days[4]
    depot, hall = await world.site(), await world.site("Hall")
    part = await world.expanded(await world.contract(), site=depot)
    await searched(world, days[2], depot)
    assert (await seen_by(part)).last_discovery_at == days[2]
    assert (await seen_by(world.whole)).last_discovery_at == days[4]
    await searched(world, days[1], hall)
    assert (await seen_by(world.whole)).last_discovery_at == days[2]
    await searched(world, days[0])
    assert {(await seen_by(one)).last_discovery_at for one in (world.whole, part)} == {days[0]}


async def test_tickets_are_the_whole_clients_and_the_gates_say_so(world: Served) -> None:
    part = await world.expanded(await world.contract(), site=await world.site())
    told = await judged(part, Move.GRADUATE, Gate.NO_OPEN_PRIORITY_1)
    assert told.reason == (
        "No priority-1 ticket is open. Tickets name no site and no service, so these are the whole client's."
    )
    assert (await judged(world.whole, Move.GRADUATE, Gate.NO_OPEN_PRIORITY_1)).reason == "No priority-1 ticket is open."


async def test_contract_signed_judges_the_amendment_with_its_own_start(world: Served) -> None:
    provider, site, today = world.provider, await world.site(), world.provider.clock().date()
    amendment = await world.amendment(site_id=site)
    outcome = await world.expand(site=site, amendment=amendment)
    part = replace(world.whole, cycle=done(outcome), version=1)
    reasons = []
    for details in ({}, {"status": AmendmentStatus.SIGNED}, {"starts_on": today}):
        command = UpdateAmendment(amendment, **details)
        done(await update_amendment(provider.context, provider.admin, sent(), command))
        verdict = await judged(part, Move.BEGIN_DISCOVERY, Gate.CONTRACT_SIGNED)
        reasons.append((verdict.answer, verdict.reason))
    assert reasons == [
        (Answer.FAIL, "Amendment 1 of the contract is DRAFT, not SIGNED."),
        (Answer.FAIL, "Amendment 1 of the contract is signed but has no start date."),
        (Answer.PASS, f"Amendment 1 of the contract is signed, starting {today}."),
    ]
    ended = UpdateContract(world.whole.contract, status=ContractStatus.ENDED)
    done(await update_contract(provider.context, provider.admin, sent(), ended))
    assert (await judged(part, Move.BEGIN_DISCOVERY, Gate.CONTRACT_SIGNED)).answer is Answer.FAIL


async def test_device_gates_apply_by_the_terms_that_hold_today(world: Served) -> None:
    provider, today = world.provider, world.provider.clock().date()
    gate = (Move.GO_LIVE, Gate.DEVICES_MANAGED)
    assert (await judged(world.whole, *gate)).answer is Answer.FAIL
    await world.signed_amendment(
        today + timedelta(days=1), scope_removed=(ContractScope.ENDPOINTS,), scope_added=(ContractScope.SAAS,)
    )
    assert (await judged(world.whole, *gate)).answer is Answer.FAIL
    provider.clock.forward(days=1)
    assert (await judged(world.whole, *gate)).answer is Answer.NOT_APPLICABLE


async def test_what_an_onboarding_works_towards_counts_for_it_before_it_begins(world: Served) -> None:
    site, today = await world.site(), world.provider.clock().date()
    amendment = await world.signed_amendment(
        today + timedelta(days=30), site_id=site, scope_removed=(ContractScope.ENDPOINTS,)
    )
    part = replace(world.whole, cycle=done(await world.expand(site=site, amendment=amendment)), version=1)
    assert (await judged(part, Move.GO_LIVE, Gate.DEVICES_MANAGED)).answer is Answer.NOT_APPLICABLE
    assert (await judged(world.whole, Move.GO_LIVE, Gate.DEVICES_MANAGED)).answer is Answer.FAIL


async def test_each_onboarding_is_judged_by_its_own_contract(world: Served) -> None:
    provider, today = world.provider, world.provider.clock().date()
    contract = await world.contract()
    part = await world.expanded(contract, site=await world.site())
    assert (
        await judged(part, Move.BEGIN_DISCOVERY, Gate.CONTRACT_SIGNED)
    ).reason == "The contract is DRAFT, not SIGNED."
    assert (await judged(world.whole, Move.BEGIN_DISCOVERY, Gate.CONTRACT_SIGNED)).answer is Answer.PASS
    before = await world.whole.seen()
    signed = UpdateContract(contract, status=ContractStatus.SIGNED, starts_on=today + timedelta(days=60))
    done(await update_contract(provider.context, provider.admin, sent(), signed))
    assert (await judged(part, Move.BEGIN_DISCOVERY, Gate.CONTRACT_SIGNED)).answer is Answer.PASS
    assert await world.whole.seen() == replace(before, active_at=(await world.whole.seen()).active_at)
