"""ConnectWise, BMC, ServiceNow tables, Groove, EasyVista and CA Service Desk, by what their makers document."""

import json
from typing import Any

import pytest

from domain.tickets import (
    Exclusion,
    HandOver,
    Priority,
    SlaResult,
    SlaTarget,
    TicketKind,
    TicketSource,
    Wait,
    WaitingOn,
)
from integrations import bmc, ca_service_desk, connectwise, easyvista, groove, servicenow_tables
from integrations.readings import Ignored, Unreadable
from tests.support.reports import at, had, resolved, said

CONNECTWISE: dict[str, Any] = {
    "id": 501,
    "summary": "Disk full",
    "company": {"id": 18, "identifier": "Acme", "name": "Acme Ltd"},
    "site": {"id": 4, "name": "Main"},
    "board": {"id": 1, "name": "Service Desk - Tier 2"},
    "team": None,
    "owner": {"id": 12, "identifier": "JDoe", "name": "Jane Doe"},
    "status": {"id": 3, "name": ">Waiting on Client"},
    "priority": {"name": "Priority 1 - Emergency Response"},
    "source": {"name": "RMM Alert"},
    "type": {"name": "Incident"},
    "dateEntered": "2026-03-02T08:00:00Z",
    "closedFlag": False,
    "respondByGoalUTC": "2026-03-02T09:00:00Z",
    "resolutionGoalUTC": "2026-03-02T16:00:00Z",
    "_info": {"lastUpdated": "2026-03-02T10:00:00Z", "dateEntered": "2026-03-02T08:00:00Z"},
}
BMC: dict[str, Any] = {
    "Incident Number": "INC000000000001",
    "Submit Date": "2026-03-02T08:00:00.000+0000",
    "Last Modified Date": "2026-03-02T12:00:00.000+0000",
    "Status": "Pending",
    "Status_Reason": "Client Action Required",
    "Status History": {"Pending": {"user": "x", "timestamp": "2026-03-02T11:00:00.000+0000"}},
    "Company": "Calbro Services",
    "Assigned Group": "Service Desk",
    "Assignee": "Mary Mann",
    "Assignee Login ID": "Mary",
    "Group Transfers": 2,
    "Priority": "Critical",
    "Service_Type": "Infrastructure Event",
    "Reported Source": "BMC Impact Manager Event",
    "Description": "Server unreachable",
    "HPD_CI": "srv-17",
    "Responded Date": "2026-03-02T08:10:00.000+0000",
    "Required Resolution DateTime": "2026-03-02T16:00:00.000+0000",
    "SLM Status": "Within Time Limit",
}
SERVICENOW: dict[str, Any] = {
    "number": "INC0010023",
    "sys_class_name": "incident",
    "opened_at": "2026-03-02 08:00:00",
    "sys_updated_on": "2026-03-02 12:00:00",
    "state": "2",
    "priority": "2",
    "category": "network",
    "contact_type": "phone",
    "company": {"link": "https://x.example/api/now/table/core_company/31bea3d5", "value": "31bea3d5"},
    "location": {"link": "https://x.example/api/now/table/cmn_location/10c97aa2", "value": "10c97aa2"},
    "cmdb_ci": {"link": "https://x.example/api/now/table/cmdb_ci/27d32778", "value": "27d32778"},
    "assignment_group": {"link": "https://x.example/api/now/table/sys_user_group/287ebd7d", "value": "287ebd7d"},
    "assigned_to": {"link": "https://x.example/api/now/table/sys_user/46d44a23", "value": "46d44a23"},
    "reassignment_count": "1",
    "reopen_count": "0",
    "made_sla": "true",
    "sla_due": "2026-03-03 08:00:00",
    "resolved_at": "",
    "closed_at": "",
    "short_description": "No network",
}


def cw(**changed: Any) -> Any:
    (ticket,) = connectwise.parse([CONNECTWISE | changed])
    return ticket


def remedy(**changed: Any) -> Any:
    (ticket,) = bmc.parse({"entries": [{"values": BMC | changed, "_links": {}}]})
    return ticket


