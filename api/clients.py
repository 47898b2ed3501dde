"""Clients as the API shows them: found by id, by another system's key or by name, with what is theirs."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import strawberry

from api import client_loaders as loaders
from api.belongings import CHANGES, ERASED, Contact, Contract, Device, DiscoveryRun, ExternalReference, Service
from api.changing import id_of
from api.client_lists import PLACES, belonging, ordering
from api.context import Info
from api.enums import described
from api.errors import BadUserInput
from api.fields import FieldPrice, id_field, member_id_field, query_field, resolved, window
from api.kpis import ClientFigures
from api.members import Member
from api.merged import ClientAliases
from api.nodes import Node, nodes_of
from api.note_fields import ClientNotes
from api.onboarding import Onboarding
from api.onboarding_loaders import of_client
from api.paging import After, Before, Connection, First, Last, connection, page_of
from api.sites import ClientSites
from api.tickets import ClientTickets
from api.timelines import ClientTimeline
from db import clients as stored
from db import contacts, contracts, devices, services
from domain import clients
from domain.access import Scope
from domain.clients import DeviceState, ExternalKey, prefix_range
from domain.ids import IdKind, parse
from domain.onboarding import ScopeKind
from domain.stages import Stage
from domain.texts import is_line


class ClientOrderField(StrEnum):
    """By what clients can be put in order; an index serves each."""

    NAME = "NAME"
    CREATED_AT = "CREATED_AT"


class DeviceOrderField(StrEnum):
    """By what a client's devices can be put in order; an index serves each."""

    NAME = "NAME"
    LAST_SEEN_AT = "LAST_SEEN_AT"


class OrderDirection(StrEnum):
    """Which way an order goes."""

    ASC = "ASC"
    DESC = "DESC"


described(ClientOrderField, "By what clients are ordered.", NAME="By name.", CREATED_AT="By when they were taken on.")
described(
    DeviceOrderField, "By what devices are ordered.", NAME="By name.", LAST_SEEN_AT="By when they were last seen."
)
described(OrderDirection, "Which way an order goes.", ASC="From the least to the most.", DESC="The other way round.")


@strawberry.input(description="Which devices; every condition given must hold.")
class DeviceWhere:
    states: list[DeviceState] | None = strawberry.field(default=None, description="With one of these standings.")
    in_scope: bool | None = strawberry.field(default=None, description="Meant to be managed (`true`) or not.")
    site_id: strawberry.ID | None = strawberry.field(default=None, description="At this site of the client.")

    def conditions(self) -> loaders.Where:
        """Return what is given as conditions of the listing."""
        given: dict[str, Any] = {
            "states": None if self.states is None else tuple(sorted({state.value for state in self.states})),
            "in_scope": self.in_scope,
            "site": id_of(IdKind.SITE, self.site_id),
        }
        return tuple((name, value) for name, value in given.items() if value is not None)


