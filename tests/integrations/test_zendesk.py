from typing import Any

import pytest

from domain.tickets import (
    Exclusion,
    HandOver,
    Priority,
    Resolution,
    SlaTarget,
    TicketKind,
    TicketSource,
    Wait,
    WaitingOn,
)
from integrations.readings import Ignored, Unreadable
from integrations.zendesk import parse
from tests.support.reports import at, had, resolved, said

TICKET: dict[str, Any] = {
    "id": 35436,
    "created_at": "2026-03-02T08:00:00Z",
    "updated_at": "2026-03-02T09:00:00Z",
    "status": "open",
    "priority": "urgent",
    "type": "problem",
    "organization_id": 509974,
    "group_id": 98738,
    "assignee_id": 235323,
    "requester_id": 20978392,
    "subject": "The mail server is down",
    "via": {"channel": "web"},
    "tags": ["enterprise"],
}


def event(name: str, **detail: Any) -> dict[str, Any]:
    """Return a webhook's message in the form of the event types' reference."""
    return {
        "type": f"zen:event-type:ticket.{name}",
        "account_id": 12514403,
        "id": "2b24ef10-19d4-4740-93cf-8f98ec4776c0",
        "time": "2026-03-02T10:00:00Z",
        "zendesk_event_version": "2022-11-06",
        "subject": "zen:ticket:35436",
        "detail": {
            "id": "35436",
            "created_at": "2026-03-02T08:00:00Z",
            "updated_at": "2026-03-02T10:00:00Z",
            "status": "OPEN",
            "priority": "HIGH",
            "type": "INCIDENT",
            "organization_id": "509974",
            "group_id": "98738",
            "assignee_id": None,
            "subject": "The mail server is down",
            "via": {"channel": "mail"},
            "tags": [],
        }
        | detail,
        "event": {},
    }


def audit(when: str, *events: dict[str, Any], author: int = 235323) -> dict[str, Any]:
    return {"created_at": f"2026-03-02T{when}:00Z", "author_id": author, "events": list(events)}


def changed(name: str, value: Any) -> dict[str, Any]:
    return {"type": "Change", "field_name": name, "value": value}


def test_an_event_tells_how_the_ticket_stands() -> None:
    (ticket,) = parse(event("status_changed", status="PENDING"))
    assert said(ticket) == {
        "external_id": "35436",
        "client": "509974",
        "logged_at": at("2026-03-02T08:00:00"),
        "kind": TicketKind.INCIDENT,
        "priority": Priority.P2,
        "changed_at": at("2026-03-02T10:00:00"),
        "hand_overs": had("2026-03-02T10:00:00", "98738"),
        "title": "The mail server is down",
        "waits": (Wait(at("2026-03-02T10:00:00"), None, WaitingOn.CUSTOMER),),
        "snapshot": True,
    }


@pytest.mark.parametrize(
    ("name", "exclusion"),
    [
        ("marked_as_spam", Exclusion.SPAM),
        ("soft_deleted", Exclusion.DELETED),
        ("permanently_deleted", Exclusion.DELETED),
        ("merged", Exclusion.MERGED),
        ("undeleted", None),
    ],
)
def test_an_event_that_takes_a_ticket_out_says_why(name: str, exclusion: Exclusion | None) -> None:
    (ticket,) = parse(event(name))
    assert ticket.exclusion is exclusion


def test_an_event_about_something_else_is_ignored() -> None:
    with pytest.raises(Ignored, match=r"user\.created is about no ticket"):
        parse({"type": "zen:event-type:user.created", "detail": {"id": "1"}})


def test_the_event_bridge_wraps_the_same_ticket_with_finer_moments() -> None:
    inner = TICKET | {"created_at": "2026-03-02T08:00:00.721021468Z", "updated_at": "2026-03-02T09:00:00.789534301Z"}
    (ticket,) = parse({"detail-type": "Support Ticket: Status Changed", "detail": {"ticket_event": {"ticket": inner}}})
    assert (ticket.external_id, ticket.logged_at) == ("35436", at("2026-03-02T08:00:00.721021"))


@pytest.mark.parametrize(
    ("status", "waits", "done"),
    [("new", None, False), ("hold", WaitingOn.VENDOR, False), ("solved", None, True), ("closed", None, True)],
)
def test_a_status_tells_whom_it_waits_for_and_whether_it_is_solved(
    status: str, waits: WaitingOn | None, done: bool
) -> None:
    (ticket,) = parse({"ticket": TICKET | {"status": status}})
    assert [wait.on for wait in ticket.waits] == ([] if waits is None else [waits])
    assert ticket.resolutions == (resolved("2026-03-02T09:00:00") if done else ())
    assert ticket.closed_at == (at("2026-03-02T09:00:00") if status == "closed" else None)


