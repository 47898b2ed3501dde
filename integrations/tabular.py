"""Tickets in plain CSV or JSON lines of anybody's making, read by a mapping."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from domain.imports import LineError, Parsed, line_error
from domain.tickets import (
    Exclusion,
    HandOver,
    Priority,
    SlaResult,
    SlaTarget,
    TicketKind,
    TicketSource,
    Wait,
    WaitingOn,
    hand_overs,
)
from integrations.cells import cut, short, whole_number
from integrations.event_log import MOST_ROWS, Sighting, assemble, report
from integrations.instants import InstantReader
from integrations.lines import records
from integrations.mapping import CODES, Mapped, YesNo

C = TypeVar("C", Priority, TicketKind, TicketSource, Exclusion, WaitingOn, SlaResult, YesNo)


class _Bad(ValueError):
    """One cell is wrong."""

    def __init__(self, column: str, value: str | None, reason: str) -> None:
        super().__init__(reason)
        self.column, self.value, self.reason = column, value, reason


def parse_csv(lines: Iterator[str], mapped: Mapped) -> Iterator[Parsed]:
    """Give one report per ticket of a CSV file with a header.

    Raises UnreadableFile when the header lacks a mapped column.
    """
    required = tuple(column for name, column in mapped.columns.items() if name != "hand_overs")
    rows = records(lines, delimiter=mapped.delimiter, required=required)
    reader = _Reader(mapped)
    return assemble(
        (row if isinstance(row, LineError) else reader.sighting(row.line, row.cells.get) for row in rows),
        mapped.columns["external_id"],
    )


def parse_jsonl(lines: Iterator[str], mapped: Mapped) -> Iterator[Parsed]:
    """Give one report per ticket of a file with one JSON object per line; `a.b` in the mapping looks inside `a`."""
    reader = _Reader(mapped)
    if "hand_overs" in mapped.columns:
        return (_whole(line, value, reader) for line, value in _objects(lines))
    sightings = (
        value if isinstance(value, LineError) else reader.sighting(line, _looking_into(value))
        for line, value in _objects(lines)
    )
    return assemble(sightings, mapped.columns["external_id"])


def _objects(lines: Iterator[str]) -> Iterator[tuple[int, dict[str, Any] | LineError]]:
    decoder = msgspec.json.Decoder(dict[str, Any])
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text:
            continue
        try:
            yield number, decoder.decode(text)
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
            yield number, line_error(number, None, text, f"The line is no JSON object: {error}.")


def _looking_into(data: dict[str, Any]) -> Callable[[str], Any]:
    def look(path: str) -> Any:
        if path in data:
            return data[path]
        found: Any = data
        for key in path.split("."):
            found = found.get(key) if isinstance(found, dict) else None
        return found

    return look


def _whole(line: int, value: dict[str, Any] | LineError, reader: _Reader) -> Parsed:
    """A line that carries its own list of hand-overs is a whole ticket."""
    if isinstance(value, LineError):
        return Parsed(line, value)
    look = _looking_into(value)
    seen = reader.sighting(line, look)
    if isinstance(seen, LineError):
        return Parsed(line, seen)
    try:
        handed = reader.hand_overs(look)
    except _Bad as bad:
        return Parsed(line, line_error(line, bad.column, bad.value, bad.reason))
    ticket = report([seen])
    return Parsed(line, replace(ticket, hand_overs=hand_overs(handed)) if handed else ticket)


class _Reader:
    """Reads the mapped fields of one row, naming the column of the first that is wrong."""

    def __init__(self, mapped: Mapped) -> None:
        self.mapped = mapped
        self.moments = InstantReader(mapped.dates, mapped.zone)

    def sighting(self, line: int, look: Callable[[str], Any]) -> Sighting | LineError:
        try:
            return self._sighting(line, look)
        except _Bad as bad:
            return line_error(line, bad.column, bad.value, bad.reason)

    def hand_overs(self, look: Callable[[str], Any]) -> list[HandOver]:
        keys = self.mapped.hand_over_keys
        return [self._hand_over(item, keys) for item in self._objects(look, "hand_overs")]

    def _waits(self, look: Callable[[str], Any]) -> tuple[Wait, ...]:
        keys = self.mapped.wait_keys
        return tuple(
            Wait(
                self._needed_moment(item, keys["start"]),
                self._moment(item, keys.get("end")),
                self._code(item, "waiting_on", WaitingOn, keys.get("on")) or WaitingOn.OTHER,
            )
            for item in self._objects(look, "waits")
        )

    def _objects(self, look: Callable[[str], Any], name: str) -> list[Callable[[str], Any]]:
        column = self.mapped.columns.get(name)
        listed = None if column is None else look(column)
        if listed is None:
            return []
        words = name.replace("_", "-")
        if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
            raise _Bad(column or "", str(listed), f"The {words} are no list of objects.")
        if len(listed) > MOST_ROWS:
            raise _Bad(column or "", None, f"The ticket has {len(listed)} {words}; at most {MOST_ROWS} are read.")
        return [_looking_into(item) for item in listed]

    def _sighting(self, line: int, look: Callable[[str], Any]) -> Sighting:
        columns = self.mapped.columns
        logged_at = self._needed_moment(look, columns["logged_at"])
        changed_at = self._moment(look, columns.get("changed_at"))
        resolved_at = self._moment(look, columns.get("resolved_at"))
        first_contact = self._code(look, "first_contact", YesNo)
        return Sighting(
            line=line,
            external_id=self._needed_text(look, columns["external_id"]),
            logged_at=logged_at,
            hand_over=HandOver(
                at=changed_at or logged_at,
                team=self._text(look, columns.get("team")),
                tier=self._number(look, columns.get("tier"), least=1),
                reassignments=self._number(look, columns.get("reassignments"), least=0),
                agent=self._text(look, columns.get("agent")),
            ),
            client=self._text(look, columns.get("client")),
            kind=self._code(look, "kind", TicketKind) or TicketKind.UNKNOWN,
            source=self._code(look, "source", TicketSource) or TicketSource.PERSON,
            priority=self._code(look, "priority", Priority) or Priority.UNKNOWN,
            category=self._text(look, columns.get("category")),
            resolved_at=resolved_at,
            closed_at=self._moment(look, columns.get("closed_at")),
            changed_at=changed_at,
            exclusion=self._code(look, "exclusion", Exclusion),
            title=self._text(look, columns.get("title"), cut),
            site=self._text(look, columns.get("site")),
            device=self._text(look, columns.get("device")),
            merged_into=self._text(look, columns.get("merged_into")),
            first_responded_at=self._moment(look, columns.get("first_responded_at")),
            is_open=resolved_at is None if "resolved_at" in columns else None,
            times_reopened=self._number(look, columns.get("times_reopened"), least=0) or 0,
            waiting_on=self._code(look, "waiting_on", WaitingOn),
            waits=self._waits(look),
            first_contact=None if first_contact is None else first_contact is YesNo.YES,
            response_sla=self._agreement(look, "response"),
            resolution_sla=self._agreement(look, "resolution"),
        )

    def _agreement(self, look: Callable[[str], Any], name: str) -> SlaTarget | None:
        due_at = self._moment(look, self.mapped.columns.get(f"{name}_due_at"))
        result = self._code(look, f"{name}_sla", SlaResult)
        return None if due_at is None and result is None else SlaTarget(due_at, result)

    def _hand_over(self, look: Callable[[str], Any], keys: Any) -> HandOver:
        return HandOver(
            at=self._needed_moment(look, keys["at"]),
            team=self._text(look, keys.get("team")),
            tier=self._number(look, keys.get("tier"), least=1),
            reassignments=self._number(look, keys.get("reassignments"), least=0),
            agent=self._text(look, keys.get("agent")),
        )

    def _text(self, look: Callable[[str], Any], column: str | None, fit: Callable[[str], str] = short) -> str | None:
        value = look(column) if column is not None else None
        if value is None or isinstance(value, bool | dict | list):
            if value is None:
                return None
            raise _Bad(column or "", str(value), "The value is no text.")
        text = str(value).strip()
        if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
            raise _Bad(column or "", text, "The value holds characters that no text may hold.")
        if text in self.mapped.unknown:
            return None
        try:
            return fit(text)
        except ValueError as error:
            raise _Bad(column or "", text, str(error)) from error

    def _needed_text(self, look: Callable[[str], Any], column: str) -> str:
        text = self._text(look, column)
        if text is None:
            raise _Bad(column, None, "The value is missing; without it the ticket can't be known again.")
        return text

    def _moment(self, look: Callable[[str], Any], column: str | None) -> datetime | None:
        text = self._text(look, column)
        if text is None:
            return None
        try:
            return self.moments.read(text)
        except ValueError as error:
            raise _Bad(column or "", text, str(error)) from error

    def _needed_moment(self, look: Callable[[str], Any], column: str) -> datetime:
        moment = self._moment(look, column)
        if moment is None:
            raise _Bad(column, None, "The moment is missing.")
        return moment

    def _number(self, look: Callable[[str], Any], column: str | None, *, least: int) -> int | None:
        text = self._text(look, column)
        if text is None:
            return None
        try:
            return whole_number(text, least=least)
        except ValueError as error:
            raise _Bad(column or "", text, str(error)) from error

    def _code(self, look: Callable[[str], Any], name: str, codes: type[C], column: str | None = None) -> C | None:
        column = column or self.mapped.columns.get(name)
        text = self._text(look, column)
        translated = None if text is None else self.mapped.values.get(name, {}).get(text, text)
        if not translated:
            return None
        try:
            return codes(translated)
        except ValueError:
            known = ", ".join([*self.mapped.values.get(name, {}), *(code.value for code in CODES[name])])
            raise _Bad(column or "", text, f"The {name} is none of {known}; add it to `values.{name}`.") from None
