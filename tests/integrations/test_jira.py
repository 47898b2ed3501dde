from typing import Any

import pytest

from domain.escalations import EscalationRule, EscalationTest, escalations
from domain.tickets import (
    EscalationKind,
    Exclusion,
    HandOver,
    Priority,
    ReportedEscalation,
    Resolution,
    SlaResult,
    SlaTarget,
    TicketKind,
    TicketSource,
    Wait,
    WaitingOn,
)
from integrations.jira import parse
from integrations.readings import Ignored, Unreadable
from tests.support.reports import at, said

FIELDS: dict[str, Any] = {
    "summary": "VPN is down",
    "created": "2026-03-02T09:00:00.000+0100",
    "updated": "2026-03-02T11:00:00.000+0100",
    "issuetype": {"name": "[System] Incident"},
    "priority": {"id": "1", "name": "Highest"},
    "status": {"name": "In Progress", "statusCategory": {"key": "indeterminate"}},
    "assignee": {"accountId": "5b10a2844c20165700ede21g", "displayName": "Mia Krystof"},
    "reporter": {"accountId": "qm:1", "emailAddress": "someone@acme.example", "displayName": "Someone"},
    "labels": [],
}


def moment(hour: int) -> dict[str, Any]:
    """Return a moment as an agreement writes it: 2 March 2026, so many o'clock UTC."""
    return {"iso8601": f"2026-03-02T{hour:02}:00:00+0000", "epochMillis": 1_772_409_600_000 + hour * 3_600_000}


def hook(event: str = "jira:issue_updated", changelog: Any = None, **fields: Any) -> dict[str, Any]:
    issue = {"id": "10002", "key": "SUP-7", "fields": FIELDS | fields}
    return {"timestamp": 1_772_449_200_000, "webhookEvent": event, "issue": issue, "changelog": changelog}


def changes(*items: dict[str, Any]) -> dict[str, Any]:
    return {"id": "10600", "items": list(items)}


def status(before: str, after: str) -> dict[str, Any]:
    return {"field": "status", "fieldtype": "jira", "fromString": before, "toString": after}


def whole(*histories: tuple[str, list[dict[str, Any]]], total: int | None = None, **fields: Any) -> dict[str, Any]:
    listed = [{"id": "1", "created": f"2026-03-02T{when}:00.000+0000", "items": items} for when, items in histories]
    log = {"startAt": 0, "maxResults": 100, "total": len(listed) if total is None else total, "histories": listed}
    return {"issues": [{"id": "10002", "key": "SUP-7", "fields": FIELDS | fields, "changelog": log}]}


def test_a_service_request_tells_organisation_team_agreements_and_asset_whatever_the_fields_numbers() -> None:
    (ticket,) = parse(
        hook(
            customfield_10002=[
                {"id": "3", "name": "Acme", "_links": {"self": "https://x.example/rest/servicedeskapi/organization/3"}}
            ],
            customfield_10001={"id": "36885b3c", "name": "Network L2", "isVisible": True},
            customfield_10010={"requestType": {"name": "Get IT help"}, "currentStatus": {"status": "Open"}},
            customfield_10020=[{"workspaceId": "w", "id": "w:88", "objectId": "88"}],
            customfield_10030={
                "id": "1",
                "name": "Time to first response",
                "completedCycles": [{"stopTime": moment(9), "breachTime": moment(10), "breached": False}],
            },
            customfield_10031={
                "id": "2",
                "name": "Time to resolution",
                "completedCycles": [],
                "ongoingCycle": {"breachTime": moment(12), "breached": True, "paused": False},
            },
            customfield_10032=["some", "texts"],
            customfield_10033="{}",
            customfield_10034=17.5,
        )
    )
    assert said(ticket) == {
        "external_id": "SUP-7",
        "client": "3",
        "logged_at": at("2026-03-02T08:00:00"),
        "kind": TicketKind.INCIDENT,
        "priority": Priority.P1,
        "category": "Get IT help",
        "changed_at": at("2026-03-02T10:00:00"),
        "hand_overs": (HandOver(at("2026-03-02T10:00:00"), "Network L2", 2, agent="5b10a2844c20165700ede21g"),),
        "title": "VPN is down",
        "device": "88",
        "first_responded_at": at("2026-03-02T09:00:00"),
        "response_sla": SlaTarget(at("2026-03-02T10:00:00"), SlaResult.MET),
        "resolution_sla": SlaTarget(at("2026-03-02T12:00:00"), SlaResult.MISSED),
        "snapshot": True,
    }


@pytest.mark.parametrize(
    ("name", "on"),
    [
        ("Waiting for customer", WaitingOn.CUSTOMER),
        ("Waiting for support", None),
        ("Pending", WaitingOn.OTHER),
        ("Waiting on third-party", WaitingOn.VENDOR),
        ("In Progress", None),
    ],
)
def test_a_status_tells_by_its_name_whom_an_issue_waits_for(name: str, on: WaitingOn | None) -> None:
    (ticket,) = parse(hook(status={"name": name, "statusCategory": {"key": "indeterminate"}}))
    assert ticket.waits == (() if on is None else (Wait(at("2026-03-02T10:00:00"), None, on),))


