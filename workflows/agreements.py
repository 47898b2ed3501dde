"""Agreements: a target whose time passes is missed at that instant, whether or not the source ever says so."""

from functools import partial
from uuid import UUID

from db import due_tickets, escalation_rules
from domain.access import system
from workflows.commands import tenant_by_tenant
from workflows.context import Channel, Context, Request, new_id
from workflows.reassessing import reassess

AT_ONCE = 500
"""Tickets of each agreement that one transaction decides."""


async def decide(context: Context) -> int:
    """Decide what has run out, a batch for each tenant; return how many tickets that were."""
    async with context.database.relaying() as relaying:
        waiting = await due_tickets.tenants(relaying, context.clock())
    return await tenant_by_tenant(waiting, partial(decide_one, context))


async def decide_one(context: Context, tenant: UUID) -> int:
    """Decide a batch of one tenant's; a ticket that waits for somebody else is not due, and in nobody's way."""
    principal = system(tenant)
    async with context.database.writing(principal) as tx:
        await escalation_rules.hold(tx)
        due = await due_tickets.take(tx, context.clock(), AT_ONCE)
        if not due:
            return 0
        return await reassess(context, principal, Request(f"agreements {new_id()}", Channel.SYSTEM), tx, due)
