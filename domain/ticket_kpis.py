"""Figures of tickets: how many there are, and how many had to be escalated."""

from domain.kpi_definitions import (
    SAMPLE_FOR_RATES,
    Definition,
    Dimension,
    Direction,
    Fact,
    Family,
    KpiKind,
    Unit,
)

DIMENSIONS = (Dimension.CLIENT, Dimension.STAGE, Dimension.PHASE, Dimension.PRIORITY)

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
    dimensions=DIMENSIONS,
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
    dimensions=DIMENSIONS,
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
    dimensions=DIMENSIONS,
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
    dimensions=DIMENSIONS,
    source="Tickets and their hand-overs. Interval: Wilson 95 %.",
    min_sample=SAMPLE_FOR_RATES,
    settles=True,
)
