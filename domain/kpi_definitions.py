"""What the definition of a figure is made of: its unit, how it is formed, what it rests on and how it may be split."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from domain.periods import Grain
from domain.tickets import EscalationKind


class Unit(StrEnum):
    """What the number counts; shares lie between 0 and 1."""

    TICKETS = "TICKETS"
    ESCALATIONS = "ESCALATIONS"
    ONBOARDINGS = "ONBOARDINGS"
    CLIENTS = "CLIENTS"
    CHANGES = "CHANGES"
    SHARE = "SHARE"
    BUSINESS_HOURS = "BUSINESS_HOURS"
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
    KIND = "KIND"
    CATEGORY = "CATEGORY"
    TEAM = "TEAM"
    TECHNICIAN = "TECHNICIAN"
    SITE = "SITE"
    LEAD = "LEAD"
    OUTCOME = "OUTCOME"
    TENURE = "TENURE"
    BASELINE = "BASELINE"


class Fact(StrEnum):
    """A signed number per ticket, summed; each is a column of the deltas and cells.

    What is told of an ending (resolved, reopened, first contact) stands on the day of the first one, an agreement on
    the day on which it was decided; a backlog moves on the days on which tickets come in, end and come back.
    """

    TICKETS = "tickets"
    ESCALATED_TICKETS = "escalated_tickets"
    ESCALATED_HIERARCHICAL = "escalated_hierarchical"
    ESCALATED_SLA = "escalated_sla"
    ESCALATED_VENDOR = "escalated_vendor"
    ESCALATIONS = "escalations"
    ESCALATIONS_HIERARCHICAL = "escalations_hierarchical"
    ESCALATIONS_SLA = "escalations_sla"
    ESCALATIONS_VENDOR = "escalations_vendor"
    BACKLOG = "backlog"
    OPEN_INCIDENTS = "open_incidents"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    FIRST_CONTACT = "first_contact"
    SLA_MET = "sla_met"
    SLA_DECIDED = "sla_decided"
    RESPONSE_SLA_MET = "response_sla_met"
    RESPONSE_SLA_DECIDED = "response_sla_decided"


FACTS = tuple(Fact)
"""In the order in which amounts are kept."""

ESCALATED = {
    EscalationKind.FUNCTIONAL: Fact.ESCALATED_TICKETS,
    EscalationKind.HIERARCHICAL: Fact.ESCALATED_HIERARCHICAL,
    EscalationKind.SLA: Fact.ESCALATED_SLA,
    EscalationKind.VENDOR: Fact.ESCALATED_VENDOR,
}
TIMES_ESCALATED = {
    EscalationKind.FUNCTIONAL: Fact.ESCALATIONS,
    EscalationKind.HIERARCHICAL: Fact.ESCALATIONS_HIERARCHICAL,
    EscalationKind.SLA: Fact.ESCALATIONS_SLA,
    EscalationKind.VENDOR: Fact.ESCALATIONS_VENDOR,
}
"""The facts of each kind of escalation; figures are defined by those of the functional one."""


class Measure(StrEnum):
    """A time that a ticket took, in business minutes."""

    RESPONSE = "RESPONSE"
    RESOLUTION = "RESOLUTION"


class Settling(StrEnum):
    """What may still come when a bucket is over, and so until when it is PARTIAL."""

    AT_ITS_END = "AT_ITS_END"
    ESCALATIONS = "ESCALATIONS"
    """Until the 90th percentile of the tenant's own time-to-escalate has passed."""

    REOPENINGS = "REOPENINGS"
    """Until tickets resolved in it can no longer come back as unsolved: 72 hours."""


REOPENING_HOURS = 72
"""A ticket that comes back within so many hours was not resolved."""


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
    RESPONSE_TIMES = "RESPONSE_TIMES"
    RESOLUTION_TIMES = "RESOLUTION_TIMES"


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
    settling: Settling = Settling.AT_ITS_END
    additive: bool = True
    """False where the buckets don't add up to the period, because each asks anew from its own first day."""
    per_lead: bool = False
    """True where a level is the mean over the leads who have any, with the highest daily load of one."""
    about_staff: bool = False
    """True where it speaks of the provider's people: it takes the right to read members, which no program has."""
    grains: tuple[Grain, ...] = ALL_GRAINS
    version: int = 1

    @property
    def settles(self) -> bool:
        """True where more may come after a bucket is over."""
        return self.settling is not Settling.AT_ITS_END
