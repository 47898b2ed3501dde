"""Retention: what nobody needs any more is erased once the provider's period for it is over."""

from datetime import date
from uuid import UUID

from db import clients, privacy, tenants
from domain.access import Principal, Scope, system
from domain.periods import local_day
from domain.privacy import ErasureReason, RetentionDue
from workflows.commands import tenant_by_tenant
from workflows.context import Channel, Context, Request, new_id
from workflows.erasing import Erasing, erase_client

BATCH = 20
"""Clients of one tenant that one turn erases, each in a transaction of its own."""

LISTED_MOST = 500


async def due(context: Context, principal: Principal, until: date | None, most: int) -> list[RetentionDue]:
    """Return whose data will be erased by a local day, today if left out, and when: the dry run of `keep`."""
    principal.require(Scope.PRIVACY_WRITE)
    async with context.database.reading(principal) as tx:
        settings = (await tenants.get(tx)).settings
        day = until or local_day(context.clock(), settings.zone)
        return await privacy.due(tx, settings, day, min(most, LISTED_MOST))


async def keep(context: Context) -> int:
    """Erase the clients of all providers whose period is over, a batch each; return how many there were."""
    async with context.database.relaying() as relaying:
        providers = [tenant.id for tenant in await tenants.every(relaying)]

    async def keep_one(tenant: UUID) -> int:
        principal = system(tenant)
        overdue = await due(context, principal, None, BATCH)
        return sum([await _erase(context, principal, one.client_id) for one in overdue])

    return await tenant_by_tenant(providers, keep_one)


async def _erase(context: Context, principal: Principal, client: UUID) -> int:
    now = context.clock()
    request = Request(f"retention-{new_id().hex}", Channel.SYSTEM)
    async with context.database.writing(principal) as tx:
        held = await clients.lock(tx, client)
        settings = (await tenants.get(tx)).settings
        # Somebody may have opened an onboarding again, or another worker been quicker.
        if held is None or not await privacy.due(tx, settings, local_day(now, settings.zone), 1, client=client):
            return 0
        await erase_client(tx, Erasing(principal, request, now, ErasureReason.RETENTION), held.client)
    return 1
