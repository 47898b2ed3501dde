"""Nothing of one provider or client comes by a cursor of another, nor over a subscription."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from api.context import OperationContext
from api.rates import Rate
from api.running import shown
from db import feed
from db.session import Database
from domain.ids import IdKind, public
from domain.moves import Move
from tests.support.events import serving
from tests.support.probes import WHO, Probe, Worlds, answer, fields
from tests.support.providers import done, new_provider
from tests.support.schema_walk import nobodys, selection
from tests.support.worlds import peopled
from workflows.context import Context

LISTS = sorted(
    name for name, field in fields("query").items() if {"first", "last"} <= set(field.args) or name == "events"
)


@pytest.fixture(scope="module")
async def worlds(database: Database, worker_database: str) -> Worlds:
    ours, theirs = await peopled(await new_provider(database)), await peopled(await new_provider(database))
    return Worlds(ours, theirs, worker_database)


@pytest.mark.parametrize("who", WHO)
async def test_another_ones_cursor_brings_nothing_of_theirs(worlds: Worlds, who: str) -> None:
    probe = await worlds.probe(who)
    world = worlds.ours if "one client" in who else worlds.theirs
    for name in LISTS:
        end = "endCursor" if name == "events" else "pageInfo { endCursor }"
        body, codes = await probe.asker.ask(world.provider.admin, f"{{ {name}(first: 1) {{ {end} }} }}")
        assert codes == []
        cursor = body["data"][name].get("endCursor") or body["data"][name]["pageInfo"]["endCursor"]
        shown = await answer(probe, "query", name, {"first": 50, "after": cursor}, 2)
        assert probe.leaks(shown, cursor) == set(), name


@pytest.mark.parametrize("who", WHO)
async def test_whatever_a_caller_may_list_holds_nothing_of_others(worlds: Worlds, who: str) -> None:
    probe = await worlds.probe(who)
    for name, field in fields("query").items():
        required = {argument for argument, taken in field.args.items() if str(taken.type).endswith("!")}
        if required <= {"first"}:
            given = {"first": 50} if "first" in field.args else {}
            assert probe.leaks(await answer(probe, "query", name, given, 3), "") == set(), name


@pytest.mark.parametrize("who", WHO)
async def test_subscriptions_bring_nothing_of_others(database: Database, worker_database: str, who: str) -> None:
    ours, theirs = await peopled(await new_provider(database)), await peopled(await new_provider(database))
    worlds = Worlds(ours, theirs, worker_database)
    probe = await worlds.probe(who)
    stranger = ours.second if "one client" in who else theirs.first
    clients = {"foreign": public(IdKind.CLIENT, stranger.client), "nobodys": nobodys(IdKind.CLIENT)}
    async with serving(database) as current:
        context = replace(ours.provider.context, feed=current)
        async with database.reading(ours.provider.admin) as tx:
            after = (await feed.extent(tx)).end.text()
        asked: dict[str, tuple[str, dict[str, Any]]] = {
            "everything": ("events", {"after": after}),
            "onboardings": ("onboardingChanged", {"after": after}),
            "figures": ("kpiChanged", {"after": after}),
            **{f"events {words}": ("events", {"after": after, "clients": [id_]}) for words, id_ in clients.items()},
            **{
                f"onboardings {words}": ("onboardingChanged", {"after": after, "clientId": id_})
                for words, id_ in clients.items()
            },
            **{
                f"figures {words}": ("kpiChanged", {"after": after, "clientIds": [id_]})
                for words, id_ in clients.items()
            },
        }
        async with _listening(context, probe, asked) as heard:
            for onboarding in (theirs.first, ours.second, ours.first):
                done(await onboarding.move(Move.RESUME))
            own = public(IdKind.ONBOARDING, ours.first.cycle)
            async with asyncio.timeout(10):
                awaited = {"everything": own, "onboardings": own, "figures": "TIME_IN_STAGE"}
                while not all(any(word in text for text in heard[name]) for name, word in awaited.items()):  # noqa: ASYNC110 -- others do what is waited for
                    await asyncio.sleep(0.02)
            await asyncio.sleep(0.2)
    # What is foreign has grown by what moved meanwhile.
    probe = replace(probe, foreign=await worlds.foreign(who))
    for name in ("everything", "onboardings", "figures"):
        assert probe.leaks(" ".join(heard[name]), after) == set()
    assert [(name, text) for name, texts in heard.items() if " " in name for text in texts] == []


@asynccontextmanager
async def _listening(
    context: Context, probe: Probe, asked: dict[str, tuple[str, dict[str, Any]]]
) -> AsyncIterator[dict[str, list[str]]]:
    """Keep subscriptions open for as long as the block lasts; what they bring is collected by name."""
    heard: dict[str, list[str]] = {name: [] for name in asked}
    answering = {name: asyncio.Lock() for name in asked}

    async def listen(name: str) -> None:
        field, variables = asked[name]
        taken = fields("subscription")[field]
        declared = " ".join(f"${argument}: {taken.args[argument].type}" for argument in variables)
        passed = " ".join(f"{argument}: ${argument}" for argument in variables)
        text = f"subscription ({declared}) {{ {field}({passed}) {selection(taken.type, 2)} }}"
        operations = probe.asker.operations
        operation = operations.prepare(text, variables, None)
        opened = await operations.subscribe(operation, _operation(context, probe))
        source = opened.source
        assert isinstance(source, AsyncGenerator)
        async with aclosing(source):
            async for event in source:
                async with answering[name]:
                    one = _operation(context, probe)
                    body, _ = shown(await opened.respond(event, one), "req-test")
                    await one.close()
                    heard[name].append(json.dumps(body, default=str))

    tasks = [asyncio.create_task(listen(name)) for name in asked]
    try:
        yield heard
    finally:
        # An answer that is cut off in its middle leaves resolvers behind that nobody has awaited.
        for lock in answering.values():
            await lock.acquire()
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert [error for error in ended if not isinstance(error, asyncio.CancelledError)] == []


def _operation(context: Context, probe: Probe) -> OperationContext:
    return OperationContext(context, probe.principal, "req-test", Rate(1_000, 1_000, 10))
