"""Onboarding definitions as the API shows them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import strawberry

from api import onboarding_enums  # noqa: F401 -- publishes the enums named here
from api.context import Info
from api.fields import id_field, query_field, resolved, window
from db import definitions as stored
from domain import definitions, diagrams
from domain.access import Scope
from domain.definitions import Hardness
from domain.ids import IdKind
from domain.moves import MOVES, Gate, Move
from domain.stages import Stage


@strawberry.type(description="How one gate holds one move under a definition.")
class GateSetting:
    move: Move = strawberry.field(description="The move.")
    gate: Gate = strawberry.field(description="The gate.")
    hardness: Hardness = strawberry.field(description="How it holds.")


@strawberry.type(description="How long a stage should take.")
class StageTarget:
    stage: Stage = strawberry.field(description="The stage.")
    business_days: int = strawberry.field(description="Business days of the provider's calendar, holds taken out.")


@window(
    definitions.Definition,
    description="A numbered, immutable version of targets, gates, triggers and timers. An onboarding keeps the one it "
    "was opened with.",
)
class OnboardingDefinition:
    id: strawberry.ID = id_field(IdKind.DEFINITION, description="The definition's id.")
    number: int = strawberry.field(description="Its number; the newest is the one that a new onboarding gets.")
    created_at: datetime = strawberry.field(description="When it was made.")

    @resolved(description="The targets of the stages before early support, which ends on day 90.")
    def targets(root: Any) -> list[StageTarget]:  # noqa: N805 -- the root is a domain value, not this class
        return [StageTarget(stage=s, business_days=d) for s, d in root.rules.target_business_days.items()]

    @resolved(description="Every gate of every move.")
    def gates(root: Any) -> list[GateSetting]:  # noqa: N805
        return [
            GateSetting(move=rule.move, gate=gate, hardness=root.rules.hardness(gate))
            for rule in MOVES.values()
            for gate in rule.gates
        ]

    @resolved(description="The days of the contract on which a timer tells subscribers.")
    def timer_days(root: Any) -> list[int]:  # noqa: N805
        days: Sequence[int] = root.rules.timer_days
        return list(days)

    @resolved(description="The machine as a Mermaid state diagram.")
    def mermaid(root: Any) -> str:  # noqa: N805
        return diagrams.machine(root.rules)


@strawberry.type
class DefinitionQuery:
    @query_field(
        scope=Scope.POLICIES_READ, description="The newest definition, to which an onboarding opened now is pinned."
    )
    async def onboarding_definition(self, info: Info) -> OnboardingDefinition | None:
        async with info.context.reading() as tx:
            return await stored.newest(tx)  # type: ignore[return-value]
