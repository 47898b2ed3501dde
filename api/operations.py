"""Operations: a document is read, measured and validated once, and then run for each caller.

GraphQL's own steps are graphql-core's; strawberry built the schema and its resolvers. What lies
between, strawberry's view and extension runner, is left out: they cost several times a small
operation, and their defaults are what this file closes (limits before validation, prices before
execution, every phase with its own code).
"""

from collections import OrderedDict
from collections.abc import AsyncIterable, Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeGuard, cast

import strawberry
from graphql import (
    DirectiveNode,
    DocumentNode,
    ExecutionResult,
    FragmentDefinitionNode,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    Undefined,
    VariableNode,
    Visitor,
    coerce_input_value,
    create_source_event_stream,
    execute_root_selection_set,
    execute_subscription_event,
    get_variable_values,
    parse,
    specified_rules,
    validate,
    visit,
)
from graphql.execution.collect_fields import FragmentDetails
from graphql.execution.get_variable_signature import GraphQLVariableSignature, get_variable_signature
from graphql.execution.values import VariableValues, VariableValueSource
from graphql.validation import ASTValidationRule
from strawberry.execution import optimized_is_awaitable
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from api.columns import Asking
from api.context import OperationContext
from api.cost import Prices
from api.errors import MAX_ERRORS, BadRequest, Refused
from api.executor import Executor
from api.leaves import NotPlain
from api.limits import DocumentLimits
from api.nulls import NoNullWhereNoneFits
from api.schema import executable
from api.selections import Selections
from api.shape import refuse_misshapen
from db.errors import DatabaseUnavailableError, StatementTimeoutError

RULES: tuple[type[ASTValidationRule], ...] = (*specified_rules, NoNullWhereNoneFits, OneOfInputValidationRule)

# Syntax trees take about a hundred times the space of their text.
_KEPT_CHARACTERS = 400_000
_ENTRY_CHARACTERS = 500
_KEPT_PRICES = 64
_KEPT_SELECTIONS = 8


class Rejected(Exception):
    """The document, or its variables, cannot be run; the errors say why, `status` which phase said so."""

    def __init__(self, errors: Sequence[GraphQLError], status: int) -> None:
        super().__init__(errors[0].message)
        self.errors = errors
        self.status = status


@dataclass(slots=True)
class Document:
    """A document that may be run, with what has been worked out of its operations so far."""

    operations: Mapping[str, OperationDefinitionNode]
    fragments: dict[str, FragmentDetails]
    tree: DocumentNode
    deciding: frozenset[str]
    """The variables that decide what is included or skipped."""
    signatures: dict[str | None, Sequence[GraphQLVariableSignature]] = field(default_factory=dict)
    prices: dict[object, int] = field(default_factory=dict)
    selections: dict[object, Selections] = field(default_factory=dict)

    @classmethod
    def of(cls, tree: DocumentNode) -> "Document":
        """Take a valid document apart."""
        operations = [node for node in tree.definitions if isinstance(node, OperationDefinitionNode)]
        fragments = [node for node in tree.definitions if isinstance(node, FragmentDefinitionNode)]
        deciding = _Deciding()
        visit(tree, deciding)
        return cls(
            {node.name.value if node.name else "": node for node in operations},
            {node.name.value: FragmentDetails(node) for node in fragments},
            tree,
            frozenset(deciding.variables),
        )


