"""Keys of clients that tickets come with and nobody has mapped: listed with guesses, and mapped."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import strawberry

from api import client_loaders
from api.clients import Client, ClientRef
from api.consequences import DRY_RUN, ForeseeingPayload, changes_of
from api.context import Info, OperationContext
from api.fields import FieldPrice, mutation_field, query_field, resolved, window
from api.paging import After, Before, Connection, First, Last, Ordering, connection, page_of
from api.payloads import KEY, event_id
from db import unmapped
from domain import clients
from domain import unmapped as unmapped_values
from domain.access import Scope
from domain.clients import ExternalKey
from domain.errors import ErrorCode
from workflows import ticket_keys
from workflows.ticket_keys import ATTRIBUTED, MORE, MapKey

BY_KEY = Ordering("unmapped keys", (str, str))


@window(
    unmapped_values.UnmappedKey, description="A system's key of some client that nobody has mapped, and its tickets."
)
class UnmappedTicketKey:
    system: str = strawberry.field(description="The system.")
    client_key: str = strawberry.field(description="Its key of the client.")
    tickets: int = strawberry.field(description="How many tickets came with it, counted up to 10,000.")
    tickets_is_exact: bool = strawberry.field(description="Whether `tickets` is exact; `false` means 10,000 or more.")
    first_logged_at: datetime = strawberry.field(description="When the first of them was logged.")
    last_logged_at: datetime = strawberry.field(description="When the last of them was logged.")

    @resolved(
        description="Up to five clients whose names read like the key.",
        scope=Scope.CLIENTS_READ,
        cost=FieldPrice(list_size=5),
    )
    async def guesses(root: Any, info: Info) -> list[Client] | None:  # noqa: N805 -- the root is a domain value
        return await info.context.loader(_guesses).load(root.client_key)  # type: ignore[return-value]


@strawberry.input(description="Which client a key stands for.")
class TicketKeyMapInput:
    system: str = strawberry.field(description="The system.")
    client_key: str = strawberry.field(description="Its key of the client.")
    client: ClientRef = strawberry.field(description="The client.")
    dry_run: bool = strawberry.field(default=False, description=DRY_RUN)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.type(description="The client with its tickets, or why nothing changed.")
class TicketKeyMapPayload(ForeseeingPayload):
    client: Client | None = strawberry.field(description="The client, where it is known.")
    attributed: int = strawberry.field(description="How many tickets were given their client at once.")
    more: bool = strawberry.field(description="Whether there are more, which the worker gives to it within a minute.")


@strawberry.type
class TicketKeysQuery:
    @query_field(
        scope=Scope.TICKETS_READ,
        description="Keys of clients that tickets came with and nobody has mapped, by system and key; only whoever "
        "sees all clients sees any. Of tickets without any key `tickets(where: {unmapped: true})` tells.",
    )
    async def unmapped_ticket_keys(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[UnmappedTicketKey] | None:
        page = page_of(BY_KEY, first=first, after=after, last=last, before=before)

        async def count() -> int:
            async with info.context.reading() as tx:
                return await unmapped.count(tx)

        async with info.context.reading() as tx:
            rows = await unmapped.listed(tx, page)
        return connection(page, rows, key=lambda one: (one.system, one.client_key), count=count)


@strawberry.type
class TicketKeysMutation:
    @mutation_field(
        scope=Scope.CLIENTS_WRITE,
        description="Say which client a system's key stands for, and give it the tickets that came with the key: up to "
        "2,000 at once, the rest by the worker. Their site and device follow from the client's own keys.",
        may_fail=(ErrorCode.NOT_FOUND, ErrorCode.NOT_ALLOWED, ErrorCode.ALREADY_EXISTS),
        cost=FieldPrice(weight=100),
    )
    async def ticket_key_map(self, info: Info, input: TicketKeyMapInput) -> TicketKeyMapPayload:
        command = MapKey(ExternalKey(input.system, input.client_key), input.client.value(), input.dry_run)
        outcome = await info.context.perform(ticket_keys.map_key, info.context.command(input.idempotency_key), command)
        readable = outcome.subject is not None and info.context.principal.has(Scope.CLIENTS_READ)
        client: Any = await info.context.loader(client_loaders.client).load(outcome.subject) if readable else None
        attributed: Any = outcome.facts.get(ATTRIBUTED, 0)
        return TicketKeyMapPayload(
            client=client,
            attributed=attributed,
            more=bool(outcome.facts.get(MORE, False)),
            changes=changes_of(outcome.facts),
            event_id=event_id(outcome),
            errors=list(outcome.errors),  # type: ignore[arg-type]
        )


async def _guesses(context: OperationContext, keys: Sequence[str]) -> list[list[clients.Client]]:
    async with context.reading() as tx:
        found = await unmapped.guesses(tx, keys)
    return [found[key] for key in keys]
