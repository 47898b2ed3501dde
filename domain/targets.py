"""Target: what a provider wants of a figure, for all or for one client, and whether a value keeps to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from math import isfinite
from uuid import UUID

from domain.kpi_definitions import Definition, Dimension, Direction, KpiKind, Unit
from domain.kpi_values import KpiValue, Status
from domain.periods import Bucket
from domain.questions import UNKNOWN, Question
from domain.series import Series
from domain.tickets import EscalationKind

PER_DAYS = 30
"""A target of a count holds for so many days; other stretches get their part of it."""


class TargetStanding(StrEnum):
    """Whether a value keeps to its target, its interval considered."""

    MET = "MET"
    MISSED = "MISSED"
    UNDECIDED = "UNDECIDED"


@dataclass(frozen=True, slots=True)
class KpiTarget:
    """One version of a target: from `recorded_at` on it is `value`, or nothing where it was removed.

    Of a share it lies between 0 and 1, of a count it is per 30 days, of all others in the figure's unit. Without a
    client it is the provider's own.
    """

    id: UUID
    kpi: str
    client_id: UUID | None
    number: int
    value: float | None
    recorded_at: datetime
    actor_kind: str
    actor_id: UUID
    request_id: str


@dataclass(frozen=True, slots=True)
class Targets:
    """What is wanted of each figure at one moment, by figure and client; `None` stands for the provider's own."""

    values: Mapping[tuple[str, UUID | None], float]

    def of(self, kpi: str, definition: Definition, client: UUID | None, *, part: bool = False) -> float | None:
        """Return what is wanted of a figure: the client's own target, else the provider's where it holds for clients.

        `part` says that it is of some stage, site or the like alone, to which what is wanted of the whole applies
        only if it doesn't grow with size.
        """
        if part and grows_with_size(definition):
            return None
        own = self.values.get((kpi, client))
        if own is not None or client is None or grows_with_size(definition):
            return own
        return self.values.get((kpi, None))


NO_TARGETS = Targets({})


@dataclass(frozen=True, slots=True)
class Goal:
    """What is wanted of one series, held against its values; `value` is the target as it was set."""

    series: Series
    value: float

    @property
    def due(self) -> float:
        """What the target comes to over the whole period."""
        return self._due(self.series.timeline.whole.bucket)

    @property
    def standing(self) -> TargetStanding:
        """Whether the whole period keeps to it."""
        return self._standing(self.series.total, self.due)

    @property
    def dues(self) -> list[float]:
        """What the target comes to over each bucket."""
        return [self._due(placed.bucket) for placed in self.series.timeline.buckets]

    @property
    def standings(self) -> list[TargetStanding]:
        """Whether each bucket keeps to it."""
        return [self._standing(point.value, due) for point, due in zip(self.series.points, self.dues, strict=True)]

    def _due(self, bucket: Bucket) -> float:
        return due(self.series.kpi.definition, self.value, (bucket.end - bucket.start).days)

    def _standing(self, value: KpiValue, wanted: float) -> TargetStanding:
        definition = self.series.kpi.definition
        # What is still being counted becomes more and never less: how much more, nobody knows.
        counting = definition.kind is KpiKind.COUNT and value.status is Status.PARTIAL
        return standing(definition.direction, wanted, value.value, value.low, None if counting else value.high)


def goal_of(question: Question, members: Sequence[str], series: Series, targets: Targets) -> Goal | None:
    """Return what is wanted of one series of an answer, or `None` where nothing is.

    Of another kind of escalation than the usual one, nothing is: a target is of the figure as the catalogue has it.
    """
    if question.where.escalation_kind is not EscalationKind.FUNCTIONAL:
        return None
    named = dict(zip(question.by, members, strict=True))
    others = {*question.by, *question.where.members()} - {Dimension.CLIENT}
    clients = question.where.clients
    client = clients[0] if clients is not None and len(clients) == 1 else None
    if (member := named.get(Dimension.CLIENT)) is not None:
        if member == UNKNOWN:
            return None
        client = UUID(member)
    some = client is None and clients is not None
    wanted = targets.of(question.kpi.name, question.kpi.definition, client, part=bool(others) or some)
    return None if wanted is None else Goal(series, wanted)


def grows_with_size(definition: Definition) -> bool:
    """Whether a large client has more of it than a small one by its size alone, as of counts and of levels.

    Comparing clients by it says nothing, and what a provider wants of all clients together is nothing to hold one
    client to. A share or a duration is wanted of everybody.
    """
    return definition.kind in (KpiKind.COUNT, KpiKind.LEVEL)


def refusal(definition: Definition, value: float) -> str | None:
    """Return why a figure can't have such a target, or `None`."""
    if definition.direction is Direction.NEUTRAL:
        return f"{definition.title} has no better side, so that nothing can keep to a target or miss it."
    if not isfinite(value) or value < 0:
        return f"{value} is no target: give a number from 0 on."
    if definition.unit is Unit.SHARE and value > 1:
        return f"{value} is no share: give a number from 0 to 1, such as 0.15 for 15 %."
    return None


def due(definition: Definition, value: float, days: int) -> float:
    """Return what a target comes to over so many days."""
    return value * days / PER_DAYS if definition.kind is KpiKind.COUNT else value


def standing(
    direction: Direction, target: float, value: float | None, low: float | None, high: float | None
) -> TargetStanding:
    """Return whether a value keeps to a target: it does, or misses it, only if the whole of its interval does.

    A value without an interval, a full count, speaks for itself. An open end may lie anywhere.
    """
    if low is None and high is None:
        low = high = value
    best, worst = (high, low) if direction is Direction.HIGHER_IS_BETTER else (low, high)
    if worst is not None and _keeps(direction, target, worst):
        return TargetStanding.MET
    if best is not None and not _keeps(direction, target, best):
        return TargetStanding.MISSED
    return TargetStanding.UNDECIDED


def _keeps(direction: Direction, target: float, value: float) -> bool:
    return value >= target if direction is Direction.HIGHER_IS_BETTER else value <= target
