"""Migrations: how the work of an onboarding is carried over to another version of its definition."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from domain.calendars import Calendar
from domain.checklists import Item, assignee_of, due_of
from domain.definitions import ChecklistItem, Rules
from domain.effects import TARGET, EffectKind, EffectState, PlannedEffect, day_timers, target_of
from domain.errors import ErrorCode, UserError
from domain.gates import Evidence, day_ninety
from domain.onboarding import Cycle
from domain.periods import local_day
from domain.stages import ORDER, Stage

CYCLES_MOST = 200
"""Onboardings that one command migrates at most."""

RETIRED = "@"
"""What stands in the key of a retired item between the key it had and its id, so that the key is free again."""


@dataclass(frozen=True, slots=True)
class Carrying:
    """What becomes of one onboarding's items.

    `changed` pairs each as it was with as it becomes; those not named stay exactly as they are.
    """

    changed: tuple[tuple[Item, Item], ...]
    retired: tuple[Item, ...]
    revived: tuple[tuple[Item, Item], ...]
    added: tuple[tuple[Stage, ChecklistItem, date | None], ...]


@dataclass(frozen=True, slots=True)
class Journey:
    """One onboarding on its way from one version's rules to another's."""

    cycle: Cycle
    before: Rules
    after: Rules
    calendar: Calendar
    now: datetime


def carry(
    journey: Journey, items: Sequence[Item], retired: Sequence[Item], mapping: Mapping[str, str | None]
) -> Carrying | UserError:
    """Return what becomes of an onboarding's items, or why that cannot be told.

    An item goes on as the one of its own key, unless `mapping` names another or nothing. One that nobody has worked
    on may fall away; one that is done, or has a note or a link, must be named. What is done stays done. Items that
    the new version adds come to the stage that the onboarding is in, and to its leaving once notice is given; one
    that an earlier migration retired comes back as it was. Own items stay what they are.
    """
    placed = {item.key: (stage, item) for stage, every in journey.after.checklists.items() for item in every}
    kept = [item for item in items if not item.own]
    heirs = {item.id: mapping.get(item.key, item.key) for item in kept}
    lost = [item for item in kept if item.key not in mapping and item.key not in placed and _touched(item)]
    if lost:
        return _unnamed(lost)
    taken = Counter(key for key in heirs.values() if key in placed)
    if doubled := sorted(key for key, times in taken.items() if times > 1):
        return _doubled(doubled, kept, heirs)
    changed = []
    for item in kept:
        heir = placed.get(heirs[item.id] or "")
        after = _as(journey, item, heir, kept) if heir else None
        if after is not None and after != item:
            changed.append((item, replace(after, version=item.version + 1)))
    revived, added = _new(journey, kept, retired, frozenset(taken))
    return Carrying(
        tuple(changed), tuple(item for item in kept if (heirs[item.id] or "") not in placed), revived, added
    )


def retire(item: Item, now: datetime) -> Item:
    """Return an item that the new version has no place for: out of the checklist, kept in history."""
    return replace(item, key=f"{item.key}{RETIRED}{item.id.hex}", removed_at=now, version=item.version + 1)


def schedule(
    journey: Journey, evidence: Evidence, held_business_days: float
) -> tuple[datetime | None, tuple[PlannedEffect, ...]]:
    """Return the target and the timers that the new rules give the stage that an onboarding is in, since its entry."""
    cycle, rules, calendar, now = journey.cycle, journey.after, journey.calendar, journey.now
    target = target_of(cycle.stage, cycle.entered_at, rules, evidence, calendar, held_business_days=held_business_days)
    if cycle.stage is Stage.EARLY_SUPPORT:
        last = day_ninety(rules, evidence.contract, local_day(cycle.entered_at, calendar.zone))
        return target, day_timers(cycle, rules, last, calendar, now) if last else ()
    if target is None:
        return None, ()
    timer = PlannedEffect(EffectKind.TIMER, TARGET, str(cycle.lead_id), target)
    return target, (timer if target > now else replace(timer, state=EffectState.SKIPPED, reason="PAST"),)


def _touched(item: Item) -> bool:
    return item.done or item.note is not None or item.link is not None


def _unnamed(items: Sequence[Item]) -> UserError:
    keys = ", ".join(sorted(item.key for item in items))
    message = (
        f"The new version has no items for {keys}, which somebody has worked on: name each in the mapping, with the "
        "key that it goes on as, or with none to retire it."
    )
    return UserError(ErrorCode.CONFLICT, message, ("mapping",))


def _doubled(keys: Sequence[str], items: Sequence[Item], heirs: Mapping[UUID, str | None]) -> UserError:
    told = "; ".join(f"{' and '.join(sorted(i.key for i in items if heirs[i.id] == key))} as {key}" for key in keys)
    message = f"Several items would go on as one ({told}): map one of them, and retire the others."
    return UserError(ErrorCode.CONFLICT, message, ("mapping",))


def _as(journey: Journey, item: Item, heir: tuple[Stage, ChecklistItem], items: Sequence[Item]) -> Item:
    """Return an item in the words of the new version; its day and its assignee change only where the rules do."""
    stage, words = heir
    named = replace(item, stage=stage, key=words.key, title=words.title, required=words.required, proves=words.proves)
    if item.done:
        return replace(named, owner=words.owner)
    if item.owner is not words.owner:
        named = replace(named, owner=words.owner, assignee_id=assignee_of(words.owner, journey.cycle))
    before = next((i for every in journey.before.checklists.values() for i in every if i.key == item.key), None)
    same_term = before is not None and before.due_business_days == words.due_business_days and item.stage is stage
    if same_term or _lies_ahead(stage, journey.cycle):
        return named
    return replace(named, due_on=_due(journey, words, stage, items))


def _new(
    journey: Journey, items: Sequence[Item], retired: Sequence[Item], taken: frozenset[str]
) -> tuple[tuple[tuple[Item, Item], ...], tuple[tuple[Stage, ChecklistItem, date | None], ...]]:
    """Return what comes back and what is new in the stages that are being worked through."""
    stages = (journey.cycle.stage, *((Stage.OFFBOARDED,) if journey.cycle.notice_id else ()))
    asleep = {
        item.key.partition(RETIRED)[0]: item for item in sorted(retired, key=lambda i: i.removed_at or i.added_at)
    }
    revived, added = [], []
    for stage in stages:
        for words in journey.after.checklists.get(stage, ()):
            if words.key in taken:
                continue
            if sleeper := asleep.get(words.key):
                woken = _as(journey, replace(sleeper, removed_at=None), (stage, words), items)
                revived.append((sleeper, replace(woken, version=sleeper.version + 1)))
            else:
                added.append((stage, words, _due(journey, words, stage, items)))
    return tuple(revived), tuple(added)


def _due(journey: Journey, words: ChecklistItem, stage: Stage, items: Sequence[Item]) -> date | None:
    """Return an item's day, counted from when the work of its stage was laid out."""
    laid = [item.added_at for item in items if item.stage is stage]
    entered = journey.cycle.entered_at if stage is journey.cycle.stage else min(laid, default=journey.now)
    return due_of(words, local_day(entered, journey.calendar.zone), journey.calendar)


def _lies_ahead(stage: Stage, cycle: Cycle) -> bool:
    return stage in ORDER and ORDER.index(stage) > ORDER.index(cycle.stage)
