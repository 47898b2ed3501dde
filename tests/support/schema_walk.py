"""What the schema itself says: where ids go in, the least input of every field, and everything that can be selected."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    GraphQLUnionType,
    Undefined,
    get_named_type,
    is_leaf_type,
)

from api.context import OperationContext
from api.limits import DocumentLimits
from api.operations import Operations, Rejected
from api.rates import Rate
from api.running import shown
from api.schema import executable, product
from domain.access import Principal
from domain.ids import IdKind, public
from workflows.context import Context

WIDE = DocumentLimits(characters=1_000_000, tokens=100_000, depth=40, fields=20_000, aliases=20_000, cost_points=10**12)
"""Limits that a probe does not meet; what they do at the edge has its own tests."""

_MEMBERS = (
    "owner",
    "accountManager",
    "lead",
    "technicalLead",
    "engineer",
    "deputy",
    "member",
    "assignee",
    "fromMember",
    "toMember",
    "reassignTo",
)

KINDS: Mapping[str, IdKind] = {
    "absence": IdKind.ABSENCE,
    "amendment": IdKind.AMENDMENT,
    "approver": IdKind.CONTACT,
    "category": IdKind.TERM,
    "checklistItem": IdKind.CHECKLIST_ITEM,
    "client": IdKind.CLIENT,
    "contact": IdKind.CONTACT,
    "contract": IdKind.CONTRACT,
    "device": IdKind.DEVICE,
    "duplicate": IdKind.CLIENT,
    "followUp": IdKind.FOLLOW_UP,
    "intoTicket": IdKind.TICKET,
    "job": IdKind.JOB,
    "message": IdKind.INBOUND_MESSAGE,
    "note": IdKind.NOTE,
    "onboarding": IdKind.ONBOARDING,
    "service": IdKind.SERVICE,
    "site": IdKind.SITE,
    "ticket": IdKind.TICKET,
    "source": IdKind.INBOUND_SOURCE,
    "team": IdKind.TERM,
    "technician": IdKind.TERM,
    "token": IdKind.TOKEN,
    "transition": IdKind.TRANSITION,
    "vip": IdKind.CONTACT,
    "waiver": IdKind.WAIVER,
    **dict.fromkeys(_MEMBERS, IdKind.MEMBER),
}
"""What an argument or input field named `<this>Id` or `<this>Ids` takes."""

ENDING = {
    "Client": IdKind.CLIENT,
    "Job": IdKind.JOB,
    "InboundSource": IdKind.INBOUND_SOURCE,
    "Onboarding": IdKind.ONBOARDING,
    "Site": IdKind.SITE,
    "Ticket": IdKind.TICKET,
}
"""What an argument named `id` takes, by the type that the field returns, or the input it stands in."""

_VALUES: Mapping[str, Any] = {
    "String": "said in a sentence",
    "Int": 1,
    "Float": 1.0,
    "Boolean": True,
    "DateTime": "2026-03-02T09:00:00Z",
    "Date": "2026-03-02",
    "Duration": "PT1H",
    "TimeZone": "Europe/Amsterdam",
    "Decimal": "1.0",
    "EmailAddress": "somebody@provider.example",
    "URL": "https://provider.example/",
    "JSON": {},
}


def schema() -> GraphQLSchema:
    return executable(product())


def kind_taken(name: str, around: str) -> IdKind | None:
    """Return the kind of id that an argument or input field takes, by its name and what it belongs to."""
    if name in ("id", "ids"):
        return ENDING.get(around.removesuffix("Ref"))
    stem = name.removesuffix("s").removesuffix("Id")
    return KINDS[stem]


@dataclass(frozen=True, slots=True)
class Place:
    """One place where an id goes in: the path to it inside a field's arguments."""

    path: tuple[str, ...]
    kind: IdKind | None
    listed: bool


def places(arguments: Mapping[str, Any], around: str, above: tuple[str, ...] = ()) -> Iterator[Place]:
    """Yield every place for an id below some arguments or input fields, however deep; `around` is what they are of."""
    for name, taken in arguments.items():
        named = get_named_type(taken.type)
        listed = isinstance(_bare(taken.type), GraphQLList)
        path = (*above, f"{name}[]" if listed else name)
        if named.name == "ID":
            yield Place(path, kind_taken(name, around), listed)
        elif isinstance(named, GraphQLInputObjectType):
            yield from places(named.fields, named.name, path)


_BETTER: Mapping[str, Mapping[str, Any]] = {
    "OnboardingAdvanceInput": {"to": "EARLY_SUPPORT"},
    "PeriodInput": {"from": "2026-03-01", "to": "2026-04-01"},
    "TicketBulkUpsertInput": {"payload": [{"externalId": "T-1", "loggedAt": "2026-03-02T09:00:00Z"}]},
    "TokenCreateInput": {"kind": "SERVICE", "scopes": ["CLIENTS_READ"]},
}
"""Where the first value of a type would be refused before the rest is looked at."""

