"""Zendesk Support: tickets of its Tickets API, ticket events of its webhooks, and whole histories from ticket audits.

Conventions by developer.zendesk.com (Tickets, Ticket Audits, Ticket Metrics, Side-loading; webhook event types,
Ticket events): `pending` waits for the requester and `hold` for a third party; `deleted` is a status; merging a ticket
into another closes it with the tag `closed_by_merge`. Groups, agents and organisations are told by their numbers.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from domain.tickets import (
    Exclusion,
    HandOver,
    Priority,
    ReportedTicket,
    Resolution,
    SlaTarget,
    TicketKind,
    WaitingOn,
)
from integrations.courses import Course, open_wait, standing
from integrations.payloads import Place, records
from integrations.readings import Ignored
from integrations.trade_words import source_named

SYSTEM = "ZENDESK"

EVENT = "zen:event-type:"
TICKET_EVENT = f"{EVENT}ticket."

EXCLUDING = {
    "soft_deleted": Exclusion.DELETED,
    "permanently_deleted": Exclusion.DELETED,
    "marked_as_spam": Exclusion.SPAM,
    "merged": Exclusion.MERGED,
}
MERGED_TAG = "closed_by_merge"

PRIORITIES = {"urgent": Priority.P1, "high": Priority.P2, "normal": Priority.P3, "low": Priority.P4}
KINDS = {
    "incident": TicketKind.INCIDENT,
    "problem": TicketKind.PROBLEM,
    "question": TicketKind.REQUEST,
    "task": TicketKind.REQUEST,
}
WAITS = {"pending": WaitingOn.CUSTOMER, "hold": WaitingOn.VENDOR}
RESOLVED = ("solved", "closed")

RESOLUTION_METRICS = ("total_resolution_time", "requester_wait_time", "agent_work_time")
"""The agreements on how long solving takes, the one that comes nearest to it first."""


def parse(body: object) -> tuple[ReportedTicket, ...]:
    """Return the tickets of an API answer or a webhook; with their audits they are told whole.

    Raises:
        Unreadable: a value isn't what Zendesk documents.
        Ignored: it is an event about something else than tickets.
    """
    root = Place("$", body)
    event = root.at("type").words() if root.has("type") and root.has("detail") else None
    if event is not None and event.startswith(EVENT):
        if not event.startswith(TICKET_EVENT):
            raise Ignored(f"The event {event} is about no ticket.")
        excluded = EXCLUDING.get(event.removeprefix(TICKET_EVENT))
        at = root.at("time").instant() if excluded else None
        return (_ticket(root.at("detail"), root, excluded=excluded, at=at),)
    if root.has("detail") and root.at("detail").has("ticket_event"):
        return (_ticket(root.at("detail", "ticket_event", "ticket"), root),)
    outer = root.at("Details") if root.has("Details") else root
    return tuple(_ticket(place, outer) for place in records(body, "Details", "tickets", "ticket"))


def _ticket(
    ticket: Place, beside: Place, *, excluded: Exclusion | None = None, at: datetime | None = None
) -> ReportedTicket:
    number = ticket.at("id").needed_key()
    logged_at = ticket.at("created_at").needed_instant()
    changed_at = at or ticket.at("updated_at").instant() or logged_at
    status = (ticket.at("status").words() or "").lower()
    tags = _tags(ticket.at("tags"))
    metrics = ticket.first("metric_set", "metrics") if ticket.has("metric_set", "metrics") else _beside(beside)
    slas = ticket.first("slas", "sla")
    told = ReportedTicket(
        external_id=number,
        client=_reference(ticket.at("organization_id")),
        logged_at=logged_at,
        kind=KINDS.get((ticket.at("type").words() or "").lower(), TicketKind.UNKNOWN),
        source=source_named(ticket.at("via", "channel").words(), *tags),
        priority=PRIORITIES.get((ticket.at("priority").words() or "").lower(), Priority.UNKNOWN),
        closed_at=changed_at if status == "closed" else None,
        changed_at=changed_at,
        exclusion=excluded or _excluded(status, tags),
        hand_overs=standing(changed_at, _reference(ticket.at("group_id")), _reference(ticket.at("assignee_id"))),
        title=ticket.first("subject", "raw_subject").words(),
        first_responded_at=_first_reply(metrics, logged_at),
        resolutions=_resolution(status, metrics.at("solved_at").instant() or changed_at),
        times_reopened=metrics.at("reopens").number() or 0,
        waits=open_wait(changed_at, WAITS.get(status)),
        response_sla=_target(slas, ("first_reply_time",)),
        resolution_sla=_target(slas, RESOLUTION_METRICS),
        snapshot=True,
    )
    whole = isinstance(beside.value, dict) and beside.has("audits") and not beside.at("next_page").said
    return _with_history(told, ticket, beside.at("audits").items()) if whole else told


def _with_history(told: ReportedTicket, ticket: Place, audits: list[Place]) -> ReportedTicket:
    """Return the ticket with who had it when, as its audits tell from the first one on."""
    course, requester = Course(), ticket.at("requester_id").key()
    team: str | None = None
    agent: str | None = None
    first_reply: datetime | None = told.first_responded_at
    closed_at: datetime | None = None
    moments = [(audit.at("created_at").needed_instant(), number, audit) for number, audit in enumerate(audits)]
    for at, _, audit in sorted(moments, key=lambda moment: moment[:2]):
        for event in audit.at("events").items():
            name, value = event.at("field_name").words(), event.at("value")
            if name == "group_id":
                team = _reference(value)
            elif name == "assignee_id":
                agent = _reference(value)
            elif name == "status":
                status = (value.words() or "").lower()
                course.waits(at, WAITS.get(status))
                (course.resolved if status in RESOLVED else course.open)(at)
                closed_at = at if status == "closed" else None
            elif first_reply is None and _replies(event, audit, requester):
                first_reply = at
        if team is not None or agent is not None:
            course.had(HandOver(at, team, agent=agent))
    return ReportedTicket(
        external_id=told.external_id,
        client=told.client,
        logged_at=told.logged_at,
        kind=told.kind,
        source=told.source,
        priority=told.priority,
        closed_at=closed_at,
        changed_at=told.changed_at,
        exclusion=told.exclusion,
        hand_overs=course.hand_overs,
        title=told.title,
        first_responded_at=first_reply,
        resolutions=course.resolutions,
        times_reopened=told.times_reopened,
        waits=course.stretches,
        response_sla=told.response_sla,
        resolution_sla=told.resolution_sla,
    )


def _replies(event: Place, audit: Place, requester: str | None) -> bool:
    """Whether an event is a public comment of somebody else than the requester."""
    if event.at("type").words() != "Comment" or not event.at("public").yes():
        return False
    author = event.first("author_id").key() or audit.at("author_id").key()
    return author is not None and author != requester


def _beside(beside: Place) -> Place:
    return beside.first("metric_set", "ticket_metric") if isinstance(beside.value, dict) else Place(beside.path, None)


def _reference(place: Place) -> str | None:
    """Return what a number of another record refers to; 0 refers to none."""
    key = place.key()
    return None if key == "0" else key


def _tags(place: Place) -> list[str]:
    return [tag for item in place.items() if (tag := item.words()) is not None]


def _excluded(status: str, tags: list[str]) -> Exclusion | None:
    if status == "deleted":
        return Exclusion.DELETED
    return Exclusion.MERGED if MERGED_TAG in tags else None


def _resolution(status: str, at: datetime) -> tuple[Resolution, ...]:
    return (Resolution(at),) if status in RESOLVED else ()


def _first_reply(metrics: Place, logged_at: datetime) -> datetime | None:
    """Return when the first reply went out, to the minute: Zendesk tells how many passed since the ticket came."""
    minutes = metrics.at("reply_time_in_minutes", "calendar")
    if not minutes.said:
        return None
    count = minutes.key() or ""
    if not count.isascii() or not count.isdigit() or len(count) > len("9999999"):
        return None
    return logged_at + timedelta(minutes=int(count))


def _target(slas: Place, metrics: tuple[str, ...]) -> SlaTarget | None:
    """Return by when the next breach falls; whether it was kept is not told."""
    due = {
        policy.at("metric").words(): breach
        for policy in slas.at("policy_metrics").items()
        if (breach := policy.at("breach_at").instant()) is not None
    }
    return next((SlaTarget(due[metric]) for metric in metrics if metric in due), None)
