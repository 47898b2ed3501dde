"""Keys that nobody has mapped: listed with guesses, mapped over GraphQL, and their tickets given to the client."""

from typing import Any
from uuid import UUID

import pytest

from domain.access import Role, Scope
from domain.clients import ExternalKey
from domain.ids import IdKind, public
from domain.kpis import Kpi, Where
from tests.support.asking import answered, asked
from tests.support.providers import Provider, done, sent
from tests.support.tickets import DESK, number, report, ticket
from workflows import restating, ticket_keys, tickets
from workflows.device_batches import DeviceRow, UpsertDevices
from workflows.device_batches import upsert as upsert_devices
from workflows.sites import CreateSite
from workflows.sites import create as create_site

LIST = """
query ($first: Int, $last: Int, $after: Cursor, $before: Cursor) {
  unmappedTicketKeys(first: $first, last: $last, after: $after, before: $before) {
    totalCount pageInfo { hasNextPage startCursor endCursor }
    nodes { system clientKey tickets ticketsIsExact firstLoggedAt lastLoggedAt guesses { name } }
  }
}
"""
MAP = """
mutation ($input: TicketKeyMapInput!) {
  ticketKeyMap(input: $input) {
    eventId attributed more client { name } changes { kind name after count } errors { code path }
  }
}
"""
PLACES = "{ tickets(first: 10) { nodes { externalId clientId site { name } device { name } responseMinutes } } }"


async def listed(provider: Provider, **given: Any) -> Any:
    return (await asked(provider, LIST, {"first": 10} | given))["unmappedTicketKeys"]


async def mapped(provider: Provider, to: UUID, key: str, **given: Any) -> Any:
    whole = {"system": DESK, "clientKey": key, "client": {"id": public(IdKind.CLIENT, to)}} | given
    return (await asked(provider, MAP, {"input": whole}))["ticketKeyMap"]


async def test_keys_that_nobody_mapped_are_listed_with_their_tickets_and_guesses(provider: Provider) -> None:
    await provider.client("Acme")
    await report(provider, ticket(1, client="ACME"), ticket(2, days=3, client="ACME"), ticket(3, client="zeta"))
    await report(provider, ticket(4))
    page = await listed(provider)
    assert [(one["system"], one["clientKey"], one["tickets"]) for one in page["nodes"]] == [
        (DESK, "ACME", 2), (DESK, "zeta", 1),
    ]  # fmt: skip
    assert page["totalCount"] == 2
    acme, zeta = page["nodes"]
    assert (acme["guesses"], zeta["guesses"]) == ([{"name": "Acme"}], [])
    assert (acme["firstLoggedAt"], acme["lastLoggedAt"]) == ("2026-03-01T12:00:00Z", "2026-03-04T12:00:00Z")
    assert acme["ticketsIsExact"] is True


