"""Consequences: what a command changes, told the same way before it is done and after."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

CHANGES = "changes"
"""The place of consequences among the facts of an outcome."""


class ConsequenceKind(StrEnum):
    """What sort of thing changes."""

    STAGE = "STAGE"
    STAY = "STAY"
    TARGET = "TARGET"
    HOLD = "HOLD"
    NOTICE = "NOTICE"
    WINDOW = "WINDOW"
    TIMER = "TIMER"
    SURVEY = "SURVEY"
    FOLLOW_UP = "FOLLOW_UP"
    DEFINITION = "DEFINITION"
    CHECKLIST_ITEM = "CHECKLIST_ITEM"
    PLANNED_DATE = "PLANNED_DATE"
    TEAM = "TEAM"
    CALENDAR = "CALENDAR"
    CLIENT = "CLIENT"
    CONTACT = "CONTACT"
    MEMBER = "MEMBER"
    CONTRACT = "CONTRACT"
    SITE = "SITE"
    SERVICE = "SERVICE"
    DEVICE = "DEVICE"
    NOTE = "NOTE"
    EXTERNAL_REF = "EXTERNAL_REF"
    ONBOARDING = "ONBOARDING"
    TICKET = "TICKET"
    FREE_TEXT = "FREE_TEXT"
    TOKEN = "TOKEN"  # noqa: S105 -- a word, not a secret


@dataclass(frozen=True, slots=True)
class Consequence:
    """One change: of what, which one, from what to what, and of how many where they are only counted.

    `subject` is the public id of what it concerns; `before` is nothing where it comes into being, `after` where it
    goes. Instants are in ISO 8601 and UTC. Neither holds anybody's name.
    """

    kind: ConsequenceKind
    name: str | None = None
    before: str | None = None
    after: str | None = None
    count: int | None = None
    subject: str | None = None


def told(changes: Iterable[Consequence]) -> dict[str, object]:
    """Return consequences as an outcome's facts; `untold` reads them back."""
    return {CHANGES: [asdict(change) for change in changes]}


def untold(facts: Mapping[str, object]) -> list[Consequence]:
    """Return the consequences among an outcome's facts."""
    found: Sequence[Mapping[str, Any]] = facts.get(CHANGES) or ()  # type: ignore[assignment]
    return [Consequence(**{**change, "kind": ConsequenceKind(change["kind"])}) for change in found]
