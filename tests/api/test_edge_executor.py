"""The executor: what is read the short way is what graphql-core would have shown, errors included."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

import pytest
import strawberry
from graphql import ExecutionResult, execute, parse
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from api.context import OperationContext
from api.executor import Executor
from api.fields import resolved, window
from api.schema import build, executable
from tests.support.edge import principal


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True)
class Leaf:
    number: Any = 1
    share: Any = 0.5
    text: Any = "text"
    colour: Any = Colour.RED
    tags: Any = ("a", "b")
    needed: Any = "needed"
    inner: Any = None


strawberry.enum(Colour, description="A colour.")


@window(Leaf, name="Leaf", description="A leaf.")
class LeafWindow:
    number: int | None
    share: float | None
    text: str | None
    colour: Colour | None
    tags: list[str] | None
    needed: str
    inner: "LeafWindow | None"

    @resolved(description="Read off the leaf alone.")
    def loud(self: Any) -> str:
        return str(self.text).upper()

    @resolved(description="Read with an argument.")
    def repeated(self: Any, times: int = 2) -> str:
        return str(self.text) * times

    @resolved(description="Read in its own time.")
    async def later(self: Any) -> str:
        return f"later {self.text}"


LEAVES: list[Any] = []


@strawberry.type
class Query:
    @resolved(description="Leaves.", graphql_type=list[LeafWindow | None] | None)
    def leaves(self) -> Any:
        return LEAVES

    @resolved(description="Leaves that must be there.", graphql_type=list[LeafWindow] | None)
    async def sure(self) -> Any:
        return LEAVES

    @resolved(description="One.", graphql_type=LeafWindow | None)
    def one(self) -> Any:
        return LEAVES[0]


SCHEMA = executable(build(Query))
CONTEXT = OperationContext(None, principal(), "req", None)  # type: ignore[arg-type]


async def run(query: str, executor: Any, **variables: Any) -> ExecutionResult:
    result = execute(SCHEMA, parse(query), context_value=CONTEXT, executor_class=executor, variable_values=variables)
    return result if isinstance(result, ExecutionResult) else await result


@pytest.fixture(autouse=True)
async def leaves() -> AsyncIterator[None]:
    LEAVES[:] = [Leaf(), Leaf(inner=Leaf(number=None, tags=[])), None, Leaf(share=2, number=True)]
    yield
    LEAVES.clear()


QUERIES = [
    "{ leaves { __typename number share text colour tags needed loud } }",
    "{ leaves { inner { number tags inner { text } } text again: text } }",
    "{ sure { text later number } }",
    "{ leaves { later number repeated(times: 3) loud text } }",
    (
        "query($yes: Boolean = false) { leaves { text @include(if: $yes) number @skip(if: $yes) ...F } }"
        " fragment F on Leaf { colour inner { text } }"
    ),
    "{ one { ...F inner { text } } } fragment F on Leaf { inner { number } }",
    "{ one { colour loud } leaves { ... on Leaf { tags } } }",
]
WRONG: list[Any] = [
    Leaf(number="many"),
    Leaf(number=2**40),
    Leaf(share=float("nan")),
    Leaf(colour="green"),
    Leaf(tags="not a list"),
    Leaf(tags=[None]),
    Leaf(needed=None),
    Leaf(text=ValueError("a value that is an error")),
    Leaf(inner="not a leaf"),
    Leaf(inner=Leaf(needed=None)),
    "not a leaf",
]


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("wrong", [None, *WRONG], ids=repr)
async def test_the_short_way_shows_what_the_long_way_shows(query: str, wrong: Any) -> None:
    if wrong is not None:
        LEAVES.append(wrong)
    short = await run(query, Executor)
    long = await run(query, StrawberryGraphQLCoreExecutionContext)
    assert short.data == long.data
    assert str(short.data) == str(long.data), "in the same order"
    assert [error.formatted for error in short.errors or ()] == [error.formatted for error in long.errors or ()]


async def test_plain_values_take_no_resolver_of_strawberry(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("the long way was taken")

    monkeypatch.setattr(Executor, "build_resolve_info", refuse)
    executor: Any = Executor.build(SCHEMA, parse("{ leaves { number loud inner { tags } } }"), context_value=CONTEXT)
    field = SCHEMA.query_type.fields["leaves"]  # type: ignore[union-attr]
    node = executor.operation.selection_set.selections[0]
    details = [type("Details", (), {"node": node, "defer_usage": None, "fragment_variable_values": None})()]
    shown = executor.complete_list_value(field.type, details, None, None, LEAVES, None)
    assert shown[0] == {"number": 1, "loud": "TEXT", "inner": None}
