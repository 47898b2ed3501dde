"""A log with several rows per ticket, put together into one report per ticket."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from domain.imports import LineError, Parsed, line_error
from domain.tickets import Exclusion, HandOver, Priority, ReportedTicket, TicketKind, TicketSource, hand_overs, resolved

MOST_ROWS = 10_000
"""Rows of one ticket that are read: the most that a ticket was ever handed on, many times over."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """One row: what the source said of a ticket at one moment; None where it said nothing."""

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
            yield Parsed(current[-1].line, _report(current))
            current = []
        if row.external_id in finished:
            yield Parsed(row.line, line_error(row.line, id_column, row.external_id, _SCATTERED))
            continue
        if len(current) >= MOST_ROWS:
            yield Parsed(row.line, line_error(row.line, id_column, row.external_id, _ENDLESS))
            continue
        current.append(row)
    if current:
        yield Parsed(current[-1].line, _report(current))


_ENDLESS = f"The ticket has more than {MOST_ROWS} rows; this one and those after it are left out."

_SCATTERED = "The ticket's rows don't stand together: it ended further up. Sort the file by this column."


def _report(sightings: list[Sighting]) -> ReportedTicket:
    first, last = sightings[0], sightings[-1]
    newest_first = sightings[::-1]
    return ReportedTicket(
        external_id=first.external_id,
        client=next((row.client for row in newest_first if row.client is not None), None),
        logged_at=first.logged_at,
        kind=last.kind,
        source=last.source,
        priority=next((row.priority for row in newest_first if row.priority is not Priority.UNKNOWN), last.priority),
        category=next((row.category for row in newest_first if row.category is not None), None),
        resolutions=resolved(_resolved(newest_first)),
        closed_at=last.closed_at,
        changed_at=max((row.changed_at for row in sightings if row.changed_at is not None), default=None),
        exclusion=last.exclusion,
        hand_overs=hand_overs(row.hand_over for row in sightings),
    )


def _resolved(newest_first: list[Sighting]) -> datetime | None:
    """Return when the ticket was last resolved: closing it later isn't resolving it again, reopening undoes it."""
    resolved = None
    for row in newest_first:
        if row.resolved_at is None:
            break
        resolved = row.resolved_at
    return resolved
