"""What belongs to a client as the API shows it: contacts, contracts, services, devices and discovery runs."""

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from api import client_enums
from api import client_loaders as loaders
from api.amendments import AmendedContract
from api.calendars import OwnCalendar
from api.context import Info
from api.contract_turns import TurnedContract
from api.fields import FieldPrice, id_field, optional_id_field, resolved, window
from api.nodes import Node, nodes_of
from api.scalars import EmailAddress
from domain import clients
from domain.access import Scope
from domain.clients import ContactRole, ContractScope, ContractStatus, ContractType, DeviceState, GapReason, Party
from domain.ids import IdKind, public

if TYPE_CHECKING:
    from api.clients import Client
    from api.sites import Site

__all__ = ["Contact", "Contract", "Device", "DiscoveryRun", "ExternalReference", "Service", "client_enums"]

OwnClient = Annotated["Client", strawberry.lazy("api.clients")]
ERASED = "Whether nothing is left but an id and what was done: the name is a placeholder, and no list shows it."
CHANGES = "How often it changed, counted from 1; give it as `expectedVersion` with a change decided on it."


@window(clients.ExternalRef, description="The key under which another system knows an object.")
class ExternalReference:
    system: str = strawberry.field(description="The other system, such as `HALO`.")
    key: str = strawberry.field(description="The object's key there.")


@strawberry.type
class AtSite:
    """What names a site, as fields of it."""

    site_id: strawberry.ID | None = optional_id_field(
        IdKind.SITE, "site_id", description="The client's site where it is; `null` where it is of no one site."
    )

    @resolved(description="The client's site where it is; `null` where it is of no one site.")
    async def site(root: Any, info: Info) -> Annotated["Site", strawberry.lazy("api.sites")] | None:  # noqa: N805
        return await info.context.loader(loaders.site).load(root.site_id) if root.site_id else None  # type: ignore[return-value]


async def _client(root: Any, info: Info) -> "Client | None":
    return await info.context.loader(loaders.client).load(root.client_id)  # type: ignore[return-value]


@window(clients.Contact, description="A person of a client, who never signs in.")
class Contact(AtSite, Node):
    id: strawberry.ID = id_field(IdKind.CONTACT, description="The contact's id.")
    client_id: strawberry.ID = id_field(IdKind.CLIENT, "client_id", description="The client.")
    name: str = strawberry.field(description="The person's name; `[erased]` once they are erased.")
    email: EmailAddress | None = strawberry.field(description="Where they are written to.")
    phone: str | None = strawberry.field(description="Where they are called.")
    roles: list[ContactRole] = strawberry.field(description="What they are to the work.")
    language: str | None = strawberry.field(description="The language they are written to in, such as `nl`.")
    opted_out: bool = strawberry.field(description="Whether they want no surveys.")
    surveyable: bool = strawberry.field(description="Whether a survey can reach them.")
    erased: bool = strawberry.field(description=ERASED)
    created_at: datetime = strawberry.field(description="When they were noted.")
    version: int = strawberry.field(description=CHANGES)

    @resolved(description="The client that they belong to.")
    async def client(root: Any, info: Info) -> OwnClient | None:  # noqa: N805 -- the root is a domain value
        return await _client(root, info)


@window(clients.Contract, description="What was agreed with a client; days are local days of the provider.")
class Contract(AmendedContract, TurnedContract, OwnCalendar, Node):
    id: strawberry.ID = id_field(IdKind.CONTRACT, description="The contract's id.")
    client_id: strawberry.ID = id_field(IdKind.CLIENT, "client_id", description="The client.")
    title: str = strawberry.field(description="What it is called.")
    status: ContractStatus = strawberry.field(description="How far it is.")
    type: ContractType = strawberry.field(description="How the work is shared.")
    scope: list[ContractScope] = strawberry.field(description="What it covers.")
    seats: int | None = strawberry.field(description="For how many seats.")
    coverage_hours: str | None = strawberry.field(description="When help is there, such as `Mon-Fri 08:00-18:00`.")
    starts_on: date | None = strawberry.field(description="Its first day.")
    ends_on: date | None = strawberry.field(description="Its last day.")
    renews_on: date | None = strawberry.field(description="The day it renews.")
    sent_at: datetime | None = strawberry.field(description="When it was sent.")
    signed_at: datetime | None = strawberry.field(description="When it was signed.")
    ended_at: datetime | None = strawberry.field(description="When it ended.")
    waiting_on: Party | None = strawberry.field(description="Whose turn it is; `null` once it is signed.")
    created_at: datetime = strawberry.field(description="When it was noted.")
    version: int = strawberry.field(description=CHANGES)

    @resolved(description="The client with whom it is.")
    async def client(root: Any, info: Info) -> OwnClient | None:  # noqa: N805
        return await _client(root, info)


