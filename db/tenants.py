"""Tenants: the provider's own row, with its settings."""

from uuid import UUID

import asyncpg
from sqlalchemy import text

from db.session import Transaction
from domain.tenants import Tenant, TenantSettings

GET = text("select id, slug, name, settings, created_at, version from tenant where id = :tenant")
LOCK = text("select id, slug, name, settings, created_at, version from tenant where id = :tenant for update")
BY_SLUG = text("select id from tenant where slug = :slug")
ALL = text("select id, slug, name, settings, created_at, version from tenant order by slug")
ADD = text("""
    insert into tenant (id, slug, name, settings, created_at, version)
    values (:tenant, :slug, :name, :settings, :created_at, :version)
    on conflict (slug) do nothing
    returning 1
""")
SAVE = text("update tenant set name = :name, settings = :settings, version = :version where id = :tenant")
HAS_TICKETS = text("select exists (select from ticket where tenant_id = :tenant)")


async def get(tx: Transaction) -> Tenant:
    """Return the provider whose transaction this is."""
    row = await tx.one(GET, tenant=tx.tenant)
    if row is None:
        raise LookupError(f"the transaction is for {tx.tenant}, which is no tenant")
    return _read(row)


async def lock(tx: Transaction) -> Tenant:
    """Return the provider and keep others from changing it, its settings and its set of admins."""
    row = await tx.one(LOCK, tenant=tx.tenant)
    if row is None:
        raise LookupError(f"the transaction is for {tx.tenant}, which is no tenant")
    return _read(row)


async def add(tx: Transaction, tenant: Tenant) -> bool:
    """Write a new provider, unless another has the slug; tell whether it was written."""
    added = await tx.value(
        ADD,
        tenant=tenant.id,
        slug=tenant.slug,
        name=tenant.name,
        settings=tenant.settings.to_data(),
        created_at=tenant.created_at,
        version=tenant.version,
    )
    return added is not None


async def save(tx: Transaction, tenant: Tenant) -> None:
    """Write name and settings over the locked row."""
    await tx.run(SAVE, tenant=tenant.id, name=tenant.name, settings=tenant.settings.to_data(), version=tenant.version)


async def has_tickets(tx: Transaction) -> bool:
    """Tell whether any ticket has been counted by the provider's local days."""
    return bool(await tx.value(HAS_TICKETS, tenant=tx.tenant))


async def id_of_slug(relaying: Transaction, slug: str) -> UUID | None:
    """Return the provider with this short name; only the relay's transaction sees all of them."""
    found: UUID | None = await relaying.value(BY_SLUG, slug=slug)
    return found


async def every(relaying: Transaction) -> list[Tenant]:
    """Return all providers by short name; only the relay's transaction sees all of them."""
    return [_read(row) for row in await relaying.rows(ALL)]


def _read(row: asyncpg.Record) -> Tenant:
    settings = TenantSettings.from_data(row["settings"])
    return Tenant(row["id"], row["slug"], row["name"], settings, row["created_at"], row["version"])
