"""Tickets by the thousand: a JSON payload that is read in one pass, or the same as typed input."""

import dataclasses
from datetime import datetime
from enum import Enum
from typing import Any

import strawberry
from strawberry.scalars import JSON

from api.bulk import BulkResult, results_of
from api.changing import Payload
from api.clients import ClientRef
from api.context import Info
from api.fields import FieldPrice, mutation_field
from api.payloads import KEY, event_id
from domain.access import Scope
from domain.bulk import BulkPolicy
from domain.errors import ErrorCode, Outcome, invalid, refused
from domain.events import camel
from domain.ids import IdKind
from domain.tickets import (
    EscalationKind,
    Exclusion,
    Priority,
    SlaResult,
    TicketKind,
    TicketSource,
    WaitingOn,
)
from integrations.readings import Unreadable
from workflows import ticket_batches
from workflows.ticket_batches import UpsertTickets, rows_of


@strawberry.input(description="From `at` on, this team had the ticket.")
class TicketHandOverInput:
    at: datetime = strawberry.field(description="When the team got it.")
    team: str | None = strawberry.field(default=None, description="The team, by the system's own name.")
    tier: int | None = strawberry.field(default=None, description="The support line, 1 being the first.")
    reassignments: int | None = strawberry.field(default=None, description="The system's own running count.")
    agent: str | None = strawberry.field(default=None, description="Who in the team, by the system's own key.")


@strawberry.input(description="A stretch in which somebody else was to act.")
class TicketWaitInput:
    start: datetime = strawberry.field(description="When it began.")
    end: datetime | None = strawberry.field(default=None, description="When it ended; left out while it lasts.")
    on: WaitingOn = strawberry.field(default=WaitingOn.OTHER, description="Who was to act.")


@strawberry.input(description="The ticket was resolved, and held until it was reopened, if it was.")
class TicketResolutionInput:
    at: datetime = strawberry.field(description="When it was resolved.")
    reopened_at: datetime | None = strawberry.field(default=None, description="When it was reopened.")


@strawberry.input(description="By when something was agreed to be done.")
class TicketSlaInput:
    due_at: datetime | None = strawberry.field(default=None, description="By when.")
    result: SlaResult | None = strawberry.field(default=None, description="What the system says came of it.")


@strawberry.input(description="An escalation that the system names as such.")
class TicketEscalationInput:
    at: datetime = strawberry.field(description="When it rose.")
    kind: EscalationKind = strawberry.field(description="What rose.")
    from_team: str | None = strawberry.field(default=None, description="The team that had it.")
    to_team: str | None = strawberry.field(default=None, description="The team that it rose to.")
    reason: str | None = strawberry.field(default=None, description="Why.")


@strawberry.input(description="One ticket, complete: what is left out is not so, and saying it again changes nothing.")
class TicketInput:
    external_id: str = strawberry.field(description="Its number in the system.")
    logged_at: datetime = strawberry.field(description="When it was logged.")
    client: str | None = strawberry.field(default=None, description="The system's own key of the client.")
    kind: TicketKind = strawberry.field(default=TicketKind.UNKNOWN, description="What sort of matter it is.")
    source: TicketSource = strawberry.field(default=TicketSource.PERSON, description="Who opened it.")
    priority: Priority = strawberry.field(default=Priority.UNKNOWN, description="How urgent it is.")
    category: str | None = strawberry.field(default=None, description="The system's own category.")
    title: str | None = strawberry.field(default=None, description="What it is about, in a line.")
    site: str | None = strawberry.field(default=None, description="The system's own key of the site.")
    device: str | None = strawberry.field(default=None, description="The system's own key of the device.")
    changed_at: datetime | None = strawberry.field(
        default=None, description="When it was last changed there: an older report never overwrites a newer one."
    )
    closed_at: datetime | None = strawberry.field(default=None, description="When it was closed.")
    first_responded_at: datetime | None = strawberry.field(
        default=None, description="When the client was first answered."
    )
    first_contact: bool | None = strawberry.field(
        default=None, description="Whether the first contact resolved it, where the system knows."
    )
    exclusion: Exclusion | None = strawberry.field(default=None, description="Why it is to count in no figure.")
    merged_into: str | None = strawberry.field(default=None, description="The number of the ticket that stands for it.")
    times_reopened: int = strawberry.field(
        default=0, description="How often it was reopened, where the system only counts that."
    )
    hand_overs: list[TicketHandOverInput] | None = strawberry.field(
        default=None, description="Who had it, one after another."
    )
    resolutions: list[TicketResolutionInput] | None = strawberry.field(
        default=None, description="When it was resolved and reopened."
    )
    waits: list[TicketWaitInput] | None = strawberry.field(default=None, description="When it waited.")
    escalations: list[TicketEscalationInput] | None = strawberry.field(
        default=None, description="Escalations that the system names as such."
    )
    response_sla: TicketSlaInput | None = strawberry.field(
        default=None, description="By when the client was to be answered."
    )
    resolution_sla: TicketSlaInput | None = strawberry.field(default=None, description="By when it was to be resolved.")
    snapshot: bool | None = strawberry.field(
        default=None, description="It tells only how the ticket stands at `changedAt`: what is known of its past stays."
    )


