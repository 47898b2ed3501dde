"""Root fields: a scope, a price and a description belong to every one of them."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

import strawberry
from graphql import GraphQLField, GraphQLNonNull, GraphQLObjectType, GraphQLResolveInfo, GraphQLSchema
from strawberry.types.field import StrawberryField

from api.directives import Cost, MayFail, Requires
from domain.access import Scope
from domain.errors import ErrorCode
from domain.ids import IdKind, public

T = TypeVar("T")
Resolver = Callable[..., Any]

ForAll = Callable[..., Awaitable[Sequence[Any]]]
"""`async def of_all(context, roots, **arguments)`: the field of every root, in their order."""

MUTATION_COST_POINTS = 10

ALWAYS_POSSIBLE = (
    ErrorCode.INVALID,
    ErrorCode.BUSY,
    ErrorCode.IDEMPOTENCY_KEY_REQUIRED,
    ErrorCode.IDEMPOTENCY_MISMATCH,
    ErrorCode.IDEMPOTENCY_IN_PROGRESS,
)
"""What every mutation may answer with; `mutation_field` adds them to its own codes."""


@dataclass(frozen=True, slots=True)
class FieldPrice:
    """What `@cost` says of one field; weights are in points."""

    weight: int = 1
    list_size: int | None = None
    sized_by: tuple[str, ...] = ()

    def directive(self) -> Cost:
        return Cost(
            weight=self.weight,
            list_size=strawberry.UNSET if self.list_size is None else self.list_size,
            sized_by=list(self.sized_by) or strawberry.UNSET,
        )


def query_field(
    *,
    description: str,
    scope: Scope | None = None,
    cost: int | FieldPrice | None = None,
    graphql_type: Any = None,
    name: str | None = None,
    deprecation_reason: str | None = None,
) -> Callable[[Resolver], Any]:
    """Make a resolver a root field of Query; without `scope` every signed-in caller may ask.

    A caller who lacks the scope gets a top-level `FORBIDDEN` and `null`: make the field nullable.
    `graphql_type` says what is shown, where the resolver is annotated with the domain value it returns.
    """
    directives = _directives(scope, cost)

    def decorate(resolver: Resolver) -> Any:
        return strawberry.field(
            resolver,
            name=name,
            description=description,
            directives=directives,
            deprecation_reason=deprecation_reason,
            graphql_type=graphql_type,
        )

    return decorate


def mutation_field(
    *,
    description: str,
    scope: Scope,
    or_one_of: Sequence[Scope] = (),
    may_fail: Iterable[ErrorCode] = (),
    cost: int | FieldPrice = MUTATION_COST_POINTS,
    graphql_type: Any = None,
    name: str | None = None,
    deprecation_reason: str | None = None,
) -> Callable[[Resolver], Any]:
    """Make a resolver a mutation: it names its scope, and the codes its `errors` may hold.

    With `or_one_of` it lets in whoever has any of the scopes, and then asks for what the input takes.
    """
    codes = list(dict.fromkeys((*ALWAYS_POSSIBLE, *may_fail)))
    directives = [*_directives(scope, cost, or_one_of), MayFail(codes=codes)]

    def decorate(resolver: Resolver) -> Any:
        return strawberry.mutation(
            resolver,
            name=name,
            description=description,
            directives=directives,
            deprecation_reason=deprecation_reason,
            graphql_type=graphql_type,
        )

    return decorate


def subscription_field(
    *,
    description: str,
    scope: Scope,
    cost: int | FieldPrice | None = None,
    graphql_type: Any = None,
    name: str | None = None,
) -> Callable[[Resolver], Any]:
    """Make an asynchronous generator a subscription, with the scope that it takes to listen.

    `graphql_type` is the type of one event, where the generator yields domain values.
    """
    directives = _directives(scope, cost)

    def decorate(resolver: Resolver) -> Any:
        return strawberry.subscription(
            resolver, name=name, description=description, directives=directives, graphql_type=graphql_type
        )

    return decorate


def resolved(
    *,
    description: str,
    cost: int | FieldPrice | None = None,
    scope: Scope | None = None,
    graphql_type: Any = None,
    name: str | None = None,
    for_all: ForAll | None = None,
) -> Callable[[Resolver], Any]:
    """Make a resolver a field of any type; columns that the domain value has need none.

    `for_all` answers for all rows of a list at once what the resolver answers for one.
    """
    directives = _directives(scope, cost)

    def decorate(resolver: Resolver) -> Any:
        resolver.for_all = for_all  # type: ignore[attr-defined]
        return strawberry.field(
            resolver, name=name, description=description, directives=directives, graphql_type=graphql_type
        )

    return decorate


def id_field(kind: IdKind, attribute: str = "id", *, description: str) -> Any:
    """Return a field that shows a UUID of the domain value as an opaque id, such as `cli_…`."""

    def show(root: Any) -> strawberry.ID:
        return strawberry.ID(public(kind, getattr(root, attribute)))

    return strawberry.field(resolver=show, description=description)


def optional_id_field(kind: IdKind, attribute: str, *, description: str, scope: Scope | None = None) -> Any:
    """Return the same for a UUID that may be absent, or that takes a scope to be seen."""

    def show(root: Any) -> strawberry.ID | None:
        value: UUID | None = getattr(root, attribute)
        return None if value is None else strawberry.ID(public(kind, value))

    return strawberry.field(resolver=show, description=description, directives=_directives(scope, None))


def member_id_field(attribute: str, *, description: str) -> Any:
    """Return the id of one of the provider's people, who are shown only to those who may know them."""
    return optional_id_field(IdKind.MEMBER, attribute, description=description, scope=Scope.MEMBERS_READ)


