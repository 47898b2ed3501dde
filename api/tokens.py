"""Tokens as the API shows them: everything of a credential but its secret."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry

from api import client_enums
from api import client_loaders as loaders
from api.context import Info, OperationContext
from api.fields import id_field, optional_id_field, query_field, resolved, window
from api.members import Member
from api.nodes import Node, nodes_of
from api.paging import After, Before, Connection, First, Last, Ordering, connection, page_of
from db import tokens as stored
from domain import tokens
from domain.access import Scope
from domain.ids import IdKind, public
from domain.tokens import TokenKind

__all__ = ["Token", "TokensQuery", "client_enums", "page_of_tokens", "token"]

BY_AGE = Ordering("tokens by age", (UUID,))


@window(tokens.Token, description="A credential; its secret was shown once and is kept only as a hash.")
class Token(Node):
    id: strawberry.ID = id_field(IdKind.TOKEN, description="The token's id.")
    kind: TokenKind = strawberry.field(description="Whom it stands for.")
    member_id: strawberry.ID | None = optional_id_field(
        IdKind.MEMBER, "member_id", description="The member it stands for; `null` for a program."
    )
    name: str = strawberry.field(description="What it is for.")
    prefix: str = strawberry.field(description="How its secret begins, by which people tell their tokens apart.")
    scopes: list[Scope] = strawberry.field(
        description="What it may do; empty for a personal token that may do whatever its member's roles grant."
    )
    created_by_id: strawberry.ID | None = optional_id_field(
        IdKind.MEMBER, "created_by", description="Who made its present secret; `null` for the command line."
    )
    created_at: datetime = strawberry.field(description="When it was made.")
    expires_at: datetime | None = strawberry.field(description="When it ends by itself.")
    last_used_at: datetime | None = strawberry.field(description="When it was last used, to the minute.")
    revoked_at: datetime | None = strawberry.field(description="When it was ended.")
    version: int = strawberry.field(description="How often it changed, counted from 1.")

    @resolved(description="The only clients that it shows; `null` for all.")
    def client_ids(root: Any) -> list[strawberry.ID] | None:  # noqa: N805 -- the root is a domain value
        if root.clients is None:
            return None
        return [strawberry.ID(public(IdKind.CLIENT, client)) for client in root.clients]

    @resolved(description="The member it stands for.", scope=Scope.MEMBERS_READ)
    async def member(root: Any, info: Info) -> Member | None:  # noqa: N805
        return await info.context.loader(loaders.member).load(root.member_id) if root.member_id else None  # type: ignore[return-value]


async def token(context: OperationContext, keys: Sequence[UUID]) -> list[tokens.Token | None]:
    """Load tokens by id."""
    async with context.reading() as tx:
        found = await stored.many(tx, keys)
    return [found.get(key) for key in keys]


nodes_of(IdKind.TOKEN, token, Scope.MEMBERS_WRITE)


async def page_of_tokens(
    info: Info, holder: UUID | None, first: int | None, after: str | None, last: int | None, before: str | None
) -> Connection[Token]:
    """Return a page of the tokens of one member, or of everybody and every program."""
    page = page_of(BY_AGE, first=first, after=after, last=last, before=before)

    async def count() -> int:
        async with info.context.reading() as tx:
            return await stored.count(tx, holder)

    async with info.context.reading() as tx:
        rows = await stored.listed(tx, page, holder)
    return connection(page, rows, key=lambda t: (t.id,), count=count)


@strawberry.type
class TokensQuery:
    @query_field(
        scope=Scope.MEMBERS_WRITE,
        description="Every token of the provider, the oldest first; `viewer.tokens` lists one's own.",
    )
    async def tokens(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[Token] | None:
        return await page_of_tokens(info, None, first, after, last, before)