@strawberry.input(description="Tickets of one system, as `payload` or as `tickets`, to be brought in or up to date.")
class TicketBulkUpsertInput:
    system: str = strawberry.field(description="The system that they come from, such as `HALO`.")
    payload: JSON | None = strawberry.field(
        default=None,
        description="1 to 1,000 tickets with the fields of `TicketInput`, moments in ISO 8601 with an offset: a list, "
        "an object with the list `tickets`, or the JSON text of either. It is read in one pass, several times faster "
        "than `tickets`.",
    )
    tickets: list[TicketInput] | None = strawberry.field(default=None, description="The same, typed.")
    client: ClientRef | None = strawberry.field(
        default=None, description="The client of all of them. Left out, each names its client by the system's key."
    )
    snapshot: bool = strawberry.field(
        default=False, description="Each tells only how it stands, unless it says otherwise itself."
    )
    policy: BulkPolicy = strawberry.field(
        default=BulkPolicy.REJECT_ALL, description="What becomes of good tickets when others are refused."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.type(description="What became of each ticket; `eventId` is the last of one event a client.")
class TicketBulkUpsertPayload(Payload):
    results: list[BulkResult] = strawberry.field(description="What became of each ticket, in the order of the input.")


@strawberry.type
class TicketBatchesMutation:
    @mutation_field(
        scope=Scope.TICKETS_WRITE,
        description="Bring up to 1,000 tickets of one system in or up to date by their numbers; more go by "
        "`importStart`.",
        may_fail=(ErrorCode.NOT_FOUND, ErrorCode.NOT_ALLOWED),
        cost=FieldPrice(weight=100),
    )
    async def ticket_bulk_upsert(self, info: Info, input: TicketBulkUpsertInput) -> TicketBulkUpsertPayload:
        outcome = await _upserted(info, input)
        return TicketBulkUpsertPayload(
            results=results_of(outcome, IdKind.TICKET),
            event_id=event_id(outcome),
            errors=list(outcome.errors),  # type: ignore[arg-type]
        )


async def _upserted(info: Info, input: TicketBulkUpsertInput) -> Outcome:
    if (input.payload is None) == (input.tickets is None):
        return refused(invalid("Give the tickets either as `payload` or as `tickets`.", "payload"))
    listed = "payload" if input.tickets is None else "tickets"
    try:
        rows = rows_of(input.payload) if input.tickets is None else [_said(one) for one in input.tickets]
    except Unreadable as error:
        return refused(invalid(f"The payload cannot be read: {error.reason}", "payload"))
    client = input.client.value() if input.client else None
    command = UpsertTickets(input.system, rows, client, input.policy, input.snapshot, listed)
    return await info.context.perform(ticket_batches.upsert, info.context.command(input.idempotency_key), command)


def _said(value: Any) -> Any:
    """Return typed input as it would stand in a payload; what was left out is absent."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, list):
        return [_said(one) for one in value]
    if dataclasses.is_dataclass(value):
        given = ((field.name, getattr(value, field.name)) for field in dataclasses.fields(value))
        return {camel(name): _said(one) for name, one in given if one is not None}
    return value
