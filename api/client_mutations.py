"""Mutations of clients: create, update, bring in by the batch."""

from typing import Any
from uuid import UUID

import strawberry

from api import client_loaders as loaders
from api.bulk import BulkResult, results_of
from api.changing import EXPECTED, Payload, change, change_as, id_of
from api.clients import Client, ExternalKeyInput
from api.context import Info
from api.fields import FieldPrice, mutation_field
from api.payloads import KEY, event_id
from domain.access import Scope
from domain.bulk import BulkPolicy
from domain.clients import ExternalKey
from domain.errors import ErrorCode, Outcome
from domain.ids import IdKind, parse
from workflows import client_batches, clients
from workflows.client_batches import ClientRow, UpsertClients
from workflows.clients import SAME_NAMES, CreateClient, UpdateClient

EXTERNAL = "Its keys in other systems."
SAME_NAME = "A warning: up to ten other clients whose names read the same."


@strawberry.input(description="A company to be taken on.")
class ClientCreateInput:
    name: str = strawberry.field(description="Its name: 1 to 200 characters. Names may repeat.")
    industry: str | None = strawberry.field(default=None, description="What it does.")
    seats: int | None = strawberry.field(default=None, description="How many people work there with a computer.")
    owner_id: strawberry.ID | None = strawberry.field(
        default=None, description="The member to whom it belongs. A lead can take on only clients of their own."
    )
    account_manager_id: strawberry.ID | None = strawberry.field(
        default=None, description="The member who looks after the account."
    )
    external: list[ExternalKeyInput] | None = strawberry.field(default=None, description=EXTERNAL)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="A change of a client; what is left out stays as it is.")
class ClientUpdateInput:
    client_id: strawberry.ID = strawberry.field(description="The client.")
    name: strawberry.Maybe[str] = strawberry.field(default=None, description="Its name.")
    industry: strawberry.Maybe[str | None] = strawberry.field(default=None, description="What it does.")
    seats: strawberry.Maybe[int | None] = strawberry.field(
        default=None, description="How many people work there with a computer."
    )
    owner_id: strawberry.Maybe[strawberry.ID | None] = strawberry.field(
        default=None, description="The member to whom it belongs."
    )
    account_manager_id: strawberry.Maybe[strawberry.ID | None] = strawberry.field(
        default=None, description="The member who looks after the account."
    )
    external: strawberry.Maybe[list[ExternalKeyInput]] = strawberry.field(
        default=None, description="All its keys in other systems anew."
    )
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="One client as another system knows it; what is left out stays as it is.")
class ClientRowInput:
    external: ExternalKeyInput = strawberry.field(description="Its key there, by which it is found again.")
    name: str = strawberry.field(description="Its name.")
    industry: str | None = strawberry.field(default=None, description="What it does.")
    seats: int | None = strawberry.field(default=None, description="How many people work there with a computer.")
    owner_id: strawberry.ID | None = strawberry.field(default=None, description="The member to whom it belongs.")
    account_manager_id: strawberry.ID | None = strawberry.field(
        default=None, description="The member who looks after the account."
    )

    def row(self) -> ClientRow:
        return ClientRow(
            self.external.value(),
            self.name,
            self.industry,
            self.seats,
            id_of(IdKind.MEMBER, self.owner_id),
            id_of(IdKind.MEMBER, self.account_manager_id),
        )


