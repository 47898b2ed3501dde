"""Consequences as the API shows them: what a command would change, or has changed."""

from typing import Any

import strawberry

from api.changing import Payload
from api.enums import described
from api.fields import window
from domain import consequences
from domain.consequences import ConsequenceKind

DRY_RUN = "Only tell what would change, and change nothing."
CHANGES = "What changed, or with `dryRun` what would change."

described(
    ConsequenceKind,
    "What sort of thing changes.",
    STAGE="The stage of an onboarding.",
    STAY="A stay in a stage.",
    TARGET="The target of a stage.",
    HOLD="A hold.",
    NOTICE="A notice.",
    WINDOW="An escalation window.",
    TIMER="A timer.",
    SURVEY="A survey.",
    FOLLOW_UP="A follow-up.",
    DEFINITION="The definition that an onboarding keeps to.",
    CHECKLIST_ITEM="An item of a checklist.",
    PLANNED_DATE="The planned date of a stage.",
    TEAM="The team of an onboarding.",
    CALENDAR="A calendar.",
    CLIENT="A client.",
    CONTACT="A contact.",
    MEMBER="A member.",
    CONTRACT="A contract or its amendment.",
    SITE="A site.",
    SERVICE="A service.",
    DEVICE="A device.",
    NOTE="A note.",
    EXTERNAL_REF="A key in another system.",
    ONBOARDING="An onboarding.",
    TICKET="Tickets, whose stage, phase or client becomes another.",
    FREE_TEXT="Words in which somebody is named.",
    TOKEN="Tokens.",  # noqa: S106 -- a word, not a secret
)


@window(consequences.Consequence, description="One change that a command makes, or would make.")
class Consequence:
    kind: ConsequenceKind = strawberry.field(description="What sort of thing changes.")
    name: str | None = strawberry.field(description="Which one of its kind, such as the stage or the timer.")
    before: str | None = strawberry.field(description="What it was; `null` where it comes into being.")
    after: str | None = strawberry.field(description="What it becomes; `null` where it goes.")
    count: int | None = strawberry.field(description="How many, where they are only counted.")
    subject: strawberry.ID | None = strawberry.field(description="The id of what it concerns, where it has one.")


@strawberry.type
class ForeseeingPayload(Payload):
    """What the payload of a command with a preview has."""

    changes: list[Consequence] = strawberry.field(description=CHANGES)


def changes_of(facts: Any) -> list[Consequence]:
    """Return the consequences among an outcome's facts."""
    return consequences.untold(facts)  # type: ignore[return-value]