def test_a_status_of_the_category_done_resolves_an_issue_by_whatever_name() -> None:
    (ticket,) = parse(
        hook(status={"name": "Geliefert", "statusCategory": {"key": "done"}}, resolutiondate="2026-03-02T09:30:00.000Z")
    )
    assert ticket.resolutions == (Resolution(at("2026-03-02T09:30:00")),)
    assert ticket.closed_at is None


def test_a_duplicate_is_merged_into_the_issue_that_it_links_to() -> None:
    link = {"type": {"name": "Duplicate"}, "outwardIssue": {"id": "9", "key": "SUP-2"}}
    done = {"name": "Closed", "statusCategory": {"key": "done"}}
    (ticket,) = parse(hook(status=done, resolution={"name": "Duplicate"}, issuelinks=[{"type": {}}, link]))
    assert (ticket.exclusion, ticket.merged_into) == (Exclusion.MERGED, "SUP-2")


def test_an_issue_that_was_deleted_is_taken_out_as_of_the_message() -> None:
    (ticket,) = parse(hook("jira:issue_deleted"))
    assert (ticket.exclusion, ticket.changed_at) == (Exclusion.DELETED, at("2026-03-02T11:00:00"))


def test_an_issue_that_moved_leaves_its_old_key_merged_into_the_new_one() -> None:
    moved = changes({"field": "Key", "fromString": "DESK-4", "toString": "SUP-7"})
    old, new = parse(hook(changelog=moved))
    assert (old.external_id, old.exclusion, old.merged_into) == ("DESK-4", Exclusion.MERGED, "SUP-7")
    assert (new.external_id, new.exclusion) == ("SUP-7", None)


def test_a_change_of_the_status_to_escalated_is_an_escalation() -> None:
    (ticket,) = parse(hook(changelog=changes(status("In Progress", "Escalated"))))
    assert ticket.escalations == (
        ReportedEscalation(at("2026-03-02T10:00:00"), EscalationKind.FUNCTIONAL, reason="The status became Escalated."),
    )


def test_labels_name_the_monitoring_system_that_opened_an_issue() -> None:
    (ticket,) = parse(hook(labels=["zabbix"]))
    assert ticket.source is TicketSource.ALERT


def test_a_whole_change_log_tells_the_course_from_the_first_change_on() -> None:
    agent = {"field": "assignee", "from": None, "to": "a1", "toString": "Mia"}
    team = {"field": "Team", "from": "1", "fromString": "Desk L1", "to": "2", "toString": "Network L2"}
    (ticket,) = parse(
        whole(
            ("10:00", [status("Waiting for customer", "Escalated"), team]),
            ("08:30", [agent]),
            ("08:45", [status("Open", "Waiting for customer")]),
            ("11:00", [status("Escalated", "Fertig")]),
            ("12:00", [status("Fertig", "In Progress")]),
            ("13:00", [status("In Progress", "Fertig")]),
            status={"name": "Fertig", "statusCategory": {"key": "done"}},
        )
    )
    assert ticket.snapshot is False
    assert ticket.hand_overs == (
        HandOver(at("2026-03-02T08:00:00"), "Desk L1", 1),
        HandOver(at("2026-03-02T08:30:00"), "Desk L1", 1, agent="a1"),
        HandOver(at("2026-03-02T10:00:00"), "Network L2", 2, agent="a1"),
    )
    assert ticket.waits == (Wait(at("2026-03-02T08:45:00"), at("2026-03-02T10:00:00"), WaitingOn.CUSTOMER),)
    assert ticket.resolutions == (
        Resolution(at("2026-03-02T11:00:00"), at("2026-03-02T12:00:00")),
        Resolution(at("2026-03-02T13:00:00")),
    )
    assert [(one.at, one.to_team) for one in ticket.escalations] == [(at("2026-03-02T10:00:00"), "Network L2")]
    assert [one.kind for one in escalations(EscalationRule(EscalationTest.TIER_RAISED), ticket)] == ["FUNCTIONAL"]


def test_a_change_log_of_which_a_part_is_missing_does_not_pass_for_the_whole() -> None:
    (ticket,) = parse(whole(("10:00", [status("Open", "Done")]), total=140))
    assert ticket.snapshot is True


def test_events_about_other_things_are_ignored() -> None:
    for event in ("comment_created", "worklog_updated", "sprint_closed"):
        with pytest.raises(Ignored, match=event):
            parse({"webhookEvent": event, "timestamp": 1})


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"created": None}, "$.issue.fields.created"),
        ({"created": "27 March"}, "$.issue.fields.created"),
        ({"status": "Open"}, "$.issue.fields.status"),
        ({"labels": {"a": 1}}, "$.issue.fields.labels"),
        ({"assignee": {"accountId": True}}, "$.issue.fields.assignee.accountId"),
        (
            {"customfield_1": {"completedCycles": 3}},
            "$.issue.fields.customfield_1.completedCycles",
        ),
    ],
)
def test_a_wrong_value_is_refused_with_its_place(fields: dict[str, Any], path: str) -> None:
    with pytest.raises(Unreadable) as refused:
        parse(hook(**fields))
    assert refused.value.path == path
