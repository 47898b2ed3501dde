"""Every payload that a real system sent, through its adapter; the expectations are read off the files by hand."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from domain.inbound import Delivery
from domain.tickets import (
    EscalationKind,
    Priority,
    ReportedEscalation,
    ReportedTicket,
    SlaResult,
    SlaTarget,
    TicketKind,
    Wait,
    WaitingOn,
)
from integrations import (
    bmc,
    ca_service_desk,
    connectwise,
    easyvista,
    freshdesk,
    freshservice,
    groove,
    jira,
    zendesk,
)
from integrations.readings import Ignored, Unreadable
from tests.support.reports import at, had, resolved, said

Parse = Callable[[object], tuple[ReportedTicket, ...]]

PARSES: dict[str, Parse] = {
    "bmc_remedy": bmc.parse,
    "ca_service_desk": ca_service_desk.parse,
    "connectwise": connectwise.parse,
    "easyvista": easyvista.parse,
    "freshdesk": freshdesk.parse,
    "freshdesk_rest": freshdesk.parse,
    "freshservice": freshservice.parse,
    "groove": groove.parse,
    "jira": jira.parse,
    "zendesk": zendesk.parse,
}

BUG = {
    "external_id": "BUG-15",
    "client": "example.com",
    "logged_at": at("2013-03-27T16:53:58.301"),
    "kind": TicketKind.INCIDENT,
    "priority": Priority.P3,
    "title": "New bug with hook",
    "snapshot": True,
}
BUG_ASSIGNED = BUG | {
    "changed_at": at("2013-03-27T16:57:45.287"),
    "hand_overs": had("2013-03-27T16:57:45.287", agent="lfranchi"),
}
BUG_CREATED = BUG | {"changed_at": at("2013-03-27T16:53:58.301")}
BUG_UNICODE = BUG_CREATED | {"title": "New bug with à hook"}
MARKUP = {
    "external_id": "TEST-7",
    "client": "example.com",
    "logged_at": at("2013-10-01T20:08:48.446"),
    "kind": TicketKind.REQUEST,
    "priority": Priority.P3,
    "changed_at": at("2013-10-01T20:16:47.821"),
    "title": "Testing of rich text",
    "snapshot": True,
}
FEATURE = {
    "external_id": "TEST-1",
    "client": "example.com",
    "logged_at": at("2013-09-06T15:07:19.972"),
    "kind": TicketKind.REQUEST,
    "priority": Priority.P3,
    "changed_at": at("2014-02-26T19:57:13.139"),
    "hand_overs": had("2014-02-26T19:57:13.139", agent="leo"),
    "title": "Fix That",
    "snapshot": True,
}
GROOVE = {
    "external_id": "9",
    "client": "example.com",
    "logged_at": at("2017-12-14T14:39:19"),
    "priority": Priority.P4,
    "title": "Test Subject",
    "snapshot": True,
}
SAMPLE = {
    "external_id": "1",
    "logged_at": at("2016-05-18T04:36:04"),
    "kind": TicketKind.REQUEST,
    "changed_at": at("2016-05-18T23:42:50"),
    "hand_overs": had("2016-05-18T23:42:50", agent="6010396333"),
    "resolution_sla": SlaTarget(at("2016-05-18T23:36:04"), SlaResult.MISSED),
    "escalations": (
        ReportedEscalation(at("2016-05-18T23:36:04"), EscalationKind.SLA, reason="The resolution was overdue."),
    ),
    "snapshot": True,
}

TICKETS: dict[str, dict[str, Any]] = {
    "zendesk/get_ticket_details": {
        "external_id": "2",
        "client": "360018882419",
        "logged_at": at("2019-02-03T10:08:00"),
        "kind": TicketKind.INCIDENT,
        "priority": Priority.P2,
        "changed_at": at("2019-02-03T10:08:00"),
        "hand_overs": had("2019-02-03T10:08:00", "360000361099", "360638872459"),
        "title": "Test",
        "snapshot": True,
    },
    "connectwise/get_ticket": {
        "external_id": "773256",
        "client": "Siemplify",
        "logged_at": at("2019-01-17T09:21:03"),
        "priority": Priority.P3,
        "changed_at": at("2019-01-17T09:21:03"),
        "hand_overs": had("2019-01-17T09:21:03", "Siemplify"),
        "title": "TikcetApiTest",
        "site": "23188",
        "first_responded_at": at("2019-01-17T09:21:03"),
        "snapshot": True,
    },
    "bmc_remedy/create_incident": {
        "external_id": "INC00xxxxxxxxxx",
        "client": "Invention, Inc.",
        "logged_at": at("2022-01-14T14:43:17"),
        "kind": TicketKind.INCIDENT,
        "priority": Priority.P2,
        "changed_at": at("2022-01-14T14:43:17"),
        "hand_overs": had("2022-01-14T14:43:17", "ABC"),
        "title": "testing",
        "site": "STE00xxxxxxxxxx",
        "snapshot": True,
    },
    "easyvista/get_ticket": {
        "external_id": "I200716_000XXX",
        "client": "100",
        "logged_at": at("2020-07-16T08:00:24"),
        "kind": TicketKind.INCIDENT,
        "category": "Incidents/Equipment/Router",
        "closed_at": at("2020-07-29T03:13:54"),
        "changed_at": at("2020-10-07T10:04:32.883"),
        "hand_overs": had("2020-10-07T10:04:32.883", "12", "18376"),
        "site": "9762",
        "resolutions": resolved("2020-07-29T03:13:54"),
        "first_contact": False,
        "resolution_sla": SlaTarget(at("2020-07-16T21:00:00")),
        "snapshot": True,
    },
    "ca_service_desk/search_tickets": {
        "external_id": "cr:123456",
        "logged_at": at("2018-02-04T11:33:03"),
        "priority": Priority.P3,
        "changed_at": at("2019-01-13T08:38:45"),
        "title": "test",
        "snapshot": True,
    },
    "freshdesk_rest/all_tickets": {
        "external_id": "1",
        "logged_at": at("2014-12-31T02:27:09"),
        "kind": TicketKind.REQUEST,
        "priority": Priority.P4,
        "changed_at": at("2015-01-01T00:58:39"),
        "hand_overs": had("2015-01-01T00:58:39", agent="5004272350"),
        "title": "This is a sample ticket",
        "response_sla": SlaTarget(at("2015-01-01T02:27:09")),
        "resolution_sla": SlaTarget(at("2015-01-05T02:27:09")),
        "snapshot": True,
    },
    "freshdesk_rest/ticket_1": SAMPLE
    | {
        "client": "example.com",
        "priority": Priority.P4,
        "title": "This is a sample ticket",
        "first_responded_at": at("2020-06-17T20:23:43"),
        "response_sla": SlaTarget(at("2016-05-18T05:36:04"), SlaResult.MET),
    },
    "freshdesk_rest/ticket_1_updated": SAMPLE
    | {
        "priority": Priority.P2,
        "title": "Test subject update",
        "resolutions": resolved("2016-05-18T23:42:50"),
        "response_sla": SlaTarget(at("2016-05-18T05:36:04")),
    },
    "groove/ticket_assigned__agent_and_group": GROOVE
    | {
        "changed_at": at("2017-12-14T15:22:26"),
        "hand_overs": had("2017-12-14T15:22:26", "group2", "1734497920"),
    },
    "groove/ticket_assigned__agent_only": GROOVE
    | {
        "client": "example.lcom",
        "changed_at": at("2017-12-14T14:47:57"),
        "hand_overs": had("2017-12-14T14:47:57", agent="9804030737"),
    },
    "groove/ticket_assigned__group_only": GROOVE
    | {
        "changed_at": at("2017-12-14T15:22:26"),
        "hand_overs": had("2017-12-14T15:22:26", "group2"),
        "waits": (Wait(at("2017-12-14T14:39:19"), None, WaitingOn.CUSTOMER),),
    },
    "groove/ticket_assigned__no_one": GROOVE
    | {
        "client": "example.lcom",
        "closed_at": at("2017-12-14T14:39:19"),
        "changed_at": at("2017-12-14T14:47:57"),
        "resolutions": resolved("2017-12-14T14:39:19"),
    },
    "groove/ticket_started": GROOVE | {"client": "example.lcom", "changed_at": at("2017-12-14T14:39:19")},
    "jira/change_status_v2": {
        "external_id": "TEST-1",
        "client": "example.com",
        "logged_at": at("2017-01-30T17:30:41.962"),
        "kind": TicketKind.REQUEST,
        "priority": Priority.P3,
        "changed_at": at("2017-01-30T17:32:14.716"),
        "title": "Fix That",
        "snapshot": True,
    },
    "jira/comment_edited_v2": BUG_ASSIGNED,
    "jira/commented_markup_v1": MARKUP,
    "jira/commented_markup_v2": MARKUP,
    "jira/commented_v1": BUG_ASSIGNED,
    "jira/commented_v2_with_two_full_links": BUG_ASSIGNED,
    "jira/created_assignee_v1": {
        "external_id": "TEST-4",
        "client": "example.com",
        "logged_at": at("2013-09-06T15:20:24.101"),
        "kind": TicketKind.REQUEST,
        "priority": Priority.P3,
        "changed_at": at("2013-09-06T15:20:24.101"),
        "hand_overs": had("2013-09-06T15:20:24.101", agent="leo"),
        "title": "Test Created Assignee",
        "snapshot": True,
    },
    "jira/created_v2": BUG_CREATED,
    "jira/created_with_unicode_v1": BUG_UNICODE,
    "jira/created_with_unicode_v2": BUG_UNICODE,
    "jira/reassigned_v1": BUG_ASSIGNED,
    "jira/reassigned_v2": BUG_ASSIGNED,
    "jira/updated_priority_v1": FEATURE,
    "jira/updated_priority_v2": FEATURE,
}

IGNORED = {
    "bmc_remedy/get_incident_details": "work logs",
    "freshdesk_rest/agents": "another kind",
    "freshdesk_rest/companies": "another kind",
    "freshdesk_rest/contacts": "another kind",
    "freshdesk_rest/conversations": "another kind",
    "freshdesk_rest/groups": "another kind",
    "freshdesk_rest/time_entries": "another kind",
    "groove/agent_replied": "A message",
    "groove/customer_replied": "A message",
    "jira/comment_created": "comment_created",
    "jira/comment_created_no_issue_details": "comment_created",
    "jira/comment_deleted": "comment_deleted",
    "jira/comment_updated": "comment_updated",
    "jira/unknown_v2": "jira:issue_unknown",
}

CREATED_MISSING = ("$.freshdesk_webhook.ticket_created_at", 'add "ticket_created_at" to its content')
UNREADABLE = {
    "freshdesk/private_note": CREATED_MISSING,
    "freshdesk/public_note": CREATED_MISSING,
    "freshdesk/status_changed": CREATED_MISSING,
    "freshdesk/status_changed_fixture_with_missing_key": CREATED_MISSING,
    "freshdesk/ticket_created": CREATED_MISSING,
    "freshdesk/unknown_payload": CREATED_MISSING,
    "freshservice/list_tickets_masked": ("$[0].tickets[0].created_at", "with its offset from UTC is expected"),
}


def body(real_data: Path, name: str) -> object:
    decoded: object = json.loads((real_data / "tickets_api" / f"{name}.json").read_text(encoding="utf-8"))
    return decoded


def parse(real_data: Path, name: str) -> tuple[ReportedTicket, ...]:
    return PARSES[name.split("/", maxsplit=1)[0]](body(real_data, name))


def test_every_payload_there_is_is_spoken_of_here(real_data: Path) -> None:
    found = {path.relative_to(real_data / "tickets_api").with_suffix("") for path in real_data.glob("tickets_api/*/*")}
    assert {str(name) for name in found} == TICKETS.keys() | IGNORED.keys() | UNREADABLE.keys()


@pytest.mark.parametrize("name", TICKETS)
def test_a_real_payload_becomes_the_ticket_that_its_file_shows(real_data: Path, name: str) -> None:
    (ticket,) = parse(real_data, name)
    assert said(ticket) == TICKETS[name]


@pytest.mark.parametrize("name", IGNORED)
def test_a_real_payload_that_tells_of_no_ticket_is_ignored_with_the_reason(real_data: Path, name: str) -> None:
    with pytest.raises(Ignored, match=IGNORED[name]):
        parse(real_data, name)


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_real_payload_that_cannot_be_read_names_the_place_and_what_to_do(real_data: Path, name: str) -> None:
    path, reason = UNREADABLE[name]
    with pytest.raises(Unreadable, match=reason) as refused:
        parse(real_data, name)
    assert refused.value.path == path


def test_a_ticket_that_a_rule_reports_as_just_created_was_created_when_the_webhook_came(real_data: Path) -> None:
    delivery = Delivery(datetime(2026, 3, 1, 9, 30, tzinfo=UTC), ZoneInfo("UTC"))
    (ticket,) = freshdesk.parse(body(real_data, "freshdesk/ticket_created"), delivery)
    assert said(ticket) == {
        "external_id": "11",
        "client": "example.com",
        "logged_at": at("2026-03-01T09:30:00"),
        "kind": TicketKind.INCIDENT,
        "priority": Priority.P2,
        "changed_at": at("2026-03-01T09:30:00"),
        "title": "Test ticket subject \N{SNOWMAN}",
        "waits": (Wait(at("2026-03-01T09:30:00"), None, WaitingOn.OTHER),),
        "snapshot": True,
    }


def test_no_name_and_no_address_of_a_person_is_kept(real_data: Path) -> None:
    people = ("Leo Franchi", "Leonardo", "Requester", "user name", "incABC", "William", "TestUser", "Rachel", "@")
    for name in TICKETS:
        written = repr(parse(real_data, name))
        assert [person for person in people if person in written] == []
