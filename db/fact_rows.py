"""Fact rows: what a figure that is no sum is made of, one by one; its sums and its explanation are of the same rows."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.asked import Asked
from db.onboarding_facts import NEVER_HAPPENED, LeftOut
from domain import questions
from domain.calendars import Calendar, Pauses
from domain.kpis import Dimension
from domain.periods import start_of_day
from domain.totals import Totals

UNKNOWN = questions.UNKNOWN

Key = tuple[str, ...]
"""The members of one series, in the order of `by`: an enum's name, an id in hexadecimal, or UNKNOWN."""

Sums = dict[Key, dict[int, Totals]]

SumsRead = Mapping[Key, Mapping[int, Totals]]
"""What each bucket of each series adds up to, for whoever only reads it."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a row leads to and is told by, beside what it counts."""

    cycle: UUID | None = None
    contract: UUID | None = None
    lead: UUID | None = None
    stage: str | None = None
    ended: bool | None = None
    outcome: str | None = None
    baseline_rate: float | None = None
    baseline_standing: str | None = None


@dataclass(frozen=True, slots=True)
class FactRow:
    """One row: when and in which bucket it counts, what it adds, by which members, or why it is left out."""

    id: UUID
    at: datetime
    bucket: int
    totals: Totals
    members: Mapping[Dimension, str]
    subject: Subject
    amount: float = 1
    left_out: LeftOut | None = None


@dataclass(frozen=True, slots=True)
class Cut:
    """The buckets of a question as instants."""

    starts: tuple[datetime, ...]
    end: datetime
    now: datetime

    @classmethod
    def of(cls, asked: Asked) -> "Cut":
        moment = asked.moment
        starts = tuple(start_of_day(bucket.start, moment.zone) for bucket in asked.buckets)
        return cls(starts, start_of_day(asked.buckets[-1].end, moment.zone), moment.now)

    @property
    def start(self) -> datetime:
        return self.starts[0]

    @property
    def begun(self) -> int:
        """How many of the buckets have begun."""
        return bisect_right(self.starts, self.now)

    def place(self, at: datetime) -> int | None:
        """Return the position of the bucket in which an instant lies, or `None` of one that lies in none."""
        return bisect_right(self.starts, at) - 1 if self.start <= at < self.end else None

    def ends(self, position: int) -> datetime:
        """Return the end of a bucket."""
        return self.starts[position + 1] if position + 1 < len(self.starts) else self.end

    def closes(self, position: int) -> datetime:
        """Return the end of a bucket, or now while it isn't over."""
        return min(self.ends(position), self.now)

    def named(self) -> dict[str, object]:
        """Return the parameters by which statements know the period."""
        return {"from": self.start, "to": self.end, "now": self.now, "never": NEVER_HAPPENED}


def narrowed(rows: Iterable[FactRow], asked: Asked) -> list[FactRow]:
    """Return the rows of the members asked for; clients are the statements' own, and so is what a row doesn't tell."""
    members = asked.where.members()
    return [
        row
        for row in rows
        if all(one not in row.members or row.members[one] in among for one, among in members.items())
    ]


def summed(rows: Iterable[FactRow], by: Sequence[Dimension]) -> Sums:
    """Return what the rows that count add up to, by series and bucket."""
    sums: Sums = {}
    for row in rows:
        if row.left_out is None:
            series = sums.setdefault(tuple(row.members[one] for one in by), {})
            series[row.bucket] = series.get(row.bucket, Totals()) + row.totals
    return sums


def clients_of(asked: Asked) -> list[UUID] | None:
    """Return the clients asked for, or `None` for all that the caller sees."""
    return None if asked.where.clients is None else list(asked.where.clients)


def worked_days(start: datetime, end: datetime, pauses: Pauses, calendar: Calendar) -> float:
    """Return the business days between two instants, those of the pauses taken out."""
    held = sum(calendar.business_days_between(one, other) for one, other in pauses.within(start, end))
    return max(0.0, calendar.business_days_between(start, end) - held)


def pauses_of(starts: Sequence[datetime] | None, ends: Sequence[datetime] | None) -> Pauses:
    """Return the holds of a row."""
    return Pauses.of(list(zip(starts or (), ends or (), strict=True)))
