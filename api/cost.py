"""Cost: what an operation may take at most, in points, counted before it runs.

A point stands for about 100 microseconds of the server. A field that returns objects costs one,
a plain value a tenth, unless `@cost` says otherwise; whatever is selected inside a list counts once
per item, and an argument `first` or `last` says how many items there can be.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLNamedType,
    GraphQLSchema,
    GraphQLType,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    Undefined,
    ValueNode,
    VariableNode,
    get_named_type,
    is_composite_type,
    is_list_type,
    is_wrapping_type,
)

from api.fields import FieldPrice, price_of

TENTHS = 10
INTROSPECTION_POINTS = 100
"""Asking for the schema costs the same however it is asked."""
_MOST_ITEMS = 1_000
_SIZES = ("first", "last")


@dataclass(frozen=True, slots=True)
class _Facts:
    """What pricing needs of a field of the schema, found once."""

    type: GraphQLNamedType
    own: int
    list_size: int | None
    sized_by: tuple[str, ...]
    is_list: bool
    is_connection: bool
    is_page: bool
    defaults: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Amount:
    """Tenths of a point: fixed, and per item of the connection that the selection lies in."""

    fixed: int = 0
    per_item: int = 0


class Prices:
    """The prices of one schema's fields."""

    def __init__(self, schema: GraphQLSchema, list_size: int) -> None:
        self.schema = schema
        self.list_size = list_size
        self._facts: dict[tuple[str, str], _Facts | None] = {}

    def of(self, document: DocumentNode, operation: OperationDefinitionNode, variables: Mapping[str, Any]) -> int:
        """Return what a valid operation costs with these variables, in whole points, rounded up."""
        root = self.schema.get_root_type(operation.operation)
        if root is None:
            return 0
        amount = _Pricing(self, document, operation, variables).of(operation.selection_set, root)
        return -(-amount.fixed // TENTHS)

    def facts(self, parent: GraphQLNamedType, name: str) -> _Facts | None:
        key = (parent.name, name)
        if key not in self._facts:
            field = self.schema.get_field(parent, name) if is_composite_type(parent) else None
            self._facts[key] = None if field is None else self._read(parent, name, field)
        return self._facts[key]

    def _read(self, parent: GraphQLNamedType, name: str, field: GraphQLField) -> _Facts:
        type_ = get_named_type(field.type)
        price = price_of(field)
        usual = TENTHS if is_composite_type(type_) else 1
        own = usual if price is None else price.weight * TENTHS
        if name.startswith("__"):
            own = 0 if name == "__typename" else INTROSPECTION_POINTS * TENTHS
        price = price or FieldPrice()
        siblings = getattr(parent, "fields", {})
        return _Facts(
            type=type_,
            own=own,
            list_size=price.list_size,
            sized_by=price.sized_by,
            is_list=_holds_list(field.type) and is_composite_type(type_),
            is_connection=any(size in field.args for size in _SIZES),
            is_page=(name in ("nodes", "edges") and "pageInfo" in siblings)
            or (name == "events" and "hasMore" in siblings),
            defaults={key: arg.default_value for key, arg in field.args.items() if arg.default_value is not Undefined},
        )


def _holds_list(type_: GraphQLType) -> bool:
    while is_wrapping_type(type_):
        if is_list_type(type_):
            return True
        type_ = type_.of_type
    return False


class _Pricing:
    def __init__(
        self, prices: Prices, document: DocumentNode, operation: OperationDefinitionNode, variables: Mapping[str, Any]
    ) -> None:
        self.prices = prices
        self.variables = variables
        self.defaults = {
            node.variable.name.value: node.default_value
            for node in operation.variable_definitions or ()
            if node.default_value is not None
        }
        self.fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self.priced: dict[str, Amount] = {}

    def of(self, selection_set: SelectionSetNode, parent: GraphQLNamedType) -> Amount:
        fixed = per_item = 0
        for node in selection_set.selections:
            if isinstance(node, FieldNode):
                amount = self._of_field(node, parent)
            elif isinstance(node, FragmentSpreadNode):
                amount = self._of_fragment(node.name.value)
            else:
                condition = node.type_condition  # type: ignore[attr-defined]
                on = self.prices.schema.get_type(condition.name.value) if condition else parent
                amount = self.of(node.selection_set, on or parent)  # type: ignore[attr-defined]
            fixed += amount.fixed
            per_item += amount.per_item
        return Amount(fixed, per_item)

    def _of_fragment(self, name: str) -> Amount:
        if name not in self.priced:
            fragment = self.fragments[name]
            on = self.prices.schema.get_type(fragment.type_condition.name.value)
            self.priced[name] = Amount() if on is None else self.of(fragment.selection_set, on)
        return self.priced[name]

    def _of_field(self, node: FieldNode, parent: GraphQLNamedType) -> Amount:
        facts = self.prices.facts(parent, node.name.value)
        if facts is None:
            return Amount()
        if node.selection_set is None or node.name.value.startswith("__"):
            return Amount(facts.own)
        inner = self.of(node.selection_set, facts.type)
        if facts.is_page:
            return Amount(facts.own, inner.fixed)
        if facts.is_connection:
            return Amount(facts.own + inner.fixed + inner.per_item * self._page_size(node, facts))
        total = inner.fixed + inner.per_item * self.prices.list_size
        return Amount(facts.own + total * (self._list_size(node, facts) if facts.is_list or facts.sized_by else 1))

    def _page_size(self, node: FieldNode, facts: _Facts) -> int:
        given = [size for name in _SIZES if (size := self._argument(node, name, facts)) is not None]
        return max((_items(size) for size in given), default=1)

    def _list_size(self, node: FieldNode, facts: _Facts) -> int:
        sizes = [_items(self._argument(node, name, facts)) for name in facts.sized_by]
        return sum(sizes) if facts.sized_by else facts.list_size or self.prices.list_size

    def _argument(self, node: FieldNode, name: str, facts: _Facts) -> Any:
        given = next((argument.value for argument in node.arguments or () if argument.name.value == name), None)
        if given is None:
            return facts.defaults.get(name)
        return self._value(given)

    def _value(self, node: ValueNode) -> Any:
        """Return a whole number, or a list whose length alone counts."""
        if isinstance(node, VariableNode):
            name = node.name.value
            if name in self.variables:
                return self.variables[name]
            return self._value(self.defaults[name]) if name in self.defaults else None
        if isinstance(node, IntValueNode):
            return int(node.value[:9])
        return list(node.values) if isinstance(node, ListValueNode) else None


def _items(value: Any) -> int:
    if isinstance(value, list):
        return len(value)
    return max(0, min(value, _MOST_ITEMS)) if isinstance(value, int) else 1
