"""Clients: taken on, changed by whom they belong to, known by other systems' keys."""

import asyncio
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from db import clients as stored
from db import external_refs
from domain.access import Role, Scope
from domain.clients import Client, ExternalKey
from domain.errors import ForbiddenError
from tests.support.providers import Provider, codes, done, sent
from workflows import clients
from workflows.clients import SAME_NAMES, CreateClient, UpdateClient

HALO = ExternalKey("HALO", "1001")


async def read(provider: Provider, client: UUID) -> Client:
    async with provider.context.database.reading(provider.admin) as tx:
        found = await stored.get(tx, client)
    assert found is not None
    return found


async def keys_of(provider: Provider, client: UUID) -> list[str]:
    async with provider.context.database.reading(provider.admin) as tx:
        return [ref.key for ref in (await external_refs.of_subjects(tx, [client])).get(client, [])]


async def test_a_client_is_taken_on_and_told_in_the_feed(provider: Provider) -> None:
    command = CreateClient(" Acme ", industry="Retail", seats=40, owner_id=provider.admin.id, external=(HALO,))
    outcome = await clients.create(provider.context, provider.admin, sent(), command)
    client = await read(provider, done(outcome))

    assert (client.name, client.industry, client.seats, client.version) == ("Acme", "Retail", 40, 1)
    assert await keys_of(provider, client.id) == ["1001"]
    async with provider.context.database.relaying() as tx:
        body = await tx.value(text("select body from pending where event_id = :e"), e=outcome.event)
        logged = body or await tx.value(text("select body from event_log where event_id = :e"), e=outcome.event)
    assert logged["type"] == "client.changed"
    assert logged["client"] == logged["subject"]["id"]


async def test_the_same_command_with_the_same_key_takes_on_one_client(provider: Provider) -> None:
    command = CreateClient("Acme")
    outcomes = await asyncio.gather(
        *(clients.create(provider.context, provider.admin, sent("one"), command) for _ in range(5))
    )
    assert len({outcome.subject for outcome in outcomes}) == 1

    other = await clients.create(provider.context, provider.admin, sent("one"), CreateClient("Other"))
    assert codes(other) == ["IDEMPOTENCY_MISMATCH"]


async def test_a_program_must_send_a_key(provider: Provider) -> None:
    program = await provider.program(Scope.CLIENTS_WRITE)

    assert codes(await clients.create(provider.context, program, sent(), CreateClient("Acme"))) == [
        "IDEMPOTENCY_KEY_REQUIRED"
    ]
    done(await clients.create(provider.context, program, sent("key"), CreateClient("Acme")))


async def test_a_name_that_repeats_is_a_warning(provider: Provider) -> None:
    first = await provider.client("Café Zürich")
    outcome = await clients.create(provider.context, provider.admin, sent(), CreateClient("  cafe  ZURICH"))

    assert done(outcome) != first
    assert outcome.facts == {SAME_NAMES: [first.hex]}


async def test_a_key_of_another_system_is_given_once(provider: Provider) -> None:
    command = CreateClient("Acme", external=(HALO,))
    outcomes = await asyncio.gather(
        *(clients.create(provider.context, provider.admin, sent(), command) for _ in range(5))
    )

    assert sorted(map(str, map(codes, outcomes))) == ["['ALREADY_EXISTS']"] * 4 + ["[]"]


async def test_two_providers_may_have_the_same_key(provider: Provider, other_provider: Provider) -> None:
    for one in (provider, other_provider):
        done(await clients.create(one.context, one.admin, sent(), CreateClient("Acme", external=(HALO,))))


@pytest.mark.parametrize(
    ("command", "path"),
    [
        (CreateClient(""), ("name",)),
        (CreateClient("x" * 201), ("name",)),
        (CreateClient("a\nb"), ("name",)),
        (CreateClient("Acme", seats=-1), ("seats",)),
        (CreateClient("Acme", industry=""), ("industry",)),
        (CreateClient("Acme", external=(ExternalKey("", "1"),)), ("external", "0", "system")),
        (CreateClient("Acme", external=(ExternalKey("HALO", " 1"),)), ("external", "0", "key")),
        (CreateClient("Acme", external=(HALO, HALO)), ("external",)),
    ],
)
async def test_what_cannot_be_a_client_is_refused_by_field(
    provider: Provider, command: CreateClient, path: tuple[str, ...]
) -> None:
    outcome = await clients.create(provider.context, provider.admin, sent(), command)

    assert [(error.code.value, error.path) for error in outcome.errors] == [("INVALID", path)]


