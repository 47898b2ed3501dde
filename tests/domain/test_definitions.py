"""Definitions as documents: what is read is what was written, and what is wrong is named."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.default_checklists import first_rules
from domain.definition_differences import differences
from domain.definition_documents import FORMAT, edited, read, write
from domain.definition_rules import (
    AUDIENCES,
    FIGURES,
    LISTED_STAGES,
    PROVABLE,
    STALE_STAGES,
    SURVEY_MOVES,
    TARGET_STAGES,
)
from domain.definition_schema import definition_schema
from domain.definitions import ALWAYS_HARD, ChecklistItem, DayNinetyFrom, Hardness, Owner, Rules, Trigger
from domain.moves import Gate, Move
from domain.stages import Stage

DAYS = st.integers(1, 366)
KEYS = st.from_regex(r"[a-z0-9]{1,12}(-[a-z0-9]{1,12}){0,2}", fullmatch=True)
TITLES = st.text(st.characters(categories=("L", "N", "P")), min_size=1, max_size=40)


@st.composite
def items(draw: st.DrawFn, stage: Stage, key: str) -> ChecklistItem:
    return ChecklistItem(
        key,
        draw(TITLES),
        draw(st.sampled_from(Owner)),
        draw(st.none() | st.integers(0, 366)),
        draw(st.booleans()),
        draw(st.sampled_from([*PROVABLE[stage], None])),
    )


@st.composite
def rules(draw: st.DrawFn) -> Rules:
    """Draw any rules that a provider can have."""
    figures: dict[str, Any] = {
        f.attribute: draw(st.integers(f.least, f.most) if f.whole else st.floats(f.least, f.most)) for f in FIGURES
    }
    surveys = [(move, survey) for survey, moves in SURVEY_MOVES.items() for move in moves]
    order = list(Move)
    planned = sorted(draw(st.sets(st.sampled_from(surveys))), key=lambda p: (order.index(p[0]), surveys.index(p)))
    keys = draw(st.lists(KEYS, unique=True, max_size=8))
    placed = [(draw(st.sampled_from(LISTED_STAGES)), key) for key in keys]
    lists = {stage: tuple(draw(items(stage, key)) for at, key in placed if at is stage) for stage in LISTED_STAGES}
    soft = [gate for gate in Gate if gate not in ALWAYS_HARD]
    return Rules(
        target_business_days={stage: draw(DAYS) for stage in TARGET_STAGES},
        stale_business_days={stage: draw(DAYS) for stage in STALE_STAGES},
        timer_days=tuple(sorted(draw(st.sets(DAYS, max_size=20)))),
        day_ninety_from=draw(st.sampled_from(DayNinetyFrom)),
        gates=draw(st.dictionaries(st.sampled_from(soft), st.sampled_from([Hardness.HARD, Hardness.OFF]))),
        triggers=tuple(Trigger(m, s, AUDIENCES[s], draw(st.integers(0, 730))) for m, s in planned),
        checklists={stage: found for stage, found in lists.items() if found},
        **figures,
    )


@given(rules())
def test_a_document_read_elsewhere_is_the_same_rules(drawn: Rules) -> None:
    carried = json.loads(json.dumps(write(drawn)))
    assert read(carried) == drawn
    assert faults_by_schema(carried) == []


@given(rules(), rules())
def test_there_are_differences_exactly_where_rules_differ(one: Rules, other: Rules) -> None:
    found = differences(one, other)
    assert (found == ()) == (write(one) == write(other))
    assert [d.path for d in found] == list(dict.fromkeys(d.path for d in found))
    assert all(d.before != d.after for d in found)
    assert {(d.path, d.after, d.before) for d in map(frozen, found)} == {
        (d.path, d.before, d.after) for d in map(frozen, differences(other, one))
    }


def frozen(difference: Any) -> Any:
    return type(difference)(difference.path, json.dumps(difference.before), json.dumps(difference.after))


def test_the_rules_that_a_provider_begins_with_are_a_document() -> None:
    assert read(write(first_rules())) == first_rules()
    assert read(write(Rules())) == Rules()
    assert faults_by_schema(write(first_rules())) == []


def changed(path: str, value: Any) -> Any:
    """Return the first document with the value at a path replaced, or taken away."""
    document = json.loads(json.dumps(write(first_rules())))
    *above, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    place = document
    for part in above:
        place = place[part]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return document


WRONG: list[tuple[str, Any, str]] = [
    ("format", "something.else", "this reads 'steadystate.onboarding-definition'"),
    ("formatVersion", 2, "this reads 1"),
    ("formatVersion", True, "this reads 1"),
    ("targets", ..., "this is missing"),
    ("targets.CONTRACTING", 0, "0 does not do; give a whole number from 1 to 366"),
    ("targets.CONTRACTING", 367, "367 does not do"),
    ("targets.CONTRACTING", 2.5, "2.5 does not do"),
    ("targets.CONTRACTING", "ten", "'ten' does not do"),
    ("targets.ASSET_DISCOVERY", ..., "this is missing"),
    ("targets.STEADY_STATE", 10, "there is no such key here"),
    ("staleBusinessDays.EARLY_SUPPORT", None, "nothing does not do"),
    ("atRiskShare", 1.01, "1.01 does not do; give a share from 0 to 1"),
    ("atRiskShare", True, "True does not do"),
    ("managedShare", float("nan"), "nan does not do"),
    ("managedShare", -0.1, "-0.1 does not do"),
    ("pendingHours", 0, "0 does not do"),
    ("timerDays", 30, "30 is no list"),
    ("timerDays.1", 30, "day 30 is there twice"),
    ("timerDays.0", 400, "400 does not do"),
    ("timerDays", [*range(1, 22)], "21 are too many"),
    ("dayNinetyFrom", "TOMORROW", "give one of CONTRACT_START, SERVICE_START"),
    ("gates.CONTRACT_SIGNED", "SOFT", "this gate always holds HARD"),
    ("gates.LEAD_SET", "OFF", "this gate always holds HARD"),
    ("gates.BACKUP_VERIFIED", "FIRM", "give one of HARD, SOFT, OFF"),
    ("gates.NO_SUCH_GATE", "HARD", "there is no such key here"),
    ("triggers.0.move", "HOLD", "give one of BEGIN_DISCOVERY, GO_LIVE, GRADUATE"),
    ("triggers.0.audience", "AGENTS", "give one of CLIENT"),
    ("triggers.0.delayDays", 731, "give a whole number from 0 to 730"),
    ("triggers.0.survey", "PULSE", "'PULSE' does not do"),
    ("triggers.0.colour", "red", "there is no such key here"),
    ("triggers.0", 7, "7 is no object"),
    ("checklists.LOST", [], "there is no such key here"),
    ("checklists.CONTRACTING.0.key", "Not A Slug", "a-z, 0-9 and single hyphens"),
    ("checklists.CONTRACTING.0.key", "x" * 61, "1 to 60 characters"),
    ("checklists.CONTRACTING.1.key", "hand-off-call", "the key hand-off-call is there twice"),
    ("checklists.ASSET_DISCOVERY.0.key", "hand-off-call", "the key hand-off-call is there twice"),
    ("checklists.CONTRACTING.0.title", " ", "1 to 200 characters"),
    ("checklists.CONTRACTING.0.title", "a\nb", "1 to 200 characters"),
    ("checklists.CONTRACTING.0.ownerRole", "SALES", "give one of LEAD, ACCOUNT_MANAGER"),
    ("checklists.CONTRACTING.0.required", "yes", "give true or false"),
    ("checklists.CONTRACTING.0.dueBusinessDays", -1, "from 0 to 366"),
    ("checklists.CONTRACTING.0.proves", "CONTRACT_SIGNED", "give one of THRESHOLD_SET"),
    ("checklists.CONTRACTING.0.proves", "BACKUP_VERIFIED", "give one of THRESHOLD_SET"),
    ("checklists.STEADY_STATE.0.proves", "BACKUP_VERIFIED", "no item of STEADY_STATE proves a gate"),
    ("note", "hello", "there is no such key here"),
]


@pytest.mark.parametrize(("path", "value", "said"), WRONG, ids=[f"{path}={value!r:.20}" for path, value, _ in WRONG])
def test_a_wrong_value_is_named_by_its_path_and_alone(path: str, value: Any, said: str) -> None:
    found = read(changed(path, value))
    assert isinstance(found, tuple)
    (fault,) = found
    expected = tuple(path.split("."))
    if "there twice" in said and expected[0] == "checklists" and expected[1] == "CONTRACTING":
        assert fault.path[:2] == expected[:2]
    elif "there twice" not in said:
        assert fault.path == expected
    assert fault.message.startswith(f"{'.'.join(fault.path)}: ")
    assert said in fault.message


def test_all_that_is_wrong_is_named_at_once() -> None:
    document = changed("gates.LEAD_SET", "OFF") | {"timerDays": "none", "atRiskShare": 7, "extra": 1}
    found = read(document)
    assert isinstance(found, tuple)
    assert {fault.path[0] for fault in found} == {"gates", "timerDays", "atRiskShare", "extra"}


@pytest.mark.parametrize("value", [None, [], "text", 5, True])
def test_what_is_no_object_is_no_document(value: object) -> None:
    found = read(value)
    assert isinstance(found, tuple)
    assert [fault.path for fault in found] == [()]


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(sorted(write(Rules()))), JSON_VALUES)
def test_no_value_whatsoever_breaks_the_reading(key: str, value: Any) -> None:
    found = read(changed(key, value))
    assert isinstance(found, Rules) or found


def test_an_edit_changes_what_it_names_and_nothing_else() -> None:
    before = first_rules()
    item = {"key": "network-scan", "title": "Scan it all"}
    after = edited(
        before,
        {
            "targets": {"CONTRACTING": 7},
            "gates": {"BACKUP_VERIFIED": "HARD"},
            "timerDays": [60, 30],
            "checklists": {"ASSET_DISCOVERY": [item]},
            "managedShare": 1,
        },
    )
    assert isinstance(after, Rules)
    assert after.target_business_days == {Stage.CONTRACTING: 7, Stage.ASSET_DISCOVERY: 20}
    assert after.hardness(Gate.BACKUP_VERIFIED) is Hardness.HARD
    found = {d.path: (d.before, d.after) for d in differences(before, after)}
    assert found["targets.CONTRACTING"] == (10, 7)
    assert found["gates.BACKUP_VERIFIED"] == ("SOFT", "HARD")
    assert found["timerDays"] == ([30, 60, 90], [30, 60])
    assert found["managedShare"] == (0.95, 1.0)
    assert found["checklists.ASSET_DISCOVERY.network-scan.required"] == (True, False)
    assert found["checklists.ASSET_DISCOVERY.kick-off-call"][1] is None
    assert {path.split(".")[0] for path in found} == {"targets", "gates", "timerDays", "managedShare", "checklists"}
    assert "checklists.ASSET_DISCOVERY" not in found


def test_items_that_change_places_differ_by_their_order_alone() -> None:
    before = first_rules()
    document = write(before)
    document["checklists"]["CONTRACTING"].reverse()
    after = read(document)
    assert isinstance(after, Rules)
    (found,) = differences(before, after)
    assert found.path == "checklists.CONTRACTING"
    assert found.after == list(reversed(found.before))


def test_a_gate_set_to_what_it_is_anyway_is_no_change() -> None:
    assert edited(Rules(), {"gates": {"BACKUP_VERIFIED": "SOFT", "LEAD_SET": "HARD"}}) == Rules()


SAYABLE = [(path, value) for path, value, said in WRONG if "the key" not in said and value != "a\nb"]
"""What JSON Schema has words for."""


@pytest.mark.parametrize(("path", "value"), SAYABLE, ids=[f"{path}={value!r:.20}" for path, value in SAYABLE])
def test_the_published_schema_refuses_what_the_reading_refuses(path: str, value: Any) -> None:
    assert faults_by_schema(changed(path, value)) != []


def test_the_schema_says_of_which_dialect_and_of_what_it_is() -> None:
    schema = definition_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["properties"]["format"]["const"] == FORMAT
    assert set(schema["required"]) == set(write(Rules()))
    assert json.loads(json.dumps(schema)) == schema


def faults_by_schema(document: Any) -> list[str]:
    """Return what the published schema holds against a document, by the words of JSON Schema that it uses."""
    return _against(definition_schema(), document, "")


def _against(schema: Mapping[str, Any], value: Any, path: str) -> list[str]:
    unknown = set(schema) - {
        *("$schema", "$id", "title", "description", "default", "type", "properties", "required", "items", "enum"),
        *("const", "minimum", "maximum", "maxLength", "maxItems", "uniqueItems", "pattern", "anyOf"),
        "additionalProperties",
    }
    assert unknown == set()
    if "anyOf" in schema:
        tried = [_against(option, value, path) for option in schema["anyOf"]]
        return [] if [] in tried else [f"{path}: none of {len(tried)}"]
    kind = schema.get("type")
    if kind and (not isinstance(value, KINDS[kind]) or (isinstance(value, bool) and kind != "boolean")):
        return [f"{path}: {kind}"]
    found = [f"{path}: {word}" for word, fits in WORDS.items() if word in schema and not fits(schema[word], value)]
    if kind == "object":
        found += _against_keys(schema, value, path)
    if kind == "array":
        found += _against_items(schema, value, path)
    return found


KINDS: Mapping[str, Any] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}

WORDS: Mapping[str, Callable[[Any, Any], bool]] = {
    "const": lambda one, value: value == one and not isinstance(value, bool),
    "enum": lambda some, value: value in some,
    "minimum": lambda least, value: value >= least,
    "maximum": lambda most, value: value <= most,
    "maxLength": lambda most, value: len(value) <= most,
    "maxItems": lambda most, value: len(value) <= most,
    "pattern": lambda pattern, value: re.search(pattern, value) is not None,
}


def _against_keys(schema: Mapping[str, Any], value: Any, path: str) -> list[str]:
    found = [f"{path}.{key}: missing" for key in schema["required"] if key not in value]
    found += [f"{path}.{key}: unknown" for key in value if key not in schema["properties"]]
    for key, one in value.items():
        found += _against(schema["properties"].get(key, {}), one, f"{path}.{key}".lstrip("."))
    return found


def _against_items(schema: Mapping[str, Any], value: Any, path: str) -> list[str]:
    plain = [json.dumps(one, sort_keys=True) for one in value]
    found = [f"{path}: twice"] if schema.get("uniqueItems") and len(set(plain)) < len(plain) else []
    for index, one in enumerate(value):
        found += _against(schema["items"], one, f"{path}.{index}")
    return found
