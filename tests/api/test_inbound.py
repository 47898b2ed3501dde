"""Inbound over HTTP: what is proved is kept once and answered 202, and nothing else is kept."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from api.schema import product
from domain.access import Role, Scope
from domain.inbound import AdapterKind
from tests.support.asking import answered, asked
from tests.support.edge import Edge, running
from tests.support.inbound import Sender, interpreted, messages, post, source, tell, ticket
from tests.support.providers import Provider
from workflows.access import authenticate

BODY = json.dumps(ticket()).encode()


@pytest.fixture
async def edge(provider: Provider) -> AsyncIterator[Edge]:
    async with running(provider.context, product(), authenticated_by=authenticate) as edge:
        yield edge


async def test_a_signed_message_is_kept_answered_at_once_and_interpreted_by_the_worker(
    edge: Edge, provider: Provider
) -> None:
    sender = await source(provider)
    answer = await tell(edge, sender, ticket(title="The printer is on fire", priority="P1"))
    assert answer.status_code == 202
    assert answer.json()["duplicate"] is False
    (kept,) = await messages(provider)
    assert kept["id"] == answer.json()["id"]
    assert (kept["status"], kept["number"], kept["ticketCount"]) == ("RECEIVED", 1, 0)
    assert json.loads(kept["body"])["title"] == "The printer is on fire"
    assert await interpreted(provider) == 1
    (kept,) = await messages(provider)
    assert (kept["status"], kept["reason"], kept["ticketCount"]) == ("DONE", None, 1)
    listed = await asked(provider, "{ tickets(first: 5) { nodes { externalId system priority } } }")
    assert listed["tickets"]["nodes"] == [{"externalId": "T-1", "system": "GENERIC", "priority": "P1"}]


async def test_the_same_message_five_times_at_once_is_one(edge: Edge, provider: Provider) -> None:
    sender = await source(provider)
    headers = sender.standard(BODY)
    answers = await asyncio.gather(*(post(edge, sender.path, BODY, headers) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {202}
    assert sorted(answer.json()["duplicate"] for answer in answers) == [False, True, True, True, True]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(await messages(provider)) == 1
    shown = await asked(provider, "{ inboundSources(first: 9) { nodes { messageCount duplicateCount } } }")
    assert shown["inboundSources"]["nodes"] == [{"messageCount": 1, "duplicateCount": 4}]


async def test_a_delivery_sent_again_later_under_its_id_is_a_duplicate(edge: Edge, provider: Provider) -> None:
    sender = await source(provider)
    assert (await tell(edge, sender, ticket(), delivery="msg_1")).json()["duplicate"] is False
    provider.clock.forward(hours=5)
    again = await tell(edge, sender, ticket(), delivery="msg_1")
    assert (again.status_code, again.json()["duplicate"]) == (202, True)
    assert (await tell(edge, sender, ticket(), delivery="msg_2")).json()["duplicate"] is False


@pytest.mark.parametrize("minutes", [-6, 6])
async def test_a_recorded_message_proves_nothing_when_its_time_is_over(
    edge: Edge, provider: Provider, minutes: int
) -> None:
    sender, zendesk = await source(provider), await source(provider, AdapterKind.ZENDESK)
    then = provider.clock()
    provider.clock.forward(minutes=minutes)
    answers = [
        await post(edge, sender.path, BODY, sender.standard(BODY, at=then)),
        await post(edge, zendesk.path, BODY, zendesk.zendesk(BODY, at=then)),
    ]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert await messages(provider) == []


async def test_a_message_replayed_within_its_time_under_another_id_is_the_same(edge: Edge, provider: Provider) -> None:
    zendesk, jira = await source(provider, AdapterKind.ZENDESK), await source(provider, AdapterKind.JIRA)
    for sender, headers in ((zendesk, zendesk.zendesk(BODY)), (jira, jira.hub(BODY))):
        names = ("x-zendesk-webhook-invocation-id", "x-atlassian-webhook-identifier")
        first, second = ({**headers, **dict.fromkeys(names, f"another {n}")} for n in range(2))
        assert (await post(edge, sender.path, BODY, first)).json()["duplicate"] is False
        assert (await post(edge, sender.path, BODY, second)).json()["duplicate"] is True
    assert len(await messages(provider)) == 2


async def test_a_secret_beside_the_body_may_stand_where_the_system_can_put_it(edge: Edge, provider: Provider) -> None:
    sender = await source(provider, AdapterKind.FRESHDESK)
    basic = base64.b64encode(f"anybody:{sender.secret}".encode()).decode()
    ways = [
        {"x-steadystate-token": sender.secret},
        {"authorization": f"Bearer {sender.secret}"},
        {"authorization": f"Basic {basic}"},
    ]
    for number, headers in enumerate(ways):
        answer = await post(edge, sender.path, json.dumps({"n": number}).encode(), headers)
        assert answer.status_code == 202, headers
    for headers in ({}, {"x-steadystate-token": "wrong"}, {"authorization": "Basic !"}, {"authorization": "Bearer"}):
        assert (await post(edge, sender.path, b"{}", headers)).status_code == 401, headers


async def test_an_equal_body_beside_a_secret_is_another_message_after_a_while_or_under_its_own_delivery(
    edge: Edge, provider: Provider
) -> None:
    sender = await source(provider, AdapterKind.FRESHDESK)
    headers = {"x-steadystate-token": sender.secret}
    named = {"x-steadystate-delivery": "2"}
    told = [
        (await post(edge, sender.path, b'{"status":"Open"}', headers | more)).json()["duplicate"]
        for more in ({}, {}, named, named)
    ]
    provider.clock.forward(minutes=6)
    told.append((await post(edge, sender.path, b'{"status":"Open"}', headers)).json()["duplicate"])
    assert told == [False, True, False, True, False]


@pytest.mark.parametrize("spoilt", ["webhook-id", "webhook-timestamp", "webhook-signature", "body", "secret"])
async def test_whatever_is_wrong_with_a_signature_the_answer_is_the_same(
    edge: Edge, provider: Provider, spoilt: str
) -> None:
    sender = await source(provider)
    headers, body = sender.standard(BODY), BODY
    if spoilt == "body":
        body = BODY.replace(b"T-1", b"T-2")
    elif spoilt == "secret":
        headers = (await source(provider)).standard(BODY)
    else:
        headers[spoilt] = "0"
    answer = await post(edge, sender.path, body, headers)
    assert answer.status_code == 401
    assert answer.json()["error"]["message"] == (
        "Nothing proves that the message comes from this source; check its secret."
    )
    assert await messages(provider) == []


async def test_headers_that_no_honest_sender_sends_prove_nothing(edge: Edge, provider: Provider) -> None:
    sender, jira = await source(provider), await source(provider, AdapterKind.JIRA)
    zendesk = await source(provider, AdapterKind.ZENDESK)
    for path, headers in (
        (sender.path, {"webhook-id": "a", "webhook-timestamp": "9" * 400, "webhook-signature": "v1,AA=="}),
        (sender.path, {"webhook-id": "a", "webhook-timestamp": "²", "webhook-signature": "v1,é"}),
        (sender.path, {"webhook-id": "a", "webhook-timestamp": "1", "webhook-signature": "v1," + " v1,AA==" * 1_000}),
        (jira.path, {"x-hub-signature": "sha1=00"}),
        (zendesk.path, {"x-zendesk-webhook-signature": "", "x-zendesk-webhook-signature-timestamp": "tomorrow"}),
    ):
        raw = {name: value.encode("latin-1") for name, value in headers.items()}
        answer = await post(edge, path, BODY, raw)  # type: ignore[arg-type]
        assert answer.status_code == 401, headers


async def test_an_address_that_nobody_has_leads_nowhere(edge: Edge, provider: Provider) -> None:
    sender = await source(provider)
    for path in (sender.path[:-1] + ("A" if sender.path[-1] != "A" else "B"), "/inbound/x", "/inbound/" + "é" * 32):
        answer = await post(edge, path, BODY, sender.standard(BODY))
        assert answer.status_code == 404
        assert answer.json()["error"]["code"] == "BAD_REQUEST"
    assert (await edge.get(sender.path)).status_code == 405


async def test_a_disabled_source_is_told_so_and_may_send_again_once_enabled(edge: Edge, provider: Provider) -> None:
    sender = await source(provider)
    for verb, status in (("Disable", 410), ("Enable", 202)):
        text = f'mutation {{ inboundSource{verb}(input: {{sourceId: "{sender.id}"}}) {{ errors {{ code }} }} }}'
        assert (await asked(provider, text))[f"inboundSource{verb}"]["errors"] == []
        assert (await asked(provider, text))[f"inboundSource{verb}"]["errors"] == [{"code": "CONFLICT"}]
        assert (await tell(edge, sender, ticket())).status_code == status


async def test_a_body_too_large_or_empty_is_refused_and_one_that_is_no_json_is_kept_and_fails(
    edge: Edge, provider: Provider
) -> None:
    sender = await source(provider)
    large = b'"' + b"x" * 1_048_576 + b'"'
    assert (await post(edge, sender.path, large, sender.standard(large))).status_code == 413
    assert (await post(edge, sender.path, b" ", sender.standard(b" "))).status_code == 400
    for odd in (b"ticket=1&status=open", b"\xff\xfe", b'{"a": "\x00"}', b"[" * 50_000):
        assert (await post(edge, sender.path, odd, sender.standard(odd))).status_code == 202
    assert await interpreted(provider) == 4
    kept = await messages(provider)
    assert [one["status"] for one in kept] == ["FAILED"] * 4
    assert all("the body is no JSON that can be read" in one["reason"] for one in kept)
    assert kept[-1]["body"] == "ticket=1&status=open"


async def test_with_a_rotated_secret_the_one_before_is_taken_until_its_time_is_over(
    edge: Edge, provider: Provider
) -> None:
    old = await source(provider)
    text = """mutation ($input: InboundSourceRotateSecretInput!) {
      inboundSourceRotateSecret(input: $input) { source { previousUntil version } secret errors { code } } }"""
    rotated = await asked(provider, text, {"input": {"sourceId": old.id, "overlap": "PT1H", "expectedVersion": 1}})
    given = rotated["inboundSourceRotateSecret"]
    assert given["source"] == {"previousUntil": "2026-03-02T10:00:00Z", "version": 2}
    new = Sender(old.id, old.path, given["secret"], provider)
    assert [(await tell(edge, one, ticket())).status_code for one in (old, new)] == [202, 202]
    provider.clock.forward(hours=1)
    assert [(await tell(edge, one, ticket())).status_code for one in (old, new)] == [401, 202]
    await asked(provider, text, {"input": {"sourceId": old.id, "overlap": "PT0S"}})
    assert (await tell(edge, new, ticket())).status_code == 401


async def test_a_source_that_sends_too_much_at_once_is_slowed_down(provider: Provider) -> None:
    settings = {"inbound_burst": 2, "inbound_per_second": 1}
    async with running(provider.context, product(), authenticated_by=authenticate, **settings) as edge:
        sender, other = await source(provider), await source(provider)
        answers = [await tell(edge, sender, ticket(n)) for n in range(9)]
        slowed = [answer for answer in answers if answer.status_code == 429]
        assert slowed
        assert int(slowed[0].headers["retry-after"]) >= 1
        assert (await tell(edge, other, ticket())).status_code == 202


async def test_a_message_reaches_its_own_provider_and_nobody_else_sees_the_source(
    edge: Edge, provider: Provider, other_provider: Provider
) -> None:
    ours, theirs = await source(provider), await source(other_provider)
    assert (await post(edge, theirs.path, BODY, ours.standard(BODY))).status_code == 401
    assert (await tell(edge, theirs, ticket())).status_code == 202
    assert await messages(provider) == []
    (foreign,) = await messages(other_provider)
    query = f'{{ inboundSource(id: "{theirs.id}") {{ name }} node(id: "{foreign["id"]}") {{ id }} }}'
    assert await asked(provider, query) == {"inboundSource": None, "node": None}
    for text in (
        f'mutation {{ r: inboundMessageReplay(input: {{messageId: "{foreign["id"]}"}}) {{ errors {{ code }} }} }}',
        f'mutation {{ r: inboundSourceDisable(input: {{sourceId: "{theirs.id}"}}) {{ errors {{ code }} }} }}',
        f'mutation {{ r: inboundMessagesReplay(input: {{sourceId: "{theirs.id}"}}) {{ errors {{ code }} }} }}',
    ):
        assert (await asked(provider, text))["r"]["errors"] == [{"code": "NOT_FOUND"}]


async def test_the_shape_of_a_ticket_in_our_own_json_is_published(edge: Edge) -> None:
    answer = await edge.get("/ticket.json")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/schema+json")
    shape = answer.json()["$defs"]["TicketDocument"]
    assert {"externalId", "loggedAt"} == set(shape["required"])
    assert shape["additionalProperties"] is False


async def test_whoever_may_not_let_systems_send_sees_nothing_of_it(provider: Provider) -> None:
    await source(provider)
    for role in (Role.VIEWER, Role.AGENT, Role.ONBOARDING_LEAD, Role.ACCOUNT_MANAGER, Role.TEAM_MANAGER):
        person = await provider.invited(role)
        data, errors = await answered(provider, "{ inboundSources(first: 1) { totalCount } }", principal=person)
        assert data == {"inboundSources": None}
        assert Scope.INBOUND_WRITE.value in errors[0]


async def test_a_secret_is_shown_once_and_never_one_that_the_caller_gave(provider: Provider) -> None:
    text = """mutation ($input: InboundSourceCreateInput!) {
      inboundSourceCreate(input: $input) { source { id } secret errors { code path } } }"""

    async def made(**given: Any) -> dict[str, Any]:
        answer = await asked(provider, text, {"input": {"name": "Desk", "adapter": "ZENDESK", **given}})
        found: dict[str, Any] = answer["inboundSourceCreate"]
        return found

    first, again = await made(idempotencyKey="k"), await made(idempotencyKey="k")
    assert first["secret"]
    assert again == {
        "source": first["source"],
        "secret": None,
        "errors": [{"code": "SECRET_ALREADY_SHOWN", "path": ["idempotencyKey"]}],
    }
    assert (await made(secret="made-by-the-system-itself"))["secret"] is None
    for bad in ("short", "with a blank in between", "x" * 201):
        assert (await made(secret=bad))["errors"] == [{"code": "INVALID", "path": ["secret"]}]
