"""Whatever stands in a payload, an adapter gives tickets or says why not; it never breaks."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.tickets import ReportedTicket
from integrations import (
    bmc,
    ca_service_desk,
    connectwise,
    easyvista,
    freshdesk,
    freshservice,
    groove,
    jira,
    servicenow_tables,
    zendesk,
)
from integrations.cells import LONGEST_TEXT_CHARACTERS
from integrations.readings import Ignored, Unreadable
from tests.integrations import test_freshworks, test_jira, test_service_desks, test_zendesk

Parse = Callable[[object], tuple[ReportedTicket, ...]]

AUDITS = [
    test_zendesk.audit("08:00", test_zendesk.changed("status", "pending"), test_zendesk.changed("group_id", "1")),
    test_zendesk.audit("09:00", test_zendesk.changed("status", "solved"), {"type": "Comment", "public": True}),
]
METRICS = {"reopens": 1, "solved_at": "2026-03-02T09:00:00Z", "reply_time_in_minutes": {"calendar": 3}}
SLAS = {"policy_metrics": [{"metric": "first_reply_time", "breach_at": "2026-03-02T09:00:00Z"}]}
AGREEMENT = {
    "name": "Time to resolution",
    "completedCycles": [{"stopTime": test_jira.moment(9), "breachTime": test_jira.moment(10), "breached": False}],
}

SAMPLES: list[tuple[Parse, object]] = [
    (zendesk.parse, {"ticket": test_zendesk.TICKET | {"metric_set": METRICS, "slas": SLAS}, "audits": AUDITS}),
    (zendesk.parse, test_zendesk.event("merged")),
    (
        freshdesk.parse,
        [test_freshworks.TICKET | {"stats": {"resolved_at": "2026-03-02T09:00:00Z", "pending_since": None}}],
    ),
    (freshdesk.parse, {"freshdesk_webhook": {"ticket_id": "1", "ticket_created_at": "2026-03-02T09:00:00Z"}}),
    (freshservice.parse, {"tickets": [test_freshworks.TICKET | {"assets": [{"id": 1}], "tags": ["x"]}]}),
    (jira.parse, test_jira.hook(changelog=test_jira.changes(test_jira.status("a", "b")), customfield_1=AGREEMENT)),
    (jira.parse, test_jira.whole(("08:30", [test_jira.status("Open", "Pending")]), components=[{"name": "x"}])),
    (connectwise.parse, [test_service_desks.CONNECTWISE]),
    (connectwise.parse, {"Action": "updated", "Type": "Ticket", "Entity": json.dumps(test_service_desks.CONNECTWISE)}),
    (bmc.parse, {"entries": [{"values": test_service_desks.BMC}]}),
    (servicenow_tables.parse, {"result": [test_service_desks.SERVICENOW]}),
    (groove.parse, {"number": 9, "created_at": "2026-03-02 08:00:00 UTC", "state": "closed", "links": {}, "tags": []}),
    (easyvista.parse, [{"General": {"RFC_NUMBER": "I1", "SUBMIT_DATE_UT": "2026-03-02T08:00:00Z", "STATUS": {}}}]),
    (ca_service_desk.parse, [{"persistent_id": "cr:1", "open_date": "1772438400", "priority.sym": "3"}]),
]

ODD: st.SearchStrategy[Any] = st.sampled_from(
    [
        None,
        True,
        0,
        -1,
        10**400,
        2**63,
        float("nan"),
        float("inf"),
        1e300,
        "",
        "None",
        "UNKNOWN",
        "\x00",
        "\ud800",
        "x" * 5_000,
        "9" * 5_000,
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59-23:59",
        "2026-02-30T00:00:00Z",
        "2026-03-02T08:00:00+99:99",
        "²",
        "٣",
        [],
        {},
        [[[[[[[[]]]]]]]],
        [None],
        {"value": {"value": 1}},
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def places(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths of everything in a payload, the whole of it first."""
    found = [path]
    if isinstance(value, dict):
        for key, inner in value.items():
            found += places(inner, (*path, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            found += places(inner, (*path, number))
    return found


def with_value(body: Any, path: tuple[Any, ...], value: object) -> object:
    """Return a payload with something else at one place."""
    if not path:
        return value
    changed = copy.deepcopy(body)
    inner = changed
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return changed


def texts_of(ticket: ReportedTicket) -> list[str]:
    agents = [had.agent for had in ticket.hand_overs]
    teams = [had.team for had in ticket.hand_overs]
    kept = [ticket.external_id, ticket.client, ticket.category, ticket.title, ticket.site, ticket.device]
    return [text for text in (*kept, ticket.merged_into, *agents, *teams) if text is not None]


def outcome(parse: Parse, body: object) -> tuple[ReportedTicket, ...] | Unreadable | Ignored:
    try:
        return parse(body)
    except (Unreadable, Ignored) as said:
        return said


def read(parse: Parse, body: object) -> None:
    tickets = outcome(parse, body)
    if isinstance(tickets, Unreadable):
        assert tickets.path.startswith("$")
        assert tickets.reason
        assert len(str(tickets)) < 1_000
        return
    if isinstance(tickets, Ignored):
        assert tickets.reason
        return
    assert tickets
    for ticket in tickets:
        assert ticket.changed_at is not None
        for text in texts_of(ticket):
            assert text
            assert len(text) <= LONGEST_TEXT_CHARACTERS
            text.encode()
            assert "\x00" not in text
        if ticket.snapshot:
            assert max(len(ticket.hand_overs), len(ticket.waits), len(ticket.resolutions)) <= 1
        assert len(ticket.digest()) == 16


@pytest.mark.parametrize("sample", range(len(SAMPLES)))
def test_every_sample_is_read_as_it_stands(sample: int) -> None:
    parse, body = SAMPLES[sample]
    assert parse(body)


@given(st.data())
def test_anything_at_any_place_gives_tickets_or_a_reason(data: st.DataObject) -> None:
    parse, body = data.draw(st.sampled_from(SAMPLES))
    path = data.draw(st.sampled_from(places(body)))
    read(parse, with_value(body, path, data.draw(ODD | JSON)))


@pytest.mark.parametrize("sample", range(len(SAMPLES)))
def test_nothing_at_any_place_gives_tickets_or_a_reason(sample: int) -> None:
    parse, body = SAMPLES[sample]
    for path in places(body):
        read(parse, with_value(body, path, None))


@given(st.sampled_from([parse for parse, _ in SAMPLES]), JSON)
@example(zendesk.parse, [[[[[[[[{}]]]]]]]])
@example(connectwise.parse, {"Action": "updated", "Entity": "[" * 100_000})
def test_any_json_at_all_gives_tickets_or_a_reason(parse: Parse, body: object) -> None:
    read(parse, body)
