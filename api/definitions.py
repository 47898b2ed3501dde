"""Onboarding definitions as the API shows them: every version, what differs between two, and the document of each."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry
from strawberry.scalars import JSON

from api import definition_enums, onboarding_enums  # noqa: F401 -- publish the enums named here
from api.context import Info, OperationContext
from api.errors import BadUserInput
from api.fields import id_field, query_field, resolved, window
from api.paging import After, Before, Connection, First, Last, Ordering, connection, page_of
from db import definitions as stored
from domain import definition_differences, definitions, diagrams
from domain.access import PrincipalKind, Scope
from domain.definition_documents import write
from domain.definition_rules import FIGURES
from domain.definition_schema import definition_schema
from domain.definitions import Audience, DayNinetyFrom, Hardness, Owner, Survey
from domain.ids import IdKind, public
from domain.moves import MOVES, Gate, Move
from domain.stages import Stage

BY_NUMBER = Ordering("definitions by number", (int, UUID))


@strawberry.type(description="How one gate holds one move under a definition.")
class GateSetting:
    move: Move = strawberry.field(description="The move.")
    gate: Gate = strawberry.field(description="The gate.")
    hardness: Hardness = strawberry.field(description="How it holds.")


@strawberry.type(description="A length in business days that a definition gives one stage.")
class StageTarget:
    stage: Stage = strawberry.field(description="The stage.")
    business_days: int = strawberry.field(description="Business days of the onboarding's calendar, holds taken out.")


@window(definitions.Trigger, description="A survey that a move plans.")
class SurveyTrigger:
    move: Move = strawberry.field(description="The move.")
    survey: Survey = strawberry.field(description="The survey.")
    audience: Audience = strawberry.field(description="Whom it asks.")
    delay_days: int = strawberry.field(description="Days after the move at which it is due.")


@window(definitions.ChecklistItem, description="One thing to be done in a stage, as a definition lays it out.")
class DefinedItem:
    key: str = strawberry.field(description="What tells it from others, in every version in which it is the same.")
    title: str = strawberry.field(description="What is to be done.")
    owner: Owner = strawberry.field(name="ownerRole", description="What whoever does it is to the onboarding's team.")
    due_business_days: int | None = strawberry.field(
        description="Business days from the stage's entry until it is due; `null` where it has no day of its own."
    )
    required: bool = strawberry.field(description="Whether the stage's checklist is done only when this is.")
    proves: Gate | None = strawberry.field(description="The gate that is met when this is done.")


@strawberry.type(description="What a definition lays out to be done in one stage.")
class DefinedChecklist:
    stage: Stage = strawberry.field(
        description="The stage; what stands under `OFFBOARDED` is worked through from notice to off-boarding."
    )
    items: list[DefinedItem] = strawberry.field(description="The items, in order.")


@window(definition_differences.DefinitionDifference, description="One value that two versions say otherwise.")
class DefinitionDifference:
    path: str = strawberry.field(description="Which value, such as `gates.BACKUP_VERIFIED`.")
    before: JSON | None = strawberry.field(description="What the one says; `null` where it has no such value.")
    after: JSON | None = strawberry.field(description="What the other says; `null` where it has no such value.")


_FIGURES = {figure.attribute: figure for figure in FIGURES}


def _figure(attribute: str) -> Any:
    """Return a number of the rules as a field, described as the table of limits describes it."""
    figure = _FIGURES[attribute]

    def whole(root: Any) -> int:
        found: int = getattr(root.rules, attribute)
        return found

    def share(root: Any) -> float:
        found: float = getattr(root.rules, attribute)
        return found

    return strawberry.field(resolver=whole if figure.whole else share, description=figure.said)


async def pinned(context: OperationContext, keys: Sequence[UUID]) -> list[int]:
    """Load how many open onboardings keep to definitions."""
    async with context.reading() as tx:
        found = await stored.open_cycles(tx, keys)
    return [found.get(key, 0) for key in keys]


@window(
    definitions.Definition,
    description="A numbered, immutable version of targets, gates, triggers, timers and checklists. An onboarding "
    "keeps the one it was opened with until it is migrated.",
)
class OnboardingDefinition:
    id: strawberry.ID = id_field(IdKind.DEFINITION, description="The definition's id.")
    number: int = strawberry.field(description="Its number; the newest is the one that a new onboarding gets.")
    created_at: datetime = strawberry.field(description="When it was made.")
    early_support_days: int = _figure("early_support_days")
    minimum_early_days: int = _figure("minimum_early_days")
    hold_review_days: int = _figure("hold_review_days")
    at_risk_share: float = _figure("at_risk_share")
    pending_hours: int = _figure("pending_hours")
    discovery_age_days: int = _figure("discovery_age_days")
    managed_share: float = _figure("managed_share")
    escalation_days: int = _figure("escalation_days")
    escalation_minimum_tickets: int = _figure("escalation_minimum_tickets")
    waiver_days: int = _figure("waiver_days")

    @resolved(description="What kind of caller made it; `SYSTEM` for the one that a provider begins with.")
    def author_kind(root: Any) -> PrincipalKind | None:  # noqa: N805 -- the root is a domain value, not this class
        return root.authorship.kind if root.authorship else None

    @resolved(
        description="The member or token that made it; `null` where the product itself did.", scope=Scope.MEMBERS_READ
    )
    def author_id(root: Any) -> strawberry.ID | None:  # noqa: N805
        made = root.authorship
        if made is None or made.kind is PrincipalKind.SYSTEM:
            return None
        kind = IdKind.MEMBER if made.kind is PrincipalKind.PERSON else IdKind.TOKEN
        return strawberry.ID(public(kind, made.id))

    @resolved(description="Why it was made, in the words of whoever made it.", scope=Scope.POLICIES_READ)
    def note(root: Any) -> str | None:  # noqa: N805
        return root.authorship.note if root.authorship else None

    @resolved(description="The number of the version that it was made from; `null` for the first.")
    def based_on(root: Any) -> int | None:  # noqa: N805
        return root.authorship.based_on if root.authorship else None

    @resolved(description="The targets of the stages before early support, which ends on day 90.")
    def targets(root: Any) -> list[StageTarget]:  # noqa: N805
        return [StageTarget(stage=s, business_days=d) for s, d in root.rules.target_business_days.items()]

    @resolved(description="After how many business days without activity an onboarding is stale, by stage.")
    def stale_business_days(root: Any) -> list[StageTarget]:  # noqa: N805
        return [StageTarget(stage=s, business_days=d) for s, d in root.rules.stale_business_days.items()]

    @resolved(description="Every gate of every move.")
    def gates(root: Any) -> list[GateSetting]:  # noqa: N805
        return [
            GateSetting(move=rule.move, gate=gate, hardness=root.rules.hardness(gate))
            for rule in MOVES.values()
            for gate in rule.gates
        ]

    @resolved(description="The surveys that moves plan.")
    def triggers(root: Any) -> list[SurveyTrigger]:  # noqa: N805
        return list(root.rules.triggers)

    @resolved(description="What is to be done, stage by stage.")
    def checklists(root: Any) -> list[DefinedChecklist]:  # noqa: N805
        return [DefinedChecklist(stage=s, items=list(items)) for s, items in root.rules.checklists.items()]

    @resolved(description="The days of the contract on which a timer tells subscribers.")
    def timer_days(root: Any) -> list[int]:  # noqa: N805
        days: Sequence[int] = root.rules.timer_days
        return list(days)

    @resolved(description="From which day the days of early support count.")
    def day_ninety_from(root: Any) -> DayNinetyFrom:  # noqa: N805
        found: DayNinetyFrom = root.rules.day_ninety_from
        return found

    @resolved(description="All of it as a document, which `onboardingDefinitionImport` takes here and elsewhere.")
    def document(root: Any) -> JSON:  # noqa: N805
        return JSON(write(root.rules))

    @resolved(description="How many open onboardings that you see keep to it.")
    async def open_onboardings(root: Any, info: Info) -> int:  # noqa: N805
        return await info.context.loader(pinned).load(root.id)

    @resolved(description="The machine as a Mermaid state diagram.")
    def mermaid(root: Any) -> str:  # noqa: N805
        return diagrams.machine(root.rules)


@strawberry.type
class DefinitionQuery:
    @query_field(
        scope=Scope.POLICIES_READ,
        description="A definition by its number; without one the newest, to which an onboarding opened now is pinned.",
    )
    async def onboarding_definition(
        self,
        info: Info,
        number: Annotated[int | None, strawberry.argument(description="The version; the newest if left out.")] = None,
    ) -> OnboardingDefinition | None:
        async with info.context.reading() as tx:
            if number is None:
                return await stored.newest(tx)  # type: ignore[return-value]
            return (await stored.numbered(tx, [number])).get(number)  # type: ignore[return-value]

    @query_field(scope=Scope.POLICIES_READ, description="Every version of the definition, the newest first.")
    async def onboarding_definitions(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[OnboardingDefinition] | None:
        page = page_of(BY_NUMBER, first=first, after=after, last=last, before=before)

        async def count() -> int:
            async with info.context.reading() as tx:
                return await stored.count(tx)

        async with info.context.reading() as tx:
            rows = await stored.listed(tx, page)
        return connection(page, rows, key=lambda d: (d.number, d.id), count=count)

    @query_field(
        scope=Scope.POLICIES_READ,
        description="What one version says otherwise than another; empty where they are the same rules.",
    )
    async def onboarding_definition_differences(
        self,
        info: Info,
        start: Annotated[int, strawberry.argument(name="from", description="The number of the one.")],
        to: Annotated[int, strawberry.argument(description="The number of the other.")],
    ) -> list[DefinitionDifference] | None:
        async with info.context.reading() as tx:
            found = await stored.numbered(tx, (start, to))
        for name, number in (("from", start), ("to", to)):
            if number not in found:
                raise BadUserInput(
                    f"{name}: there is no version {number}; onboardingDefinitions lists those there are."
                )
        return list(definition_differences.differences(found[start].rules, found[to].rules))  # type: ignore[arg-type]

    @query_field(description="JSON Schema (2020-12) of a definition's `document`, as `/onboarding-definition.json` is.")
    def onboarding_definition_schema(self) -> JSON:
        return JSON(definition_schema())
