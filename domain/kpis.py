"""The catalogue of figures: each entry carries its whole definition, and everything else follows from it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, StrEnum
from uuid import UUID

from domain.periods import Grain
from domain.tickets import TicketSource


class Unit(StrEnum):
    """What the number counts; shares lie between 0 and 1."""

    TICKETS = "TICKETS"
    ESCALATIONS = "ESCALATIONS"
    ONBOARDINGS = "ONBOARDINGS"
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


TICKET_DIMENSIONS = (Dimension.CLIENT, Dimension.STAGE, Dimension.PHASE, Dimension.PRIORITY)
ONBOARDING_DIMENSIONS = (Dimension.CLIENT, Dimension.STAGE)
ALL_GRAINS = tuple(Grain)

SAMPLE_FOR_RATES = 20
"""Below it a share is given and flagged: its interval is wider than most differences worth seeing."""

SAMPLE_FOR_MEDIANS = 5

SETTLING_SHARE = 0.9
"""A bucket of a rate is settled once this share of escalations would have come, by the tenant's own past."""

SETTLING_SAMPLE = 1_000
"""The 90th percentile of time-to-escalate is taken over this many of the tenant's latest first escalations."""


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
    grains: tuple[Grain, ...] = ALL_GRAINS
    version: int = 1


class Kpi(Enum):
    """The catalogue: key and definition in one place."""

    TICKETS_LOGGED = Definition(
        title="Tickets logged",
        formula=(
            "Tickets by the local day on which they were logged. Merged, deleted and spam tickets are left out; "
            "tickets that monitoring opened are a source of their own, left out unless asked for."
        ),
        unit=Unit.TICKETS,
        kind=KpiKind.COUNT,
        family=Family.ONBOARDING,
        direction=Direction.NEUTRAL,
        facts=(Fact.TICKETS,),
        dimensions=TICKET_DIMENSIONS,
        source="Tickets. Interval: Byar's approximation of the Poisson limits.",
    )
    ESCALATIONS = Definition(
        title="Escalations",
        formula=(
            "Escalations by the local day on which they happened, under the tenant's rule; a ticket escalated "
            "twice counts twice. Stage, phase and priority are the ticket's."
        ),
        unit=Unit.ESCALATIONS,
        kind=KpiKind.COUNT,
        family=Family.ONBOARDING,
        direction=Direction.LOWER_IS_BETTER,
        facts=(Fact.ESCALATIONS,),
        dimensions=TICKET_DIMENSIONS,
        source="Hand-overs of tickets. Interval: Byar's approximation of the Poisson limits.",
    )
    ESCALATED_TICKETS = Definition(
        title="Escalated tickets",
        formula="Tickets escalated at least once, by the local day on which they were logged.",
        unit=Unit.TICKETS,
        kind=KpiKind.COUNT,
        family=Family.ONBOARDING,
        direction=Direction.LOWER_IS_BETTER,
        facts=(Fact.ESCALATED_TICKETS,),
        dimensions=TICKET_DIMENSIONS,
        source="Hand-overs of tickets. Interval: Byar's approximation of the Poisson limits.",
        settles=True,
    )
    ESCALATION_RATE = Definition(
        title="Escalation rate",
        formula=(
            "Tickets escalated at least once ÷ tickets logged, by the local day on which they were logged. "
            "A bucket is PARTIAL until the tenant's own 90th percentile of time-to-escalate has passed."
        ),
        unit=Unit.SHARE,
        kind=KpiKind.PROPORTION,
        family=Family.ONBOARDING,
        direction=Direction.LOWER_IS_BETTER,
        facts=(Fact.ESCALATED_TICKETS, Fact.TICKETS),
        dimensions=TICKET_DIMENSIONS,
        source="Tickets and their hand-overs. Interval: Wilson 95 %.",
        min_sample=SAMPLE_FOR_RATES,
        settles=True,
    )
    TIME_IN_STAGE = Definition(
        title="Time in stage",
        formula=(
            "Median (and 90th percentile) business days of the stays that began in the period, holds taken out; "
            "stays still open count as censored, by Kaplan and Meier."
        ),
        unit=Unit.BUSINESS_DAYS,
        kind=KpiKind.DURATION,
        family=Family.ONBOARDING,
        direction=Direction.LOWER_IS_BETTER,
        facts=DirectFact.STAGE_SPELLS,
        dimensions=ONBOARDING_DIMENSIONS,
        source="Stage visits, holds and the tenant's calendar. Interval of the median: Brookmeyer and Crowley.",
        min_sample=SAMPLE_FOR_MEDIANS,
    )
    OPEN_ONBOARDINGS = Definition(
        title="Open onboardings",
        formula="Onboardings open at the end of the bucket: opened, and neither graduated nor ended.",
        unit=Unit.ONBOARDINGS,
        kind=KpiKind.LEVEL,
        family=Family.ONBOARDING,
        direction=Direction.NEUTRAL,
        facts=DirectFact.OPEN_CYCLES,
        dimensions=ONBOARDING_DIMENSIONS,
        source="Onboarding cycles and their stage visits. A full count: it has no interval.",
    )
    WAIVED_MOVES = Definition(
        title="Waived moves",
        formula="Moves out of a stage that passed at least one gate by a waiver ÷ moves out of a stage that had gates.",
        unit=Unit.SHARE,
        kind=KpiKind.PROPORTION,
        family=Family.ONBOARDING,
        direction=Direction.LOWER_IS_BETTER,
        facts=DirectFact.GATED_MOVES,
        dimensions=ONBOARDING_DIMENSIONS,
        source="The history of moves with the answer of each gate. Interval: Wilson 95 %.",
        min_sample=SAMPLE_FOR_RATES,
    )

    @property
    def definition(self) -> Definition:
        return self.value


