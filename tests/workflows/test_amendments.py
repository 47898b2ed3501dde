"""Amendments of contracts: numbered, signed after their contract, and over when they say so."""

import asyncio
from datetime import date, timedelta
from uuid import UUID

import pytest

from db import amendments as stored
from domain.access import Role
from domain.amendments import Amendment, AmendmentStatus
from domain.clients import ContractScope, ContractStatus, ContractType
from domain.errors import Outcome
from domain.timeline import TimelineKind
from tests.support.expansions import served
from tests.support.onboarding import Onboarding, opened
from tests.support.providers import Provider, codes, done, sent
from tests.workflows.test_teams import told
from workflows.amendments import CreateAmendment, UpdateAmendment, create, update
from workflows.contracts import CreateContract, UpdateContract
from workflows.contracts import create as create_contract
from workflows.contracts import update as update_contract

TODAY = date(2026, 3, 2)


@pytest.fixture
async def contract(provider: Provider) -> UUID:
    command = CreateContract(
        await provider.client(),
        "Managed",
        ContractType.MANAGED,
        (ContractScope.ENDPOINTS,),
        status=ContractStatus.SIGNED,
        starts_on=TODAY,
    )
    return done(await create_contract(provider.context, provider.admin, sent(), command))


async def created(provider: Provider, contract: UUID, **details: object) -> Outcome:
    command = CreateAmendment(contract, **{"title": "Addition", **details})  # type: ignore[arg-type]
    return await create(provider.context, provider.admin, sent(), command)


async def changed(provider: Provider, amendment: UUID, **details: object) -> Outcome:
    command = UpdateAmendment(amendment, **details)  # type: ignore[arg-type]
    return await update(provider.context, provider.admin, sent(), command)


async def amendment_of(provider: Provider, key: UUID) -> Amendment:
    async with provider.context.database.reading(provider.admin) as tx:
        found = await stored.get(tx, key)
    assert found is not None
    return found


async def test_amendments_are_numbered_within_their_contract_even_when_they_come_at_once(
    provider: Provider, contract: UUID
) -> None:
    outcomes = await asyncio.gather(*(created(provider, contract) for _ in range(4)))
    numbers = [(await amendment_of(provider, done(outcome))).number for outcome in outcomes]
    assert sorted(numbers) == [1, 2, 3, 4]


async def test_an_amendment_is_signed_after_its_contract(provider: Provider) -> None:
    drafted = CreateContract(await provider.client(), "Managed", ContractType.MANAGED)
    contract = done(await create_contract(provider.context, provider.admin, sent(), drafted))
    assert codes(await created(provider, contract, status=AmendmentStatus.SIGNED)) == ["CONFLICT"]
    amendment = done(await created(provider, contract))
    assert codes(await changed(provider, amendment, status=AmendmentStatus.SIGNED)) == ["CONFLICT"]
    signed = UpdateContract(contract, status=ContractStatus.SIGNED)
    done(await update_contract(provider.context, provider.admin, sent(), signed))
    done(await changed(provider, amendment, status=AmendmentStatus.SIGNED))
    assert (await amendment_of(provider, amendment)).signed_at == provider.clock()


async def test_a_contract_that_has_ended_or_states_no_scope_is_not_amended_in_it(
    provider: Provider, contract: UUID
) -> None:
    done(await update_contract(provider.context, provider.admin, sent(), UpdateContract(contract, scope=())))
    assert codes(await created(provider, contract, scope_added=(ContractScope.SAAS,))) == ["CONFLICT"]
    ended = UpdateContract(contract, status=ContractStatus.ENDED)
    done(await update_contract(provider.context, provider.admin, sent(), ended))
    assert codes(await created(provider, contract)) == ["CONFLICT"]


async def test_values_that_cannot_be_are_named(provider: Provider, contract: UUID) -> None:
    outcome = await created(
        provider,
        contract,
        starts_on=TODAY,
        ends_on=TODAY - timedelta(days=1),
        scope_added=(ContractScope.SAAS,),
        scope_removed=(ContractScope.SAAS,),
        seats=5,
        seats_delta=0,
    )
    assert [error.path for error in outcome.errors] == [
        ("endsOn",),
        ("scopeRemoved",),
        ("seatsDelta",),
        ("seatsDelta",),
    ]


async def test_what_is_signed_is_never_unsigned_and_what_has_ended_stays(provider: Provider, contract: UUID) -> None:
    amendment = done(await created(provider, contract, status=AmendmentStatus.SIGNED, starts_on=TODAY))
    assert codes(await changed(provider, amendment, status=AmendmentStatus.DRAFT)) == ["CONFLICT"]
    done(await changed(provider, amendment, status=AmendmentStatus.ENDED))
    assert codes(await changed(provider, amendment, title="Other")) == ["CONFLICT"]
    found = await amendment_of(provider, amendment)
    assert (found.ended_at, found.ends_on) == (provider.clock(), provider.clock().date())
    assert found.change.in_force(provider.clock().date())
    assert not found.change.in_force(provider.clock().date() + timedelta(days=1))


async def test_one_that_is_ended_before_it_began_was_never_in_force(provider: Provider, contract: UUID) -> None:
    later = provider.clock().date() + timedelta(days=30)
    amendment = done(await created(provider, contract, status=AmendmentStatus.SIGNED, starts_on=later))
    done(await changed(provider, amendment, status=AmendmentStatus.ENDED))
    assert not (await amendment_of(provider, amendment)).change.in_force(later)


async def test_who_wrote_and_edited_an_amendment_is_told_in_the_timeline(provider: Provider) -> None:
    onboarding: Onboarding = await opened(provider)
    amendment = done(await created(provider, onboarding.contract))
    done(await changed(provider, amendment, seats_delta=4, note="Two more desks."))
    entries = await told(onboarding, TimelineKind.AMENDMENT_ADDED, TimelineKind.AMENDMENT_EDITED)
    assert [(entry.kind, entry.subject_id, entry.detail) for entry in entries] == [
        ("AMENDMENT_ADDED", amendment, None),
        ("AMENDMENT_EDITED", amendment, "seatsDelta, note"),
    ]


async def test_an_amendment_is_reached_as_its_client_is(
    provider: Provider, other_provider: Provider, contract: UUID
) -> None:
    amendment = done(await created(provider, contract))
    stranger = await provider.invited(Role.ONBOARDING_LEAD)
    refusals = (
        await create(provider.context, stranger, sent(), CreateAmendment(contract, "Mine")),
        await update(provider.context, stranger, sent(), UpdateAmendment(amendment, title="Mine")),
    )
    assert [codes(outcome) for outcome in refusals] == [["NOT_ALLOWED"]] * 2
    foreign = (await created(other_provider, contract), await changed(other_provider, amendment, title="Ours"))
    assert [codes(outcome) for outcome in foreign] == [["NOT_FOUND"]] * 2


async def test_an_amendment_that_an_onboarding_works_towards_stays_for_its_site(provider: Provider) -> None:
    world = await served(provider)
    site, other = await world.site(), await world.site("Hall")
    amendment = await world.amendment(site_id=site)
    done(await world.expand(site=site, amendment=amendment))
    assert codes(await changed(provider, amendment, site_id=other)) == ["CONFLICT"]
    done(await changed(provider, amendment, seats_delta=3))
