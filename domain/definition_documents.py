"""Documents of definitions: rules as plain JSON and back, every value that cannot be named by its path."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from domain.definition_rules import (
    AUDIENCES,
    DAYS_MOST,
    DELAY_DAYS_MOST,
    FIGURES,
    ITEM_KEY_LIMIT,
    ITEM_TITLE_LIMIT,
    ITEMS_MOST,
    LISTED_STAGES,
    PROVABLE,
    STALE_STAGES,
    SURVEY_MOVES,
    TARGET_STAGES,
    TIMERS_MOST,
)
from domain.definitions import (
    ALWAYS_HARD,
    Audience,
    ChecklistItem,
    DayNinetyFrom,
    Hardness,
    Owner,
    Rules,
    Survey,
    Trigger,
)
from domain.errors import UserError
from domain.moves import Gate, Move
from domain.reading import Reading, shown
from domain.stages import Stage
from domain.texts import is_line

FORMAT = "steadystate.onboarding-definition"
FORMAT_VERSION = 1
"""It rises when an older reader would misunderstand a document; fields that are only added leave it."""

KEY = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


def write(rules: Rules) -> dict[str, Any]:
    """Return rules as a document of plain values, every gate with how it holds."""
    return {
        "format": FORMAT,
        "formatVersion": FORMAT_VERSION,
        "targets": {stage.value: rules.target_business_days[stage] for stage in TARGET_STAGES},
        "staleBusinessDays": {stage.value: rules.stale_business_days[stage] for stage in STALE_STAGES},
        **{figure.name: getattr(rules, figure.attribute) for figure in FIGURES},
        "timerDays": list(rules.timer_days),
        "dayNinetyFrom": rules.day_ninety_from.value,
        "gates": {gate.value: rules.hardness(gate).value for gate in Gate},
        "triggers": [
            {"move": t.move.value, "survey": t.survey.value, "audience": t.audience.value, "delayDays": t.delay_days}
            for t in rules.triggers
        ],
        "checklists": {
            stage.value: [_item(item) for item in rules.checklists[stage]]
            for stage in LISTED_STAGES
            if rules.checklists.get(stage)
        },
    }


def read(document: object) -> Rules | tuple[UserError, ...]:
    """Return the rules that a document says, or everything that is wrong with it, each with its path.

    What means the same is read as the same: gates that hold as they do unless set are left aside, timers and
    triggers come in one order.
    """
    reading = Reading()
    found = reading.keyed(document, (), frozenset(write(Rules())))
    rules = Rules(
        target_business_days=_days(reading, found.get("targets"), ("targets",), TARGET_STAGES),
        stale_business_days=_days(reading, found.get("staleBusinessDays"), ("staleBusinessDays",), STALE_STAGES),
        timer_days=_timers(reading, found.get("timerDays")),
        day_ninety_from=reading.one_of(DayNinetyFrom, found.get("dayNinetyFrom"), ("dayNinetyFrom",)),
        gates=_gates(reading, found.get("gates")),
        triggers=_triggers(reading, found.get("triggers")),
        checklists=_checklists(reading, found.get("checklists")),
        **{f.attribute: reading.number(found.get(f.name), (f.name,), f.least, f.most, whole=f.whole) for f in FIGURES},
    )
    reading.same(found.get("format"), ("format",), FORMAT)
    reading.same(found.get("formatVersion"), ("formatVersion",), FORMAT_VERSION)
    return tuple(reading.faults) or rules


def edited(rules: Rules, edit: Mapping[str, Any]) -> Rules | tuple[UserError, ...]:
    """Return rules with some keys of their document changed, or what is wrong with the change.

    What is given by stage or by gate changes those that are named, a list replaces the one before.
    """
    document = write(rules)
    for key, value in edit.items():
        before = document.get(key)
        document[key] = {**before, **value} if isinstance(before, dict) and isinstance(value, Mapping) else value
    return read(document)


def _item(item: ChecklistItem) -> dict[str, Any]:
    return {
        "key": item.key,
        "title": item.title,
        "ownerRole": item.owner.value,
        "dueBusinessDays": item.due_business_days,
        "required": item.required,
        "proves": item.proves.value if item.proves else None,
    }


def _days(reading: Reading, value: object, path: tuple[str, ...], stages: tuple[Stage, ...]) -> dict[Stage, int]:
    """Return business days by stage, of exactly these stages."""
    found = reading.keyed(value, path, frozenset(stages))
    return {stage: reading.number(found.get(stage.value), (*path, stage.value), 1, DAYS_MOST) for stage in stages}


def _timers(reading: Reading, value: object) -> tuple[int, ...]:
    seen: set[int] = set()
    for index, day in enumerate(reading.listed(value, ("timerDays",), TIMERS_MOST)):
        path = ("timerDays", str(index))
        before = len(reading.faults)
        number = reading.number(day, path, 1, DAYS_MOST)
        if len(reading.faults) == before:
            reading.once(path, number, seen, f"day {number}")
    return tuple(sorted(seen))


def _gates(reading: Reading, value: object) -> dict[Gate, Hardness]:
    every = frozenset(Gate)
    found = reading.keyed(value, ("gates",), every, optional=every)
    settings: dict[Gate, Hardness] = {}
    for gate in (gate for gate in Gate if gate.value in found):
        path = ("gates", gate.value)
        hardness = reading.one_of(Hardness, found[gate.value], path)
        if gate in ALWAYS_HARD:
            if hardness is not Hardness.HARD:
                reading.refuse(path, f"{hardness} does not do; this gate always holds HARD.")
        elif hardness is not Hardness.SOFT:
            settings[gate] = hardness
    return settings


_TRIGGER_KEYS = frozenset({"move", "survey", "audience", "delayDays"})


def _triggers(reading: Reading, value: object) -> tuple[Trigger, ...]:
    found: list[Trigger] = []
    seen: set[tuple[Move, Survey]] = set()
    most = sum(len(moves) for moves in SURVEY_MOVES.values())
    for index, entry in enumerate(reading.listed(value, ("triggers",), most)):
        path = ("triggers", str(index))
        before = len(reading.faults)
        given = reading.keyed(entry, path, _TRIGGER_KEYS, optional=frozenset({"delayDays"}))
        survey = reading.one_of(Survey, given.get("survey"), (*path, "survey"))
        delay = reading.number(given.get("delayDays", 0), (*path, "delayDays"), 0, DELAY_DAYS_MOST)
        if len(reading.faults) > before:
            continue
        move = reading.one_of(Move, given.get("move"), (*path, "move"), SURVEY_MOVES[survey])
        audience = reading.one_of(Audience, given.get("audience"), (*path, "audience"), (AUDIENCES[survey],))
        if len(reading.faults) == before:
            reading.once(path, (move, survey), seen, f"the survey {survey} after {move}")
            found.append(Trigger(move, survey, audience, delay))
    moves, surveys = list(Move), list(Survey)
    return tuple(sorted(found, key=lambda t: (moves.index(t.move), surveys.index(t.survey))))


_ITEM_KEYS = frozenset(_item(ChecklistItem("", "")))
_ITEM_OPTIONAL = _ITEM_KEYS - {"key", "title"}


def _checklists(reading: Reading, value: object) -> dict[Stage, tuple[ChecklistItem, ...]]:
    stages = frozenset(LISTED_STAGES)
    found = reading.keyed(value, ("checklists",), stages, optional=stages)
    seen: set[str] = set()
    lists = {
        stage: _checklist(reading, found[stage.value], stage, seen) for stage in LISTED_STAGES if stage.value in found
    }
    return {stage: items for stage, items in lists.items() if items}


def _checklist(reading: Reading, value: object, stage: Stage, seen: set[str]) -> tuple[ChecklistItem, ...]:
    above = ("checklists", stage.value)
    items = []
    for index, entry in enumerate(reading.listed(value, above, ITEMS_MOST)):
        path = (*above, str(index))
        before = len(reading.faults)
        given = reading.keyed(entry, path, _ITEM_KEYS, _ITEM_OPTIONAL)
        key = _text(reading, given.get("key"), (*path, "key"), ITEM_KEY_LIMIT, _is_key, "a-z, 0-9 and single hyphens")
        if len(reading.faults) == before:
            reading.once((*path, "key"), key, seen, f"the key {key}")
        items.append(
            ChecklistItem(
                key=key,
                title=_text(reading, given.get("title"), (*path, "title"), ITEM_TITLE_LIMIT, _is_title, "one line"),
                owner=reading.one_of(Owner, given.get("ownerRole", Owner.LEAD), (*path, "ownerRole")),
                due_business_days=_due(reading, given.get("dueBusinessDays"), (*path, "dueBusinessDays")),
                required=_flag(reading, given.get("required", False), (*path, "required")),
                proves=_proved(reading, given.get("proves"), (*path, "proves"), stage),
            )
        )
    return tuple(items)


def _text(
    reading: Reading, value: object, path: tuple[str, ...], limit: int, fits: Callable[[str], bool], of: str
) -> str:
    if isinstance(value, str) and len(value) <= limit and fits(value):
        return value.strip()
    reading.refuse(path, f"{shown(value)} does not do; give 1 to {limit} characters of {of}.")
    return ""


def _is_key(text: str) -> bool:
    return KEY.fullmatch(text) is not None


def _is_title(text: str) -> bool:
    return bool(text.strip()) and is_line(text)


def _due(reading: Reading, value: object, path: tuple[str, ...]) -> int | None:
    if value is None:
        return None
    days: int = reading.number(value, path, 0, DAYS_MOST)
    return days


def _flag(reading: Reading, value: object, path: tuple[str, ...]) -> bool:
    if isinstance(value, bool):
        return value
    reading.refuse(path, f"{shown(value)} does not do; give true or false.")
    return False


def _proved(reading: Reading, value: object, path: tuple[str, ...], stage: Stage) -> Gate | None:
    if value is None:
        return None
    if not PROVABLE[stage]:
        reading.refuse(path, f"{shown(value)} does not do; no item of {stage} proves a gate.")
        return None
    return reading.one_of(Gate, value, path, PROVABLE[stage])