def now(**changed: Any) -> Any:
    (ticket,) = servicenow_tables.parse({"result": [SERVICENOW | changed]})
    return ticket


def test_a_connectwise_ticket_is_had_by_its_team_or_else_its_board() -> None:
    assert said(cw()) == {
        "external_id": "501",
        "client": "Acme",
        "logged_at": at("2026-03-02T08:00:00"),
        "kind": TicketKind.INCIDENT,
        "source": TicketSource.ALERT,
        "priority": Priority.P1,
        "category": "Incident",
        "changed_at": at("2026-03-02T10:00:00"),
        "hand_overs": had("2026-03-02T10:00:00", "Service Desk - Tier 2", "JDoe", tier=2),
        "title": "Disk full",
        "site": "4",
        "waits": (Wait(at("2026-03-02T10:00:00"), None, WaitingOn.CUSTOMER),),
        "response_sla": SlaTarget(at("2026-03-02T09:00:00")),
        "resolution_sla": SlaTarget(at("2026-03-02T16:00:00")),
        "snapshot": True,
    }
    assert cw(team={"name": "Network"}).hand_overs[0].team == "Network"


def test_a_connectwise_callback_carries_the_record_as_a_text() -> None:
    def callback(action: str, entity: Any, kind: str = "Ticket") -> dict[str, Any]:
        return {"ID": 501, "Action": action, "Type": kind, "Entity": entity, "MemberId": "JDoe"}

    (updated,) = connectwise.parse(callback("updated", json.dumps(CONNECTWISE)))
    (deleted,) = connectwise.parse(callback("deleted", json.dumps(CONNECTWISE)))
    assert (updated.external_id, updated.exclusion) == ("501", None)
    assert deleted.exclusion is Exclusion.DELETED
    with pytest.raises(Ignored, match="company"):
        connectwise.parse(callback("updated", "{}", "Company"))
    with pytest.raises(Unreadable, match="no valid JSON"):
        connectwise.parse(callback("updated", "{"))


def test_a_connectwise_ticket_that_was_merged_closed_or_changes_something_says_so() -> None:
    merged = cw(mergedParentTicket={"id": 400, "summary": "Disk"})
    assert (merged.exclusion, merged.merged_into) == (Exclusion.MERGED, "400")
    closed = cw(closedFlag=True, closedDate="2026-03-02T11:00:00Z", dateResolved="2026-03-02T09:30:00Z")
    assert (closed.closed_at, closed.resolutions) == (at("2026-03-02T11:00:00"), resolved("2026-03-02T09:30:00"))
    assert closed.waits == ()
    assert cw(requestForChangeFlag=True).kind is TicketKind.CHANGE


def test_a_bmc_incident_tells_whom_it_waits_for_since_when_and_keeps_no_name() -> None:
    assert said(remedy()) == {
        "external_id": "INC000000000001",
        "client": "Calbro Services",
        "logged_at": at("2026-03-02T08:00:00"),
        "kind": TicketKind.INCIDENT,
        "source": TicketSource.ALERT,
        "priority": Priority.P1,
        "changed_at": at("2026-03-02T12:00:00"),
        "hand_overs": (HandOver(at("2026-03-02T12:00:00"), "Service Desk", reassignments=2, agent="Mary"),),
        "title": "Server unreachable",
        "device": "srv-17",
        "first_responded_at": at("2026-03-02T08:10:00"),
        "waits": (Wait(at("2026-03-02T11:00:00"), None, WaitingOn.CUSTOMER),),
        "resolution_sla": SlaTarget(at("2026-03-02T16:00:00")),
        "snapshot": True,
    }


@pytest.mark.parametrize(
    ("reason", "on"),
    [
        ("Third Party Vendor Action Reqd", WaitingOn.VENDOR),
        ("Supplier Delivery", WaitingOn.VENDOR),
        ("Infrastructure Change", WaitingOn.OTHER),
        (None, WaitingOn.OTHER),
    ],
)
def test_a_bmc_reason_names_who_is_to_act(reason: str | None, on: WaitingOn) -> None:
    assert [wait.on for wait in remedy(Status_Reason=reason).waits] == [on]


