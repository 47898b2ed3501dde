"""GraphQL over HTTP: what goes in, what comes back, and under which status."""

import asyncio
import hashlib
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from api.settings import Settings
from domain.access import Scope
from tests.support.edge import CREATED, Edge, running


@pytest.fixture(scope="module")
async def edge() -> AsyncIterator[Edge]:
    async with running() as edge:
        yield edge


def code_of(answer: dict[str, object]) -> object:
    return answer["errors"][0]["extensions"]["code"]  # type: ignore[index]


async def test_a_query_is_answered_with_its_cost_and_its_request_id(edge: Edge) -> None:
    response = await edge.post("{ hello requestId }", x_request_id="mine-1")
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/graphql-response+json; charset=utf-8"
    assert response.headers["x-request-id"] == "mine-1"
    assert response.json()["data"] == {"hello": "Hello, world!", "requestId": "mine-1"}
    assert response.json()["extensions"]["cost"]["points"] == 1


@pytest.mark.parametrize(
    ("accept", "status", "media"),
    [
        ("application/json", 200, "application/json"),
        ("application/graphql-response+json, application/json;q=0.9", 422, "application/graphql-response+json"),
        ("application/json, application/graphql-response+json;q=0.5", 200, "application/json"),
        ("*/*", 422, "application/graphql-response+json"),
        (
            "application/graphql-response+json, application/json, text/event-stream, multipart/mixed",
            422,
            "application/graphql-response+json",
        ),
    ],
)
async def test_an_invalid_document_is_422_or_by_the_older_type_200(
    edge: Edge, accept: str, status: int, media: str
) -> None:
    response = await edge.post("{ nothing }", accept=accept)
    assert (response.status_code, response.headers["content-type"].split(";")[0]) == (status, media)
    assert "data" not in response.json()
    assert code_of(response.json()) == "GRAPHQL_VALIDATION_FAILED"
    assert response.json()["errors"][0]["extensions"]["requestId"] == response.headers["x-request-id"]


async def test_what_nobody_can_serve_is_not_acceptable(edge: Edge) -> None:
    response = await edge.post("{ hello }", accept="text/html")
    assert (response.status_code, code_of(response.json())) == (406, "BAD_REQUEST")


async def test_a_syntax_error_is_400_and_carries_no_data(edge: Edge) -> None:
    response = await edge.post("{ hello")
    assert (response.status_code, code_of(response.json())) == (400, "GRAPHQL_PARSE_FAILED")
    assert "data" not in response.json()
    assert response.json()["errors"][0]["locations"]


DEEP = b'{"query":"{hello}","variables":' + b'{"a":' * 20_000 + b"1" + b"}" * 20_001
BODIES = {
    "null": b"null",
    "a number": b"42",
    "a string": b'"query"',
    "true": b"true",
    "nothing": b"",
    "bad UTF-8": b'{"query": "\xff"}',
    "bad UTF-8 alone": b"\xff\xfe",
    "half a surrogate": b'{"query": "\\ud800"}',
    "deep lists": b"[" * 100_000 + b"]" * 100_000,
    "deep variables": DEEP,
    "rather deep variables": b'{"query":"{hello}","variables":{"a":' + b"[" * 100 + b"]" * 100 + b"}}",
    "a number of 10,000 digits": b'{"query": "{ hello }", "variables": {"n": ' + b"9" * 10_000 + b"}}",
    "a batch": b'[{"query": "{ hello }"}]',
    "no query": b"{}",
    "an empty query": b'{"query": " "}',
    "a query that is a list": b'{"query": ["{ hello }"]}',
    "variables that are a list": b'{"query": "{ hello }", "variables": []}',
    "a name that is an object": b'{"query": "{ hello }", "operationName": {}}',
    "extensions that are a number": b'{"query": "{ hello }", "extensions": 1}',
    "NaN": b'{"query": "{ hello }", "variables": {"n": NaN}}',
    "a NUL in a variable": b'{"query": "{ hello }", "variables": {"n": "a\\u0000b"}}',
    "a NUL in the document": json.dumps({"query": '{ hello(name: "a\\u0000b") }'}).encode(),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
async def test_a_body_that_is_no_request_is_400_and_never_500(edge: Edge, body: bytes) -> None:
    response = await edge.post(body)
    assert (response.status_code, code_of(response.json())) == (400, "BAD_REQUEST")
    assert "data" not in response.json()


async def test_a_body_over_the_limit_is_refused_whether_it_says_its_length_or_not(edge: Edge) -> None:
    body = b'{"query": "{ hello }", "variables": {"x": "' + b"x" * 1_048_576 + b'"}}'
    response = await edge.post(body)
    assert (response.status_code, code_of(response.json())) == (413, "BAD_REQUEST")
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)
    head = f"POST /graphql HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {edge.token()}\r\n"
    writer.write(f"{head}content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n".encode())
    for _ in range(20):
        writer.write(b"10000\r\n" + b"x" * 65_536 + b"\r\n")
    assert b" 413 " in await reader.readline()
    writer.close()


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "multipart/form-data", "application/x-www-form-urlencoded", "", "application/json; charset=latin-1"],
)
async def test_only_json_is_taken_since_forms_cross_origins_unasked(edge: Edge, content_type: str) -> None:
    response = await edge.post({"query": "{ hello }"}, content_type=content_type)
    assert response.status_code == 415


