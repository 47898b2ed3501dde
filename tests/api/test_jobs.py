"""Imports over real HTTP: started by GraphQL, sent by PUT, followed live, and their bad lines fetched."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from api.schema import product
from db.session import Database
from domain.access import Role, Scope
from domain.ids import IdKind
from domain.tokens import TokenKind
from tests.support.clock import WallClock
from tests.support.edge import Edge, running
from tests.support.events import serving
from tests.support.jobs import tickets_of, worked
from tests.support.providers import Provider, new_provider, sent, shown
from tests.support.schema_walk import nobodys
from workflows import tokens
from workflows.access import authenticate
from workflows.context import Context
from workflows.tokens import CreateToken

MAPPING = {"system": "DESK", "columns": {"external_id": "id", "logged_at": "t", "client": "who"}}
START = """mutation ($input: ImportStartInput!) { importStart(input: $input) {
    uploadUrl eventId errors { code path message }
    job { id kind status unit uploadUrl errorsUrl resultUrl fileName requestedByKind dryRun } } }"""
SEEN = """query ($id: ID!) { job(id: $id) {
    status done total errorCount failure errorsUrl resultUrl uploadUrl version counts { what number }
    errors(first: 2) { totalCount pageInfo { hasNextPage endCursor } nodes { line column value reason } } } }"""
CANCEL = "mutation ($input: JobCancelInput!) { jobCancel(input: $input) { job { status } errors { code message } } }"
FOLLOW = """subscription ($id: ID!, $after: Cursor) { jobUpdated(jobId: $id, after: $after) {
    jobId cursor event { type } job { status done total } } }"""


@pytest.fixture
async def edge(provider: Provider) -> AsyncIterator[Edge]:
    limits = {"upload_bytes": 3_000_000, "body_seconds": 1.0}
    async with running(provider.context, product(), authenticated_by=authenticate, **limits) as edge:
        yield edge


async def ask(edge: Edge, token: str, text: str, **variables: Any) -> dict[str, Any]:
    body = (await edge.post({"query": text, "variables": variables}, token)).json()
    assert "errors" not in body, body["errors"]
    data: dict[str, Any] = body["data"]
    return data


async def begun(edge: Edge, token: str, **more: Any) -> dict[str, Any]:
    given = {"kind": "TICKETS", "format": "JSONL", "mapping": MAPPING, "idempotencyKey": uuid4().hex, **more}
    payload: dict[str, Any] = (await ask(edge, token, START, input=given))["importStart"]
    return payload


async def put(edge: Edge, token: str | None, path: str, content: Any, **headers: str) -> httpx2.Response:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    if token is not None:
        given["authorization"] = f"Bearer {token}"
    async with httpx2.AsyncClient(trust_env=False, timeout=30) as client:
        return await client.put(edge.url + path, content=content, headers=given)


async def pieces(content: bytes, size: int = 100_000) -> AsyncIterator[bytes]:
    for at in range(0, len(content), size):
        yield content[at : at + size]


async def test_a_file_is_started_sent_worked_on_and_its_bad_lines_are_paged_and_fetched(
    edge: Edge, provider: Provider
) -> None:
    token = provider.admin_token
    start = await begun(edge, token, fileName="tickets.jsonl")
    job = start["job"]
    assert start["errors"] == []
    assert start["uploadUrl"] == job["uploadUrl"] == f"/uploads/{job['id']}"
    assert (job["kind"], job["status"], job["unit"]) == ("TICKET_IMPORT", "UPLOADING", "BYTES")
    bad = b'{"id": "=cmd()", "t": "=1+1"}\n' + b"\n".join(b'{"id": %d, "t": "x"}' % n for n in range(3)) + b"\n"
    content = bad + tickets_of(20_000)
    answer = await put(edge, token, start["uploadUrl"], pieces(content))
    assert (answer.status_code, answer.json()) == (
        202,
        {"job": job["id"], "status": "QUEUED", "bytes": len(content)},
    )
    await worked(provider)
    done = (await ask(edge, token, SEEN, id=job["id"]))["job"]
    assert (done["status"], done["done"], done["total"]) == ("DONE", len(content), len(content))
    assert done["counts"] == [{"what": "CREATED", "number": 20_000}]
    assert (done["errorCount"], done["errors"]["totalCount"], done["uploadUrl"]) == (4, 4, None)
    page = done["errors"]
    assert [one["line"] for one in page["nodes"]] == [1, 2]
    assert page["pageInfo"]["hasNextPage"]
    after = page["pageInfo"]["endCursor"]
    rest = await ask(
        edge,
        token,
        "query ($id: ID!, $after: Cursor) { node(id: $id) { ... on Job {"
        " errors(first: 100, after: $after) { nodes { line column value } } } } }",
        id=job["id"],
        after=after,
    )
    assert [tuple(one.values()) for one in rest["node"]["errors"]["nodes"]] == [(3, "t", "x"), (4, "t", "x")]
    lines = (await edge.get(done["errorsUrl"], authorization=f"Bearer {token}")).text.splitlines()
    assert (len(lines), lines[0]) == (5, "line,column,value,reason")
    assert lines[1].startswith("1,t,'=1+1,")
    objects = await edge.get(f"{done['errorsUrl']}?format=jsonl", authorization=f"Bearer {token}")
    assert [json.loads(line)["line"] for line in objects.text.splitlines()] == [1, 2, 3, 4]
    listed = await ask(edge, token, "{ jobs(first: 5, where: {statuses: [DONE]}) { totalCount nodes { id } } }")
    assert listed["jobs"] == {"totalCount": 1, "nodes": [{"id": job["id"]}]}


async def test_a_dry_run_of_clients_tells_what_becomes_of_every_row(edge: Edge, provider: Provider) -> None:
    token = provider.admin_token
    start = await begun(edge, token, kind="CLIENTS", format="CSV", mapping=None, dryRun=True)
    assert start["job"]["dryRun"]
    packed = gzip.compress(b"name,lead_email,stage\nAcme,,\nBolt,,\n")
    assert (await put(edge, token, start["uploadUrl"], packed, content_encoding="gzip")).status_code == 202
    await worked(provider)
    done = (await ask(edge, token, SEEN, id=start["job"]["id"]))["job"]
    assert (done["status"], done["counts"]) == ("DONE", [{"what": "CREATED", "number": 2}])
    rows = (await edge.get(done["resultUrl"], authorization=f"Bearer {token}")).text.splitlines()
    assert [(json.loads(row)["line"], json.loads(row)["status"]) for row in rows] == [(2, "CREATED"), (3, "CREATED")]
    assert (await ask(edge, token, "{ clients(first: 5) { nodes { name } } }"))["clients"]["nodes"] == []


async def test_what_cannot_be_taken_is_refused_with_what_to_do(edge: Edge, provider: Provider) -> None:
    token = provider.admin_token
    path = (await begun(edge, token))["uploadUrl"]
    nobody = f"/uploads/{nobodys(IdKind.JOB)}"
    cases: list[tuple[str | None, str, Any, dict[str, str], int, str]] = [
        (None, path, b"x", {}, 401, "No credential"),
        ("ss_pat_wrong", path, b"x", {}, 401, "unknown, expired or revoked"),
        (token, nobody, b"x", {}, 404, "No job with this id"),
        (token, "/uploads/job_1", b"x", {}, 404, "No job with this id"),
        (token, "/uploads/cli_1", b"x", {}, 404, "No job with this id"),
        (token, path, b"", {}, 400, "body is empty"),
        (token, path, b"x" * 3_000_001, {}, 413, "larger than 3000000 bytes"),
        (token, path, pieces(b"x" * 3_000_001), {}, 413, "larger than 3000000 bytes"),
        (token, path, b"x", {"content_encoding": "br"}, 415, "plain or as gzip"),
        (token, path, b"x", {"content_range": "bytes 0-0/2"}, 400, "whole file"),
    ]
    for who, where, content, headers, status, words in cases:
        answer = await put(edge, who, where, content, **headers)
        (error,) = answer.json()["errors"]
        assert (answer.status_code, words in error["message"]) == (status, True), error
        assert error["extensions"]["requestId"] == answer.headers["x-request-id"]
    assert (await edge.get(path, authorization=f"Bearer {token}")).status_code == 405
    whole = await put(edge, token, path, tickets_of(2))
    assert whole.status_code == 202
    await worked(provider)
    late = await put(edge, token, path, tickets_of(2))
    assert (late.status_code, "it is DONE" in late.text) == (409, True)
    asked = await edge.get(f"/jobs/{path.rpartition('/')[2]}/errors?format=xml", authorization=f"Bearer {token}")
    assert (asked.status_code, "none of csv, jsonl" in asked.text) == (400, True)


async def test_another_providers_job_is_as_one_that_nobody_has(edge: Edge, provider: Provider) -> None:
    other = await new_provider(provider.context.database, provider.clock)
    job = (await begun(edge, other.admin_token))["job"]["id"]
    answers = []
    for id_ in (job, nobodys(IdKind.JOB)):
        got = [await put(edge, provider.admin_token, f"/uploads/{id_}", b"x")]
        bearer = f"Bearer {provider.admin_token}"
        got += [await edge.get(f"/jobs/{id_}/{what}", authorization=bearer) for what in ("errors", "result")]
        told: list[Any] = [(one.status_code, one.json()["errors"][0]["message"]) for one in got]
        told.append((await ask(edge, provider.admin_token, SEEN, id=id_))["job"])
        given = {"jobId": id_, "idempotencyKey": uuid4().hex}
        told.append(await ask(edge, provider.admin_token, CANCEL, input=given))
        answers.append(told)
    assert answers[0] == answers[1]
    assert [status for status, _ in answers[0][:3]] == [404] * 3


async def test_one_who_may_only_read_sees_the_job_and_sends_nothing(edge: Edge, provider: Provider) -> None:
    viewer = await provider.token_of((await provider.invited(Role.VIEWER)).id)
    job = (await begun(edge, provider.admin_token))["job"]["id"]
    assert (await ask(edge, viewer, SEEN, id=job))["job"]["status"] == "UPLOADING"
    refused = await put(edge, viewer, f"/uploads/{job}", b"x")
    assert (refused.status_code, refused.json()["errors"][0]["extensions"]["code"]) == (403, "FORBIDDEN")
    assert "TICKETS_WRITE" in refused.text


async def test_an_upload_that_is_cut_off_or_falls_silent_leaves_the_job_waiting(edge: Edge, provider: Provider) -> None:
    token = provider.admin_token
    start = await begun(edge, token)
    lines = ("host: x", f"authorization: Bearer {token}", "content-length: 2000000", "", "")
    head = "\r\n".join((f"PUT {start['uploadUrl']} HTTP/1.1", *lines))
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)
    writer.write(head.encode() + b"x" * 1_500_000)
    await writer.drain()
    writer.close()
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)
    writer.write(head.encode() + b"x")
    await writer.drain()
    silent = await reader.read()
    assert silent.startswith(b"HTTP/1.1 408")
    assert b"Nothing came for 1 seconds" in silent
    writer.close()
    waiting = (await ask(edge, token, SEEN, id=start["job"]["id"]))["job"]
    assert (waiting["status"], waiting["uploadUrl"]) == ("UPLOADING", start["uploadUrl"])
    assert (await put(edge, token, start["uploadUrl"], tickets_of(1))).status_code == 202


async def test_starting_again_under_the_same_key_gives_the_same_job(edge: Edge, provider: Provider) -> None:
    first = await begun(edge, provider.admin_token, idempotencyKey="once")
    again = await begun(edge, provider.admin_token, idempotencyKey="once")
    assert first["job"]["id"] == again["job"]["id"]
    other = await begun(edge, provider.admin_token, idempotencyKey="once", fileName="another")
    assert [error["code"] for error in other["errors"]] == ["IDEMPOTENCY_MISMATCH"]


async def test_a_program_that_may_bring_in_clients_alone_starts_those_and_no_tickets(
    edge: Edge, provider: Provider
) -> None:
    wanted = CreateToken(TokenKind.SERVICE, "clients", scopes=(Scope.ONBOARDING_END, Scope.CLIENTS_WRITE))
    program = shown(await tokens.create(provider.context, provider.admin, sent(), wanted))
    assert (await begun(edge, program, kind="CLIENTS", format="JSONL", mapping=None))["errors"] == []
    given = {"kind": "TICKETS", "format": "JSONL", "mapping": MAPPING, "idempotencyKey": "k"}
    refused = (await edge.post({"query": START, "variables": {"input": given}}, program)).json()
    assert [error["extensions"]["code"] for error in refused["errors"]] == ["FORBIDDEN"]


async def test_a_job_is_followed_live_to_its_end_and_a_running_worker_takes_it_up_by_itself(
    database: Database,
) -> None:
    provider = await new_provider(database, WallClock())  # the worker's time is that of day
    async with serving(database) as feed:
        context = Context(database, provider.clock, feed)
        async with running(context, product(), authenticated_by=authenticate) as edge:
            page = await ask(edge, provider.admin_token, "{ events(first: 1) { endCursor } }")
            start = await begun(edge, provider.admin_token)
            async with edge.socket(provider.admin_token) as socket:
                variables = {"id": start["job"]["id"], "after": page["events"]["endCursor"]}
                payload = {"query": FOLLOW, "variables": variables}
                await socket.send(json.dumps({"type": "subscribe", "id": "1", "payload": payload}))
                assert (await put(edge, provider.admin_token, start["uploadUrl"], tickets_of(10))).status_code == 202
                seen: list[str] = []
                async with asyncio.timeout(20):
                    while "DONE" not in seen:
                        pushed = json.loads(await socket.recv())["payload"]["data"]["jobUpdated"]
                        assert pushed["jobId"] == start["job"]["id"]
                        seen.append(pushed["job"]["status"])
    assert seen[-1] == "DONE"
