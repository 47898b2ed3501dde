"""Adapters: each system that may send to us, with the name of its tickets' system, how it signs, and how it is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from domain.inbound import AdapterKind, Delivery, Signing
from domain.tickets import ReportedTicket
from integrations import (
    bmc,
    ca_service_desk,
    connectwise,
    easyvista,
    freshdesk,
    freshservice,
    groove,
    jira,
    servicenow_tables,
    ticket_documents,
    zendesk,
)

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
        AdapterKind.ZENDESK: Adapter(
            zendesk.SYSTEM, Signing.ZENDESK, whenever(zendesk.parse), "x-zendesk-webhook-invocation-id"
        ),
        AdapterKind.FRESHDESK: Adapter(freshdesk.SYSTEM, Signing.TOKEN, freshdesk.parse),
        AdapterKind.FRESHSERVICE: Adapter(freshservice.SYSTEM, Signing.TOKEN, whenever(freshservice.parse)),
        AdapterKind.JIRA: Adapter(jira.SYSTEM, Signing.HUB, whenever(jira.parse), "x-atlassian-webhook-identifier"),
        AdapterKind.CONNECTWISE: Adapter(connectwise.SYSTEM, Signing.TOKEN, whenever(connectwise.parse)),
        AdapterKind.BMC: Adapter(bmc.SYSTEM, Signing.TOKEN, whenever(bmc.parse)),
        AdapterKind.SERVICENOW: Adapter(servicenow_tables.SYSTEM, Signing.TOKEN, whenever(servicenow_tables.parse)),
        AdapterKind.GROOVE: Adapter(groove.SYSTEM, Signing.TOKEN, whenever(groove.parse)),
        AdapterKind.EASYVISTA: Adapter(easyvista.SYSTEM, Signing.TOKEN, whenever(easyvista.parse)),
        AdapterKind.CA_SERVICE_DESK: Adapter(ca_service_desk.SYSTEM, Signing.TOKEN, whenever(ca_service_desk.parse)),
    }
)
