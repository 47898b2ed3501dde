"""Existing clients in a CSV file or in JSON lines, one client a row, every wrong cell named."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import msgspec

from domain.clients import ContactRole, ContractScope, ContractStatus, ContractType, ExternalKey
from domain.errors import UserError
from domain.imports import LineError, line_error
from domain.moving_in import Arrival, ToldContact, ToldContract, ToldHold, When
from domain.onboarding import EndReason, HoldReason
from domain.stages import Stage
from domain.texts import is_line
from integrations.client_columns import CONTACTS, FIELDS, NEEDED, Columns, columns_of
from integrations.instants import ISO, InstantReader
from integrations.lines import UnreadableFile, records

E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")

LONGEST_NUMBER = 9
"""Digits of a number of seats."""

_DAY_CHARACTERS = 10
_CONTACT_KEYS = ("name", "email", "phone", "roles", "language", "opted_out")


@dataclass(frozen=True, slots=True)
class ClientLine:
    """One row of the file: what it tells, or everything that is wrong with it."""

    line: int
    told: Arrival | None
    problems: tuple[LineError, ...]
    columns: Columns
    cells: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The client's name as it stands there, as far as it can be read."""
        name = self.cells.get(self.columns.by_field.get("name", ""))
        return name.strip() if isinstance(name, str) and is_line(name) else ""

    def problem(self, error: UserError) -> LineError:
        """Return a fault that was found later as one of this line, with the column and what stands there."""
        column = self.columns.of_path(error.path)
        value = self.cells.get(column) if column is not None else None
        return line_error(self.line, column, None if value in (None, "") else str(value), error.message)


def parse_csv(
    lines: Iterator[str], zone: ZoneInfo, mapped: Mapping[str, str], delimiter: str = ","
) -> Iterator[ClientLine]:
    """Give one line per client of a CSV file with a header.

    Raises:
        UnreadableFile: the header has a column that is not known, or lacks one that is needed.
    """
    found: list[Columns] = []

    def check(header: list[str]) -> None:
        found.append(columns_of(header, mapped, needed=NEEDED))

    for record in records(lines, delimiter=delimiter, required=(), check=check):
        if isinstance(record, LineError):
            yield ClientLine(record.line, None, (record,), found[0], {})
        else:
            yield _read(record.line, found[0], record.cells, zone)


def parse_jsonl(lines: Iterator[str], zone: ZoneInfo, mapped: Mapping[str, str]) -> Iterator[ClientLine]:
    """Give one line per client of a file with one JSON object a line; a key is called as a column would be."""
    decoder = msgspec.json.Decoder(dict[str, Any])
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text:
            continue
        try:
            told = decoder.decode(text)
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
            bad = line_error(number, None, text, f"The line is no JSON object: {error}.")
            yield ClientLine(number, None, (bad,), Columns({}), {})
            continue
        try:
            columns = columns_of(list(told), mapped)
        except UnreadableFile as error:
            yield ClientLine(number, None, (line_error(number, None, None, str(error)),), Columns({}), {})
            continue
        yield _read(number, columns, told, zone)


def _read(line: int, columns: Columns, cells: Mapping[str, Any], zone: ZoneInfo) -> ClientLine:
    reader = _Reader(line, columns, cells, zone)
    told = reader.arrival()
    return ClientLine(line, None if reader.problems else told, tuple(reader.problems), columns, cells)