def test_a_ticket_with_its_metrics_and_agreements_tells_more() -> None:
    metrics = {"reopens": 2, "solved_at": "2026-03-02T08:45:00Z", "reply_time_in_minutes": {"calendar": 12}}
    policies = [
        {"metric": "agent_work_time", "breach_at": "2026-03-02T16:00:00Z", "stage": "active"},
        {"metric": "requester_wait_time", "breach_at": "2026-03-02T14:00:00Z", "stage": "active"},
        {"metric": "first_reply_time", "breach_at": "2026-03-02T08:30:00Z", "stage": "achieved"},
    ]
    more = {"status": "solved", "metric_set": metrics, "slas": {"policy_metrics": policies}}
    (ticket,) = parse({"tickets": [TICKET | more]})
    assert ticket.resolutions == resolved("2026-03-02T08:45:00")
    assert (ticket.reopenings, ticket.first_responded_at) == (2, at("2026-03-02T08:12:00"))
    assert ticket.response_sla == SlaTarget(at("2026-03-02T08:30:00"))
    assert ticket.resolution_sla == SlaTarget(at("2026-03-02T14:00:00"))


def test_the_tag_of_a_merge_and_of_a_monitoring_system_are_read() -> None:
    (merged,) = parse({"ticket": TICKET | {"tags": ["closed_by_merge"]}})
    (alert,) = parse({"ticket": TICKET | {"tags": ["datadog"]}})
    assert merged.exclusion is Exclusion.MERGED
    assert alert.source is TicketSource.ALERT


def test_the_audits_tell_who_had_it_and_how_long_it_waited_from_the_beginning() -> None:
    audits = [
        audit("11:00", changed("status", "open")),
        audit(
            "08:00",
            {"type": "Create", "field_name": "group_id", "value": "1"},
            {"type": "Create", "field_name": "status", "value": "new"},
            {"type": "Comment", "public": True, "author_id": 20978392},
            author=20978392,
        ),
        audit("08:10", changed("assignee_id", "7"), changed("status", "open")),
        audit("08:20", {"type": "Comment", "public": False, "author_id": 7}, author=7),
        audit("08:30", {"type": "Comment", "public": True}, changed("status", "pending"), author=7),
        audit("09:00", changed("group_id", "2"), changed("assignee_id", None), changed("status", "open")),
        audit("10:00", changed("status", "solved")),
        audit("12:00", changed("status", "solved")),
        audit("13:00", changed("status", "closed")),
    ]
    (ticket,) = parse({"ticket": TICKET | {"status": "closed"}, "audits": audits, "next_page": None})
    assert ticket.snapshot is False
    assert ticket.hand_overs == (
        HandOver(at("2026-03-02T08:00:00"), "1"),
        HandOver(at("2026-03-02T08:10:00"), "1", agent="7"),
        HandOver(at("2026-03-02T09:00:00"), "2"),
    )
    assert ticket.first_responded_at == at("2026-03-02T08:30:00")
    assert ticket.waits == (Wait(at("2026-03-02T08:30:00"), at("2026-03-02T09:00:00"), WaitingOn.CUSTOMER),)
    assert ticket.resolutions == (
        Resolution(at("2026-03-02T10:00:00"), at("2026-03-02T11:00:00")),
        Resolution(at("2026-03-02T12:00:00")),
    )
    assert (ticket.reopenings, ticket.closed_at) == (1, at("2026-03-02T13:00:00"))


def test_audits_that_go_on_on_another_page_do_not_pass_for_the_whole_story() -> None:
    (ticket,) = parse({"ticket": TICKET, "audits": [], "next_page": "https://example.com/audits?page=2"})
    assert ticket.snapshot is True


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"id": None}, "$.ticket.id"),
        ({"id": {"nested": 1}}, "$.ticket.id"),
        ({"id": "x" * 201}, "$.ticket.id"),
        ({"created_at": "yesterday"}, "$.ticket.created_at"),
        ({"created_at": "2026-03-02T08:00:00"}, "$.ticket.created_at"),
        ({"updated_at": 17}, "$.ticket.updated_at"),
        ({"group_id": [1]}, "$.ticket.group_id"),
        ({"organization_id": "a\x00b"}, "$.ticket.organization_id"),
        ({"via": "web"}, "$.ticket.via"),
        ({"tags": "one two"}, "$.ticket.tags"),
    ],
)
def test_a_wrong_value_is_refused_with_its_place(change: dict[str, Any], path: str) -> None:
    with pytest.raises(Unreadable) as refused:
        parse({"ticket": TICKET | change})
    assert refused.value.path == path


def test_a_title_is_folded_and_cut_to_what_is_stored() -> None:
    (ticket,) = parse({"ticket": TICKET | {"subject": "  Printer\n\n on\x00 fire " + "!" * 1_000_000}})
    assert ticket.title is not None
    assert ticket.title.startswith("Printer on\N{REPLACEMENT CHARACTER} fire !!!")
    assert len(ticket.title) == 200
