"""The help-desk log of an Italian software company: one row per activity of a ticket, in order.

The log is the published "Italian help desk" event log: moments are UTC, people are pseudonyms, and there is no column
of customers. "Require upgrade" hands a ticket to those who know more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from domain.imports import LineError, Parsed, line_error
from domain.tickets import EscalationKind, Exclusion, HandOver, ReportedEscalation, ReportedTicket, WaitingOn
from integrations.cells import short
from integrations.event_log import Sighting, assemble
from integrations.instants import ISO, InstantReader
from integrations.lines import Record, records

SYSTEM = "HELP_DESK_ITALY"

COLUMNS = ("case_id", "timestamp", "activity", "agent")

TAKEN = "Take in charge ticket"
ESCALATED = "Require upgrade"
CLOSED = "Closed"
DONE = ("Resolve ticket", "RESOLVED", CLOSED, "VERIFIED", "INVALID", "DUPLICATE")
EXCLUDED = {"DUPLICATE": Exclusion.MERGED}


def parse(lines: Iterator[str]) -> Iterator[Parsed]:
    """Give one report per ticket; its first activity is when it was logged.

    The first time that somebody takes it in charge is the first response, and who takes it in charge is the agent. A
    ticket that is worked on after it was resolved was reopened. Raises UnreadableFile when the header lacks a column.
    """
    moments = InstantReader(ISO, ZoneInfo("UTC"))
    for parsed in assemble((_sighting(row, moments) for row in records(lines, required=COLUMNS)), "case_id"):
        yield replace(parsed, outcome=_opened(parsed.outcome)) if isinstance(parsed.outcome, ReportedTicket) else parsed


def _opened(ticket: ReportedTicket) -> ReportedTicket:
    """Leave out the hand-overs before anybody took the ticket in charge: nobody had it."""
    return replace(ticket, hand_overs=tuple(had for had in ticket.hand_overs if had.agent is not None))


def _sighting(row: Record | LineError, moments: InstantReader) -> Sighting | LineError:
    if isinstance(row, LineError):
        return row
    column, cells = "case_id", row.cells
    try:
        case = _needed(cells["case_id"])
        column = "timestamp"
        at = moments.read(cells[column])
        column = "agent"
        agent = short(cells[column]) or None
        column = "activity"
        activity = short(cells[column])
    except ValueError as error:
        return line_error(row.line, column, cells[column], str(error))
    taken = activity == TAKEN
    return Sighting(
        line=row.line,
        external_id=case,
        logged_at=at,
        hand_over=HandOver(at, None, agent=agent if taken else None),
        closed_at=at if activity == CLOSED else None,
        changed_at=at,
        exclusion=EXCLUDED.get(activity),
        first_responded_at=at if taken else None,
        is_open=activity not in DONE,
        waiting_on=WaitingOn.OTHER if activity == "Wait" else None,
        escalation=_escalation(at) if activity == ESCALATED else None,
    )


def _escalation(at: datetime) -> ReportedEscalation:
    return ReportedEscalation(at, EscalationKind.FUNCTIONAL, reason=ESCALATED)


def _needed(text: str) -> str:
    if not text:
        raise ValueError("The row names no case.")
    return short(text)
