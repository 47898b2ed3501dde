"""The schema keeps its promises: types are windows on domain values, everything is described, mutations look alike."""

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    get_named_type,
)
from strawberry.types.base import StrawberryObjectDefinition

from api.schema import product
from tests.support.schema_walk import schema

SDL = Path(__file__).parents[2] / "schema.graphql"

VERBS = {
    "Add",
    "Advance",
    "Apply",
    "Archive",
    "Assign",
    "Attest",
    "BulkUpsert",
    "Cancel",
    "Close",
    "Complete",
    "Correct",
    "Create",
    "Deactivate",
    "Delete",
    "Disable",
    "Discard",
    "Edit",
    "Enable",
    "End",
    "Erase",
    "Escalate",
    "Exclude",
    "Expand",
    "Export",
    "GiveNotice",
    "Grant",
    "Hold",
    "Import",
    "Invite",
    "Lose",
    "Map",
    "Merge",
    "Migrate",
    "Move",
    "OffBoard",
    "Open",
    "Plan",
    "Reassign",
    "Record",
    "Remove",
    "Reopen",
    "Replay",
    "Request",
    "Resolve",
    "Respond",
    "Restore",
    "Resume",
    "Revoke",
    "RollBack",
    "Rotate",
    "RotateSecret",
    "Set",
    "Start",
    "Undo",
    "Update",
    "Upsert",
    "Withdraw",
    "WithdrawNotice",
}
"""The verbs of the trade: an object and one of these make a mutation."""

ELSEWHERE = {
    "api.event_types.EventKind": "what the schema says of a type of event",
    "api.kpi_types.Member": "a member of a dimension with its name",
    "api.rates.Rate": "what a process lets its caller use up",
    "db.explain.ExplainedRow": "a row behind a number, as it is stored",
}
"""Windows on what the domain does not know."""

HOLDING_NULL = {"Query.nodes"} | {
    f"KpiColumns.{name}" for name in ("values", "numerators", "denominators", "lows", "highs")
}
"""Lists in which null stands for what is not visible, or for a figure that cannot be told."""


def own_types() -> Iterator[GraphQLNamedType]:
    yield from (type_ for name, type_ in schema().type_map.items() if not name.startswith("__"))


def windows() -> Iterator[tuple[type, type, StrawberryObjectDefinition]]:
    """Yield every GraphQL class that is a window, what it is on, and its definition."""
    for type_ in own_types():
        definition = (type_.extensions or {}).get("strawberry-definition")
        on = getattr(getattr(definition, "origin", None), "window_on", None)
        if isinstance(definition, StrawberryObjectDefinition) and on is not None:
            yield definition.origin, on, definition


def attributes(on: type) -> set[str]:
    plain = {field.name for field in dataclasses.fields(on)} if dataclasses.is_dataclass(on) else set()
    return plain | {name for name in dir(on) if isinstance(getattr(on, name), property)}


def test_every_plain_field_of_a_window_is_an_attribute_of_its_domain_value() -> None:
    found = list(windows())
    assert len(found) > 30
    missing = {
        f"{origin.__name__}.{field.python_name} on {on.__module__}.{on.__name__}"
        for origin, on, definition in found
        for field in definition.fields
        if field.base_resolver is None and field.python_name not in attributes(on)
    }
    assert missing == set()


def test_windows_open_on_the_domain() -> None:
    elsewhere = {f"{on.__module__}.{on.__name__}" for _, on, _ in windows() if not on.__module__.startswith("domain.")}
    assert elsewhere == set(ELSEWHERE)


def test_everything_is_described() -> None:
    silent = set()
    for type_ in own_types():
        silent |= {type_.name} if not _said(type_.description) else set()
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            for name, field in type_.fields.items():
                silent |= {f"{type_.name}.{name}"} if not _said(field.description) else set()
                silent |= {
                    f"{type_.name}.{name}({argument}:)"
                    for argument, taken in field.args.items()
                    if not _said(taken.description)
                }
        elif isinstance(type_, GraphQLInputObjectType):
            silent |= {f"{type_.name}.{name}" for name, field in type_.fields.items() if not _said(field.description)}
        elif isinstance(type_, GraphQLEnumType):
            silent |= {f"{type_.name}.{name}" for name, value in type_.values.items() if not _said(value.description)}
    for directive in schema().directives:
        silent |= {f"@{directive.name}"} if not _said(directive.description) else set()
        silent |= {
            f"@{directive.name}({name}:)" for name, taken in directive.args.items() if not _said(taken.description)
        }
    assert silent == set()


def test_a_mutation_is_named_by_its_object_and_a_verb_takes_one_input_and_gives_a_payload_of_its_own() -> None:
    mutations = schema().mutation_type
    assert mutations is not None
    odd = {name for name in mutations.fields if not re.fullmatch(rf"[a-z][A-Za-z]*?({'|'.join(VERBS)})", name)}
    assert odd == {"tenantSettingsUpdate"} - _verbed("tenantSettingsUpdate")
    for name, field in mutations.fields.items():
        assert list(field.args) == ["input"], name
        assert isinstance(field.args["input"].type, GraphQLNonNull), name
        payload = get_named_type(field.type)
        assert payload.name == f"{name[0].upper()}{name[1:]}Payload"
        assert isinstance(payload, GraphQLObjectType)
        assert str(payload.fields["eventId"].type) == "ID", name
        assert str(payload.fields["errors"].type) == "[UserError!]!", name


def test_every_mutation_may_be_sent_again_under_a_key() -> None:
    mutations = schema().mutation_type
    assert mutations is not None
    without = {
        name
        for name, field in mutations.fields.items()
        if "idempotencyKey" not in get_named_type(field.args["input"].type).fields
    }
    assert without == set()


def test_whatever_moves_an_onboarding_names_the_version_it_was_decided_on() -> None:
    mutations = schema().mutation_type
    assert mutations is not None
    moves = {"Advance", "RollBack", "Hold", "Resume", "Lose", "OffBoard", "Update"}
    for move in moves:
        taken = get_named_type(mutations.fields[f"onboarding{move}"].args["input"].type)
        assert isinstance(taken, GraphQLInputObjectType)
        assert str(taken.fields["expectedVersion"].type) == "Int!", move


def test_lists_hold_no_null_and_instants_say_at() -> None:
    wrong = set()
    for type_ in own_types():
        if not isinstance(type_, GraphQLObjectType | GraphQLInputObjectType):
            continue
        for name, field in type_.fields.items():
            shape = str(field.type)
            if "[" in shape and "!]" not in shape and f"{type_.name}.{name}" not in HOLDING_NULL:
                wrong.add(f"{type_.name}.{name}: {shape}")
            if name.endswith("At") and shape.strip("!") != "DateTime":
                wrong.add(f"{type_.name}.{name}: {shape}")
    assert wrong == set()


@pytest.mark.skipif(not SDL.exists(), reason="schema.graphql is not exported yet")
def test_the_exported_schema_is_what_is_served() -> None:
    assert SDL.read_text(encoding="utf-8") == product().as_str() + "\n"


def _said(description: str | None) -> bool:
    return bool(description and description.strip())


def _verbed(name: str) -> set[str]:
    return {name} if any(name.endswith(verb) for verb in VERBS) else set()
