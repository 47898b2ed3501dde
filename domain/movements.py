"""What a ticket adds to the figures, and the signed change when it is written again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from domain.calendars import Calendar
from domain.escalations import ClientHistory, Escalation, EscalationRule, Stamp, escalations
from domain.kpi_definitions import ESCALATED, FACTS, TIMES_ESCALATED, Fact, Measure
from domain.measures import Decided, Measured, measure
from domain.periods import local_day
from domain.tickets import ReportedTicket, SlaResult, TicketKind


@dataclass(frozen=True, slots=True)
class Subjects:
    """What a ticket is of and about, by our own ids; what nobody has mapped is None."""

    client: UUID | None = None
    site: UUID | None = None
    device: UUID | None = None
    category: UUID | None = None
    team: UUID | None = None
    agent: UUID | None = None
    pinned: bool = False
    """A person gave it its client: what the source says of that no longer counts."""
    exclusion_pinned: bool = False
    """A person said whether it counts: as with its client."""


NOBODY = Subjects()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a tenant knows around a ticket when it is assessed."""

    zone: ZoneInfo
    calendar: Calendar
    rule: EscalationRule
    history: ClientHistory = field(default_factory=ClientHistory)


@dataclass(frozen=True, slots=True)
class Assessed:
    """A reported ticket with everything that follows from the tenant: what it is of, stamp, escalations, times."""

    report: ReportedTicket
    subjects: Subjects
    stamp: Stamp
    day: date
    escalations: tuple[Escalation, ...]
    measured: Measured
    rule_version: int
    zone: ZoneInfo

    @property
    def client(self) -> UUID | None:
        return self.subjects.client

    @property
    def times_escalated(self) -> int:
        return sum(escalation.times for escalation in self.escalations)

    @property
    def first_escalated_at(self) -> datetime | None:
        return self.escalations[0].at if self.escalations else None

    @property
    def escalation_days(self) -> tuple[date, ...]:
        return tuple(local_day(escalation.at, self.zone) for escalation in self.escalations)

    def day_of(self, decided: Decided | None) -> date | None:
        return None if decided is None else local_day(decided.at, self.zone)

    def placed(self, subjects: Subjects, stamp: Stamp) -> Assessed:
        """Return the same ticket with another client, stage or phase."""
        return replace(self, subjects=subjects, stamp=stamp)


def assess(
    report: ReportedTicket,
    subjects: Subjects,
    around: Surroundings,
    now: datetime,
) -> Assessed:
    """Place a whole report in its tenant's world; without a client nothing is known of stage and phase."""
    found = escalations(around.rule, report)
    measured = measure(report, around.calendar, now, escalated=bool(found))
    missed = measured.resolution
    if around.rule.sla_missed and missed is not None and missed.result is SlaResult.MISSED:
        found = escalations(around.rule, report, missed.at)
        measured = replace(measured, first_contact=False if measured.endings else None)
    return Assessed(
        report=report,
        subjects=subjects,
        stamp=around.history.stamp(report.logged_at) if subjects.client else Stamp(),
        day=local_day(report.logged_at, around.zone),
        escalations=found,
        measured=measured,
        rule_version=around.rule.version,
        zone=around.zone,
    )


class Place(NamedTuple):
    """Where in the figures something counts; a day is a local day of the tenant."""

    client: UUID | None
    day: date
    stage: str
    phase: str
    priority: str
    source: str
    kind: str
    category: UUID | None
    team: UUID | None
    agent: UUID | None
    site: UUID | None


class Took(NamedTuple):
    """A time that a ticket took, in business minutes, on the day on which it was over."""

    measure: Measure
    minutes: int


Amounts = tuple[int, ...]
"""What counts at a place, in the order of `FACTS`; each may be negative in a movement."""

_NOTHING = [0] * len(FACTS)
_INDEX = {fact: index for index, fact in enumerate(FACTS)}


@dataclass(frozen=True, slots=True)
class Movements:
    """The signed change of the figures: sums by place, and the times that came or went."""

    sums: Mapping[Place, Amounts]
    times: Mapping[tuple[Place, Took], int]

    def __bool__(self) -> bool:
        return bool(self.sums or self.times)


