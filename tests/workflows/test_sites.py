"""Sites: where a client works, and what may be put there."""

from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from db import sites as stored
from domain.access import Role, Scope
from domain.clients import ContractType, ExternalKey
from domain.errors import ForbiddenError
from domain.sites import Site
from tests.support.expansions import served
from tests.support.providers import Provider, codes, done, sent
from workflows.amendments import CreateAmendment
from workflows.amendments import create as create_amendment
from workflows.contacts import CreateContact, UpdateContact
from workflows.contacts import create as create_contact
from workflows.contacts import update as update_contact
from workflows.contracts import CreateContract
from workflows.contracts import create as create_contract
from workflows.device_batches import DeviceRow, UpsertDevices, upsert
from workflows.devices import RecordDiscovery, record_discovery
from workflows.services import CreateService
from workflows.services import create as create_service
from workflows.sites import ArchiveSite, CreateSite, UpdateSite, archive, create, update


async def site_of(provider: Provider, key: UUID) -> Site:
    async with provider.context.database.reading(provider.admin) as tx:
        found = await stored.get(tx, key)
    assert found is not None
    return found


async def noted(provider: Provider, client: UUID, **details: object) -> UUID:
    command = CreateSite(client, **{"name": "Depot", **details})  # type: ignore[arg-type]
    return done(await create(provider.context, provider.admin, sent(), command))


async def test_a_site_keeps_its_address_and_zone_without_stray_spaces(provider: Provider) -> None:
    site = await noted(
        provider,
        await provider.client(),
        name=" Depot ",
        street=" Kade 1",
        postcode="1011 AB",
        city=" ",
        country="NL",
        zone=ZoneInfo("Europe/Amsterdam"),
    )
    found = await site_of(provider, site)
    assert (found.name, found.street, found.postcode, found.city) == ("Depot", "Kade 1", "1011 AB", None)
    assert (found.country, found.zone, found.archived_at, found.version) == ("NL", "Europe/Amsterdam", None, 1)


async def test_what_cannot_be_of_a_site_is_named_value_by_value(provider: Provider) -> None:
    command = CreateSite(await provider.client(), " ", street="a\nb", country="XX", postcode="1" * 21)
    outcome = await create(provider.context, provider.admin, sent(), command)
    assert [error.path for error in outcome.errors] == [("name",), ("street",), ("postcode",), ("country",)]
    assert "ISO 3166" in outcome.errors[3].message


async def test_a_change_says_what_changed_and_one_that_changes_nothing_is_no_new_version(provider: Provider) -> None:
    site = await noted(provider, await provider.client(), city="Breda")
    same = await update(provider.context, provider.admin, sent(), UpdateSite(site, city=" Breda"))
    assert (same.event, same.version) == (None, 1)
    done(await update(provider.context, provider.admin, sent(), UpdateSite(site, city=None, zone=ZoneInfo("UTC"))))
    found = await site_of(provider, site)
    assert (found.city, found.zone, found.version) == (None, "UTC", 2)
    late = UpdateSite(site, name="Hall", expected_version=1)
    assert codes(await update(provider.context, provider.admin, sent(), late)) == ["STALE_VERSION"]


async def test_a_key_of_another_system_is_one_site_of_its_client(provider: Provider) -> None:
    client, key = await provider.client(), (ExternalKey("PSA", "7"),)
    site = await noted(provider, client, external=key)
    taken = await create(provider.context, provider.admin, sent(), CreateSite(client, "Hall", external=key))
    assert codes(taken) == ["ALREADY_EXISTS"]
    await noted(provider, await provider.client("Other"), external=key)
    other = UpdateSite(site, external=(ExternalKey("PSA", "8"),))
    done(await update(provider.context, provider.admin, sent(), other))
    await noted(provider, client, external=key)


async def test_nothing_new_is_put_at_an_archived_site_and_what_is_there_stays(provider: Provider) -> None:
    context, admin, client = provider.context, provider.admin, await provider.client()
    site = await noted(provider, client)
    contact = done(await create_contact(context, admin, sent(), CreateContact(client, "Cy", site_id=site)))
    done(await archive(context, admin, sent(), ArchiveSite(site)))
    again = await archive(context, admin, sent(), ArchiveSite(site))
    assert (again.event, again.version) == (None, 2)
    assert codes(await update(context, admin, sent(), UpdateSite(site, name="Hall"))) == ["CONFLICT"]
    assert codes(await create_contact(context, admin, sent(), CreateContact(client, "Di", site_id=site))) == [
        "NOT_FOUND"
    ]
    done(await update_contact(context, admin, sent(), UpdateContact(contact, name="Cy Clark")))
    done(await update_contact(context, admin, sent(), UpdateContact(contact, site_id=None)))


async def test_what_is_of_one_client_is_put_at_no_site_of_another(provider: Provider, other_provider: Provider) -> None:
    context, admin, client = provider.context, provider.admin, await provider.client()
    contract = done(
        await create_contract(context, admin, sent(), CreateContract(client, "Managed", ContractType.MANAGED))
    )
    for site in (
        await noted(provider, await provider.client("Neighbour")),
        await noted(other_provider, await other_provider.client()),
    ):
        device = UpsertDevices(client, "RMM", (DeviceRow("laptop-1", site_id=site),))
        outcomes = (
            await create_contact(context, admin, sent(), CreateContact(client, "Cy", site_id=site)),
            await create_service(context, admin, sent(), CreateService(client, "Mail", site_id=site)),
            await upsert(context, admin, sent(), device),
            await record_discovery(context, admin, sent(), RecordDiscovery(client, "scan", 1, site_id=site)),
            await create_amendment(context, admin, sent(), CreateAmendment(contract, "More", site_id=site)),
        )
        assert [codes(outcome) for outcome in outcomes] == [["NOT_FOUND"]] * len(outcomes)


async def test_a_site_is_reached_as_its_client_is(provider: Provider) -> None:
    owner, stranger = await provider.invited(Role.ONBOARDING_LEAD), await provider.invited(Role.ONBOARDING_LEAD)
    viewer, client = await provider.invited(Role.VIEWER), await provider.client(owner=owner)
    site = done(await create(provider.context, owner, sent(), CreateSite(client, "Depot")))
    for outcome in (
        await create(provider.context, stranger, sent(), CreateSite(client, "Hall")),
        await update(provider.context, stranger, sent(), UpdateSite(site, name="Hall")),
        await archive(provider.context, stranger, sent(), ArchiveSite(site)),
    ):
        assert codes(outcome) == ["NOT_ALLOWED"]
    with pytest.raises(ForbiddenError, match=Scope.CLIENTS_WRITE):
        await archive(provider.context, viewer, sent(), ArchiveSite(site))


async def test_a_site_with_an_open_onboarding_of_its_own_is_not_archived(provider: Provider) -> None:
    world = await served(provider)
    site = await world.site()
    await world.expanded(await world.contract(), site=site)
    outcome = await archive(provider.context, provider.admin, sent(), ArchiveSite(site))
    assert codes(outcome) == ["CONFLICT"]
    assert "onb_" in outcome.errors[0].message
