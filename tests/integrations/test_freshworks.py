from typing import Any
from zoneinfo import ZoneInfo

import pytest

from domain.inbound import Delivery
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
from integrations import freshdesk, freshservice
from integrations.readings import Ignored, Unreadable
from tests.support.reports import at, resolved, said

TICKET: dict[str, Any] = {
    "id": 20,
    "subject": "Support needed",
    "status": 2,
    "priority": 4,
    "type": "Incident",
    "source": 2,
    "company_id": 77,
    "group_id": 5,
    "responder_id": 9,
    "created_at": "2026-03-02T08:00:00Z",
    "updated_at": "2026-03-02T12:00:00Z",
    "due_by": "2026-03-03T08:00:00Z",
    "fr_due_by": "2026-03-02T10:00:00Z",
    "fr_escalated": False,
    "is_escalated": False,
    "spam": False,
}


def desk(**changed: Any) -> Any:
    (ticket,) = freshdesk.parse(TICKET | changed)
    return ticket


def service(**changed: Any) -> Any:
    (ticket,) = freshservice.parse({"ticket": TICKET | {"department_id": 4000, "company_id": None} | changed})
    return ticket


@pytest.mark.parametrize(
    ("status", "on"),
    [(2, None), (3, WaitingOn.OTHER), (6, WaitingOn.CUSTOMER), (7, WaitingOn.VENDOR), (12, None)],
)
def test_a_status_tells_whom_a_ticket_waits_for(status: int, on: WaitingOn | None) -> None:
    waits = desk(status=status, stats={"status_updated_at": "2026-03-02T11:00:00Z"}).waits
    assert waits == (() if on is None else (Wait(at("2026-03-02T11:00:00"), None, on),))


def test_a_status_of_the_accounts_own_is_read_by_its_name() -> None:
    assert desk(status=12, status_name="Awaiting supplier").waits[0].on is WaitingOn.VENDOR
    assert desk(status=13, status_name="Waiting for support").waits == ()


def test_a_reopened_ticket_tells_when_it_was_resolved_and_reopened() -> None:
    stats = {"resolved_at": "2026-03-02T09:00:00Z", "reopened_at": "2026-03-02T10:00:00Z"}
    ticket = desk(stats=stats)
    assert ticket.resolutions == (Resolution(at("2026-03-02T09:00:00"), at("2026-03-02T10:00:00")),)
    assert (ticket.resolved_at, ticket.reopenings) == (None, 1)


def test_a_closed_ticket_was_resolved_before() -> None:
    stats = {"resolved_at": "2026-03-02T09:00:00Z", "closed_at": "2026-03-02T11:00:00Z"}
    ticket = desk(status=5, stats=stats)
    assert ticket.resolutions == resolved("2026-03-02T09:00:00")
    assert ticket.closed_at == at("2026-03-02T11:00:00")
    assert ticket.resolution_sla == SlaTarget(at("2026-03-03T08:00:00"), SlaResult.MET)


def test_an_agreement_that_was_overdue_escalated_when_its_time_was_over() -> None:
    ticket = desk(fr_escalated=True)
    assert ticket.response_sla == SlaTarget(at("2026-03-02T10:00:00"), SlaResult.MISSED)
    assert ticket.escalations == (
        ReportedEscalation(at("2026-03-02T10:00:00"), EscalationKind.SLA, reason="The first response was overdue."),
    )


def test_spam_and_deleted_tickets_count_in_nothing() -> None:
    assert desk(spam=True).exclusion is Exclusion.SPAM
    assert desk(deleted=True).exclusion is Exclusion.DELETED


def test_a_ticket_without_a_company_is_known_by_the_domain_of_who_asked() -> None:
    assert desk(company_id=None, requester={"name": "Jane", "email": "jane@acme.example"}).client == "acme.example"
    assert desk(company_id=None, requester={"email": "no address"}).client is None


def test_freshservice_calls_a_client_a_department_and_knows_more_channels() -> None:
    ticket = service(source=14, type="Service Request", category="Hardware", assets=[{"id": 1, "display_id": 55}])
    assert (ticket.client, ticket.kind, ticket.source) == ("4000", TicketKind.REQUEST, TicketSource.ALERT)
    assert (ticket.category, ticket.device) == ("Hardware", "55")
    assert desk(source=14).source is TicketSource.PERSON


def test_an_app_event_carries_the_ticket_in_its_data() -> None:
    (ticket,) = freshdesk.parse({"event": "onTicketCreate", "data": {"ticket": TICKET, "requester": {"id": 1}}})
    assert ticket.external_id == "20"


def test_a_webhook_with_the_times_tells_a_ticket_in_words() -> None:
    hook = {
        "ticket_id": "11",
        "ticket_created_at": "2026-03-02T08:00:00+01:00",
        "ticket_updated_at": "2026-03-02T09:00:00+01:00",
        "ticket_status": "Resolved",
        "ticket_priority": "Urgent",
        "ticket_type": "Service Request",
        "ticket_group_name": "Desk Tier 2",
        "ticket_company_name": "Acme",
        "ticket_source": "RMM",
    }
    (ticket,) = freshdesk.parse({"freshdesk_webhook": hook})
    assert said(ticket) == {
        "external_id": "11",
        "client": "Acme",
        "logged_at": at("2026-03-02T07:00:00"),
        "kind": TicketKind.REQUEST,
        "source": TicketSource.ALERT,
        "priority": Priority.P1,
        "changed_at": at("2026-03-02T08:00:00"),
        "hand_overs": (HandOver(at("2026-03-02T08:00:00"), "Desk Tier 2", 2),),
        "resolutions": resolved("2026-03-02T08:00:00"),
        "snapshot": True,
    }


def test_a_webhook_that_does_not_say_when_the_ticket_changed_was_delivered_when_it_did() -> None:
    hook = {"ticket_id": "11", "ticket_created_at": "2026-03-02T08:00:00Z", "ticket_status": "Closed"}
    (ticket,) = freshdesk.parse({"freshdesk_webhook": hook}, Delivery(at("2026-03-02T09:00:00"), ZoneInfo("UTC")))
    assert (ticket.changed_at, ticket.closed_at) == (at("2026-03-02T09:00:00"), at("2026-03-02T09:00:00"))


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (TICKET | {"created_at": None}, "$.created_at"),
        (TICKET | {"spam": "perhaps"}, "$.spam"),
        ([TICKET, TICKET | {"due_by": "soon"}], "$[1].due_by"),
        ({"tickets": [TICKET | {"stats": []}]}, "$.tickets[0].stats"),
        ({"tickets": [7]}, "$.tickets[0]"),
        (7, "$"),
    ],
)
def test_a_wrong_value_is_refused_with_its_place(body: object, path: str) -> None:
    with pytest.raises(Unreadable) as refused:
        freshdesk.parse(body)
    assert refused.value.path == path


def test_nothing_in_a_payload_is_nothing_to_take() -> None:
    nothing: tuple[object, ...] = ([], {}, {"tickets": []})
    for body in nothing:
        with pytest.raises(Ignored):
            freshservice.parse(body)