Given = Callable[[IdKind | None], str]


def least(arguments: Mapping[str, Any], around: str, given: Given, path: Sequence[str] = ()) -> dict[str, Any]:
    """Return the least that arguments must hold, with what lies on a path; ids of a kind are as given."""
    wanted = path[0].removesuffix("[]") if path else None
    return {
        name: _value(taken.type, name, around, given, path[1:] if name == wanted else ())
        for name, taken in arguments.items()
        if name == wanted or (isinstance(taken.type, GraphQLNonNull) and taken.default_value is Undefined)
    }


def _value(type_: Any, name: str, around: str, given: Given, path: Sequence[str]) -> Any:
    bare = _bare(type_)
    if isinstance(bare, GraphQLList):
        return [_value(bare.of_type, name, around, given, path)]
    if isinstance(bare, GraphQLInputObjectType):
        if _one_of(bare) and not path:
            path = (next(iter(bare.fields)),)
        return {**least(bare.fields, bare.name, given, path), **_BETTER.get(bare.name, {})}
    if isinstance(bare, GraphQLEnumType):
        return next(iter(bare.values))
    return given(kind_taken(name, around)) if bare.name == "ID" else _VALUES[bare.name]


def selection(type_: Any, depth: int, above: tuple[str, ...] = ()) -> str:
    """Return a selection of everything below a type that takes no required argument, to a depth of objects."""
    named = get_named_type(type_)
    if is_leaf_type(named):
        return ""
    if isinstance(named, GraphQLUnionType | GraphQLInterfaceType):
        members = [f"... on {t.name} {selection(t, depth, above)}" for t in schema().get_possible_types(named)]
        return "{ __typename " + " ".join(members) + " }"
    parts = ["__typename"]
    for name, found in named.fields.items():
        below = get_named_type(found.type)
        if not is_leaf_type(below) and (depth <= 0 or below.name in above):
            continue
        # The same name can be of different types in the members of an interface.
        alias = f"{named.name[0].lower()}{named.name[1:]}_{name}"
        parts.append(f"{alias}: {name}{_arguments(found)} {selection(below, depth - 1, (*above, named.name))}")
    return "{ " + " ".join(parts) + " }"


def _arguments(found: GraphQLField) -> str:
    """Return the arguments that a field cannot do without, as literals; a list needs its size."""
    given = least(found.args, get_named_type(found.type).name, nobodys)
    if "first" in found.args:
        given["first"] = 3
    written = (f"{name}: {_literal(found.args[name].type, value)}" for name, value in given.items())
    return f"({', '.join(written)})" if given else ""


def _literal(type_: Any, value: Any) -> str:
    bare = _bare(type_)
    if isinstance(bare, GraphQLList):
        return "[" + ", ".join(_literal(bare.of_type, item) for item in value) + "]"
    if isinstance(bare, GraphQLInputObjectType):
        members = (f"{name}: {_literal(bare.fields[name].type, item)}" for name, item in value.items())
        return "{" + ", ".join(members) + "}"
    return str(value) if isinstance(bare, GraphQLEnumType) else json.dumps(value)


def _one_of(type_: GraphQLInputObjectType) -> bool:
    return bool(getattr(type_.extensions.get("strawberry-definition"), "is_one_of", False))


def _bare(type_: Any) -> Any:
    return type_.of_type if isinstance(type_, GraphQLNonNull) else type_


def nobodys(kind: IdKind | None) -> str:
    """Return an id that nothing has."""
    return public(kind or IdKind.CLIENT, UUID(int=0x0199_0000_0000_7000_8000_0000_0000_0001))


@dataclass
class Asker:
    """Asks the product's schema as anybody, without a socket in between."""

    context: Context
    operations: Operations = field(default_factory=lambda: Operations(product(), WIDE))

    async def ask(
        self, principal: Principal, text: str, variables: Mapping[str, Any] | None = None
    ) -> tuple[dict[str, Any], list[str]]:
        """Return the members of an answer as they would be shown, and the codes of its errors."""
        context = OperationContext(self.context, principal, "req-test", Rate(1_000, 1_000, 10))
        try:
            operation = self.operations.prepare(text, variables, None)
            return shown(await self.operations.execute(operation, context), "req-test")
        except Rejected as error:
            raise AssertionError([str(e) for e in error.errors]) from error
        finally:
            await context.close()


def document(root: str, name: str, found: GraphQLField, depth: int, given: Iterable[str]) -> str:
    """Return a document with one root field, the arguments given as variables, and all that can be selected below."""
    declared = " ".join(f"${argument}: {found.args[argument].type}" for argument in given)
    passed = " ".join(f"{argument}: ${argument}" for argument in given)
    head = f"{root} ({declared})" if declared else root
    return f"{head} {{ {name}{f'({passed})' if passed else ''} {selection(found.type, depth)} }}"
