"""An import reads records out of a file: the good ones go in, and each bad line is named."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from domain.tickets import ReportedTicket

LONGEST_VALUE_SHOWN = 200
"""Characters of a bad value that a report repeats: enough to find it, too few to carry a file away."""


class ImportKind(StrEnum):
    """What a file brings."""

    TICKETS = "TICKETS"
    CLIENTS = "CLIENTS"


@dataclass(frozen=True, slots=True)
class LineError:
    """What is wrong with one line: its number (from 1, the header counts), the column, the value, the reason."""

    line: int
    column: str | None
    value: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Parsed:
    """One thing read from a file; `line` is the last line it took, so that progress and restarts can be counted."""

    line: int
    outcome: ReportedTicket | LineError


def line_error(line: int, column: str | None, value: str | None, reason: str) -> LineError:
    """Return the report of a bad line, its value made printable and cut to `LONGEST_VALUE_SHOWN`."""
    if value is None:
        return LineError(line, column, None, reason)
    printable = value.encode("utf-8", "backslashreplace").decode().replace("\x00", "\\x00")
    shown = printable if len(printable) <= LONGEST_VALUE_SHOWN else printable[: LONGEST_VALUE_SHOWN - 1] + "…"
    return LineError(line, column, shown, reason)
