"""Figures of clients: who stays, who leaves and why, and who has said that they will."""

from domain.kpi_definitions import (
    SAMPLE_FOR_RATES,
    Definition,
    Dimension,
    DirectFact,
    Direction,
    Family,
    KpiKind,
    Unit,
)

_CYCLES = "Onboardings of whole clients, their stage visits and the baselines kept at graduation"

CLIENT_RETENTION = Definition(
    title="Client retention",
    formula=(
        "Clients kept ÷ clients in service at the start of the period, which is from going live: in early support "
        "or steady state. Lost is whose service ended within the period, even if the client came back later in it. "
        "Each bucket asks anew from its own first day, so that buckets don't add up to the period. Stage and tenure "
        "are those at the start; the baseline is the escalation rate of the client's onboarding against the limit."
    ),
    unit=Unit.SHARE,
    kind=KpiKind.PROPORTION,
    family=Family.ONBOARDING,
    direction=Direction.HIGHER_IS_BETTER,
    facts=DirectFact.SERVED_CLIENTS,
    dimensions=(Dimension.CLIENT, Dimension.STAGE, Dimension.TENURE, Dimension.BASELINE),
    source=f"{_CYCLES}. Interval: Wilson 95 %.",
    min_sample=SAMPLE_FOR_RATES,
    additive=False,
)

CLIENTS_LOST = Definition(
    title="Clients lost",
    formula=(
        "Clients that were lost before service (stage LOST) or off-boarded after it (stage OFFBOARDED), by the local "
        "day on which it ended. Tenure is counted from going live. Onboardings of one site or service don't count."
    ),
    unit=Unit.CLIENTS,
    kind=KpiKind.COUNT,
    family=Family.ONBOARDING,
    direction=Direction.LOWER_IS_BETTER,
    facts=DirectFact.ENDED_CLIENTS,
    dimensions=(Dimension.CLIENT, Dimension.STAGE, Dimension.OUTCOME, Dimension.TENURE, Dimension.BASELINE),
    source=f"{_CYCLES}. Interval: Byar's approximation of the Poisson limits.",
)

CLIENTS_IN_NOTICE = Definition(
    title="Clients in notice",
    formula=(
        "Clients under notice at the end of the bucket: given by then, neither withdrawn nor off-boarded. It counts "
        "from the local day on which it was given, even if it was noted later."
    ),
    unit=Unit.CLIENTS,
    kind=KpiKind.LEVEL,
    family=Family.ONBOARDING,
    direction=Direction.LOWER_IS_BETTER,
    facts=DirectFact.NOTICES,
    dimensions=(Dimension.CLIENT, Dimension.OUTCOME, Dimension.TENURE, Dimension.BASELINE),
    source="Notices of onboardings of whole clients. A full count: it has no interval.",
)
