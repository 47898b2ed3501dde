"""The mutation of what a provider has decided for itself."""

from datetime import date
from zoneinfo import ZoneInfo

import strawberry

from api.calendar_inputs import WorkingHoursInput, week
from api.changing import EXPECTED, change, change_as
from api.consequences import DRY_RUN, ForeseeingPayload, changes_of
from api.context import Info
from api.fields import mutation_field
from api.payloads import KEY, event_id
from api.tenants import Tenant, tenant
from domain.access import Scope
from domain.errors import ErrorCode
from domain.periods import Weekday
from workflows import tenants
from workflows.tenants import UpdateSettings


@strawberry.input(description="A change of what the provider has decided for itself; what is left out stays as it is.")
class TenantSettingsUpdateInput:
    name: strawberry.Maybe[str] = strawberry.field(default=None, description="The provider's name.")
    zone: strawberry.Maybe[ZoneInfo] = strawberry.field(
        default=None, description="The zone whose days are its days; it stays once there are tickets."
    )
    week_start: strawberry.Maybe[Weekday] = strawberry.field(default=None, description="The day on which weeks begin.")
    hours: strawberry.Maybe[list[WorkingHoursInput]] = strawberry.field(
        default=None, description="The working hours of the whole week anew."
    )
    country: strawberry.Maybe[str | None] = strawberry.field(
        default=None, description="The country whose public holidays it keeps, by ISO 3166, such as `NL`."
    )
    subdivision: strawberry.Maybe[str | None] = strawberry.field(
        default=None, description="The part of the country whose public holidays it keeps, such as `BY`."
    )
    own_days: strawberry.Maybe[list[date]] = strawberry.field(default=None, description="All its own days off anew.")
    language: strawberry.Maybe[str] = strawberry.field(default=None, description="The language it writes in.")
    brand: strawberry.Maybe[str | None] = strawberry.field(
        default=None, description="The name under which clients know it."
    )
    sandbox: strawberry.Maybe[bool] = strawberry.field(default=None, description="Whether it is for trying out.")
    hard_waiver_persons: strawberry.Maybe[int] = strawberry.field(
        default=None, description="How many people the waiver of a hard gate takes: 1 or 2."
    )
    escalation_rate_limit: strawberry.Maybe[float | None] = strawberry.field(
        default=None, description="What a client's escalation rate may not exceed to graduate, from 0 to 1."
    )
    retention_lost_months: strawberry.Maybe[int | None] = strawberry.field(
        default=None,
        description="So many months after a prospect was lost its data is erased: 1 to 240; `null` keeps it for ever.",
    )
    retention_off_boarded_months: strawberry.Maybe[int | None] = strawberry.field(
        default=None,
        description="So many months after a client was off-boarded its data is erased: 1 to 240; "
        "`null` keeps it for ever.",
    )
    dry_run: bool = strawberry.field(default=False, description=DRY_RUN)
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.type(description="The provider after the change, or why nothing changed.")
class TenantSettingsUpdatePayload(ForeseeingPayload):
    tenant: Tenant | None = strawberry.field(description="The provider as it is now.")


@strawberry.type
class TenantMutation:
    @mutation_field(
        scope=Scope.TENANT_WRITE,
        description="Change what the provider has decided for itself: calendar, language, rules. With the calendar "
        "move the targets of the open onboardings that count by it.",
        may_fail=(ErrorCode.STALE_VERSION, ErrorCode.CONFLICT),
    )
    async def tenant_settings_update(self, info: Info, input: TenantSettingsUpdateInput) -> TenantSettingsUpdatePayload:
        command = UpdateSettings(
            name=change(input.name),
            zone=change(input.zone),
            week_start=change(input.week_start),
            hours=change_as(input.hours, week),
            country=change(input.country),
            subdivision=change(input.subdivision),
            own_days=change_as(input.own_days, tuple),
            language=change(input.language),
            brand=change(input.brand),
            sandbox=change(input.sandbox),
            hard_waiver_persons=change(input.hard_waiver_persons),
            escalation_rate_limit=change(input.escalation_rate_limit),
            retention_lost_months=change(input.retention_lost_months),
            retention_off_boarded_months=change(input.retention_off_boarded_months),
            expected_version=input.expected_version,
            dry_run=input.dry_run,
        )
        request = info.context.command(input.idempotency_key)
        outcome = await info.context.perform(tenants.update_settings, request, command)
        own = await info.context.loader(tenant).load(info.context.principal.tenant_id)
        return TenantSettingsUpdatePayload(
            tenant=own,  # type: ignore[arg-type]
            event_id=event_id(outcome),
            errors=list(outcome.errors),  # type: ignore[arg-type]
            changes=changes_of(outcome.facts),
        )