@window(clients.Client, description="A company that the provider serves.")
class Client(ClientSites, ClientAliases, ClientFigures, ClientTickets, ClientNotes, ClientTimeline, Node):
    id: strawberry.ID = id_field(IdKind.CLIENT, description="The client's id.")
    name: str = strawberry.field(description="Its name; names may repeat, and `[erased]` is that of an erased one.")
    industry: str | None = strawberry.field(description="What it does.")
    seats: int | None = strawberry.field(description="How many people work there with a computer.")
    owner_id: strawberry.ID | None = member_id_field("owner_id", description="The member to whom the client belongs.")
    account_manager_id: strawberry.ID | None = member_id_field(
        "account_manager_id", description="The member who looks after the account."
    )
    erased: bool = strawberry.field(description=ERASED)
    created_at: datetime = strawberry.field(description="When it was taken on.")
    version: int = strawberry.field(description=CHANGES)

    @resolved(description="The member to whom the client belongs.", scope=Scope.MEMBERS_READ)
    async def owner(root: Any, info: Info) -> Member | None:  # noqa: N805 -- the root is a domain value
        return await info.context.loader(loaders.member).load(root.owner_id) if root.owner_id else None  # type: ignore[return-value]

    @resolved(description="The member who looks after the account.", scope=Scope.MEMBERS_READ)
    async def account_manager(root: Any, info: Info) -> Member | None:  # noqa: N805
        manager = root.account_manager_id
        return await info.context.loader(loaders.member).load(manager) if manager else None  # type: ignore[return-value]

    @resolved(description="Its keys in other systems.", cost=FieldPrice(list_size=3))
    async def external(root: Any, info: Info) -> list[ExternalReference]:  # noqa: N805
        return await info.context.loader(loaders.refs_of).load(root.id)  # type: ignore[return-value]

    @resolved(description="Its latest onboarding as a whole; `null` before the first.")
    async def onboarding(root: Any, info: Info) -> Onboarding | None:  # noqa: N805
        return await info.context.loader(loaders.latest_cycle).load(root.cycle_id) if root.cycle_id else None  # type: ignore[return-value]

    @resolved(
        description="All its onboardings, of the whole client, its sites and its services, oldest first.",
        cost=FieldPrice(list_size=3),
    )
    async def onboardings(
        root: Any,  # noqa: N805
        info: Info,
        scope_kinds: Annotated[
            list[ScopeKind] | None, strawberry.argument(description="About one of these only.")
        ] = None,
    ) -> list[Onboarding]:
        found = await info.context.loader(of_client).load(root.id)
        return [cycle for cycle in found if scope_kinds is None or cycle.scope_kind in scope_kinds]  # type: ignore[misc]

    @resolved(
        description="The stage of its latest onboarding as a whole; `null` before the first.", for_all=loaders.stages_of
    )
    async def stage(root: Any, info: Info) -> Stage | None:  # noqa: N805
        if root.cycle_id is None:
            return None
        cycle = await info.context.loader(loaders.latest_cycle).load(root.cycle_id)
        return cycle.stage if cycle else None

    @resolved(description="Its people by name.", scope=Scope.CONTACTS_READ)
    async def contacts(
        root: Any,  # noqa: N805
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Contact] | None:
        page = page_of(ordering("contacts", "NAME"), first=first, after=after, last=last, before=before)
        return await belonging(root, info, page, contacts.LISTING, loaders.contacts_of)

    @resolved(description="Its contracts, oldest first.")
    async def contracts(
        root: Any,  # noqa: N805
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Contract]:
        page = page_of(ordering("contracts", "CREATED_AT"), first=first, after=after, last=last, before=before)
        return await belonging(root, info, page, contracts.LISTING, loaders.contracts_of)

    @resolved(description="What it depends on, by name.")
    async def services(
        root: Any,  # noqa: N805
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Service]:
        page = page_of(ordering("services", "NAME"), first=first, after=after, last=last, before=before)
        return await belonging(root, info, page, services.LISTING, loaders.services_of)

    @resolved(description="Its devices, by name or by when they were last seen.")
    async def devices(
        root: Any,  # noqa: N805
        info: Info,
        where: Annotated[DeviceWhere | None, strawberry.argument(description="Which; all if left out.")] = None,
        order_by: Annotated[
            DeviceOrderField, strawberry.argument(description="In what order.")
        ] = DeviceOrderField.NAME,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Device]:
        page = page_of(ordering("devices", order_by), first=first, after=after, last=last, before=before)
        given = where.conditions() if where else ()
        return await belonging(
            root, info, page, devices.LISTING, loaders.devices_of, order_by.value, given, where=given
        )

    @resolved(description="The searches for its devices, the latest first.")
    async def discovery_runs(
        root: Any,  # noqa: N805
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[DiscoveryRun]:
        order = ordering("runs", "RAN_AT", descending=True)
        page = page_of(order, first=first, after=after, last=last, before=before)
        return await belonging(root, info, page, devices.RUN_LISTING, loaders.runs_of)


nodes_of(IdKind.CLIENT, loaders.client, Scope.CLIENTS_READ)


@strawberry.input(description="A key in another system.")
class ExternalKeyInput:
    system: str = strawberry.field(description="The other system, such as `HALO`: 1 to 40 characters.")
    key: str = strawberry.field(description="The key there: 1 to 200 characters.")

    def value(self) -> ExternalKey:
        return ExternalKey(self.system, self.key)


@strawberry.input(one_of=True, description="One client: by its id, or by the key of another system.")
class ClientRef:
    id: strawberry.Maybe[strawberry.ID] = strawberry.field(default=None, description="The client's id.")
    external: strawberry.Maybe[ExternalKeyInput] = strawberry.field(
        default=None, description="The client's key in another system."
    )

    def value(self) -> clients.ClientRef:
        """Return how a command names the client.

        Raises:
            MalformedIdError: the id is no client's.
        """
        if self.external is not None:
            return self.external.value.value()
        if self.id is not None:
            return parse(IdKind.CLIENT, self.id.value)
        raise AssertionError


@strawberry.input(description="Which clients; every condition given must hold.")
class ClientWhere:
    name_starts_with: str | None = strawberry.field(
        default=None, description="Whose name begins so, whatever its accents and capitals."
    )
    owner_id: strawberry.ID | None = strawberry.field(default=None, description="Who belong to this member.")
    account_manager_id: strawberry.ID | None = strawberry.field(
        default=None, description="Whose account this member looks after."
    )
    stages: list[Stage] | None = strawberry.field(
        default=None, description="Whose latest onboarding stands in one of these stages."
    )
    set_aside: bool = strawberry.field(
        default=False,
        description="Instead of all others those that were merged into others, or entered in error and discarded.",
    )

    def conditions(self) -> dict[str, object]:
        """Return what is given as conditions of the listing.

        Raises:
            BadUserInput: no name begins like that.
        """
        if self.name_starts_with and not is_line(self.name_starts_with):
            raise BadUserInput(f"nameStartsWith: {self.name_starts_with[:40]!r} holds what no name has; leave it out.")
        low, high = prefix_range(self.name_starts_with) if self.name_starts_with else (None, None)
        given: dict[str, object | None] = {
            "name_from": low,
            "name_below": high,
            "owner": id_of(IdKind.MEMBER, self.owner_id),
            "account_manager": id_of(IdKind.MEMBER, self.account_manager_id),
            "stages": None if self.stages is None else [stage.value for stage in self.stages],
            "kept": not self.set_aside,
        }
        return {name: value for name, value in given.items() if value is not None}


@strawberry.input(description="In what order clients come.")
class ClientOrder:
    field: ClientOrderField = strawberry.field(description="By what.")
    direction: OrderDirection = strawberry.field(default=OrderDirection.ASC, description="Which way.")


@strawberry.type
class ClientsQuery:
    @query_field(scope=Scope.CLIENTS_READ, description="One client, or `null` if none such is visible to you.")
    async def client(
        self, info: Info, ref: Annotated[ClientRef, strawberry.argument(description="Which client.")]
    ) -> Client | None:
        named = ref.value()
        if isinstance(named, UUID):
            return await info.context.loader(loaders.client).load(named)  # type: ignore[return-value]
        return await info.context.loader(loaders.client_of_key).load((named.system, named.key))  # type: ignore[return-value]

    @query_field(scope=Scope.CLIENTS_READ, description="The clients that you see, by name unless asked otherwise.")
    async def clients(
        self,
        info: Info,
        where: Annotated[ClientWhere | None, strawberry.argument(description="Which; all if left out.")] = None,
        order_by: Annotated[ClientOrder | None, strawberry.argument(description="In what order; by name.")] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Client] | None:
        field = order_by.field if order_by else ClientOrderField.NAME
        descending = order_by is not None and order_by.direction is OrderDirection.DESC
        order = ordering("clients", field, descending=descending)
        page = page_of(order, first=first, after=after, last=last, before=before)
        conditions = where.conditions() if where else {}

        async def count() -> int:
            async with info.context.reading() as tx:
                return await stored.count(tx, conditions)

        async with info.context.reading() as tx:
            rows = await stored.listed(tx, field.value, page, conditions, descending=descending)
        return connection(page, rows, key=PLACES[field][1], count=count)
