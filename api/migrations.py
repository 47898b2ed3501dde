"""Migrations: the mutation that brings onboardings under way to another version of the definition."""

from typing import Any

import strawberry

from api import client_enums, onboarding_enums  # noqa: F401 -- publish the enums named here
from api.changing import Payload
from api.consequences import DRY_RUN, Consequence, ForeseeingPayload, changes_of
from api.context import Info
from api.definitions import OnboardingDefinition
from api.fields import FieldPrice, mutation_field
from api.payloads import KEY, event_id
from api.user_errors import UserError
from db import definitions as stored
from domain import bulk
from domain.access import Scope
from domain.bulk import BulkPolicy, BulkStatus
from domain.errors import ErrorCode, Outcome
from domain.ids import IdKind, parse, public
from workflows.migrations import REMAINING, RESULTS, KeyMapping, MigrateCycles, migrate


@strawberry.input(description="An item that goes on under another key.")
class ItemMappingInput:
    before: str = strawberry.field(name="from", description="The item's key before.")
    after: str | None = strawberry.field(
        name="to",
        default=None,
        description="The key that it goes on as; `null` retires it: it leaves the checklist and stays in history.",
    )


@strawberry.input(
    description="Onboardings to be brought to a version: those named, or all that keep to one version; with both, "
    "one that is named and keeps to another version is refused."
)
class OnboardingMigrateInput:
    to_number: int = strawberry.field(description="The version to be kept to from now on.")
    reason: str = strawberry.field(description="Why, in your words; kept in the audit trail of each.")
    onboarding_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="The onboardings, at most 200."
    )
    from_number: int | None = strawberry.field(
        default=None, description="The version that they keep to; without ids the first 200 that do."
    )
    mapping: list[ItemMappingInput] | None = strawberry.field(
        default=None,
        description="Items of checklists whose key changes. Equal keys go on by themselves; what somebody has worked "
        "on and the new version does not know must be named.",
    )
    policy: BulkPolicy = strawberry.field(
        default=BulkPolicy.REJECT_ALL, description="What becomes of the others when one cannot be migrated."
    )
    dry_run: bool = strawberry.field(default=False, description=DRY_RUN)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.type(description="What became of one onboarding.")
class OnboardingMigrateResult:
    onboarding_id: strawberry.ID | None = strawberry.field(
        description="The onboarding; `null` where none with the id named is visible to you."
    )
    status: BulkStatus = strawberry.field(description="What became of it.")
    changes: list[Consequence] = strawberry.field(description="What changed of it, or would change.")
    errors: list[UserError] = strawberry.field(description="Why it was refused; empty when it was not.")


@strawberry.type(description="What became of each onboarding; `eventId` is the last of one event for each.")
class OnboardingMigratePayload(ForeseeingPayload, Payload):
    definition: OnboardingDefinition | None = strawberry.field(description="The version that they were brought to.")
    results: list[OnboardingMigrateResult] = strawberry.field(
        description="What became of each, in the order of the input, else client by client."
    )
    remaining: int = strawberry.field(description="How many more keep to `fromNumber`: send the command again.")


@strawberry.type
class MigrationMutation:
    @mutation_field(
        scope=Scope.POLICIES_WRITE,
        description="Bring onboardings under way to another version of the definition: target and timers of their "
        "stage are set anew, what has fired stays fired, and what was done on a checklist stays done. It takes "
        "`ONBOARDING_MOVE` for each too.",
        may_fail=(
            ErrorCode.NOT_FOUND,
            ErrorCode.NOT_ALLOWED,
            ErrorCode.STALE_VERSION,
            ErrorCode.MOVE_NOT_POSSIBLE,
            ErrorCode.CONFLICT,
        ),
        cost=FieldPrice(weight=100),
    )
    async def onboarding_migrate(self, info: Info, input: OnboardingMigrateInput) -> OnboardingMigratePayload:
        ids = input.onboarding_ids
        command = MigrateCycles(
            to_number=input.to_number,
            reason=input.reason,
            cycles=None if ids is None else tuple(parse(IdKind.ONBOARDING, one) for one in ids),
            from_number=input.from_number,
            mapping=tuple(KeyMapping(one.before, one.after) for one in input.mapping or ()),
            policy=input.policy,
            dry_run=input.dry_run,
        )
        request = info.context.command(input.idempotency_key)
        outcome = await info.context.perform(migrate, request, command)
        return await _payload(info, outcome)


async def _payload(info: Info, outcome: Outcome) -> OnboardingMigratePayload:
    definition = None
    if outcome.subject is not None:
        async with info.context.reading() as tx:
            definition = (await stored.by_ids(tx, [outcome.subject])).get(outcome.subject)
    told: Any = outcome.facts.get(RESULTS, ())
    results = [_result(one) for one in told]
    return OnboardingMigratePayload(
        definition=definition,  # type: ignore[arg-type]
        results=results,
        remaining=outcome.facts.get(REMAINING, 0),  # type: ignore[arg-type]
        changes=[change for result in results for change in result.changes],
        event_id=event_id(outcome),
        errors=list(outcome.errors),  # type: ignore[arg-type]
    )


def _result(told: Any) -> OnboardingMigrateResult:
    result = bulk.BulkResult.from_data(told)
    return OnboardingMigrateResult(
        onboarding_id=strawberry.ID(public(IdKind.ONBOARDING, result.subject)) if result.subject else None,
        status=result.status,
        changes=changes_of(told),
        errors=list(result.errors),  # type: ignore[arg-type]
    )
