"""Inbound: systems that send us what happens there, each by a source of its own, and the messages they sent."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

TOLERANCE = timedelta(minutes=5)
"""How far the moment that a sender signed may lie from ours, both ways (Standard Webhooks' own figure)."""


class AdapterKind(StrEnum):
    """Which system sends, and so how its messages are signed and read."""

    GENERIC = "GENERIC"
    ZENDESK = "ZENDESK"
    FRESHDESK = "FRESHDESK"
    FRESHSERVICE = "FRESHSERVICE"
    JIRA = "JIRA"
    CONNECTWISE = "CONNECTWISE"
    BMC = "BMC"
    SERVICENOW = "SERVICENOW"
    GROOVE = "GROOVE"
    EASYVISTA = "EASYVISTA"
    CA_SERVICE_DESK = "CA_SERVICE_DESK"


class Signing(StrEnum):
    """How a sender proves that a message is its own."""

    STANDARD_WEBHOOKS = "STANDARD_WEBHOOKS"
    ZENDESK = "ZENDESK"
    HUB = "HUB"
    TOKEN = "TOKEN"  # noqa: S105 -- a code, not a secret


class MessageStatus(StrEnum):
    """What became of a message."""

    RECEIVED = "RECEIVED"
    DONE = "DONE"
    IGNORED = "IGNORED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Sent:
    """A message as it came over the wire: headers by their names in small letters, and the bytes of the body."""

    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Delivery:
    """What an adapter may ask beside the body: when it came, and the zone of wall times that name none."""

    received_at: datetime
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class InboundSource:
    """One sending system of a provider; the secrets by which it signs are read apart from it.

    `address` is the last part of the path to which it posts. With `client` all its tickets are that client's. Until
    `previous_until` the secret before the present one is taken as well.
    """

    id: UUID
    client_id: UUID | None
    name: str
    system: str
    adapter: AdapterKind
    address: str
    previous_until: datetime | None
    message_count: int
    duplicate_count: int
    last_message_at: datetime | None
    created_by: UUID | None
    created_at: datetime
    disabled_at: datetime | None
    version: int


def address_hash(address: str) -> bytes:
    """Return the SHA-256 by which a source is found; a random address needs no slower hash."""
    return hashlib.sha256(address.encode()).digest()


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """One message as it was received, without its body: `number` counts those of its source in the order they came.

    `reason` says why it failed or was ignored, `ticket_count` how many tickets it told of.
    """

    id: UUID
    source_id: UUID
    number: int
    received_at: datetime
    delivery_id: str | None
    size_bytes: int
    status: MessageStatus
    reason: str | None
    ticket_count: int
    settled_at: datetime | None
    replayed_at: datetime | None
