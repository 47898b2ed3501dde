"""Effects: what a move sets off for now or later, planned as rows and never acted on at once."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from domain.calendars import Calendar
from domain.definitions import Audience, Rules, Survey, Trigger
from domain.gates import Evidence, day_ninety
from domain.moves import STAYING, Move
from domain.onboarding import Cycle, Hold, Visit, superseded_by
from domain.periods import local_day, start_of_day
from domain.stages import ENDS, Stage

TARGET = "TARGET"
HOLD_REVIEW = "HOLD_REVIEW"
SERVICE_END = "SERVICE_END"
IN_NOTICE = "IN_NOTICE"
"""Why a survey of recommendation is not sent to a client that leaves."""

NOTICE_DAYS = (30, 7)
"""Days before the end of service on which a timer says how long is left."""

NOTICE_KEYS = frozenset({SERVICE_END, *(f"NOTICE_{days}" for days in NOTICE_DAYS)})
"""Names of the timers of a notice; they follow the client from stage to stage."""


class EffectKind(StrEnum):
    """What sort of thing happens when the effect is due."""

    TIMER = "TIMER"
    SURVEY = "SURVEY"


class EffectState(StrEnum):
    """What became of an effect; everything that did not happen says why in its reason."""

    PLANNED = "PLANNED"
    DONE = "DONE"
    SKIPPED = "SKIPPED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True)
class PlannedEffect:
    """An effect before it is stored: `readiness` shows it, a move stores it."""

    kind: EffectKind
    key: str
    recipient: str
    due_at: datetime
    state: EffectState = EffectState.PLANNED
    reason: str | None = None

    @property
    def name(self) -> str:
        """What the effect is called: its key without what tells it from others of its name."""
        return self.key.partition(":")[0]


@dataclass(frozen=True, slots=True)
class Effect:
    """A stored effect of one visit."""

    id: UUID
    client_id: UUID
    cycle_id: UUID
    visit_id: UUID
    kind: EffectKind
    key: str
    recipient: str
    due_at: datetime
    state: EffectState
    reason: str | None
    settled_at: datetime | None

    @property
    def name(self) -> str:
        """What the effect is called: its key without what tells it from others of its name."""
        return self.key.partition(":")[0]


@dataclass(frozen=True, slots=True)
class Cancellation:
    """Which planned effects a move calls off: those of some visits (or of all), of some kinds."""

    visits: tuple[UUID, ...] | None
    kinds: tuple[EffectKind, ...]


def target_of(
    stage: Stage,
    entered_at: datetime,
    rules: Rules,
    evidence: Evidence,
    calendar: Calendar,
    *,
    held_business_days: float = 0.0,
) -> datetime | None:
    """Return when a stage should be over: at the end of its last business day, or of day 90 of the contract.

    The business days for which it was held come on top, added up first and then rounded to whole days, so that many
    short holds do not move a target further than one of their length. Day 90 waits for nobody.
    """
    entered_on = local_day(entered_at, calendar.zone)
    if stage is Stage.EARLY_SUPPORT:
        due = day_ninety(rules, evidence.contract, entered_on)
        return start_of_day(due + timedelta(days=1), calendar.zone) if due else None
    days = rules.target_business_days.get(stage)
    if days is None:
        return None
    last_day = calendar.add_business_days(entered_on, days + math.floor(held_business_days + 0.5))
    return start_of_day(last_day + timedelta(days=1), calendar.zone)


def held_business_days(holds: Iterable[Hold], entered_at: datetime, now: datetime, calendar: Calendar) -> float:
    """Return for how many business days a stay was on hold; a hold that lasts counts until now."""
    return sum(
        calendar.business_days_between(hold.held_at, hold.resumed_at or now)
        for hold in holds
        if hold.held_at >= entered_at
    )


def effects(
    move: Move,
    to_stage: Stage,
    cycle: Cycle,
    rules: Rules,
    evidence: Evidence,
    calendar: Calendar,
    *,
    historical: bool = False,
) -> tuple[PlannedEffect, ...]:
    """Return exactly what a move would set off; the same function feeds the move and `readiness`."""
    now = evidence.now
    if move is Move.HOLD:
        planned = [_hold_review(cycle, rules, now)]
    else:
        planned = [] if move in STAYING else _timers(to_stage, cycle, rules, evidence, calendar)
    for trigger in rules.triggers:
        if trigger.move is move:
            planned += _survey(trigger, cycle, evidence)
    if not historical:
        return tuple(planned)
    return tuple(
        PlannedEffect(e.kind, e.key, e.recipient, e.due_at, EffectState.SKIPPED, "IMPORTED") if e.due_at <= now else e
        for e in planned
    )


def cancellation(move: Move, to_stage: Stage, cycle: Cycle, visits: tuple[Visit, ...]) -> Cancellation | None:
    """Return what a move calls off.

    Moving on ends the timers of the stage left; rolling back also the unsent surveys of every
    visit set aside; an end calls off everything.
    """
    if to_stage in ENDS:
        return Cancellation(None, tuple(EffectKind))
    if move in (Move.ROLL_BACK, Move.UNDO):
        aside = tuple(v.id for v in superseded_by(to_stage, visits))
        return Cancellation(aside, tuple(EffectKind))
    if move in (Move.BEGIN_DISCOVERY, Move.GO_LIVE, Move.GRADUATE):
        return Cancellation((cycle.visit_id,), (EffectKind.TIMER,))
    return None


def _timers(stage: Stage, cycle: Cycle, rules: Rules, evidence: Evidence, calendar: Calendar) -> list[PlannedEffect]:
    if stage is Stage.EARLY_SUPPORT:
        last = day_ninety(rules, evidence.contract, local_day(evidence.now, calendar.zone))
        return list(day_timers(cycle, rules, last, calendar, evidence.now)) if last else []
    target = target_of(stage, evidence.now, rules, evidence, calendar)
    if target is None:
        return []
    return [_unless_past(PlannedEffect(EffectKind.TIMER, TARGET, str(cycle.lead_id), target), evidence.now)]


def day_timers(
    cycle: Cycle, rules: Rules, day_ninety: date, calendar: Calendar, now: datetime
) -> tuple[PlannedEffect, ...]:
    """Return the timers of early support's days, at local midnight; those whose day has passed say so."""
    first = day_ninety - timedelta(days=rules.early_support_days)
    dues = {day: start_of_day(first + timedelta(days=day), calendar.zone) for day in rules.timer_days}
    return tuple(
        _unless_past(PlannedEffect(EffectKind.TIMER, f"DAY_{day}", str(cycle.lead_id), due), now)
        for day, due in dues.items()
    )


