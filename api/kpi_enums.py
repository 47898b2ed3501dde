"""The words of figures as GraphQL enums; the keys are those of the catalogue, each described by its own formula."""

from enum import StrEnum
from typing import TYPE_CHECKING

from api.enums import described
from db.explain import Reason
from domain.kpi_definitions import Settling
from domain.kpi_values import Status
from domain.kpis import Dimension, Direction, Family, Kpi, KpiKind, Unit
from domain.periods import Grain, Weekday
from domain.questions import Comparison, Part
from domain.standings import BaselineStanding, Tenure

if TYPE_CHECKING:

    class KpiKey(StrEnum):
        ESCALATION_RATE = "ESCALATION_RATE"

else:
    KpiKey = StrEnum("KpiKey", {kpi.name: kpi.name for kpi in Kpi})

described(
    KpiKey,
    "A figure of the catalogue. Figures are added as the product grows; one whose formula changes gets a new version.",
    **{kpi.name: f"{kpi.definition.title}. {kpi.definition.formula}" for kpi in Kpi},
)

described(
    Grain,
    "How wide one bucket of a series is.",
    "KpiGrain",
    DAY="A local day of the provider.",
    WEEK="A week, beginning on the provider's week start.",
    MONTH="A calendar month.",
    QUARTER="A calendar quarter.",
    YEAR="A calendar year.",
)

described(
    Weekday,
    "A day of the week.",
    MONDAY="Monday.",
    TUESDAY="Tuesday.",
    WEDNESDAY="Wednesday.",
    THURSDAY="Thursday.",
    FRIDAY="Friday.",
    SATURDAY="Saturday.",
    SUNDAY="Sunday.",
)

described(
    Dimension,
    "By what a figure may be split or narrowed.",
    "KpiDimension",
    CLIENT="The client.",
    STAGE="The stage: of a ticket, the client's when it was logged.",
    PHASE="The client's support phase when the ticket was logged.",
    PRIORITY="The ticket's priority.",
    KIND="What sort of matter the ticket is.",
    CATEGORY="The ticket's category, as its source calls it.",
    TEAM="The team that has the ticket, or had it last.",
    TECHNICIAN="The technician who has the ticket, or had it last; it is told to those who lead people.",
    SITE="The client's site that the ticket is about.",
    LEAD="Who led the onboarding at that moment; it is told to those who lead people, or to that lead.",
    OUTCOME="The outcome code with which it ended, or is to end.",
    TENURE="For how long the client has been in service.",
    BASELINE="How the escalation rate of the client's onboarding, as kept at graduation, stands to the limit of today.",
)

described(
    Tenure,
    "For how long a client has been in service, in local days since it went live.",
    BEFORE_SERVICE="It never went live.",
    UNDER_90_DAYS="Less than 90 days.",
    UNDER_1_YEAR="90 to 364 days.",
    UNDER_3_YEARS="365 to 1094 days.",
    FROM_3_YEARS="1095 days or more.",
)

described(
    BaselineStanding,
    "How the escalation rate of a client's onboarding, as kept at graduation, stands to the provider's limit.",
    WITHIN_LIMIT="At the limit or below.",
    OVER_LIMIT="Over the limit.",
)

described(
    Comparison,
    "With what a period is compared.",
    "KpiComparison",
    PREVIOUS_PERIOD="The period just before, of as many months if it is whole months, else of as many days.",
    PREVIOUS_YEAR="The same days one year earlier.",
)

described(
    Status,
    "How far a value may be trusted.",
    "KpiStatus",
    OK="It is what it is.",
    NO_DATA="There is nothing to compute it from: the value is null, not 0.",
    SUPPRESSED="The group is too small to be shown.",
    INSUFFICIENT_SAMPLE="Given with its interval, but from fewer than the figure's `minSample`.",
    PARTIAL="Given with its interval, but more is still to come: the bucket isn't over, escalations may yet happen, "
    "or stays are still open.",
)

described(
    Unit,
    "What a number counts.",
    "KpiUnit",
    TICKETS="Tickets.",
    ESCALATIONS="Escalations.",
    ONBOARDINGS="Onboardings.",
    CLIENTS="Clients.",
    CHANGES="Changes.",
    SHARE="A share, between 0 and 1.",
    BUSINESS_HOURS="Business hours, with fractions, of the calendar of the client's contract, else of the provider's.",
    BUSINESS_DAYS="Business days, with fractions, of the site's or contract's own calendar, else of the provider's.",
)

described(
    KpiKind,
    "How a number is formed.",
    PROPORTION="A numerator over a denominator.",
    MEAN="A mean.",
    SCORE="A score with its own formula.",
    COUNT="A count of what happened.",
    LEVEL="How many there are at the end of the bucket.",
    DURATION="A median of durations, those still running counted as such.",
)

described(
    Family,
    "Which part of the provider's work a figure speaks of.",
    "KpiFamily",
    ONBOARDING="Onboarding and early support.",
    PROACTIVE="Proactive service.",
    PEOPLE="People.",
)

described(
    Direction,
    "Which way is better.",
    "KpiDirection",
    HIGHER_IS_BETTER="Higher is better.",
    LOWER_IS_BETTER="Lower is better.",
    NEUTRAL="Neither.",
)

described(
    Settling,
    "What may still come when a bucket of a figure is over, and so until when it is PARTIAL.",
    "KpiSettling",
    AT_ITS_END="Nothing.",
    ESCALATIONS="Escalations, until the 90th percentile of the provider's own time-to-escalate has passed.",
    REOPENINGS="Tickets that come back as unsolved, until 72 hours have passed.",
)

described(
    Part,
    "Which rows behind a number.",
    "KpiPart",
    NUMERATOR="Those in the numerator; for a count, those counted.",
    DENOMINATOR="Those in the denominator, the numerator's among them; a count has none.",
    LEFT_OUT="Those that don't count, each with its reason.",
)

described(
    Reason,
    "Why a row doesn't count.",
    "KpiLeftOutReason",
    MERGED="The ticket was merged into another.",
    DELETED="The ticket was deleted at its source.",
    SPAM="The ticket was marked as spam.",
    NOT_AN_INCIDENT="The ticket is no incident.",
    OTHER_SOURCE="The ticket was opened by a source that wasn't asked for, such as monitoring.",
    ROLLED_BACK="The stay was set aside by a roll-back.",
    UNDONE="The move was undone by whoever made it.",
    ENTERED_IN_ERROR="The onboarding was entered in error.",
    NO_GATES="The move had no gates.",
    NOT_SIGNED="The onboarding has no contract of which it is known when it was signed.",
    DATE_MISSING="It is not known when it began, or when it went live, as of a client that was moved in.",
    OUT_OF_ORDER="It ended before it began: the contract was signed after going live.",
    TURN_UNKNOWN="It is not known throughout whose turn it was.",
    NO_TARGET="The stay had no target.",
    NOT_DUE="The stay is still inside its target, or was broken off there.",
    FIRST_SETTING="The date was set where none stood, which changes nothing.",
    MERGED_CLIENT="The client was merged into another, as which it counts.",
    NOT_WHOLE_CLIENT="The onboarding is of one site or service: the client itself stays.",
)
