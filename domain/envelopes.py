"""Envelopes: an event with who did it, when and by which request, as readers see it; and the list of all kinds.

An event is one frozen dataclass. Its class says who may read it, what it is about and what it
carries; fields are only ever added, and a breaking change is a new class. Events carry ids and
codes, never names, addresses or free text, so that erasing a person leaves nothing behind here.
"""

from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import ClassVar, TypeVar
from uuid import UUID

from domain.access import PrincipalKind, Scope
from domain.ids import IdKind, public

EVENT_TYPES: dict[str, type["Event"]] = {}
"""Every event class by its public type name."""


@dataclass(frozen=True, slots=True)
class Event:
    """Base of all events; a subclass states its type name, subject, reader's scope and version."""

    TYPE: ClassVar[str]
    SUBJECT: ClassVar[IdKind]
    SCOPE: ClassVar[Scope] = Scope.CLIENTS_READ
    SCHEMA_VERSION: ClassVar[int] = 1
    ID_FIELDS: ClassVar[dict[str, IdKind]] = {}


E = TypeVar("E", bound=type[Event])


def declared(event_class: E) -> E:
    """Register an event class under its type name."""
    EVENT_TYPES[event_class.TYPE] = event_class
    return event_class


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it, and on whose behalf."""

    kind: PrincipalKind
    id: UUID | None
    on_behalf_of: UUID | None = None


@dataclass(frozen=True, slots=True)
class Envelope:
    """One event with everything that lets a reader place it."""

    id: UUID
    tenant: UUID
    client: UUID | None
    subject: UUID
    version: int
    actor: Actor
    occurred_at: datetime
    recorded_at: datetime
    request_id: str
    event: Event
    caused_by: UUID | None = None
    historical: bool = False

    def body(self) -> dict[str, object]:
        """Return the envelope as readers see it, with opaque ids and ISO 8601 instants."""
        kind = type(self.event)
        return {
            "id": public(IdKind.EVENT, self.id),
            "type": kind.TYPE,
            "schemaVersion": kind.SCHEMA_VERSION,
            "tenant": public(IdKind.TENANT, self.tenant),
            "client": public(IdKind.CLIENT, self.client) if self.client else None,
            "subject": {
                "kind": kind.SUBJECT.name,
                "id": public(kind.SUBJECT, self.subject),
                "version": self.version,
            },
            "actor": {
                "kind": self.actor.kind.value,
                "id": _actor_id(self.actor.kind, self.actor.id),
                "onBehalfOf": public(IdKind.MEMBER, self.actor.on_behalf_of) if self.actor.on_behalf_of else None,
            },
            "occurredAt": self.occurred_at.isoformat(),
            "recordedAt": self.recorded_at.isoformat(),
            "requestId": self.request_id,
            "causedBy": public(IdKind.EVENT, self.caused_by) if self.caused_by else None,
            "historical": self.historical,
            "data": _data(self.event),
        }


def _actor_id(kind: PrincipalKind, value: UUID | None) -> str | None:
    if value is None or kind is PrincipalKind.SYSTEM:
        return None
    return public(IdKind.MEMBER if kind is PrincipalKind.PERSON else IdKind.TOKEN, value)


def camel(name: str) -> str:
    """Return a field's name as readers see it: `from_stage` becomes `fromStage`."""
    head, *tail = name.split("_")
    return head + "".join(word.capitalize() for word in tail)


def _data(event: Event) -> dict[str, object]:
    kinds = type(event).ID_FIELDS
    return {camel(f.name): _plain(getattr(event, f.name), kinds.get(f.name)) for f in fields(event)}


def _plain(value: object, kind: IdKind | None) -> object:
    if isinstance(value, UUID):
        if kind is None:
            msg = "an event field that holds an id must be named in ID_FIELDS"
            raise TypeError(msg)
        return public(kind, value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, tuple | frozenset | list):
        return [_plain(item, kind) for item in value]
    return value
