"""Enums of the domain as GraphQL enums, with a description for every value."""

from enum import Enum
from typing import TypeVar

import strawberry

E = TypeVar("E", bound=Enum)


def described(enum: type[E], description: str, name: str | None = None, /, **values: str) -> type[E]:
    """Publish a domain enum under its own name or a clearer one; `values` describes each member by name.

    Raises:
        ValueError: a member has no description, or a description has no member.
    """
    names = set(enum.__members__)
    if names != set(values):
        raise ValueError(f"{enum.__name__}: descriptions and members differ in {sorted(names ^ set(values))}")
    strawberry.enum(enum, name=name, description=description)
    for value in enum.__strawberry_definition__.values:  # type: ignore[attr-defined]
        value.description = values[value.name]
    return enum
