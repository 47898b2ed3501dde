"""ServiceNow tables: incidents, requests, problems and changes as the Table API and outbound REST messages give them.

Conventions by docs.servicenow.com (Table API; incident life cycle): the answer lies in `result`; a field is a text, or
`{"link", "value"}` for a reference, or with `sysparm_display_value=all` an object of `display_value` and `value`;
values of moments are UTC without an offset. Incident states are 1 new, 2 in progress, 3 on hold, 6 resolved, 7 closed,
8 canceled; `hold_reason` says whom 3 waits for. The audit log of such a system is read by `servicenow`.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from domain.tickets import Exclusion, ReportedTicket, Resolution, TicketKind, WaitingOn
from integrations.courses import open_wait, standing, target
from integrations.payloads import Place, records
from integrations.servicenow import SYSTEM as LOG_SYSTEM
from integrations.trade_words import line_named, priority_named, source_named, waiting_named

SYSTEM = LOG_SYSTEM

UTC_ZONE = ZoneInfo("UTC")

KINDS = {
    "incident": TicketKind.INCIDENT,
    "sc_request": TicketKind.REQUEST,
    "sc_req_item": TicketKind.REQUEST,
    "sc_task": TicketKind.REQUEST,
    "problem": TicketKind.PROBLEM,
    "change_request": TicketKind.CHANGE,
}
PREFIXES = {
    "INC": TicketKind.INCIDENT,
    "REQ": TicketKind.REQUEST,
    "RITM": TicketKind.REQUEST,
    "SCTASK": TicketKind.REQUEST,
    "PRB": TicketKind.PROBLEM,
    "CHG": TicketKind.CHANGE,
}
"""Of numbers, for answers that leave out the table (`sys_class_name`)."""

HOLDS = {
    "1": WaitingOn.CUSTOMER,
    "3": WaitingOn.OTHER,
    "4": WaitingOn.VENDOR,
    "5": WaitingOn.OTHER,
}
"""Awaiting caller, problem, vendor, change."""

UNKNOWN_MOMENT = "UNKNOWN"
"""What a due moment shows while its agreement is still being worked out."""


def parse(body: object) -> tuple[ReportedTicket, ...]:
    """Return the records of an answer or a message.

    Raises:
        Unreadable: a value isn't what ServiceNow documents.
        Ignored: there is none.
    """
    return tuple(_record(place) for place in records(body, "result", "record"))


def _record(record: Place) -> ReportedTicket:
    number = _value(record.at("number")).needed_key()
    kind = _kind(record, number)
    logged_at = _value(record.first("opened_at", "sys_created_on")).needed_instant(naive=UTC_ZONE)
    changed_at = _moment(record.at("sys_updated_on")) or logged_at
    state, state_name = _value(record.first("state", "incident_state")).key() or "", _shown(record, "state")
    closed_at = _moment(record.at("closed_at"))
    resolved_at = _resolved(record, kind, state, state_name, closed_at)
    team = _value(record.at("assignment_group")).key()
    duplicate = _value(record.at("duplicate_of")).key()
    made = _value(record.at("made_sla")).yes()
    return ReportedTicket(
        external_id=number,
        client=_value(record.at("company")).key(),
        logged_at=logged_at,
        kind=kind,
        source=source_named(_value(record.at("contact_type")).words(), _shown(record, "contact_type")),
        priority=priority_named(_value(record.at("priority")).words()),
        category=_value(record.at("category")).words(),
        closed_at=closed_at,
        changed_at=changed_at,
        exclusion=None if duplicate is None else Exclusion.MERGED,
        hand_overs=standing(
            changed_at,
            team,
            _value(record.at("assigned_to")).key(),
            tier=line_named(_shown(record, "assignment_group") or team),
            reassignments=_value(record.at("reassignment_count")).number(),
        ),
        title=_value(record.at("short_description")).words(),
        site=_value(record.at("location")).key(),
        device=_value(record.at("cmdb_ci")).key(),
        merged_into=duplicate,
        resolutions=() if resolved_at is None else (Resolution(resolved_at),),
        times_reopened=_value(record.at("reopen_count")).number() or 0,
        waits=() if closed_at or resolved_at else open_wait(changed_at, _waiting(record, kind, state, state_name)),
        resolution_sla=target(
            _moment(record.first("sla_due", "due_date")),
            missed=None if made is None else not made,
            done=resolved_at is not None,
        ),
        snapshot=True,
    )


def _value(place: Place) -> Place:
    """Return where a field's own value stands, whichever of the three forms the answer has.

    A reference that shows only its name and link is known by the last part of the link: the name is for people.
    """
    if not isinstance(place.value, dict):
        return place
    if place.at("value").said or not place.at("link").said:
        return place.at("value") if place.has("value") else place.at("display_value")
    link = place.at("link").key() or ""
    return Place(f"{place.path}.link", link.rstrip("/").rpartition("/")[2])


def _shown(record: Place, field: str) -> str | None:
    """Return what the field shows to people, where the answer has it."""
    place = record.at(field)
    return place.at("display_value").words() if isinstance(place.value, dict) else place.words()


def _moment(place: Place) -> datetime | None:
    value = _value(place)
    return None if value.value == UNKNOWN_MOMENT else value.instant(naive=UTC_ZONE)


def _kind(record: Place, number: str) -> TicketKind:
    table = _value(record.at("sys_class_name")).words() or ""
    prefix = number.rstrip("0123456789")
    return KINDS.get(table.lower().replace(" ", "_")) or PREFIXES.get(prefix, TicketKind.UNKNOWN)


def _resolved(
    record: Place, kind: TicketKind, state: str, state_name: str | None, closed_at: datetime | None
) -> datetime | None:
    """Return when it was resolved: an incident keeps the moment of before it was reopened, which counts no more."""
    resolved_at = _moment(record.at("resolved_at"))
    if kind is not TicketKind.INCIDENT:
        return resolved_at or closed_at
    canceled = state == "8" or (state_name or "").lower() in ("canceled", "cancelled")
    done = state in ("6", "7") or (state_name or "").lower() in ("resolved", "closed")
    if canceled or not done:
        return None
    return resolved_at or closed_at


def _waiting(record: Place, kind: TicketKind, state: str, state_name: str | None) -> WaitingOn | None:
    reason = record.at("hold_reason")
    if kind is TicketKind.INCIDENT and (state == "3" or state_name == "On Hold"):
        held = HOLDS.get(_value(reason).key() or "")
        return held or waiting_named(_shown(record, "hold_reason")) or WaitingOn.OTHER
    return waiting_named(state_name)
