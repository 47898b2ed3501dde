"""Leaves: how scalars and enum values are shown, a whole column at a time.

Where all values of a column are of the one class that needs no coercion, as nearly always, that is seen
at once; otherwise each is coerced as graphql-core does.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLLeafType,
    GraphQLString,
)

Show = Callable[[Sequence[Any]], list[Any]]
"""Takes the values of a column to what the answer shows of them."""

_INT_LIMIT = 2**31
_AS_THEY_ARE: dict[Any, type] = {GraphQLString: str, GraphQLID: str, GraphQLBoolean: bool}
NOTHING: type = type(None)


class NotPlain(Exception):
    """The short way does not lead to this value; graphql-core will say what is wrong with it, if anything is."""


def showing(type_: GraphQLLeafType, *, nullable: bool) -> Show:
    """Return how a column of this type is shown; what it makes raises where a value does not fit."""
    coerce = _never_null(type_.coerce_output_value)
    if type_ in _AS_THEY_ARE:
        return _whole(frozenset({_AS_THEY_ARE[type_]}), list, coerce, nullable=nullable)
    if type_ is GraphQLInt:
        return _whole(frozenset({int}), _ints, coerce, nullable=nullable)
    if type_ is GraphQLFloat:
        return _floats(coerce, nullable=nullable)
    if isinstance(type_, GraphQLEnumType):
        return _enum(type_, coerce, nullable=nullable)
    return _whole(frozenset(), list, coerce, nullable=nullable)


def _whole(classes: frozenset[type], at_once: Show, coerce: Callable[[Any], Any], *, nullable: bool) -> Show:
    one_by_one = _one_by_one(coerce, nullable=nullable)

    def show(values: Sequence[Any]) -> list[Any]:
        return at_once(values) if classes.issuperset(map(type, values)) else one_by_one(values)

    return show


def _one_by_one(coerce: Callable[[Any], Any], *, nullable: bool) -> Show:
    if nullable:
        return lambda values: [None if value is None else coerce(value) for value in values]
    return lambda values: list(map(coerce, values))


def _never_null(coerce: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        shown = None if value is None or isinstance(value, Exception) else coerce(value)
        if shown is None:
            raise NotPlain
        return shown

    return read


def _ints(values: Sequence[Any]) -> list[Any]:
    if values and (min(values) < -_INT_LIMIT or max(values) >= _INT_LIMIT):
        raise NotPlain
    return list(values)


def _floats(coerce: Callable[[Any], Any], *, nullable: bool) -> Show:
    one_by_one = _one_by_one(coerce, nullable=nullable)
    passing = {float, NOTHING} if nullable else {float}

    def show(values: Sequence[Any]) -> list[Any]:
        classes = set(map(type, values))
        if classes == {int}:
            return list(map(float, values))
        # Zeros and nulls, which `filter` leaves out, are finite.
        if classes <= passing and all(map(math.isfinite, filter(None, values))):
            return list(values)
        return one_by_one(values)

    return show


def _enum(type_: GraphQLEnumType, coerce: Callable[[Any], Any], *, nullable: bool) -> Show:
    members = list(getattr(type_, "wrapped_cls", ()))
    shown = {member: coerce(member) for member in members}
    # Members equal to texts are told from these by their class.
    return _whole(
        frozenset(map(type, members)), lambda values: list(map(shown.__getitem__, values)), coerce, nullable=nullable
    )
