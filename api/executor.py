"""The executor: values that need no resolver are read straight off the domain value.

graphql-core spends about ten microseconds on every field, most of it on what only a resolver could
want to know (where it is, what was selected below it, how to undo an error). A selection that reads
attributes wants none of that: it is turned into one function per operation, and whatever that
function cannot do (a null where none may be, a value of another type) is done over by
graphql-core, which then says precisely what is wrong and where.
"""

import math
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any, cast

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLField,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLLeafType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLString,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
    is_scalar_type,
)
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.types.field import StrawberryField

from api.fields import scope_of
from api.whole_lists import Column, loading, rows_of

Read = Callable[[Any], Any]
"""Takes a domain value to what the answer shows of it."""

Objects = dict[tuple[str, tuple[int, ...]], Read | None]
"""How objects are read, by their type and the nodes of the document that select of them."""

_INT_LIMIT = 2**31


class NotPlain(Exception):
    """The value cannot be read in the short way."""


class Executor(StrawberryGraphQLCoreExecutionContext):
    """graphql-core's executor, with a short way for plain values."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._readings: dict[int, tuple[Any, list[tuple[str, Any, Read | None]]]] = {}
        self.objects: Objects = {}
        self._columns: dict[tuple[str, int], tuple[Any, list[Column] | None]] = {}

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Any,
        grouped_field_set: Any,
        position_context: Any,
    ) -> Any:
        if path is None:
            return super().execute_fields(parent_type, source_value, path, grouped_field_set, position_context)
        reading = self._reading(parent_type, grouped_field_set)
        rest: dict[str, Any] = {}
        results: dict[str, Any] = {}
        try:
            for name, details, read in reading:
                results[name] = None if read is None else read(source_value)
                if read is None:
                    rest[name] = details
        except Exception:  # noqa: BLE001 -- graphql-core does it over, and says what is wrong
            return super().execute_fields(parent_type, source_value, path, grouped_field_set, position_context)
        if not rest:
            return results
        return _completed(results, super().execute_fields(parent_type, source_value, path, rest, position_context))

    def complete_list_value(
        self, return_type: Any, field_details_list: Any, info: Any, path: Any, result: Any, position_context: Any
    ) -> Any:
        if type(result) in (list, tuple):
            read = self._read_list(return_type, field_details_list)
            if read is not None:
                try:
                    return read(result)
                except Exception:  # noqa: BLE001, S110 -- as above
                    pass
            elif result and (columns := self._columns_of(return_type.of_type, field_details_list)):
                again = partial(self._row_by_row, return_type, field_details_list, info, path, result, position_context)
                return self._at_once(columns, result, again)
        return super().complete_list_value(return_type, field_details_list, info, path, result, position_context)

    async def _at_once(self, columns: list[Column], rows: Any, again: Callable[[], Awaitable[Any]]) -> Any:
        try:
            return await rows_of(self, columns, rows)
        except Exception:  # noqa: BLE001 -- as above
            return await again()

    async def _row_by_row(self, *arguments: Any) -> Any:
        completed = super().complete_list_value(*arguments)
        return await completed if self.is_awaitable(completed) else completed

    def _columns_of(self, type_: Any, details: Any) -> list[Column] | None:
        """Return the columns of a list of objects, if each of them is plain or can be loaded for all rows."""
        type_ = type_.of_type if is_non_null_type(type_) else type_
        if not is_object_type(type_):
            return None
        key = (type_.name, id(details))
        if key not in self._columns:
            self._columns[key] = (details, self._make_columns(type_, details))
        return self._columns[key][1]

    def _make_columns(self, type_: GraphQLObjectType, details: Any) -> list[Column] | None:
        is_of = _belonging(type_)
        grouped_field_set, defer_usages, _ = self.collect_subfields(type_, details)
        if is_of is None or defer_usages:
            return None
        columns = []
        for name, field_details, plain in self._reading(type_, grouped_field_set):
            column = self._column(type_, name, field_details) if plain is None else Column(name, _of(is_of, plain))
            if column is None:
                return None
            columns.append(column)
        return columns

    def _column(self, type_: GraphQLObjectType, name: str, details: Any) -> Column | None:
        field = self.schema.get_field(type_, details[0].node.name.value)
        load = loading(field, details) if field is not None else None
        complete = self._completing(field.type, details) if field is not None and load is not None else None
        return None if complete is None else Column(name, complete, load)

    def _reading(self, type_: GraphQLObjectType, grouped_field_set: Any) -> list[tuple[str, Any, Read | None]]:
        found = self._readings.get(id(grouped_field_set))
        if found is None:
            fields = [(name, details, self._read_field(type_, details)) for name, details in grouped_field_set.items()]
            # The set itself is kept as well, so that its identity is not given to another one.
            found = self._readings[id(grouped_field_set)] = (grouped_field_set, fields)
        return found[1]

    def _read_field(self, parent: GraphQLObjectType, details: Any) -> Read | None:
        name = details[0].node.name.value
        if name == "__typename":
            shown = parent.name
            return lambda _: shown
        field = self.schema.get_field(parent, name)
        get = _getter(field) if field is not None else None
        if field is None or get is None:
            return None
        complete = self._completing(field.type, details)
        return None if complete is None else lambda source: complete(get(source))

    def _completing(self, type_: GraphQLOutputType, details: Any) -> Read | None:
        """Return what makes of a field's value what is shown of it, or `None` where that takes a resolver."""
        if is_non_null_type(type_):
            complete = self._completing(type_.of_type, details)
            return None if complete is None else _never_null(complete)
        if is_leaf_type(type_):
            return _leaf(type_)
        if is_list_type(type_):
            return self._read_list(type_, details)
        return self._read_object(type_, details) if is_object_type(type_) else None

    def _read_list(self, type_: Any, details: Any) -> Read | None:
        complete = self._completing(type_.of_type, details)
        return None if complete is None else _each(complete, _shown_as_they_are(type_.of_type))

    def _read_object(self, type_: GraphQLObjectType, details: Any) -> Read | None:
        key = (type_.name, tuple(id(one.node) for one in details))
        if key not in self.objects:
            self.objects[key] = self._object(type_, details)
        return self.objects[key]

    def _object(self, type_: GraphQLObjectType, details: Any) -> Read | None:
        is_of = _belonging(type_)
        grouped_field_set, defer_usages, _ = self.collect_subfields(type_, details)
        if is_of is None or defer_usages:
            return None
        fields = [(name, read) for name, _, read in self._reading(type_, grouped_field_set) if read is not None]
        if len(fields) < len(grouped_field_set):
            return None

        def read(value: Any) -> Any:
            if value is None:
                return None
            if not is_of(value):
                raise NotPlain
            return {name: read_field(value) for name, read_field in fields}

        return read


