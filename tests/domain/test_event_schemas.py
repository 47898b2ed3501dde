"""The published schema of every event fits what such an event really carries."""

import re
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from typing import Any, get_args, get_type_hints
from uuid import UUID, uuid4

import pytest

from domain.access import PrincipalKind
from domain.event_schemas import schema_of
from domain.events import EVENT_TYPES, Actor, Envelope, Event

SAMPLES: dict[object, object] = {
    bool: True,
    int: 3,
    str: "WORD",
    date: date(2026, 3, 1),
    datetime: datetime(2026, 3, 1, tzinfo=UTC),
}


@pytest.mark.parametrize("event_class", EVENT_TYPES.values(), ids=EVENT_TYPES)
def test_what_an_event_carries_fits_its_schema(event_class: type[Event]) -> None:
    hints = get_type_hints(event_class)
    filled = {name: _sample(hints[name]) for name in (f.name for f in fields(event_class))}
    body = _body(event_class(**filled))
    schema: dict[str, Any] = schema_of(event_class)
    assert body["data"].keys() == schema["properties"].keys()
    for name, value in body["data"].items():
        assert _fits(value, schema["properties"][name]), (name, value, schema["properties"][name])


@pytest.mark.parametrize("event_class", EVENT_TYPES.values(), ids=EVENT_TYPES)
def test_an_event_says_in_a_sentence_what_happened(event_class: type[Event]) -> None:
    assert str(schema_of(event_class)["description"]).endswith(".")
    assert re.fullmatch(r"[a-z_]+\.[a-z_]+", event_class.TYPE)


def test_a_field_that_may_be_left_out_is_not_required() -> None:
    schema: dict[str, Any] = schema_of(EVENT_TYPES["onboarding.moved"])
    assert "waivers" in schema["properties"]
    assert "waivers" not in schema["required"]


def test_a_field_whose_type_has_no_schema_is_refused_with_what_to_do() -> None:
    @dataclass(frozen=True, slots=True)
    class Odd(Event):
        """Something odd happened."""

        TYPE = "odd.happened"
        thing: object

    with pytest.raises(TypeError, match="use a plain type, or add it here"):
        schema_of(Odd)


def _body(event: Event) -> dict[str, Any]:
    now = datetime.now(UTC)
    actor = Actor(PrincipalKind.PERSON, uuid4())
    return Envelope(uuid4(), uuid4(), None, uuid4(), 1, actor, now, now, "request", event).body()


def _sample(hint: object) -> object:
    if hint is UUID:
        return uuid4()
    members = get_args(hint)
    if Ellipsis in members:
        return (_sample(members[0]),)
    return _sample(members[0]) if members else SAMPLES[hint]


def _fits(value: object, schema: dict[str, Any]) -> bool:
    if "anyOf" in schema:
        return any(_fits(value, one) for one in schema["anyOf"])
    kinds = {"boolean": bool, "integer": int, "string": str, "array": list, "null": type(None)}
    if not isinstance(value, kinds[schema["type"]]):
        return False
    if isinstance(value, list):
        return all(_fits(item, schema["items"]) for item in value)
    return "pattern" not in schema or re.fullmatch(schema["pattern"], str(value)) is not None
