"""The provider as the API shows it: what it has decided for itself."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import strawberry

from api import client_enums, kpi_enums
from api.context import Info, OperationContext
from api.fields import id_field, query_field, resolved, window
from api.nodes import Node, nodes_of
from db import tenants as stored
from domain import calendars, tenants
from domain.access import Scope
from domain.ids import IdKind
from domain.periods import Weekday

__all__ = ["Tenant", "TenantQuery", "client_enums", "clock_time", "kpi_enums", "tenant"]


def clock_time(minute: int) -> str:
    """Return a minute of the day as people write it, such as ``09:30``."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


@strawberry.type(description="One stretch of work within a weekday.")
class WorkingHours:
    weekday: Weekday = strawberry.field(description="The weekday.")
    opens: str = strawberry.field(description="When work begins, such as `09:00`.")
    closes: str = strawberry.field(description="When it ends, such as `17:00`; midnight at the end is `24:00`.")


@window(calendars.Calendar, description="Which hours of which local days are worked; a change makes a new version.")
class Calendar:
    zone: ZoneInfo = strawberry.field(description="The zone whose days are the provider's days.")
    week_start: Weekday = strawberry.field(description="The day on which weeks begin.")
    version: int = strawberry.field(description="How often it changed, counted from 1.")

    @resolved(description="The working hours, from the start of the week on.")
    def hours(root: Any) -> list[WorkingHours]:  # noqa: N805 -- the root is a domain value
        days = list(Weekday)
        start = days.index(root.week_start)
        return [
            WorkingHours(weekday=day, opens=clock_time(span.opens_minute), closes=clock_time(span.closes_minute))
            for day in (*days[start:], *days[:start])
            for span in root.hours.get(day, ())
        ]

    @resolved(description="The days off, public and own, in order.")
    def holidays(root: Any) -> list[date]:  # noqa: N805
        return sorted(root.holidays)


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
