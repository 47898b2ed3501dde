"""Baselines: the figures of an escalation window, kept as they were when it closed."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.formulas import wilson


@dataclass(frozen=True, slots=True)
class Span:
    """A client's stretch of time, half-open."""

    client: UUID
    opened: datetime
    closed: datetime


@dataclass(frozen=True, slots=True)
class Tally:
    """How many tickets were logged in a span, and how many of them have been escalated by now."""

    logged: int
    escalated: int


@dataclass(frozen=True, slots=True)
class Baseline:
    """A KPI of the escalation window as of an instant; what graduation records is never edited."""

    client_id: UUID
    kpi: str
    value: float | None
    numerator: float | None
    denominator: float | None
    low: float | None
    high: float | None
    opened_at: datetime
    closed_at: datetime
    as_of: datetime

    @property
    def span(self) -> Span:
        """The window that it is of."""
        return Span(self.client_id, self.opened_at, self.closed_at)


def figures(span: Span, tally: Tally, as_of: datetime) -> tuple[Baseline, ...]:
    """Return the window's KPIs; the rate's interval is Wilson's, and without a ticket there is no rate."""
    interval = wilson(tally.escalated, tally.logged)
    rate = tally.escalated / tally.logged if tally.logged else None

    def figure(
        kpi: str, value: float | None, numerator: float, denominator: float | None = None, *, interval_of: bool = False
    ) -> Baseline:
        low, high = (interval.low, interval.high) if interval_of else (None, None)
        return Baseline(span.client, kpi, value, numerator, denominator, low, high, span.opened, span.closed, as_of)

    return (
        figure("TICKETS_LOGGED", tally.logged, tally.logged),
        figure("ESCALATED_TICKETS", tally.escalated, tally.escalated),
        figure("ESCALATION_RATE", rate, tally.escalated, tally.logged, interval_of=True),
    )
