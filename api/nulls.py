"""Null in inputs: what may be left out to keep what is there is not emptied where it cannot be empty."""

from collections.abc import Callable, Mapping
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLSchema,
    NullValueNode,
    ObjectFieldNode,
    ValidationRule,
    get_named_type,
)
from strawberry.types.base import StrawberryMaybe, StrawberryOptional

from api.errors import Code


class NoNullWhereNoneFits(ValidationRule):
    """Refuse `null` that is written in the document; what comes in variables is refused when they are read."""

    def enter_object_field(self, node: ObjectFieldNode, *_: Any) -> None:
        """Look at one field of an input that is written out."""
        around = self.context.get_parent_input_type()
        type_ = get_named_type(around) if around else None
        if isinstance(type_, GraphQLInputObjectType) and isinstance(node.value, NullValueNode):
            field = type_.fields.get(node.name.value)
            if field is not None and _is_never_null(field):
                self.report_error(GraphQLError(_message(type_.name, node.name.value), node))


def refuse_nulls(schema: GraphQLSchema) -> None:
    """Let every input object refuse `null` in its fields that can be left out but not be empty."""
    for type_ in schema.type_map.values():
        if isinstance(type_, GraphQLInputObjectType) and not type_.is_one_of:
            names = frozenset(name for name, field in type_.fields.items() if _is_never_null(field))
            if names:
                type_.out_type = _checked(type_.name, names, type_.out_type)  # type: ignore[method-assign, assignment]


def _checked(
    type_name: str, names: frozenset[str], read: Callable[[dict[str, Any]], Any]
) -> Callable[[Mapping[str, Any]], Any]:
    def checked(value: Mapping[str, Any]) -> Any:
        for name, given in value.items():
            if given is None and name in names:
                raise GraphQLError(_message(type_name, name), extensions={"code": Code.BAD_USER_INPUT.value})
        return read(dict(value))

    return checked


def _is_never_null(field: GraphQLInputField) -> bool:
    type_ = getattr(field.extensions.get("strawberry-definition"), "type", None)
    return isinstance(type_, StrawberryMaybe) and not isinstance(type_.of_type, StrawberryOptional)


def _message(type_name: str, name: str) -> str:
    return f"{type_name}.{name} cannot be null: give a value, or leave it out to keep what is there."
