"""Jira and Jira Service Management: issues as webhooks (old and new, server and cloud) and the REST API give them.

Conventions by developer.atlassian.com (Jira webhooks; REST API, Issues; Service Management, SLA) and the payloads: a
status belongs to the category new, indeterminate or done; an agreement is a field with completed cycles and an ongoing
one; a customer's organisation is a field of objects that link to one; the team is a field of Atlassian's team type. A
webhook's change log tells one change, that of `expand=changelog` all of them. Of people only the account is read.
"""

from __future__ import annotations

from datetime import datetime

from domain.tickets import (
    EscalationKind,
    Exclusion,
    Priority,
    ReportedEscalation,
    ReportedTicket,
    Resolution,
)
from integrations.courses import open_wait, standing
from integrations.jira_fields import Extras, extras
from integrations.jira_histories import ESCALATED, ESCALATION, agent_of, with_history
from integrations.payloads import Place, records
from integrations.readings import Ignored
from integrations.trade_words import domain_of, kind_named, line_named, priority_named, source_named, waiting_named

SYSTEM = "JIRA"

ISSUE_EVENTS = ("jira:issue_created", "jira:issue_updated")
DELETED_EVENT = "jira:issue_deleted"

BY_NUMBER = {
    "1": Priority.P1,
    "2": Priority.P2,
    "3": Priority.P3,
    "4": Priority.P4,
    "5": Priority.P4,
}
"""Every site begins with these five, whatever they were called: Blocker or Highest, Critical or High, and so on."""

DONE = "done"
DONE_NAMES = ("done", "resolved", "closed", "canceled", "cancelled", "completed")
"""States that end an issue, in payloads from before statuses had categories."""


def parse(body: object) -> tuple[ReportedTicket, ...]:
    """Return the issues of a webhook or an API answer.

    A move to another project gives an issue another key: the old key is reported as merged into the new one.

    Raises:
        Unreadable: a value isn't what Jira documents.
        Ignored: it is an event about something else than an issue's state, such as a comment.
    """
    root = Place("$", body)
    if not root.has("webhookEvent"):
        return tuple(_issue(place, Place("$", None)) for place in records(body, "issues", "issue"))
    event = root.at("webhookEvent").words() or ""
    if event not in (*ISSUE_EVENTS, DELETED_EVENT):
        raise Ignored(f"The event {event} tells nothing of an issue's state.")
    ticket = _issue(root.at("issue"), root)
    return (*_left_behind(ticket, root.at("changelog")), ticket)


def _issue(issue: Place, hook: Place) -> ReportedTicket:
    key, fields = issue.at("key").needed_key(), issue.at("fields")
    deleted = hook.at("webhookEvent").value == DELETED_EVENT
    logged_at = fields.at("created").needed_instant()
    changed_at = (hook.at("timestamp").epoch_milliseconds() if deleted else None) or fields.at("updated").instant()
    changed_at = changed_at or logged_at
    found = extras(fields)
    status = fields.at("status", "name").words()
    done = _done(fields.at("status"), status)
    resolved_at = (fields.at("resolutiondate").instant() or changed_at) if done else None
    merged, into = _duplicate(fields) if done else (False, None)
    ticket = ReportedTicket(
        external_id=key,
        client=found.organization or domain_of(fields.at("reporter", "emailAddress").words()),
        logged_at=logged_at,
        kind=kind_named(fields.at("issuetype", "name").words()),
        source=source_named(*(label.words() for label in fields.at("labels").items())),
        priority=_priority(fields.at("priority")),
        category=_category(fields, found),
        closed_at=resolved_at if (status or "").lower() == "closed" else None,
        changed_at=changed_at,
        exclusion=Exclusion.DELETED if deleted else Exclusion.MERGED if merged else None,
        hand_overs=standing(changed_at, found.team, agent_of(fields.at("assignee")), tier=line_named(found.team)),
        title=fields.at("summary").words(),
        device=found.asset,
        merged_into=into,
        first_responded_at=found.first_responded_at,
        resolutions=() if resolved_at is None else (Resolution(resolved_at),),
        waits=() if done else open_wait(changed_at, waiting_named(status)),
        response_sla=found.response_sla,
        resolution_sla=found.resolution_sla,
        escalations=_escalated(hook.at("changelog"), changed_at, found.team),
        snapshot=True,
    )
    histories = issue.at("changelog")
    return with_history(ticket, histories, DONE_NAMES) if _whole(histories) else ticket


def _done(status: Place, name: str | None) -> bool:
    category = status.at("statusCategory", "key").words()
    return category == DONE if category is not None else (name or "").lower() in DONE_NAMES


def _priority(priority: Place) -> Priority:
    return BY_NUMBER.get(priority.at("id").key() or "") or priority_named(priority.at("name").words())


def _category(fields: Place, found: Extras) -> str | None:
    components = fields.at("components").items()
    return components[0].at("name").words() if components else found.request_type


def _duplicate(fields: Place) -> tuple[bool, str | None]:
    """Return whether the issue was resolved as a duplicate, and of which other, by its link."""
    if (fields.at("resolution", "name").words() or "").lower() != "duplicate":
        return False, None
    for link in fields.at("issuelinks").items():
        if (link.at("type", "name").words() or "").lower() == "duplicate" and link.at("outwardIssue").said:
            return True, link.at("outwardIssue", "key").key()
    return True, None


def _escalated(changelog: Place, at: datetime, team: str | None) -> tuple[ReportedEscalation, ...]:
    """Return the escalation that a change of the status to Escalated is."""
    return tuple(
        ReportedEscalation(at, EscalationKind.FUNCTIONAL, to_team=team, reason=ESCALATION)
        for item in changelog.at("items").items()
        if item.at("field").words() == "status" and (item.at("toString").words() or "").lower() == ESCALATED
    )


def _whole(histories: Place) -> bool:
    """Whether an issue carries its change log from its first change to its last."""
    if not histories.has("histories"):
        return False
    total = histories.at("total").number()
    return total is None or total <= len(histories.at("histories").items())


def _left_behind(ticket: ReportedTicket, changelog: Place) -> tuple[ReportedTicket, ...]:
    former = [
        item.at("fromString").key()
        for item in changelog.at("items").items()
        if item.at("field").words() == "Key" and item.at("fromString").key() != ticket.external_id
    ]
    return tuple(
        ReportedTicket(
            external_id=key,
            client=ticket.client,
            logged_at=ticket.logged_at,
            kind=ticket.kind,
            source=ticket.source,
            priority=ticket.priority,
            changed_at=ticket.changed_at,
            exclusion=Exclusion.MERGED,
            title=ticket.title,
            merged_into=ticket.external_id,
            snapshot=True,
        )
        for key in former
        if key is not None
    )
