"""Events: what happened, as immutable facts that other programs may read.

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


@declared
@dataclass(frozen=True, slots=True)
class ClientChanged(Event):
    """A client was created or its own fields were edited; `fields` names what changed."""

    TYPE: ClassVar[str] = "client.changed"
    SUBJECT: ClassVar[IdKind] = IdKind.CLIENT

    created: bool
    fields: tuple[str, ...]


@declared
@dataclass(frozen=True, slots=True)
class ClientsUpserted(Event):
    """A batch brought one client in or up to date."""

    TYPE: ClassVar[str] = "client.upserted"
    SUBJECT: ClassVar[IdKind] = IdKind.CLIENT

    created: bool


@declared
@dataclass(frozen=True, slots=True)
class ClientMerged(Event):
    """Another client, the duplicate, was merged into this one: whoever keeps its id asks for this one instead."""

    TYPE: ClassVar[str] = "client.merged"
    SUBJECT: ClassVar[IdKind] = IdKind.CLIENT
    ID_FIELDS: ClassVar[dict[str, IdKind]] = {"duplicate": IdKind.CLIENT}

    duplicate: UUID
    fields: tuple[str, ...]


@declared
@dataclass(frozen=True, slots=True)
class ContactChanged(Event):
    """A contact was created or edited."""

    TYPE: ClassVar[str] = "contact.changed"
    SUBJECT: ClassVar[IdKind] = IdKind.CONTACT
    SCOPE: ClassVar[Scope] = Scope.CONTACTS_READ

    created: bool
    fields: tuple[str, ...]


@declared
@dataclass(frozen=True, slots=True)
class ContractChanged(Event):
    """A contract was created or edited, or its status moved."""

    TYPE: ClassVar[str] = "contract.changed"
    SUBJECT: ClassVar[IdKind] = IdKind.CONTRACT

    created: bool
    status: str
    fields: tuple[str, ...]


@declared
@dataclass(frozen=True, slots=True)
class AmendmentChanged(Event):
    """An amendment of a contract was created or edited, or its status moved."""

    TYPE: ClassVar[str] = "amendment.changed"
    SUBJECT: ClassVar[IdKind] = IdKind.AMENDMENT
    ID_FIELDS: ClassVar[dict[str, IdKind]] = {"contract": IdKind.CONTRACT}

    created: bool
    contract: UUID
    status: str
    fields: tuple[str, ...]


@declared
@dataclass(frozen=True, slots=True)
class SiteChanged(Event):
    """A site of a client was created, edited or archived."""

    TYPE: ClassVar[str] = "site.changed"
    SUBJECT: ClassVar[IdKind] = IdKind.SITE

    created: bool
    archived: bool
    fields: tuple[str, ...]


@declared
@dataclass(frozen=True, slots=True)
class ServiceChanged(Event):
    """A service that a client depends on was created or edited."""

    TYPE: ClassVar[str] = "service.changed"
    SUBJECT: ClassVar[IdKind] = IdKind.SERVICE

    created: bool
    fields: tuple[str, ...]


@declared
@dataclass(frozen=True, slots=True)
class DeviceChanged(Event):
    """A device was discovered or its standing changed."""

    TYPE: ClassVar[str] = "device.changed"
    SUBJECT: ClassVar[IdKind] = IdKind.DEVICE

    created: bool
    state: str
    fields: tuple[str, ...]


@declared
@dataclass(frozen=True, slots=True)
class DevicesUpserted(Event):
    """A batch brought devices of one client in or up to date."""

    TYPE: ClassVar[str] = "device.upserted"
    SUBJECT: ClassVar[IdKind] = IdKind.CLIENT

    created: int
    updated: int


@declared
@dataclass(frozen=True, slots=True)
class DiscoveryRan(Event):
    """A discovery run was recorded for a client."""

    TYPE: ClassVar[str] = "discovery.ran"
    SUBJECT: ClassVar[IdKind] = IdKind.DISCOVERY_RUN

    devices_found: int


@declared
@dataclass(frozen=True, slots=True)
class MemberChanged(Event):
    """A member was invited, edited or deactivated."""

    TYPE: ClassVar[str] = "member.changed"
    SUBJECT: ClassVar[IdKind] = IdKind.MEMBER
    SCOPE: ClassVar[Scope] = Scope.MEMBERS_READ

    created: bool
    active: bool
    roles: tuple[str, ...]


@declared
@dataclass(frozen=True, slots=True)
class ContactErased(Event):
    """A contact was erased; whoever keeps a copy of them erases it too."""

    TYPE: ClassVar[str] = "contact.erased"
    SUBJECT: ClassVar[IdKind] = IdKind.CONTACT
    SCOPE: ClassVar[Scope] = Scope.CONTACTS_READ

    reason: str


@declared
@dataclass(frozen=True, slots=True)
class MemberErased(Event):
    """A member was erased; whoever keeps a copy of them erases it too."""

    TYPE: ClassVar[str] = "member.erased"
    SUBJECT: ClassVar[IdKind] = IdKind.MEMBER
    SCOPE: ClassVar[Scope] = Scope.MEMBERS_READ

    reason: str


@declared
@dataclass(frozen=True, slots=True)
class ClientErased(Event):
    """A client's name, words and people were erased; its figures stay."""

    TYPE: ClassVar[str] = "client.erased"
    SUBJECT: ClassVar[IdKind] = IdKind.CLIENT

    reason: str


