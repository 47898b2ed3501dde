"""A storm: leads hammer clients and readers follow the feed while something goes wrong, and what must hold after it."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus

from db import cycles, feed, histories
from db.embedded import EmbeddedServer
from db.session import Database
from domain.feed import Cursor
from domain.ids import IdKind, parse, public
from domain.onboarding import Cycle, Transition, replay
from tests.support.clock import WallClock
from tests.support.leads import Leads, hired
from tests.support.onboarding import Everything
from tests.support.providers import Provider, new_provider
from tests.support.serving import Caller, ServerProcess, durable, running, urls

LEADS, CLIENTS = 32, 20

PAGE = "query ($after: Cursor) { events(after: $after, first: 50) { events { id cursor } endCursor } }"
FOLLOW = "subscription ($after: Cursor) { events(after: $after) { ... on Event { id cursor } } }"


@dataclass
class Storm:
    """What is left when it is over."""

    postgres: EmbeddedServer
    provider: Provider
    leads: Leads
    paged: list[str]
    followed: list[str]

    async def rows(self, sql: str) -> list[asyncpg.Record]:
        return await _rows(self.postgres, sql)

    async def each_acknowledged_move_has_one_row_and_one_event(self) -> None:
        """Hold what leads were told against the trail and the log, both ways."""
        moves = [command.event for command in self.leads.sent if command.moved]
        rows = await self.rows("select event_id from transition where accepted and move not in ('OPEN', 'REOPEN')")
        events = await self.rows("select event_id from event_log")

        assert sum(command.tries > 1 for command in self.leads.sent) > 0, "no answer was ever lost: nothing was tried"
        assert Counter(public(IdKind.EVENT, row["event_id"]) for row in rows) == Counter(moves)
        logged = Counter(public(IdKind.EVENT, row["event_id"]) for row in events)
        told = [command.event for command in self.leads.sent if command.event]
        assert {event: logged[event] for event in told} == dict.fromkeys(told, 1)

    async def the_same_key_gives_the_first_answer(self) -> None:
        """Send again whatever got lost, and some of the rest."""
        doubtful = [command for command in self.leads.sent if command.tries > 1]
        others = random.Random(3).sample([command for command in self.leads.sent if command.tries == 1], 60)
        again = await asyncio.gather(
            *(command.lead.command(command.mutation, command.input) for command in doubtful + others)
        )

        assert [_outcome(answer) for answer, _ in again] == [_outcome(command.answer) for command in doubtful + others]

    async def no_client_is_in_two_states(self) -> None:
        """Hold every onboarding against its visits and holds."""
        async with self.provider.context.database.reading(self.provider.admin) as tx:
            ids = [parse(IdKind.ONBOARDING, seen.id) for seen in self.leads.onboardings]
            found = await cycles.by_ids(tx, ids)
            visits = await cycles.visits(tx, ids)
            holds = await cycles.holds(tx, ids)
        assert len(found) == CLIENTS
        for cycle in found.values():
            staying = [visit for visit in visits[cycle.id] if visit.left_at is None]
            assert [(visit.id, visit.stage) for visit in staying] == [(cycle.visit_id, cycle.stage)]
            held = [hold for hold in holds.get(cycle.id, []) if hold.resumed_at is None]
            assert [hold.held_at for hold in held] == ([cycle.held_at] if cycle.held_at else [])

    async def the_history_replays_to_the_state(self) -> None:
        """Hold every onboarding against its own trail."""
        database = self.provider.context.database
        for seen in self.leads.onboardings:
            cycle, history = await _history(database, self.provider, parse(IdKind.ONBOARDING, seen.id))
            accepted = [step for step in history if step.accepted]
            assert [step.version for step in accepted] == list(range(1, cycle.version + 1))
            assert [step.from_stage for step in accepted[1:]] == [step.to_stage for step in accepted[:-1]]
            replayed = replay(tuple(history))
            assert (replayed.stage, replayed.version, replayed.held, replayed.ended) == (
                cycle.stage,
                cycle.version,
                cycle.held_at is not None,
                cycle.ended,
            )

    async def no_reader_misses_or_doubles_an_event(self) -> None:
        """Hold both readers against the log."""
        rows = await self.rows("select event_id from event_log order by seq")
        logged = [public(IdKind.EVENT, row["event_id"]) for row in rows]
        since = logged[logged.index(self.paged[0]) :]

        assert self.paged == since
        assert self.followed == since


Trouble = Callable[[ServerProcess, Leads, EmbeddedServer], Coroutine[Any, Any, None]]


@asynccontextmanager
async def storm(directory: Path, moves: int, trouble: Trouble) -> AsyncIterator[Storm]:
    """Let the leads work through trouble until so many moves are acknowledged, and the readers catch up."""
    async with (
        durable(directory) as (postgres, database),
        ServerProcess(*urls(postgres)) as server,
        AsyncExitStack() as stack,
    ):
        provider = await new_provider(database, WallClock())
        leads = await hired(provider, server, LEADS, CLIENTS)
        reader = Caller(server, provider.admin_token)
        for caller in (*leads.callers, reader):
            stack.push_async_callback(caller.close)
        await _quiet(postgres)
        async with database.reading(provider.admin) as tx:
            start = (await feed.extent(tx)).end
        found = Storm(postgres, provider, leads, [], [])
        await stack.enter_async_context(running(_page(reader, start.text(), found.paged)))
        await stack.enter_async_context(running(_follow(server, provider.admin_token, start.text(), found.followed)))
        async with asyncio.timeout(300), running(trouble(server, leads, postgres)) as troubling:
            await leads.work(moves)
            await troubling
        await _caught_up(found, start)
        yield found


async def _page(caller: Caller, start: str, seen: list[str]) -> None:
    """Page through the feed for ever, from where the last answer ended."""
    after = start
    while True:
        page = (await caller.ask(PAGE, after=after))["events"]
        seen += [event["id"] for event in page["events"]]
        after = page["endCursor"]
        await asyncio.sleep(0 if page["events"] else 0.05)


async def _follow(server: ServerProcess, token: str, start: str, seen: list[str]) -> None:
    """Follow the feed for ever over sockets, each beginning behind the last event of the one before."""
    after = start
    while True:
        with suppress(OSError, EOFError, ConnectionClosed, InvalidMessage, InvalidStatus, TimeoutError):
            async with server.socket(token) as socket:
                payload = {"query": FOLLOW, "variables": {"after": after}}
                await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
                async for message in socket:
                    pushed = json.loads(message)
                    if pushed["type"] != "next":
                        continue
                    event = pushed["payload"]["data"]["events"]
                    if "id" in event:
                        seen.append(event["id"])
                        after = event["cursor"]
        await asyncio.sleep(0.05)


async def _rows(postgres: EmbeddedServer, sql: str) -> list[asyncpg.Record]:
    """Read as the superuser, whom no policy binds."""
    connection = await asyncpg.connect(postgres.url())
    try:
        return await connection.fetch(sql)
    finally:
        await connection.close()


async def _quiet(postgres: EmbeddedServer) -> None:
    """Wait until everything told so far has its number."""
    async with asyncio.timeout(60):
        while (await _rows(postgres, "select count(*) as waiting from pending"))[0]["waiting"]:  # noqa: ASYNC110 -- as above
            await asyncio.sleep(0.05)


async def _caught_up(storm: Storm, start: Cursor) -> None:
    """Wait until both readers have as many events as there are behind their beginning, and a moment more."""
    await _quiet(storm.postgres)
    told = sum(row["seq"] > start.seq for row in await storm.rows("select seq from event_log"))
    async with asyncio.timeout(60):
        while min(len(storm.paged), len(storm.followed)) < told:  # noqa: ASYNC110 -- as above
            await asyncio.sleep(0.1)
    await asyncio.sleep(0.5)


async def _history(database: Database, provider: Provider, id_: UUID) -> tuple[Cycle, list[Transition]]:
    async with database.reading(provider.admin) as tx:
        return (await cycles.by_ids(tx, [id_]))[id_], (await histories.histories(tx, [id_], Everything()))[id_]


def _outcome(answer: dict[str, Any]) -> tuple[str | None, list[dict[str, Any]]]:
    return answer["eventId"], answer["errors"]
