"""The incident logs of Rabobank Group ICT: what was done to each incident, and the incidents, in one file.

They are published as two tables (BPI Challenge 2014). Packed files may simply be joined, the activities first:
`cat activities.csv.gz incidents.csv.gz > rabobank.csv.gz`. The incidents alone can be read as well: then nobody is
known to have had them, and the vendors they went to are missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain
from zoneinfo import ZoneInfo

from domain.imports import LineError, Parsed, line_error
from domain.tickets import (
    EscalationKind,
    HandOver,
    Priority,
    ReportedEscalation,
    ReportedTicket,
    TicketKind,
)
from integrations.cells import short, whole_number
from integrations.courses import Course
from integrations.event_log import MOST_ROWS
from integrations.instants import InstantReader
from integrations.lines import Record, UnreadableFile, records

SYSTEM = "RABOBANK"

COLUMNS = (
    "incident_id",
    "service_component_wbs_aff",
    "ci_name_aff",
    "ci_type_aff",
    "priority",
    "category",
    "count_reassignments",
    "open_time",
    "reopen_time",
    "resolved_time",
    "close_time",
)
ACTIVITY_COLUMNS = (
    "incident_id",
    "timestamp",
    "incident_activity_number",
    "incident_activity_type",
    "assignment_group",
)

ACTIVITY_MARK = "incident_activity_type"
"""A word that stands in the header of the activities alone."""

WALL_TIME = "%Y-%m-%d %H:%M:%S"
"""No zone: the reader says whose wall it hung on."""

PRIORITIES = {"1": Priority.P1, "2": Priority.P2, "3": Priority.P3, "4": Priority.P4, "5": Priority.P4}
KINDS = {
    "incident": TicketKind.INCIDENT,
    "request for information": TicketKind.REQUEST,
    "request for change": TicketKind.CHANGE,
}

ASSIGNS = ("Open", "Assignment", "Reassignment")
"""Other activities name the group of who did them, and leave the incident where it is."""

ENDS = ("Closed", "Resolved")
TO_VENDOR = "External Vendor Assignment"


@dataclass(slots=True)
class _Activity:
    at: datetime
    number: str
    kind: str
    group: str | None


@dataclass(slots=True)
class _Activities:
    """What was done to each incident, in no order; `lines` is how many lines of the file tell it."""

    of: dict[str, list[_Activity]] = field(default_factory=dict)
    lines: int = 0


def parse(lines: Iterator[str], zone: ZoneInfo) -> Iterator[Parsed]:
    """Give one report per incident; its client is the service component that is affected, its device the item.

    The count of reassignments goes along with the hand-overs. A hand-over to an external vendor is an escalation that
    the log itself names. How long a vendor was waited for it doesn't tell: it says when that began, and not when it
    ended. Raises UnreadableFile when a header lacks a column.
    """
    moments = InstantReader(WALL_TIME, zone)
    known = _Activities()
    first = next(lines, "")
    if ACTIVITY_MARK in first:
        joined = _UntilHeader(chain((first,), lines))
        yield from _collect(joined, moments, known)
        if joined.header is None:
            yield Parsed(known.lines, line_error(known.lines, None, None, _ALONE))
            return
        first = joined.header
    told: set[str] = set()
    for row in records(_incidents(first, lines), required=COLUMNS):
        line = row.line + known.lines
        outcome = replace(row, line=line) if isinstance(row, LineError) else _incident(row, line, moments, known)
        if isinstance(outcome, ReportedTicket):
            if outcome.external_id in told:
                outcome = line_error(
                    line, "incident_id", outcome.external_id, "The incident stands further up as well."
                )
            else:
                told.add(outcome.external_id)
        yield Parsed(line, outcome)


_ALONE = "The file ends after the activities; join the incidents to it: cat activities.csv.gz incidents.csv.gz."


def _incidents(header: str, lines: Iterator[str]) -> Iterator[str]:
    yield header
    for line in lines:
        if ACTIVITY_MARK in line:
            raise UnreadableFile("The activities stand behind the incidents; join the two the other way round.")
        yield line


class _UntilHeader(Iterator[str]):
    """The lines up to the header of the incidents, which is kept."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self.header: str | None = None
        self.count = 0

    def __next__(self) -> str:
        line = next(self._lines)
        if "open_time" in line and "close_time" in line:
            self.header = line.removeprefix("\ufeff")
            raise StopIteration
        self.count += 1
        return line


