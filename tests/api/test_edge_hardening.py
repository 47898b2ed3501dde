"""Hardening: headers, deadlines, logs, probes, and an end that leaves nobody hanging."""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator

import httpx2
import pytest
import structlog
from graphql import GraphQLError
from structlog.testing import capture_logs
from websockets.exceptions import ConnectionClosed

from api import logs
from api.errors import Code, present
from db.errors import (
    DatabaseUnavailableError,
    LockTimeoutError,
    RetryableError,
    StatementFailedError,
    StatementTimeoutError,
)
from db.session import Database
from domain.errors import ForbiddenError, UnauthenticatedError
from domain.ids import MalformedIdError
from tests.support.edge import TICKS, Edge, running, tick, until
from workflows.context import Context


@pytest.fixture(scope="module")
async def edge() -> AsyncIterator[Edge]:
    async with running() as edge:
        yield edge


async def raw(edge: Edge, sent: bytes, seconds: float = 5) -> bytes:
    """Send bytes as they are, and return all that comes back until the line is cut."""
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)
    try:
        writer.write(sent)
        async with asyncio.timeout(seconds):
            return await reader.read()
    finally:
        writer.close()


async def test_every_answer_carries_the_headers_that_browsers_heed(edge: Edge) -> None:
    for path in ("/graphql", "/health/live", "/nowhere"):
        headers = (await edge.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert headers["cache-control"] == "no-store"
        assert "server" not in headers
        assert "strict-transport-security" not in headers
    secure = await edge.get("/health/live", x_forwarded_proto="https")
    assert secure.headers["strict-transport-security"].startswith("max-age=")


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "<script>", 'a"}{"level":"error'])
async def test_a_request_id_that_could_spoil_a_log_is_replaced(edge: Edge, given: str) -> None:
    response = await edge.get("/health/live", x_request_id=given)
    assert len(response.headers["x-request-id"]) == 32


async def test_other_origins_may_call_only_where_the_setting_says(edge: Edge) -> None:
    response = await edge.post("{ hello }", origin="https://app.example")
    assert "access-control-allow-origin" not in response.headers
    async with running(cors_origins=["https://app.example"]) as open_edge:
        response = await open_edge.post("{ hello }", origin="https://app.example")
        assert response.headers["access-control-allow-origin"] == "https://app.example"
        assert "x-request-id" in response.headers["access-control-expose-headers"]
        response = await open_edge.post("{ hello }", origin="https://evil.example")
        assert "access-control-allow-origin" not in response.headers


async def test_a_head_or_body_that_dawdles_is_cut_off() -> None:
    async with running(header_seconds=0.3, body_seconds=0.3) as edge:
        assert b"408" in await raw(edge, b"POST /graphql HTTP/1.1\r\nhost: x\r\nx-slow: ")
        token = edge.token()
        head = f"POST /graphql HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\nconnection: close\r\n"
        answer = await raw(edge, f"{head}content-type: application/json\r\ncontent-length: 100\r\n\r\n{{".encode())
        assert answer.startswith(b"HTTP/1.1 408")
        assert (await edge.post("{ hello }")).status_code == 200