@declared
@dataclass(frozen=True, slots=True)
class TokenChanged(Event):
    """A token was issued or revoked."""

    TYPE: ClassVar[str] = "token.changed"
    SUBJECT: ClassVar[IdKind] = IdKind.TOKEN
    SCOPE: ClassVar[Scope] = Scope.MEMBERS_READ

    kind: str
    revoked: bool


@declared
@dataclass(frozen=True, slots=True)
class TenantChanged(Event):
    """A setting of the provider changed."""

    TYPE: ClassVar[str] = "tenant.changed"
    SUBJECT: ClassVar[IdKind] = IdKind.TENANT
    SCOPE: ClassVar[Scope] = Scope.POLICIES_READ

    fields: tuple[str, ...]


@declared
@dataclass(frozen=True, slots=True)
class DefinitionChanged(Event):
    """The rules of onboardings got a new version; `paths` names the values that it says otherwise."""

    TYPE: ClassVar[str] = "definition.changed"
    SUBJECT: ClassVar[IdKind] = IdKind.DEFINITION
    SCOPE: ClassVar[Scope] = Scope.POLICIES_READ

    number: int
    based_on: int
    paths: tuple[str, ...]


@declared
@dataclass(frozen=True, slots=True)
class OnboardingMoved(Event):
    """A client's onboarding moved from one stage to another, or was opened or ended."""

    TYPE: ClassVar[str] = "onboarding.moved"
    SUBJECT: ClassVar[IdKind] = IdKind.ONBOARDING
    ID_FIELDS: ClassVar[dict[str, IdKind]] = {"transition": IdKind.TRANSITION, "waivers": IdKind.WAIVER}

    move: str
    from_stage: str | None
    to_stage: str
    transition: UUID
    waivers: tuple[UUID, ...] = ()


@declared
@dataclass(frozen=True, slots=True)
class OnboardingChanged(Event):
    """Something beside the stage changed: a hold, a waiver, an attestation, the team, a date."""

    TYPE: ClassVar[str] = "onboarding.changed"
    SUBJECT: ClassVar[IdKind] = IdKind.ONBOARDING

    change: str


@declared
@dataclass(frozen=True, slots=True)
class TimerFired(Event):
    """A planned moment of an onboarding has come: day 30, 60 or 90, a target, a review.

    `acting` is whom it is for: the lead, or who stands in while the lead is away; nobody where nobody does.
    """

    TYPE: ClassVar[str] = "onboarding.timer_fired"
    SUBJECT: ClassVar[IdKind] = IdKind.ONBOARDING
    ID_FIELDS: ClassVar[dict[str, IdKind]] = {"effect": IdKind.EFFECT, "acting": IdKind.MEMBER}

    timer: str
    effect: UUID
    due_at: datetime
    acting: UUID | None = None


@declared
@dataclass(frozen=True, slots=True)
class TicketsIngested(Event):
    """A batch of tickets of one client was written."""

    TYPE: ClassVar[str] = "tickets.ingested"
    SUBJECT: ClassVar[IdKind] = IdKind.CLIENT
    SCOPE: ClassVar[Scope] = Scope.TICKETS_READ

    created: int
    updated: int
    days: tuple[date, ...]
