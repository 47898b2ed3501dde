"""Questions: what is worth asking the demo first, as GraphQL to paste."""

from dataclasses import dataclass
from datetime import date, timedelta

MONTHS = 18


@dataclass(frozen=True, slots=True)
class Question:
    """A query with what it is for, in words."""

    title: str
    query: str


def questions(anchor: date) -> tuple[Question, ...]:
    """Return three queries that any of the demo's tokens may ask."""
    first = _months_before(anchor, MONTHS)
    period = f'{{ from: "{first}", to: "{anchor + timedelta(days=1)}" }}'
    return (
        Question("Who stands where, and what holds each one back?", BOARD),
        Question(
            "Are young clients escalated more often? And how do the five with most tickets do?",
            ESCALATIONS.replace("PERIOD", period),
        ),
        Question("What does early support need to graduate, and what has happened so far?", READINESS),
    )


BOARD = """query Board {
  onboardingPipeline {
    stages {
      stage
      count
      cards { client { name } pace targetAt heldAt blockers { gate reason } }
    }
  }
}"""

ESCALATIONS = """query Escalations {
  byPhase: kpi(query: { key: ESCALATION_RATE, period: PERIOD, grain: QUARTER, by: [PHASE] }) {
    series { dimensions { label } total { value low high numerator denominator status } }
  }
  byClient: kpi(query: { key: ESCALATION_RATE, period: PERIOD, grain: QUARTER, by: [CLIENT], top: 5 }) {
    series { dimensions { label } total { value status } points { start value { value status } } }
  }
}"""

READINESS = """query Readiness {
  onboardings(where: { stages: [EARLY_SUPPORT] }, first: 3) {
    nodes {
      client { name }
      pace
      readiness { move toStage ready gates { gate answer reason open } }
      visits { stage enteredAt leftAt }
    }
  }
}"""


def _months_before(day: date, months: int) -> date:
    """Return the first day of the month so many months before a day's."""
    month = day.year * 12 + day.month - 1 - months
    return date(month // 12, month % 12 + 1, 1)