def window(on: type, *, description: str, name: str | None = None) -> Callable[[type[T]], type[T]]:
    """Make a class the GraphQL type through which a domain value is seen.

    Resolvers return the domain value itself, so the type says by the value's class what it is of.
    """

    def decorate(cls: type[T]) -> type[T]:
        cls.is_type_of = lambda value, _info: type(value) is on  # type: ignore[attr-defined]
        cls.window_on = on  # type: ignore[attr-defined]
        return strawberry.type(cls, name=name, description=description)

    return decorate


def guard(schema: GraphQLSchema) -> None:
    """Check scopes before resolvers run: once, here, for every field that carries `@requires`.

    A mutation's payload becomes nullable by that: refusing one must not blank the answers to the
    others of the document, which have been done.

    Raises:
        TypeError: a mutation or subscription names no scope.
    """
    for root in (schema.mutation_type, schema.subscription_type):
        for name, field in root.fields.items() if root else ():
            if scope_of(field) is None:
                raise TypeError(f"{root}.{name} names no scope: declare it with mutation_field or subscription_field")
            if root is schema.mutation_type and isinstance(field.type, GraphQLNonNull):
                field.type = field.type.of_type
    for type_ in schema.type_map.values():
        if isinstance(type_, GraphQLObjectType) and not type_.name.startswith("__"):
            for field in type_.fields.values():
                _guard_field(field, subscribing=type_ is schema.subscription_type)


def scope_of(field: GraphQLField) -> Scope | None:
    """Return the scope that a field of the built schema requires, the first where any of several will do."""
    return next(iter(scopes_of(field)), None)


def scopes_of(field: GraphQLField) -> tuple[Scope, ...]:
    """Return the scopes of which a field of the built schema requires one."""
    found = next((found for found in _declared(field) if isinstance(found, Requires)), None)
    return (found.scope, *(found.or_one_of or ())) if found else ()


def price_of(field: GraphQLField) -> FieldPrice | None:
    """Return what `@cost` says of a field of the built schema, or `None` for the usual price."""
    found = next((found for found in _declared(field) if isinstance(found, Cost)), None)
    if found is None:
        return None
    return FieldPrice(found.weight, found.list_size or None, tuple(found.sized_by or ()))


def _declared(field: GraphQLField) -> Sequence[object]:
    definition = (field.extensions or {}).get("strawberry-definition")
    return definition.directives if isinstance(definition, StrawberryField) else ()


def _guard_field(field: GraphQLField, *, subscribing: bool) -> None:
    scopes = scopes_of(field)
    if not scopes:
        return
    inner = field.subscribe if subscribing else field.resolve
    if inner is None:
        raise TypeError("a field with @requires has no resolver to guard")

    def guarded(source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        info.context.principal.require(*scopes)
        return inner(source, info, **arguments)

    if subscribing:
        field.subscribe = guarded
    else:
        field.resolve = guarded


def _directives(scope: Scope | None, cost: int | FieldPrice | None, or_one_of: Sequence[Scope] = ()) -> list[object]:
    price = FieldPrice(cost) if isinstance(cost, int) else cost
    found: list[object] = []
    if scope is not None:
        found.append(Requires(scope=scope, or_one_of=list(or_one_of) or strawberry.UNSET))
    if price is not None:
        found.append(price.directive())
    return found
