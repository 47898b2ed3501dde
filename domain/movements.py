"""What a ticket adds to the figures, and the signed change when it is written again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from domain.escalations import ClientHistory, Escalation, EscalationRule, Stamp, derive
from domain.periods import local_day
from domain.tickets import ReportedTicket


@dataclass(frozen=True, slots=True)
class Assessed:
    """A reported ticket with everything that follows from the tenant: client, stamp, local days, escalations."""

    report: ReportedTicket
    client: UUID | None
    stamp: Stamp
    day: date
    escalations: tuple[Escalation, ...]
    escalation_days: tuple[date, ...]
    rule: EscalationRule

    @property
    def times_escalated(self) -> int:
        return sum(escalation.times for escalation in self.escalations)

    @property
    def first_escalated_at(self) -> datetime | None:
        return self.escalations[0].at if self.escalations else None


def assess(
    report: ReportedTicket, client: UUID | None, history: ClientHistory, rule: EscalationRule, zone: ZoneInfo
) -> Assessed:
    """Place a report in its tenant's world; without a client nothing is known of stage and phase."""
    escalations = derive(rule, report.hand_overs)
    return Assessed(
        report=report,
        client=client,
        stamp=history.stamp(report.logged_at) if client else Stamp(),
        day=local_day(report.logged_at, zone),
        escalations=escalations,
        escalation_days=tuple(local_day(escalation.at, zone) for escalation in escalations),
        rule=rule,
    )


class Place(NamedTuple):
    """Where in the figures something counts; a day is a local day of the tenant."""

    client: UUID | None
    day: date
    stage: str
    phase: str
    priority: str
    source: str


class Amounts(NamedTuple):
    """What counts there; each may be negative in a movement."""

    tickets: int = 0
    escalated_tickets: int = 0
    escalations: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """What one ticket, as it is stored, adds to the figures."""

    client: UUID | None
    day: date
    stage: str
    phase: str
    priority: str
    source: str
    counted: bool
    escalations: tuple[tuple[date, int], ...]
    """Local day and times of each escalation."""

    @classmethod
    def of(cls, assessed: Assessed) -> Standing:
        report = assessed.report
        return cls(
            client=assessed.client,
            day=assessed.day,
            stage=assessed.stamp.stage,
            phase=assessed.stamp.phase,
            priority=report.priority,
            source=report.source,
            counted=report.exclusion is None,
            escalations=tuple(
                (day, escalation.times)
                for day, escalation in zip(assessed.escalation_days, assessed.escalations, strict=True)
            ),
        )

    def _place(self, day: date) -> Place:
        return Place(self.client, day, self.stage, self.phase, self.priority, self.source)

    def amounts(self) -> Iterable[tuple[Place, Amounts]]:
        """Give each place with what counts there; a ticket that is left out counts nowhere."""
        if not self.counted:
            return
        yield self._place(self.day), Amounts(tickets=1, escalated_tickets=1 if self.escalations else 0)
        for day, times in self.escalations:
            yield self._place(day), Amounts(escalations=times)


def movements(changes: Iterable[tuple[Standing | None, Standing | None]]) -> dict[Place, Amounts]:
    """Return the signed change of the figures when each ticket's standing goes from the first to the second.

    What cancels out is left out, so that writing the same again moves nothing.
    """
    moved: dict[Place, list[int]] = {}
    for before, after in changes:
        if before == after:
            continue
        for standing, sign in ((before, -1), (after, 1)):
            for place, amounts in standing.amounts() if standing else ():
                sums = moved.setdefault(place, [0, 0, 0])
                for position, amount in enumerate(amounts):
                    sums[position] += sign * amount
    return {place: Amounts(*sums) for place, sums in moved.items() if any(sums)}
