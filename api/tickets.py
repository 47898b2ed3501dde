"""Tickets as the API shows them: who had each, what was escalated, and lists that an index serves."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import strawberry

from api import client_loaders, onboarding_enums, ticket_enums, ticket_loaders
from api.context import Info
from api.fields import FieldPrice, id_field, optional_id_field, query_field, resolved, window
from api.nodes import Node, nodes_of
from api.paging import After, Before, Connection, First, Last, Ordering, connection, page_of
from db import attribution, ticket_lists
from domain import escalations, tickets
from domain.access import Scope
from domain.escalations import EscalationTest, Phase
from domain.ids import IdKind, parse
from domain.stages import Stage
from domain.tickets import EscalationKind, Exclusion, Priority, TicketKind, TicketSource

if TYPE_CHECKING:
    from api.clients import Client

__all__ = ["ClientTickets", "Ticket", "TicketQuery", "onboarding_enums", "ticket_enums"]

BY_LOGGED_AT = Ordering("tickets by logging", (datetime, UUID))

PER_TICKET = FieldPrice(list_size=5)


@window(tickets.HandOver, description="From this moment on the team had the ticket, as its source said.")
class HandOver:
    at: datetime = strawberry.field(description="When the team got it; the first is the first assignment.")
    team: str | None = strawberry.field(description="The team, by the source's own name.")
    tier: int | None = strawberry.field(
        description="The support line, 1 being the first; `null` if the source has none."
    )
    reassignments: int | None = strawberry.field(
        description="The source's own count of reassignments, if it keeps one."
    )


@window(escalations.RecordedEscalation, description="A hand-over that the rule counts as an escalation.")
class Escalation:
    id: strawberry.ID = id_field(IdKind.ESCALATION, description="The escalation's id.")
    kind: EscalationKind = strawberry.field(description="What rose.")
    at: datetime = strawberry.field(description="When it was escalated.")
    times: int = strawberry.field(description="How often it counts: more than 1 where the source's count rose by more.")
    from_team: str | None = strawberry.field(description="The team that had it.")
    to_team: str | None = strawberry.field(description="The team that got it.")
    from_tier: int | None = strawberry.field(description="The support line that had it.")
    to_tier: int | None = strawberry.field(description="The support line that got it.")
    rule_version: int = strawberry.field(description="The version of the rule by which it is one.")


@window(
    escalations.EscalationRule,
    description="What the provider calls an escalation in one system's tickets. Several rules are defensible on one "
    "log; this one is stored with every figure.",
)
class EscalationRule:
    test: EscalationTest = strawberry.field(description="Which hand-over counts.")
    version: int = strawberry.field(description="The rule's number; a change makes a new one.")
    kind: EscalationKind = strawberry.field(description="What rises.")
    from_tier: int | None = strawberry.field(description="Only hand-overs out of this support line count, if given.")
    from_reassignment: int = strawberry.field(description="The reassignment from which on they count.")
    words: str = strawberry.field(description="The rule as a sentence.")


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
    kind: TicketKind = strawberry.field(description="What sort of matter it is.")
    source: TicketSource = strawberry.field(description="Who opened it.")
    priority: Priority = strawberry.field(description="How urgent it is.")
    category: str | None = strawberry.field(description="The system's own category.")
    logged_at: datetime = strawberry.field(description="When it was logged.")
    day: date = strawberry.field(description="The provider's local day on which it was logged.")
    resolved_at: datetime | None = strawberry.field(description="When it was last resolved.")
    closed_at: datetime | None = strawberry.field(description="When it was closed.")
    exclusion: Exclusion | None = strawberry.field(description="Why it counts in no figure; `null` when it counts.")
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

    @resolved(description="Who had it, one after another, as its source said.", cost=PER_TICKET)
    async def hand_overs(root: Any, info: Info) -> list[HandOver]:  # noqa: N805 -- the root is a domain value
        return await info.context.loader(ticket_loaders.hand_overs).load(root.id)  # type: ignore[return-value]

    @resolved(description="Its escalations, in order.", cost=PER_TICKET)
    async def escalations(root: Any, info: Info) -> list[Escalation]:  # noqa: N805
        return await info.context.loader(ticket_loaders.escalations).load(root.id)  # type: ignore[return-value]

    @resolved(description="What its provider calls an escalation in this system's tickets, at present.")
    async def escalation_rule(root: Any, info: Info) -> EscalationRule | None:  # noqa: N805
        return await info.context.loader(ticket_loaders.rule).load(root.system)  # type: ignore[return-value]


@strawberry.input(description="Which tickets; every condition given must hold.")
class TicketWhere:
    client_ids: list[strawberry.ID] | None = strawberry.field(default=None, description="Of one of these clients.")
    systems: list[str] | None = strawberry.field(default=None, description="From one of these systems.")
    external_ids: list[str] | None = strawberry.field(default=None, description="With one of these numbers there.")
    stages: list[Stage] | None = strawberry.field(default=None, description="Logged in one of these stages.")
    phases: list[Phase] | None = strawberry.field(default=None, description="Logged in one of these support phases.")
    priorities: list[Priority] | None = strawberry.field(default=None, description="Of one of these priorities.")
    sources: list[TicketSource] | None = strawberry.field(default=None, description="Opened by one of these.")
    escalated: bool | None = strawberry.field(default=None, description="Escalated (`true`) or never (`false`).")
    unmapped: bool | None = strawberry.field(default=None, description="Of no known client (`true`) or of one.")
    open: bool | None = strawberry.field(default=None, description="Neither resolved nor closed (`true`), or either.")
    logged_from: datetime | None = strawberry.field(default=None, description="Logged at this instant or later.")
    logged_to: datetime | None = strawberry.field(default=None, description="Logged before this instant.")

    def conditions(self) -> dict[str, object]:
        """Return what is given as conditions of the listing."""
        given: dict[str, object | None] = {
            "clients": _ids(self.client_ids),
            "systems": _codes(self.systems),
            "external_ids": _codes(self.external_ids),
            "stages": _codes(self.stages),
            "phases": _codes(self.phases),
            "priorities": _codes(self.priorities),
            "sources": _codes(self.sources),
            "escalated": self.escalated,
            "unmapped": self.unmapped,
            "open": self.open,
            "logged_from": self.logged_from,
            "logged_to": self.logged_to,
        }
        return {name: value for name, value in given.items() if value is not None}


def _ids(given: list[strawberry.ID] | None) -> tuple[UUID, ...] | None:
    return None if given is None else tuple(parse(IdKind.CLIENT, one) for one in given)


def _codes(given: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if given is None else tuple(given)


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
        page = page_of(BY_LOGGED_AT, first=first, after=after, last=last, before=before)
        conditions = tuple(where.conditions().items()) if where else ()

        async def count() -> int:
            loader = info.context.loader(client_loaders.counts_of, ticket_lists.LISTING, conditions)
            return await loader.load(root.id)

        rows = await info.context.loader(ticket_loaders.tickets_of, conditions, page).load(root.id)
        return connection(page, rows, key=lambda t: (t.logged_at, t.id), count=count)


@strawberry.type(description="One system's rule.")
class SystemRule:
    system: str = strawberry.field(description="The system whose tickets it is for.")
    rule: EscalationRule = strawberry.field(description="The rule.")


nodes_of(IdKind.TICKET, ticket_loaders.ticket, Scope.TICKETS_READ)


@strawberry.type
class TicketQuery:
    @query_field(scope=Scope.TICKETS_READ, description="One ticket by its id; `null` if none is visible to you.")
    async def ticket(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The ticket's id.")]
    ) -> Ticket | None:
        return await info.context.loader(ticket_loaders.ticket).load(parse(IdKind.TICKET, id))  # type: ignore[return-value]

    @query_field(scope=Scope.TICKETS_READ, description="Tickets, the latest logged first.")
    async def tickets(
        self,
        info: Info,
        where: Annotated[TicketWhere | None, strawberry.argument(description="Which; all if left out.")] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Ticket] | None:
        page = page_of(BY_LOGGED_AT, first=first, after=after, last=last, before=before)
        conditions = where.conditions() if where else {}

        async def count() -> int:
            async with info.context.reading() as tx:
                return await ticket_lists.count(tx, conditions)

        async with info.context.reading() as tx:
            rows = await ticket_lists.listed(tx, page, conditions)
        return connection(page, rows, key=lambda t: (t.logged_at, t.id), count=count)

    @query_field(
        scope=Scope.TICKETS_READ, description="What the provider calls an escalation, for each system of tickets."
    )
    async def escalation_rules(self, info: Info) -> list[SystemRule] | None:
        async with info.context.reading() as tx:
            found = await attribution.rules(tx)
        return [SystemRule(system=system, rule=rule) for system, rule in found.items()]  # type: ignore[arg-type]
