"""A mapping says which column of somebody's file means what; it is a TOML or JSON file beside the data.

    system = "HALO"                      # names the source; tickets are known by (system, external_id)
    zone = "Europe/Berlin"               # of moments without an offset
    dates = "%d.%m.%Y %H:%M"             # a strptime pattern, ISO, EPOCH_SECONDS or EPOCH_MILLISECONDS
    delimiter = ";"
    unknown = ["", "?", "n/a"]           # cells that say nothing

    [columns]                            # field = "column"; external_id and logged_at are needed
    external_id = "Ticket"
    logged_at = "Created"
    client = "Company"
    priority = "Urgency"

    [values.priority]                    # "text in the file" = "P1"; a field without a table is taken literally
    "Very urgent" = "P1"

    [hand_overs]                         # JSON lines only: the list in `columns.hand_overs`, and its keys
    at = "when"
    team = "group"
    agent = "who"

    [waits]                              # JSON lines only: the list in `columns.waits`, and its keys
    start = "from"
    end = "to"
    on = "reason"                        # translated by `values.waiting_on`

A log with several rows per ticket names `changed_at`; its rows then become the ticket's hand-overs, what `waiting_on`
says from row to row its waits, and where `resolved_at` is empty again the ticket was reopened. A text of the file that
stands for nothing is translated to "".
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from domain.calendars import InvalidCalendar, zone_named
from domain.tickets import Exclusion, Priority, SlaResult, TicketKind, TicketSource, WaitingOn
from integrations.instants import ISO


class YesNo(StrEnum):
    """The answer to whether something is so."""

    YES = "YES"
    NO = "NO"


FIELDS = (
    "external_id",
    "logged_at",
    "client",
    "kind",
    "source",
    "priority",
    "category",
    "resolved_at",
    "closed_at",
    "changed_at",
    "exclusion",
    "team",
    "tier",
    "reassignments",
    "hand_overs",
    "agent",
    "title",
    "site",
    "device",
    "merged_into",
    "first_responded_at",
    "first_contact",
    "times_reopened",
    "waiting_on",
    "waits",
    "response_due_at",
    "response_sla",
    "resolution_due_at",
    "resolution_sla",
)
NEEDED = ("external_id", "logged_at")
HAND_OVER_FIELDS = ("at", "team", "tier", "reassignments", "agent")
WAIT_FIELDS = ("start", "end", "on")

Code = Priority | TicketKind | TicketSource | Exclusion | WaitingOn | SlaResult | YesNo

CODES: Mapping[str, type[Code]] = {
    "priority": Priority,
    "kind": TicketKind,
    "source": TicketSource,
    "exclusion": Exclusion,
    "waiting_on": WaitingOn,
    "response_sla": SlaResult,
    "resolution_sla": SlaResult,
    "first_contact": YesNo,
}
"""Fields whose values are ours: a file's own texts are translated by `values`."""

KEYS = ("system", "zone", "dates", "delimiter", "unknown", "columns", "values", "hand_overs", "waits")


class InvalidMapping(ValueError):
    """The mapping can't be used; the message names the entry and what to write instead."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """A mapping, checked."""

    system: str
    columns: Mapping[str, str]
    zone: ZoneInfo
    dates: str = ISO
    delimiter: str = ","
    unknown: frozenset[str] = frozenset({""})
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    hand_over_keys: Mapping[str, str] = field(default_factory=dict)
    wait_keys: Mapping[str, str] = field(default_factory=dict)


def read_table(path: Path) -> Any:
    """Read a mapping file as plain values, which `mapping` checks.

    Raises InvalidMapping when it can't be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
        return json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except OSError as error:
        raise InvalidMapping(f"The mapping {path} can't be opened: {error.strerror}.") from error
    except ValueError as error:
        raise InvalidMapping(f"The mapping {path} is no valid TOML or JSON: {error}.") from error


def mapping(data: Any, default_zone: ZoneInfo) -> Mapped:
    """Check a mapping given as plain values; without `zone` in it, the default holds.

    Raises InvalidMapping when an entry makes no sense.
    """
    if not isinstance(data, dict):
        raise InvalidMapping("A mapping is a table of entries such as `system` and `columns`.")
    _refuse_unknown(data, KEYS, "the mapping")
    columns = _table(data, "columns")
    _refuse_unknown(columns, FIELDS, "`columns`")
    if missing := [name for name in NEEDED if name not in columns]:
        raise InvalidMapping(f"`columns` lacks {', '.join(missing)}: say which column holds it.")
    hand_over_keys = _table(data, "hand_overs")
    _refuse_unknown(hand_over_keys, HAND_OVER_FIELDS, "`hand_overs`")
    if "hand_overs" in columns and "at" not in hand_over_keys:
        raise InvalidMapping("`hand_overs` lacks `at`: say which key of the list holds the moment.")
    wait_keys = _table(data, "waits")
    _refuse_unknown(wait_keys, WAIT_FIELDS, "`waits`")
    if "waits" in columns and "start" not in wait_keys:
        raise InvalidMapping("`waits` lacks `start`: say which key of the list holds the moment it began.")
    try:
        zone = zone_named(_text(data, "zone", default_zone.key))
    except InvalidCalendar as error:
        raise InvalidMapping(f"`zone`: {error}") from error
    return Mapped(
        system=_system(_text(data, "system", "")),
        columns=columns,
        zone=zone,
        dates=_text(data, "dates", ISO),
        delimiter=_delimiter(_text(data, "delimiter", ",")),
        unknown=frozenset(_texts(data.get("unknown", [""]), "unknown")),
        values=_values(data.get("values", {})),
        hand_over_keys=hand_over_keys,
        wait_keys=wait_keys,
    )


LONGEST_SYSTEM_NAME = 40


def _system(name: str) -> str:
    if not name or len(name) > LONGEST_SYSTEM_NAME:
        raise InvalidMapping(f"`system` names the source in 1 to {LONGEST_SYSTEM_NAME} characters, such as HALO.")
    return name


def _delimiter(text: str) -> str:
    if len(text) != 1:
        raise InvalidMapping(f"`delimiter` is one character, not {text!r}.")
    return text


def _text(data: Mapping[str, Any], key: str, default: str) -> str:
    value = data.get(key, default)
    if not isinstance(value, str):
        raise InvalidMapping(f"`{key}` is a text, not {value!r}.")
    return value


def _texts(value: Any, key: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise InvalidMapping(f"`{key}` is a list of texts, not {value!r}.")
    return value


def _table(data: Mapping[str, Any], key: str) -> dict[str, str]:
    value = data.get(key, {})
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise InvalidMapping(f"`{key}` is a table of texts, not {value!r}.")
    return value


def _values(data: Any) -> Mapping[str, Mapping[str, str]]:
    if not isinstance(data, dict):
        raise InvalidMapping(f"`values` is a table per field, not {data!r}.")
    _refuse_unknown(data, tuple(CODES), "`values`")
    for name in data:
        for text, code in _table(data, name).items():
            codes = [member.value for member in CODES[name]]
            if code and code not in codes:
                raise InvalidMapping(
                    f"`values.{name}`: {text!r} becomes {code!r}, which is none of {', '.join(codes)}."
                )
    return data


def _refuse_unknown(data: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    if unknown := [key for key in data if key not in known]:
        raise InvalidMapping(f"{where} has no entry {', '.join(unknown)}; it knows {', '.join(known)}.")