def _each(complete: Read, passing: frozenset[type]) -> Read:
    """Return what completes a list, one value after the other unless all of them are shown as they are."""

    def read(values: Any) -> Any:
        if values is None:
            return None
        if type(values) not in (list, tuple):
            raise NotPlain
        # Zeros and nulls, which `filter` leaves out, are finite.
        if passing.issuperset(map(type, values)) and (
            float not in passing or all(map(math.isfinite, filter(None, values)))
        ):
            return list(values)
        return [complete(value) for value in values]

    return read


def _shown_as_they_are(type_: GraphQLOutputType) -> frozenset[type]:
    """Return the classes whose values need no coercion to be shown as this type."""
    if is_non_null_type(type_):
        return _shown_as_they_are(type_.of_type) - {type(None)}
    found = _AS_THEY_ARE.get(type_.name) if is_scalar_type(type_) and type_ in _BUILT_IN else None
    return frozenset() if found is None else frozenset({found, type(None)})


def _of(is_of: Callable[[Any], bool], read: Read) -> Read:
    def read_of(value: Any) -> Any:
        if not is_of(value):
            raise NotPlain
        return read(value)

    return read_of


def _completed(results: dict[str, Any], rest: Any) -> Any:
    """Put what took resolvers in its place; the order is that of the document."""
    if isinstance(rest, dict):
        return _merged(results, rest)

    async def later() -> dict[str, Any]:
        return _merged(results, await rest)

    return later()


def _merged(results: dict[str, Any], rest: dict[str, Any]) -> dict[str, Any]:
    results.update(rest)
    return results


def _getter(field: GraphQLField) -> Read | None:
    """Return how a field's value is got without anything but its source, if it can be."""
    definition = (field.extensions or {}).get("strawberry-definition")
    if not isinstance(definition, StrawberryField) or definition.extensions or scope_of(field) is not None:
        return None
    resolver = definition.base_resolver
    if resolver is None:
        name = definition.python_name
        return lambda source: getattr(source, name)
    alone = len(resolver.signature.parameters) == 1 and not resolver.arguments and resolver.info_parameter is None
    return cast("Read", resolver.wrapped_func) if alone and not definition.is_async else None


def _belonging(type_: GraphQLObjectType) -> Callable[[Any], bool] | None:
    """Return how a value is known to be of a type, or `None` where that takes more than its class."""
    if type_.is_type_of is None:
        return lambda _: True
    definition = (type_.extensions or {}).get("strawberry-definition")
    on = getattr(getattr(definition, "origin", None), "window_on", None)
    return None if on is None else lambda value: type(value) is on


def _never_null(complete: Read) -> Read:
    def read(value: Any) -> Any:
        shown = complete(value)
        if shown is None:
            raise NotPlain
        return shown

    return read


def _leaf(type_: GraphQLLeafType) -> Read:
    coerce = type_.coerce_output_value
    if isinstance(type_, GraphQLEnumType):
        return _enum(type_)
    if type_ is GraphQLFloat:
        return _float
    passes = _PASSING.get(type_.name) if type_ in _BUILT_IN else None

    def read(value: Any) -> Any:
        if value is None or (passes is not None and passes(value)):
            return value
        shown = coerce(value)
        if shown is None:
            raise NotPlain
        return shown

    return read


def _float(value: Any) -> Any:
    if type(value) is int:
        return float(value)
    if value is None or (type(value) is float and math.isfinite(value)):
        return value
    raise NotPlain


def _enum(type_: GraphQLEnumType) -> Read:
    coerce, shown = type_.coerce_output_value, {}

    def read(value: Any) -> Any:
        if value is None:
            return None
        if value not in shown:
            shown[value] = coerce(value)
        return shown[value]

    return read


_BUILT_IN: Iterable[Any] = (GraphQLString, GraphQLID, GraphQLInt, GraphQLFloat, GraphQLBoolean)
_AS_THEY_ARE: dict[str, type] = {"String": str, "ID": str, "Float": float, "Boolean": bool}
_PASSING: dict[str, Callable[[Any], bool]] = {
    "String": lambda value: type(value) is str,
    "ID": lambda value: type(value) is str,
    "Int": lambda value: type(value) is int and -_INT_LIMIT <= value < _INT_LIMIT,
    "Boolean": lambda value: type(value) is bool,
}
