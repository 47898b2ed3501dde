"""Retargeting: a stage's target and timers anew, once what they were computed with has become something else."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from domain.calendars import Calendar
from domain.consequences import Consequence, ConsequenceKind
from domain.definitions import Rules
from domain.effects import TARGET, EffectKind, EffectState, PlannedEffect, day_timers, held_business_days, target_of
from domain.gates import Evidence, day_ninety
from domain.ids import IdKind, public
from domain.onboarding import Cycle, Hold
from domain.periods import local_day
from domain.stages import Stage

UNDER_WAY = (Stage.CONTRACTING, Stage.ASSET_DISCOVERY, Stage.EARLY_SUPPORT)
"""The stages that have a target."""


@dataclass(frozen=True, slots=True)
class Retargeted:
    """An onboarding whose target has moved, from when to when."""

    cycle: Cycle
    target_at: datetime | None

    def consequence(self) -> Consequence:
        """Return what a preview tells of it."""
        before, after = self.cycle.target_at, self.target_at
        return Consequence(
            ConsequenceKind.TARGET,
            name=self.cycle.stage.value,
            before=before.isoformat() if before else None,
            after=after.isoformat() if after else None,
            subject=public(IdKind.ONBOARDING, self.cycle.id),
        )


def target_anew(
    cycle: Cycle, rules: Rules, evidence: Evidence, calendar: Calendar, holds: Iterable[Hold]
) -> datetime | None:
    """Return when the stage in which a cycle stands should be over.

    A hold that lasts counts when it is resumed, as it always does.
    """
    ended = [hold for hold in holds if hold.resumed_at is not None]
    held = held_business_days(ended, cycle.entered_at, evidence.now, calendar)
    return target_of(cycle.stage, cycle.entered_at, rules, evidence, calendar, held_business_days=held)


def timers_anew(
    cycle: Cycle, rules: Rules, evidence: Evidence, calendar: Calendar, target: datetime | None
) -> tuple[PlannedEffect, ...]:
    """Return the timers of the stage in which a cycle stands; those whose moment has passed say so."""
    if cycle.stage is Stage.EARLY_SUPPORT:
        last = day_ninety(rules, evidence.contract, local_day(cycle.entered_at, calendar.zone))
        return day_timers(cycle, rules, last, calendar, evidence.now) if last else ()
    if target is None:
        return ()
    lead = str(cycle.lead_id)
    if target > evidence.now:
        return (PlannedEffect(EffectKind.TIMER, TARGET, lead, target),)
    return (PlannedEffect(EffectKind.TIMER, TARGET, lead, target, EffectState.SKIPPED, "PAST"),)
