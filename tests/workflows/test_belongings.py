"""What belongs to a client: contacts, contracts, services and devices, each reached as its client is."""

import asyncio
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from db import contacts as stored_contacts
from db import contracts as stored_contracts
from db import devices as stored_devices
from db import services as stored_services
from db.errors import MissingReferenceError
from domain.access import Role, Scope
from domain.bulk import BulkPolicy
from domain.clients import (
    ContactRole,
    Contract,
    ContractScope,
    ContractStatus,
    ContractType,
    Device,
    DeviceState,
    ExternalKey,
    GapReason,
    Party,
    Service,
)
from domain.errors import ForbiddenError, Outcome
from tests.support.providers import Provider, codes, done, sent
from workflows import clients, contacts, contracts, device_batches, devices, services
from workflows.clients import UpdateClient
from workflows.contacts import CreateContact, UpdateContact
from workflows.contracts import CreateContract, UpdateContract
from workflows.device_batches import DeviceRow, UpsertDevices
from workflows.devices import RecordDiscovery, UpdateDevice
from workflows.services import CreateService, UpdateService


async def contract_of(provider: Provider, contract: UUID) -> Contract:
    async with provider.context.database.reading(provider.admin) as tx:
        found = await stored_contracts.get(tx, contract)
    assert found is not None
    return found


async def device_of(provider: Provider, device: UUID) -> Device:
    async with provider.context.database.reading(provider.admin) as tx:
        found = await stored_devices.get(tx, device)
    assert found is not None
    return found


async def service_of(provider: Provider, service: UUID) -> Service:
    async with provider.context.database.reading(provider.admin) as tx:
        return (await stored_services.many(tx, [service]))[service]


async def new_devices(provider: Provider, client: UUID, *keys: str) -> list[UUID]:
    command = UpsertDevices(client, "NINJA", tuple(DeviceRow(key) for key in keys))
    outcome = await device_batches.upsert(provider.context, provider.admin, sent(), command)
    done(outcome)
    results: Any = outcome.facts["results"]
    return [UUID(hex=result["subject"]) for result in results]


async def test_a_contact_is_surveyable_with_an_address_and_without_opt_out(provider: Provider) -> None:
    client = await provider.client()
    command = CreateContact(
        client, " Cy ", email="cy@acme.example", roles=(ContactRole.USER, ContactRole.SIGNER, ContactRole.USER)
    )
    contact = done(await contacts.create(provider.context, provider.admin, sent(), command))
    done(await contacts.update(provider.context, provider.admin, sent(), UpdateContact(contact, opted_out=True)))
    async with provider.context.database.reading(provider.admin) as tx:
        found = await stored_contacts.get(tx, contact)

    assert found is not None
    assert (found.name, found.roles, found.version) == ("Cy", (ContactRole.SIGNER, ContactRole.USER), 2)
    assert not found.surveyable


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ({"name": ""}, "name"),
        ({"email": "cy"}, "email"),
        ({"phone": "1" * 41}, "phone"),
        ({"language": "?"}, "language"),
    ],
)
async def test_what_cannot_be_a_contact_is_refused_by_field(
    provider: Provider, values: dict[str, Any], path: str
) -> None:
    command = CreateContact(await provider.client(), **{"name": "Cy", **values})
    outcome = await contacts.create(provider.context, provider.admin, sent(), command)

    assert [(error.code.value, error.path) for error in outcome.errors] == [("INVALID", (path,))]


async def test_a_contract_records_when_it_was_sent_signed_and_ended(provider: Provider) -> None:
    command = CreateContract(await provider.client(), "MSA", ContractType.MANAGED, (ContractScope.BACKUP,))
    contract = done(await contracts.create(provider.context, provider.admin, sent(), command))
    sent_at = provider.clock.now
    done(await move(provider, contract, ContractStatus.SENT))
    assert (await contract_of(provider, contract)).waiting_on is Party.CLIENT
    signed_at = provider.clock.forward(days=2)
    done(await move(provider, contract, ContractStatus.SIGNED))
    signed = await contract_of(provider, contract)

    assert (signed.sent_at, signed.signed_at, signed.waiting_on) == (sent_at, signed_at, None)
    done(await move(provider, contract, ContractStatus.ENDED))
    assert (await contract_of(provider, contract)).ended_at == signed_at


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (ContractStatus.SIGNED, ContractStatus.DRAFT),
        (ContractStatus.SIGNED, ContractStatus.SENT),
        (ContractStatus.DRAFT, ContractStatus.NEGOTIATING),
        (ContractStatus.ENDED, ContractStatus.SIGNED),
    ],
)
async def test_a_contract_goes_no_way_back(provider: Provider, first: ContractStatus, then: ContractStatus) -> None:
    command = CreateContract(await provider.client(), "MSA", ContractType.MANAGED, status=first)
    contract = done(await contracts.create(provider.context, provider.admin, sent(), command))

    assert codes(await move(provider, contract, then)) == ["CONFLICT"]


