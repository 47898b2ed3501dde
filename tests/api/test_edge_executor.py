"""The short way shows what graphql-core would have shown, errors and order included, whatever is selected."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Annotated, Any

import pytest
import strawberry
from graphql import ExecutionResult, execute, parse
from hypothesis import given
from hypothesis import strategies as st
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from api.context import Info, OperationContext
from api.executor import Executor
from api.fields import resolved, window
from api.limits import DocumentLimits
from api.operations import Operations
from api.schema import build, executable
from domain.access import Scope
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
    day: Any = date(2026, 3, 1)
    needed: Any = "needed"
    inner: Any = None
    others: Any = ()


@dataclass(frozen=True)
class Twig:
    needed: Any = "twig"
    grid: Any = ((1, 2), (), (3,))
    size: Any = 1


strawberry.enum(Colour, description="A colour.")


@strawberry.interface(description="What grows.")
class Grown:
    needed: str


async def lengths(_: OperationContext, roots: Any, times: int = 1) -> list[Any]:
    """Answer for all roots at once; some of them cannot be answered for."""
    return [len(root.text) * times for root in roots]


@strawberry.input(description="How often.")
class Often:
    times: int
    more: list[int] | None = None
    by: strawberry.Maybe[int] = None


@window(Leaf, name="Leaf", description="A leaf.")
class LeafWindow(Grown):
    number: int | None
    share: float | None
    text: str | None
    colour: Colour | None
    tags: list[str] | None
    day: date | None
    inner: "LeafWindow | None"
    others: list[Grown | None] | None

    @resolved(description="Read off the leaf alone.")
    def loud(self: Any) -> str:
        return str(self.text).upper()

    @resolved(description="Read with arguments.")
    def repeated(
        self: Any, times: int = 2, often: Annotated[Often | None, strawberry.argument(description="Often.")] = None
    ) -> str:
        more = sum(often.more or ()) + (often.by.value if often.by else 0) + often.times if often else 0
        return str(self.text) * (times + more)

    @resolved(description="Read in its own time.")
    async def later(self: Any, info: Info) -> str | None:
        await asyncio.sleep(0)
        info.context.principal.require(Scope.CLIENTS_READ)
        if self.number == 2:
            raise ValueError("two is too many")
        return f"later {self.text}"

    @resolved(description="Read for all at once.", for_all=lengths)
    async def length(self: Any, times: int = 1) -> int:
        return len(self.text) * times

    @resolved(description="What few may see.", scope=Scope.TENANT_WRITE)
    def secret(self) -> str | None:
        return "secret"


@window(Twig, name="Twig", description="A twig.")
class TwigWindow(Grown):
    grid: list[list[int]] | None
    size: int


@strawberry.type(description="A page.")
class Branch:
    nodes: list[LeafWindow]

    @resolved(description="How many there are.")
    async def count(self) -> int:
        return len(self.nodes)


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

    @resolved(description="Whatever grows.", graphql_type=list[Grown] | None)
    def grown(self) -> Any:
        return [*LEAVES, Twig(), Twig(grid=None)]

    @resolved(description="A branch.")
    async def branch(self, first: int | None = None) -> Branch | None:
        return Branch(nodes=LEAVES[:first])


BUILT = build(Query, types=(LeafWindow, TwigWindow))
SCHEMA = executable(BUILT)
OPERATIONS = Operations(
    BUILT, DocumentLimits(depth=30, fields=5_000, aliases=1_000, directives=1_000, cost_points=10**9)
)
CONTEXT = OperationContext(None, principal(), "req", None)  # type: ignore[arg-type]
GOOD = (Leaf(), Leaf(inner=Leaf(number=None, tags=[], others=[Twig(), Leaf(), None])), None, Leaf(share=2, number=True))


@pytest.fixture(autouse=True)
def leaves() -> Iterator[None]:
    LEAVES[:] = GOOD
    yield
    LEAVES.clear()


async def the_short_way(query: str, **variables: Any) -> ExecutionResult:
    return await OPERATIONS.execute(OPERATIONS.prepare(query, variables, None), CONTEXT)


async def the_long_way(query: str, **variables: Any) -> ExecutionResult:
    stock = StrawberryGraphQLCoreExecutionContext
    result = execute(SCHEMA, parse(query), context_value=CONTEXT, executor_class=stock, variable_values=variables)
    return result if isinstance(result, ExecutionResult) else await result


async def compare(query: str, **variables: Any) -> None:
    short, long = await the_short_way(query, **variables), await the_long_way(query, **variables)
    assert short.data == long.data
    assert str(short.data) == str(long.data), "in the same order"
    assert _told(short) == _told(long)
    # What graphql-core leaves behind at an error ends by itself.
    if left := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait(left)


def _told(result: ExecutionResult) -> list[str]:
    # Errors come in the order in which they happen, which nothing promises.
    return sorted(str(error.formatted) for error in result.errors or ())


QUERIES = [
    "{ leaves { __typename number share text colour tags day needed loud } }",
    "{ leaves { inner { number tags inner { text } } text again: text } }",
    "{ sure { text later number } }",
    "{ leaves { later number repeated(times: 3) loud text length } }",
    (
        "query($yes: Boolean = false) { leaves { text @include(if: $yes) number @skip(if: $yes) ...F } }"
        " fragment F on Leaf { colour inner { text } }"
    ),
    "{ one { ...F inner { text } } } fragment F on Leaf { inner { number } }",
    "{ one { colour loud } leaves { ... on Leaf { tags } } }",
    (
        "{ grown { __typename needed ... on Twig { grid size } ... on Leaf { text others { needed ...T } } } }"
        " fragment T on Twig { grid }"
    ),
    "{ branch(first: 3) { nodes { text length(times: 2) } count } __schema { queryType { name } } }",
    "{ one { secret text } leaves { secret text } }",
]
WRONG: list[Any] = [
    Leaf(number="many"),
    Leaf(number=2**40),
    Leaf(number=2),
    Leaf(share=float("nan")),
    Leaf(share=10**400),
    Leaf(colour="green"),
    Leaf(colour="red"),
    Leaf(tags="not a list"),
    Leaf(tags=[None]),
    Leaf(day="no day"),
    Leaf(needed=None),
    Leaf(text=ValueError("a value that is an error")),
    Leaf(text=None),
    Leaf(inner="not a leaf"),
    Leaf(inner=Twig()),
    Leaf(inner=Leaf(needed=None)),
    Leaf(others=[Twig(grid=[[1], None]), Leaf(others=[Twig(needed=None)])]),
    Leaf(others=[Twig(size=None), "not grown"]),
    "not a leaf",
    ValueError("a row that is an error"),
]


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("wrong", [None, *WRONG], ids=repr)
async def test_the_short_way_shows_what_the_long_way_shows(query: str, wrong: Any) -> None:
    if wrong is not None:
        LEAVES.append(wrong)
    await compare(query)


@pytest.mark.parametrize(
    ("given", "variables"),
    [
        ("often: {times: 1}", {}),
        ("often: {times: $a, more: [1, $a], by: $b}", {"a": 2}),
        ("often: {times: $a, more: [1, $a], by: $b}", {"a": 2, "b": 3}),
        ("often: {times: $a, by: $b}", {"a": 2, "b": None}),
        ("often: $c", {}),
        ("often: $c", {"c": None}),
        ("often: $c", {"c": {"times": 1, "more": [4], "by": 5}}),
        ("often: $c, times: $d", {"c": {"times": 1, "more": None}, "d": None}),
        ("times: $d", {}),
        ("times: $d", {"d": 5}),
        ("often: null", {}),
    ],
)
async def test_arguments_are_read_alike(given: str, variables: dict[str, Any]) -> None:
    declared = {"$a": "$a: Int! = 7", "$b": "$b: Int", "$c": "$c: Often", "$d": "$d: Int = 1"}
    used = ", ".join(text for name, text in declared.items() if name in given)
    query = f"query{f'({used})' if used else ''} {{ leaves {{ repeated({given}) text }} }}"
    await compare(query, **variables)


PLAIN_FIELDS = ["number", "share", "text", "colour", "tags", "day", "needed", "loud"]
OTHER_FIELDS = ["repeated(times:3)", "later", "length", "length(times:2)", "secret"]
FIELDS = {"Leaf": PLAIN_FIELDS + OTHER_FIELDS, "Twig": ["needed", "grid", "size"], "Grown": ["needed"]}
BELOW = {"Leaf": [("inner", "Leaf"), ("others", "Grown")], "Twig": [], "Grown": []}
CONDITIONS = ("", "", "", "@include(if: $yes)", "@skip(if: $yes)", "@include(if: true)", "@skip(if: true)")


PLAIN = str.maketrans("", "", "():")


@st.composite
def selections(draw: st.DrawFn, type_: str, depth: int = 0) -> str:
    """Draw what is selected of a type: fields, aliases, fragments and conditions, some of them twice."""
    chosen = []
    for _ in range(draw(st.integers(1, 4))):
        condition = draw(st.sampled_from(CONDITIONS))
        kind = draw(st.sampled_from(("leaf", "leaf", "below", "fragment")))
        # One alias is one field with its arguments: what is selected twice must be the same.
        prefix = draw(st.sampled_from(("", "", "x", "y")))
        if kind == "below" and BELOW[type_] and depth < 3:
            name, below = draw(st.sampled_from(BELOW[type_]))
            chosen.append(f"{prefix}{name}: {name} {condition} {{ {draw(selections(below, depth + 1))} }}")
        elif kind == "fragment" and depth < 3:
            on = draw(st.sampled_from(("Leaf", "Twig", "Grown"))) if type_ == "Grown" else type_
            chosen.append(f"... on {on} {condition} {{ {draw(selections(on, depth + 1))} }}")
        else:
            name = draw(st.sampled_from(["__typename", *FIELDS[type_]]))
            alias = prefix + name.lstrip("_").translate(PLAIN)
            chosen.append(f"{alias}: {name} {condition}" if prefix or "(" in name else f"{name} {condition}")
    return " ".join(chosen)


ROOTS = {"leaves": "Leaf", "sure": "Leaf", "one": "Leaf", "grown": "Grown"}


@given(
    st.lists(
        st.sampled_from(list(ROOTS)).flatmap(lambda root: st.tuples(st.just(root), selections(ROOTS[root]))),
        min_size=1,
        max_size=3,
    ),
    st.booleans(),
    st.lists(st.sampled_from(WRONG), max_size=2),
)
def test_whatever_is_selected_is_shown_alike(chosen: list[tuple[str, str]], yes: bool, wrong: list[Any]) -> None:
    LEAVES[:] = [*GOOD, *wrong]
    roots = " ".join(f"r{number}: {root} {{ {selected} }}" for number, (root, selected) in enumerate(chosen))
    text = f"query($yes: Boolean!) {{ {roots} }}" if "$yes" in roots else f"{{ {roots} }}"
    asyncio.run(compare(text, **({"yes": yes} if "$yes" in roots else {})))


async def test_what_is_plain_takes_nothing_of_graphql_core(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("the long way was taken")

    monkeypatch.setattr(Executor, "build", refuse)
    LEAVES[:] = [Leaf(inner=Leaf())]
    shown = await the_short_way("{ leaves { number loud inner { tags later length } } grown { needed } }")
    assert shown.data == {
        "leaves": [{"number": 1, "loud": "TEXT", "inner": {"tags": ["a", "b"], "later": "later text", "length": 4}}],
        "grown": [{"needed": "needed"}, {"needed": "twig"}, {"needed": "twig"}],
    }


async def test_beside_an_error_the_rest_goes_the_short_way(monkeypatch: pytest.MonkeyPatch) -> None:
    long: list[str] = []
    inner = Executor.build_resolve_info

    def noted(self: Any, field: Any, nodes: Any, *rest: Any) -> Any:
        long.append(nodes[0].name.value)
        return inner(self, field, nodes, *rest)

    monkeypatch.setattr(Executor, "build_resolve_info", noted)
    LEAVES[:] = [Leaf(inner=Leaf())]
    shown = await the_short_way("{ leaves { text inner { number day } } one { secret inner { text } } }")
    assert shown.errors is not None
    assert sorted(long) == ["inner", "leaves", "one", "secret"]
