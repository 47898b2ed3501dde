"""Mutations of calendars: what a site or a contract works by, beside the provider's own."""

from typing import Any

import strawberry

from api import client_loaders as loaders
from api.belongings import Contract
from api.calendar_inputs import CalendarInput
from api.changing import EXPECTED, change_as
from api.consequences import DRY_RUN, ForeseeingPayload, changes_of
from api.context import Info
from api.fields import mutation_field
from api.payloads import KEY, event_id
from api.sites import Site
from domain.access import Scope
from domain.errors import ErrorCode, Outcome
from domain.ids import IdKind, parse
from workflows import calendars
from workflows.calendars import SetCalendar

CALENDAR = "The calendar of its own from now on; `null` takes its own away."
FOLLOWS = (
    "The targets of the open onboardings that count by it, and with them the timers of their stages, are set anew; "
    "what has fired stays fired."
)


@strawberry.input(description="A site's own calendar.")
class SiteCalendarSetInput:
    site_id: strawberry.ID = strawberry.field(description="The site.")
    calendar: strawberry.Maybe[CalendarInput | None] = strawberry.field(default=None, description=CALENDAR)
    dry_run: bool = strawberry.field(default=False, description=DRY_RUN)
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="A contract's own calendar.")
class ContractCalendarSetInput:
    contract_id: strawberry.ID = strawberry.field(description="The contract.")
    calendar: strawberry.Maybe[CalendarInput | None] = strawberry.field(default=None, description=CALENDAR)
    dry_run: bool = strawberry.field(default=False, description=DRY_RUN)
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.type(description="The site with its calendar, or why nothing changed.")
class SiteCalendarSetPayload(ForeseeingPayload):
    site: Site | None = strawberry.field(description="The site as it is now, where it is known.")


@strawberry.type(description="The contract with its calendar, or why nothing changed.")
class ContractCalendarSetPayload(ForeseeingPayload):
    contract: Contract | None = strawberry.field(description="The contract as it is now, where it is known.")


@strawberry.type
class CalendarsMutation:
    @mutation_field(
        scope=Scope.CLIENTS_WRITE,
        description=f"Give a site a calendar of its own, by which its onboardings count, or take it away. {FOLLOWS}",
        may_fail=(ErrorCode.NOT_FOUND, ErrorCode.NOT_ALLOWED, ErrorCode.STALE_VERSION, ErrorCode.CONFLICT),
    )
    async def site_calendar_set(self, info: Info, input: SiteCalendarSetInput) -> SiteCalendarSetPayload:
        command = _command(parse(IdKind.SITE, input.site_id), input)
        outcome = await info.context.perform(calendars.set_site, info.context.command(input.idempotency_key), command)
        site = await info.context.loader(loaders.site).load(command.owner)
        return SiteCalendarSetPayload(site=site, **_told(outcome))  # type: ignore[arg-type]

    @mutation_field(
        scope=Scope.CLIENTS_WRITE,
        description="Give a contract a calendar of its own, its coverage hours, by which the onboardings under it "
        f"count, or take it away. {FOLLOWS}",
        may_fail=(ErrorCode.NOT_FOUND, ErrorCode.NOT_ALLOWED, ErrorCode.STALE_VERSION),
    )
    async def contract_calendar_set(self, info: Info, input: ContractCalendarSetInput) -> ContractCalendarSetPayload:
        command = _command(parse(IdKind.CONTRACT, input.contract_id), input)
        request = info.context.command(input.idempotency_key)
        outcome = await info.context.perform(calendars.set_contract, request, command)
        contract = await info.context.loader(loaders.contract).load(command.owner)
        return ContractCalendarSetPayload(contract=contract, **_told(outcome))  # type: ignore[arg-type]


def _command(owner: Any, input: SiteCalendarSetInput | ContractCalendarSetInput) -> SetCalendar:
    terms = change_as(input.calendar, lambda given: given.terms() if given else None)
    return SetCalendar(owner, terms, expected_version=input.expected_version, dry_run=input.dry_run)


def _told(outcome: Outcome) -> dict[str, Any]:
    return {"event_id": event_id(outcome), "errors": list(outcome.errors), "changes": changes_of(outcome.facts)}
