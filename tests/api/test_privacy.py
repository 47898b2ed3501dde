"""Privacy over GraphQL: a preview, the erasure, the document of what is held, and the record of both."""

import json
from typing import Any
from uuid import UUID

import pytest
import structlog.testing

from domain.access import Role
from domain.clients import ContactRole
from domain.ids import IdKind, public
from domain.redaction import ERASED
from tests.support.asking import answered, asked
from tests.support.events import number
from tests.support.onboarding import Onboarding, opened
from tests.support.providers import Provider, done, sent
from workflows import notes
from workflows.contacts import CreateContact, create
from workflows.notes import AddNote

ERASE = """
mutation ($id: ID!, $dry: Boolean!) {
  contactErase(input: {contactId: $id, reason: REQUESTED, dryRun: $dry}) {
    eventId errors { code message } changes { kind name before after count subject }
    contact { name erased email } sameAddress { id }
  }
}
"""
EXPORT = """
mutation ($subject: SubjectRef!) {
  subjectExport(input: {subject: $subject}) { document eventId errors { code path } }
}
"""
NAME, EMAIL = "Quirina Vanderbilt", "quirina@metal.example"


@pytest.fixture
async def onboarding(provider: Provider) -> Onboarding:
    return await opened(provider)


@pytest.fixture
async def contact(provider: Provider, onboarding: Onboarding) -> str:
    """Return a contact who is named in a note of their client."""
    person = CreateContact(onboarding.client, NAME, EMAIL, "+31 6 1111 2222", (ContactRole.SPONSOR,))
    made = done(await create(provider.context, provider.admin, sent(), person))
    note = AddNote(f"Called {NAME} about the contract", client=onboarding.client)
    done(await notes.add(provider.context, provider.admin, sent(), note))
    return public(IdKind.CONTACT, made)


async def test_an_erasure_is_previewed_and_then_done(provider: Provider, contact: str) -> None:
    foreseen = (await asked(provider, ERASE, {"id": contact, "dry": True}))["contactErase"]
    assert (foreseen["errors"], foreseen["eventId"], foreseen["contact"]["name"]) == ([], None, NAME)

    erased = (await asked(provider, ERASE, {"id": contact, "dry": False}))["contactErase"]

    assert erased["changes"] == foreseen["changes"]
    assert {(one["kind"], one["name"], one["count"]) for one in erased["changes"]} == {
        ("CONTACT", None, None),
        ("FREE_TEXT", "note.text", 1),
    }
    assert erased["contact"] == {"name": ERASED, "erased": True, "email": None}
    assert erased["eventId"]


async def test_the_event_of_an_erasure_and_the_logs_hold_ids_alone(provider: Provider, contact: str) -> None:
    with structlog.testing.capture_logs() as logs:
        erased = (await asked(provider, ERASE, {"id": contact, "dry": False}))["contactErase"]
        await number(provider.context.database)
    text = "{ events(first: 100, types: [CONTACT_ERASED]) { events { id subject { id } data } } }"
    seen = (await asked(provider, text))["events"]["events"]

    assert seen == [{"id": erased["eventId"], "subject": {"id": contact}, "data": {"reason": "REQUESTED"}}]
    for trace in ("Quirina", "Vanderbilt", EMAIL, "1111"):
        assert trace not in json.dumps([seen, logs], default=str)


async def test_an_export_holds_everything_about_a_contact(
    provider: Provider, onboarding: Onboarding, contact: str
) -> None:
    await onboarding.forward()
    document = await _exported(provider, {"contactId": contact})

    assert document["contact"]["email"] == EMAIL
    assert [one["text"] for one in document["mentions"]] == [f"Called {NAME} about the contract"]
    assert [one["key"] for one in document["surveys"]] == ["CONTRACTING"]
    assert {one["table"] for one in document["references"]} >= {"client_edit"}
    assert [one["act"] for one in document["privacy"]] == ["EXPORTED"]


async def test_an_export_holds_everything_about_a_member_and_no_secret(
    provider: Provider, onboarding: Onboarding
) -> None:
    await number(provider.context.database)
    lead = public(IdKind.MEMBER, onboarding.lead.id)
    document = await _exported(provider, {"memberId": lead})

    assert document["member"]["email"].endswith("@provider.example")
    assert {(one["table"], one["as"]) for one in document["references"]} >= {
        ("cycle", "lead_id"),
        ("transition", "actor_id"),
        ("client", "owner_id"),
    }
    assert [one["kind"] for one in document["tokens"]] == ["PERSONAL"]
    assert "hash" not in json.dumps(document)
    assert {one["type"] for one in document["events"]} >= {"onboarding.moved"}


async def test_an_export_is_recorded_and_that_of_nobody_is_not(provider: Provider, contact: str) -> None:
    await _exported(provider, {"contactId": contact})
    nobody = {"contactId": public(IdKind.CONTACT, UUID(int=7))}
    refused = (await asked(provider, EXPORT, {"subject": nobody}))["subjectExport"]
    assert refused == {"document": None, "eventId": None, "errors": [{"code": "NOT_FOUND", "path": ["contactId"]}]}

    text = "{ privacyRecords(first: 5) { totalCount nodes { act subjectKind subjectId reason actorId channel } } }"
    seen = (await asked(provider, text))["privacyRecords"]
    assert seen["nodes"] == [
        {
            "act": "EXPORTED",
            "subjectKind": "CONTACT",
            "subjectId": contact,
            "reason": None,
            "actorId": public(IdKind.MEMBER, provider.admin.id),
            "channel": "API",
        }
    ]


async def test_the_data_of_a_member_takes_the_right_over_members(provider: Provider, contact: str) -> None:
    manager = await provider.invited(Role.SERVICE_MANAGER)
    assert (await _exported(provider, {"contactId": contact}, manager))["id"] == contact

    member = {"memberId": public(IdKind.MEMBER, provider.admin.id)}
    data, errors = await answered(provider, EXPORT, {"subject": member}, manager)
    assert data == {"subjectExport": None}
    assert "MEMBERS_WRITE" in errors[0]


async def test_the_search_by_name_finds_nobody_who_was_erased(
    provider: Provider, onboarding: Onboarding, contact: str
) -> None:
    await asked(provider, ERASE, {"id": contact, "dry": False})
    text = "query ($id: ID!) { client(ref: {id: $id}) { contacts(first: 10) { totalCount nodes { name } } } }"
    seen = await asked(provider, text, {"id": public(IdKind.CLIENT, onboarding.client)})
    assert seen["client"]["contacts"] == {"totalCount": 1, "nodes": [{"name": "Pat Primary"}]}


async def _exported(provider: Provider, subject: dict[str, str], caller: Any = None) -> Any:
    shown = (await asked(provider, EXPORT, {"subject": subject}, caller))["subjectExport"]
    assert shown["errors"] == []
    return shown["document"]
