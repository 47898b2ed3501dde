"""The incident and problem logs of Volvo IT's VINST system: one row per event of a case, in order."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from domain.imports import LineError, Parsed, line_error
from domain.tickets import HandOver, Priority, TicketKind, WaitingOn
from integrations.cells import short
from integrations.event_log import Sighting, assemble
from integrations.instants import ISO, InstantReader
from integrations.lines import Record, records

SYSTEM = "VINST"

COLUMNS = (
    "case_id",
    "timestamp",
    "status",
    "sub_status",
    "impact",
    "product",
    "support_team",
    "owner_org_country",
)

IMPACTS = {"Major": Priority.P1, "High": Priority.P2, "Medium": Priority.P3, "Low": Priority.P4}

WAITS = {
    "Wait": WaitingOn.OTHER,
    "Wait - Implementation": WaitingOn.OTHER,
    "Wait - User": WaitingOn.CUSTOMER,
    "Wait - Customer": WaitingOn.CUSTOMER,
    "Wait - Vendor": WaitingOn.VENDOR,
}
FIRST_CONTACT = {"In Call": True, "Resolved": False}
"""Whether a case was completed while the customer was still on the line; closing it later says nothing of that."""

NO_COUNTRY = ("0", "")


def parse(lines: Iterator[str], kind: TicketKind = TicketKind.INCIDENT) -> Iterator[Parsed]:
    """Give one report per case; the support line is read from the team's name.

    The client is the country of the owner's organisation: of all the organisational columns it alone stays
    the same through every case (org line, function and owner's country follow the team that has the case at
    the moment), and a case belongs to one client. A case that goes on after it was completed was reopened. Owners
    are told by their first names, which many people share, so no agent is read. Raises UnreadableFile when the header
    lacks a column.
    """
    moments = InstantReader(ISO, ZoneInfo("UTC"))
    sightings = (_sighting(row, moments, kind) for row in records(lines, required=COLUMNS))
    return assemble(sightings, "case_id")


def support_line(team: str) -> int | None:
    """Return the line that a team's name states: 2nd before 3rd, and the first where it states none."""
    if not team:
        return None
    words = team.split()[1:]
    if "2nd" in words:
        return 2
    return 3 if "3rd" in words else 1


def _sighting(row: Record | LineError, moments: InstantReader, kind: TicketKind) -> Sighting | LineError:
    if isinstance(row, LineError):
        return row
    column, cells = "case_id", row.cells
    try:
        case = _needed(cells["case_id"])
        column = "timestamp"
        at = moments.read(cells[column])
        column = "impact"
        priority = _priority(cells[column])
        column = "product"
        product = short(cells[column]) or None
        column = "support_team"
        team = short(cells[column])
        column = "owner_org_country"
        country = short(cells[column])
    except ValueError as error:
        return line_error(row.line, column, cells[column], str(error))
    completed = cells["status"] == "Completed"
    closed = completed and cells["sub_status"] in ("Closed", "Cancelled")
    return Sighting(
        line=row.line,
        external_id=case,
        logged_at=at,
        hand_over=HandOver(at, team or None, tier=support_line(team)),
        client=None if country in NO_COUNTRY else country,
        kind=kind,
        priority=priority,
        category=product,
        closed_at=at if closed else None,
        changed_at=at,
        is_open=not completed,
        waiting_on=WAITS.get(cells["sub_status"]),
        first_contact=FIRST_CONTACT.get(cells["sub_status"]),
    )


def _needed(text: str) -> str:
    if not text:
        raise ValueError("The row names no case.")
    return short(text)


def _priority(text: str) -> Priority:
    try:
        return IMPACTS[text]
    except KeyError:
        raise ValueError(f"The impact is none of {', '.join(IMPACTS)}.") from None
