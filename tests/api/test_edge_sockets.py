"""Sockets: graphql-transport-ws, with one operation's trouble kept from the others."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from domain.access import Scope
from tests.support.edge import ANSWERED, TICKS, Edge, running, tick, until


@pytest.fixture(scope="module")
async def edge() -> AsyncIterator[Edge]:
    async with running(recheck_seconds=0.2) as edge:
        yield edge


async def say(
    socket: ClientConnection, type_: str, id_: object = None, query: str | None = None, **payload: Any
) -> None:
    message: dict[str, Any] = {"type": type_}
    if id_ is not None:
        message["id"] = id_
    if query is not None:
        message["payload"] = {"query": query}
    await socket.send(json.dumps(message))


async def hear(socket: ClientConnection) -> Any:
    return json.loads(await asyncio.wait_for(socket.recv(), 5))


async def closed(socket: ClientConnection) -> tuple[int, str]:
    with suppress(ConnectionClosed):
        async with asyncio.timeout(5):
            async for _ in socket:
                pass
    assert socket.close_code is not None
    return socket.close_code, socket.close_reason or ""


async def listeners(count: int) -> None:
    await until(lambda: len(TICKS) == count)


async def test_queries_mutations_and_subscriptions_share_a_socket(edge: Edge) -> None:
    async with edge.socket() as socket:
        await say(socket, "subscribe", "s", "subscription { ticks { number cursor } }")
        await listeners(1)
        await say(socket, "subscribe", "q", "{ hello }")
        answer = await hear(socket)
        assert (answer["type"], answer["id"], answer["payload"]["data"]) == ("next", "q", {"hello": "Hello, world!"})
        assert answer["payload"]["extensions"]["cost"]["points"] == 1
        assert await hear(socket) == {"type": "complete", "id": "q"}
        tick(7)
        assert await hear(socket) == {
            "type": "next",
            "id": "s",
            "payload": {"data": {"ticks": {"number": 7, "cursor": "cursor-7"}}},
        }
        await say(socket, "ping")
        assert await hear(socket) == {"type": "pong"}
        await say(socket, "complete", "s")
        await listeners(0)


async def test_a_subscription_that_ends_is_completed_and_its_id_is_free_again(edge: Edge) -> None:
    async with edge.socket() as socket:
        for _ in range(2):
            await say(socket, "subscribe", "s", "subscription { counting(upTo: 2) }")
            heard = [await hear(socket) for _ in range(3)]
            assert [message["type"] for message in heard] == ["next", "next", "complete"]
            assert heard[1]["payload"]["data"] == {"counting": 1}


BAD_OPERATIONS: dict[str, tuple[Any, str]] = {
    "a syntax error": ({"query": "subscription {"}, "GRAPHQL_PARSE_FAILED"),
    "an unknown field": ({"query": "subscription { nothing }"}, "GRAPHQL_VALIDATION_FAILED"),
    "a bad variable": (
        {"query": "subscription($n: Int!) { counting(upTo: $n) }", "variables": {"n": "x"}},
        "BAD_USER_INPUT",
    ),
    "a scope that is missing": ({"query": "subscription { secrets }"}, "FORBIDDEN"),
    "a place that is gone": ({"query": "subscription { gone }"}, "CURSOR_EXPIRED"),
    "no query": ({}, "BAD_REQUEST"),
    "a payload that is a list": ([], "BAD_REQUEST"),
    "variables that are a number": ({"query": "{ hello }", "variables": 1}, "BAD_REQUEST"),
    "an operation that is not there": ({"query": "query A { hello }", "operationName": "B"}, "BAD_REQUEST"),
}


@pytest.mark.parametrize(("payload", "code"), BAD_OPERATIONS.values(), ids=BAD_OPERATIONS.keys())
async def test_an_operation_that_fails_leaves_the_others_alone(edge: Edge, payload: Any, code: str) -> None:
    async with edge.socket() as socket:
        await say(socket, "subscribe", "good", "subscription { ticks { number } }")
        await listeners(1)
        await socket.send(json.dumps({"type": "subscribe", "id": "bad", "payload": payload}))
        answer = await hear(socket)
        assert (answer["type"], answer["id"]) == ("error", "bad")
        assert answer["payload"][0]["extensions"]["code"] == code
        assert answer["payload"][0]["extensions"]["requestId"]
        tick(1)
        assert (await hear(socket))["id"] == "good"
    await listeners(0)


BAD_MESSAGES = {
    "a list": "[]",
    "a number": "42",
    "null": "null",
    "no JSON": "{",
    "deep lists": "[" * 50_000 + "]" * 50_000,
    "no type": "{}",
    "a type that is a list": '{"type": []}',
    "an unknown type": '{"type": "start", "id": "1"}',
    "an object as id": '{"type": "subscribe", "id": {"a": 1}, "payload": {"query": "{ hello }"}}',
    "a number as id": '{"type": "complete", "id": 1}',
    "no id": '{"type": "subscribe", "payload": {"query": "{ hello }"}}',
    "an id without end": json.dumps({"type": "complete", "id": "x" * 1_000}),
    "a list as payload": '{"type": "ping", "payload": []}',
    "a number of 10,000 digits": '{"type": "ping", "payload": {"n": ' + "9" * 10_000 + "}}",
}


@pytest.mark.parametrize("text", BAD_MESSAGES.values(), ids=BAD_MESSAGES.keys())
async def test_a_message_that_is_none_closes_with_4400_and_says_why(edge: Edge, text: str) -> None:
    async with edge.socket() as socket:
        await socket.send(text)
        code, reason = await closed(socket)
        assert code == 4400
        assert reason


async def test_bytes_and_huge_messages_close_the_socket(edge: Edge) -> None:
    async with edge.socket() as socket:
        await socket.send(b"{}")
        assert (await closed(socket))[0] == 4400
    async with edge.socket() as socket:
        await socket.send("x" * 300_000)
        assert (await closed(socket))[0] == 1009


@pytest.mark.parametrize(
    "payload",
    [None, {}, {"authorization": "Bearer nobody"}, {"authorization": 7}, {"token": ""}, {"authorization": "Basic x"}],
)
async def test_a_socket_without_a_good_credential_is_closed_with_4401(edge: Edge, payload: Any) -> None:
    async with edge.socket(None) as socket:
        await socket.send(json.dumps({"type": "connection_init", "payload": payload}))
        assert (await closed(socket))[0] == 4401


async def test_nothing_runs_before_connection_init(edge: Edge) -> None:
    async with edge.socket(None) as socket:
        await say(socket, "ping")
        assert await hear(socket) == {"type": "pong"}
        await say(socket, "subscribe", "1", "{ hello }")
        assert (await closed(socket))[0] == 4401


async def test_one_connection_init_is_enough_and_must_come_in_time(edge: Edge) -> None:
    async with edge.socket() as socket:
        await socket.send(json.dumps({"type": "connection_init"}))
        assert (await closed(socket))[0] == 4429
    async with running(socket_init_seconds=0.2) as hasty, hasty.socket(None) as socket:
        assert (await closed(socket))[0] == 4408


async def test_a_token_may_come_alone_in_connection_init(edge: Edge) -> None:
    async with edge.socket(None) as socket:
        await socket.send(json.dumps({"type": "connection_init", "payload": {"token": edge.token()}}))
        assert await hear(socket) == {"type": "connection_ack"}


async def test_an_id_in_use_closes_with_4409(edge: Edge) -> None:
    async with edge.socket() as socket:
        for _ in range(2):
            await say(socket, "subscribe", "1", "subscription { ticks { number } }")
        assert await closed(socket) == (4409, "Subscriber for 1 already exists")


@pytest.mark.parametrize("subprotocols", [None, ["graphql-ws"]])
async def test_no_other_protocol_is_spoken(edge: Edge, subprotocols: Any) -> None:
    async with edge.socket(None, subprotocols=subprotocols) as socket:
        assert (await closed(socket))[0] == 4406


async def test_pages_of_other_origins_may_not_open_a_socket_unless_allowed(edge: Edge) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with edge.socket(origin="https://evil.example"):
            pass
    assert refused.value.response.status_code == 403
    async with edge.socket(origin=edge.url):
        pass
    async with (
        running(cors_origins=["https://app.example"]) as open_edge,
        open_edge.socket(origin="https://app.example"),
    ):
        pass


async def test_a_path_without_sockets_refuses_the_handshake(edge: Edge) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with connect(f"ws://127.0.0.1:{edge.port}/elsewhere", proxy=None):
            pass
    assert refused.value.response.status_code == 403


async def test_a_thousand_subscriptions_on_one_socket_are_refused_one_by_one() -> None:
    async with running(caller={"operations_per_socket": 50}) as edge, edge.socket() as socket:
        for number in range(1_000):
            await say(socket, "subscribe", str(number), "subscription { ticks { number } }")
        errors = [await hear(socket) for _ in range(950)]
        assert {error["type"] for error in errors} == {"error"}
        assert errors[0]["payload"][0]["extensions"]["code"] == "RATE_LIMITED"
        assert len(TICKS) == 50
        began = time.perf_counter()
        assert (await edge.post("{ hello }")).status_code == 200
        assert time.perf_counter() - began < 2
    await listeners(0)


async def test_a_token_holds_so_many_sockets_and_no_more() -> None:
    async with running(caller={"sockets": 2}) as edge:
        token = edge.token()
        async with edge.socket(token), edge.socket(token):
            async with edge.socket(None) as third:
                await third.send(json.dumps({"type": "connection_init", "payload": {"token": token}}))
                assert (await closed(third))[0] == 4429
            async with edge.socket():
                pass
        await asyncio.sleep(0.1)
        async with edge.socket(token):
            pass


@pytest.mark.parametrize(("lowered", "code"), [(None, 4401), ((Scope.CLIENTS_READ,), 4403)])
async def test_a_token_revoked_or_lowered_gets_no_further_event_and_is_closed(
    edge: Edge, lowered: Any, code: int
) -> None:
    token = edge.token()
    async with edge.socket(token) as socket:
        await say(socket, "subscribe", "1", "subscription { ticks { number } }")
        await listeners(1)
        if lowered is None:
            del edge.tokens[token]
        else:
            edge.lower(token, *lowered)
        tick(99)
        with pytest.raises(ConnectionClosed):
            await hear(socket)
        assert socket.close_code == code


async def test_a_revoked_token_closes_an_idle_socket_within_seconds(edge: Edge) -> None:
    token = edge.token()
    async with edge.socket(token) as socket:
        del edge.tokens[token]
        assert (await closed(socket))[0] == 4401


async def test_the_same_question_with_the_same_rights_is_answered_once_for_all(edge: Edge) -> None:
    token, other = edge.token(), edge.token()
    async with edge.socket(token) as one, edge.socket(token) as two, edge.socket(other) as third:
        for socket in (one, two, third):
            for id_ in ("a", "b"):
                await say(socket, "subscribe", id_, "subscription { ticks { number } }")
        await listeners(6)
        ANSWERED.clear()
        tick(5)
        for socket in (one, two, third):
            answers = [await hear(socket) for _ in range(2)]
            assert {answer["id"] for answer in answers} == {"a", "b"}
            assert all(answer["payload"]["data"] == {"ticks": {"number": 5}} for answer in answers)
        assert ANSWERED == [5, 5], "once for each token"
    await listeners(0)


async def test_a_reader_that_does_not_read_is_closed_and_told_its_place() -> None:
    async with running(slow_reader_seconds=0.5) as edge:
        async with edge.socket(max_queue=1, close_timeout=0.2) as socket:
            await say(socket, "subscribe", "1", "subscription { ticks { number filling(kilobytes: 512) } }")
            await listeners(1)
            for number in range(40):
                tick(number)
            await listeners(0)
            began = time.perf_counter()
            assert (await edge.post("{ hello }")).status_code == 200
            assert time.perf_counter() - began < 2
            code, reason = await closed(socket)
        assert (code, reason.rpartition("-")[0]) == (4409, "Too slow; go on after cursor")


async def test_a_slow_subscriber_holds_up_nobody_else() -> None:
    async with (
        running(slow_reader_seconds=2) as edge,
        edge.socket(max_queue=1, close_timeout=0.2) as slow,
        edge.socket() as quick,
    ):
        await say(slow, "subscribe", "1", "subscription { ticks { number filling(kilobytes: 256) } }")
        await say(quick, "subscribe", "1", "subscription { ticks { number } }")
        await listeners(2)
        for number in range(60):
            tick(number)
        heard = [(await hear(quick))["payload"]["data"]["ticks"]["number"] for _ in range(60)]
        assert heard == list(range(60))


async def test_two_hundred_sockets_cut_at_once_leave_nothing_behind() -> None:
    async with running(caller={"sockets": 500}) as edge, AsyncExitStack() as stack:
        token = edge.token()
        sockets = [await stack.enter_async_context(edge.socket(token)) for _ in range(200)]
        for socket in sockets:
            await say(socket, "subscribe", "1", "subscription { ticks { number } }")
        await listeners(200)
        for socket in sockets:
            socket.transport.abort()
        await listeners(0)
        assert (await edge.post("{ hello }")).status_code == 200
