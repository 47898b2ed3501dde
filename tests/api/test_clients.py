"""Clients in the API: found, listed, paged, changed, and read in a constant number of statements."""

from typing import Any
from uuid import UUID

import pytest

from api.operations import Rejected
from db.session import Transaction
from domain.access import Role, Scope
from domain.ids import IdKind, public
from tests.support.asking import answered, asked
from tests.support.providers import Provider

CREATE = """
    mutation ($input: ClientCreateInput!) {
      clientCreate(input: $input) {
        client { id name version external { system key } } sameName { id } eventId errors { code path message }
      }
    }
"""
UPSERT = """
    mutation ($input: ClientBulkUpsertInput!) {
      clientBulkUpsert(input: $input) { results { index status id errors { code path } } errors { code path } eventId }
    }
"""
DEVICES = """
    mutation ($input: DeviceUpsertInput!) {
      deviceUpsert(input: $input) { results { index status id } errors { code message } }
    }
"""


async def created(provider: Provider, **values: Any) -> Any:
    answer = await asked(provider, CREATE, {"input": {"name": "Acme", **values}})
    assert answer["clientCreate"]["errors"] == []
    return answer["clientCreate"]["client"]


async def test_a_client_is_created_and_found_by_id_key_and_node(provider: Provider) -> None:
    client = await created(provider, external=[{"system": "HALO", "key": "17"}])
    answer = await asked(
        provider,
        """query ($id: ID!) {
          byId: client(ref: {id: $id}) { id }
          byKey: client(ref: {external: {system: "HALO", key: "17"}}) { id }
          unknown: client(ref: {external: {system: "HALO", key: "18"}}) { id }
          node(id: $id) { id ... on Client { name stage onboarding { id } } }
        }""",
        {"id": client["id"]},
    )

    assert answer["byId"] == answer["byKey"] == {"id": client["id"]}
    assert answer["unknown"] is None
    assert answer["node"] == {"id": client["id"], "name": "Acme", "stage": None, "onboarding": None}
    assert client["external"] == [{"system": "HALO", "key": "17"}]


async def test_a_client_is_named_in_one_way_only(provider: Provider) -> None:
    client = await created(provider)
    for ref in ({}, {"id": client["id"], "external": {"system": "A", "key": "1"}}, {"id": None}):
        with pytest.raises(Rejected, match=r"ClientRef|non-null"):
            await answered(provider, "query ($ref: ClientRef!) { client(ref: $ref) { id } }", {"ref": ref})


async def test_a_repeated_name_is_shown_as_a_warning(provider: Provider) -> None:
    first = await created(provider)
    answer = await asked(provider, CREATE, {"input": {"name": "ACME"}})

    assert answer["clientCreate"]["sameName"] == [{"id": first["id"]}]
    assert answer["clientCreate"]["eventId"].startswith("evt_")


async def test_an_update_tells_left_out_from_null(provider: Provider) -> None:
    client = await created(provider, industry="Retail", seats=5)
    update = """
        mutation ($input: ClientUpdateInput!) {
          clientUpdate(input: $input) { client { name industry seats version } errors { code } }
        }
    """
    answer = await asked(provider, update, {"input": {"clientId": client["id"], "industry": None, "name": "New"}})
    assert answer["clientUpdate"]["client"] == {"name": "New", "industry": None, "seats": 5, "version": 2}

    stale = await asked(provider, update, {"input": {"clientId": client["id"], "seats": 6, "expectedVersion": 1}})
    assert stale["clientUpdate"]["errors"] == [{"code": "STALE_VERSION"}]
    assert stale["clientUpdate"]["client"]["seats"] == 5


async def test_clients_come_by_name_in_pages_both_ways(provider: Provider) -> None:
    for name in ("delta", "Älpha", "Charlie", "bravo", "Echo"):
        await created(provider, name=name)
    query = """
        query ($first: Int, $after: Cursor, $last: Int, $before: Cursor, $direction: OrderDirection!) {
          clients(orderBy: {field: NAME, direction: $direction},
                  first: $first, after: $after, last: $last, before: $before) {
            nodes { name } totalCount totalCountIsExact pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
          }
        }
    """

    async def page(**variables: Any) -> tuple[list[str], Any]:
        answer = (await asked(provider, query, {"direction": "ASC", **variables}))["clients"]
        assert (answer["totalCount"], answer["totalCountIsExact"]) == (5, True)
        return [node["name"] for node in answer["nodes"]], answer["pageInfo"]

    first, info = await page(first=2)
    assert (first, info["hasNextPage"], info["hasPreviousPage"]) == (["Älpha", "bravo"], True, False)
    second, info = await page(first=2, after=info["endCursor"])
    assert second == ["Charlie", "delta"]
    back, info = await page(last=2, before=info["startCursor"])
    assert back == ["Älpha", "bravo"]
    assert (await page(first=3, direction="DESC"))[0] == ["Echo", "delta", "Charlie"]
    assert (await page(last=2, direction="DESC"))[0] == ["bravo", "Älpha"]
    _, info = await page(first=2, direction="DESC")
    assert (await page(first=5, after=info["endCursor"], direction="DESC"))[0] == ["Charlie", "bravo", "Älpha"]


