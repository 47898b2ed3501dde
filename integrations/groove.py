"""Groove: tickets as its webhooks and its API v1 give them.

Conventions by its API reference (Tickets) and the payloads: states unread, opened, pending, closed and spam, of which
pending waits for the customer; the customer is an address, of which only the domain is kept; an agent has a number.
"""

from __future__ import annotations

from domain.tickets import Exclusion, ReportedTicket, Resolution, WaitingOn
from integrations.courses import open_wait, standing
from integrations.payloads import Place, records
from integrations.readings import Ignored
from integrations.trade_words import domain_of, line_named, priority_named, source_named

SYSTEM = "GROOVE"

MESSAGE_KEYS = ("agent_response", "plain_text_body")


def parse(body: object) -> tuple[ReportedTicket, ...]:
    """Return the tickets of a webhook or an API answer.

    Raises:
        Unreadable: a value isn't what Groove documents.
        Ignored: it is a message inside a ticket.
    """
    places = records(body, "tickets", "ticket")
    tickets = tuple(_ticket(place) for place in places if not place.has(*MESSAGE_KEYS))
    if not tickets:
        raise Ignored("A message tells nothing of its ticket's state.")
    return tickets


def _ticket(ticket: Place) -> ReportedTicket:
    logged_at = ticket.at("created_at").needed_instant()
    changed_at = ticket.at("updated_at").instant() or logged_at
    state = (ticket.at("state").words() or "").lower()
    since = ticket.at("state_changed_at").instant() or changed_at
    team = ticket.at("assigned_group").words()
    waits = WaitingOn.CUSTOMER if state == "pending" else WaitingOn.OTHER if ticket.at("snoozed_until").said else None
    return ReportedTicket(
        external_id=ticket.at("number").needed_key(),
        client=domain_of(ticket.at("links", "customer", "href").words()),
        logged_at=logged_at,
        source=source_named(*(tag.words() for tag in ticket.at("tags").items())),
        priority=priority_named(ticket.at("priority").words()),
        closed_at=since if state == "closed" else None,
        changed_at=changed_at,
        exclusion=_exclusion(ticket, state),
        hand_overs=standing(
            ticket.at("assigned_at").instant() or changed_at,
            team,
            ticket.at("links", "assignee", "id").key(),
            tier=line_named(team),
        ),
        title=ticket.at("title").words(),
        resolutions=(Resolution(since),) if state == "closed" else (),
        waits=open_wait(since, waits),
        snapshot=True,
    )


def _exclusion(ticket: Place, state: str) -> Exclusion | None:
    if state == "spam":
        return Exclusion.SPAM
    return Exclusion.DELETED if ticket.at("deleted_at").said else None
