"""CA Service Desk Manager: requests, incidents and problems as its web services give them.

Conventions by its technical reference (objects `cr`, `in`, `pr`) and the payloads: attributes of other objects are
written with a dot (`priority.sym`), moments are seconds since 1970, and "None" stands for nothing. People are told by
name only, and left out; an agent is known where the answer has the handle (`assignee`) itself.
"""

from __future__ import annotations

from domain.tickets import ReportedTicket, Resolution, TicketKind
from integrations.courses import open_wait, standing
from integrations.payloads import Place, records
from integrations.readings import Unreadable
from integrations.trade_words import kind_named, line_named, priority_named, waiting_named

SYSTEM = "CA_SERVICE_DESK"

KINDS = {"chg": TicketKind.CHANGE, "pr": TicketKind.PROBLEM, "in": TicketKind.INCIDENT}
"""By the object that a persistent id begins with; `cr` holds all three, told apart by `type`."""


def parse(body: object) -> tuple[ReportedTicket, ...]:
    """Return the requests of an answer.

    Raises:
        Unreadable: a value isn't what the product documents.
        Ignored: there is none.
    """
    return tuple(_request(place) for place in records(body, "collection", "cr", "in", "pr"))


def _request(request: Place) -> ReportedTicket:
    number = request.first("ref_num", "persistent_id").needed_key()
    opened = request.at("open_date")
    logged_at = opened.epoch_seconds()
    if logged_at is None:
        raise Unreadable(opened.path, opened.value, "the moment is missing; without it the ticket belongs to no day.")
    changed_at = request.at("last_mod_dt").epoch_seconds() or logged_at
    state = request.first("status.sym", "status").words() or ""
    closed_at = request.at("close_date").epoch_seconds()
    resolved_at = request.at("resolve_date").epoch_seconds() or closed_at
    team = request.at("group.combo_name").words()
    return ReportedTicket(
        external_id=number,
        client=request.first("customer.organization.name", "organization.name", "organization").key(),
        logged_at=logged_at,
        kind=_kind(request),
        priority=priority_named(request.at("priority.sym").words()),
        category=request.at("category.sym").words(),
        closed_at=closed_at,
        changed_at=changed_at,
        hand_overs=standing(changed_at, team, request.at("assignee").key(), tier=line_named(team)),
        title=request.at("summary").words(),
        device=request.at("affected_resource.name").key(),
        resolutions=() if resolved_at is None else (Resolution(resolved_at),),
        waits=() if resolved_at else open_wait(changed_at, waiting_named(state)),
        snapshot=True,
    )


def _kind(request: Place) -> TicketKind:
    stated = kind_named(request.first("type.sym", "type").words())
    if stated is not TicketKind.UNKNOWN:
        return stated
    prefix = (request.at("persistent_id").key() or "").partition(":")[0]
    return KINDS.get(prefix, TicketKind.UNKNOWN)
