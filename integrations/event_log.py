"""A log with several rows per ticket, put together into one report per ticket."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.imports import LineError, Parsed, line_error
from domain.tickets import (
    Exclusion,
    HandOver,
    Priority,
    ReportedEscalation,
    ReportedTicket,
    Resolution,
    SlaTarget,
    TicketKind,
    TicketSource,
    Wait,
    WaitingOn,
    resolved,
)
from integrations.courses import Course

MOST_ROWS = 10_000
"""Rows of one ticket that are read: the most that a ticket was ever handed on, many times over."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """One row: what the source said of a ticket at one moment; None where it said nothing.

    The moment is that of the hand-over. `is_open` says how the ticket stood then, for logs that tell: a ticket that is
    open again after a row in which it wasn't was reopened. `resolved_at` is when it was resolved, as far as the row
    knows; `settled_at` is that moment in logs that write the last one, known only at the end, on every row.
    """

    line: int
    external_id: str
    logged_at: datetime
    hand_over: HandOver
    client: str | None = None
    kind: TicketKind = TicketKind.UNKNOWN
    source: TicketSource = TicketSource.PERSON
    priority: Priority = Priority.UNKNOWN
    category: str | None = None
    resolved_at: datetime | None = None
    closed_at: datetime | None = None
    changed_at: datetime | None = None
    exclusion: Exclusion | None = None
    title: str | None = None
    site: str | None = None
    device: str | None = None
    merged_into: str | None = None
    first_responded_at: datetime | None = None
    is_open: bool | None = None
    settled_at: datetime | None = None
    times_reopened: int = 0
    waiting_on: WaitingOn | None = None
    waits: tuple[Wait, ...] = ()
    first_contact: bool | None = None
    response_sla: SlaTarget | None = None
    resolution_sla: SlaTarget | None = None
    escalation: ReportedEscalation | None = None


def assemble(rows: Iterator[Sighting | LineError], id_column: str) -> Iterator[Parsed]:
    """Put the rows of each ticket together; the last row that says something wins, the first says when it was logged.

    The rows of one ticket must stand together, so that one ticket at a time is held in memory. A row that
    comes back to an earlier ticket is reported, because half a ticket would overwrite the whole.
    """
    current: list[Sighting] = []
    finished: set[str] = set()
    for row in rows:
        if isinstance(row, LineError):
            yield Parsed(row.line, row)
            continue
        if current and row.external_id != current[0].external_id:
            finished.add(current[0].external_id)
            yield Parsed(current[-1].line, report(current))
            current = []
        if row.external_id in finished:
            yield Parsed(row.line, line_error(row.line, id_column, row.external_id, _SCATTERED))
            continue
        if len(current) >= MOST_ROWS:
            yield Parsed(row.line, line_error(row.line, id_column, row.external_id, _ENDLESS))
            continue
        current.append(row)
    if current:
        yield Parsed(current[-1].line, report(current))


_ENDLESS = f"The ticket has more than {MOST_ROWS} rows; this one and those after it are left out."

_SCATTERED = "The ticket's rows don't stand together: it ended further up. Sort the file by this column."


def report(sightings: list[Sighting]) -> ReportedTicket:
    """Put the rows of one ticket together."""
    first, last = sightings[0], sightings[-1]
    newest_first = sightings[::-1]
    course = _course(sightings)
    return ReportedTicket(
        external_id=first.external_id,
        client=next((row.client for row in newest_first if row.client is not None), None),
        logged_at=first.logged_at,
        kind=last.kind,
        source=last.source,
        priority=next((row.priority for row in newest_first if row.priority is not Priority.UNKNOWN), last.priority),
        category=next((row.category for row in newest_first if row.category is not None), None),
        closed_at=last.closed_at,
        changed_at=max((row.changed_at for row in sightings if row.changed_at is not None), default=None),
        exclusion=last.exclusion,
        hand_overs=course.hand_overs,
        title=next((row.title for row in newest_first if row.title is not None), None),
        site=next((row.site for row in newest_first if row.site is not None), None),
        device=next((row.device for row in newest_first if row.device is not None), None),
        merged_into=last.merged_into,
        first_responded_at=next((row.first_responded_at for row in sightings if row.first_responded_at), None),
        resolutions=_resolutions(sightings, course),
        times_reopened=max(row.times_reopened for row in sightings),
        waits=last.waits or course.stretches,
        first_contact=next((row.first_contact for row in newest_first if row.first_contact is not None), None),
        response_sla=next((row.response_sla for row in newest_first if row.response_sla is not None), None),
        resolution_sla=next((row.resolution_sla for row in newest_first if row.resolution_sla is not None), None),
        escalations=tuple(row.escalation for row in sightings if row.escalation is not None),
    )


def _course(sightings: Sequence[Sighting]) -> Course:
    course = Course()
    for row in sightings:
        at = row.hand_over.at
        course.had(row.hand_over)
        course.waits(at, row.waiting_on)
        if row.is_open:
            course.open(at)
        elif row.is_open is False:
            course.resolved(row.resolved_at or at)
    return course


def _resolutions(sightings: Sequence[Sighting], course: Course) -> tuple[Resolution, ...]:
    """Return the resolutions by how the ticket stood from row to row, or the last one where no row tells that."""
    settled_at = sightings[-1].settled_at
    if all(row.is_open is None for row in sightings):
        return resolved(settled_at)
    if settled_at is not None:
        course.settled(settled_at)
    return course.resolutions
