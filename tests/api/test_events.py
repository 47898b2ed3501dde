"""The feed as readers get it: pages over HTTP, live over a socket and over a stream."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from websockets.asyncio.client import ClientConnection

from api.schema import product
from db.session import Database
from domain.access import Principal, Scope
from domain.events import EVENT_TYPES, MemberChanged, OnboardingChanged
from domain.feed import Cursor
from domain.ids import IdKind, public
from domain.stages import Stage
from tests.support.edge import Edge, running
from tests.support.events import edit, number, reader, serving, tell
from tests.support.onboarding import opened
from tests.support.providers import Provider
from workflows.context import Context

PAGE = """
query ($after: Cursor, $types: [EventType!], $clients: [ID!], $first: Int! = 100) {
  events(after: $after, types: $types, clients: $clients, first: $first) {
    events { id cursor type clientId data } endCursor hasMore
  }
}
"""
LIVE = """
subscription ($after: Cursor, $types: [EventType!]) {
  events(after: $after, types: $types) { __typename ... on Event { id cursor type data } ... on Checkpoint { cursor } }
}
"""


@pytest.fixture
async def edge(database: Database) -> AsyncIterator[Edge]:
    """A server of the product with a live feed and a worker."""
    async with serving(database) as feed, running(Context(database, feed=feed), product()) as edge:
        yield edge


async def test_a_page_shows_events_with_everything_that_places_them(edge: Edge, database: Database) -> None:
    writer, client = reader(), uuid4()
    told = await tell(database, writer, edit("name", "notes"), client=client)
    await number(database)
    body = await _ask(
        edge,
        writer,
        """{ events { hasMore endCursor events {
            id cursor type schemaVersion clientId subject { kind id version } actor { kind id onBehalfOf }
            occurredAt recordedAt requestId causedBy historical data } } }""",
    )
    page = body["data"]["events"]
    [event] = page["events"]
    assert event.pop("occurredAt") == event.pop("recordedAt")
    assert event == {
        "id": told[0],
        "cursor": page["endCursor"],
        "type": "CLIENT_CHANGED",
        "schemaVersion": 1,
        "clientId": public(IdKind.CLIENT, client),
        "subject": {"kind": "CLIENT", "id": public(IdKind.CLIENT, client), "version": 1},
        "actor": {"kind": "SERVICE", "id": public(IdKind.TOKEN, writer.id), "onBehalfOf": None},
        "requestId": "test",
        "causedBy": None,
        "historical": False,
        "data": {"created": False, "fields": ["name", "notes"]},
    }
    assert page["hasMore"] is False


async def test_pages_follow_one_another_by_cursor_filtered_by_type_and_client(edge: Edge, database: Database) -> None:
    writer, one, other = reader(), uuid4(), uuid4()
    ids = [(await tell(database, writer, edit("x"), client=client))[0] for client in (one, other, one)]
    ids += await tell(database, writer, MemberChanged(created=True, active=True, roles=()))
    await number(database)

    async def ids_of(**variables: Any) -> list[str]:
        seen, after = list[str](), None
        while True:
            page = (await _ask(edge, writer, PAGE, after=after, first=1, **variables))["data"]["events"]
            seen += [event["id"] for event in page["events"]]
            after = page["endCursor"]
            if not page["hasMore"]:
                return seen

    assert await ids_of() == ids
    assert await ids_of(types=["MEMBER_CHANGED"]) == ids[3:]
    assert await ids_of(clients=[public(IdKind.CLIENT, one)]) == [ids[0], ids[2]]
    assert await ids_of(types=[], clients=None) == []


async def test_cursors_that_cannot_be_used_say_what_to_do(edge: Edge, database: Database) -> None:
    writer = reader()
    await tell(database, writer, edit("x"))
    await number(database)
    malformed = await _ask(edge, writer, PAGE, after="made up")
    assert _code(malformed) == "BAD_USER_INPUT"
    assert "'made up' is no cursor of the feed" in malformed["errors"][0]["message"]
    expired = await _ask(edge, writer, PAGE, after=Cursor(1, 1).text())
    assert _code(expired) == "CURSOR_EXPIRED"
    oldest = expired["errors"][0]["extensions"]["oldest"]
    assert len((await _ask(edge, writer, PAGE, after=oldest))["data"]["events"]["events"]) == 1
    for first in (0, 101, -1):
        assert _code(await _ask(edge, writer, PAGE, first=first)) == "BAD_USER_INPUT"
    bad_client = await _ask(edge, writer, PAGE, clients=["cli_of_somebody"])
    assert _code(bad_client) == "BAD_USER_INPUT"


async def test_reading_the_feed_takes_its_scope(edge: Edge) -> None:
    stranger = reader(scopes=[Scope.CLIENTS_READ])
    refused = await _ask(edge, stranger, PAGE)
    assert (_code(refused), refused["data"]) == ("FORBIDDEN", {"events": None})
    async with _live(edge, stranger, LIVE) as socket:
        message = json.loads(await socket.recv())
    assert message["type"] == "error"
    assert message["payload"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_a_socket_replays_and_stays_live_through_reconnections(edge: Edge, database: Database) -> None:
    writer = reader()
    told = await tell(database, writer, edit("a"), edit("b"))
    await number(database)
    page = (await _ask(edge, writer, PAGE, first=1))["data"]["events"]
    seen, cursor = [page["events"][0]["id"]], page["endCursor"]
    for _ in range(5):
        async with _live(edge, writer, LIVE, after=cursor) as socket:
            told += await tell(database, writer, edit("c"))
            while len(seen) < len(told):
                event = await _next(socket)
                seen.append(event["id"])
                cursor = event["cursor"]
        told += await tell(database, writer, edit("told while nobody listened"))
    async with _live(edge, writer, LIVE, after=cursor) as socket:
        seen.append((await _next(socket))["id"])
    assert seen == told


async def test_a_socket_without_a_cursor_begins_now_with_a_checkpoint(edge: Edge, database: Database) -> None:
    writer = reader()
    await tell(database, writer, edit("before"))
    await number(database)
    async with _live(edge, writer, LIVE, types=["CLIENT_CHANGED"]) as socket:
        beginning = await _next(socket)
        assert beginning["__typename"] == "Checkpoint"
        told = await tell(database, writer, edit("after"))
        assert (await _next(socket))["id"] == told[0]
    async with _live(edge, writer, LIVE, after=beginning["cursor"]) as socket:
        assert (await _next(socket))["id"] == told[0]


async def test_a_socket_with_an_expired_cursor_is_told_the_oldest(edge: Edge, database: Database) -> None:
    writer = reader()
    async with _live(edge, writer, LIVE, after=Cursor(1, 5).text()) as socket:
        message = json.loads(await socket.recv())
    assert message["type"] == "error"
    extensions = message["payload"][0]["extensions"]
    assert extensions["code"] == "CURSOR_EXPIRED"
    assert Cursor.read(extensions["oldest"]).seq == 0


async def test_a_stream_of_server_sent_events_brings_the_same(edge: Edge, database: Database) -> None:
    writer = reader()
    told = await tell(database, writer, edit("a"), edit("b"))
    await number(database)
    start = (await _ask(edge, writer, PAGE, first=1))["data"]["events"]["endCursor"]
    headers = {"accept": "text/event-stream", "authorization": f"Bearer {_token(edge, writer)}"}
    body = {"query": LIVE, "variables": {"after": start}}
    async with (
        httpx2.AsyncClient(trust_env=False, timeout=10) as http,
        http.stream("POST", f"{edge.url}/graphql", json=body, headers=headers) as response,
    ):
        lines = (json.loads(line[5:]) async for line in response.aiter_lines() if line.startswith("data:") and line[5:])
        assert (await anext(lines))["data"]["events"]["id"] == told[1]
        told += await tell(database, writer, edit("c"))
        assert (await anext(lines))["data"]["events"]["id"] == told[2]


async def test_changes_of_onboardings_come_with_their_event_for_one_client_or_all(
    edge: Edge, database: Database
) -> None:
    writer, one, other = reader(), uuid4(), uuid4()
    start = (await _ask(edge, writer, PAGE))["data"]["events"]["endCursor"]
    document = """subscription ($client: ID, $after: Cursor) {
        onboardingChanged(clientId: $client, after: $after) {
            cursor clientId onboardingId event { id type data } } }"""
    await tell(database, writer, edit("x"), client=one)
    await tell(database, writer, OnboardingChanged(change="RESUMED"), client=other)
    told = await tell(database, writer, OnboardingChanged(change="HELD"), client=one)
    async with _live(edge, writer, document, client=public(IdKind.CLIENT, one), after=start) as socket:
        change = await _next(socket, "onboardingChanged")
    assert change["clientId"] == public(IdKind.CLIENT, one)
    assert change["onboardingId"].startswith("onb_")
    assert change["event"] == {"id": told[0], "type": "ONBOARDING_CHANGED", "data": {"change": "HELD"}}
    async with _live(edge, writer, document, after=start) as socket:
        assert (await _next(socket, "onboardingChanged"))["clientId"] == public(IdKind.CLIENT, other)


async def test_a_move_reaches_the_board_with_the_onboarding_as_it_is_then(
    edge: Edge, database: Database, provider: Provider
) -> None:
    onboarding = await opened(provider)
    document = """subscription ($client: ID) { onboardingChanged(clientId: $client) {
        onboardingId onboarding { id stage version } event { id type data subject { version } } } }"""
    async with _live(edge, provider.admin, document, client=public(IdKind.CLIENT, onboarding.client)) as socket:
        await asyncio.sleep(0.3)
        assert await onboarding.forward() is Stage.ASSET_DISCOVERY
        change = await _next(socket, "onboardingChanged")
        while change["event"]["data"].get("toStage") != "ASSET_DISCOVERY":
            change = await _next(socket, "onboardingChanged")
    assert change["event"]["subject"]["version"] == onboarding.version
    assert change["onboarding"] == {
        "id": change["onboardingId"],
        "stage": "ASSET_DISCOVERY",
        "version": onboarding.version,
    }


async def test_a_socket_of_one_client_never_hears_of_another(edge: Edge, database: Database) -> None:
    mine, theirs, tenant = uuid4(), uuid4(), uuid4()
    writer, partner = reader(tenant), reader(tenant, clients=[mine])
    start = (await _ask(edge, writer, PAGE))["data"]["events"]["endCursor"]
    async with _live(edge, partner, LIVE, after=start) as socket:
        await tell(database, writer, edit("a"), client=theirs)
        await tell(database, writer, edit("b"))
        await tell(database, reader(), edit("c"), client=mine)
        told = await tell(database, writer, edit("d"), client=mine)
        assert (await _next(socket))["id"] == told[0]
    asked = await _ask(edge, partner, PAGE, clients=[public(IdKind.CLIENT, theirs)])
    assert asked["data"]["events"]["events"] == []


async def test_a_type_that_this_release_does_not_know_is_shown_as_unknown(
    edge: Edge, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = reader()
    await tell(database, writer, edit("x"))
    await number(database)
    monkeypatch.delitem(EVENT_TYPES, "client.changed")
    [event] = (await _ask(edge, writer, PAGE))["data"]["events"]["events"]
    assert event["type"] == "UNKNOWN"


async def test_every_type_of_event_is_described_with_its_scope_and_schema(edge: Edge) -> None:
    body = await _ask(edge, reader(), "{ eventTypes { type name description scope schemaVersion subjectKind schema } }")
    listed = {kind["name"]: kind for kind in body["data"]["eventTypes"]}
    assert listed.keys() == EVENT_TYPES.keys()
    moved = listed["onboarding.moved"]
    assert (moved["type"], moved["scope"], moved["subjectKind"]) == ("ONBOARDING_MOVED", "CLIENTS_READ", "ONBOARDING")
    assert moved["schema"]["properties"]["toStage"] == {"type": "string"}
    assert listed["contact.changed"]["scope"] == "CONTACTS_READ"


def _token(edge: Edge, principal: Principal) -> str:
    token = f"test_{uuid4().hex}"
    edge.tokens[token] = principal
    return token


async def _ask(edge: Edge, principal: Principal, query: str, **variables: Any) -> dict[str, Any]:
    body = {"query": query, "variables": variables}
    answer: dict[str, Any] = (await edge.post(body, _token(edge, principal))).json()
    return answer


@asynccontextmanager
async def _live(edge: Edge, principal: Principal, query: str, **variables: Any) -> AsyncIterator[ClientConnection]:
    async with edge.socket(_token(edge, principal)) as socket:
        payload = {"query": query, "variables": variables}
        await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
        yield socket


async def _next(socket: ClientConnection, field: str = "events") -> dict[str, Any]:
    message = json.loads(await socket.recv())
    assert message["type"] == "next", message
    item: dict[str, Any] = message["payload"]["data"][field]
    return item


def _code(answer: dict[str, Any]) -> str:
    return str(answer["errors"][0]["extensions"]["code"])