def test_a_bmc_incident_in_numbers_is_resolved_reopened_or_cancelled_like_one_in_words() -> None:
    done = remedy(
        Status=4, **{"Last Resolved Date": "2026-03-02T11:30:00.000+0000", "SLM Status": "Service Targets Breached"}
    )
    assert done.resolutions == resolved("2026-03-02T11:30:00")
    assert done.resolution_sla == SlaTarget(at("2026-03-02T16:00:00"), SlaResult.MISSED)
    again = remedy(Status="In Progress", **{"Re-Opened Date": "2026-03-02T11:45:00.000+0000"})
    assert (again.resolutions, again.reopenings, again.waits) == ((), 1, ())
    cancelled = remedy(Status="Cancelled")
    assert (cancelled.resolutions, cancelled.closed_at) == ((), at("2026-03-02T12:00:00"))


def test_a_servicenow_record_is_read_by_the_values_of_its_references() -> None:
    assert said(now()) == {
        "external_id": "INC0010023",
        "client": "31bea3d5",
        "logged_at": at("2026-03-02T08:00:00"),
        "kind": TicketKind.INCIDENT,
        "priority": Priority.P2,
        "category": "network",
        "changed_at": at("2026-03-02T12:00:00"),
        "hand_overs": (HandOver(at("2026-03-02T12:00:00"), "287ebd7d", reassignments=1, agent="46d44a23"),),
        "title": "No network",
        "site": "10c97aa2",
        "device": "27d32778",
        "resolution_sla": SlaTarget(at("2026-03-03T08:00:00")),
        "snapshot": True,
    }


def test_a_servicenow_answer_with_what_is_shown_reads_the_same_and_the_line_from_the_groups_name() -> None:
    both = {
        key: {"display_value": "Desk L2" if key == "assignment_group" else "shown", **value}
        if isinstance(value, dict)
        else {"display_value": value, "value": value}
        for key, value in SERVICENOW.items()
    }
    (ticket,) = servicenow_tables.parse({"result": both})
    assert ticket.client == "31bea3d5"
    assert ticket.hand_overs[0].tier == 2
    only_shown = {"display_value": "Beth", "link": "https://x.example/api/now/table/sys_user/46d44a23"}
    assert now(assigned_to=only_shown).hand_overs[0].agent == "46d44a23"


@pytest.mark.parametrize(
    ("changed", "on"),
    [
        ({"state": "3", "hold_reason": "1"}, WaitingOn.CUSTOMER),
        ({"state": "3", "hold_reason": "4"}, WaitingOn.VENDOR),
        ({"state": "3", "hold_reason": "3"}, WaitingOn.OTHER),
        ({"state": "On Hold", "hold_reason": "Awaiting Vendor"}, WaitingOn.VENDOR),
        ({"state": "Awaiting User Info"}, WaitingOn.CUSTOMER),
        ({"state": "2", "hold_reason": "1"}, None),
    ],
)
def test_a_servicenow_incident_on_hold_waits_for_whom_its_reason_names(
    changed: dict[str, str], on: WaitingOn | None
) -> None:
    assert [wait.on for wait in now(**changed).waits] == ([] if on is None else [on])


def test_a_servicenow_incident_is_resolved_while_its_state_says_so() -> None:
    done = now(state="6", resolved_at="2026-03-02 11:00:00", reopen_count="1", made_sla="false")
    assert (done.resolutions, done.reopenings) == (resolved("2026-03-02T11:00:00"), 1)
    assert done.resolution_sla == SlaTarget(at("2026-03-03T08:00:00"), SlaResult.MISSED)
    assert now(state="2", resolved_at="2026-03-02 11:00:00").resolutions == ()
    assert now(state="8", closed_at="2026-03-02 11:00:00").resolutions == ()