async def test_get_runs_nothing_unless_it_is_allowed_and_then_only_queries(edge: Edge) -> None:
    token = f"Bearer {edge.token()}"
    response = await edge.get("/graphql?query=%7Bhello%7D", authorization=token)
    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    async with running(allow_get_queries=True) as open_edge:
        token = f"Bearer {open_edge.token()}"
        query = "/graphql?query=query(%24n%3AString!)%7Bhello(name%3A%24n)%7D&variables=%7B%22n%22%3A%22you%22%7D"
        assert (await open_edge.get(query, authorization=token)).json()["data"] == {"hello": "Hello, you!"}
        mutation = "/graphql?query=mutation%7BthingCreate(input%3A%7Bname%3A%22byget%22%7D)%7Bthing%7Bname%7D%7D%7D"
        assert (await open_edge.get(mutation, authorization=token)).status_code == 405
        assert "byget" not in CREATED
        for bad in ("variables=%7B", "query=%ff", "variables=1&query=%7Bhello%7D", ""):
            assert (await open_edge.get(f"/graphql?{bad}", authorization=token)).status_code == 400


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Basic YTpi", "Bearer unknown", "Bearer " + "x" * 8_193, "Bearer a\tb", "bearer: x"],
)
async def test_without_a_good_credential_everything_is_401(edge: Edge, authorization: str | None) -> None:
    headers = {} if authorization is None else {"authorization": authorization}
    for query in ("{ hello }", "{ __schema { types { name } } }", "{ helo }", "{ syntax"):
        response = await edge.post(query, None, **headers)
        assert (response.status_code, code_of(response.json())) == (401, "UNAUTHENTICATED")
        assert response.headers["www-authenticate"] == "Bearer"
        assert "Did you mean" not in response.text
    response = await edge.get("/schema.graphql", **headers)
    assert response.status_code == 401


async def test_the_schema_is_a_file_for_those_who_are_signed_in(edge: Edge) -> None:
    response = await edge.get("/schema.graphql", authorization=f"Bearer {edge.token()}")
    assert "type Query" in response.text
    assert "@requires(scope: CLIENTS_READ)" in response.text
    assert re.search(r"@mayFail\(\s*codes: \[\s*INVALID,?\s+BUSY", response.text)


async def test_a_missing_scope_is_forbidden_at_the_top_and_the_rest_is_answered(edge: Edge) -> None:
    answer = (await edge.post("{ hello secret }")).json()
    assert answer["data"] == {"hello": "Hello, world!", "secret": None}
    assert code_of(answer) == "FORBIDDEN"
    answer = (await edge.post("{ secret }", edge.token(Scope.TENANT_WRITE))).json()
    assert answer["data"] == {"secret": "a secret"}
    mutation = 'mutation { thingCreate(input: {name: "forbidden"}) { thing { name } } }'
    answer = (await edge.post(mutation, edge.token(Scope.CLIENTS_READ))).json()
    assert code_of(answer) == "FORBIDDEN"
    assert "forbidden" not in CREATED


async def test_refusals_are_data_with_their_facts(edge: Edge) -> None:
    mutation = """mutation { thingCreate(input: {name: "old"}) {
      thing { name } errors { __typename code message path ... on StaleVersion { current } } } }"""
    payload = (await edge.post(mutation)).json()["data"]["thingCreate"]
    assert payload["thing"] is None
    assert [(error["__typename"], error["code"]) for error in payload["errors"]] == [
        ("StaleVersion", "STALE_VERSION"),
        ("PlainError", "INVALID"),
    ]
    assert payload["errors"][0]["current"] == 7


@pytest.mark.parametrize("field", ["broken", "misshapen"])
async def test_our_own_fault_shows_no_internals(edge: Edge, field: str) -> None:
    response = await edge.post(f"{{ hello {field} }}")
    assert response.status_code == 200
    assert response.json()["data"] == {"hello": "Hello, world!", field: None}
    assert code_of(response.json()) == "INTERNAL_SERVER_ERROR"
    assert "wages" not in response.text
    assert "no number" not in response.text
    assert response.headers["x-request-id"] in response.json()["errors"][0]["message"]