async def test_clients_are_narrowed_by_name_owner_and_stage(provider: Provider) -> None:
    lead = await provider.invited(Role.ONBOARDING_LEAD)
    owner = public(IdKind.MEMBER, lead.id)
    await created(provider, name="Acme One", ownerId=owner)
    await created(provider, name="acme two")
    await created(provider, name="Other", ownerId=owner)
    query = "query ($where: ClientWhere) { clients(where: $where, first: 10) { nodes { name } totalCount } }"

    async def names(**where: Any) -> list[str]:
        answer = (await asked(provider, query, {"where": where}))["clients"]
        assert answer["totalCount"] == len(answer["nodes"])
        return [node["name"] for node in answer["nodes"]]

    assert await names(nameStartsWith="ÁCME ") == ["Acme One", "acme two"]
    assert await names(ownerId=owner) == ["Acme One", "Other"]
    assert await names(ownerId=owner, nameStartsWith="acme") == ["Acme One"]
    assert await names(stages=["CONTRACTING"]) == []


@pytest.mark.parametrize(
    "arguments", ["", "first: 0", "first: 101", "first: -1", "first: 1, last: 1", 'first: 1, after: "x"']
)
async def test_an_impossible_page_is_refused(provider: Provider, arguments: str) -> None:
    data, errors = await answered(
        provider, f"{{ clients({arguments}) {{ nodes {{ id }} }} }}" if arguments else "{ clients { nodes { id } } }"
    )

    assert data == {"clients": None}
    assert len(errors) == 1


@pytest.mark.parametrize("odd", ["\x00", "\ud800", "a\nb"])
async def test_a_key_that_cannot_be_one_is_refused_or_found_nowhere(provider: Provider, odd: str) -> None:
    key = {"system": odd, "key": odd}
    found = await asked(provider, "query ($r: ClientRef!) { client(ref: $r) { id } }", {"r": {"external": key}})
    assert found == {"client": None}
    batch = await asked(provider, UPSERT, {"input": {"rows": [{"external": key, "name": "A"}]}})
    assert {error["code"] for error in batch["clientBulkUpsert"]["errors"]} == {"INVALID"}
    rows = {"client": {"external": key}, "system": odd, "rows": [{"key": odd}]}
    devices = await asked(provider, DEVICES, {"input": rows})
    assert [error["code"] for error in devices["deviceUpsert"]["errors"]] == ["NOT_FOUND"]
    query = "query ($w: ClientWhere) { clients(where: $w, first: 1) { nodes { id } } }"
    _, errors = await answered(provider, query, {"w": {"nameStartsWith": odd}})
    assert "nameStartsWith" in errors[0]


async def test_a_batch_shows_what_became_of_each_row(provider: Provider) -> None:
    rows = [{"external": {"system": "HALO", "key": str(n)}, "name": name} for n, name in enumerate(["A", "", "C"])]
    answer = await asked(provider, UPSERT, {"input": {"rows": rows, "policy": "REJECT_FAILED", "idempotencyKey": "k"}})
    results = answer["clientBulkUpsert"]["results"]

    assert [result["status"] for result in results] == ["CREATED", "FAILED", "CREATED"]
    assert results[1]["errors"] == [{"code": "INVALID", "path": ["rows", "1", "name"]}]
    assert results[0]["id"].startswith("cli_")
    again = await asked(provider, UPSERT, {"input": {"rows": rows, "policy": "REJECT_FAILED", "idempotencyKey": "k"}})
    assert again == answer


