"""Tickets in our own JSON: everything that a ticket can say is read, and what is wrong is named by its place."""

from datetime import UTC, datetime
from typing import Any

import pytest

from domain.tickets import (
    EscalationKind,
    HandOver,
    Priority,
    ReportedEscalation,
    ReportedTicket,
    Resolution,
    SlaResult,
    SlaTarget,
    TicketKind,
    TicketSource,
    Wait,
    WaitingOn,
)
from integrations.readings import Unreadable
from integrations.ticket_documents import read


def at(hour: int) -> datetime:
    return datetime(2026, 3, 1, hour, tzinfo=UTC)


def said(hour: int) -> str:
    """Return the same moment as the source's own clock shows it."""
    return f"2026-03-01T{hour + 2:02}:00:00+02:00"


LEAST = {"externalId": "T-1", "loggedAt": said(8)}
EVERYTHING: dict[str, Any] = {
    **LEAST,
    "client": "acme",
    "kind": "INCIDENT",
    "source": "ALERT",
    "priority": "P2",
    "category": "Network",
    "title": "No network on the second floor",
    "site": "hq",
    "device": "sw-2",
    "changedAt": said(18),
    "closedAt": said(17),
    "firstRespondedAt": said(9),
    "firstContact": False,
    "timesReopened": 1,
    "handOvers": [
        {"at": said(11), "team": "Network", "tier": 2, "agent": "a-7"},
        {"at": said(8), "team": "Desk", "tier": 1, "reassignments": 0},
    ],
    "resolutions": [{"at": said(12), "reopenedAt": said(13)}, {"at": said(16)}],
    "waits": [{"start": said(13), "end": said(14), "on": "VENDOR"}],
    "escalations": [{"at": said(10), "kind": "HIERARCHICAL", "fromTeam": "Desk", "reason": "The client called."}],
    "responseSla": {"dueAt": said(10), "result": "MET"},
    "resolutionSla": {"dueAt": said(20)},
}


def test_everything_that_a_ticket_can_say_is_read_in_utc_and_in_the_order_of_time() -> None:
    assert read(EVERYTHING) == (
        ReportedTicket(
            external_id="T-1",
            client="acme",
            logged_at=at(8),
            kind=TicketKind.INCIDENT,
            source=TicketSource.ALERT,
            priority=Priority.P2,
            category="Network",
            closed_at=at(17),
            changed_at=at(18),
            hand_overs=(HandOver(at(8), "Desk", 1, 0), HandOver(at(11), "Network", 2, agent="a-7")),
            title="No network on the second floor",
            site="hq",
            device="sw-2",
            first_responded_at=at(9),
            resolutions=(Resolution(at(12), at(13)), Resolution(at(16))),
            times_reopened=1,
            waits=(Wait(at(13), at(14), WaitingOn.VENDOR),),
            first_contact=False,
            response_sla=SlaTarget(at(10), SlaResult.MET),
            resolution_sla=SlaTarget(at(20)),
            escalations=(
                ReportedEscalation(at(10), EscalationKind.HIERARCHICAL, from_team="Desk", reason="The client called."),
            ),
        ),
    )


def test_the_same_moment_written_with_another_offset_says_the_same() -> None:
    (one,), (other,) = read(LEAST), read({**LEAST, "loggedAt": "2026-03-01T08:00:00Z"})
    assert one.digest() == other.digest()


def test_a_snapshot_tells_one_state_and_when_it_was() -> None:
    snapshot = {**LEAST, "snapshot": True, "changedAt": said(9), "handOvers": [{"at": said(9), "team": "Desk"}]}
    assert read(snapshot)[0].snapshot
    for more, place in (
        ({"changedAt": None}, "$.snapshot"),
        ({"handOvers": EVERYTHING["handOvers"]}, "$.handOvers"),
        ({"resolutions": EVERYTHING["resolutions"]}, "$.resolutions"),
    ):
        with pytest.raises(Unreadable) as wrong:
            read({**snapshot, **more})
        assert wrong.value.path == place


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (None, "$ is null: Expected `object`, got `null`."),
        ([LEAST], "$ is an array: Expected `object`, got `array`."),
        ({"externalId": "T-1"}, "$ is an object: Object missing required field `loggedAt`."),
        ({**LEAST, "loggedAt": "2026-03-01T08:00:00"}, "Expected `datetime` with a timezone component."),
        ({**LEAST, "loggedAt": "1969-12-31T08:00:00Z"}, "the moment lies outside the years 1970 to 2200."),
        (
            {**LEAST, "loggedAt": datetime(2300, 1, 1, tzinfo=UTC)},
            "$.loggedAt is '2300-01-01T00:00:00+00:00': the moment lies outside",
        ),
        ({**LEAST, "externalId": ""}, "$.externalId is '': Expected `str` of length >= 1."),
        ({**LEAST, "externalId": " "}, "$.externalId is ' ': the text is blank"),
        ({**LEAST, "client": "x" * 201}, "Expected `str` of length <= 200."),
        ({**LEAST, "title": "a\x00b"}, "$.title is 'a\\x00b': the text holds a character that no text may hold."),
        ({**LEAST, "category": 7}, "$.category is 7: Expected `str | null`, got `int`."),
        ({**LEAST, "kind": "BUG"}, "expected one of INCIDENT, REQUEST, PROBLEM, CHANGE, UNKNOWN."),
        ({**LEAST, "waits": [{"start": said(9), "on": "US"}]}, "expected one of CUSTOMER, VENDOR, OTHER."),
        ({**LEAST, "waits": [{"start": said(9), "end": said(8)}]}, "$.waits[0].end is '2026-03-01T10:00:00+02:00': "),
        ({**LEAST, "handOvers": [{"at": said(9), "tier": 0}]}, "$.handOvers[0].tier is 0: Expected `int` >= 1."),
        ({**LEAST, "handOvers": [{"at": said(9)}] * 1_001}, "Expected `array` of length <= 1000."),
        ({**LEAST, "priorty": "P1"}, "Object contains unknown field `priorty`."),
        ({"tickets": LEAST}, "$.tickets is an object: the tickets are no list."),
        ({"tickets": [], "more": 1}, "$.more is 1: beside `tickets` nothing is read"),
        ({"tickets": [LEAST, {**LEAST, "timesReopened": -1}]}, "$.tickets[1].timesReopened is -1"),
    ],
)
def test_what_is_wrong_is_told_with_its_place_its_value_and_what_would_do(body: object, told: str) -> None:
    with pytest.raises(Unreadable) as wrong:
        read(body)
    assert told in str(wrong.value)