def _collect(lines: _UntilHeader, moments: InstantReader, known: _Activities) -> Iterator[Parsed]:
    for row in records(lines, required=ACTIVITY_COLUMNS):
        bad = row if isinstance(row, LineError) else _remember(row, moments, known)
        if bad is not None:
            yield Parsed(bad.line, bad)
    known.lines = lines.count


def _remember(row: Record, moments: InstantReader, known: _Activities) -> LineError | None:
    column, cells = "incident_id", row.cells
    try:
        incident = _needed(cells[column])
        column = "timestamp"
        at = moments.read(cells[column])
        column = "assignment_group"
        group = short(cells[column]) or None
    except ValueError as error:
        return line_error(row.line, column, cells[column], str(error))
    done = known.of.setdefault(incident, [])
    if len(done) >= MOST_ROWS:
        return line_error(row.line, "incident_id", incident, f"The incident has more than {MOST_ROWS} activities.")
    done.append(_Activity(at, cells["incident_activity_number"], cells["incident_activity_type"], group))
    return None


def _incident(row: Record, line: int, moments: InstantReader, known: _Activities) -> ReportedTicket | LineError:
    column, cells = "incident_id", row.cells
    try:
        incident = _needed(cells[column])
        column = "open_time"
        opened_at = moments.read(cells[column])
        column = "reopen_time"
        reopened_at = moments.read(cells[column]) if cells[column] else None
        column = "resolved_time"
        resolved_at = moments.read(cells[column]) if cells[column] else None
        column = "close_time"
        closed_at = moments.read(cells[column]) if cells[column] else None
        column = "count_reassignments"
        count = whole_number(cells[column] or "0", least=0)
        column = "priority"
        priority = _priority(cells[column])
        column = "service_component_wbs_aff"
        client = short(cells[column]) or None
        column = "ci_name_aff"
        device = short(cells[column]) or None
        column = "ci_type_aff"
        category = short(cells[column]) or None
    except ValueError as error:
        return line_error(line, column, cells[column], str(error))
    done = known.of.pop(incident, [])
    course = _course(done, opened_at)
    if resolved_at is not None:
        course.resolved(resolved_at)
        course.settled(resolved_at)
    return ReportedTicket(
        external_id=incident,
        client=client,
        logged_at=opened_at,
        kind=KINDS.get(cells["category"], TicketKind.UNKNOWN),
        priority=priority,
        category=category,
        closed_at=closed_at,
        changed_at=max((moment for moment in (closed_at, resolved_at, reopened_at) if moment), default=opened_at),
        hand_overs=course.hand_overs or _counted(opened_at, closed_at or resolved_at, count),
        device=device,
        resolutions=course.resolutions,
        times_reopened=max(sum(one.kind == "Reopen" for one in done), int(reopened_at is not None)),
        escalations=tuple(
            ReportedEscalation(max(one.at, opened_at), EscalationKind.VENDOR, from_team=one.group, reason=TO_VENDOR)
            for one in done
            if one.kind == TO_VENDOR
        ),
    )


def _course(done: list[_Activity], opened_at: datetime) -> Course:
    """Return the course that the activities tell; those of the first years stand an hour or two before the opening."""
    course, reassigned = Course(), 0
    done.sort(key=lambda one: (one.at, one.number))
    for one in done:
        at = max(one.at, opened_at)
        if one.kind in ASSIGNS:
            reassigned += one.kind == "Reassignment"
            course.had(HandOver(at, one.group, reassignments=reassigned))
        elif one.kind in ENDS:
            course.resolved(at)
        elif one.kind == "Reopen":
            course.open(at)
    return course


def _counted(opened_at: datetime, ended_at: datetime | None, count: int) -> tuple[HandOver, ...]:
    """Return what the count alone tells: that so many hand-overs had happened when the incident ended."""
    if not count or ended_at is None:
        return ()
    return (HandOver(opened_at, None, reassignments=0), HandOver(ended_at, None, reassignments=count))


def _needed(text: str) -> str:
    if not text:
        raise ValueError("The row names no incident.")
    return short(text)


def _priority(text: str) -> Priority:
    try:
        return PRIORITIES[text] if text else Priority.UNKNOWN
    except KeyError:
        raise ValueError(f"The priority is none of {', '.join(PRIORITIES)}.") from None
