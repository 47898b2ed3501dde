"""What came in is interpreted in order and exactly once, what fails says why, and is replayed after a fix."""

import asyncio
import json
from dataclasses import replace
from types import MappingProxyType
from typing import Any
from uuid import UUID

import pytest

from db import inbound_sources
from db.errors import DatabaseUnavailableError, StatementTimeoutError
from domain.access import system
from domain.clients import ExternalKey
from domain.ids import IdKind, public
from domain.inbound import AdapterKind, Delivery, Sent
from domain.tickets import ReportedTicket
from integrations import adapters
from tests.support.asking import asked
from tests.support.inbound import Sender, interpreted, messages, source, ticket
from tests.support.providers import Provider, done
from tests.support.providers import sent as request
from workflows import clients, inbound, inbound_messages, tickets
from workflows.clients import CreateClient
from workflows.inbound_messages import BODIES_KEPT, CLAIMED_FOR, MESSAGES_KEPT, MOST_ATTEMPTS

TICKETS = "{ tickets(first: 100) { nodes { externalId clientId priority system } } }"
REPLAY = "mutation ($id: ID!) { inboundMessageReplay(input: {messageId: $id}) { message { status } errors { code } } }"
REPLAY_ALL = """
mutation ($in: InboundMessagesReplayInput!) { r: inboundMessagesReplay(input: $in) { replayed errors { code } } }
"""


async def received(sender: Sender, said: object) -> UUID:
    """Take a message in as the address does."""
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    context = sender.provider.context
    gate = await inbound.gate(context, sender.path.rpartition("/")[2])
    assert gate is not None
    return (await inbound.receive(context, gate, Sent(sender.standard(body), body))).message


async def tickets_of(provider: Provider) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = (await asked(provider, TICKETS))["tickets"]["nodes"]
    return sorted(listed, key=lambda one: one["externalId"])


async def test_messages_of_a_source_are_interpreted_in_the_order_in_which_they_came(provider: Provider) -> None:
    sender = await source(provider)
    for priority in ("P4", "P3", "P2", "P1"):
        await received(sender, ticket(priority=priority))
        provider.clock.forward(seconds=1)
    assert await interpreted(provider) == 4
    assert await interpreted(provider) == 0
    assert [one["priority"] for one in await tickets_of(provider)] == ["P1"]
    assert [one["status"] for one in await messages(provider)] == ["DONE"] * 4


async def test_clients_are_found_by_the_systems_keys_or_all_are_of_the_sources_client(provider: Provider) -> None:
    mapped = done(
        await clients.create(
            provider.context,
            provider.admin,
            request(),
            CreateClient("Mapped", external=(ExternalKey("DESK", "acme"),)),
        )
    )
    own = await provider.client("Own")
    by_key = await source(provider, system="DESK")
    of_one = await source(provider, system="OTHER DESK", clientId=public(IdKind.CLIENT, own))
    await received(by_key, {"tickets": [ticket(1, client="acme"), ticket(2, client="nobody"), ticket(3)]})
    await received(of_one, ticket(4, client="acme"))
    await interpreted(provider)
    found = {one["externalId"]: (one["system"], one["clientId"]) for one in await tickets_of(provider)}
    assert found == {
        "T-1": ("DESK", public(IdKind.CLIENT, mapped)),
        "T-2": ("DESK", None),
        "T-3": ("DESK", None),
        "T-4": ("OTHER DESK", public(IdKind.CLIENT, own)),
    }


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (ticket(priority="P9"), "$.priority is 'P9': Invalid enum value 'P9', expected one of P1, P2"),
        ({"tickets": [ticket(1), ticket(2, loggedAt="yesterday")]}, "$.tickets[1].loggedAt is 'yesterday'"),
        ({"tickets": [ticket(1), ticket(1)]}, "the ticket stands twice in the message"),
        (ticket(colour="red"), "unknown field `colour`"),
        ([1], "Expected `object`, got `array`"),
    ],
)
async def test_what_makes_no_sense_fails_with_its_place_and_value_and_holds_up_nothing(
    provider: Provider, said: object, reason: str
) -> None:
    sender = await source(provider)
    await received(sender, said)
    await received(sender, ticket(9))
    assert await interpreted(provider) == 2
    fine, failed = await messages(provider)
    assert (fine["status"], failed["status"]) == ("DONE", "FAILED")
    assert reason in failed["reason"]
    assert [one["externalId"] for one in await tickets_of(provider)] == ["T-9"]


async def test_what_tells_of_no_ticket_is_ignored_and_says_why(provider: Provider) -> None:
    sender = await source(provider)
    await received(sender, {"tickets": []})
    await interpreted(provider)
    (kept,) = await messages(provider)
    assert (kept["status"], kept["reason"]) == ("IGNORED", "The message tells of no ticket.")


