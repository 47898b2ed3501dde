"""Pages of lists, scalars and nodes: what comes in is checked, what goes out fits."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from api.errors import BadUserInput
from api.paging import Ordering, read_cursor, write_cursor
from tests.support.edge import BY_NAME, LOADED, THINGS, Edge, running


@pytest.fixture(scope="module")
async def edge() -> AsyncIterator[Edge]:
    async with running() as edge:
        yield edge


async def asked(edge: Edge, query: str, **variables: Any) -> Any:
    response = await edge.post({"query": query, "variables": variables})
    assert "errors" not in response.json(), response.text
    return response.json()["data"]


PAGE = """query($first: Int, $after: Cursor, $last: Int, $before: Cursor) {
  things(first: $first, after: $after, last: $last, before: $before) {
    nodes { name } edges { cursor node { id } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""


async def test_paging_forward_meets_every_item_once(edge: Edge) -> None:
    names, after, more = [], None, True
    while more:
        page = (await asked(edge, PAGE, first=10, after=after))["things"]
        names += [node["name"] for node in page["nodes"]]
        assert page["pageInfo"]["hasPreviousPage"] is (after is not None)
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
        assert page["edges"][-1]["cursor"] == after
    assert names == [thing.name for thing in THINGS]


async def test_paging_backward_keeps_the_order_of_the_list(edge: Edge) -> None:
    page = (await asked(edge, PAGE, last=10))["things"]
    assert [node["name"] for node in page["nodes"]] == [thing.name for thing in THINGS[-10:]]
    assert page["pageInfo"]["hasPreviousPage"] is True
    page = (await asked(edge, PAGE, last=20, before=page["pageInfo"]["startCursor"]))["things"]
    assert [node["name"] for node in page["nodes"]] == [thing.name for thing in THINGS[:15]]
    assert page["pageInfo"]["hasPreviousPage"] is False
    assert page["pageInfo"]["hasNextPage"] is True


async def test_a_total_is_counted_only_where_it_is_selected_and_once(edge: Edge) -> None:
    LOADED.clear()
    await asked(edge, "{ things(first: 1) { nodes { name } } }")
    assert LOADED == []
    found = await asked(edge, "{ things(first: 1) { totalCount totalCountIsExact } }")
    assert found["things"] == {"totalCount": 25, "totalCountIsExact": True}
    assert LOADED == [["count"]]


async def test_what_rows_ask_for_one_by_one_is_read_together(edge: Edge) -> None:
    LOADED.clear()
    await asked(edge, "{ things(first: 20) { nodes { letters } } }")
    assert len(LOADED) == 1
    assert len(LOADED[0]) == 20


@pytest.mark.parametrize(
    "text",
    [
        "",
        "!",
        "a",
        "////",
        "é",
        "WzFd",
        write_cursor(Ordering("other", (str, str)), ("a", "b")),
        write_cursor(BY_NAME, ("a", "no id")),
        write_cursor(BY_NAME, ("a",)),
    ],
)
def test_a_cursor_of_another_list_or_of_none_is_refused(text: str) -> None:
    with pytest.raises(BadUserInput, match="is no cursor of this list"):
        read_cursor(BY_NAME, text)


def test_a_cursor_gives_back_the_place_it_was_made_of() -> None:
    place = (THINGS[3].name, THINGS[3].id)
    assert read_cursor(BY_NAME, write_cursor(BY_NAME, place)) == place


async def test_nodes_are_found_by_id_and_null_where_there_are_none(edge: Edge) -> None:
    ids = [f"cli_{THINGS[1].id.hex}", "cli_" + "0" * 32, "tic_" + "0" * 32]
    found = await asked(
        edge, "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on Thing { name } } }", ids=ids
    )
    assert found["nodes"] == [{"__typename": "Thing", "id": ids[0], "name": "thing 01"}, None, None]
    answer = (await edge.post(f'{{ nodes(ids: ["{ids[0]}", "nonsense"]) {{ id }} }}')).json()
    assert [node and node["id"] for node in answer["data"]["nodes"]] == [ids[0], None]
    assert answer["errors"][0]["path"] == ["nodes", 1]
    response = await edge.post(
        {"query": "query($ids: [ID!]!) { nodes(ids: $ids) { id } }", "variables": {"ids": ids * 40}}
    )
    assert response.json()["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_scalars_go_out_as_they_came_in(edge: Edge) -> None:
    query = """query($at: DateTime, $day: Date, $length: Duration, $zone: TimeZone, $email: EmailAddress) {
      echo(at: $at, day: $day, length: $length, zone: $zone, email: $email) { at day length zone email } }"""
    given = {
        "at": "2026-03-01T10:00:00.5+01:00",
        "day": "2028-02-29",
        "length": "P1DT2H3M4.5S",
        "zone": "Europe/Amsterdam",
        "email": "ada@example.org",
    }
    assert (await asked(edge, query, **given))["echo"] == given | {"at": "2026-03-01T09:00:00.500000Z"}
    lengths = {"P2W": "P14D", "PT0S": "PT0S", "-PT90M": "-PT1H30M", "PT36H": "P1DT12H", "PT0.25S": "PT0.25S"}
    for text, shown in lengths.items():
        assert (await asked(edge, query, length=text))["echo"]["length"] == shown


@pytest.mark.parametrize(
    ("name", "type_", "value"),
    [
        ("at", "DateTime", "2026-03-01T10:00:00"),
        ("at", "DateTime", "2026-03-01"),
        ("at", "DateTime", "2026-02-30T10:00:00Z"),
        ("at", "DateTime", "0001-01-01T00:00:00+14:00"),
        ("at", "DateTime", 1_700_000_000),
        ("day", "Date", "2026-02-29"),
        ("day", "Date", "20260101"),
        ("length", "Duration", "P"),
        ("length", "Duration", "PT"),
        ("length", "Duration", "P1M"),
        ("zone", "TimeZone", "Mars/Olympus"),
        ("zone", "TimeZone", "../../etc/passwd"),
        ("email", "EmailAddress", "ada"),
        ("email", "EmailAddress", "ada@x\nBcc: b@c"),
        ("email", "EmailAddress", "\u202eada@example.org"),
    ],
)
async def test_a_scalar_that_cannot_be_used_says_what_can(edge: Edge, name: str, type_: str, value: Any) -> None:
    query = f"query($v: {type_}) {{ echo({name}: $v) {{ {name} }} }}"
    response = await edge.post({"query": query, "variables": {"v": value}})
    assert response.status_code == 400
    error = response.json()["errors"][0]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert "expected" in error["message"]