def notice_timers(cycle: Cycle, ends_on: date, calendar: Calendar, now: datetime) -> tuple[PlannedEffect, ...]:
    """Return the timers of a notice: some days before service ends and when its last day is over, at local midnight."""
    dues = {f"NOTICE_{days}": start_of_day(ends_on - timedelta(days=days), calendar.zone) for days in NOTICE_DAYS}
    dues[SERVICE_END] = start_of_day(ends_on + timedelta(days=1), calendar.zone)
    # The version tells the timers of two notices of one stay apart.
    return tuple(
        _unless_past(PlannedEffect(EffectKind.TIMER, f"{key}:{cycle.version}", str(cycle.lead_id), due), now)
        for key, due in dues.items()
    )


def _hold_review(cycle: Cycle, rules: Rules, now: datetime) -> PlannedEffect:
    """Return the timer that asks, some days into a hold, whether it still holds; its key tells the holds apart."""
    due = now + timedelta(days=rules.hold_review_days)
    return PlannedEffect(EffectKind.TIMER, f"{HOLD_REVIEW}:{cycle.version}", str(cycle.lead_id), due)


def _unless_past(timer: PlannedEffect, now: datetime) -> PlannedEffect:
    if timer.due_at > now:
        return timer
    return PlannedEffect(timer.kind, timer.key, timer.recipient, timer.due_at, EffectState.SKIPPED, "PAST")


def _survey(trigger: Trigger, cycle: Cycle, evidence: Evidence) -> list[PlannedEffect]:
    due = evidence.now + timedelta(days=trigger.delay_days)
    if trigger.audience is Audience.CLIENT:
        recipients = [str(contact) for contact in evidence.surveyable]
    else:
        recipients = sorted({str(member) for member in cycle.team if member})
    key = trigger.survey.value
    if not recipients:
        return [PlannedEffect(EffectKind.SURVEY, key, "", due, EffectState.SKIPPED, "NO_RECIPIENT")]
    if cycle.notice_id and trigger.survey is Survey.QUARTERLY_NPS:
        # To each of them, for they are asked after all once the notice is withdrawn.
        skipped = EffectState.SKIPPED
        return [PlannedEffect(EffectKind.SURVEY, key, recipient, due, skipped, IN_NOTICE) for recipient in recipients]
    return [PlannedEffect(EffectKind.SURVEY, key, recipient, due) for recipient in recipients]


def opens_window(stage: Stage) -> bool:
    """Whether the escalation window is open in this stage."""
    return stage is Stage.EARLY_SUPPORT
