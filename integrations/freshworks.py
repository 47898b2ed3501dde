"""A ticket as Freshdesk and Freshservice both tell it; each has a file of its own for what differs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domain.tickets import (
    EscalationKind,
    Exclusion,
    Priority,
    ReportedEscalation,
    ReportedTicket,
    Resolution,
    TicketSource,
    WaitingOn,
)
from integrations.courses import open_wait, standing, target
from integrations.payloads import Place, records
from integrations.readings import Ignored
from integrations.trade_words import domain_of, kind_named, priority_named, source_named, waiting_named

PRIORITIES = {"1": Priority.P4, "2": Priority.P3, "3": Priority.P2, "4": Priority.P1}

WAITS = {"3": WaitingOn.OTHER, "6": WaitingOn.CUSTOMER, "7": WaitingOn.VENDOR}
"""Pending, and the two states that every account begins with beside it."""

RESOLVED, CLOSED = ("4", "Resolved"), ("5", "Closed")


@dataclass(frozen=True, slots=True)
class Dialect:
    """What differs: `clients` are the keys that may name the client, `alerts` the numbers of monitoring channels."""

    clients: tuple[str, ...]
    alerts: frozenset[str] = frozenset()
    wrappings: tuple[str, ...] = ("data", "tickets", "ticket", "helpdesk_ticket")


def read(body: object, dialect: Dialect) -> tuple[ReportedTicket, ...]:
    """Return the tickets of a body.

    Raises:
        Unreadable: a value isn't what the maker documents.
        Ignored: there is none; companies, agents, conversations and the like have neither subject nor status.
    """
    tickets = [place for place in records(body, *dialect.wrappings) if place.has("subject", "status")]
    if not tickets:
        raise Ignored("The records are of another kind than tickets.")
    return tuple(ticket(place, dialect) for place in tickets)


def ticket(place: Place, dialect: Dialect) -> ReportedTicket:
    """Return one ticket.

    Raises:
        Unreadable: a value isn't what the maker documents.
    """
    stats = place.at("stats")
    logged_at = place.at("created_at").needed_instant()
    changed_at = place.at("updated_at").instant() or logged_at
    status = place.at("status").key() or ""
    status_name = place.at("status_name").words()
    resolutions = _resolutions(status, stats, changed_at)
    responded_at = stats.at("first_responded_at").instant()
    late_response = place.at("fr_escalated").yes()
    late_resolution = place.first("is_escalated", "isescalated").yes()
    respond_by = place.first("fr_due_by", "frDueBy").instant()
    resolve_by = place.at("due_by").instant()
    return ReportedTicket(
        external_id=place.first("id", "display_id").needed_key(),
        client=_client(place, dialect),
        logged_at=logged_at,
        kind=kind_named(place.first("type", "ticket_type").words()),
        source=_source(place, dialect),
        priority=_priority(place),
        category=place.first("category", "sub_category").words(),
        closed_at=(stats.at("closed_at").instant() or changed_at) if status in CLOSED else None,
        changed_at=changed_at,
        exclusion=_exclusion(place),
        hand_overs=standing(changed_at, place.at("group_id").key(), place.at("responder_id").key()),
        title=place.at("subject").words(),
        device=next((asset.first("display_id", "id").key() for asset in place.at("assets").items()), None),
        first_responded_at=responded_at,
        resolutions=resolutions,
        times_reopened=int(stats.at("reopened_at").said),
        waits=open_wait(
            stats.first("pending_since", "status_updated_at").instant() or changed_at,
            WAITS.get(status) or waiting_named(status_name or status),
        ),
        response_sla=target(respond_by, missed=late_response, done=responded_at is not None),
        resolution_sla=target(resolve_by, missed=late_resolution, done=status in (*RESOLVED, *CLOSED)),
        escalations=(
            *_overdue(respond_by, "The first response was overdue.", missed=late_response),
            *_overdue(resolve_by, "The resolution was overdue.", missed=late_resolution),
        ),
        snapshot=True,
    )


def _client(place: Place, dialect: Dialect) -> str | None:
    for key in dialect.clients:
        if (found := place.at(key).key()) is not None:
            return found
    return domain_of(place.at("requester", "email").words())


def _source(place: Place, dialect: Dialect) -> TicketSource:
    if place.at("source").key() in dialect.alerts:
        return TicketSource.ALERT
    return source_named(place.at("source_name").words(), *(tag.words() for tag in place.at("tags").items()))


def _priority(place: Place) -> Priority:
    """Return the priority by its number; the name beside it is sometimes left behind by an update."""
    number = place.at("priority").key() or ""
    return PRIORITIES.get(number) or priority_named(place.at("priority_name").words() or number)


def _exclusion(place: Place) -> Exclusion | None:
    if place.at("spam").yes():
        return Exclusion.SPAM
    return Exclusion.DELETED if place.at("deleted").yes() else None


def _resolutions(status: str, stats: Place, changed_at: datetime) -> tuple[Resolution, ...]:
    """Return the last resolution; that of an open ticket only where the time it was reopened is told as well."""
    at = stats.at("resolved_at").instant()
    reopened_at = stats.at("reopened_at").instant()
    if status in (*RESOLVED, *CLOSED):
        return (Resolution(at or stats.at("closed_at").instant() or changed_at),)
    if at is not None and reopened_at is not None and reopened_at >= at:
        return (Resolution(at, reopened_at),)
    return ()


def _overdue(due_at: datetime | None, reason: str, *, missed: bool | None) -> tuple[ReportedEscalation, ...]:
    """Both systems escalate the moment an agreement's time is over, and mark the ticket."""
    if not missed or due_at is None:
        return ()
    return (ReportedEscalation(due_at, EscalationKind.SLA, reason=reason),)
