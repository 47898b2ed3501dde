"""Figures of tickets: how many there are, and how many had to be escalated."""

from domain.kpi_definitions import (
    SAMPLE_FOR_MEDIANS,
    SAMPLE_FOR_RATES,
    Definition,
    Dimension,
    DirectFact,
    Direction,
    Fact,
    Family,
    KpiKind,
    Settling,
    Unit,
)

DIMENSIONS = (
    Dimension.CLIENT,
    Dimension.STAGE,
    Dimension.PHASE,
    Dimension.PRIORITY,
    Dimension.KIND,
    Dimension.CATEGORY,
    Dimension.TEAM,
    Dimension.TECHNICIAN,
    Dimension.SITE,
)

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
        "Escalations by the local day on which they happened, under the tenant's rule, functional ones unless another "
        "kind is asked for; a ticket escalated "
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
    formula=(
        "Tickets escalated at least once, by the local day on which they were logged; functional escalations unless "
        "another kind is asked for."
    ),
    unit=Unit.TICKETS,
    kind=KpiKind.COUNT,
    family=Family.ONBOARDING,
    direction=Direction.LOWER_IS_BETTER,
    facts=(Fact.ESCALATED_TICKETS,),
    dimensions=DIMENSIONS,
    source="Hand-overs of tickets. Interval: Byar's approximation of the Poisson limits.",
    settling=Settling.ESCALATIONS,
)

ESCALATION_RATE = Definition(
    title="Escalation rate",
    formula=(
        "Tickets escalated at least once ÷ tickets logged, by the local day on which they were logged; functional "
        "escalations unless another kind is asked for. A bucket is PARTIAL until the tenant's own 90th percentile of "
        "time-to-escalate has passed."
    ),
    unit=Unit.SHARE,
    kind=KpiKind.PROPORTION,
    family=Family.ONBOARDING,
    direction=Direction.LOWER_IS_BETTER,
    facts=(Fact.ESCALATED_TICKETS, Fact.TICKETS),
    dimensions=DIMENSIONS,
    source="Tickets and their hand-overs. Interval: Wilson 95 %.",
    min_sample=SAMPLE_FOR_RATES,
    settling=Settling.ESCALATIONS,
)

FIRST_RESPONSE_TIME = Definition(
    title="First response time",
    formula=(
        "Median (with mean and 90th percentile) of the business hours from logging to the first response, in the hours "
        "that the client's contract covers, by the local day of the response."
    ),
    unit=Unit.BUSINESS_HOURS,
    kind=KpiKind.DURATION,
    family=Family.ONBOARDING,
    direction=Direction.LOWER_IS_BETTER,
    facts=DirectFact.RESPONSE_TIMES,
    dimensions=DIMENSIONS,
    source="Tickets, in whole business minutes. Interval of the median: order statistics (binomial).",
    min_sample=SAMPLE_FOR_MEDIANS,
)

MTTR = Definition(
    title="Mean time to resolve",
    formula=(
        "Mean (with median and 90th percentile) of the business hours from logging an incident to its last resolution, "
        "in the hours that the client's contract covers, by the local day of that resolution. Waiting leaves the "
        "clock, and so does what lies between resolved and reopened: a reopened ticket sums its time."
    ),
    unit=Unit.BUSINESS_HOURS,
    kind=KpiKind.MEAN,
    family=Family.ONBOARDING,
    direction=Direction.LOWER_IS_BETTER,
    facts=DirectFact.RESOLUTION_TIMES,
    dimensions=tuple(one for one in DIMENSIONS if one is not Dimension.KIND),
    source="Incidents, in whole business minutes. Interval of the mean: Student's t.",
    min_sample=SAMPLE_FOR_MEDIANS,
)

FIRST_CONTACT_RESOLUTION = Definition(
    title="First contact resolution",
    formula=(
        "Tickets resolved on the first contact ÷ tickets resolved, by the local day of their first resolution. As the "
        "source says, or else those that one team had alone without waiting; never one that was escalated, or came "
        "back within 72 hours. A bucket is PARTIAL until those have passed."
    ),
    unit=Unit.SHARE,
    kind=KpiKind.PROPORTION,
    family=Family.ONBOARDING,
    direction=Direction.HIGHER_IS_BETTER,
    facts=(Fact.FIRST_CONTACT, Fact.RESOLVED),
    dimensions=DIMENSIONS,
    source="Tickets and their hand-overs. Interval: Wilson 95 %.",
    min_sample=SAMPLE_FOR_RATES,
    settling=Settling.REOPENINGS,
)

REOPEN_RATE = Definition(
    title="Reopen rate",
    formula=(
        "Tickets reopened at least once ÷ tickets resolved, by the local day of their first resolution. Reopened "
        "later, a ticket restates that day."
    ),
    unit=Unit.SHARE,
    kind=KpiKind.PROPORTION,
    family=Family.ONBOARDING,
    direction=Direction.LOWER_IS_BETTER,
    facts=(Fact.REOPENED, Fact.RESOLVED),
    dimensions=DIMENSIONS,
    source="Tickets. Interval: Wilson 95 %.",
    min_sample=SAMPLE_FOR_RATES,
    settling=Settling.REOPENINGS,
)

SLA_MET = Definition(
    title="Resolution targets met",
    formula=(
        "Tickets resolved within their target ÷ tickets of which that is decided, by the local day of the decision: "
        "when they were resolved in time, or when their time had passed. A ticket still inside its target, or waiting "
        "for somebody else, is neither; a miss that is recorded stays."
    ),
    unit=Unit.SHARE,
    kind=KpiKind.PROPORTION,
    family=Family.ONBOARDING,
    direction=Direction.HIGHER_IS_BETTER,
    facts=(Fact.SLA_MET, Fact.SLA_DECIDED),
    dimensions=DIMENSIONS,
    source="Targets of tickets, as their source tells them. Interval: Wilson 95 %.",
    min_sample=SAMPLE_FOR_RATES,
)

RESPONSE_SLA_MET = Definition(
    title="Response targets met",
    formula=(
        "Tickets first answered within their target ÷ tickets of which that is decided, by the local day of the "
        "decision: when they were answered in time, or when their time had passed."
    ),
    unit=Unit.SHARE,
    kind=KpiKind.PROPORTION,
    family=Family.ONBOARDING,
    direction=Direction.HIGHER_IS_BETTER,
    facts=(Fact.RESPONSE_SLA_MET, Fact.RESPONSE_SLA_DECIDED),
    dimensions=DIMENSIONS,
    source="Targets of tickets, as their source tells them. Interval: Wilson 95 %.",
    min_sample=SAMPLE_FOR_RATES,
)

BACKLOG = Definition(
    title="Backlog",
    formula="Tickets open at the end of the bucket: logged, and neither resolved nor closed, or open again.",
    unit=Unit.TICKETS,
    kind=KpiKind.LEVEL,
    family=Family.ONBOARDING,
    direction=Direction.LOWER_IS_BETTER,
    facts=(Fact.BACKLOG,),
    dimensions=DIMENSIONS,
    source="Tickets. A full count: it has no interval.",
)

OPEN_INCIDENTS = Definition(
    title="Open incidents",
    formula="Incidents open at the end of the bucket: logged, and neither resolved nor closed, or open again.",
    unit=Unit.TICKETS,
    kind=KpiKind.LEVEL,
    family=Family.ONBOARDING,
    direction=Direction.LOWER_IS_BETTER,
    facts=(Fact.OPEN_INCIDENTS,),
    dimensions=tuple(one for one in DIMENSIONS if one is not Dimension.KIND),
    source="Tickets. A full count: it has no interval.",
)