class _Deciding(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.variables: set[str] = set()

    def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
        self.variables.update(
            given.value.name.value for given in node.arguments or () if isinstance(given.value, VariableNode)
        )


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a document with its variables, priced and ready to run."""

    document: Document
    node: OperationDefinitionNode
    variables: Mapping[str, Any]
    cost: int

    @property
    def kind(self) -> OperationType:
        return self.node.operation

    @property
    def name(self) -> str | None:
        return self.node.name.value if self.node.name else None


class Operations:
    """Everything that runs operations of one schema."""

    def __init__(self, schema: strawberry.Schema, limits: DocumentLimits) -> None:
        self.schema = executable(schema)
        self.sdl = schema.as_str() + "\n"
        self.limits = limits
        self._prices = Prices(self.schema, limits.list_size)
        self._documents: OrderedDict[str, Document | Rejected | Refused] = OrderedDict()
        self._kept = 0

    def prepare(self, text: str, variables: Mapping[str, Any] | None, name: str | None) -> Operation:
        """Return the operation that a request asks for.

        Raises:
            Rejected: the document has a syntax error (400) or is not valid (422).
            Refused: it exceeds a limit.
            BadRequest: it has no such operation.
        """
        document = self._read(text)
        node = _choose(document.operations, name)
        variables = variables or {}
        cost = self._price(document, node, variables)
        if cost > self.limits.cost_points:
            raise Refused(
                f"The operation's cost measured {cost} points; at most {self.limits.cost_points} are allowed. "
                "Ask for smaller pages or fewer levels.",
                limit="cost",
                measured=min(cost, 10**9),
                allowed=self.limits.cost_points,
            )
        return Operation(document, node, variables, cost)

    async def execute(self, operation: Operation, context: OperationContext) -> ExecutionResult:
        """Run a query or mutation; a query in the short way, unless anything about it is unusual.

        Raises:
            Rejected: the variables do not fit.
        """
        if operation.kind is OperationType.QUERY:
            variables = self._variables(operation)
            selection = self._selections(operation, variables).root()
            if selection is not None:
                try:
                    return ExecutionResult((await selection.rows(Asking(context, variables), (None,)))[0])
                except (DatabaseUnavailableError, StatementTimeoutError) as error:
                    # To be said where it happened, and not to be waited for once more.
                    context.give_up(error)
                except Exception:  # noqa: BLE001, S110 -- graphql-core does it over, and says what is wrong
                    pass
        result = execute_root_selection_set(self._executor(operation, context))
        return result if isinstance(result, ExecutionResult) else await result

    async def subscribe(self, operation: Operation, context: OperationContext) -> "Subscription":
        """Open a subscription's stream of events.

        Raises:
            Rejected: the variables do not fit, or the stream could not be opened.
        """
        executor = self._executor(operation, context)
        source = create_source_event_stream(executor)
        if not isinstance(source, ExecutionResult) and not isinstance(source, AsyncIterable):
            source = await source
        if isinstance(source, ExecutionResult):
            raise Rejected(source.errors or [], 400)
        return Subscription(executor, source)

    def _executor(self, operation: Operation, context: OperationContext) -> Executor:
        executor = Executor.build(
            self.schema,
            operation.document.tree,
            context_value=context,
            raw_variable_values=dict(operation.variables),
            operation_name=operation.name,
            max_coercion_errors=MAX_ERRORS - 1,
            is_awaitable=cast("Callable[[Any], TypeGuard[Awaitable[Any]]]", optimized_is_awaitable),
        )
        if isinstance(executor, list):
            raise Rejected(executor, 400)
        executor = cast("Executor", executor)
        executor.selections = self._selections(operation, executor.variable_values)
        return executor

    def _variables(self, operation: Operation) -> VariableValues:
        """Return the variables as resolvers take them; graphql-core's own way says what does not fit."""
        with suppress(Exception):
            return self._as_given(operation)
        declared, given = operation.node.variable_definitions or (), dict(operation.variables)
        found = get_variable_values(self.schema, declared, given, max_errors=MAX_ERRORS - 1)
        if isinstance(found, list):
            raise Rejected(found, 400)
        return found

    def _as_given(self, operation: Operation) -> VariableValues:
        """Return the variables where all of them are given.

        Raises:
            NotPlain: one is left out, or does not fit.
        """
        sources, coerced = {}, {}
        for one in self._signatures(operation):
            given = operation.variables.get(one.name, Undefined)
            value = Undefined if given is Undefined else coerce_input_value(given, one.type)
            if value is Undefined:
                raise NotPlain
            sources[one.name], coerced[one.name] = VariableValueSource(one, given), value
        return VariableValues(sources, coerced)

    def _signatures(self, operation: Operation) -> Sequence[GraphQLVariableSignature]:
        """Return the declared variables with their types."""
        kept = operation.document.signatures
        found = kept.get(operation.name)
        if found is None:
            signatures = [get_variable_signature(self.schema, one) for one in operation.node.variable_definitions or ()]
            found = kept[operation.name] = [one for one in signatures if not isinstance(one, GraphQLError)]
        return found

    def _selections(self, operation: Operation, variables: VariableValues) -> Selections:
        """Return what the operation selects, which is the same as long as the same is included and skipped."""
        document = operation.document
        key = (operation.name, *((name, variables.coerced.get(name)) for name in sorted(document.deciding)))
        found = document.selections.get(key)
        if found is None:
            if len(document.selections) >= _KEPT_SELECTIONS:
                document.selections.clear()
            found = Selections(self.schema, document.fragments, operation.node, variables)
            document.selections[key] = found
        return found

    def _read(self, text: str) -> Document:
        found = self._documents.get(text)
        if found is None:
            found = self._examine(text)
            self._keep(text, found)
        else:
            self._documents.move_to_end(text)
        if isinstance(found, Document):
            return found
        raise found.with_traceback(None)

    def _examine(self, text: str) -> Document | Rejected | Refused:
        try:
            tree = parse(
                text,
                max_lexical_tokens=self.limits.tokens,
                max_comments=self.limits.tokens,
                max_source_length=self.limits.characters,
            )
            refuse_misshapen(tree, self.limits)
        except GraphQLError as error:
            return Rejected([error], 400)
        except Refused as refused:
            return refused
        errors = validate(self.schema, tree, RULES, max_errors=MAX_ERRORS)
        if errors:
            return Rejected([_invalid(error) for error in errors[:MAX_ERRORS]], 422)
        return Document.of(tree)

    def _keep(self, text: str, found: Document | Rejected | Refused) -> None:
        self._documents[text] = found
        self._kept += len(text) + _ENTRY_CHARACTERS
        while self._kept > _KEPT_CHARACTERS:
            dropped, _ = self._documents.popitem(last=False)
            self._kept -= len(dropped) + _ENTRY_CHARACTERS

    def _price(self, document: Document, node: OperationDefinitionNode, variables: Mapping[str, Any]) -> int:
        # Only whole numbers and the lengths of lists enter a price.
        counting = tuple(
            (name, len(value) if isinstance(value, list) else value)
            for name, value in variables.items()
            if isinstance(value, int | list)
        )
        key = (node.name.value if node.name else "", counting)
        price = document.prices.get(key)
        if price is None:
            price = self._prices.of(document.tree, node, variables)
            if len(document.prices) >= _KEPT_PRICES:
                document.prices.clear()
            document.prices[key] = price
        return price


class Subscription:
    """An open stream of events, each run through the operation's selection when asked for."""

    def __init__(self, executor: Executor, source: AsyncIterable[Any]) -> None:
        self._executor = executor
        self.source = source

    async def respond(self, event: Any, context: OperationContext) -> ExecutionResult:
        """Return what the operation selects of one event, read in a context of the event's own."""
        executor = self._executor.build_per_event_executor(event)
        executor.context_value = context
        result = execute_subscription_event(executor)
        return result if isinstance(result, ExecutionResult) else await result


def _choose(operations: Mapping[str, OperationDefinitionNode], name: str | None) -> OperationDefinitionNode:
    if name:
        if name not in operations:
            raise BadRequest(f"The document has no operation named {name[:80]!r}; it has {sorted(operations)[:10]}.")
        return operations[name]
    if len(operations) != 1:
        raise BadRequest(
            f"The document has {len(operations)} operations; "
            + ("say which to run in operationName." if operations else "it needs one to run.")
        )
    return next(iter(operations.values()))


def _invalid(error: GraphQLError) -> GraphQLError:
    error.extensions = {**(error.extensions or {}), "code": "GRAPHQL_VALIDATION_FAILED"}
    return error
