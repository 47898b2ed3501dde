"""EasyVista Service Manager: requests as its REST API gives them.

Conventions by its wiki (REST API, view a request) and the payloads: a request is known by its RFC number, whose first
letter tells the kind (I incident, S service request, P problem, C change); moments ending in `_UT` carry their offset;
the client is the department; of people only numbers are read.
"""

from __future__ import annotations

from domain.tickets import ReportedTicket, Resolution, SlaTarget, TicketKind
from integrations.courses import open_wait, standing
from integrations.payloads import Place, records
from integrations.trade_words import kind_named, waiting_named

SYSTEM = "EASYVISTA"

KINDS = {"I": TicketKind.INCIDENT, "S": TicketKind.REQUEST, "P": TicketKind.PROBLEM, "C": TicketKind.CHANGE}

DONE = ("closed", "resolved", "completed")


def parse(body: object) -> tuple[ReportedTicket, ...]:
    """Return the requests of an answer.

    Raises:
        Unreadable: a value isn't what EasyVista documents.
        Ignored: there is none.
    """
    return tuple(_request(place) for place in records(body, "records", "General"))


def _request(request: Place) -> ReportedTicket:
    number = request.at("RFC_NUMBER").needed_key()
    logged_at = request.first("SUBMIT_DATE_UT", "CREATION_DATE_UT").needed_instant()
    changed_at = request.at("LAST_UPDATE").instant() or logged_at
    state = (request.at("STATUS", "STATUS_EN").words() or "").lower()
    ended_at = request.at("END_DATE_UT").instant()
    done = state in DONE
    due_at = request.at("MAX_RESOLUTION_DATE_UT").instant()
    catalogue = request.at("SD_CATALOG_PATH").words()
    first_contact = request.at("FIRST_CALL_RESOLUTION").yes()
    return ReportedTicket(
        external_id=number,
        client=request.at("DEPARTMENT_ID").key(),
        logged_at=logged_at,
        kind=KINDS.get(number[:1]) or kind_named(catalogue),
        category=catalogue,
        closed_at=(ended_at or changed_at) if state == "closed" else None,
        changed_at=changed_at,
        hand_overs=standing(
            changed_at, request.at("LAST_GROUP_ID").key(), request.first("OWNER_ID", "LAST_DONE_BY_ID").key()
        ),
        title=request.at("TITLE").words(),
        site=request.at("LOCATION_ID").key(),
        device=request.first("ASSET_ID", "CI_ID").key(),
        resolutions=(Resolution(ended_at or changed_at),) if done else (),
        waits=() if done else open_wait(changed_at, waiting_named(state)),
        first_contact=first_contact if done else None,
        resolution_sla=None if due_at is None else SlaTarget(due_at),
        snapshot=True,
    )