async def test_what_has_ended_is_not_edited(provider: Provider) -> None:
    command = CreateContract(await provider.client(), "MSA", ContractType.MANAGED, status=ContractStatus.ENDED)
    contract = done(await contracts.create(provider.context, provider.admin, sent(), command))

    outcome = await contracts.update(provider.context, provider.admin, sent(), UpdateContract(contract, title="X"))
    assert codes(outcome) == ["CONFLICT"]


async def test_a_contract_says_what_is_wrong_with_it(provider: Provider) -> None:
    command = CreateContract(
        await provider.client(),
        "",
        ContractType.MANAGED,
        status_at=provider.clock.now + timedelta(days=1),
        seats=-1,
        coverage_hours="whenever",
        starts_on=date(2026, 5, 1),
        ends_on=date(2026, 4, 1),
    )
    outcome = await contracts.create(provider.context, provider.admin, sent(), command)

    assert [error.path[0] for error in outcome.errors] == ["title", "seats", "coverageHours", "endsOn", "statusAt"]


@pytest.mark.parametrize("hours", ["24x7", "Mon-Fri 08:00-18:00", "Mon-Thu 08:00-18:00, Fri 08:00-24:00", None])
async def test_coverage_hours_are_spans_of_days(provider: Provider, hours: str | None) -> None:
    command = CreateContract(await provider.client(), "MSA", ContractType.MANAGED, coverage_hours=hours)
    done(await contracts.create(provider.context, provider.admin, sent(), command))


async def test_a_batch_of_devices_comes_in_and_again_changes_only_what_differs(provider: Provider) -> None:
    client = await provider.client()
    seen = provider.clock.now
    rows = tuple(DeviceRow(f"d{n}", name=f"PC {n}", kind="LAPTOP", seen_at=seen) for n in range(3))
    command = UpsertDevices(client, "NINJA", rows)
    first, again = [await device_batches.upsert(provider.context, provider.admin, sent(), command) for _ in range(2)]
    assert statuses(first) == ["CREATED"] * 3
    assert (statuses(again), again.event) == (["UNCHANGED"] * 3, None)

    changed = (DeviceRow("d0", state=DeviceState.MANAGED), *rows[1:])
    provider.clock.forward(hours=1)
    outcome = await device_batches.upsert(
        provider.context, provider.admin, sent(), UpsertDevices(client, "NINJA", changed)
    )
    assert statuses(outcome) == ["UPDATED", "UNCHANGED", "UNCHANGED"]
    results: Any = outcome.facts["results"]
    device = await device_of(provider, UUID(hex=results[0]["subject"]))
    assert (device.state, device.state_since, device.name) == (DeviceState.MANAGED, provider.clock.now, "PC 0")
    assert (device.first_seen_at, device.last_seen_at, device.version) == (seen, provider.clock.now, 2)


async def test_the_same_batch_five_times_at_once_makes_each_device_once(provider: Provider) -> None:
    client = await provider.client()
    rows = tuple(DeviceRow(f"d{n}", seen_at=provider.clock.now) for n in range(50))
    outcomes = await asyncio.gather(
        *(
            device_batches.upsert(
                provider.context, provider.admin, sent(), UpsertDevices(client, "NINJA", rows[::step])
            )
            for step in (1, -1, 1, -1, 1)
        )
    )

    assert [codes(outcome) for outcome in outcomes] == [[]] * 5
    assert sum(statuses(outcome).count("CREATED") for outcome in outcomes) == 50


