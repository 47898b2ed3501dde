"""Selections: the fields that a document selects become columns, once for all answers to it.

Every field of the product's schema has a short way: attributes and resolvers alike. What has none
(introspection, types that only a value can tell) leaves its whole selection to graphql-core.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, TypeVar, cast

from graphql import (
    GraphQLField,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    OperationDefinitionNode,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)
from graphql.execution.collect_fields import FragmentDetails, collect_fields, collect_subfields
from graphql.execution.values import VariableValues
from strawberry.types.field import StrawberryField

from api.arguments import Arguments, arguments_of
from api.columns import Asking, Column, Leaf, Load, Many, Objects, Selection, Shown, at_once
from api.fields import ForAll, scope_of
from api.leaves import NotPlain, showing
from domain.access import Scope

T = TypeVar("T")

Key = tuple[str, tuple[int, ...]]
"""A type by its name, and the nodes of the document that select of it by identity."""


@dataclass(slots=True)
class Selections:
    """The selections of one operation, as far as they have been made.

    They hold as long as the document does whose nodes they are known by, and for all variables that
    include and skip the same.
    """

    schema: GraphQLSchema
    fragments: dict[str, FragmentDetails]
    operation: OperationDefinitionNode
    variables: VariableValues
    _made: dict[Key, Shown | None] = field(default_factory=dict)
    _root: Selection | None = None
    _root_made: bool = False

    def root(self) -> Selection | None:
        """Return what the operation selects of its root, or `None` where that has no short way."""
        if not self._root_made:
            self._root_made, self._root = True, self._or_nothing(self._of_root)
        return self._root

    def shown(self, type_: GraphQLOutputType, details: Sequence[Any]) -> Shown | None:
        """Return how values of a type are shown where they are selected from, or `None` likewise."""
        key = (str(type_), tuple(id(one.node) for one in details))
        if key not in self._made:
            self._made[key] = self._or_nothing(lambda: self._shown(type_, details, nullable=True))
        return self._made[key]

    def _of_root(self) -> Selection:
        type_ = self.schema.get_root_type(self.operation.operation)
        if type_ is None:
            raise NotPlain
        return self._selection(
            type_, collect_fields(self.schema, self.fragments, self.variables, type_, self.operation)
        )

    def _or_nothing(self, make: Callable[[], T]) -> T | None:
        try:
            return make()
        except Exception:  # noqa: BLE001 -- graphql-core reads it, and says what is wrong if anything is
            return None

    def _selection(self, type_: GraphQLObjectType, collected: Any) -> Selection:
        grouped, defer_usages, _ = collected
        if defer_usages:
            raise NotPlain
        return Selection([self._column(type_, name, details) for name, details in grouped.items()])

    def _column(self, type_: GraphQLObjectType, name: str, details: Sequence[Any]) -> Column:
        node = details[0].node
        if details[0].fragment_variable_values:
            raise NotPlain
        if node.name.value == "__typename":
            return Column(name, _load_of_all(lambda _: type_.name), Leaf(list), loads=False)
        selected = type_.fields.get(node.name.value)
        if selected is None:
            raise NotPlain
        load, loads = _loading(selected, node)
        return Column(name, load, self._shown(selected.type, details, nullable=True), loads)

    def _shown(self, type_: Any, details: Sequence[Any], *, nullable: bool) -> Shown:
        if is_non_null_type(type_):
            return self._shown(type_.of_type, details, nullable=False)
        if is_leaf_type(type_):
            return Leaf(showing(type_, nullable=nullable))
        if is_list_type(type_):
            return Many(self._shown(type_.of_type, details, nullable=True), nullable)
        if is_object_type(type_):
            return _objects({_class_of(type_): self._below(type_, details)}, nullable=nullable)
        if not is_abstract_type(type_):
            raise NotPlain
        possible = {_class_of(one): one for one in self.schema.get_possible_types(type_)}
        if None in possible or len(possible) < len(self.schema.get_possible_types(type_)):
            raise NotPlain
        return _objects({on: self._below(one, details) for on, one in possible.items()}, nullable=nullable)

    def _below(self, type_: GraphQLObjectType, details: Sequence[Any]) -> Selection:
        return self._selection(
            type_, collect_subfields(self.schema, self.fragments, self.variables, self.operation, type_, list(details))
        )


def _objects(selections: Mapping[type | None, Selection], *, nullable: bool) -> Objects:
    return Objects(selections, nullable, any(selection.waits for selection in selections.values()))


def _class_of(type_: GraphQLObjectType) -> type | None:
    """Return the class whose values are of a type, or `None` where any may be.

    Raises:
        NotPlain: it takes more than the class to tell.
    """
    if type_.is_type_of is None:
        return None
    definition = (type_.extensions or {}).get("strawberry-definition")
    on: type | None = getattr(getattr(definition, "origin", None), "window_on", None)
    if on is None:
        raise NotPlain
    return on


def _loading(selected: GraphQLField, node: Any) -> tuple[Load, bool]:
    """Return how a field is got of objects, and whether that may have to wait.

    Raises:
        NotPlain: its resolver is none of the product's.
    """
    definition = (selected.extensions or {}).get("strawberry-definition")
    if not isinstance(definition, StrawberryField) or definition.extensions:
        raise NotPlain
    scope, resolver = scope_of(selected), definition.base_resolver
    if resolver is None:
        return _guarded(scope, _load_of_all(attrgetter(definition.python_name))), False
    resolve = cast("Callable[..., Any]", resolver.wrapped_func)
    arguments = arguments_of(selected, node)
    for_all: ForAll | None = getattr(resolve, "for_all", None)
    if for_all is not None:
        return _guarded(scope, _load_for_all(for_all, arguments)), True
    of_its_object = bool(resolver.self_parameter or resolver.root_parameter)
    named = {"info": resolver.info_parameter.name} if resolver.info_parameter else {}
    if of_its_object and not named and not selected.args and not definition.is_async:
        return _guarded(scope, _load_of_all(resolve)), False
    call = _load_one_by_one(resolve, arguments, named, of_its_object=of_its_object, is_async=definition.is_async)
    return _guarded(scope, call), definition.is_async


def _guarded(scope: Scope | None, load: Load) -> Load:
    if scope is None:
        return load

    async def guarded(asking: Asking, objects: Sequence[Any]) -> Sequence[Any]:
        asking.context.principal.require(scope)
        return await load(asking, objects)

    return guarded


def _load_of_all(get: Callable[[Any], Any]) -> Load:
    async def load(_: Asking, objects: Sequence[Any]) -> Sequence[Any]:
        return list(map(get, objects))

    return load


def _load_for_all(for_all: ForAll, arguments: Arguments) -> Load:
    async def load(asking: Asking, objects: Sequence[Any]) -> Sequence[Any]:
        return await for_all(asking.context, objects, **arguments(asking.variables))

    return load


def _load_one_by_one(
    resolve: Callable[..., Any],
    arguments: Arguments,
    named: Mapping[str, str],
    *,
    of_its_object: bool,
    is_async: bool,
) -> Load:
    async def load(asking: Asking, objects: Sequence[Any]) -> Sequence[Any]:
        given = arguments(asking.variables)
        if named:
            given[named["info"]] = asking
        found = [resolve(one, **given) if of_its_object else resolve(**given) for one in objects]
        if not is_async:
            return found
        return await at_once(iter(found)) if len(found) > 1 else [await found[0]]

    return load
