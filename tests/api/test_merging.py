"""Clients merged, set aside and looked alike, as a caller of the API sees them."""

import asyncpg
import pytest
from sqlalchemy.sql.expression import Executable

from db.session import Transaction
from domain.access import Scope
from domain.ids import IdKind, public
from domain.moves import Move
from domain.onboarding import EndReason
from tests.support.asking import answered, asked
from tests.support.merging import RMM, doubled, merged
from tests.support.onboarding import opened
from tests.support.providers import Provider, done, sent, without
from workflows.clients import UpdateClient, update
from workflows.contacts import CreateContact
from workflows.contacts import create as create_contact
from workflows.device_batches import DeviceRow, UpsertDevices, upsert
from workflows.undoing import UndoCommand, undo

MERGE = """
    mutation ($input: ClientMergeInput!) { clientMerge(input: $input) {
      client { id version aliases { clientId name mergeReason onboardings { stage } } }
      changes { kind name before after count subject }
      errors { code path }
    } }
"""
LEADING = """
    query ($id: ID!, $ids: [ID!]!) {
      client(ref: {id: $id}) { id } node(id: $id) { id } nodes(ids: $ids) { id }
    }
"""
LIST = "query ($aside: Boolean!) { clients(first: 20, where: {setAside: $aside}) { totalCount nodes { id name } } }"
ASIDE = "{ clients(first: 5, where: {setAside: true}) { nodes { id mergedAt mergeReason mergedInto { id name } } } }"
ALIKE = """
    query ($id: ID!, $first: Int = 10, $after: Cursor) { client(ref: {id: $id}) {
      duplicates(first: $first, after: $after) {
        totalCount pageInfo { hasNextPage endCursor } nodes { clientId reasons client { name } }
      }
    } }
"""


async def test_the_id_of_a_merged_client_leads_to_the_one_that_is_kept(provider: Provider) -> None:
    kept, other = await provider.client("Acme"), await opened(provider)
    ids = [public(IdKind.CLIENT, one) for one in (kept, other.client)]
    given = {
        "clientId": ids[0],
        "duplicateId": ids[1],
        "reason": "entered twice",
        "expectedVersion": 1,
        "duplicateExpectedVersion": 1,
    }
    foretold = (await asked(provider, MERGE, {"input": {**given, "dryRun": True}}))["clientMerge"]
    assert (foretold["errors"], foretold["client"]["aliases"]) == ([], [])
    found = (await asked(provider, MERGE, {"input": given}))["clientMerge"]
    assert found["changes"] == foretold["changes"]
    alias = {"clientId": ids[1], "name": "Acme", "mergeReason": "entered twice", "onboardings": [{"stage": "LOST"}]}
    assert found["client"] == {"id": ids[0], "version": 2, "aliases": [alias]}
    led = await asked(provider, LEADING, {"id": ids[1], "ids": [ids[1], ids[0]]})
    assert led == {"client": {"id": ids[0]}, "node": {"id": ids[0]}, "nodes": [{"id": ids[0]}] * 2}
    (aside,) = (await asked(provider, ASIDE))["clients"]["nodes"]
    assert (aside["id"], aside["mergedInto"]) == (ids[1], {"id": ids[0], "name": "Acme"})
    assert aside["mergeReason"] == "entered twice"
    again = (await asked(provider, MERGE, {"input": {**given, "expectedVersion": 2}}))["clientMerge"]
    assert [error["code"] for error in again["errors"]] == ["CONFLICT"]


async def test_discarded_and_merged_clients_are_in_no_list_unless_they_are_asked_for(provider: Provider) -> None:
    context, admin = provider.context, provider.admin
    kept, duplicate, mistaken = await provider.client("Kept"), await provider.client("Double"), await opened(provider)
    done(await update(context, admin, sent(), UpdateClient(mistaken.client, name="Mistake")))
    done(await mistaken.move(Move.DISCARD, by=admin, reason="typo", outcome=EndReason.MISTAKE))
    done(await merged(provider, kept, duplicate))

    async def names(*, aside: bool) -> tuple[int, list[str]]:
        found = (await asked(provider, LIST, {"aside": aside}))["clients"]
        return found["totalCount"], [node["name"] for node in found["nodes"]]

    assert await names(aside=False) == (1, ["Kept"])
    assert await names(aside=True) == (2, ["Double", "Mistake"])
    provider.clock.forward(minutes=1)
    done(await undo(context, admin, sent(), UndoCommand(mistaken.cycle, mistaken.version)))
    assert await names(aside=False) == (2, ["Kept", "Mistake"])