def movements(changes: Iterable[tuple[Assessed | None, Assessed | None]]) -> Movements:
    """Return the signed change of the figures when each ticket goes from the first to the second.

    What cancels out is left out, so that writing the same again moves nothing.
    """
    moved: dict[Place, list[int]] = {}
    times: dict[tuple[Place, Took], int] = {}
    for before, after in changes:
        for standing, sign in ((before, -1), (after, 1)):
            if standing is None or standing.report.exclusion is not None:
                continue
            of = _place(standing)
            for day, fact, amount in counts(standing):
                place = of if day == of.day else of._replace(day=day)
                sums = moved.get(place)
                if sums is None:
                    sums = moved[place] = _NOTHING.copy()
                sums[_INDEX[fact]] += sign * amount
            for day, took in _times(standing):
                key = (of if day == of.day else of._replace(day=day), took)
                times[key] = times.get(key, 0) + sign
    return Movements(
        sums={place: tuple(sums) for place, sums in moved.items() if any(sums)},
        times={key: amount for key, amount in times.items() if amount},
    )


def days(standing: Assessed) -> set[date]:
    """Return the local days whose figures a ticket touches."""
    return {day for day, _, _ in counts(standing)} | {day for day, _ in _times(standing)}


def counts(standing: Assessed) -> Iterator[tuple[date, Fact, int]]:
    """Give what a ticket counts: on which local day, of which fact, how much."""
    zone, measured = standing.zone, standing.measured
    incident = standing.report.kind is TicketKind.INCIDENT
    yield standing.day, Fact.TICKETS, 1
    yield from _stock(standing.day, 1, incident=incident)
    if standing.escalations:
        for kind in {escalation.kind for escalation in standing.escalations}:
            yield standing.day, ESCALATED[kind], 1
        for escalation, day in zip(standing.escalations, standing.escalation_days, strict=True):
            yield day, TIMES_ESCALATED[escalation.kind], escalation.times
    for ending in measured.endings:
        # What its source says ended before it was logged was never open.
        yield from _stock(max(standing.day, local_day(ending.at, zone)), -1, incident=incident)
        if ending.reopened_at is not None:
            yield from _stock(max(standing.day, local_day(ending.reopened_at, zone)), 1, incident=incident)
    if measured.endings:
        day = local_day(measured.endings[0].at, zone)
        yield day, Fact.RESOLVED, 1
        if standing.report.reopenings:
            yield day, Fact.REOPENED, 1
        if measured.first_contact:
            yield day, Fact.FIRST_CONTACT, 1
    yield from _agreed(standing.day_of(measured.resolution), measured.resolution, Fact.SLA_DECIDED, Fact.SLA_MET)
    yield from _agreed(
        standing.day_of(measured.response), measured.response, Fact.RESPONSE_SLA_DECIDED, Fact.RESPONSE_SLA_MET
    )


def _stock(day: date, amount: int, *, incident: bool) -> Iterator[tuple[date, Fact, int]]:
    yield day, Fact.BACKLOG, amount
    if incident:
        yield day, Fact.OPEN_INCIDENTS, amount


def _agreed(day: date | None, decided: Decided | None, total: Fact, met: Fact) -> Iterator[tuple[date, Fact, int]]:
    if day is not None and decided is not None:
        yield day, total, 1
        if decided.result is SlaResult.MET:
            yield day, met, 1


def _times(standing: Assessed) -> Iterator[tuple[date, Took]]:
    measured, responded = standing.measured, standing.report.first_responded_at
    if measured.response_minutes is not None and responded is not None:
        yield local_day(responded, standing.zone), Took(Measure.RESPONSE, measured.response_minutes)
    if measured.resolve_minutes is not None and measured.ended_at is not None:
        yield local_day(measured.ended_at, standing.zone), Took(Measure.RESOLUTION, measured.resolve_minutes)


def _place(standing: Assessed) -> Place:
    report, subjects, stamp = standing.report, standing.subjects, standing.stamp
    return Place(
        client=subjects.client,
        day=standing.day,
        stage=stamp.stage,
        phase=stamp.phase,
        priority=report.priority,
        source=report.source,
        kind=report.kind,
        category=subjects.category,
        team=subjects.team,
        agent=subjects.agent,
        site=subjects.site,
    )
