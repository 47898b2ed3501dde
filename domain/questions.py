"""A question asks one figure over a period; its answer says everything needed to read the number rightly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from domain.kpi_values import KpiValue
from domain.kpis import Dimension, Kpi, NotOffered, Where, offer
from domain.periods import Grain, Period, Weekday, buckets
from domain.series import Series

MOST_SERIES = 200
"""Series that one answer holds; the largest are given and the rest is said to be missing."""

MOST_POINTS = 20_000
"""Points that one answer holds over all its series."""


UNKNOWN = "UNKNOWN"
"""The member under which stands what has none, such as tickets of no known client."""

NO_CLIENT = UUID(int=2**128 - 1)
"""Stands for the client of tickets of no known client."""

EVERYTHING = Where()
"""All tickets that people opened, of every client that the caller sees."""


class Comparison(StrEnum):
    """With what a period is compared."""

    PREVIOUS_PERIOD = "PREVIOUS_PERIOD"
    PREVIOUS_YEAR = "PREVIOUS_YEAR"


class Part(StrEnum):
    """Which rows behind a number are asked for; together they are all that could have counted."""

    NUMERATOR = "NUMERATOR"
    DENOMINATOR = "DENOMINATOR"
    LEFT_OUT = "LEFT_OUT"


@dataclass(frozen=True, slots=True)
class Question:
    """One figure, over local days of the tenant, by at most two dimensions.

    With `as_of` the answer is the one that would have been given then, under today's formula.
    """

    kpi: Kpi
    period: Period
    grain: Grain = Grain.MONTH
    by: tuple[Dimension, ...] = ()
    where: Where = EVERYTHING
    compare: Comparison | None = None
    as_of: datetime | None = None
    top: int | None = None

    def check(self) -> None:
        """Refuse what isn't offered.

        Raises:
            NotOffered: more than two dimensions, a combination that isn't kept, or a `top` out of range.
            InvalidPeriod: the period makes too many points, or what it is compared with lies outside our years.
        """
        if len(self.by) > 2:  # noqa: PLR2004 -- the message says it
            raise NotOffered(f"`by` names {len(self.by)} dimensions; a figure splits by at most 2.")
        if self.top is not None and not 1 <= self.top <= MOST_SERIES:
            raise NotOffered(f"`top` is {self.top}; it is from 1 to {MOST_SERIES}.")
        offer(self.kpi, self.by, self.where.dimensions(), self.grain, self.where.escalation_kind)
        buckets(self.period, self.grain)
        _earlier(self.period, self.compare)

    @property
    def is_about_staff(self) -> bool:
        """Whether the answer would speak of the provider's people: by its figure, or by technician."""
        dimensions = {*self.by, *self.where.dimensions()}
        return self.kpi.definition.about_staff or Dimension.TECHNICIAN in dimensions

    @property
    def compared_with(self) -> Period | None:
        """The earlier period, or `None` where no comparison is asked for."""
        return _earlier(self.period, self.compare)


def _earlier(period: Period, compare: Comparison | None) -> Period | None:
    if compare is None:
        return None
    return period.previous() if compare is Comparison.PREVIOUS_PERIOD else period.year_before()


_NARROWING = {
    Dimension.STAGE: "stages",
    Dimension.PHASE: "phases",
    Dimension.PRIORITY: "priorities",
    Dimension.KIND: "kinds",
    Dimension.CATEGORY: "categories",
    Dimension.TEAM: "teams",
    Dimension.TECHNICIAN: "technicians",
    Dimension.SITE: "sites",
    Dimension.LEAD: "leads",
    Dimension.OUTCOME: "outcomes",
    Dimension.TENURE: "tenures",
    Dimension.BASELINE: "baselines",
}


def of_members(question: Question, members: Mapping[Dimension, str]) -> Question:
    """Return the question after what stands under these members alone, which is one series of the answer."""
    narrower: dict[str, object] = {}
    for dimension, member in members.items():
        if dimension is Dimension.CLIENT:
            client = NO_CLIENT if member == UNKNOWN else UUID(member)
            asked = question.where.clients
            narrower["clients"] = (client,) if asked is None or client in asked else ()
        else:
            among = question.where.members().get(dimension)
            narrower[_NARROWING[dimension]] = (member,) if among is None or member in among else ()
    return replace(question, where=replace(question.where, **narrower))  # type: ignore[arg-type]


def of_bucket(question: Question, day: date, week_start: Weekday) -> Question:
    """Return the question after the bucket in which a day lies, which is one point of each series.

    Raises:
        NotOffered: the day lies outside the period.
    """
    cut = buckets(question.period, question.grain, week_start)
    found = next((one for one in cut if one.start <= day < one.end), None)
    if found is None:
        raise NotOffered(f"{day} lies outside the period; give the first day of one of its buckets.")
    return replace(question, period=Period(found.start, found.end))


@dataclass(frozen=True, slots=True)
class MemberSeries:
    """The series of one member, or pair of members, of the dimensions asked for."""

    question: Question
    members: tuple[str, ...]
    series: Series
    previous: KpiValue | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What was asked, and what came of it as of `now`."""

    question: Question
    time_zone: str
    now: datetime
    settling: timedelta
    computed_at: datetime
    series: tuple[MemberSeries, ...]
    truncated: bool
    """True where there were more series than given."""
