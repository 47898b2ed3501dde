"""ConnectWise PSA (Manage): service tickets of its REST API, and the callbacks that carry one.

Conventions by developer.connectwise.com (Service, Tickets; Callbacks): a callback is an object with `Action` (added,
updated, deleted) and the record as a JSON text in `Entity`; a board and, within it, a team have the ticket; the
company's identifier is its key; a merged ticket names its parent in `mergedParentTicket`; moments are UTC.
"""

from __future__ import annotations

import json

from domain.tickets import Exclusion, ReportedTicket, Resolution, SlaTarget, TicketKind
from integrations.courses import open_wait, standing
from integrations.payloads import Place, records
from integrations.readings import Ignored, Unreadable
from integrations.trade_words import kind_named, line_named, priority_named, source_named, waiting_named

SYSTEM = "CONNECTWISE"


def parse(body: object) -> tuple[ReportedTicket, ...]:
    """Return the tickets of an API answer or a callback.

    Raises:
        Unreadable: a value isn't what ConnectWise documents, or the text in `Entity` is no JSON.
        Ignored: it is a callback about something else than tickets.
    """
    root = Place("$", body)
    if not root.has("Entity", "Action"):
        return tuple(_ticket(place, deleted=False) for place in records(body))
    kind = (root.at("Type").words() or "ticket").lower()
    if kind != "ticket":
        raise Ignored(f"The callback is about a {kind}, and no ticket.")
    deleted = (root.at("Action").words() or "").lower() == "deleted"
    return (_ticket(_entity(root.at("Entity")), deleted=deleted),)


def _entity(place: Place) -> Place:
    if not isinstance(place.value, str):
        return place
    try:
        return Place(place.path, json.loads(place.value))
    except (ValueError, RecursionError) as error:
        raise Unreadable(place.path, place.value, "the record is no valid JSON.") from error


def _ticket(ticket: Place, *, deleted: bool) -> ReportedTicket:
    info = ticket.at("_info")
    logged_at = info.at("dateEntered").instant() or ticket.at("dateEntered").needed_instant()
    changed_at = info.at("lastUpdated").instant() or logged_at
    status = ticket.at("status", "name").words()
    closed = bool(ticket.at("closedFlag").yes())
    closed_at = (ticket.at("closedDate").instant() or changed_at) if closed else None
    resolved_at = ticket.at("dateResolved").instant() or closed_at
    team, board = ticket.at("team", "name").words(), ticket.at("board", "name").words()
    parent = ticket.at("mergedParentTicket", "id").key()
    respond_by = ticket.at("respondByGoalUTC").instant()
    resolve_by = ticket.at("resolutionGoalUTC").instant()
    return ReportedTicket(
        external_id=ticket.at("id").needed_key(),
        client=ticket.at("company").first("identifier", "id").key(),
        logged_at=logged_at,
        kind=_kind(ticket),
        source=source_named(ticket.at("source", "name").words()),
        priority=priority_named(ticket.at("priority", "name").words()),
        category=ticket.at("type", "name").words(),
        closed_at=closed_at,
        changed_at=changed_at,
        exclusion=_exclusion(parent, deleted=deleted),
        hand_overs=standing(
            changed_at,
            team or board,
            ticket.at("owner").first("identifier", "id").key(),
            tier=line_named(team) or line_named(board),
        ),
        title=ticket.at("summary").words(),
        site=ticket.at("site", "id").key() or ticket.at("siteName").key(),
        merged_into=parent,
        first_responded_at=ticket.at("dateResponded").instant(),
        resolutions=() if resolved_at is None else (Resolution(resolved_at),),
        waits=() if closed else open_wait(changed_at, waiting_named(status)),
        response_sla=None if respond_by is None else SlaTarget(respond_by),
        resolution_sla=None if resolve_by is None else SlaTarget(resolve_by),
        snapshot=True,
    )


def _kind(ticket: Place) -> TicketKind:
    if ticket.at("requestForChangeFlag").yes():
        return TicketKind.CHANGE
    return kind_named(ticket.at("type", "name").words())


def _exclusion(parent: str | None, *, deleted: bool) -> Exclusion | None:
    if deleted:
        return Exclusion.DELETED
    return None if parent is None else Exclusion.MERGED
