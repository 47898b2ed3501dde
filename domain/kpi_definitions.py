"""What the definition of a figure is made of: its unit, how it is formed, what it rests on and how it may be split."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from domain.periods import Grain


class Unit(StrEnum):
    """What the number counts; shares lie between 0 and 1."""

    TICKETS = "TICKETS"
    ESCALATIONS = "ESCALATIONS"
    ONBOARDINGS = "ONBOARDINGS"
    CLIENTS = "CLIENTS"
    CHANGES = "CHANGES"
    SHARE = "SHARE"
    BUSINESS_DAYS = "BUSINESS_DAYS"


class KpiKind(StrEnum):
    """How the number is formed, and so which interval it has."""

    PROPORTION = "PROPORTION"
    MEAN = "MEAN"
    SCORE = "SCORE"
    COUNT = "COUNT"
    LEVEL = "LEVEL"
    DURATION = "DURATION"


class Family(StrEnum):
    """Which part of the provider's work it speaks of."""

    ONBOARDING = "ONBOARDING"
    PROACTIVE = "PROACTIVE"
    PEOPLE = "PEOPLE"


class Direction(StrEnum):
    """Which way is better."""

    HIGHER_IS_BETTER = "HIGHER_IS_BETTER"
    LOWER_IS_BETTER = "LOWER_IS_BETTER"
    NEUTRAL = "NEUTRAL"


class Dimension(StrEnum):
    """By what a figure may be split or narrowed."""

    CLIENT = "CLIENT"
    STAGE = "STAGE"
    PHASE = "PHASE"
    PRIORITY = "PRIORITY"
    LEAD = "LEAD"
    OUTCOME = "OUTCOME"
    TENURE = "TENURE"
    BASELINE = "BASELINE"


class Fact(StrEnum):
    """A signed number per ticket, summed; each is a column of the deltas and cells."""

    TICKETS = "tickets"
    ESCALATED_TICKETS = "escalated_tickets"
    ESCALATIONS = "escalations"


class DirectFact(StrEnum):
    """Rows that are read as they are, because their figure is no sum."""

    STAGE_SPELLS = "STAGE_SPELLS"
    OPEN_CYCLES = "OPEN_CYCLES"
    GATED_MOVES = "GATED_MOVES"
    WAYS_TO_GO_LIVE = "WAYS_TO_GO_LIVE"
    WAYS_TO_STEADY_STATE = "WAYS_TO_STEADY_STATE"
    CONTRACTINGS = "CONTRACTINGS"
    PROVIDER_TURNS = "PROVIDER_TURNS"
    DUE_STAYS = "DUE_STAYS"
    RE_PLANS = "RE_PLANS"
    LEAD_LOADS = "LEAD_LOADS"
    SERVED_CLIENTS = "SERVED_CLIENTS"
    ENDED_CLIENTS = "ENDED_CLIENTS"
    NOTICES = "NOTICES"


ALL_GRAINS = tuple(Grain)

SAMPLE_FOR_RATES = 20
"""Below it a share is given and flagged: its interval is wider than most differences worth seeing."""

SAMPLE_FOR_MEDIANS = 5


@dataclass(frozen=True, slots=True)
class Definition:
    """Everything that makes a figure what it is."""

    title: str
    formula: str
    unit: Unit
    kind: KpiKind
    family: Family
    direction: Direction
    facts: tuple[Fact, ...] | DirectFact
    """Additive: the numerator and, for a share, the denominator. Direct: the rows it is made from."""
    dimensions: tuple[Dimension, ...]
    source: str
    min_sample: int = 1
    settles: bool = False
    """True where escalations may still come after the bucket is over."""
    additive: bool = True
    """False where the buckets don't add up to the period, because each asks anew from its own first day."""
    per_lead: bool = False
    """True where a level is the mean over the leads who have any, with the highest daily load of one."""
    about_staff: bool = False
    """True where it speaks of the provider's people: it takes the right to read members, which no program has."""
    grains: tuple[Grain, ...] = ALL_GRAINS
    version: int = 1
