"""Figures of onboarding: how long it takes, whether stages keep their targets, and what the leads carry."""

from domain.kpi_definitions import (
    SAMPLE_FOR_MEDIANS,
    SAMPLE_FOR_RATES,
    Definition,
    Dimension,
    DirectFact,
    Direction,
    Family,
    KpiKind,
    Unit,
)

DIMENSIONS = (Dimension.CLIENT, Dimension.STAGE)

_MEDIAN = "Interval of the median: Brookmeyer and Crowley."
_WAYS = f"Signatures, stage visits, holds and the calendar of the onboarding. {_MEDIAN}"

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
    dimensions=DIMENSIONS,
    source="Stage visits, holds and the calendar of the onboarding. Interval of the median: Brookmeyer and Crowley.",
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
    dimensions=DIMENSIONS,
    source="Onboarding cycles and their stage visits. A full count: it has no interval.",
)

WAIVED_MOVES = Definition(
    title="Waived moves",
    formula=(
        "Moves out of a stage that passed at least one gate by a waiver ÷ moves out of a stage that had gates, by the "
        "local day on which they took effect, as corrected. A move that was undone is none."
    ),
    unit=Unit.SHARE,
    kind=KpiKind.PROPORTION,
    family=Family.ONBOARDING,
    direction=Direction.LOWER_IS_BETTER,
    facts=DirectFact.GATED_MOVES,
    dimensions=DIMENSIONS,
    source="The history of moves with the answer of each gate. Interval: Wilson 95 %.",
    min_sample=SAMPLE_FOR_RATES,
)

TIME_TO_GO_LIVE = Definition(
    title="Time to go live",
    formula=(
        "Median (and 90th percentile) business days from the signature of the contract to the first day of early "
        "support that no roll-back set aside, holds taken out, by the local day of the signature. An onboarding "
        "under an amendment begins at the amendment's signature; another one under the same contract at its opening. "
        "Those not live yet count as censored, by Kaplan and Meier, and so do those lost on the way, at their end."
    ),
    unit=Unit.BUSINESS_DAYS,
    kind=KpiKind.DURATION,
    family=Family.ONBOARDING,
    direction=Direction.LOWER_IS_BETTER,
    facts=DirectFact.WAYS_TO_GO_LIVE,
    dimensions=(Dimension.CLIENT,),
    source=_WAYS,
    min_sample=SAMPLE_FOR_MEDIANS,
)

TIME_TO_STEADY_STATE = Definition(
    title="Time to steady state",
    formula=(
        "Median (and 90th percentile) business days from the signature of the contract to the first day of steady "
        "state that no roll-back set aside, holds taken out, by the local day of the signature. Those still on "
        "their way count as censored, by Kaplan and Meier, and so do those lost on the way, at their end."
    ),
    unit=Unit.BUSINESS_DAYS,
    kind=KpiKind.DURATION,
    family=Family.ONBOARDING,
    direction=Direction.LOWER_IS_BETTER,
    facts=DirectFact.WAYS_TO_STEADY_STATE,
    dimensions=(Dimension.CLIENT,),
    source=_WAYS,
    min_sample=SAMPLE_FOR_MEDIANS,
)

CONTRACTING_TIME = Definition(
    title="Contracting time",
    formula=(
        "Median (and 90th percentile) business days from the first day a contract was drafted or sent to its "
        "signature, by the local day of that beginning. Contracts not signed yet count as censored, by Kaplan and "
        "Meier, and so do those that ended unsigned, at their end."
    ),
    unit=Unit.BUSINESS_DAYS,
    kind=KpiKind.DURATION,
    family=Family.ONBOARDING,
    direction=Direction.LOWER_IS_BETTER,
    facts=DirectFact.CONTRACTINGS,
    dimensions=(Dimension.CLIENT,),
    source=f"The history of each contract's status and turn, and its calendar. {_MEDIAN}",
    min_sample=SAMPLE_FOR_MEDIANS,
)

PROVIDER_RESPONSE_TIME = Definition(
    title="Provider response time",
    formula=(
        "Median (and 90th percentile) business days of a contract's contracting time during which it was the "
        "provider's turn; a draft is the provider's unless it says otherwise. `share` is all days of the provider's "
        "turn ÷ all days of contracting. Contracts not signed yet count as censored, by Kaplan and Meier."
    ),
    unit=Unit.BUSINESS_DAYS,
    kind=KpiKind.DURATION,
    family=Family.ONBOARDING,
    direction=Direction.LOWER_IS_BETTER,
    facts=DirectFact.PROVIDER_TURNS,
    dimensions=(Dimension.CLIENT,),
    source=f"The history of each contract's status and turn, and its calendar. {_MEDIAN}",
    min_sample=SAMPLE_FOR_MEDIANS,
)

ON_TIME_STAGES = Definition(
    title="Stages on time",
    formula=(
        "Stays that ended by a move forward before their target had passed ÷ stays that ended so or missed their "
        "target, by the local day on which that was decided: the day of the move, or the target's last day. An "
        "open stay past its target is missed; one still inside it is neither, and so is one lost inside it. The "
        "target is the one that stood when the stage was left, shifted by its holds; of an earlier moment too."
    ),
    unit=Unit.SHARE,
    kind=KpiKind.PROPORTION,
    family=Family.ONBOARDING,
    direction=Direction.HIGHER_IS_BETTER,
    facts=DirectFact.DUE_STAYS,
    dimensions=DIMENSIONS,
    source="Stage visits with their targets, and holds. Interval: Wilson 95 %.",
    min_sample=SAMPLE_FOR_RATES,
)

RE_PLANS = Definition(
    title="Re-plans",
    formula=(
        "Planned dates that were changed or withdrawn, by the local day of the change and the stage that the date was "
        "planned for. Setting a date where none stood is no change."
    ),
    unit=Unit.CHANGES,
    kind=KpiKind.COUNT,
    family=Family.ONBOARDING,
    direction=Direction.LOWER_IS_BETTER,
    facts=DirectFact.RE_PLANS,
    dimensions=DIMENSIONS,
    source="The history of planned dates. Interval: Byar's approximation of the Poisson limits.",
)

ONBOARDINGS_PER_LEAD = Definition(
    title="Onboardings per lead",
    formula=(
        "Onboardings open at the end of the bucket ÷ leads who have any; by LEAD, how many each has. `peak` is the "
        "highest daily load of one lead: how many were open at the end of a local day. An onboarding belongs to "
        "whoever led it at that moment."
    ),
    unit=Unit.ONBOARDINGS,
    kind=KpiKind.LEVEL,
    family=Family.ONBOARDING,
    direction=Direction.NEUTRAL,
    facts=DirectFact.LEAD_LOADS,
    dimensions=(Dimension.CLIENT, Dimension.STAGE, Dimension.LEAD),
    source="Onboarding cycles, their stage visits and the history of their leads. A full count: it has no interval.",
    per_lead=True,
    about_staff=True,
)
