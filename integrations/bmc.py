"""BMC Helix ITSM (Remedy): incidents as the AR System's REST API gives them.

Conventions by docs.bmc.com (AR System REST API; HPD:Help Desk and HPD:IncidentInterface): an entry's fields lie in
`values`, in lists in `entries`; the summary is called `Description`; states run New, Assigned, In Progress, Pending,
Resolved, Closed, Cancelled, `Status History` tells when each was last entered, and `Status_Reason` whom Pending waits
for. A provider's clients are companies. Of people only the login is read.
"""

from __future__ import annotations

from datetime import datetime

from domain.tickets import ReportedTicket, Resolution, TicketKind, WaitingOn
from integrations.courses import open_wait, standing, target
from integrations.payloads import Place, records
from integrations.readings import Ignored
from integrations.trade_words import kind_named, line_named, priority_named, source_named, waiting_named

SYSTEM = "BMC"

STATES = ("New", "Assigned", "In Progress", "Pending", "Resolved", "Closed", "Cancelled")
"""By the numbers that the API writes where it isn't asked for words."""

KINDS = {
    "User Service Restoration": TicketKind.INCIDENT,
    "User Service Request": TicketKind.REQUEST,
    "Infrastructure Restoration": TicketKind.INCIDENT,
    "Infrastructure Event": TicketKind.INCIDENT,
    "Security Incident": TicketKind.INCIDENT,
}
WORK_LOG = "Work Log ID"


def parse(body: object) -> tuple[ReportedTicket, ...]:
    """Return the incidents of an API answer.

    Raises:
        Unreadable: a value isn't what BMC documents.
        Ignored: the entries are work logs, which name no incident.
    """
    places = records(body, "entries", "values")
    incidents = [place for place in places if place.has("Incident Number") or not place.has(WORK_LOG)]
    if not incidents:
        raise Ignored("The entries are work logs; they tell of no incident's state.")
    return tuple(_incident(place) for place in incidents)


def _incident(entry: Place) -> ReportedTicket:
    logged_at = entry.first("Reported Date", "Submit Date", "Create Date").needed_instant()
    changed_at = entry.first("Last Modified Date", "Modified Date").instant() or logged_at
    state = _state(entry.at("Status"))
    history = entry.at("Status History")
    entered = _entered(history, state) or changed_at
    resolved_at = _resolved(entry, history, state, changed_at)
    team = entry.at("Assigned Group").words()
    done = resolved_at is not None
    channel, service = entry.at("Reported Source").words(), entry.at("Service_Type").words()
    return ReportedTicket(
        external_id=entry.first("Incident Number", "Request ID").needed_key(),
        client=entry.first("Company", "Contact_Company").key(),
        logged_at=logged_at,
        kind=KINDS.get(service or "") or kind_named(service),
        source=source_named(channel),
        priority=priority_named(entry.at("Priority").words()),
        category=entry.first("Categorization Tier 1", "Product Categorization Tier 1").words(),
        closed_at=(entry.at("Closed Date").instant() or entered) if state in ("Closed", "Cancelled") else None,
        changed_at=changed_at,
        hand_overs=standing(
            changed_at,
            team,
            entry.at("Assignee Login ID").key(),
            tier=line_named(team),
            reassignments=entry.first("Group Transfers", "Total Transfers").number(),
        ),
        title=entry.at("Description").words(),
        site=entry.first("Site ID", "Site").key(),
        device=entry.first("HPD_CI", "CI Name").key(),
        first_responded_at=entry.at("Responded Date").instant(),
        resolutions=() if resolved_at is None else (Resolution(resolved_at),),
        times_reopened=int(entry.at("Re-Opened Date").said),
        waits=open_wait(entered, _waiting(entry.at("Status_Reason").words())) if state == "Pending" else (),
        resolution_sla=target(
            entry.first("Required Resolution DateTime", "Target Date").instant(),
            missed=_missed(entry.at("SLM Status").words()),
            done=done,
        ),
        snapshot=True,
    )


def _state(place: Place) -> str:
    written = place.key() or ""
    return STATES[int(written)] if written in ("0", "1", "2", "3", "4", "5", "6") else written


def _entered(history: Place, state: str) -> datetime | None:
    return history.at(state, "timestamp").instant() if history.said and state else None


def _resolved(entry: Place, history: Place, state: str, changed_at: datetime) -> datetime | None:
    """Return when it was resolved; what an open or cancelled incident keeps of an earlier time counts no more."""
    if state not in ("Resolved", "Closed"):
        return None
    told = entry.at("Last Resolved Date").instant() or _entered(history, "Resolved")
    return told or entry.at("Closed Date").instant() or _entered(history, state) or changed_at


def _waiting(reason: str | None) -> WaitingOn:
    """Return whom Pending waits for, by words such as Client Action Required or Third Party Vendor Action Reqd."""
    return waiting_named(f"pending {reason or ''}") or WaitingOn.OTHER


def _missed(status: str | None) -> bool | None:
    """Return whether an agreement is missed by the words of its state; "within time" says only so far."""
    lowered = (status or "").lower()
    if "breach" in lowered or "missed" in lowered:
        return True
    return False if "within" in lowered or "met" in lowered.split() else None
