"""Tickets as the API shows them: who had each, what was escalated, and lists that an index serves."""

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any, Optional

import strawberry

from api import client_loaders, onboarding_enums, ticket_enums, ticket_loaders
from api.context import Info
from api.fields import FieldPrice, id_field, optional_id_field, query_field, resolved, window
from api.nodes import Node, nodes_of
from api.paging import After, Before, Connection, First, Last, connection, page_of
from api.ticket_filters import ORDERS, TicketOrder, TicketWhere, conditions_of
from api.ticket_parts import Escalation, EscalationRule, HandOver, Resolution, Sla, Wait
from db import ticket_lists
from domain import tickets
from domain.access import Scope
from domain.escalations import Phase
from domain.ids import IdKind, parse
from domain.stages import Stage
from domain.tickets import Exclusion, Priority, SlaTarget, TicketKind, TicketSource, WaitingOn

if TYPE_CHECKING:
    from api.belongings import Device
    from api.clients import Client
    from api.sites import Site

__all__ = ["ClientTickets", "Ticket", "TicketQuery", "onboarding_enums", "ticket_enums"]

PER_TICKET = FieldPrice(list_size=5)


@window(
    tickets.Ticket,
    description="One matter that a client raised. Stage, phase and onboarding are those of the client when it was "
    "logged, and stay so when it is escalated later.",
)
class Ticket(Node):
    id: strawberry.ID = id_field(IdKind.TICKET, description="The ticket's id.")
    client_id: strawberry.ID | None = optional_id_field(
        IdKind.CLIENT, "client_id", description="The client; `null` while nobody has mapped the source's key."
    )
    system: str = strawberry.field(description="The system that it comes from.")
    external_id: str = strawberry.field(description="Its number there.")
    client_key: str | None = strawberry.field(description="The system's own key of the client.")
    client_pinned: bool = strawberry.field(
        description="Whether a person said whose it is: what its system says of that no longer counts."
    )
    title: str | None = strawberry.field(description="What it is about, in a line.")
    kind: TicketKind = strawberry.field(description="What sort of matter it is.")
    source: TicketSource = strawberry.field(description="Who opened it.")
    priority: Priority = strawberry.field(description="How urgent it is.")
    category: str | None = strawberry.field(description="The system's own category.")
    tier: int | None = strawberry.field(description="The support line that has it, 1 being the first.")
    site_id: strawberry.ID | None = optional_id_field(IdKind.SITE, "site_id", description="The site that it is about.")
    site_key: str | None = strawberry.field(description="The system's own key of the site.")
    device_id: strawberry.ID | None = optional_id_field(
        IdKind.DEVICE, "device_id", description="The device that it is about."
    )
    device_key: str | None = strawberry.field(description="The system's own key of the device.")
    logged_at: datetime = strawberry.field(description="When it was logged.")
    day: date = strawberry.field(description="The provider's local day on which it was logged.")
    first_responded_at: datetime | None = strawberry.field(description="When the client was first answered.")
    response_minutes: int | None = strawberry.field(
        description="Business minutes from logging to the first answer, in the hours of the client's contract, else "
        "the provider's."
    )
    resolved_at: datetime | None = strawberry.field(description="When it was last resolved; `null` while it is open.")
    resolve_minutes: int | None = strawberry.field(
        description="Business minutes from logging to the last resolution, without waits and what lay between resolved "
        "and reopened."
    )
    times_reopened: int = strawberry.field(description="How often it was reopened.")
    first_contact: bool | None = strawberry.field(
        description="Whether the first contact resolved it: neither escalated nor reopened within 72 hours; `null` "
        "while it is open."
    )
    closed_at: datetime | None = strawberry.field(description="When it was closed.")
    exclusion: Exclusion | None = strawberry.field(description="Why it counts in no figure; `null` when it counts.")
    exclusion_pinned: bool = strawberry.field(
        description="Whether a person said if it counts: what its system says of that no longer holds."
    )
    merged_into_number: str | None = strawberry.field(
        name="mergedIntoExternalId",
        description="The number, in its system, of the ticket that stands for it.",
        resolver=lambda root: root.merged_into,
    )
    stage: Stage | None = strawberry.field(description="The client's stage when it was logged, where that is known.")
    phase: Phase = strawberry.field(description="The client's support phase when it was logged.")
    onboarding_id: strawberry.ID | None = optional_id_field(
        IdKind.ONBOARDING, "cycle_id", description="The client's onboarding when it was logged."
    )
    times_escalated: int = strawberry.field(description="How often it was escalated.")
    first_escalated_at: datetime | None = strawberry.field(description="When it was first escalated.")
    rule_version: int = strawberry.field(description="The version of the rule by which its escalations were seen.")
    recorded_at: datetime = strawberry.field(description="When it was last written here.")
    version: int = strawberry.field(description="How often it was written here, counted from 1.")

    @resolved(description="The client; `null` while nobody has mapped the source's key.", scope=Scope.CLIENTS_READ)
    async def client(root: Any, info: Info) -> Annotated["Client", strawberry.lazy("api.clients")] | None:  # noqa: N805
        return await info.context.loader(client_loaders.client).load(root.client_id) if root.client_id else None  # type: ignore[return-value]

    @resolved(description="The team that has it, by its source's own name.")
    async def team(root: Any, info: Info) -> str | None:  # noqa: N805
        return await info.context.loader(ticket_loaders.term).load(root.team_id) if root.team_id else None

    @resolved(description="Who in the team has it, by its source's own key.", scope=Scope.MEMBERS_READ)
    async def agent(root: Any, info: Info) -> str | None:  # noqa: N805
        return await info.context.loader(ticket_loaders.term).load(root.agent_id) if root.agent_id else None

    @resolved(description="The site that it is about.", scope=Scope.CLIENTS_READ)
    async def site(root: Any, info: Info) -> Annotated["Site", strawberry.lazy("api.sites")] | None:  # noqa: N805
        return await info.context.loader(client_loaders.site).load(root.site_id) if root.site_id else None  # type: ignore[return-value]

    @resolved(description="The device that it is about.", scope=Scope.CLIENTS_READ)
    async def device(root: Any, info: Info) -> Annotated["Device", strawberry.lazy("api.belongings")] | None:  # noqa: N805
        return await info.context.loader(client_loaders.device).load(root.device_id) if root.device_id else None  # type: ignore[return-value]

    @resolved(description="The ticket that stands for it, where that is known here.")
    async def merged_into(root: Any, info: Info) -> Optional["Ticket"]:  # noqa: N805 -- the class is not made yet
        if root.merged_into is None:
            return None
        return await info.context.loader(ticket_loaders.of_number).load((root.system, root.merged_into))  # type: ignore[return-value]

    @resolved(description="When the client was to be answered by agreement, and whether that was kept.")
    def response_sla(root: Any) -> Sla | None:  # noqa: N805
        return _agreed(root.response_due_at, root.response_sla)  # type: ignore[return-value]

    @resolved(description="When it was to be resolved by agreement, and whether that was kept.")
    def resolution_sla(root: Any) -> Sla | None:  # noqa: N805
        return _agreed(root.resolution_due_at, root.resolution_sla)  # type: ignore[return-value]

    @resolved(description="When it waited for somebody else to act.", cost=PER_TICKET)
    async def waits(root: Any, info: Info) -> list[Wait]:  # noqa: N805
        return (await info.context.loader(ticket_loaders.course).load(root.id)).waits  # type: ignore[return-value]

    @resolved(description="For whom it waits now; `null` while it waits for nobody.")
    async def waiting_on(root: Any, info: Info) -> WaitingOn | None:  # noqa: N805
        waits = (await info.context.loader(ticket_loaders.course).load(root.id)).waits
        return waits[-1].on if waits and waits[-1].end is None else None

    @resolved(description="When it was resolved, and reopened if it was, as far as is known.", cost=PER_TICKET)
    async def resolutions(root: Any, info: Info) -> list[Resolution]:  # noqa: N805
        return (await info.context.loader(ticket_loaders.course).load(root.id)).resolutions  # type: ignore[return-value]

    @resolved(description="Who had it, one after another, as its source said.", cost=PER_TICKET)
    async def hand_overs(root: Any, info: Info) -> list[HandOver]:  # noqa: N805 -- the root is a domain value
        return await info.context.loader(ticket_loaders.hand_overs).load(root.id)  # type: ignore[return-value]

    @resolved(description="Its escalations, in order.", cost=PER_TICKET)
    async def escalations(root: Any, info: Info) -> list[Escalation]:  # noqa: N805
        return await info.context.loader(ticket_loaders.escalations).load(root.id)  # type: ignore[return-value]

    @resolved(description="What its provider calls an escalation in this system's tickets, at present.")
    async def escalation_rule(root: Any, info: Info) -> EscalationRule | None:  # noqa: N805
        return await info.context.loader(ticket_loaders.rule).load(root.system)  # type: ignore[return-value]


