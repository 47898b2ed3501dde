"""What an answer reads of tickets, one statement a kind whatever their number."""

from collections.abc import Sequence
from uuid import UUID

from api.client_loaders import Where
from api.context import OperationContext
from api.paging import Page
from db import escalation_rules, terms, ticket_lists
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


async def of_number(context: OperationContext, keys: Sequence[tuple[str, str]]) -> list[Ticket | None]:
    """Load tickets by their systems and their numbers there."""
    async with context.reading() as tx:
        found = await ticket_lists.of_numbers(tx, keys)
    return [found.get(key) for key in keys]


async def term(context: OperationContext, keys: Sequence[UUID]) -> list[str | None]:
    """Load what categories, teams and agents are called."""
    async with context.reading() as tx:
        found = await terms.names(tx, keys)
    return [found.get(key) for key in keys]


async def course(context: OperationContext, keys: Sequence[UUID]) -> list[ticket_lists.Course]:
    """Load when tickets waited and were resolved."""
    async with context.reading() as tx:
        found = await ticket_lists.courses_of(tx, keys)
    return [found[key] for key in keys]


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
        found = await escalation_rules.newest(tx)
    return [found[key].rule if key in found else None for key in keys]
