"""Sources are made, changed, and go with their client; what they sent of a person goes with the person."""

import json
from pathlib import Path
from typing import Any

import pytest

from domain.ids import IdKind, public
from domain.inbound import AdapterKind, Sent
from domain.privacy import ErasureReason
from tests.support.asking import asked
from tests.support.inbound import Sender, interpreted, messages, source, ticket
from tests.support.merging import merged
from tests.support.providers import Provider, done, sent
from workflows import contacts, inbound
from workflows.contacts import CreateContact
from workflows.privacy import EraseContact, contact_erase

UPDATE = """
mutation ($input: InboundSourceUpdateInput!) {
  r: inboundSourceUpdate(input: $input) {
    source { name system clientId client { name } version } eventId errors { code path } } }
"""

SENT_BY_REAL_SYSTEMS = {
    "jira": AdapterKind.JIRA,
    "zendesk": AdapterKind.ZENDESK,
    "freshdesk": AdapterKind.FRESHDESK,
    "freshservice": AdapterKind.FRESHSERVICE,
    "connectwise": AdapterKind.CONNECTWISE,
    "bmc_remedy": AdapterKind.BMC,
    "groove": AdapterKind.GROOVE,
    "easyvista": AdapterKind.EASYVISTA,
    "ca_service_desk": AdapterKind.CA_SERVICE_DESK,
}


async def update(provider: Provider, sender: Sender, **given: Any) -> dict[str, Any]:
    found: dict[str, Any] = (await asked(provider, UPDATE, {"input": {"sourceId": sender.id, **given}}))["r"]
    return found


async def test_a_source_is_changed_field_by_field_on_the_version_that_was_read(provider: Provider) -> None:
    sender = await source(provider)
    client = public(IdKind.CLIENT, await provider.client("Acme"))
    changed = await update(provider, sender, name="Desk", system="DESK", clientId=client, expectedVersion=1)
    assert changed["eventId"] is not None
    assert changed["source"] == {
        "name": "Desk",
        "system": "DESK",
        "clientId": client,
        "client": {"name": "Acme"},
        "version": 2,
    }
    assert (await update(provider, sender, name="Desk"))["eventId"] is None, "nothing changed"
    assert (await update(provider, sender, clientId=None))["source"]["clientId"] is None
    for given, error in (
        ({"name": "Other", "expectedVersion": 1}, {"code": "STALE_VERSION", "path": ["expectedVersion"]}),
        ({"name": " "}, {"code": "INVALID", "path": ["name"]}),
        ({"system": "x" * 41}, {"code": "INVALID", "path": ["system"]}),
        ({"clientId": public(IdKind.CLIENT, provider.tenant_id)}, {"code": "NOT_FOUND", "path": ["clientId"]}),
    ):
        assert (await update(provider, sender, **given))["errors"] == [error], given


async def test_a_source_of_a_client_goes_over_when_the_client_is_merged(provider: Provider) -> None:
    kept, duplicate = await provider.client("Acme"), await provider.client("Acme Inc")
    sender = await source(provider, clientId=public(IdKind.CLIENT, duplicate))
    done(await merged(provider, kept, duplicate))
    shown = await asked(provider, f'{{ inboundSource(id: "{sender.id}") {{ clientId version }} }}')
    assert shown["inboundSource"] == {"clientId": public(IdKind.CLIENT, kept), "version": 2}
    await _received(sender, ticket())
    await interpreted(provider)
    found = await asked(provider, "{ tickets(first: 1) { nodes { clientId } } }")
    assert found["tickets"]["nodes"] == [{"clientId": public(IdKind.CLIENT, kept)}]


async def test_whoever_is_erased_is_taken_out_of_what_was_sent_and_it_can_still_be_read(provider: Provider) -> None:
    client = await provider.client("Acme")
    command = CreateContact(client, "Renée Quartermain", email="renee@acme.example")
    contact = done(await contacts.create(provider.context, provider.admin, sent(), command))
    sender = await source(provider, clientId=public(IdKind.CLIENT, client))
    await _received(sender, ticket(title="Renée Quartermain called; write to renee@acme.example"))
    await _received(sender, ticket(2, title=["Renée Quartermain"]))
    assert await interpreted(provider) == 2
    erased = await contact_erase(
        provider.context, provider.admin, sent(), EraseContact(contact, ErasureReason.REQUESTED)
    )
    assert erased.errors == ()
    failed, fine = await messages(provider)
    for text in (failed["body"], failed["reason"], fine["body"]):
        assert "Quartermain" not in text
        assert "renee@" not in text
    assert json.loads(fine["body"])["title"].startswith("[erased]")


@pytest.mark.parametrize("folder", list(SENT_BY_REAL_SYSTEMS))
async def test_what_real_systems_send_is_taken_in_and_interpreted_or_says_why_not(
    provider: Provider, real_data: Path, folder: str
) -> None:
    sender = await source(provider, SENT_BY_REAL_SYSTEMS[folder])
    bodies = sorted((real_data / "tickets_api" / folder).glob("*.json"))
    for body in bodies:
        await _take(sender, SENT_BY_REAL_SYSTEMS[folder], body.read_bytes())
    kept = await messages(provider)
    assert await interpreted(provider) == len(kept) > 0
    settled = await messages(provider)
    # Of Freshservice there is only a body whose values were masked by whoever published it.
    assert ("DONE" in {one["status"] for one in settled}) is (folder != "freshservice")
    assert all(one["reason"] for one in settled if one["status"] != "DONE")
    assert not [one["reason"] for one in settled if "our side" in (one["reason"] or "")]


async def _received(sender: Sender, said: object) -> None:
    await _take(sender, AdapterKind.GENERIC, json.dumps(said).encode())


async def _take(sender: Sender, adapter: AdapterKind, body: bytes) -> None:
    match adapter:
        case AdapterKind.GENERIC:
            headers = sender.standard(body)
        case AdapterKind.ZENDESK:
            headers = sender.zendesk(body)
        case AdapterKind.JIRA:
            headers = sender.hub(body)
        case _:
            headers = {"x-steadystate-token": sender.secret}
    gate = await inbound.gate(sender.provider.context, sender.path.rpartition("/")[2])
    assert gate is not None
    await inbound.receive(sender.provider.context, gate, Sent(headers, body))
