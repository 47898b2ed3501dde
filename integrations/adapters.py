"""Adapters: each system that may send to us, with the name of its tickets' system, how it signs, and how it is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from domain.inbound import AdapterKind, Delivery, Signing
from domain.tickets import ReportedTicket
from integrations import ticket_documents

Read = Callable[[object, Delivery], tuple[ReportedTicket, ...]]
"""From a decoded body to the tickets that it tells of.

Raises Unreadable where a value is not what the system documents, Ignored where it tells of no ticket.
"""


@dataclass(frozen=True, slots=True)
class Adapter:
    """One system: `system` is the name by which its tickets and its keys of clients are known unless told otherwise.

    `delivery_header` (in small letters) is where the system names a delivery, so that its repetition is known; where it
    has none of its own, whoever sets the system up may send ours.
    """

    system: str
    signing: Signing
    read: Read
    delivery_header: str = "x-steadystate-delivery"


def whenever(parse: Callable[[object], tuple[ReportedTicket, ...]]) -> Read:
    """Read bodies that say all by themselves, whenever and wherever they came from."""
    return lambda body, _: parse(body)


ADAPTERS: Mapping[AdapterKind, Adapter] = MappingProxyType(
    {
        AdapterKind.GENERIC: Adapter(
            "GENERIC", Signing.STANDARD_WEBHOOKS, whenever(ticket_documents.read), "webhook-id"
        ),
    }
)
