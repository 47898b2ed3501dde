"""A file of payloads, one JSON body a line: what a system's API answered, or what its webhooks sent, kept in order."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

from domain.imports import LineError, Parsed, line_error
from domain.tickets import ReportedTicket
from integrations.readings import Ignored, Unreadable

TWICE = "The ticket stands further up in the file; keep the newest of its payloads alone."


def parse(lines: Iterator[str], read: Callable[[object], tuple[ReportedTicket, ...]]) -> Iterator[Parsed]:
    """Give the tickets of each line as the system's adapter reads them; a line that tells of none is passed over.

    A bad line is named with the place in its JSON. A ticket is taken once: of a second payload of it in the same file
    nobody could say whether it is older.
    """
    known: set[str] = set()
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        outcome = _read(number, line, read)
        if isinstance(outcome, LineError):
            yield Parsed(number, outcome)
            continue
        for ticket in outcome:
            if ticket.external_id in known:
                yield Parsed(number, line_error(number, None, ticket.external_id, TWICE))
            else:
                known.add(ticket.external_id)
                yield Parsed(number, ticket)


def _read(
    number: int, line: str, read: Callable[[object], tuple[ReportedTicket, ...]]
) -> tuple[ReportedTicket, ...] | LineError:
    try:
        body = json.loads(line)
    except (ValueError, RecursionError) as error:
        reason = f"The line is no JSON ({error}). Write each body on one line: jq -c . bodies.json"
        return line_error(number, None, line.strip(), reason)
    try:
        return read(body)
    except Unreadable as refused:
        value = refused.value if isinstance(refused.value, str | int | float) else None
        return line_error(number, refused.path, None if value is None else _shown(value), refused.reason)
    except Ignored:
        return ()


def _shown(value: str | float) -> str:
    """Return a value as text; a number too long to be written out is told by its size."""
    try:
        return str(value)
    except ValueError:
        return "a number of thousands of digits"