@window(clients.Device, description="A device seen at a client.")
class Device(AtSite, Node):
    id: strawberry.ID = id_field(IdKind.DEVICE, description="The device's id.")
    client_id: strawberry.ID = id_field(IdKind.CLIENT, "client_id", description="The client.")
    name: str = strawberry.field(description="Its name.")
    kind: str = strawberry.field(description="What it is, in the words of whatever found it.")
    state: DeviceState = strawberry.field(description="Its standing.")
    in_scope: bool = strawberry.field(description="Whether the contract means it to be managed.")
    gap_reason: GapReason | None = strawberry.field(description="Why it is not managed.")
    serial: str | None = strawberry.field(description="Its serial number.")
    first_seen_at: datetime = strawberry.field(description="When it was first seen.")
    last_seen_at: datetime = strawberry.field(description="When it was last seen.")
    state_since: datetime = strawberry.field(description="Since when it has its standing.")
    created_at: datetime = strawberry.field(description="When it was first noted here.")
    version: int = strawberry.field(description=CHANGES)

    @resolved(description="Its keys in other systems.", cost=FieldPrice(list_size=2))
    async def external(root: Any, info: Info) -> list[ExternalReference]:  # noqa: N805
        return await info.context.loader(loaders.refs_of).load(root.id)  # type: ignore[return-value]

    @resolved(description="The client at which it was seen.")
    async def client(root: Any, info: Info) -> OwnClient | None:  # noqa: N805
        return await _client(root, info)


@window(clients.Service, description="Something that a client depends on.")
class Service(AtSite, Node):
    id: strawberry.ID = id_field(IdKind.SERVICE, description="The service's id.")
    client_id: strawberry.ID = id_field(IdKind.CLIENT, "client_id", description="The client.")
    name: str = strawberry.field(description="Its name.")
    critical: bool = strawberry.field(description="Whether the client cannot do without it.")
    created_at: datetime = strawberry.field(description="When it was noted.")
    version: int = strawberry.field(description=CHANGES)

    @resolved(description="The ids of the devices it runs on.")
    def device_ids(root: Any) -> list[strawberry.ID]:  # noqa: N805
        return [strawberry.ID(public(IdKind.DEVICE, device)) for device in root.device_ids]

    @resolved(description="The devices it runs on.", cost=FieldPrice(list_size=5))
    async def devices(root: Any, info: Info) -> list[Device]:  # noqa: N805
        found = await info.context.loader(loaders.device).load_many(root.device_ids)
        return [device for device in found if device is not None]  # type: ignore[misc]

    @resolved(description="The client that depends on it.")
    async def client(root: Any, info: Info) -> OwnClient | None:  # noqa: N805
        return await _client(root, info)


@window(clients.DiscoveryRun, description="One search for devices at a client.")
class DiscoveryRun(AtSite, Node):
    id: strawberry.ID = id_field(IdKind.DISCOVERY_RUN, description="The run's id.")
    client_id: strawberry.ID = id_field(IdKind.CLIENT, "client_id", description="The client.")
    source: str = strawberry.field(description="What searched.")
    ran_at: datetime = strawberry.field(description="When it ended.")
    devices_found: int = strawberry.field(description="How many devices it found.")


nodes_of(IdKind.CONTACT, loaders.contact, Scope.CONTACTS_READ)
nodes_of(IdKind.CONTRACT, loaders.contract, Scope.CLIENTS_READ)
nodes_of(IdKind.SERVICE, loaders.service, Scope.CLIENTS_READ)
nodes_of(IdKind.DEVICE, loaders.device, Scope.CLIENTS_READ)
nodes_of(IdKind.DISCOVERY_RUN, loaders.discovery_run, Scope.CLIENTS_READ)