async def test_a_failure_is_listed_and_replayed_once_it_is_put_right(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender = await source(provider)
    with monkeypatch.context() as broken:
        broken.setattr(inbound_messages, "ADAPTERS", _reading(_broken))
        failed = [await received(sender, ticket(n)) for n in range(3)]
        assert await interpreted(provider) == 3
    listed = await messages(provider, statuses=["FAILED"], sourceId=sender.id)
    assert len(listed) == 3
    assert all("Something went wrong on our side (KeyError)" in one["reason"] for one in listed)
    assert await tickets_of(provider) == []
    one = public(IdKind.INBOUND_MESSAGE, failed[0])
    assert (await asked(provider, REPLAY, {"id": one}))["inboundMessageReplay"] == {
        "message": {"status": "RECEIVED"},
        "errors": [],
    }
    assert (await asked(provider, REPLAY, {"id": one}))["inboundMessageReplay"]["errors"] == [{"code": "CONFLICT"}]
    assert (await asked(provider, REPLAY_ALL, {"in": {"dryRun": True}}))["r"] == {"replayed": 2, "errors": []}
    assert (await asked(provider, REPLAY_ALL, {"in": {"sourceId": sender.id}}))["r"] == {"replayed": 2, "errors": []}
    assert (await asked(provider, REPLAY_ALL, {"in": {"statuses": ["RECEIVED"]}}))["r"]["errors"] == [
        {"code": "INVALID"}
    ]
    assert await interpreted(provider) == 3
    assert [one["externalId"] for one in await tickets_of(provider)] == ["T-0", "T-1", "T-2"]
    assert await messages(provider, statuses=["FAILED"]) == []


async def test_a_worker_that_dies_before_it_writes_loses_nothing_and_doubles_nothing(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender = await source(provider)
    for number in range(3):
        await received(sender, ticket(number))
    with monkeypatch.context() as dying:
        write = tickets.write

        async def dies(*arguments: Any) -> Any:
            await write(*arguments)
            raise DatabaseUnavailableError("killed")

        async def nobody(*_: Any) -> None:
            """A killed worker releases nothing."""

        dying.setattr(tickets, "write", dies)
        dying.setattr(inbound_sources, "release", nobody)
        with pytest.raises(DatabaseUnavailableError):
            await interpreted(provider)
    assert [one["status"] for one in await messages(provider)] == ["RECEIVED"] * 3
    assert await tickets_of(provider) == []
    assert await interpreted(provider) == 0, "the dead worker's claim still holds"
    provider.clock.forward(seconds=CLAIMED_FOR.total_seconds())
    assert await interpreted(provider) == 3
    assert len(await tickets_of(provider)) == 3


async def test_two_workers_at_once_interpret_each_message_once(provider: Provider) -> None:
    senders = [await source(provider) for _ in range(3)]
    for number in range(12):
        await received(senders[number % 3], ticket(number))
    counted = await asyncio.gather(*(interpreted(provider) for _ in range(4)))
    assert sum(counted) == 12
    assert len(await tickets_of(provider)) == 12
    assert {one["status"] for one in await messages(provider)} == {"DONE"}


async def test_a_message_that_ends_every_worker_is_set_aside_and_the_rest_goes_on(provider: Provider) -> None:
    sender = await source(provider)
    await received(sender, ticket(1))
    await received(sender, ticket(2))
    for _ in range(MOST_ATTEMPTS):
        await _claimed_by_a_worker_that_ends(provider)
        provider.clock.forward(seconds=CLAIMED_FOR.total_seconds())
    assert await interpreted(provider) == 1
    second, first = await messages(provider)
    assert (first["status"], second["status"]) == ("FAILED", "DONE")
    assert "5 attempts at this message came to no end" in first["reason"]


async def test_a_message_that_takes_too_long_is_tried_again_and_in_the_end_set_aside(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender = await source(provider)
    await received(sender, ticket(1))
    await received(sender, ticket(2))
    write = tickets.write

    async def slow(*arguments: Any) -> Any:
        if arguments[-1].tickets[0].external_id == "T-1":
            raise StatementTimeoutError("canceling statement due to statement timeout")
        return await write(*arguments)

    monkeypatch.setattr(tickets, "write", slow)
    for _ in range(MOST_ATTEMPTS):
        with pytest.raises(StatementTimeoutError):
            await interpreted(provider)
    assert [one["status"] for one in await messages(provider)] == ["RECEIVED", "RECEIVED"]
    assert await interpreted(provider) == 1
    assert [one["status"] for one in await messages(provider)] == ["DONE", "FAILED"]


async def test_bodies_and_messages_are_forgotten_when_their_time_is_over(provider: Provider) -> None:
    sender = await source(provider)
    await received(sender, ticket(1))
    await received(sender, b"no json")
    await interpreted(provider)
    provider.clock.forward(days=BODIES_KEPT.days)
    await inbound_messages.forget(provider.context)
    failed, fine = await messages(provider)
    assert (fine["body"], failed["body"]) == (None, "no json")
    answer = await asked(provider, REPLAY, {"id": fine["id"]})
    assert answer["inboundMessageReplay"]["errors"] == [{"code": "CONFLICT"}]
    provider.clock.forward(days=(MESSAGES_KEPT - BODIES_KEPT).days)
    await inbound_messages.forget(provider.context)
    assert await messages(provider) == []


async def test_a_name_that_was_escaped_is_kept_written_out_so_that_it_can_be_found(provider: Provider) -> None:
    sender = await source(provider)
    await received(sender, b'{"externalId": "T-1", "loggedAt": "2026-03-01T12:00:00Z", "title": "Ren\\u00e9e called"}')
    (kept,) = await messages(provider)
    assert "Renée called" in kept["body"]


def test_every_system_that_may_send_can_be_read() -> None:
    assert set(adapters.ADAPTERS) == set(AdapterKind)


async def _claimed_by_a_worker_that_ends(provider: Provider) -> None:
    now = provider.clock()
    async with provider.context.database.writing(system(provider.tenant_id)) as tx:
        found = await inbound_sources.claim(tx, now, now + CLAIMED_FOR, [])
        assert found is not None
        await inbound_messages._set_aside(tx, found, now)


def _reading(read: adapters.Read) -> Any:
    generic = replace(adapters.ADAPTERS[AdapterKind.GENERIC], read=read)
    return MappingProxyType({**adapters.ADAPTERS, AdapterKind.GENERIC: generic})


def _broken(body: object, delivery: Delivery) -> tuple[ReportedTicket, ...]:
    raise KeyError("a mistake of ours")
