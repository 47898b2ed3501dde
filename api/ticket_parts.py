"""What belongs to a ticket: who had it, when it waited and was resolved, what was agreed, what was escalated."""

from datetime import datetime
from typing import Any

import strawberry

from api import ticket_enums  # noqa: F401 -- publishes the enums named here
from api.fields import id_field, resolved, window
from domain import escalations, tickets
from domain.access import Scope
from domain.escalations import EscalationTest
from domain.ids import IdKind
from domain.tickets import EscalationKind, SlaResult, WaitingOn


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

    @resolved(description="Who in the team got it, by the source's own key.", scope=Scope.MEMBERS_READ)
    def agent(root: Any) -> str | None:  # noqa: N805 -- the root is a domain value
        name: str | None = root.agent
        return name


@window(tickets.Wait, name="TicketWait", description="A stretch in which somebody else was to act.")
class Wait:
    start: datetime = strawberry.field(description="When it began to wait.")
    end: datetime | None = strawberry.field(description="When that was over; `null` while it lasts.")
    on: WaitingOn = strawberry.field(description="Who was to act.")


@window(
    tickets.Resolution,
    name="TicketResolution",
    description="The ticket was resolved, and held until it was reopened, if it was.",
)
class Resolution:
    at: datetime = strawberry.field(description="When it was resolved.")
    reopened_at: datetime | None = strawberry.field(description="When it was reopened; `null` if it was not.")


@window(tickets.SlaTarget, name="TicketSla", description="By when something was to be done, and what came of it.")
class Sla:
    due_at: datetime | None = strawberry.field(description="By when; `null` where the source only tells the result.")
    result: SlaResult | None = strawberry.field(description="Whether it was kept; `null` while that is open.")


@window(escalations.RecordedEscalation, description="A hand-over that the rule counts, or what was named as one.")
class Escalation:
    id: strawberry.ID = id_field(IdKind.ESCALATION, description="The escalation's id.")
    kind: EscalationKind = strawberry.field(description="What rose.")
    at: datetime = strawberry.field(description="When it was escalated.")
    times: int = strawberry.field(description="How often it counts: more than 1 where the source's count rose by more.")
    from_team: str | None = strawberry.field(description="The team that had it.")
    to_team: str | None = strawberry.field(description="The team that got it.")
    from_tier: int | None = strawberry.field(description="The support line that had it.")
    to_tier: int | None = strawberry.field(description="The support line that got it.")
    reason: str | None = strawberry.field(description="Why, where somebody said so.")
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
    vendor_teams: list[str] = strawberry.field(
        description="A hand-over to one of these teams is a `VENDOR` escalation instead."
    )
    management_teams: list[str] = strawberry.field(
        description="A hand-over to one of these teams is a `HIERARCHICAL` escalation instead."
    )
    sla_missed: bool = strawberry.field(
        description="Whether the passing of a ticket's resolution target is an `SLA` escalation."
    )
    words: str = strawberry.field(description="The rule as a sentence.")
