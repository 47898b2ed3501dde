"""Which tickets a list shows and in what order: each filter and each order is one that an index serves."""

from collections.abc import Callable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import strawberry

from api import onboarding_enums, ticket_enums
from api.context import OperationContext
from api.enums import described
from api.paging import Ordering
from domain.access import Principal, Scope
from domain.escalations import Phase
from domain.ids import IdKind, parse
from domain.stages import Stage
from domain.tickets import EscalationKind, Priority, TicketKind, TicketSource

__all__ = ["TicketOrder", "TicketWhere", "onboarding_enums", "ticket_enums"]


class TicketOrder(StrEnum):
    """In what order tickets come."""

    LOGGED_AT = "LOGGED_AT"
    RECORDED_AT = "RECORDED_AT"


described(
    TicketOrder,
    "In what order tickets come.",
    LOGGED_AT="The latest logged first.",
    RECORDED_AT="As they were written here, the longest ago first: read on from the last cursor to learn what changed "
    "since. What is being written while a page is read can come to stand before its end: begin the next round a minute "
    "earlier, by `updatedSince`.",
)

ORDERS: dict[TicketOrder, tuple[Ordering, Callable[[Any], Sequence[Any]]]] = {
    TicketOrder.LOGGED_AT: (Ordering("tickets by logging", (datetime, UUID)), lambda one: (one.logged_at, one.id)),
    TicketOrder.RECORDED_AT: (Ordering("tickets by writing", (datetime, UUID)), lambda one: (one.recorded_at, one.id)),
}


@strawberry.input(description="Which tickets; every condition given must hold.")
class TicketWhere:
    client_ids: list[strawberry.ID] | None = strawberry.field(default=None, description="Of one of these clients.")
    systems: list[str] | None = strawberry.field(default=None, description="From one of these systems.")
    external_ids: list[str] | None = strawberry.field(default=None, description="With one of these numbers there.")
    kinds: list[TicketKind] | None = strawberry.field(default=None, description="Of one of these kinds.")
    categories: list[str] | None = strawberry.field(default=None, description="Of one of these categories.")
    stages: list[Stage] | None = strawberry.field(default=None, description="Logged in one of these stages.")
    phases: list[Phase] | None = strawberry.field(default=None, description="Logged in one of these support phases.")
    priorities: list[Priority] | None = strawberry.field(default=None, description="Of one of these priorities.")
    sources: list[TicketSource] | None = strawberry.field(default=None, description="Opened by one of these.")
    teams: list[str] | None = strawberry.field(default=None, description="Which one of these teams has.")
    agents: list[str] | None = strawberry.field(
        default=None, description="Which one of these agents has, by their keys; it takes `MEMBERS_READ`."
    )
    tiers: list[int] | None = strawberry.field(default=None, description="Which one of these support lines has.")
    site_ids: list[strawberry.ID] | None = strawberry.field(default=None, description="About one of these sites.")
    device_ids: list[strawberry.ID] | None = strawberry.field(default=None, description="About one of these devices.")
    escalated: bool | None = strawberry.field(default=None, description="Escalated (`true`) or never (`false`).")
    escalation_kinds: list[EscalationKind] | None = strawberry.field(
        default=None, description="Escalated in one of these ways."
    )
    unmapped: bool | None = strawberry.field(default=None, description="Of no known client (`true`) or of one.")
    open: bool | None = strawberry.field(
        default=None, description="Neither resolved nor closed nor excluded (`true`), or any of these (`false`)."
    )
    waiting: bool | None = strawberry.field(
        default=None, description="Open and waiting for somebody else (`true`), or not."
    )
    reopened: bool | None = strawberry.field(default=None, description="Reopened at least once (`true`), or never.")
    sla_missed: bool | None = strawberry.field(
        default=None, description="Of which an agreement was missed (`true`), or none."
    )
    overdue: bool | None = strawberry.field(
        default=None, description="Open after the agreed time of its resolution (`true`), or not."
    )
    excluded: bool | None = strawberry.field(
        default=None, description="Which count in no figure (`true`), or count (`false`)."
    )
    logged_from: datetime | None = strawberry.field(default=None, description="Logged at this instant or later.")
    logged_to: datetime | None = strawberry.field(default=None, description="Logged before this instant.")
    resolved_from: datetime | None = strawberry.field(
        default=None, description="Resolved, or closed without, at this instant or later."
    )
    resolved_to: datetime | None = strawberry.field(
        default=None, description="Resolved, or closed without, before this instant."
    )
    updated_since: datetime | None = strawberry.field(
        default=None, description="Written here (`recordedAt`) at this instant or later."
    )

    def conditions(self, principal: Principal, now: datetime) -> dict[str, object]:
        """Return what is given as conditions of the listing.

        Raises:
            ForbiddenError: agents are named by somebody who may not know them.
            MalformedIdError: an id is none of its kind.
        """
        if self.agents is not None:
            principal.require(Scope.MEMBERS_READ)
        given: dict[str, object | None] = {
            "clients": _ids(IdKind.CLIENT, self.client_ids),
            "sites": _ids(IdKind.SITE, self.site_ids),
            "devices": _ids(IdKind.DEVICE, self.device_ids),
            "logged_from": self.logged_from,
            "logged_to": self.logged_to,
            "ended_from": self.resolved_from,
            "ended_to": self.resolved_to,
            "updated_since": self.updated_since,
        }
        lists = ("systems", "external_ids", "kinds", "categories", "stages", "phases", "priorities", "sources", "teams")
        for name in (*lists, "agents", "tiers", "escalation_kinds"):
            listed = getattr(self, name)
            given[name] = None if listed is None else tuple(listed)
        for name in ("escalated", "unmapped", "open", "waiting", "reopened", "sla_missed", "overdue", "excluded"):
            wanted = getattr(self, name)
            value = now if name == "overdue" else True
            given[name if wanted else f"not_{name}"] = None if wanted is None else value
        return {name: value for name, value in given.items() if value is not None}


def conditions_of(where: TicketWhere | None, context: OperationContext) -> dict[str, object]:
    """Return the conditions of a list, none where everything is wanted."""
    # To the minute, so that lists of several clients ask for the same and are read at once.
    now = context.context.clock().replace(second=0, microsecond=0)
    return where.conditions(context.principal, now) if where else {}


def _ids(kind: IdKind, given: list[strawberry.ID] | None) -> tuple[UUID, ...] | None:
    return None if given is None else tuple(parse(kind, one) for one in given)