async def test_an_owner_is_an_active_member_of_the_provider(provider: Provider, other_provider: Provider) -> None:
    for stranger in (uuid4(), other_provider.admin.id):
        command = CreateClient("Acme", owner_id=stranger, account_manager_id=stranger)
        outcome = await clients.create(provider.context, provider.admin, sent(), command)
        assert [(e.code.value, e.path) for e in outcome.errors] == [
            ("NOT_FOUND", ("ownerId",)),
            ("NOT_FOUND", ("accountManagerId",)),
        ]


async def test_a_change_touches_what_is_given_alone(provider: Provider) -> None:
    command = CreateClient("Acme", industry="Retail", seats=4, external=(HALO,))
    client = done(await clients.create(provider.context, provider.admin, sent(), command))
    done(await clients.update(provider.context, provider.admin, sent(), UpdateClient(client, industry=None)))
    after = await read(provider, client)

    assert (after.name, after.industry, after.seats, after.version) == ("Acme", None, 4, 2)
    assert await keys_of(provider, client) == ["1001"]


async def test_keys_are_replaced_together(provider: Provider) -> None:
    client = done(
        await clients.create(provider.context, provider.admin, sent(), CreateClient("Acme", external=(HALO,)))
    )
    other = await provider.client("Other")
    new = (ExternalKey("HALO", "1002"), ExternalKey("NINJA", "7"))
    done(await clients.update(provider.context, provider.admin, sent(), UpdateClient(client, external=new)))
    assert await keys_of(provider, client) == ["1002", "7"]

    taken = await clients.update(provider.context, provider.admin, sent(), UpdateClient(other, external=new[:1]))
    assert codes(taken) == ["ALREADY_EXISTS"]
    same = await clients.update(provider.context, provider.admin, sent(), UpdateClient(client, external=new))
    assert same.event is None


async def test_of_five_changes_to_one_version_one_wins(provider: Provider) -> None:
    client = await provider.client()
    outcomes = await asyncio.gather(
        *(
            clients.update(
                provider.context, provider.admin, sent(), UpdateClient(client, seats=seats, expected_version=1)
            )
            for seats in range(1, 6)
        )
    )

    assert sorted(map(str, map(codes, outcomes))) == ["['STALE_VERSION']"] * 4 + ["[]"]
    assert (await read(provider, client)).version == 2


async def test_a_lead_takes_on_and_changes_only_clients_of_their_own(provider: Provider) -> None:
    lead = await provider.invited(Role.ONBOARDING_LEAD)
    assert codes(await clients.create(provider.context, lead, sent(), CreateClient("Acme"))) == ["NOT_ALLOWED"]
    own = done(await clients.create(provider.context, lead, sent(), CreateClient("Own", owner_id=lead.id)))
    done(await clients.update(provider.context, lead, sent(), UpdateClient(own, seats=3)))

    foreign = await provider.client("Foreign")
    assert codes(await clients.update(provider.context, lead, sent(), UpdateClient(foreign, seats=3))) == [
        "NOT_ALLOWED"
    ]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.AGENT, Role.TEAM_MANAGER])
async def test_who_only_reads_takes_on_nobody(provider: Provider, role: Role) -> None:
    person = await provider.invited(role)

    with pytest.raises(ForbiddenError, match="CLIENTS_WRITE"):
        await clients.create(provider.context, person, sent(), CreateClient("Acme", owner_id=person.id))


async def test_another_providers_client_is_not_to_be_found(provider: Provider, other_provider: Provider) -> None:
    theirs = await other_provider.client()
    unknown, foreign = [
        await clients.update(provider.context, provider.admin, sent(), UpdateClient(client, seats=1))
        for client in (uuid4(), theirs)
    ]
    assert codes(unknown) == ["NOT_FOUND"]
    assert unknown.errors == foreign.errors


async def test_a_program_with_a_list_touches_only_the_clients_on_it(provider: Provider) -> None:
    listed, unlisted = await provider.client("Listed"), await provider.client("Unlisted")
    program = await provider.program(Scope.CLIENTS_WRITE, clients=(listed,))

    done(await clients.update(provider.context, program, sent("a"), UpdateClient(listed, seats=1)))
    outcome = await clients.update(provider.context, program, sent("b"), UpdateClient(unlisted, seats=1))
    assert codes(outcome) == ["NOT_FOUND"]
    assert codes(await clients.create(provider.context, program, sent("c"), CreateClient("New"))) == ["NOT_ALLOWED"]
    probing = await clients.update(provider.context, program, sent("d"), UpdateClient(listed, external=(HALO,)))
    assert codes(probing) == ["NOT_ALLOWED"]