async def test_everything_of_a_client_is_written_and_read(provider: Provider) -> None:
    client = await created(provider)
    ref = {"id": client["id"]}
    devices = await asked(provider, DEVICES, {"input": {"client": ref, "system": "NINJA", "rows": [{"key": "d"}]}})
    device = devices["deviceUpsert"]["results"][0]["id"]
    await asked(
        provider,
        """mutation ($ref: ClientRef!, $devices: [ID!]) {
          contactCreate(input: {client: $ref, name: "Cy", email: "cy@acme.example", roles: [SIGNER]}) {
            errors { code } }
          contractCreate(input: {client: $ref, title: "MSA", type: MANAGED, scope: [BACKUP], status: SIGNED,
                                 startsOn: "2026-03-01", coverageHours: "24x7"}) { errors { code } }
          serviceCreate(input: {client: $ref, name: "Mail", critical: true, deviceIds: $devices}) { errors { code } }
          discoveryRunRecord(input: {client: $ref, source: "NINJA", devicesFound: 1}) { discoveryRun { id } }
        }""",
        {"ref": ref, "devices": [device]},
    )
    answer = await asked(
        provider,
        """query ($ref: ClientRef!) { client(ref: $ref) {
          contacts(first: 5) { nodes { name email roles surveyable client { name } } totalCount }
          contracts(first: 5) { nodes { title status scope startsOn signedAt coverageHours } }
          services(first: 5) { nodes { name critical deviceIds devices { name external { key } } } }
          devices(where: {states: [PENDING], inScope: true}, first: 5) { nodes { id state } totalCount }
          managed: devices(where: {states: [MANAGED]}, orderBy: LAST_SEEN_AT, last: 5) { nodes { id } totalCount }
          discoveryRuns(first: 5) { nodes { source devicesFound } }
        } }""",
        {"ref": ref},
    )
    found = answer["client"]

    assert found["contacts"]["nodes"] == [
        {"name": "Cy", "email": "cy@acme.example", "roles": ["SIGNER"], "surveyable": True, "client": {"name": "Acme"}}
    ]
    contract = found["contracts"]["nodes"][0]
    assert contract["signedAt"] == provider.clock.now.isoformat().replace("+00:00", "Z")
    assert (contract["status"], contract["scope"], contract["startsOn"]) == ("SIGNED", ["BACKUP"], "2026-03-01")
    assert found["services"]["nodes"][0]["deviceIds"] == [device]
    assert found["services"]["nodes"][0]["devices"] == [{"name": "d", "external": [{"key": "d"}]}]
    assert found["devices"] == {"nodes": [{"id": device, "state": "PENDING"}], "totalCount": 1}
    assert found["managed"] == {"nodes": [], "totalCount": 0}
    assert found["discoveryRuns"]["nodes"] == [{"source": "NINJA", "devicesFound": 1}]


async def test_a_device_and_a_service_and_a_contract_and_a_contact_are_changed(provider: Provider) -> None:
    client = await created(provider)
    ref = {"id": client["id"]}
    devices = await asked(provider, DEVICES, {"input": {"client": ref, "system": "NINJA", "rows": [{"key": "d"}]}})
    made = await asked(
        provider,
        """mutation ($ref: ClientRef!) {
          contactCreate(input: {client: $ref, name: "Cy"}) { contact { id } }
          contractCreate(input: {client: $ref, title: "MSA", type: MANAGED}) { contract { id } }
          serviceCreate(input: {client: $ref, name: "Mail"}) { service { id } }
        }""",
        {"ref": ref},
    )
    answer = await asked(
        provider,
        """mutation ($contact: ID!, $contract: ID!, $service: ID!, $device: ID!) {
          contactUpdate(input: {contactId: $contact, phone: "1"}) { contact { phone version } errors { code } }
          contractUpdate(input: {contractId: $contract, status: SENT}) { contract { status waitingOn } errors { code } }
          serviceUpdate(input: {serviceId: $service, deviceIds: [$device]}) { service { deviceIds } errors { code } }
          deviceUpdate(input: {deviceId: $device, state: UNMANAGED, gapReason: IOT}) {
            device { state gapReason } errors { code } }
        }""",
        {
            "contact": made["contactCreate"]["contact"]["id"],
            "contract": made["contractCreate"]["contract"]["id"],
            "service": made["serviceCreate"]["service"]["id"],
            "device": devices["deviceUpsert"]["results"][0]["id"],
        },
    )

    assert [payload["errors"] for payload in answer.values()] == [[]] * 4
    assert answer["contactUpdate"]["contact"] == {"phone": "1", "version": 2}
    assert answer["contractUpdate"]["contract"] == {"status": "SENT", "waitingOn": "CLIENT"}
    assert answer["deviceUpdate"]["device"] == {"state": "UNMANAGED", "gapReason": "IOT"}


async def test_contacts_take_a_scope_of_their_own(provider: Provider) -> None:
    client = await created(provider)
    program = await provider.program(Scope.CLIENTS_READ, Scope.CLIENTS_WRITE)
    data, errors = await answered(
        provider,
        "query ($ref: ClientRef!) { client(ref: $ref) { name contacts(first: 1) { nodes { name } } owner { name } } }",
        {"ref": {"id": client["id"]}},
        program,
    )
    assert data == {"client": {"name": "Acme", "contacts": None, "owner": None}}
    assert len(errors) == 2

    written = await asked(
        provider,
        """mutation ($ref: ClientRef!) {
          contactCreate(input: {client: $ref, name: "Cy", idempotencyKey: "k"}) {
            contact { name } errors { code } } }""",
        {"ref": {"id": client["id"]}},
        program,
    )
    assert written["contactCreate"] == {"contact": None, "errors": []}