async def test_a_bad_row_rejects_all_or_itself_alone(provider: Provider) -> None:
    client = await provider.client()
    gap = DeviceRow("gap", state=DeviceState.MANAGED, gap_reason=GapReason.BYOD)
    rows = (DeviceRow("a"), DeviceRow(""), DeviceRow("a"), gap)

    rejected = await device_batches.upsert(
        provider.context, provider.admin, sent(), UpsertDevices(client, "NINJA", rows)
    )
    assert statuses(rejected) == ["LEFT_OUT", "FAILED", "FAILED", "FAILED"]
    assert [error.path for error in rejected.errors] == [
        ("rows", "1", "key"),
        ("rows", "1", "name"),
        ("rows", "2", "key"),
        ("rows", "3", "gapReason"),
    ]
    partly = await device_batches.upsert(
        provider.context,
        provider.admin,
        sent(),
        UpsertDevices(client, "NINJA", rows, BulkPolicy.REJECT_FAILED),
    )
    assert statuses(partly) == ["CREATED", "FAILED", "FAILED", "FAILED"]
    assert partly.errors == ()


async def test_a_device_key_of_another_client_says_nothing_of_that_client(provider: Provider) -> None:
    own, unlisted = await provider.client("Own"), await provider.client("Unlisted")
    (theirs,) = await new_devices(provider, unlisted, "known")
    program = await provider.program(Scope.CLIENTS_WRITE, clients=(own,))

    for policy in BulkPolicy:
        rows = (DeviceRow("known", name=policy.value), DeviceRow("free", name=policy.value))
        batch = UpsertDevices(own, policy.value, rows, policy)
        assert statuses(await device_batches.upsert(provider.context, program, sent(policy.value), batch)) == [
            "CREATED",
            "CREATED",
        ]
    same_system = UpsertDevices(own, "NINJA", (DeviceRow("known"), DeviceRow("free")))
    outcome = await device_batches.upsert(provider.context, program, sent("same"), same_system)

    assert statuses(outcome) == ["CREATED", "CREATED"]
    again = await device_batches.upsert(provider.context, provider.admin, sent(), same_system)
    assert statuses(again) == ["UNCHANGED", "UNCHANGED"]
    assert (await device_of(provider, theirs)).version == 1


async def test_a_managed_device_has_no_gap_to_explain(provider: Provider) -> None:
    client = await provider.client()
    (device,) = await new_devices(provider, client, "d")
    unmanaged = UpdateDevice(device, state=DeviceState.UNMANAGED, gap_reason=GapReason.IOT)
    done(await devices.update(provider.context, provider.admin, sent(), unmanaged))
    provider.clock.forward(days=1)
    done(
        await devices.update(provider.context, provider.admin, sent(), UpdateDevice(device, state=DeviceState.MANAGED))
    )
    found = await device_of(provider, device)

    assert (found.gap_reason, found.state_since) == (None, provider.clock.now)


async def test_a_service_runs_on_devices_of_its_own_client(provider: Provider) -> None:
    client, other = await provider.client(), await provider.client("Other")
    mine, theirs = await new_devices(provider, client, "a", "b"), await new_devices(provider, other, "c")
    command = CreateService(client, "Mail", critical=True, device_ids=(*mine, mine[0]))
    service = done(await services.create(provider.context, provider.admin, sent(), command))
    assert (await service_of(provider, service)).device_ids == tuple(sorted(mine))

    outcome = await services.update(
        provider.context, provider.admin, sent(), UpdateService(service, device_ids=tuple(theirs))
    )
    assert [(error.code.value, error.path) for error in outcome.errors] == [("NOT_FOUND", ("deviceIds", "0"))]
    done(await services.update(provider.context, provider.admin, sent(), UpdateService(service, device_ids=())))
    assert (await service_of(provider, service)).device_ids == ()


async def test_the_database_itself_refuses_a_relationship_across_clients(provider: Provider) -> None:
    client, other = await provider.client(), await provider.client("Other")
    theirs = await new_devices(provider, other, "c")
    service = Service(uuid4(), client, "Mail", True, provider.clock.now, 1, tuple(theirs))

    with pytest.raises(MissingReferenceError):
        async with provider.context.database.writing(provider.admin) as tx:
            await stored_services.add(tx, service)


async def test_a_discovery_run_is_noted_and_never_of_the_future(provider: Provider) -> None:
    client = await provider.client()
    done(await devices.record_discovery(provider.context, provider.admin, sent(), RecordDiscovery(client, "NINJA", 12)))
    tomorrow = provider.clock.now + timedelta(days=1)
    outcome = await devices.record_discovery(
        provider.context, provider.admin, sent(), RecordDiscovery(client, "NINJA", -1, tomorrow)
    )
    assert [error.path for error in outcome.errors] == [("ranAt",), ("devicesFound",)]


