"""Arguments: what a resolver is given, worked out once as far as the document goes, and completed by the variables.

Strawberry looks up for every argument of every call what its type is made of. Here that is done once for
each field of a document; what cannot be taken is left to the long way, which says why.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING
from functools import cache
from typing import Any

from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLInputObjectType,
    ListValueNode,
    ObjectValueNode,
    ValueNode,
    VariableNode,
    get_named_type,
)
from graphql.execution.values import VariableValues, coerce_argument
from strawberry.types.base import StrawberryList, StrawberryMaybe, StrawberryOptional, has_object_definition
from strawberry.types.lazy_type import LazyType
from strawberry.types.maybe import Some
from strawberry.types.unset import UNSET

from api.leaves import NotPlain

Arguments = Callable[[VariableValues], dict[str, Any]]
Convert = Callable[[Any], Any]

_DEFINITION = "strawberry-definition"


def arguments_of(field: GraphQLField, node: FieldNode) -> Arguments:
    """Return how the arguments of a resolver are made of the operation's variables.

    Raises:
        NotPlain: an argument cannot be read in the short way.
    """
    given = {one.name.value: one for one in node.arguments or ()}
    converting = {
        name: (
            argument.extensions[_DEFINITION].python_name,
            _convert(argument.type, argument.extensions[_DEFINITION].type),
        )
        for name, argument in field.args.items()
    }
    fixed: dict[str, Any] = {}
    varying = []
    for name, argument in field.args.items():
        if name in given and _varies(given[name].value):
            varying.append((name, argument, given[name]))
        else:
            coerce_argument(fixed, node, name, argument, given.get(name), None, None)

    def read(variables: VariableValues) -> dict[str, Any]:
        values = dict(fixed)
        for name, argument, written in varying:
            coerce_argument(values, node, name, argument, written, variables, None)
        return {converting[name][0]: converting[name][1](value) for name, value in values.items()}

    return read


def _varies(node: ValueNode) -> bool:
    if isinstance(node, ListValueNode):
        return any(map(_varies, node.values))
    if isinstance(node, ObjectValueNode):
        return any(_varies(field.value) for field in node.fields)
    return isinstance(node, VariableNode)


def _convert(type_: Any, declared: Any) -> Convert:
    """Return what strawberry's `convert_argument` does for one type, as a function of the value alone."""
    if isinstance(declared, StrawberryMaybe):
        inner = _convert(type_, declared.of_type)
        may_be_null = isinstance(declared.of_type, StrawberryOptional)
        return lambda value: Some(inner(_refused(value) if value is None and not may_be_null else value))
    if isinstance(declared, StrawberryOptional):
        return _convert(type_, declared.of_type)
    if isinstance(declared, LazyType):
        return _convert(type_, declared.resolve_type())
    if isinstance(declared, StrawberryList):
        item = _convert(type_, declared.of_type)
        return _unless_missing(lambda value: [item(one) for one in value])
    if has_object_definition(declared):
        return _unless_missing(_input(get_named_type(type_), declared))
    return _as_it_is


@cache
def _input(type_: Any, declared: Any) -> Convert:
    if not isinstance(type_, GraphQLInputObjectType) or declared.__strawberry_definition__.from_input is not None:
        raise NotPlain
    known: Mapping[str, Any] = {name: field.extensions[_DEFINITION] for name, field in type_.fields.items()}
    absent = {
        field.python_name: None
        for field in known.values()
        if field.default_value is MISSING and field.default_factory is MISSING
    }
    definition = declared.__strawberry_definition__

    @cache
    def converting(name: str) -> tuple[str, Convert]:
        # When it is needed first: an input may hold others of its own kind.
        field = known[name]
        return field.python_name, _convert(type_.fields[name].type, field.resolve_type(type_definition=definition))

    def make(value: Mapping[str, Any]) -> Any:
        named = dict(absent)
        for name, one in value.items():
            python_name, convert = converting(name)
            named[python_name] = convert(one)
        return declared(**named)

    return make


def _unless_missing(convert: Convert) -> Convert:
    return lambda value: value if value is None or value is UNSET else convert(value)


def _as_it_is(value: Any) -> Any:
    return value


def _refused(_: Any) -> Any:
    raise NotPlain
