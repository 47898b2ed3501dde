"""Mutations of amendments."""

from datetime import date, datetime
from typing import Any

import strawberry

from api import client_loaders as loaders
from api.amendments import Amendment
from api.changing import EXPECTED, Payload, change, change_as, id_of
from api.context import Info
from api.fields import mutation_field
from api.payloads import KEY, event_id
from domain.access import Scope
from domain.amendments import AmendmentStatus
from domain.clients import ContractScope
from domain.errors import ErrorCode, Outcome
from domain.ids import IdKind, parse
from workflows import amendments
from workflows.amendments import CreateAmendment, UpdateAmendment

STATUS_AT = "When it came into this status; left out, now."
STARTS = "The first day on which it counts."
ENDS = "The last day on which it counts."
SEATS = "The new number of seats, instead of `seatsDelta`."
DELTA = "How many seats more, or below 0 fewer."
AMENDMENT = "The amendment as it is now, where it is known."


@strawberry.input(description="An amendment of a contract to be noted; it gets the contract's next number.")
class AmendmentCreateInput:
    contract_id: strawberry.ID = strawberry.field(description="The contract that it changes.")
    title: str = strawberry.field(description="What it is called: 1 to 200 characters.")
    status: AmendmentStatus = strawberry.field(default=AmendmentStatus.DRAFT, description="How far it is.")
    status_at: datetime | None = strawberry.field(default=None, description=STATUS_AT)
    starts_on: date | None = strawberry.field(default=None, description=STARTS)
    ends_on: date | None = strawberry.field(default=None, description=ENDS)
    scope_added: list[ContractScope] | None = strawberry.field(default=None, description="What is covered besides.")
    scope_removed: list[ContractScope] | None = strawberry.field(
        default=None, description="What is not covered any more."
    )
    seats: int | None = strawberry.field(default=None, description=SEATS)
    seats_delta: int | None = strawberry.field(default=None, description=DELTA)
    site_id: strawberry.ID | None = strawberry.field(default=None, description="The site that it adds.")
    service_id: strawberry.ID | None = strawberry.field(default=None, description="The service that it adds.")
    note: str | None = strawberry.field(default=None, description="What there is to say about it.")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="A change of an amendment; what is left out stays as it is.")
class AmendmentUpdateInput:
    amendment_id: strawberry.ID = strawberry.field(description="The amendment.")
    status: strawberry.Maybe[AmendmentStatus] = strawberry.field(default=None, description="How far it is.")
    status_at: datetime | None = strawberry.field(default=None, description=STATUS_AT)
    title: strawberry.Maybe[str] = strawberry.field(default=None, description="What it is called.")
    starts_on: strawberry.Maybe[date | None] = strawberry.field(default=None, description=STARTS)
    ends_on: strawberry.Maybe[date | None] = strawberry.field(default=None, description=ENDS)
    scope_added: strawberry.Maybe[list[ContractScope]] = strawberry.field(
        default=None, description="All that is covered besides, anew."
    )
    scope_removed: strawberry.Maybe[list[ContractScope]] = strawberry.field(
        default=None, description="All that is not covered any more, anew."
    )
    seats: strawberry.Maybe[int | None] = strawberry.field(default=None, description=SEATS)
    seats_delta: strawberry.Maybe[int | None] = strawberry.field(default=None, description=DELTA)
    site_id: strawberry.Maybe[strawberry.ID | None] = strawberry.field(
        default=None, description="The site that it adds; it stays once an onboarding works towards the amendment."
    )
    service_id: strawberry.Maybe[strawberry.ID | None] = strawberry.field(
        default=None, description="The service that it adds; it stays as a site does."
    )
    note: strawberry.Maybe[str | None] = strawberry.field(default=None, description="What there is to say about it.")
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.type(description="The new amendment, or why none was noted.")
class AmendmentCreatePayload(Payload):
    amendment: Amendment | None = strawberry.field(description=AMENDMENT)


@strawberry.type(description="The amendment after the change, or why nothing changed.")
class AmendmentUpdatePayload(Payload):
    amendment: Amendment | None = strawberry.field(description=AMENDMENT)


@strawberry.type
class AmendmentsMutation:
    @mutation_field(
        scope=Scope.CLIENTS_WRITE,
        description="Note an amendment of a contract: other scope, other seats, or a site or service more.",
        may_fail=(ErrorCode.NOT_FOUND, ErrorCode.NOT_ALLOWED, ErrorCode.CONFLICT),
    )
    async def amendment_create(self, info: Info, input: AmendmentCreateInput) -> AmendmentCreatePayload:
        command = CreateAmendment(
            contract_id=parse(IdKind.CONTRACT, input.contract_id),
            title=input.title,
            status=input.status,
            status_at=input.status_at,
            starts_on=input.starts_on,
            ends_on=input.ends_on,
            scope_added=tuple(input.scope_added or ()),
            scope_removed=tuple(input.scope_removed or ()),
            seats=input.seats,
            seats_delta=input.seats_delta,
            site_id=id_of(IdKind.SITE, input.site_id),
            service_id=id_of(IdKind.SERVICE, input.service_id),
            note=input.note,
        )
        outcome = await info.context.perform(amendments.create, info.context.command(input.idempotency_key), command)
        return AmendmentCreatePayload(**await _shown(info, outcome))

    @mutation_field(
        scope=Scope.CLIENTS_WRITE,
        description="Change what an amendment says, or its status. What is signed is never unsigned; what has ended "
        "stays.",
        may_fail=(ErrorCode.NOT_FOUND, ErrorCode.NOT_ALLOWED, ErrorCode.STALE_VERSION, ErrorCode.CONFLICT),
    )
    async def amendment_update(self, info: Info, input: AmendmentUpdateInput) -> AmendmentUpdatePayload:
        command = UpdateAmendment(
            amendment_id=parse(IdKind.AMENDMENT, input.amendment_id),
            status=change(input.status),
            status_at=input.status_at,
            title=change(input.title),
            starts_on=change(input.starts_on),
            ends_on=change(input.ends_on),
            scope_added=change_as(input.scope_added, tuple),
            scope_removed=change_as(input.scope_removed, tuple),
            seats=change(input.seats),
            seats_delta=change(input.seats_delta),
            site_id=change_as(input.site_id, lambda given: id_of(IdKind.SITE, given)),
            service_id=change_as(input.service_id, lambda given: id_of(IdKind.SERVICE, given)),
            note=change(input.note),
            expected_version=input.expected_version,
        )
        outcome = await info.context.perform(amendments.update, info.context.command(input.idempotency_key), command)
        return AmendmentUpdatePayload(**await _shown(info, outcome))


async def _shown(info: Info, outcome: Outcome) -> dict[str, Any]:
    readable = outcome.subject is not None and info.context.principal.has(Scope.CLIENTS_READ)
    amendment = await info.context.loader(loaders.amendment).load(outcome.subject) if readable else None
    return {"amendment": amendment, "event_id": event_id(outcome), "errors": list(outcome.errors)}
