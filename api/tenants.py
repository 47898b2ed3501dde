"""The provider as the API shows it: what it has decided for itself."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import strawberry

from api import client_enums, kpi_enums
from api.calendars import Calendar
from api.context import Info, OperationContext
from api.fields import id_field, query_field, window
from api.nodes import Node, nodes_of
from db import tenants as stored
from domain import tenants
from domain.access import Scope
from domain.ids import IdKind

__all__ = ["Tenant", "TenantQuery", "client_enums", "kpi_enums", "tenant"]


@window(tenants.TenantSettings, description="What a provider has decided for itself.")
class TenantSettings:
    calendar: Calendar = strawberry.field(description="Its zone, working hours and days off.")
    language: str = strawberry.field(description="The language it writes in, such as `en`.")
    country: str | None = strawberry.field(description="The country whose public holidays it keeps, by ISO 3166.")
    subdivision: str | None = strawberry.field(description="The part of the country whose public holidays it keeps.")
    own_days: list[date] = strawberry.field(description="Its own days off.")
    brand: str | None = strawberry.field(description="The name under which clients know it.")
    sandbox: bool = strawberry.field(description="Whether it is for trying out: mail reaches an allow-list only.")
    hard_waiver_persons: int = strawberry.field(description="How many people the waiver of a hard gate takes: 1 or 2.")
    escalation_rate_limit: float | None = strawberry.field(
        description="What a client's escalation rate may not exceed to graduate, from 0 to 1; `null` sets no limit."
    )
    retention_lost_months: int | None = strawberry.field(
        description="So many months after a prospect was lost its data is erased; `null` keeps it for ever."
    )
    retention_off_boarded_months: int | None = strawberry.field(
        description="So many months after a client was off-boarded its data is erased; `null` keeps it for ever."
    )


@window(tenants.Tenant, description="A provider.")
class Tenant(Node):
    id: strawberry.ID = id_field(IdKind.TENANT, description="The provider's id.")
    slug: str = strawberry.field(description="Its short name on the command line.")
    name: str = strawberry.field(description="Its name.")
    settings: TenantSettings = strawberry.field(description="What it has decided for itself.")
    created_at: datetime = strawberry.field(description="When it was made.")
    version: int = strawberry.field(description="How often it changed, counted from 1.")


async def tenant(context: OperationContext, keys: Sequence[UUID]) -> list[tenants.Tenant | None]:
    """Load the caller's own provider; no other is to be seen."""
    async with context.reading() as tx:
        own = await stored.get(tx)
    return [own if key == own.id else None for key in keys]


nodes_of(IdKind.TENANT, tenant, Scope.POLICIES_READ)


@strawberry.type
class TenantQuery:
    @query_field(scope=Scope.POLICIES_READ, description="The provider that the credential belongs to.")
    async def tenant(self, info: Info) -> Tenant | None:
        return await info.context.loader(tenant).load(info.context.principal.tenant_id)  # type: ignore[return-value]
