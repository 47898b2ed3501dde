"""Types of events: one enum and one description made from the classes that declare them."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import strawberry
from strawberry.scalars import JSON

from api.enums import described
from api.fields import query_field, window
from domain.access import Scope
from domain.event_schemas import description_of, schema_of
from domain.events import EVENT_TYPES

_UNKNOWN = "UNKNOWN"


def _name(type_: str) -> str:
    return type_.upper().replace(".", "_")


if TYPE_CHECKING:

    class EventType(StrEnum):
        UNKNOWN = "UNKNOWN"

else:
    EventType = StrEnum("EventType", {_name(type_): type_ for type_ in EVENT_TYPES} | {_UNKNOWN: _UNKNOWN})

described(
    EventType,
    "What kind of thing happened. Types are added as the product grows; a breaking change of one is a new type.",
    **{_name(type_): description_of(event_class) for type_, event_class in EVENT_TYPES.items()},
    UNKNOWN="A type that this server is too old to name, which happens while a newer release is rolled out.",
)


def type_of(type_: str) -> EventType:
    """Return the member for a stored type."""
    return EventType[_name(type_)] if type_ in EVENT_TYPES else EventType.UNKNOWN


@dataclass(frozen=True, slots=True)
class EventKind:
    """One type of event, as its class declares it."""

    type: EventType
    name: str
    description: str
    scope: Scope
    schema_version: int
    subject_kind: str
    schema: JSON


@window(EventKind, name="EventTypeInfo", description="What one type of event says, and who may read it.")
class EventTypeInfo:
    type: EventType = strawberry.field(description="The type, for the argument `types`.")
    name: str = strawberry.field(description="The type as exports and webhooks name it, such as `client.changed`.")
    description: str = strawberry.field(description="What such an event tells.")
    scope: Scope = strawberry.field(description="The scope that it takes to read it, beside `EVENTS_READ`.")
    schema_version: int = strawberry.field(description="The schema's version now; it rises when fields are added.")
    subject_kind: str = strawberry.field(description="The kind of object that it is about.")
    schema: JSON = strawberry.field(description="JSON Schema (2020-12) of `data`.")


_TYPES = tuple(
    EventKind(
        EventType[_name(type_)],
        type_,
        description_of(event_class),
        event_class.SCOPE,
        event_class.SCHEMA_VERSION,
        event_class.SUBJECT.name,
        JSON(schema_of(event_class)),
    )
    for type_, event_class in sorted(EVENT_TYPES.items())
)


@strawberry.type
class EventTypesQuery:
    @query_field(
        graphql_type=list[EventTypeInfo],
        description="Every type of event, with who may read it and the JSON Schema of what it carries.",
    )
    def event_types(self) -> list[EventKind]:
        return list(_TYPES)