async def test_clients_that_may_be_one_company_are_listed_with_the_reasons(provider: Provider) -> None:
    context, admin = provider.context, provider.admin
    acme = await doubled(provider, "Acme", mark="one")
    named, mailed = await provider.client("ÁCME"), await provider.client("Other")
    free, friend = await provider.client("Free"), await provider.client("Friend")
    for client, email in (
        (mailed, "b@Acme.example"),
        (named, "c@acme.example"),
        (free, "d@gmail.com"),
        (friend, "e@gmail.com"),
    ):
        done(await create_contact(context, admin, sent(), CreateContact(client, "Pat", email)))
    given = {"id": public(IdKind.CLIENT, acme), "first": 1}
    page = (await asked(provider, ALIKE, given))["client"]["duplicates"]
    assert page["totalCount"] == 2
    assert page["nodes"] == [
        {
            "clientId": public(IdKind.CLIENT, named),
            "reasons": ["SAME_MAIL_DOMAIN", "SAME_NAME"],
            "client": {"name": "ÁCME"},
        }
    ]
    rest = (await asked(provider, ALIKE, {**given, "after": page["pageInfo"]["endCursor"]}))["client"]["duplicates"]
    assert [(one["client"]["name"], one["reasons"]) for one in rest["nodes"]] == [("Other", ["SAME_MAIL_DOMAIN"])]
    assert not rest["pageInfo"]["hasNextPage"]
    alone = (await asked(provider, ALIKE, {"id": public(IdKind.CLIENT, free)}))["client"]["duplicates"]
    assert alone["nodes"] == []
    done(await merged(provider, acme, named))
    left = (await asked(provider, ALIKE, {"id": public(IdKind.CLIENT, acme)}))["client"]["duplicates"]
    assert [one["client"]["name"] for one in left["nodes"]] == ["Other"]


async def test_devices_of_one_serial_number_give_two_clients_away(provider: Provider) -> None:
    context, admin = provider.context, provider.admin
    one, other = await provider.client("Acme"), await provider.client("Bolt")
    for client in (one, other, await provider.client("Chip")):
        rows = (DeviceRow("d1", "Laptop", serial="SN-1" if client in (one, other) else "SN-2"),)
        assert (await upsert(context, admin, sent(), UpsertDevices(client, RMM, rows))).errors == ()
    found = (await asked(provider, ALIKE, {"id": public(IdKind.CLIENT, one)}))["client"]["duplicates"]["nodes"]
    assert [(row["clientId"], row["reasons"]) for row in found] == [
        (public(IdKind.CLIENT, other), ["SAME_DEVICE_SERIAL"])
    ]


async def test_who_may_not_see_people_learns_nothing_from_their_addresses(provider: Provider) -> None:
    client = await provider.client("Acme")
    caller = without(provider.admin, Scope.CONTACTS_READ)
    data, errors = await answered(provider, ALIKE, {"id": public(IdKind.CLIENT, client)}, principal=caller)
    assert data["client"]["duplicates"] is None
    assert len(errors) == 1


async def test_a_credential_of_some_clients_sees_no_double_among_the_others(provider: Provider) -> None:
    mine, theirs = await provider.client("Acme"), await provider.client("Acme")
    program = await provider.program(Scope.CLIENTS_READ, Scope.CONTACTS_READ, clients=(mine,))
    found = await asked(provider, ALIKE, {"id": public(IdKind.CLIENT, mine)}, principal=program)
    assert found["client"]["duplicates"]["nodes"] == []
    done(await merged(provider, mine, theirs))
    led = await asked(provider, LEADING, {"id": public(IdKind.CLIENT, theirs), "ids": []}, principal=program)
    assert led == {"client": None, "node": None, "nodes": []}


async def test_why_clients_were_merged_is_among_the_providers_own_words(provider: Provider) -> None:
    kept, duplicate = await provider.client("Acme"), await provider.client("Acme")
    done(await merged(provider, kept, duplicate))
    text = "{ clients(first: 5) { nodes { mergeReason aliases { name mergeReason } } } }"
    outside = without(provider.admin, Scope.AUDIT_READ)
    data, errors = await answered(provider, text, principal=outside)
    assert data["clients"]["nodes"] == [{"mergeReason": None, "aliases": [{"name": "Acme", "mergeReason": None}]}]
    assert len(errors) == 2


async def test_lists_cost_the_same_however_many_clients_have_doubles(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = 0
    run = Transaction.rows

    async def counted(self: Transaction, statement: Executable, **params: object) -> list[asyncpg.Record]:
        nonlocal count
        count += 1
        return await run(self, statement, **params)

    text = """{ clients(first: 50) { nodes {
        aliases { clientId onboardings { id } } duplicates(first: 3) { totalCount nodes { client { name } } } } } }"""
    costs: list[int] = []
    for _ in range(2):
        for _ in range(len(costs) * 7 + 1):
            done(await merged(provider, await provider.client("Acme"), await provider.client("Acme")))
            await provider.client("Acme")
        with monkeypatch.context() as patched:
            patched.setattr(Transaction, "rows", counted)
            count = 0
            await asked(provider, text)
            costs.append(count)
    assert costs[0] == costs[1]
