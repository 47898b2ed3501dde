"""The schema of definitions' documents, as JSON Schema made from the table that reading them goes by."""

from collections.abc import Iterable
from typing import Any

from domain.definition_documents import FORMAT, FORMAT_VERSION, KEY
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
    Figure,
)
from domain.definitions import ALWAYS_HARD, DayNinetyFrom, Hardness, Owner, Survey
from domain.event_schemas import DIALECT
from domain.moves import Gate
from domain.stages import Stage

IDENTITY = f"urn:{FORMAT.replace('.', ':')}:{FORMAT_VERSION}"


def definition_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a definition's document.

    What it cannot say is checked on import: that a checklist's key comes once in the whole document.
    """
    properties = {
        "format": {"const": FORMAT, "description": "What the document is."},
        "formatVersion": {"const": FORMAT_VERSION, "description": "The version of the format."},
        "targets": _days(TARGET_STAGES, "Business days that a stage should take, by stage."),
        "staleBusinessDays": _days(
            STALE_STAGES, "Business days without activity after which an onboarding is stale, by stage."
        ),
        **{figure.name: _figure(figure) for figure in FIGURES},
        "timerDays": {
            "description": "Days of the contract on which a timer tells subscribers.",
            "type": "array",
            "items": _whole(1, DAYS_MOST),
            "uniqueItems": True,
            "maxItems": TIMERS_MOST,
        },
        "dayNinetyFrom": {
            "description": "From which day the days of early support count.",
            "enum": _values(DayNinetyFrom),
        },
        "gates": {
            "description": "How each gate holds; one that is left out holds SOFT, but for those that always hold HARD.",
            **_object(
                {gate.value: {"enum": ["HARD"] if gate in ALWAYS_HARD else _values(Hardness)} for gate in Gate},
                required=(),
            ),
        },
        "triggers": {
            "description": "The surveys that moves plan. A survey comes after one move at most once.",
            "type": "array",
            "items": {"anyOf": [_trigger(survey) for survey in Survey]},
            "uniqueItems": True,
            "maxItems": sum(len(moves) for moves in SURVEY_MOVES.values()),
        },
        "checklists": {
            "description": "What is to be done in each stage; under OFFBOARDED from notice to off-boarding. "
            "A key comes once in the whole document.",
            **_object(
                {
                    stage.value: {"type": "array", "items": _item(stage), "maxItems": ITEMS_MOST}
                    for stage in LISTED_STAGES
                },
                required=(),
            ),
        },
    }
    return {
        "$schema": DIALECT,
        "$id": IDENTITY,
        "title": "Onboarding definition",
        "description": "The rules by which a provider's onboardings run: targets, gates, surveys, timers, checklists.",
        **_object(properties, required=properties),
    }


def _days(stages: Iterable[Stage], description: str) -> dict[str, Any]:
    properties = {stage.value: _whole(1, DAYS_MOST) for stage in stages}
    return {"description": description, **_object(properties, required=properties)}


def _figure(figure: Figure) -> dict[str, Any]:
    kind = "integer" if figure.whole else "number"
    return {"description": figure.said, "type": kind, "minimum": figure.least, "maximum": figure.most}


def _trigger(survey: Survey) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "move": {"enum": _values(SURVEY_MOVES[survey])},
        "survey": {"const": survey.value},
        "audience": {"const": AUDIENCES[survey].value},
        "delayDays": {**_whole(0, DELAY_DAYS_MOST), "default": 0, "description": "Days after the move."},
    }
    return _object(properties, required=("move", "survey", "audience"))


def _item(stage: Stage) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "key": {
            "description": "What tells the item from others, in every version in which it is the same.",
            "type": "string",
            "pattern": f"^{KEY.pattern}$",
            "maxLength": ITEM_KEY_LIMIT,
        },
        "title": {
            "description": "What is to be done, in one line.",
            "type": "string",
            "pattern": "\\S",
            "maxLength": ITEM_TITLE_LIMIT,
        },
        "ownerRole": {
            "description": "What whoever does it is to the onboarding's team.",
            "enum": _values(Owner),
            "default": Owner.LEAD.value,
        },
        "dueBusinessDays": {
            "description": "Business days from the stage's entry until it is due; null where it has no day of its own.",
            "anyOf": [_whole(0, DAYS_MOST), {"type": "null"}],
            "default": None,
        },
        "required": {
            "description": "Whether the stage's checklist is done only when this is.",
            "type": "boolean",
            "default": False,
        },
        "proves": {
            "description": "The gate that is met when this is done, if it proves one.",
            "enum": [*_values(PROVABLE[stage]), None],
            "default": None,
        },
    }
    return _object(properties, required=("key", "title"))


def _object(properties: dict[str, Any], required: Iterable[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def _whole(least: int, most: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": least, "maximum": most}


def _values(members: Iterable[Any]) -> list[str]:
    return [member.value for member in members]
