"""Plans: the local day on which each next stage of an onboarding is meant to be entered, with every change kept."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from uuid import UUID

from domain.client_rules import day_faults
from domain.errors import ErrorCode, UserError, invalid
from domain.onboarding import Cycle
from domain.stages import ORDER, Stage
from domain.texts import REASON_LIMIT

PLANNED = ORDER[1:]
"""Stages that can have a planned date: an onboarding begins in the first."""


@dataclass(frozen=True, slots=True)
class PlannedDate:
    """One change of a stage's planned date; nobody can change what is told of it.

    `planned_on` is a local day of the provider, `None` where the date was withdrawn; `previous_on` is the day that
    stood until then. A change or withdrawal of a day that stood is a `re_plan`; setting one where none stood is not.
    """

    id: UUID
    client_id: UUID
    cycle_id: UUID
    stage: Stage
    planned_on: date | None
    previous_on: date | None
    re_plan: bool
    reason: str | None
    recorded_at: datetime
    actor_kind: str
    actor_id: UUID
    request_id: str
    event_id: UUID


@dataclass(frozen=True, slots=True)
class StagePlan:
    """The planned date of one stage as it stands, and how it came about, oldest first."""

    stage: Stage
    history: tuple[PlannedDate, ...]

    @property
    def planned_on(self) -> date | None:
        return self.history[-1].planned_on

    @property
    def set_at(self) -> datetime:
        """When it last changed."""
        return self.history[-1].recorded_at

    @property
    def re_plans(self) -> int:
        """How often a day that stood was changed or withdrawn."""
        return sum(change.re_plan for change in self.history)


@dataclass(frozen=True, slots=True)
class Wish:
    """A day wanted for one stage; `None` withdraws the day that stands."""

    stage: Stage
    planned_on: date | None


def plan_of(history: Iterable[PlannedDate]) -> tuple[StagePlan, ...]:
    """Return the plan of one cycle, in the order of the stages, from all its changes, oldest first."""
    by_stage: dict[Stage, list[PlannedDate]] = {}
    for change in history:
        by_stage.setdefault(change.stage, []).append(change)
    return tuple(StagePlan(stage, tuple(by_stage[stage])) for stage in PLANNED if stage in by_stage)


def standing(plan: Iterable[StagePlan]) -> dict[Stage, date]:
    """Return the days that stand."""
    return {each.stage: each.planned_on for each in plan if each.planned_on is not None}


def next_planned(stage: Stage, days: Mapping[Stage, date]) -> date | None:
    """Return the day on which the next stage is meant to be entered, if one is planned."""
    if stage not in ORDER[:-1]:
        return None
    return days.get(ORDER[ORDER.index(stage) + 1])


def changed(days: Mapping[Stage, date], wishes: Iterable[Wish]) -> tuple[Wish, ...]:
    """Return the wishes that differ from what stands."""
    return tuple(wish for wish in wishes if wish.planned_on != days.get(wish.stage))


def plan_faults(
    cycle: Cycle, days: Mapping[Stage, date], wishes: Sequence[Wish], reason: str | None, today: date
) -> Iterator[UserError]:
    """Tell what is wrong with a wanted plan; `today` is the provider's local day."""
    if not wishes:
        yield invalid("Name at least one stage with its day.", "dates")
    for index, wish in enumerate(wishes):
        yield from _wish_faults(cycle, wish, [earlier.stage for earlier in wishes[:index]], ("dates", str(index)))
    wanted = changed(days, wishes)
    places = {wish.stage: index for index, wish in enumerate(wishes)}
    for wish in wanted:
        if wish.planned_on is not None and wish.planned_on < today:
            path = ("dates", str(places[wish.stage]), "plannedOn")
            yield invalid(f"{wish.planned_on} for {wish.stage} is past; today is {today}. Plan a day to come.", *path)
    yield from _order_faults(cycle, days, wishes, places)
    yield from _reason_faults(days, wanted, reason)


def _wish_faults(cycle: Cycle, wish: Wish, named: Sequence[Stage], path: tuple[str, ...]) -> Iterator[UserError]:
    if wish.stage not in PLANNED:
        yield invalid(f"{wish.stage} is not planned; a plan names {', '.join(PLANNED)}.", *path, "stage")
    elif cycle.ended:
        message = f"This onboarding ended as {cycle.stage}; nothing of it is planned any more."
        yield UserError(ErrorCode.MOVE_NOT_POSSIBLE, message, (*path, "stage"))
    elif ORDER.index(wish.stage) <= ORDER.index(cycle.stage):
        message = f"{wish.stage} was entered already: this onboarding stands in {cycle.stage}. Plan a later stage."
        yield UserError(ErrorCode.MOVE_NOT_POSSIBLE, message, (*path, "stage"))
    if wish.stage in named:
        yield invalid(f"{wish.stage} is named twice; name each stage once.", *path, "stage")
    yield from day_faults(wish.planned_on, *path, "plannedOn")


def _order_faults(
    cycle: Cycle, days: Mapping[Stage, date], wishes: Sequence[Wish], places: Mapping[Stage, int]
) -> Iterator[UserError]:
    """Hold the stages still to come to their order: none is planned before one that comes first."""
    resulting = dict(days) | {wish.stage: wish.planned_on for wish in wishes}
    coming = [stage for stage in PLANNED if cycle.ended or ORDER.index(stage) > ORDER.index(cycle.stage)]
    dated = [(stage, day) for stage in coming if (day := resulting.get(stage)) is not None]
    for (earlier, first), (later, second) in pairwise(dated):
        if second < first and (earlier in places or later in places):
            index = places[later] if later in places else places[earlier]
            message = f"{later} on {second} would come before {earlier} on {first}; plan the stages in their order."
            yield invalid(message, "dates", str(index), "plannedOn")


def _reason_faults(days: Mapping[Stage, date], wanted: Iterable[Wish], reason: str | None) -> Iterator[UserError]:
    moved = [wish.stage for wish in wanted if wish.stage in days]
    if moved and not (reason or "").strip():
        said = f"{moved[0]} is planned for {days[moved[0]]}"
        yield invalid(f"{said}; to change a planned date takes a reason. Say why.", "reason")
    if reason is not None and len(reason) > REASON_LIMIT:
        yield invalid(f"A reason has at most {REASON_LIMIT} characters; this one has {len(reason)}.", "reason")