def _agreed(due_at: datetime | None, result: tickets.SlaResult | None) -> SlaTarget | None:
    return None if due_at is None and result is None else SlaTarget(due_at, result)


@strawberry.type
class ClientTickets:
    """The field by which a client shows its own tickets; the type of clients inherits it."""

    @resolved(description="Its tickets, the latest logged first.", scope=Scope.TICKETS_READ)
    async def tickets(
        root: Any,  # noqa: N805
        info: Info,
        where: Annotated[TicketWhere | None, strawberry.argument(description="Which; all if left out.")] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Ticket] | None:
        ordering, key = ORDERS[TicketOrder.LOGGED_AT]
        page = page_of(ordering, first=first, after=after, last=last, before=before)
        conditions = tuple(conditions_of(where, info.context).items())

        async def count() -> int:
            loader = info.context.loader(client_loaders.counts_of, ticket_lists.LISTING, conditions)
            return await loader.load(root.id)

        rows = await info.context.loader(ticket_loaders.tickets_of, conditions, page).load(root.id)
        return connection(page, rows, key=key, count=count)


nodes_of(IdKind.TICKET, ticket_loaders.ticket, Scope.TICKETS_READ)


@strawberry.type
class TicketQuery:
    @query_field(scope=Scope.TICKETS_READ, description="One ticket by its id; `null` if none is visible to you.")
    async def ticket(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The ticket's id.")]
    ) -> Ticket | None:
        return await info.context.loader(ticket_loaders.ticket).load(parse(IdKind.TICKET, id))  # type: ignore[return-value]

    @query_field(scope=Scope.TICKETS_READ, description="Tickets, the latest logged first unless asked otherwise.")
    async def tickets(
        self,
        info: Info,
        where: Annotated[TicketWhere | None, strawberry.argument(description="Which; all if left out.")] = None,
        order_by: Annotated[TicketOrder, strawberry.argument(description="In what order.")] = TicketOrder.LOGGED_AT,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Ticket] | None:
        ordering, key = ORDERS[order_by]
        page = page_of(ordering, first=first, after=after, last=last, before=before)
        conditions = conditions_of(where, info.context)

        async def count() -> int:
            async with info.context.reading() as tx:
                return await ticket_lists.count(tx, conditions)

        async with info.context.reading() as tx:
            rows = await ticket_lists.listed(tx, page, conditions, order_by.value)
        return connection(page, rows, key=key, count=count)