async def test_pages_of_keys_lead_both_ways(provider: Provider) -> None:
    keys = [f"K{n}" for n in range(5)]
    await report(provider, *(ticket(n, client=key) for n, key in enumerate(keys)))
    seen, after = [], None
    while True:
        page = await listed(provider, first=2, after=after)
        seen += [one["clientKey"] for one in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert seen == keys
    back = await listed(provider, first=None, last=2)
    assert [one["clientKey"] for one in back["nodes"]] == ["K3", "K4"]
    more = await listed(provider, first=None, last=2, before=back["pageInfo"]["startCursor"])
    assert [one["clientKey"] for one in more["nodes"]] == ["K1", "K2"]


async def test_a_mapped_key_gives_its_tickets_to_the_client_with_site_and_device(provider: Provider) -> None:
    client = await provider.client("Acme")
    site = CreateSite(client, "Head office", external=(ExternalKey(DESK, "HQ"),))
    done(await create_site(provider.context, provider.admin, sent(), site))
    device = UpsertDevices(client, DESK, (DeviceRow("PC-1", "Reception"),))
    await upsert_devices(provider.context, provider.admin, sent(), device)
    await report(provider, ticket(1, client="ACME", site="HQ", device="PC-1"), ticket(2, client="other"))
    foreseen = await mapped(provider, client, "ACME", dryRun=True)
    assert (foreseen["attributed"], foreseen["eventId"]) == (1, None)
    assert [(one["kind"], one["count"]) for one in foreseen["changes"]] == [("EXTERNAL_REF", None), ("TICKET", 1)]
    assert len((await listed(provider))["nodes"]) == 2
    payload = await mapped(provider, client, "ACME")
    assert (payload["attributed"], payload["more"], payload["client"]) == (1, False, {"name": "Acme"})
    assert [one["clientKey"] for one in (await listed(provider))["nodes"]] == ["other"]
    nodes = {one["externalId"]: one for one in (await asked(provider, PLACES))["tickets"]["nodes"]}
    assert nodes["T-1"]["clientId"] == public(IdKind.CLIENT, client)
    assert (nodes["T-1"]["site"], nodes["T-1"]["device"]) == ({"name": "Head office"}, {"name": "Reception"})
    assert await number(provider, Kpi.TICKETS_LOGGED, Where(clients=(client,))) == 1
    again = await mapped(provider, client, "ACME")
    assert (again["attributed"], again["eventId"], again["errors"]) == (0, None, [])
    await report(provider, ticket(3, client="ACME"))
    assert await number(provider, Kpi.TICKETS_LOGGED, Where(clients=(client,))) == 2


async def test_the_worker_goes_on_with_what_is_too_much_for_once(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ticket_keys, "AT_ONCE", 2)
    client = await provider.client("Acme")
    await report(provider, *(ticket(n, client="ACME") for n in range(5)))
    payload = await mapped(provider, client, "ACME")
    assert (payload["attributed"], payload["more"]) == (2, True)
    assert await tickets.attribute(provider.context) >= 3
    assert await number(provider, Kpi.TICKETS_LOGGED, Where(clients=(client,))) == 5
    assert restating.AT_ONCE == 2_000


async def test_a_key_stands_for_one_client_and_only_some_may_say_which(provider: Provider) -> None:
    acme, zeta = await provider.client("Acme"), await provider.client("Zeta")
    await mapped(provider, acme, "ACME")
    taken = await mapped(provider, zeta, "ACME")
    assert taken["errors"] == [{"code": "ALREADY_EXISTS", "path": ["clientKey"]}]
    for key, path in (("", "clientKey"), ("x" * 201, "clientKey")):
        assert [error["path"] for error in (await mapped(provider, acme, key))["errors"]] == [[path]]
    nobody = await mapped(provider, acme, "K", client={"id": f"cli_{'0' * 32}"})
    assert nobody["errors"] == [{"code": "NOT_FOUND", "path": ["client"]}]
    listing = await provider.program(Scope.CLIENTS_WRITE, Scope.TICKETS_READ, clients=(acme,))
    given = {"system": DESK, "clientKey": "K", "client": {"id": public(IdKind.CLIENT, acme)}, "idempotencyKey": "k"}
    refused = (await asked(provider, MAP, {"input": given}, listing))["ticketKeyMap"]
    assert [error["code"] for error in refused["errors"]] == ["NOT_ALLOWED"]
    viewer = await provider.invited(Role.VIEWER)
    data, errors = await answered(provider, MAP, {"input": given}, viewer)
    assert (data["ticketKeyMap"], len(errors)) == (None, 1)


async def test_whoever_sees_some_clients_and_other_providers_see_no_unmapped_keys(
    provider: Provider, other_provider: Provider
) -> None:
    client = await provider.client()
    await report(provider, ticket(1, client="ACME"))
    program = await provider.program(Scope.TICKETS_READ, clients=(client,))
    for asking, principal in ((provider, program), (other_provider, other_provider.admin)):
        page = (await asked(asking, LIST, {"first": 10}, principal))["unmappedTicketKeys"]
        assert (page["nodes"], page["totalCount"]) == ([], 0)
