"""The words of definitions as GraphQL enums, each value described once."""

from api.enums import described
from domain.definitions import Audience, DayNinetyFrom, Owner, Survey

described(
    DayNinetyFrom,
    "From which day the days of early support count.",
    CONTRACT_START="From the start of the contract.",
    SERVICE_START="From the day on which early support began.",
)

described(
    Survey,
    "A survey that a move plans.",
    "OnboardingSurvey",
    CONTRACTING="How the client found contracting.",
    HAND_OFF="How the agents found the hand-off from sales.",
    DISCOVERY="How the client found discovery.",
    GO_LIVE_AGENTS="How the agents found going live.",
    HAND_OVER="How the agents found the hand-over into steady state.",
    QUARTERLY_NPS="Whether the client would recommend the provider.",
    EXIT="Why the client leaves.",
)

described(Audience, "Whom a survey asks.", "SurveyAudience", CLIENT="The client's contacts.", AGENTS="The team.")

described(
    Owner,
    "What a member is to an onboarding's team.",
    "TeamRole",
    LEAD="The lead.",
    ACCOUNT_MANAGER="The account manager.",
    TECHNICAL_LEAD="The technical lead.",
    ENGINEER="An engineer.",
)
