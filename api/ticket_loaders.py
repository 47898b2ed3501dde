"""What an answer reads of tickets, one statement a kind whatever their number."""

from collections.abc import Sequence
from uuid import UUID

from api.client_loaders import Where
from api.context import OperationContext
from api.paging import Page
from db import attribution, ticket_lists
from domain.escalations import EscalationRule, RecordedEscalation
from domain.tickets import HandOver, Ticket


async def ticket(context: OperationContext, keys: Sequence[UUID]) -> list[Ticket | None]:
    """Load tickets by id."""
    async with context.reading() as tx:
        found = await ticket_lists.many(tx, keys)
    return [found.get(key) for key in keys]


async def tickets_of(context: OperationContext, keys: Sequence[UUID], where: Where, page: Page) -> list[list[Ticket]]:
    """Load a stretch of the tickets of each client, the latest logged first."""
    async with context.reading() as tx:
        found = await ticket_lists.LISTING.rows_of(tx, keys, "LOGGED_AT", page, dict(where), descending=True)
    return [[ticket_lists.read(row) for row in found[key]] for key in keys]


async def hand_overs(context: OperationContext, keys: Sequence[UUID]) -> list[list[HandOver]]:
    """Load who had tickets, one after another."""
    async with context.reading() as tx:
        found = await ticket_lists.hand_overs_of(tx, keys)
    return [found[key] for key in keys]


async def escalations(context: OperationContext, keys: Sequence[UUID]) -> list[list[RecordedEscalation]]:
    """Load the escalations of tickets."""
    async with context.reading() as tx:
        found = await ticket_lists.escalations_of(tx, keys)
    return [found[key] for key in keys]


async def rule(context: OperationContext, keys: Sequence[str]) -> list[EscalationRule | None]:
    """Load the newest rule of systems."""
    async with context.reading() as tx:
        found = await attribution.rules(tx)
    return [found.get(key) for key in keys]
