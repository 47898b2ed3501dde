"""ServiceNow's incident audit log: one row per update of an incident, in order."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from domain.imports import LineError, Parsed, line_error
from domain.tickets import HandOver, Priority, SlaResult, SlaTarget, TicketKind, WaitingOn
from integrations.cells import short, whole_number
from integrations.event_log import Sighting, assemble
from integrations.instants import InstantReader
from integrations.lines import Record, records

SYSTEM = "SERVICENOW"

COLUMNS = (
    "number",
    "reassignment_count",
    "opened_at",
    "sys_updated_at",
    "location",
    "category",
    "priority",
    "assignment_group",
    "resolved_at",
    "closed_at",
)

STATE, REOPENED, AGENT, DEVICE, MADE_SLA = "incident_state", "reopen_count", "assigned_to", "cmdb_ci", "made_sla"
"""Columns that are read where the log has them."""

WAITS = {
    "Awaiting User Info": WaitingOn.CUSTOMER,
    "Awaiting Vendor": WaitingOn.VENDOR,
    "Awaiting Problem": WaitingOn.OTHER,
    "Awaiting Evidence": WaitingOn.OTHER,
}
DONE = ("Resolved", "Closed")
UNKNOWN_STATE = "-100"

WALL_TIME = "%d/%m/%Y %H:%M"
"""Day first, no zone: the reader says whose wall it hung on."""

UNKNOWN = "?"

PRIORITIES = {
    "1 - Critical": Priority.P1,
    "2 - High": Priority.P2,
    "3 - Moderate": Priority.P3,
    "4 - Low": Priority.P4,
    "5 - Planning": Priority.P4,
    UNKNOWN: Priority.UNKNOWN,
}


def parse(lines: Iterator[str], zone: ZoneInfo) -> Iterator[Parsed]:
    """Give one report per incident; its client is the location, its hand-overs follow the assignment group.

    The log's own `reassignment_count` goes along with each hand-over: in every tenth incident the group that
    changed is unknown, and only the count tells that it did. The final `resolved_at` and `closed_at` stand on
    every row, so they are taken from the last; when it waited, was resolved and was reopened before that, the states
    of the rows tell. The agent is the one it is assigned to: who resolved it goes by a pseudonym of another series.
    Raises UnreadableFile when the header lacks a column.
    """
    moments = InstantReader(WALL_TIME, zone)
    return assemble((_sighting(row, moments) for row in records(lines, required=COLUMNS)), "number")


def _sighting(row: Record | LineError, moments: InstantReader) -> Sighting | LineError:
    if isinstance(row, LineError):
        return row
    column, cells = "number", row.cells
    try:
        number = _needed(cells["number"])
        column = "opened_at"
        opened_at = moments.read(cells[column])
        column = "sys_updated_at"
        updated_at = moments.read(cells[column])
        column = "reassignment_count"
        reassignments = whole_number(cells[column], least=0)
        column = "priority"
        priority = _priority(cells[column])
        column = "resolved_at"
        resolved_at = moments.read(cells[column]) if cells[column] != UNKNOWN else None
        column = "closed_at"
        closed_at = moments.read(cells[column]) if cells[column] != UNKNOWN else None
        column = "assignment_group"
        group = _known(cells[column])
        column = "location"
        location = _known(cells[column])
        column = "category"
        category = _known(cells[column])
        column = AGENT
        agent = _known(cells.get(column, ""))
        column = DEVICE
        device = _known(cells.get(column, ""))
        column = REOPENED
        reopened = whole_number(cells.get(column) or "0", least=0)
    except ValueError as error:
        return line_error(row.line, column, cells[column], str(error))
    state = cells.get(STATE, UNKNOWN)
    is_open = None if state in (UNKNOWN, UNKNOWN_STATE) else state not in DONE
    return Sighting(
        line=row.line,
        external_id=number,
        logged_at=opened_at,
        hand_over=HandOver(updated_at, group, reassignments=reassignments, agent=agent),
        client=location,
        kind=TicketKind.INCIDENT,
        priority=priority,
        category=category,
        closed_at=closed_at,
        changed_at=updated_at,
        device=device,
        is_open=is_open,
        settled_at=resolved_at,
        times_reopened=reopened,
        waiting_on=WAITS.get(state),
        resolution_sla=_agreement(cells.get(MADE_SLA, UNKNOWN), is_open=is_open),
    )


def _agreement(made: str, *, is_open: bool | None) -> SlaTarget | None:
    """Return what came of the agreement: false is a miss for good, true says no more than "so far" while it is open."""
    if made == "false":
        return SlaTarget(result=SlaResult.MISSED)
    return SlaTarget(result=SlaResult.MET) if made == "true" and is_open is False else None


def _known(text: str) -> str | None:
    return None if text in (UNKNOWN, "") else short(text)


def _needed(text: str) -> str:
    if text in (UNKNOWN, ""):
        raise ValueError("The incident has no number.")
    return short(text)


def _priority(text: str) -> Priority:
    try:
        return PRIORITIES[text]
    except KeyError:
        raise ValueError(f"The priority is none of {', '.join(PRIORITIES)}.") from None
