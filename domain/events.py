"""Events: what happened, as immutable facts that other programs may read, one class a kind."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from domain.access import Scope
from domain.envelopes import EVENT_TYPES, Actor, Envelope, Event, camel, declared
from domain.ids import IdKind

__all__ = ["EVENT_TYPES", "Actor", "Envelope", "Event", "camel", "declared"]


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
class InboundSourceChanged(Event):
    """A system was let send to us, was changed, got a new secret, or was disabled."""

    TYPE: ClassVar[str] = "inbound_source.changed"
    SUBJECT: ClassVar[IdKind] = IdKind.INBOUND_SOURCE
    SCOPE: ClassVar[Scope] = Scope.INBOUND_WRITE

    adapter: str
    disabled: bool


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
class KpiTargetChanged(Event):
    """What is wanted of a figure changed, for the provider as a whole or for the client that the event concerns."""

    TYPE: ClassVar[str] = "kpi.target_changed"
    SUBJECT: ClassVar[IdKind] = IdKind.KPI_TARGET
    SCOPE: ClassVar[Scope] = Scope.KPIS_READ

    kpi: str
    removed: bool


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


@declared
@dataclass(frozen=True, slots=True)
class TicketChanged(Event):
    """A person opened a ticket or did something with it; `change` says what, such as `RESOLVE`."""

    TYPE: ClassVar[str] = "ticket.changed"
    SUBJECT: ClassVar[IdKind] = IdKind.TICKET
    SCOPE: ClassVar[Scope] = Scope.TICKETS_READ

    change: str


@declared
@dataclass(frozen=True, slots=True)
class EscalationRuleChanged(Event):
    """What counts as an escalation in one system's tickets got a new version; tickets are gone through by it."""

    TYPE: ClassVar[str] = "escalation_rule.changed"
    SUBJECT: ClassVar[IdKind] = IdKind.ESCALATION_RULE
    SCOPE: ClassVar[Scope] = Scope.POLICIES_READ

    system: str
    number: int
    based_on: int | None


@declared
@dataclass(frozen=True, slots=True)
class JobChanged(Event):
    """A job was begun, went on or ended; `done` of `total` is in the unit of its kind, such as bytes of a file."""

    TYPE: ClassVar[str] = "job.changed"
    SUBJECT: ClassVar[IdKind] = IdKind.JOB
    SCOPE: ClassVar[Scope] = Scope.EVENTS_READ

    kind: str
    status: str
    done: int
    total: int | None
    errors: int
