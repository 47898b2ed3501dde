"""Streams: server-sent events by graphql-sse, for those who ask for nothing else."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest

from tests.support.edge import TICKS, Edge, running, tick, until


@pytest.fixture(scope="module")
async def edge() -> AsyncIterator[Edge]:
    async with running(recheck_seconds=0.2) as edge:
        yield edge


@asynccontextmanager
async def stream(
    edge: Edge, query: str, token: str = "", accept: str = "text/event-stream"
) -> AsyncIterator[httpx2.Response]:
    headers = {"authorization": f"Bearer {token or edge.token()}", "accept": accept}
    async with (
        httpx2.AsyncClient(trust_env=False, timeout=10) as client,
        client.stream("POST", f"{edge.url}/graphql", json={"query": query}, headers=headers) as response,
    ):
        yield response


async def events(response: httpx2.Response) -> AsyncIterator[tuple[str, Any]]:
    name = ""
    async for line in response.aiter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data:"):
            data = line.removeprefix("data:").strip()
            yield name, json.loads(data) if data else None


async def until_listening(count: int = 1) -> None:
    await until(lambda: len(TICKS) == count)


async def test_a_subscription_streams_until_it_is_complete(edge: Edge) -> None:
    async with stream(edge, "subscription { counting(upTo: 2) }") as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        assert [event async for event in events(response)] == [
            ("next", {"data": {"counting": 0}}),
            ("next", {"data": {"counting": 1}}),
            ("complete", None),
        ]


async def test_a_query_may_be_streamed_too(edge: Edge) -> None:
    async with stream(edge, "{ hello }") as response:
        (name, body), last = [event async for event in events(response)]
    assert (name, body["data"], last) == ("next", {"hello": "Hello, world!"}, ("complete", None))


async def test_a_client_that_names_json_beside_streams_gets_json(edge: Edge) -> None:
    json_types = "application/graphql-response+json, application/graphql+json, application/json"
    accept = f"{json_types}, text/event-stream, multipart/mixed"
    async with stream(edge, "{ hello }", accept=accept) as response:
        assert response.headers["content-type"].startswith("application/graphql-response+json")
    async with stream(
        edge, "subscription { counting(upTo: 1) }", accept="text/event-stream, multipart/mixed"
    ) as response:
        assert response.headers["content-type"].startswith("text/event-stream")


async def test_events_arrive_as_they_happen_and_leaving_frees_the_subscription(edge: Edge) -> None:
    async with stream(edge, "subscription { ticks { number } }") as response:
        await until_listening()
        coming = events(response)
        for number in (1, 2):
            tick(number)
            assert await anext(coming) == ("next", {"data": {"ticks": {"number": number}}})
    await until_listening(0)


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("subscription { ", 400, "GRAPHQL_PARSE_FAILED"),
        ("subscription { nothing }", 422, "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { secrets }", 400, "FORBIDDEN"),
    ],
)
async def test_what_cannot_be_streamed_is_refused_as_usual(edge: Edge, query: str, status: int, code: str) -> None:
    async with stream(edge, query) as response:
        body = json.loads(await response.aread())
        assert (response.status_code, body["errors"][0]["extensions"]["code"]) == (status, code)


async def test_a_stream_that_fails_says_so_and_completes(edge: Edge) -> None:
    async with stream(edge, "subscription { gone }") as response:
        (name, body), last = [event async for event in events(response)]
    assert (name, last) == ("next", ("complete", None))
    assert body["errors"][0]["extensions"]["code"] == "CURSOR_EXPIRED"
    assert body["errors"][0]["extensions"]["oldest"] == "cursor-9"


async def test_a_revoked_token_ends_the_stream_with_a_code(edge: Edge) -> None:
    token = edge.token()
    async with stream(edge, "subscription { ticks { number } }", token) as response:
        await until_listening()
        del edge.tokens[token]
        tick(1)
        (name, body), last = [event async for event in events(response)]
    assert (name, last) == ("next", ("complete", None))
    assert body["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert "data" not in body


async def test_a_token_holds_so_many_streams_and_no_more() -> None:
    async with running(caller={"streams": 1}) as edge:
        token = edge.token()
        query = "subscription { ticks { number } }"
        async with stream(edge, query, token), stream(edge, query, token) as second:
            assert second.status_code == 429
            assert second.headers["retry-after"]
        await until_listening(0)
        async with stream(edge, query, token) as again:
            assert again.status_code == 200
