"""Clients: the companies that a provider serves, their people, contracts, services and devices."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

from domain.ids import IdKind

NAME_LIMIT = 200
"""Characters of a name or a title."""

SEATS_LIMIT = 10_000_000

_EMAIL = re.compile(r"[^\s@<>()\[\],;:\\\"]{1,64}@[^\s@<>()\[\],;:\\\"]{1,253}")


class ContactRole(StrEnum):
    """What a contact is to the work with the client."""

    SIGNER = "SIGNER"
    SPONSOR = "SPONSOR"
    PRIMARY = "PRIMARY"
    TECHNICAL = "TECHNICAL"
    BILLING = "BILLING"
    AFTER_HOURS = "AFTER_HOURS"
    USER = "USER"


class ContractStatus(StrEnum):
    """How far an agreement is."""

    DRAFT = "DRAFT"
    SENT = "SENT"
    NEGOTIATING = "NEGOTIATING"
    SIGNED = "SIGNED"
    ENDED = "ENDED"


class ContractType(StrEnum):
    """How the work is shared between provider and client."""

    MANAGED = "MANAGED"
    CO_MANAGED = "CO_MANAGED"
    PROJECT = "PROJECT"


class ContractScope(StrEnum):
    """What a contract covers."""

    ENDPOINTS = "ENDPOINTS"
    NETWORK = "NETWORK"
    BACKUP = "BACKUP"
    SECURITY = "SECURITY"
    SAAS = "SAAS"
    SERVICE_DESK = "SERVICE_DESK"


class Party(StrEnum):
    """Whose turn it is with a contract that is not signed yet."""

    PROVIDER = "PROVIDER"
    CLIENT = "CLIENT"


class DeviceState(StrEnum):
    """A device's standing: seen but undecided, managed, left alone, or gone."""

    PENDING = "PENDING"
    MANAGED = "MANAGED"
    UNMANAGED = "UNMANAGED"
    RETIRED = "RETIRED"


class GapReason(StrEnum):
    """Why a device that was found is not managed."""

    BYOD = "BYOD"
    GUEST = "GUEST"
    IOT = "IOT"
    VENDOR_MANAGED = "VENDOR_MANAGED"
    OFFLINE = "OFFLINE"
    TO_RETIRE = "TO_RETIRE"


STATUS_MOVES: dict[ContractStatus, frozenset[ContractStatus]] = {
    # A contract signed on paper is recorded without ever having been sent.
    ContractStatus.DRAFT: frozenset({ContractStatus.SENT, ContractStatus.SIGNED, ContractStatus.ENDED}),
    ContractStatus.SENT: frozenset(
        {ContractStatus.DRAFT, ContractStatus.NEGOTIATING, ContractStatus.SIGNED, ContractStatus.ENDED}
    ),
    ContractStatus.NEGOTIATING: frozenset({ContractStatus.SENT, ContractStatus.SIGNED, ContractStatus.ENDED}),
    ContractStatus.SIGNED: frozenset({ContractStatus.ENDED}),
    ContractStatus.ENDED: frozenset(),
}
"""Where a contract's status may go; what is signed is never unsigned, and what has ended stays ended."""


@dataclass(frozen=True, slots=True)
class Client:
    """A company that the provider serves; `cycle_id` is its latest onboarding of the whole client.

    One that was entered twice is merged into the other, and its id leads there.
    """

    id: UUID
    name: str
    industry: str | None
    seats: int | None
    owner_id: UUID | None
    account_manager_id: UUID | None
    cycle_id: UUID | None
    created_at: datetime
    version: int
    erased_at: datetime | None = None
    merged_into: UUID | None = None
    merged_at: datetime | None = None
    merge_reason: str | None = None

    @property
    def erased(self) -> bool:
        """Whether nothing is left of the client but figures and what was done."""
        return self.erased_at is not None


@dataclass(frozen=True, slots=True)
class ExternalRef:
    """The key under which another system knows one of our objects."""

    kind: IdKind
    system: str
    key: str
    subject_id: UUID
    client_id: UUID


@dataclass(frozen=True, slots=True)
class ExternalKey:
    """A key in another system, such as the number of a client in a PSA."""

    system: str
    key: str


ClientRef: TypeAlias = UUID | ExternalKey
"""How a command names a client: by our id, or by another system's key."""


@dataclass(frozen=True, slots=True)
class Contact:
    """A person of a client, who never signs in."""

    id: UUID
    client_id: UUID
    name: str
    email: str | None
    phone: str | None
    roles: tuple[ContactRole, ...]
    language: str | None
    opted_out: bool
    created_at: datetime
    version: int
    site_id: UUID | None = None
    erased_at: datetime | None = None

    @property
    def erased(self) -> bool:
        """Whether nothing is left of the person but an id."""
        return self.erased_at is not None

    @property
    def surveyable(self) -> bool:
        """Whether a survey can reach this person: there is an address, and no opt-out."""
        return self.email is not None and not self.opted_out


@dataclass(frozen=True, slots=True)
class Contract:
    """What was agreed with a client; days are local days of the provider."""

    id: UUID
    client_id: UUID
    title: str
    status: ContractStatus
    type: ContractType
    scope: tuple[ContractScope, ...]
    seats: int | None
    coverage_hours: str | None
    starts_on: date | None
    ends_on: date | None
    renews_on: date | None
    sent_at: datetime | None
    signed_at: datetime | None
    ended_at: datetime | None
    waiting_on: Party | None
    created_at: datetime
    version: int


@dataclass(frozen=True, slots=True)
class Service:
    """Something that a client depends on; `device_ids` are the devices it runs on."""

    id: UUID
    client_id: UUID
    name: str
    critical: bool
    created_at: datetime
    version: int
    device_ids: tuple[UUID, ...] = ()
    site_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Device:
    """A device seen at a client; `state_since` is the instant of its last change of state."""

    id: UUID
    client_id: UUID
    name: str
    kind: str
    state: DeviceState
    in_scope: bool
    gap_reason: GapReason | None
    serial: str | None
    first_seen_at: datetime
    last_seen_at: datetime
    state_since: datetime
    created_at: datetime
    version: int
    site_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class DiscoveryRun:
    """One search for devices at a client: by what, when, and how many it found."""

    id: UUID
    client_id: UUID
    source: str
    ran_at: datetime
    devices_found: int
    site_id: UUID | None = None


def name_key(name: str) -> str:
    """Return the key by which a name is sorted and searched: no accents, no case, single spaces."""
    # Twice, as Unicode's compatibility caseless match does: taking a letter apart can uncover another capital.
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name.casefold()).casefold())
    bare = "".join(character for character in folded if not unicodedata.combining(character))
    return " ".join(unicodedata.normalize("NFC", bare).split())


def prefix_range(prefix: str) -> tuple[str, str]:
    """Return the half-open range of keys that begin with a prefix, in code point order."""
    key = name_key(prefix)
    return key, key + "\U0010ffff"


def is_email(text: str) -> bool:
    """Tell whether a text has the shape of an address; only a delivered message proves one."""
    return text.isprintable() and _EMAIL.fullmatch(text) is not None