async def test_a_database_that_is_away_is_named_by_its_code_and_not_by_its_address(edge: Edge) -> None:
    response = await edge.post("{ away }")
    assert code_of(response.json()) == "SERVICE_UNAVAILABLE"
    assert "10.0.0.7" not in response.text


async def test_bad_arguments_are_the_callers_to_mend(edge: Edge) -> None:
    for query in (
        "{ things(first: -1) { nodes { name } } }",
        "{ things(first: 101) { nodes { name } } }",
        "{ things { nodes { name } } }",
        "{ things(first: 1, last: 1) { nodes { name } } }",
        '{ things(first: 1, after: "nonsense") { nodes { name } } }',
        '{ node(id: "nonsense") { id } }',
        '{ node(id: "cli_zz") { id } }',
    ):
        answer = (await edge.post(query)).json()
        assert code_of(answer) == "BAD_USER_INPUT", query
    wrong = {"query": "query($n: Int!) { things(first: $n) { nodes { name } } }", "variables": {"n": "many"}}
    response = await edge.post(wrong)
    assert (response.status_code, code_of(response.json())) == (400, "BAD_USER_INPUT")
    assert "data" not in response.json()


async def test_an_answer_lists_five_errors_and_counts_the_rest(edge: Edge) -> None:
    query = "{" + " ".join(f"a{number}: broken" for number in range(12)) + "}"
    answer = (await edge.post(query)).json()
    assert len(answer["errors"]) == 5
    assert answer["extensions"]["errorsOmitted"] == 7
    answer = (await edge.post("{" + " ".join(f"nothing{number}" for number in range(200)) + "}")).json()
    assert len(answer["errors"]) == 5


async def test_an_operation_that_takes_too_long_ends_with_a_code() -> None:
    async with running(operation_seconds=0.3) as edge:
        response = await edge.post("{ slow }")
        assert (response.status_code, code_of(response.json())) == (504, "DEADLINE_EXCEEDED")
        assert (await edge.post("{ hello }")).status_code == 200


async def test_a_persisted_query_that_nobody_knows_gets_the_code_that_clients_know(edge: Edge) -> None:
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}
    assert code_of((await edge.post({"extensions": extensions})).json()) == "PERSISTED_QUERY_NOT_FOUND"


async def test_documents_kept_with_the_server_are_run_by_their_hash(tmp_path: Path) -> None:
    text = "query Kept($n: String!) { hello(name: $n) }"
    digest = hashlib.sha256(text.encode()).hexdigest()
    kept = tmp_path / "documents.json"
    kept.write_text(json.dumps({f"sha256:{digest}": text}))
    async with running(trusted_documents=kept, only_trusted_documents=True) as edge:
        apollo = {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": digest}}, "variables": {"n": "you"}}
        for body in (apollo, {"documentId": f"sha256:{digest}", "variables": {"n": "you"}}, {"query": text} | apollo):
            assert (await edge.post(body)).json()["data"] == {"hello": "Hello, you!"}
        response = await edge.post("{ hello }")
        assert (response.status_code, code_of(response.json())) == (400, "BAD_REQUEST")
    kept.write_text(json.dumps({"0" * 64: text}))
    with pytest.raises(ValueError, match="is not the SHA-256 of its document"):
        async with running(trusted_documents=kept):
            pass


async def test_the_operation_is_chosen_by_name(edge: Edge) -> None:
    text = 'query A { hello(name: "a") } query B { hello(name: "b") }'
    assert (await edge.post({"query": text, "operationName": "B"})).json()["data"] == {"hello": "Hello, b!"}
    for name in (None, "C"):
        response = await edge.post({"query": text, "operationName": name})
        assert (response.status_code, code_of(response.json())) == (400, "BAD_REQUEST")


async def test_a_subscription_without_a_stream_says_how_to_get_one(edge: Edge) -> None:
    response = await edge.post("subscription { ticks { number } }")
    assert response.status_code == 400
    assert "text/event-stream" in response.json()["errors"][0]["message"]


def test_settings_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEADYSTATE_DOCUMENT__DEPTH", "7")
    monkeypatch.setenv("STEADYSTATE_PORT", "9000")
    monkeypatch.setenv("STEADYSTATE_CORS_ORIGINS", '["https://app.example"]')
    monkeypatch.setenv("DATABASE_URL", "postgresql://somewhere/else")
    settings = Settings()
    assert (settings.document.depth, settings.port) == (7, 9000)
    assert settings.cors_origins == ["https://app.example"]
    assert settings.database_url == "postgresql://somewhere/else"