async def test_an_agent_lists_only_clients_whose_team_they_are_on(provider: Provider) -> None:
    agent = await provider.invited(Role.AGENT)
    await provider.client("Foreign")
    own = await provider.client("Own", owner=agent)
    again = await provider.signed_in(await provider.token_of(agent.id))
    limited = again if again.clients is not None else agent
    answer = await asked(
        provider, "{ clients(first: 5) { nodes { id } totalCount } viewer { clientIds } }", None, limited
    )

    assert answer["clients"] == {"nodes": [{"id": public(IdKind.CLIENT, own)}], "totalCount": 1}
    assert answer["viewer"]["clientIds"] == [public(IdKind.CLIENT, own)]


async def test_another_providers_objects_are_as_if_they_were_not(provider: Provider, other_provider: Provider) -> None:
    theirs = await created(other_provider, external=[{"system": "HALO", "key": "9"}])
    ref = {"id": theirs["id"]}
    await asked(other_provider, DEVICES, {"input": {"client": ref, "system": "NINJA", "rows": [{"key": "d"}]}})
    for probe in (
        {"id": theirs["id"]},
        {"external": {"system": "HALO", "key": "9"}},
        {"id": public(IdKind.CLIENT, UUID(int=7))},
    ):
        answer = await asked(provider, "query ($ref: ClientRef!) { client(ref: $ref) { id } }", {"ref": probe})
        assert answer == {"client": None}
    nodes = await asked(provider, "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": [theirs["id"]]})
    assert nodes == {"nodes": [None]}
    listed = await asked(provider, "{ clients(first: 5) { nodes { id } totalCount } }")
    assert listed["clients"] == {"nodes": [], "totalCount": 0}


async def test_the_statements_do_not_grow_with_the_clients(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in range(8):
        client = await created(provider, name=f"Client {name}", ownerId=public(IdKind.MEMBER, provider.admin.id))
        ref = {"id": client["id"]}
        rows = [{"key": f"{name}-{n}"} for n in range(3)]
        await asked(provider, DEVICES, {"input": {"client": ref, "system": "NINJA", "rows": rows}})
    counted = 0
    rows_of = Transaction.rows

    async def counting(self: Transaction, statement: Any, **params: Any) -> Any:
        nonlocal counted
        counted += 1
        return await rows_of(self, statement, **params)

    monkeypatch.setattr(Transaction, "rows", counting)
    query = """query ($first: Int!) { clients(first: $first) { totalCount nodes {
      name stage owner { name } external { key }
      devices(first: 2) { nodes { name external { key } } totalCount }
      contacts(first: 2) { nodes { name } totalCount } contracts(first: 2) { nodes { title } }
      services(first: 2) { nodes { name devices { name } } } discoveryRuns(first: 1) { nodes { source } }
    } } }"""
    figures = []
    for first in (1, 8):
        counted = 0
        answer = await asked(provider, query, {"first": first})
        assert [node["devices"]["totalCount"] for node in answer["clients"]["nodes"]] == [3] * first
        figures.append(counted)

    assert figures[0] == figures[1]


async def test_what_cannot_be_empty_is_not_emptied_by_null_but_named(provider: Provider) -> None:
    client = await created(provider)
    update = """
        mutation ($input: ClientUpdateInput!) { clientUpdate(input: $input) { client { name } errors { code } } }
    """
    inline = "mutation ($n: String) { clientUpdate(input: {clientId: %s, name: $n}) { client { name } } }"
    written = "mutation { clientUpdate(input: {clientId: %s, name: null}) { client { name } } }"
    quoted = f'"{client["id"]}"'
    told = "ClientUpdateInput.name cannot be null: give a value, or leave it out to keep what is there."

    with pytest.raises(Rejected) as in_variables:
        await answered(provider, update, {"input": {"clientId": client["id"], "name": None}})
    with pytest.raises(Rejected) as in_the_document:
        await answered(provider, written % quoted)
    _, in_a_field = await answered(provider, inline % quoted, {"n": None})
    emptied = await asked(provider, update, {"input": {"clientId": client["id"], "industry": None}})
    left_out = await asked(provider, inline % quoted)

    assert [error.message for error in in_variables.value.errors] == [told]
    assert [error.message for error in in_the_document.value.errors] == [told]
    assert in_a_field == [told]
    assert emptied["clientUpdate"] == {"client": {"name": "Acme"}, "errors": []}
    assert left_out["clientUpdate"]["client"]["name"] == "Acme"
