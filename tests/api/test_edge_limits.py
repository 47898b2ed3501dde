"""Limits: a document is measured once and refused by name, and a caller has an allowance."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from graphql import get_introspection_query

from api.rates import Buckets, Rate
from tests.support.edge import Edge, running


@pytest.fixture(scope="module")
async def edge() -> AsyncIterator[Edge]:
    async with running() as edge:
        yield edge


async def refused(edge: Edge, query: str, variables: dict[str, Any] | None = None) -> dict[str, Any]:
    response = await edge.post({"query": query, "variables": variables})
    assert response.status_code == 422, response.text
    error = response.json()["errors"][0]
    assert error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert str(error["extensions"]["allowed"]) in error["message"]
    return {name: error["extensions"][name] for name in ("limit", "measured", "allowed")}


EXPONENTIAL = (
    "{thing{...A0}}"
    + "".join(
        f"fragment A{number} on Thing{{friends{{...A{number + 1}}}x:friends{{...A{number + 1}}}}}"
        for number in range(13)
    )
    + "fragment A13 on Thing{name}"
)


async def test_a_document_that_grows_with_every_fragment_is_refused_at_once(edge: Edge) -> None:
    assert 700 < len(EXPONENTIAL) < 900
    measured = await refused(edge, EXPONENTIAL)
    assert measured["measured"] > 1_000


async def test_the_deepest_such_document_that_the_parser_takes_is_refused_at_once(edge: Edge) -> None:
    # Expanded it would have more fields than there are atoms: to be refused at all, each fragment is measured once.
    fragments = "".join(f"fragment A{n} on Thing{{...A{n + 1} x:friends{{...A{n + 1}}}}}" for n in range(220))
    await refused(edge, "{thing{...A0}}" + fragments + "fragment A220 on Thing{name}")


async def test_fragments_that_spread_each_other_in_a_circle_are_invalid_and_no_more(edge: Edge) -> None:
    query = "{thing{...A}} fragment A on Thing{friends{...B}} fragment B on Thing{friends{...A}}"
    response = await edge.post(query)
    assert response.status_code == 422
    assert "cannot spread fragment" in response.text.lower()


async def test_each_limit_names_itself_and_what_was_measured(edge: Edge) -> None:
    deep = "{thing{" + "friends{" * 20 + "name" + "}" * 20 + "}}"
    assert (await refused(edge, deep)) == {"limit": "depth", "measured": 22, "allowed": 16}
    aliases = "{" + " ".join(f"a{number}: hello" for number in range(51)) + "}"
    assert (await refused(edge, aliases))["limit"] == "aliases"
    directives = "{ hello " + "@skip(if: false) " * 51 + "}"
    assert (await refused(edge, directives))["limit"] == "directives"
    operations = " ".join(f"query Q{number} {{ hello }}" for number in range(11))
    assert (await refused(edge, operations)) == {"limit": "operations", "measured": 11, "allowed": 10}
    assert (await refused(edge, "{" + "hello " * 1_001 + "}"))["limit"] == "fields"


async def test_a_list_in_a_list_in_a_list_is_priced_before_it_runs(edge: Edge) -> None:
    levels = "{thing{" + "friends{" * 12 + "name" + "}" * 12 + "}}"
    assert (await refused(edge, levels))["limit"] == "cost"


async def test_too_many_tokens_and_too_long_a_text_are_syntax_errors(edge: Edge) -> None:
    for query in ("{" + "hello " * 4_001 + "}", "{ hello } #" + "x" * 70_000, "#\n" * 5_000 + "{ hello }"):
        response = await edge.post(query)
        assert response.status_code == 400
        assert response.json()["errors"][0]["extensions"]["code"] == "GRAPHQL_PARSE_FAILED"


async def test_tools_may_introspect_in_depth_but_only_so_far(edge: Edge) -> None:
    options = {
        "specified_by_url": True,
        "directive_is_repeatable": True,
        "schema_description": True,
        "input_value_deprecation": True,
    }
    response = await edge.post(get_introspection_query(**options))
    assert response.status_code == 200
    assert response.json()["data"]["__schema"]["types"]
    deep = "{__schema{types{" + "ofType{" * 30 + "name" + "}" * 30 + "}}}"
    assert (await refused(edge, deep))["limit"] == "introspection_depth"


@pytest.mark.parametrize(
    ("query", "variables", "points"),
    [
        ("{ hello }", {}, 1),
        ("{ rateLimit { limit remaining } }", {}, 1),
        # The field, its nodes, and two plain values for each of them.
        ("{ things(first: 50) { nodes { id name } } }", {}, 1 + 1 + 10),
        ("query($n: Int) { things(first: $n) { nodes { id name } } }", {"n": 100}, 1 + 1 + 20),
        ("query($n: Int = 30) { things(last: $n) { nodes { id name } } }", {}, 1 + 1 + 6),
        ("{ things(first: 10) { totalCount pageInfo { hasNextPage } nodes { letters } } }", {}, 1 + 1 + 2 + 50),
        (
            "{ things(first: 10) { ...P } } fragment P on ThingConnection { nodes { name } edges { node { name } } }",
            {},
            1 + 2 + 1 + 11,
        ),
        ("query($k: [String!]!) { figures(keys: $k) { name } }", {"k": ["a"] * 20}, 2 + 2),
        ('{ figures(keys: ["a", "b"]) { letters } }', {}, 2 + 10),
        ("{ thing { friends { name } } }", {}, 1 + 1 + 1),
        ("{ __schema { queryType { name } } }", {}, 100),
    ],
)
async def test_a_price_is_the_sum_of_weights_times_the_pages_around_them(
    edge: Edge, query: str, variables: dict[str, Any], points: int
) -> None:
    response = await edge.post({"query": query, "variables": variables})
    assert response.status_code == 200, response.text
    assert response.json()["extensions"]["cost"]["points"] == points
    assert response.headers["x-operation-cost"] == str(points)


async def test_an_allowance_is_reported_in_three_places_and_flows_back() -> None:
    async with running(caller={"points": 250, "points_per_second": 20}) as edge:
        token = edge.token()
        response = await edge.post("{ rateLimit { limit remaining restoredPerSecond cost } }", token)
        rate = response.json()["data"]["rateLimit"]
        assert rate == {"limit": 250, "remaining": 249, "restoredPerSecond": 20, "cost": 1}
        assert response.json()["extensions"]["cost"]["remaining"] == 249
        assert (response.headers["ratelimit-limit"], response.headers["ratelimit-remaining"]) == ("250", "249")
        for _ in range(2):
            assert (await edge.post("{ __schema { queryType { name } } }", token)).status_code == 200
        response = await edge.post('{ __type(name: "Thing") { name } }', token)
        assert response.status_code == 429
        assert response.json()["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
        assert "data" not in response.json()
        assert 1 <= int(response.headers["retry-after"]) <= 5
        assert (await edge.post("{ hello }")).status_code == 200, "another token has an allowance of its own"


async def test_an_address_that_keeps_guessing_is_refused_unheard() -> None:
    async with running(failed_logins_per_minute=5) as edge:
        statuses = [(await edge.post("{ hello }", "guess")).status_code for _ in range(7)]
        assert statuses == [401] * 5 + [429] * 2
        assert edge.lookups == 5


def test_a_bucket_leaks_steadily() -> None:
    now = [0.0]
    buckets = Buckets(100, 10, now=lambda: now[0])
    assert buckets.take("a", 80) == Rate(100, 20, 10, 80)
    wait = buckets.take("a", 30)
    assert wait == pytest.approx(1.0)
    now[0] = 1.0
    assert buckets.take("a", 30) == Rate(100, 0, 10, 30)
    now[0] = 100.0
    assert buckets.look("a").remaining == 100
