"""Messages that came in under kill -9 of the server and its worker: none lost, none interpreted twice."""

import asyncio
import json
import random
from pathlib import Path
from typing import Any

import httpx2

from tests.support.asking import asked
from tests.support.clock import WallClock
from tests.support.inbound import Sender, source, ticket
from tests.support.providers import Provider, new_provider
from tests.support.serving import PATIENCE_S, ServerProcess, durable, running, urls

MESSAGES = 80
KILLS = 3

STANDING = """{
  inboundSources(first: 1) { nodes { messageCount backlog { waiting failed } } }
  inboundMessages(first: 100) { nodes { status number } }
  tickets(first: 100) { totalCount nodes { externalId } }
  kpi(query: {key: TICKETS_LOGGED, period: {from: "2026-02-01", to: "2026-04-01"}, grain: MONTH}) {
    series { total { value } } }
}"""


async def test_a_server_killed_again_and_again_keeps_what_it_answered_for_and_writes_it_once(
    server_folder: Path,
) -> None:
    async with durable(server_folder / "inbound") as (postgres, database):
        provider = await new_provider(database, WallClock())
        sender = await source(provider)
        async with ServerProcess(*urls(postgres)) as server:
            async with running(_killing(server)) as killer:
                await asyncio.gather(*(_insist(server, sender, number) for number in range(MESSAGES)))
                await asyncio.wait_for(asyncio.shield(killer), PATIENCE_S)
            standing = await _settled(provider)
    assert standing["inboundSources"]["nodes"][0]["messageCount"] == MESSAGES
    assert {one["status"] for one in standing["inboundMessages"]["nodes"]} == {"DONE"}
    assert sorted(one["number"] for one in standing["inboundMessages"]["nodes"]) == list(range(1, MESSAGES + 1))
    assert {one["externalId"] for one in standing["tickets"]["nodes"]} == {f"T-{n}" for n in range(MESSAGES)}
    assert standing["tickets"]["totalCount"] == MESSAGES
    assert [one["total"]["value"] for one in standing["kpi"]["series"]] == [MESSAGES]


async def _killing(server: ServerProcess) -> None:
    for _ in range(KILLS):
        await asyncio.sleep(random.uniform(0.2, 1.0))
        await server.kill()
        await server.start()


async def _insist(server: ServerProcess, sender: Sender, number: int) -> None:
    """Send one message until it is answered for, as a system does that retries."""
    await asyncio.sleep(random.uniform(0, 4))
    body = json.dumps(ticket(number)).encode()
    async with asyncio.timeout(PATIENCE_S), httpx2.AsyncClient(trust_env=False, timeout=20) as client:
        while True:
            headers = sender.standard(body, delivery=f"msg_{number}")
            try:
                answer = await client.post(server.url + sender.path, content=body, headers=headers)
            except httpx2.TransportError:
                await asyncio.sleep(0.05)
                continue
            if answer.status_code == 202:
                return
            assert answer.status_code in (429, 503), answer.text
            await asyncio.sleep(0.1)


async def _settled(provider: Provider) -> Any:
    """Wait until nothing waits any more; return how things stand then."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            standing = await asked(provider, STANDING)
            if standing["inboundSources"]["nodes"][0]["backlog"] == {"waiting": 0, "failed": 0}:
                return standing
            await asyncio.sleep(0.2)
