"""Definitions: a provider's numbered, immutable version of targets, gate settings, triggers and timers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from domain.access import PrincipalKind
from domain.moves import Gate, Move
from domain.stages import Stage


class Hardness(StrEnum):
    """How a gate holds a move: HARD takes a second person to waive, SOFT the lead, OFF does not apply."""

    HARD = "HARD"
    SOFT = "SOFT"
    OFF = "OFF"


ALWAYS_HARD = frozenset({Gate.LEAD_SET, Gate.CONTRACT_SIGNED})
"""Gates that no definition can soften or switch off."""


class DayNinetyFrom(StrEnum):
    """From which day the ninety days of early support count."""

    CONTRACT_START = "CONTRACT_START"
    SERVICE_START = "SERVICE_START"


class Audience(StrEnum):
    """Whom a survey asks."""

    CLIENT = "CLIENT"
    AGENTS = "AGENTS"


class Survey(StrEnum):
    """The surveys that transitions plan."""

    CONTRACTING = "CONTRACTING"
    HAND_OFF = "HAND_OFF"
    DISCOVERY = "DISCOVERY"
    GO_LIVE_AGENTS = "GO_LIVE_AGENTS"
    HAND_OVER = "HAND_OVER"
    QUARTERLY_NPS = "QUARTERLY_NPS"
    EXIT = "EXIT"


@dataclass(frozen=True, slots=True)
class Trigger:
    """A survey that a move plans, and how many days after it."""

    move: Move
    survey: Survey
    audience: Audience
    delay_days: int = 0


TRIGGERS = (
    Trigger(Move.BEGIN_DISCOVERY, Survey.CONTRACTING, Audience.CLIENT),
    Trigger(Move.BEGIN_DISCOVERY, Survey.HAND_OFF, Audience.AGENTS),
    Trigger(Move.GO_LIVE, Survey.DISCOVERY, Audience.CLIENT),
    Trigger(Move.GO_LIVE, Survey.GO_LIVE_AGENTS, Audience.AGENTS),
    Trigger(Move.GRADUATE, Survey.HAND_OVER, Audience.AGENTS),
    Trigger(Move.GRADUATE, Survey.QUARTERLY_NPS, Audience.CLIENT, delay_days=90),
    Trigger(Move.OFF_BOARD, Survey.EXIT, Audience.CLIENT),
)


class Owner(StrEnum):
    """What a member is to a cycle's team."""

    LEAD = "LEAD"
    ACCOUNT_MANAGER = "ACCOUNT_MANAGER"
    TECHNICAL_LEAD = "TECHNICAL_LEAD"
    ENGINEER = "ENGINEER"


def _default_staleness() -> Mapping[Stage, int]:
    return MappingProxyType({Stage.CONTRACTING: 5, Stage.ASSET_DISCOVERY: 5, Stage.EARLY_SUPPORT: 10})


def _default_targets() -> Mapping[Stage, int]:
    return MappingProxyType({Stage.CONTRACTING: 10, Stage.ASSET_DISCOVERY: 20})


@dataclass(frozen=True, slots=True)
class ChecklistItem:
    """One thing to be done in a stage.

    `key` tells it from the definition's other items, `owner` is what the person who does it is to the cycle, and
    `due_business_days` counts from the stage's entry. `proves` is the gate that a done item meets.
    """

    key: str
    title: str
    owner: Owner = Owner.LEAD
    due_business_days: int | None = None
    required: bool = False
    proves: Gate | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """What one definition says; days are business days where the name says so, else calendar days."""

    target_business_days: Mapping[Stage, int] = field(default_factory=_default_targets)
    early_support_days: int = 90
    minimum_early_days: int = 30
    timer_days: tuple[int, ...] = (30, 60, 90)
    day_ninety_from: DayNinetyFrom = DayNinetyFrom.CONTRACT_START
    hold_review_days: int = 14
    at_risk_share: float = 0.8
    pending_hours: int = 48
    discovery_age_days: int = 7
    managed_share: float = 0.95
    escalation_days: int = 30
    escalation_minimum_tickets: int = 20
    waiver_days: int = 14
    gates: Mapping[Gate, Hardness] = field(default_factory=lambda: MappingProxyType({}))
    triggers: tuple[Trigger, ...] = TRIGGERS
    stale_business_days: Mapping[Stage, int] = field(default_factory=_default_staleness)
    checklists: Mapping[Stage, tuple[ChecklistItem, ...]] = field(default_factory=lambda: MappingProxyType({}))
    """By stage; what is held under OFFBOARDED is worked through from notice to off-boarding."""

    def hardness(self, gate: Gate) -> Hardness:
        """Return how a gate holds under this definition; soft unless set, hard where it must be."""
        return Hardness.HARD if gate in ALWAYS_HARD else self.gates.get(gate, Hardness.SOFT)


@dataclass(frozen=True, slots=True)
class Authorship:
    """Who made a version, why, and on which one before it; the first version of a provider is based on none."""

    kind: PrincipalKind
    id: UUID
    note: str | None
    based_on: int | None


OF_THE_PRODUCT = Authorship(PrincipalKind.SYSTEM, UUID(int=0), None, None)
"""Of the version that a provider begins with."""


@dataclass(frozen=True, slots=True)
class Definition:
    """One stored version; a cycle keeps its version until it is migrated.

    `authorship` is nothing where only the rules were read, to judge or to move by them.
    """

    id: UUID
    number: int
    rules: Rules
    created_at: datetime
    authorship: Authorship | None = None
