"""Shape: how deep and how wide a document is, each fragment measured once.

Spreading a fragment twice costs two additions, whatever the fragment spreads in turn, so that a
document whose expansion is exponential is measured in the time it takes to read it. The fields
below `__schema` and `__type` are counted apart: tools ask for them in depth.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

from api.errors import Refused
from api.limits import DocumentLimits

_INTROSPECTION = frozenset({"__schema", "__type"})
# Each level takes two Python frames, of which there are a thousand at most.
_NESTING = 150


@dataclass(slots=True)
class Shape:
    """What was counted of one selection; depth is the longest way down, the rest are sums."""

    depth: int = 0
    fields: int = 0
    aliases: int = 0
    directives: int = 0
    introspection_depth: int = 0
    introspection_fields: int = 0

    def add(self, other: "Shape") -> None:
        self.depth = max(self.depth, other.depth)
        self.fields += other.fields
        self.aliases += other.aliases
        self.directives += other.directives
        self.introspection_depth = max(self.introspection_depth, other.introspection_depth)
        self.introspection_fields += other.introspection_fields


def refuse_misshapen(document: DocumentNode, limits: DocumentLimits) -> None:
    """Check a parsed document, valid or not, against the limits.

    Raises:
        Refused: names the limit, the value measured and the value allowed.
    """
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    _check("operations", len(operations), limits.operations)
    measuring = _Measuring(node for node in document.definitions if isinstance(node, FragmentDefinitionNode))
    whole = Shape()
    for operation in operations:
        whole.directives += len(operation.directives or ())
        whole.add(measuring.of(operation.selection_set, 0))
    # A fragment that nothing spreads is invalid, yet it is validated before that is known.
    for name in measuring.fragments:
        if name not in measuring.measured:
            whole.add(measuring.of_fragment(name, 0))
    for limit in ("depth", "fields", "aliases", "directives", "introspection_depth", "introspection_fields"):
        _check(limit, getattr(whole, limit), getattr(limits, limit))


def _check(limit: str, measured: int, allowed: int) -> None:
    if measured > allowed:
        shown = str(measured) if measured < 10**9 else "more than a billion"
        name = limit.replace("_", " ")
        raise Refused(
            f"The document's {name} measured {shown}; at most {allowed} are allowed. Ask for less at a time.",
            limit=limit,
            measured=min(measured, 10**9),
            allowed=allowed,
        )


class _Measuring:
    def __init__(self, fragments: Iterable[FragmentDefinitionNode]) -> None:
        self.fragments = {fragment.name.value: fragment for fragment in fragments}
        self.measured: dict[str, Shape] = {}
        self._under_way: set[str] = set()

    def of(self, selection_set: SelectionSetNode | None, level: int) -> Shape:
        shape = Shape()
        if selection_set is None:
            return shape
        _check("nesting", level, _NESTING)
        spread: set[str] = set()
        for node in selection_set.selections:
            shape.directives += len(node.directives or ())
            if isinstance(node, FieldNode):
                self._add_field(shape, node, level)
            elif isinstance(node, InlineFragmentNode):
                shape.add(self.of(node.selection_set, level + 1))
            elif isinstance(node, FragmentSpreadNode) and node.name.value not in spread:
                # The executor, too, visits a fragment once per selection.
                spread.add(node.name.value)
                shape.add(self.of_fragment(node.name.value, level + 1))
        return shape

    def of_fragment(self, name: str, level: int) -> Shape:
        if name in self.measured:
            return self.measured[name]
        fragment = self.fragments.get(name)
        if fragment is None or name in self._under_way:
            # An unknown fragment, or one that spreads itself: validation says so.
            return Shape()
        self._under_way.add(name)
        shape = self.of(fragment.selection_set, level)
        self._under_way.discard(name)
        self.measured[name] = shape
        return shape

    def _add_field(self, shape: Shape, node: FieldNode, level: int) -> None:
        inner = self.of(node.selection_set, level + 1)
        if node.name.value in _INTROSPECTION:
            inner = Shape(
                introspection_depth=inner.depth + 1, introspection_fields=inner.fields + 1, directives=inner.directives
            )
        else:
            inner.depth += 1
            inner.fields += 1
        inner.aliases += node.alias is not None
        shape.add(inner)
