"""Schemas of events: what each event's `data` holds, as JSON Schema derived from its class."""

import inspect
import types
import typing
from dataclasses import MISSING, fields
from datetime import date, datetime
from uuid import UUID

from domain.events import Event, camel
from domain.ids import HEX_DIGITS, IdKind

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_PLAIN: dict[object, dict[str, object]] = {
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    datetime: {"type": "string", "format": "date-time"},
    date: {"type": "string", "format": "date"},
}


def schema_of(event_class: type[Event]) -> dict[str, object]:
    """Return the JSON Schema (2020-12) of an event's `data`.

    Fields are only ever added, so readers must let unknown ones pass; the schema allows them.
    """
    hints = typing.get_type_hints(event_class)
    listed = fields(event_class)
    return {
        "$schema": DIALECT,
        "title": event_class.TYPE,
        "description": description_of(event_class),
        "type": "object",
        "properties": {camel(f.name): _of(hints[f.name], event_class.ID_FIELDS.get(f.name)) for f in listed},
        "required": [camel(f.name) for f in listed if f.default is MISSING],
    }


def description_of(event_class: type[Event]) -> str:
    """Return the sentence that tells what an event says."""
    return inspect.cleandoc(event_class.__doc__ or "").replace("\n", " ")


def _of(hint: object, kind: IdKind | None) -> dict[str, object]:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [_of(member, kind) for member in arguments]}
    if hint is types.NoneType:
        return {"type": "null"}
    if origin in (tuple, frozenset, list):
        return {"type": "array", "items": _of(arguments[0], kind)}
    if hint is UUID and kind is not None:
        return {"type": "string", "pattern": f"^{kind.value}_[0-9a-f]{{{HEX_DIGITS}}}$"}
    if hint in _PLAIN:
        return dict(_PLAIN[hint])
    raise TypeError(f"no JSON Schema is known for a field of type {hint!r}: use a plain type, or add it here")