class _Reader:
    """Reads the cells of one row and gathers everything that is wrong with them."""

    def __init__(self, line: int, columns: Columns, cells: Mapping[str, Any], zone: ZoneInfo) -> None:
        self.line, self.columns, self.cells = line, columns, cells
        self.moments = InstantReader(ISO, zone)
        self.problems: list[LineError] = []

    def arrival(self) -> Arrival:
        text, day = self.text, self.when
        return Arrival(
            name=text("name") or "",
            external=self._external(),
            industry=text("industry"),
            seats=self.number("seats"),
            owner_email=text("owner_email"),
            account_manager_email=text("account_manager_email"),
            lead_email=text("lead_email"),
            technical_lead_email=text("technical_lead_email"),
            contract=self._contract(),
            contacts=self._contacts(),
            stage=self.code("stage", Stage),
            contracting_on=day("contracting_on"),
            discovery_on=day("discovery_on"),
            live_on=day("live_on"),
            steady_on=day("steady_on"),
            ended_on=day("ended_on"),
            outcome=self.code("outcome", EndReason),
            end_reason=text("end_reason"),
            hold=self._hold(),
        )

    def text(self, field: str) -> str | None:
        value = self.cells.get(self.columns.by_field.get(field, ""))
        if value is None or value == "":
            return None
        if isinstance(value, bool | dict | list | float):
            self.bad(field, "The value is no text.")
            return None
        told = str(value).strip()
        if "\x00" in told or any("\ud800" <= character <= "\udfff" for character in told):
            self.bad(field, "The value holds characters that no text may hold.")
            return None
        return told or None

    def number(self, field: str) -> int | None:
        return self._as(field, _whole)

    def when(self, field: str) -> When | None:
        return self._as(field, self._moment)

    def day(self, field: str) -> date | None:
        return self._as(field, _day)

    def code(self, field: str, codes: type[E]) -> E | None:
        return self._as(field, lambda told: _code(told, codes))

    def codes(self, field: str, codes: type[E]) -> tuple[E, ...]:
        value = self.cells.get(self.columns.by_field.get(field, ""))
        try:
            return _codes(value, codes)
        except ValueError as error:
            self.bad(field, str(error))
            return ()

    def bad(self, field: str, reason: str) -> None:
        column = self.columns.by_field.get(field, field)
        value = self.cells.get(column)
        shown = None if value is None or value == "" else str(value)
        self.problems.append(line_error(self.line, column, shown, reason))

    def given(self, fields: tuple[str, ...]) -> bool:
        return any(self.text(field) is not None for field in fields)

    def _as(self, field: str, read: Callable[[str], T]) -> T | None:
        told = self.text(field)
        if told is None:
            return None
        try:
            return read(told)
        except ValueError as error:
            self.bad(field, str(error))
            return None

    def _moment(self, told: str) -> When:
        if len(told) <= _DAY_CHARACTERS:
            return _day(told)
        try:
            return self.moments.read(told)
        except ValueError as error:
            raise ValueError("The value is no day such as 2026-03-01, nor an instant in ISO 8601.") from error

    def _external(self) -> ExternalKey | None:
        system, key = self.text("external_system"), self.text("external_key")
        if system is None and key is None:
            return None
        if system is None or key is None:
            missing = "external_system" if system is None else "external_key"
            self.bad(missing, "A client's key in another system takes both the system and the key.")
        return ExternalKey(system or "", key or "")

    def _contract(self) -> ToldContract | None:
        rest = tuple(field for field, path in FIELDS.items() if path[0] == "contract" and field != "contract_title")
        title = self.text("contract_title")
        if title is None and not any(self.cells.get(self.columns.by_field.get(field, "")) for field in rest):
            return None
        if title is None:
            self.bad("contract_title", "The contract has no title; say what was agreed, such as Managed services.")
        return ToldContract(
            title=title or "",
            type=self.code("contract_type", ContractType) or ContractType.MANAGED,
            status=self.code("contract_status", ContractStatus),
            scope=self.codes("contract_scope", ContractScope),
            seats=self.number("contract_seats"),
            coverage_hours=self.text("coverage_hours"),
            sent_on=self.when("sent_on"),
            signed_on=self.when("signed_on"),
            starts_on=self.day("starts_on"),
            ends_on=self.day("ends_on"),
            renews_on=self.day("renews_on"),
        )

    def _hold(self) -> ToldHold | None:
        if not self.given(("hold_since", "hold_reason", "hold_note", "hold_until")):
            return None
        since, reason = self.when("hold_since"), self.code("hold_reason", HoldReason)
        for field, told in (("hold_since", since), ("hold_reason", reason)):
            if told is None and self.text(field) is None:
                self.bad(
                    field, "A hold takes the day since when, and one of the reasons CLIENT, INTERNAL, VENDOR, LEGAL."
                )
        if since is None or reason is None:
            return None
        return ToldHold(since, reason, self.text("hold_note"), self.day("hold_until"))

    def _contacts(self) -> tuple[ToldContact, ...]:
        listed = self.cells.get(self.columns.by_field.get(CONTACTS, ""))
        if listed is not None:
            return tuple(self._listed(listed))
        fields = tuple(field for field, path in FIELDS.items() if path[0] == CONTACTS)
        name = self.text("contact_name")
        if name is None and not any(self.cells.get(self.columns.by_field.get(field, "")) for field in fields):
            return ()
        if name is None:
            self.bad("contact_name", "The contact has no name; give one, or leave the contact out.")
        roles = self.codes("contact_roles", ContactRole)
        contact = ToldContact(
            name=name or "",
            email=self.text("contact_email"),
            phone=self.text("contact_phone"),
            roles=roles or (ContactRole.PRIMARY,),
            language=self.text("contact_language"),
        )
        return (contact,)

    def _listed(self, listed: Any) -> Iterator[ToldContact]:
        if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
            self.bad(CONTACTS, "The contacts are no list of objects.")
            return
        for place, one in enumerate(listed):
            if unknown := [key for key in one if key not in _CONTACT_KEYS]:
                names = ", ".join(repr(key[:40]) for key in unknown[:10])
                self.bad(CONTACTS, f"Contact {place} has {names}; known are {', '.join(_CONTACT_KEYS)}.")
            words = {key: one.get(key) for key in ("name", "email", "phone", "language")}
            if wrong := [key for key, value in words.items() if not isinstance(value, str | None)]:
                self.bad(CONTACTS, f"Of contact {place}, {', '.join(wrong)} is no text.")
                continue
            if not isinstance(one.get("opted_out", False), bool):
                self.bad(CONTACTS, f"Of contact {place}, opted_out is neither true nor false.")
                continue
            try:
                roles = _codes(one.get("roles"), ContactRole)
            except ValueError as error:
                self.bad(CONTACTS, f"Contact {place}: {error}")
                continue
            told = {key: value.strip() or None if value else None for key, value in words.items()}
            yield ToldContact(
                name=told["name"] or "",
                email=told["email"],
                phone=told["phone"],
                roles=roles or (ContactRole.PRIMARY,),
                language=told["language"],
                opted_out=one.get("opted_out", False),
            )


def _whole(told: str) -> int:
    if not told.isascii() or not told.isdigit() or len(told) > LONGEST_NUMBER:
        raise ValueError("The value is no whole number.")
    return int(told)


def _day(told: str) -> date:
    try:
        return date.fromisoformat(told)
    except ValueError:
        raise ValueError("The value is no day such as 2026-03-01.") from None


def _code(told: str, codes: type[E]) -> E:
    try:
        return codes("_".join(told.upper().replace("-", " ").replace("_", " ").split()))
    except ValueError:
        raise ValueError(f"The value is none of {', '.join(codes)}.") from None


def _codes(value: Any, codes: type[E]) -> tuple[E, ...]:
    """Return the codes of a list, or of a text in which commas, semicolons or bars part them."""
    if value is None:
        return ()
    if isinstance(value, str):
        value = [part for part in value.replace(";", ",").replace("|", ",").split(",") if part.strip()]
    if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
        raise ValueError(f"The value is no list of {', '.join(codes)}.")
    told = {_code(part, codes) for part in value}
    return tuple(code for code in codes if code in told)