@strawberry.input(description="Clients to be brought in or up to date.")
class ClientBulkUpsertInput:
    rows: list[ClientRowInput] = strawberry.field(description="1 to 1,000 clients.")
    policy: BulkPolicy = strawberry.field(
        default=BulkPolicy.REJECT_ALL, description="What becomes of good rows when others are refused."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.type(description="The new client, or why none was taken on.")
class ClientCreatePayload(Payload):
    client: Client | None = strawberry.field(description="The client, where it is known.")
    same_name: list[Client] = strawberry.field(description=SAME_NAME)


@strawberry.type(description="The client after the change, or why nothing changed.")
class ClientUpdatePayload(Payload):
    client: Client | None = strawberry.field(description="The client as it is now, where it is known.")
    same_name: list[Client] = strawberry.field(description=SAME_NAME)


@strawberry.type(description="What became of each client; `eventId` is the last of one event a client.")
class ClientBulkUpsertPayload(Payload):
    results: list[BulkResult] = strawberry.field(description="What became of each row, in the order of the input.")


@strawberry.type
class ClientsMutation:
    @mutation_field(
        scope=Scope.CLIENTS_WRITE,
        description="Take a company on as a client. A name that repeats is a warning; another system's key may not "
        "repeat.",
        may_fail=(ErrorCode.NOT_FOUND, ErrorCode.NOT_ALLOWED, ErrorCode.ALREADY_EXISTS),
    )
    async def client_create(self, info: Info, input: ClientCreateInput) -> ClientCreatePayload:
        command = CreateClient(
            name=input.name,
            industry=input.industry,
            seats=input.seats,
            owner_id=id_of(IdKind.MEMBER, input.owner_id),
            account_manager_id=id_of(IdKind.MEMBER, input.account_manager_id),
            external=_keys(input.external or []),
        )
        outcome = await info.context.perform(clients.create, info.context.command(input.idempotency_key), command)
        return ClientCreatePayload(**await _shown(info, outcome))

    @mutation_field(
        scope=Scope.CLIENTS_WRITE,
        description="Change a client's own fields, to whom it belongs, or its keys in other systems.",
        may_fail=(ErrorCode.NOT_FOUND, ErrorCode.NOT_ALLOWED, ErrorCode.STALE_VERSION, ErrorCode.ALREADY_EXISTS),
    )
    async def client_update(self, info: Info, input: ClientUpdateInput) -> ClientUpdatePayload:
        command = UpdateClient(
            client_id=parse(IdKind.CLIENT, input.client_id),
            name=change(input.name),
            industry=change(input.industry),
            seats=change(input.seats),
            owner_id=change_as(input.owner_id, lambda given: id_of(IdKind.MEMBER, given)),
            account_manager_id=change_as(input.account_manager_id, lambda given: id_of(IdKind.MEMBER, given)),
            external=change_as(input.external, _keys),
            expected_version=input.expected_version,
        )
        outcome = await info.context.perform(clients.update, info.context.command(input.idempotency_key), command)
        return ClientUpdatePayload(**await _shown(info, outcome))

    @mutation_field(
        scope=Scope.CLIENTS_WRITE,
        description="Bring up to 1,000 clients in or up to date by another system's keys.",
        may_fail=(ErrorCode.NOT_FOUND, ErrorCode.NOT_ALLOWED),
        cost=FieldPrice(weight=100),
    )
    async def client_bulk_upsert(self, info: Info, input: ClientBulkUpsertInput) -> ClientBulkUpsertPayload:
        command = UpsertClients(tuple(row.row() for row in input.rows), input.policy)
        request = info.context.command(input.idempotency_key)
        outcome = await info.context.perform(client_batches.upsert, request, command)
        return ClientBulkUpsertPayload(
            results=results_of(outcome, IdKind.CLIENT),
            event_id=event_id(outcome),
            errors=list(outcome.errors),  # type: ignore[arg-type]
        )


def _keys(given: list[ExternalKeyInput]) -> tuple[ExternalKey, ...]:
    return tuple(one.value() for one in given)


async def _shown(info: Info, outcome: Outcome) -> dict[str, Any]:
    """Return what a payload shows: the client if the caller may read clients, and the warning."""
    readable = info.context.principal.has(Scope.CLIENTS_READ)
    load = info.context.loader(loaders.client).load
    client = await load(outcome.subject) if outcome.subject and readable else None
    alike: Any = outcome.facts.get(SAME_NAMES, ()) if readable else ()
    same_name = await info.context.loader(loaders.client).load_many([UUID(hex=one) for one in alike])
    return {
        "client": client,
        "same_name": [one for one in same_name if one is not None],
        "event_id": event_id(outcome),
        "errors": list(outcome.errors),
    }
