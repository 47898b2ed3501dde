"""Ends: rights that are taken away under open sockets and streams, and a server that is told to stop under load."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from db.embedded import EmbeddedServer
from domain.access import Role
from domain.moves import Move
from domain.onboarding import HoldReason
from domain.tokens import TokenKind
from tests.support.clock import WallClock
from tests.support.leads import Leads, hired
from tests.support.onboarding import opened
from tests.support.providers import Provider, done, new_provider, sent, shown
from tests.support.serving import ServerProcess, durable, running, urls
from workflows import members, tokens
from workflows.members import DeactivateMember, UpdateMember
from workflows.tokens import CreateToken, RevokeToken

FOLLOW = "subscription { events { __typename ... on Event { id type } } }"
GRACE_S = 5


@dataclass
class Serving:
    """A server process with a provider on it."""

    postgres: EmbeddedServer
    server: ServerProcess
    provider: Provider


@pytest.fixture(scope="module")
async def world(server_folder: Path) -> AsyncIterator[Serving]:
    async with durable(server_folder / "ends") as (postgres, database):
        server = await ServerProcess(*urls(postgres), {"STEADYSTATE_SHUTDOWN_SECONDS": str(GRACE_S)}).start()
        try:
            yield Serving(postgres, server, await new_provider(database, WallClock()))
        finally:
            await server.kill()


@pytest.mark.parametrize("way", ["deactivated", "lowered", "revoked"])
async def test_who_loses_their_rights_gets_no_further_event_and_is_shown_out(world: Serving, way: str) -> None:
    provider = world.provider
    onboarding = await opened(provider)
    member = await provider.invited(Role.VIEWER)
    issued = await tokens.create(
        provider.context, provider.admin, sent(), CreateToken(TokenKind.PERSONAL, "theirs", member_id=member.id)
    )
    token = shown(issued)
    heard: list[str] = []
    async with world.server.socket(token) as socket, running(_hear(socket, heard)) as hearing:
        await _until(lambda: heard.count("Checkpoint") == 1)
        done(await onboarding.move(Move.HOLD, hold_reason=HoldReason.CLIENT))
        await _until(lambda: "ONBOARDING_MOVED" in heard)
        context, admin = provider.context, provider.admin
        if way == "deactivated":
            done(await members.deactivate(context, admin, sent(), DeactivateMember(member.id)))
        elif way == "lowered":
            done(await members.update(context, admin, sent(), UpdateMember(member.id, roles=(Role.AGENT,))))
        else:
            done(await tokens.revoke(context, admin, sent(), RevokeToken(done(issued.outcome))))
        told, began = len(heard), time.monotonic()
        while not hearing.done() and time.monotonic() - began < 10:
            done(await onboarding.move(Move.RESUME))
            done(await onboarding.move(Move.HOLD, hold_reason=HoldReason.CLIENT))
            await asyncio.sleep(0.2)
        assert hearing.done(), "the socket was left open for ten seconds"
        assert socket.close_code in (4401, 4403)
        assert heard[told:] == []


async def test_a_stop_under_load_answers_what_it_took_closes_sockets_and_ends_in_time(world: Serving) -> None:
    server, provider = world.server, world.provider
    leads = await hired(provider, server, leads=8, clients=4)
    heard: list[str] = []
    streamed: list[str] = []
    async with server.socket(provider.admin_token) as socket, running(_hear(socket, heard)) as hearing:
        streaming = asyncio.create_task(_stream(server, provider.admin_token, streamed))
        working = asyncio.create_task(leads.work(120))
        await leads.moved(30)
        began = time.monotonic()
        code = await server.stop()
        took_s = time.monotonic() - began
        async with asyncio.timeout(20):
            await hearing
            await streaming
        assert (code, socket.close_code) == (0, 1012)
        assert took_s < GRACE_S + 5
    assert "ONBOARDING_MOVED" in heard
    assert any('"ONBOARDING_MOVED"' in line for line in streamed)
    await server.start()
    async with asyncio.timeout(120):
        await working
    for caller in leads.callers:
        await caller.close()
    await _each_move_once(provider, leads)


async def _each_move_once(provider: Provider, leads: Leads) -> None:
    told = [command.event for command in leads.sent if command.moved]
    assert len(told) == len(set(told)) >= 120


async def _hear(socket: ClientConnection, heard: list[str]) -> None:
    """Follow the feed until the socket is closed."""
    await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": FOLLOW}}))
    with suppress(ConnectionClosed):
        async for message in socket:
            pushed = json.loads(message)
            if pushed["type"] == "next":
                event = pushed["payload"]["data"]["events"]
                heard.append(event.get("type", event["__typename"]))


async def _stream(server: ServerProcess, token: str, lines: list[str]) -> None:
    """Follow the feed by server-sent events until the stream ends; an end without a last chunk is an error."""
    headers = {"authorization": f"Bearer {token}", "accept": "text/event-stream"}
    async with (
        httpx2.AsyncClient(trust_env=False, timeout=30) as client,
        client.stream("POST", f"{server.url}/graphql", json={"query": FOLLOW}, headers=headers) as response,
    ):
        assert response.status_code == 200
        lines.extend([line async for line in response.aiter_lines()])


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not holds():  # noqa: ASYNC110 -- what is waited for knows nothing of the test
            await asyncio.sleep(0.02)