@pytest.mark.parametrize(
    ("number", "table", "kind"),
    [
        ("REQ0010001", "sc_request", TicketKind.REQUEST),
        ("RITM0010001", "", TicketKind.REQUEST),
        ("PRB0040001", "problem", TicketKind.PROBLEM),
        ("CHG0030001", "", TicketKind.CHANGE),
        ("XYZ1", "", TicketKind.UNKNOWN),
    ],
)
def test_the_table_or_else_the_number_tells_what_a_servicenow_record_is(
    number: str, table: str, kind: TicketKind
) -> None:
    ticket = now(number=number, sys_class_name=table, state="3", closed_at="2026-03-02 11:00:00", sla_due="UNKNOWN")
    assert (ticket.kind, ticket.resolutions) == (kind, resolved("2026-03-02T11:00:00"))
    assert ticket.resolution_sla == SlaTarget(result=SlaResult.MET)


def test_a_servicenow_duplicate_is_merged_and_a_monitored_one_an_alert() -> None:
    ticket = now(duplicate_of={"link": "https://x.example/a", "value": "abc"}, contact_type="Event Management")
    assert (ticket.exclusion, ticket.merged_into, ticket.source) == (Exclusion.MERGED, "abc", TicketSource.ALERT)


def test_groove_tells_of_spam_of_what_was_deleted_and_of_what_sleeps() -> None:
    ticket = {"number": 9, "created_at": "2026-03-02 08:00:00 UTC", "state": "opened"}

    def read(**changed: Any) -> Any:
        return groove.parse(ticket | changed)[0]

    assert read(state="spam").exclusion is Exclusion.SPAM
    assert read(deleted_at="2026-03-02 09:00:00 +0100").exclusion is Exclusion.DELETED
    assert read(snoozed_until="2026-03-05 09:00:00 +0100").waits[0].on is WaitingOn.OTHER


def test_easyvista_waits_while_suspended_and_tells_the_kind_by_its_number() -> None:
    (ticket,) = easyvista.parse(
        {
            "RFC_NUMBER": "S260302_000001",
            "SUBMIT_DATE_UT": "2026-03-02T08:00:00.000-05:00",
            "STATUS": {"STATUS_EN": "Suspended"},
        }
    )
    assert (ticket.kind, ticket.waits[0].on) == (TicketKind.REQUEST, WaitingOn.OTHER)


def test_ca_service_desk_counts_seconds_and_says_none_in_words() -> None:
    (ticket,) = ca_service_desk.parse(
        {
            "persistent_id": "cr:9",
            "ref_num": "1042",
            "type.sym": "Incident",
            "open_date": 1772438400,
            "resolve_date": "1772442000",
            "close_date": "None",
            "status.sym": "Resolved",
            "group.combo_name": "Level 3 Databases",
            "assignee": "cnt:77",
        }
    )
    assert (ticket.external_id, ticket.kind) == ("1042", TicketKind.INCIDENT)
    assert ticket.resolutions == resolved("2026-03-02T09:00:00")
    assert ticket.hand_overs == had("2026-03-02T08:00:00", "Level 3 Databases", "cnt:77", tier=3)
    assert ticket.closed_at is None


@pytest.mark.parametrize(
    ("read", "path"),
    [
        (lambda: cw(company="Acme"), "$[0].company"),
        (lambda: cw(closedFlag="maybe"), "$[0].closedFlag"),
        (lambda: cw(_info={}, dateEntered=None), "$[0].dateEntered"),
        (lambda: remedy(**{"Submit Date": None}), "$.entries[0].values.Create Date"),
        (lambda: remedy(**{"Group Transfers": "many"}), "$.entries[0].values.Group Transfers"),
        (lambda: now(opened_at="02.03.2026"), "$.result[0].opened_at"),
        (lambda: now(number=""), "$.result[0].number"),
        (lambda: now(reopen_count="10001"), "$.result[0].reopen_count"),
        (lambda: ca_service_desk.parse({"persistent_id": "cr:1"}), "$.open_date"),
        (lambda: ca_service_desk.parse({"persistent_id": "cr:1", "open_date": "nan"}), "$.open_date"),
        (lambda: groove.parse({"number": 1, "created_at": "2017-12-14"}), "$.created_at"),
    ],
)
def test_a_wrong_value_is_refused_with_its_place(read: Any, path: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read()
    assert refused.value.path == path