async def test_a_second_request_on_a_line_has_its_own_deadline() -> None:
    async with running(header_seconds=0.3) as edge:
        answer = await raw(edge, b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\nGET /health/live HTTP/1.1\r\nx-slow: ")
        assert answer.count(b"HTTP/1.1 200") == 1
        assert b"HTTP/1.1 408" in answer


async def test_a_head_without_end_is_refused(edge: Edge) -> None:
    lines = b"".join(b"x-%d: %s\r\n" % (number, b"y" * 1000) for number in range(60))
    assert b"HTTP/1.1 431" in await raw(edge, b"GET /health/live HTTP/1.1\r\nhost: x\r\n" + lines)


async def test_a_reader_that_leaves_its_answer_unread_is_cut_off() -> None:
    async with running(slow_reader_seconds=0.3) as edge:
        token = edge.token()
        body = json.dumps({"query": "subscription { ticks { filling(kilobytes: 900) } }"})
        reader, writer = await asyncio.open_connection("127.0.0.1", edge.port, limit=1024)
        head = (
            f"POST /graphql HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\naccept: text/event-stream\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n{body}"
        )
        writer.write(head.encode())
        await reader.readline()
        await until(lambda: len(TICKS) == 1)
        for number in range(30):
            tick(number)
        await until(lambda: len(TICKS) == 0)
        writer.close()


async def test_an_abrupt_end_leaves_the_server_well(edge: Edge) -> None:
    for sent in (b"\x00\x01\x02", b"GET / HTTP/9.9\r\n\r\n", b"POST /graphql HTTP/1.1\r\ncontent-length: -1\r\n\r\n"):
        assert b"400" in await raw(edge, sent)
    assert (await edge.get("/health/live")).json() == {"status": "live"}


async def test_each_request_leaves_one_line_without_its_text(edge: Edge) -> None:
    with capture_logs() as lines:
        await edge.post('query Greeting { hello(name: "confidential") }')
        await edge.post('{ helo(name: "confidential") }')
        await edge.post("{ things(first: -1) { nodes { name } } }")
        await edge.post(b"[1, 2")
    assert [line["event"] for line in lines] == ["request"] * 4
    assert lines[0]["operation"] == "Greeting"
    assert {"kind": "query", "cost": 1, "status": 200}.items() <= lines[0].items()
    assert [line.get("codes") for line in lines[1:]] == [
        ["GRAPHQL_VALIDATION_FAILED"],
        ["BAD_USER_INPUT"],
        ["BAD_REQUEST"],
    ]
    assert "confidential" not in str(lines)


async def test_our_own_fault_leaves_its_trace_in_the_log_under_the_request_id(edge: Edge) -> None:
    with capture_logs() as lines:
        response = await edge.post("{ broken }")
    trace = next(line for line in lines if line["event"] == "internal error")
    assert trace["request_id"] == response.headers["x-request-id"]
    assert "wages" in str(trace["exc_info"])


def test_a_log_line_is_json_and_a_trace_shows_no_values(capfd: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    before = (list(root.handlers), root.level)
    try:
        logs.configure("json", "INFO")
        secret = "token-in-a-local-variable"
        try:
            int(secret[:1])
        except ValueError:
            structlog.get_logger("api").exception("internal error", request_id='"}\n{"level": "forged')
        logging.getLogger("uvicorn.error").warning("from a library")
        lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    finally:
        root.handlers, root.level = before[0], before[1]
        structlog.reset_defaults()
    assert [line["level"] for line in lines] == ["error", "warning"]
    assert lines[0]["exception"][0]["exc_type"] == "ValueError"
    assert secret not in json.dumps(lines)


async def test_figures_are_served_where_the_setting_says_and_to_whom(edge: Edge) -> None:
    assert (await edge.get("/metrics")).status_code == 404
    async with running(metrics=True, metrics_token="figures") as counted:
        await counted.post("{ hello }")
        assert (await counted.get("/metrics")).status_code == 401
        response = await counted.get("/metrics", authorization="Bearer figures")
        assert 'steadystate_http_requests_total{path="/graphql",status="200"}' in response.text
        assert "steadystate_sockets" in response.text


async def test_ready_is_said_only_of_a_migrated_database_that_answers(edge: Edge, database: Database) -> None:
    response = await edge.get("/health/ready")
    assert (response.status_code, response.json()["status"]) == (503, "not ready")
    async with running(Context(database)) as ready:
        response = await ready.get("/health/ready")
        assert response.json() == {"status": "ready"}


async def test_no_debug_route_and_no_documentation_route_answers(edge: Edge) -> None:
    for path in ("/docs", "/openapi.json", "/debug", "/graphql/", "/.env", "/graphiql/files/../app.py"):
        assert (await edge.get(path)).status_code in (404, 307), path


async def test_an_open_stream_does_not_hold_the_stop() -> None:
    async with running(shutdown_seconds=10) as edge:
        headers = {"authorization": f"Bearer {edge.token()}", "accept": "text/event-stream"}
        async with (
            httpx2.AsyncClient(trust_env=False, timeout=10) as client,
            client.stream(
                "POST", f"{edge.url}/graphql", json={"query": "subscription { ticks { number } }"}, headers=headers
            ) as response,
        ):
            await until(lambda: len(TICKS) == 1)
            began = time.perf_counter()
            edge.server.stop()
            text = "".join([part async for part in response.aiter_text()])
        assert "complete" not in text, "the client is to connect again"
        await until(lambda: not edge.server.server_state.tasks)
        assert time.perf_counter() - began < 3


async def test_more_connections_than_allowed_are_told_to_come_later() -> None:
    async with running(connections=3) as edge:
        held = [await asyncio.open_connection("127.0.0.1", edge.port) for _ in range(3)]
        await asyncio.sleep(0.1)
        assert (await edge.get("/health/live")).status_code == 503
        for _, writer in held:
            writer.close()
            await writer.wait_closed()
        await asyncio.sleep(0.1)
        assert (await edge.get("/health/live")).status_code == 200


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (StatementTimeoutError("canceling statement due to statement timeout"), Code.DEADLINE_EXCEEDED),
        (TimeoutError(), Code.DEADLINE_EXCEEDED),
        (DatabaseUnavailableError("10.0.0.7"), Code.SERVICE_UNAVAILABLE),
        (LockTimeoutError("relation wages"), Code.SERVICE_UNAVAILABLE),
        (RetryableError("deadlock"), Code.SERVICE_UNAVAILABLE),
        (ForbiddenError("This takes the scope X."), Code.FORBIDDEN),
        (UnauthenticatedError("No."), Code.UNAUTHENTICATED),
        (MalformedIdError("'x' is no client id"), Code.BAD_USER_INPUT),
        (StatementFailedError("column salary does not exist"), Code.INTERNAL_SERVER_ERROR),
        (KeyError("salary"), Code.INTERNAL_SERVER_ERROR),
    ],
)
def test_every_error_has_a_code_and_shows_no_internals(error: Exception, code: Code) -> None:
    shown = present(GraphQLError(str(error), original_error=error), "req-1")
    assert shown["extensions"] == {"code": code.value, "requestId": "req-1"}
    for internal in ("salary", "wages", "10.0.0.7", "canceling"):
        assert internal not in shown["message"]


async def test_stopping_answers_what_is_under_way_and_closes_sockets_with_1012() -> None:
    async with running(shutdown_seconds=5) as edge:
        async with edge.socket() as socket:
            await socket.send(
                json.dumps({"type": "subscribe", "id": "1", "payload": {"query": "subscription { ticks { number } }"}})
            )
            under_way = asyncio.ensure_future(edge.post("{ slow(seconds: 1) }"))
            await asyncio.sleep(0.3)
            began = time.perf_counter()
            edge.server.should_exit = True
            with pytest.raises(ConnectionClosed):
                await asyncio.wait_for(socket.recv(), 3)
            assert socket.close_code == 1012
            response = await under_way
            assert response.json()["data"] == {"slow": "done"}
        await until(lambda: not edge.server.server_state.tasks)
        assert time.perf_counter() - began < 3
