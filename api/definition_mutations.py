"""Mutations that make a definition's next version: by an edit, or by a document."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import strawberry
from strawberry.scalars import JSON

from api import definition_enums, onboarding_enums  # noqa: F401 -- publish the enums named here
from api.changing import Payload
from api.consequences import DRY_RUN, ForeseeingPayload, changes_of
from api.context import Info
from api.definitions import OnboardingDefinition
from api.errors import BadUserInput
from api.fields import mutation_field
from api.payloads import KEY, event_id
from db import definitions as stored
from domain.access import Scope
from domain.definition_rules import FIGURES
from domain.definitions import Audience, DayNinetyFrom, Hardness, Owner, Survey
from domain.errors import ErrorCode, Outcome
from domain.moves import Gate, Move
from domain.stages import Stage
from workflows.definitions import (
    UNCHANGED_FACT,
    EditDefinition,
    ImportDefinition,
    edit_definition,
    import_definition,
)

P = TypeVar("P", bound="DefinitionPayload")

EXPECTED = "The number of the newest version on which you decided; another one gets `STALE_VERSION`."
NOTE = "Why, in your words; kept with the version."


@strawberry.input(description="A length in business days for one stage.")
class StageDaysInput:
    stage: Stage = strawberry.field(description="The stage.")
    business_days: int = strawberry.field(description="Business days, from 1 to 366.")


@strawberry.input(description="How one gate shall hold.")
class GateSettingInput:
    gate: Gate = strawberry.field(description="The gate.")
    hardness: Hardness = strawberry.field(description="How it holds; some gates always hold `HARD`.")


@strawberry.input(description="A survey to be planned by a move.")
class SurveyTriggerInput:
    move: Move = strawberry.field(description="The move.")
    survey: Survey = strawberry.field(description="The survey.")
    audience: Audience = strawberry.field(description="Whom it asks.")
    delay_days: int = strawberry.field(default=0, description="Days after the move, from 0 to 730.")


@strawberry.input(description="One thing to be done in a stage.")
class DefinedItemInput:
    key: str = strawberry.field(description="What tells it from others: lower-case letters, digits, single hyphens.")
    title: str = strawberry.field(description="What is to be done, in one line.")
    owner: Owner = strawberry.field(
        name="ownerRole", default=Owner.LEAD, description="What whoever does it is to the team."
    )
    due_business_days: int | None = strawberry.field(
        default=None, description="Business days from the stage's entry until it is due, from 0 to 366."
    )
    required: bool = strawberry.field(default=False, description="Whether the checklist is done only when this is.")
    proves: Gate | None = strawberry.field(default=None, description="The gate that is met when this is done.")


@strawberry.input(description="What is to be done in one stage, as a whole.")
class DefinedChecklistInput:
    stage: Stage = strawberry.field(description="The stage; `OFFBOARDED` for what follows a notice.")
    items: list[DefinedItemInput] = strawberry.field(description="The items, in order; none for no checklist.")


@strawberry.input(description="An edit of the newest definition as a new version; what is left out stays as it is.")
class OnboardingDefinitionEditInput:
    expected_number: int = strawberry.field(description=EXPECTED)
    note: str | None = strawberry.field(default=None, description=NOTE)
    targets: list[StageDaysInput] | None = strawberry.field(
        default=None, description="Targets of the stages named; the others stay."
    )
    stale_business_days: list[StageDaysInput] | None = strawberry.field(
        default=None, description="Days without activity of the stages named; the others stay."
    )
    gates: list[GateSettingInput] | None = strawberry.field(
        default=None, description="How the gates named hold; the others stay."
    )
    triggers: list[SurveyTriggerInput] | None = strawberry.field(default=None, description="All triggers anew.")
    checklists: list[DefinedChecklistInput] | None = strawberry.field(
        default=None, description="The checklists of the stages named; those of the others stay."
    )
    timer_days: list[int] | None = strawberry.field(default=None, description="All days of timers anew.")
    day_ninety_from: DayNinetyFrom | None = strawberry.field(default=None, description="From when day 90 counts.")
    early_support_days: int | None = strawberry.field(default=None, description="Days until early support may end.")
    minimum_early_days: int | None = strawberry.field(default=None, description="Days at least in early support.")
    hold_review_days: int | None = strawberry.field(default=None, description="Days into a hold until its review.")
    at_risk_share: float | None = strawberry.field(
        default=None, description="Share of the way to a target from which an onboarding is at risk, from 0 to 1."
    )
    pending_hours: int | None = strawberry.field(default=None, description="Hours for which a device may be pending.")
    discovery_age_days: int | None = strawberry.field(default=None, description="Days for which a discovery is fresh.")
    managed_share: float | None = strawberry.field(
        default=None, description="Share of devices to be managed before going live, from 0 to 1."
    )
    escalation_days: int | None = strawberry.field(
        default=None, description="Days over which the escalation rate is judged."
    )
    escalation_minimum_tickets: int | None = strawberry.field(
        default=None, description="Tickets below which no rate is judged."
    )
    waiver_days: int | None = strawberry.field(default=None, description="Days after which a waiver expires.")
    dry_run: bool = strawberry.field(default=False, description=DRY_RUN)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)

    def edit(self) -> dict[str, Any]:
        """Return the keys of the document that become others."""
        given: dict[str, Any] = {
            "targets": _by(self.targets, "targets", lambda one: (one.stage, one.business_days)),
            "staleBusinessDays": _by(
                self.stale_business_days, "staleBusinessDays", lambda one: (one.stage, one.business_days)
            ),
            "gates": _by(self.gates, "gates", lambda one: (one.gate, one.hardness.value)),
            "triggers": None if self.triggers is None else [_trigger(one) for one in self.triggers],
            "checklists": _by(
                self.checklists, "checklists", lambda one: (one.stage, [_item(item) for item in one.items])
            ),
            "timerDays": self.timer_days,
            "dayNinetyFrom": self.day_ninety_from.value if self.day_ninety_from else None,
            **{figure.name: getattr(self, figure.attribute) for figure in FIGURES},
        }
        return {key: value for key, value in given.items() if value is not None}


@strawberry.input(description="A document to be brought in as a new version of the definition.")
class OnboardingDefinitionImportInput:
    document: JSON = strawberry.field(description="The document; `onboardingDefinitionSchema` says what it holds.")
    expected_number: int | None = strawberry.field(
        default=None, description=f"{EXPECTED} Left out, it follows whatever is the newest."
    )
    note: str | None = strawberry.field(default=None, description=NOTE)
    dry_run: bool = strawberry.field(default=False, description=DRY_RUN)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.type
class DefinitionPayload(ForeseeingPayload, Payload):
    """What the payload of every mutation of definitions has."""

    definition: OnboardingDefinition | None = strawberry.field(
        description="The newest version as it is now: the new one, or where none was made the one before."
    )
    unchanged: bool = strawberry.field(description="Whether nothing differs, so that no version was made.")


@strawberry.type(description="What came of `onboardingDefinitionEdit`.")
class OnboardingDefinitionEditPayload(DefinitionPayload):
    pass


@strawberry.type(description="What came of `onboardingDefinitionImport`.")
class OnboardingDefinitionImportPayload(DefinitionPayload):
    pass


@strawberry.type
class DefinitionMutation:
    @mutation_field(
        scope=Scope.POLICIES_WRITE,
        description="Edit the newest definition as a new version. Onboardings under way keep theirs until they are "
        "migrated.",
        may_fail=(ErrorCode.STALE_VERSION,),
    )
    async def onboarding_definition_edit(
        self, info: Info, input: OnboardingDefinitionEditInput
    ) -> OnboardingDefinitionEditPayload:
        command = EditDefinition(input.expected_number, input.edit(), input.note, input.dry_run)
        request = info.context.command(input.idempotency_key)
        outcome = await info.context.perform(edit_definition, request, command)
        return await _payload(info, OnboardingDefinitionEditPayload, outcome)

    @mutation_field(
        scope=Scope.POLICIES_WRITE,
        description="Bring a document in as a new version of the definition, whole; what is wrong with it is named by "
        "its path.",
        may_fail=(ErrorCode.STALE_VERSION,),
    )
    async def onboarding_definition_import(
        self, info: Info, input: OnboardingDefinitionImportInput
    ) -> OnboardingDefinitionImportPayload:
        command = ImportDefinition(input.document, input.expected_number, input.note, input.dry_run)
        request = info.context.command(input.idempotency_key)
        outcome = await info.context.perform(import_definition, request, command)
        return await _payload(info, OnboardingDefinitionImportPayload, outcome)


async def _payload(info: Info, payload: type[P], outcome: Outcome) -> P:
    async with info.context.reading() as tx:
        newest = await stored.newest(tx)
    return payload(
        definition=newest,  # type: ignore[arg-type]
        unchanged=bool(outcome.facts.get(UNCHANGED_FACT)),
        changes=changes_of(outcome.facts),
        event_id=event_id(outcome),
        errors=list(outcome.errors),  # type: ignore[arg-type]
    )


def _by(
    given: Iterable[Any] | None, name: str, pair: Callable[[Any], tuple[Stage | Gate, Any]]
) -> Mapping[str, Any] | None:
    if given is None:
        return None
    named: dict[str, Any] = {}
    for key, value in map(pair, given):
        if key.value in named:
            raise BadUserInput(f"{name}: {key.value} is there twice; leave one out.")
        named[key.value] = value
    return named


def _trigger(given: SurveyTriggerInput) -> dict[str, Any]:
    return {
        "move": given.move.value,
        "survey": given.survey.value,
        "audience": given.audience.value,
        "delayDays": given.delay_days,
    }


def _item(given: DefinedItemInput) -> dict[str, Any]:
    return {
        "key": given.key,
        "title": given.title,
        "ownerRole": given.owner.value,
        "dueBusinessDays": given.due_business_days,
        "required": given.required,
        "proves": given.proves.value if given.proves else None,
    }