@dataclass(frozen=True, slots=True)
class Where:
    """What a figure is narrowed to; None leaves a dimension open. Alerts are left out unless asked for."""

    clients: tuple[UUID, ...] | None = None
    stages: tuple[str, ...] | None = None
    phases: tuple[str, ...] | None = None
    priorities: tuple[str, ...] | None = None
    sources: tuple[TicketSource, ...] = (TicketSource.PERSON,)

    def members(self) -> dict[Dimension, tuple[str, ...]]:
        """Return what is asked of each dimension except the client."""
        asked = {Dimension.STAGE: self.stages, Dimension.PHASE: self.phases, Dimension.PRIORITY: self.priorities}
        return {dimension: members for dimension, members in asked.items() if members is not None}

    def dimensions(self) -> tuple[Dimension, ...]:
        narrowed = (Dimension.CLIENT,) if self.clients is not None else ()
        return (*narrowed, *self.members())


class NotOffered(ValueError):
    """The figure isn't offered in this combination; the message says what is."""


def offer(kpi: Kpi, by: Iterable[Dimension], where: Iterable[Dimension], grain: Grain) -> None:
    """Refuse what the cells don't hold.

    A figure splits by at most two dimensions, and of STAGE, PHASE and PRIORITY only one may be used at a
    time, whether to split or to narrow; CLIENT goes with each. Raises NotOffered.
    """
    split, narrowed = tuple(by), tuple(where)
    definition = kpi.definition
    if len(set(split)) != len(split):
        raise NotOffered("`by` names a dimension twice.")
    for dimension in (*split, *narrowed):
        if dimension not in definition.dimensions:
            offered = ", ".join(definition.dimensions)
            raise NotOffered(f"{kpi.name} isn't kept by {dimension}; it is by {offered}.")
    if grain not in definition.grains:
        raise NotOffered(f"{kpi.name} isn't kept by {grain}; it is by {', '.join(definition.grains)}.")
    inner = {*split, *narrowed} - {Dimension.CLIENT}
    if len(inner) > 1:
        raise NotOffered(
            f"{' and '.join(sorted(inner))} aren't kept together: use one of STAGE, PHASE and PRIORITY at a time, "
            "alone or with CLIENT."
        )