async def test_a_client_is_named_by_another_systems_key(provider: Provider) -> None:
    key = ExternalKey("HALO", "1")
    client = await provider.client()
    done(await clients.update(provider.context, provider.admin, sent(), UpdateClient(client, external=(key,))))
    done(await contacts.create(provider.context, provider.admin, sent(), CreateContact(key, "Cy")))

    unknown = CreateContact(ExternalKey("HALO", "2"), "Cy")
    assert codes(await contacts.create(provider.context, provider.admin, sent(), unknown)) == ["NOT_FOUND"]


async def commands_on(provider: Provider, caller: Any, client: UUID, ids: dict[str, UUID], key: str) -> list[Outcome]:
    """Send every command about what belongs to a client."""
    context = provider.context
    return [
        await contacts.create(context, caller, sent(key), CreateContact(client, "Cy")),
        await contacts.update(context, caller, sent(key), UpdateContact(ids["contact"], name=key)),
        await contracts.create(context, caller, sent(key), CreateContract(client, "MSA", ContractType.MANAGED)),
        await contracts.update(context, caller, sent(key), UpdateContract(ids["contract"], title=key)),
        await services.create(context, caller, sent(key), CreateService(client, "Mail")),
        await services.update(context, caller, sent(key), UpdateService(ids["service"], name=key)),
        await devices.update(context, caller, sent(key), UpdateDevice(ids["device"], name=key)),
        await devices.record_discovery(context, caller, sent(key), RecordDiscovery(client, "X", 1)),
        await device_batches.upsert(context, caller, sent(key), UpsertDevices(client, "X", (DeviceRow(key),))),
    ]


async def everything_of(provider: Provider, client: UUID) -> dict[str, UUID]:
    context, admin = provider.context, provider.admin
    return {
        "contact": done(await contacts.create(context, admin, sent(), CreateContact(client, "Cy"))),
        "contract": done(
            await contracts.create(context, admin, sent(), CreateContract(client, "MSA", ContractType.MANAGED))
        ),
        "service": done(await services.create(context, admin, sent(), CreateService(client, "Mail"))),
        "device": (await new_devices(provider, client, client.hex))[0],
    }


async def test_nothing_of_another_providers_client_is_to_be_found(provider: Provider, other_provider: Provider) -> None:
    client = await other_provider.client()
    ids = await everything_of(other_provider, client)

    outcomes = await commands_on(provider, provider.admin, client, ids, "key")
    assert [codes(outcome) for outcome in outcomes] == [["NOT_FOUND"]] * len(outcomes)


async def test_nothing_of_an_unlisted_client_is_to_be_found(provider: Provider) -> None:
    client, listed = await provider.client(), await provider.client("Listed")
    ids = await everything_of(provider, client)
    program = await provider.program(Scope.CLIENTS_WRITE, clients=(listed,))

    outcomes = await commands_on(provider, program, client, ids, "key")
    assert [codes(outcome) for outcome in outcomes] == [["NOT_FOUND"]] * len(outcomes)


@pytest.mark.parametrize("role", [Role.ONBOARDING_LEAD, Role.ACCOUNT_MANAGER])
async def test_a_lead_writes_what_belongs_to_own_clients_and_nothing_else(provider: Provider, role: Role) -> None:
    lead = await provider.invited(role)
    own, foreign = await provider.client("Own", owner=lead), await provider.client("Foreign")

    for client, expected in ((own, []), (foreign, ["NOT_ALLOWED"])):
        ids = await everything_of(provider, client)
        outcomes = await commands_on(provider, lead, client, ids, client.hex)
        assert [codes(outcome) for outcome in outcomes] == [expected] * len(outcomes)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.AGENT, Role.TEAM_MANAGER])
async def test_who_only_reads_writes_nothing(provider: Provider, role: Role) -> None:
    person = await provider.invited(role)
    client = await provider.client(owner=person)

    with pytest.raises(ForbiddenError):
        await contacts.create(provider.context, person, sent(), CreateContact(client, "Cy"))
    with pytest.raises(ForbiddenError):
        await device_batches.upsert(provider.context, person, sent(), UpsertDevices(client, "X", (DeviceRow("a"),)))


async def move(provider: Provider, contract: UUID, status: ContractStatus) -> Outcome:
    return await contracts.update(provider.context, provider.admin, sent(), UpdateContract(contract, status=status))


def statuses(outcome: Outcome) -> list[str]:
    results: Any = outcome.facts["results"]
    return [result["status"] for result in results]
