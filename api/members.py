"""Members as the API shows them: the provider's own people."""

from datetime import datetime
from typing import Any

import strawberry

from api import client_enums
from api import client_loaders as loaders
from api.absences import MemberAbsences
from api.context import Info
from api.fields import id_field, optional_id_field, query_field, resolved, window
from api.nodes import Node, nodes_of
from api.paging import After, Before, Connection, First, Last, Ordering, connection, page_of
from api.scalars import EmailAddress
from db import members as stored
from domain import members
from domain.access import Role, Scope
from domain.ids import IdKind

__all__ = ["Member", "MembersQuery", "client_enums"]

ERASED = "Whether nothing is left of them but an id and what they did; no list shows them."
BY_EMAIL = Ordering("members by address", (str,))


@window(members.Member, description="A person of the provider.")
class Member(MemberAbsences, Node):
    id: strawberry.ID = id_field(IdKind.MEMBER, description="The member's id.")
    name: str = strawberry.field(description="The person's name; `[erased]` once they are erased.")
    email: EmailAddress = strawberry.field(description="Their address, one member each.")
    roles: list[Role] = strawberry.field(description="What they are to the provider.")
    active: bool = strawberry.field(description="Whether they can sign in.")
    erased: bool = strawberry.field(description=ERASED)
    deputy_id: strawberry.ID | None = optional_id_field(
        IdKind.MEMBER, "deputy_id", description="Who stands in while they are away."
    )
    created_at: datetime = strawberry.field(description="When they were invited.")
    version: int = strawberry.field(description="How often it changed, counted from 1.")

    @resolved(description="Who stands in while they are away.")
    async def deputy(root: Any, info: Info) -> "Member | None":  # noqa: N805 -- the root is a domain value
        if root.deputy_id is None:
            return None
        return await info.context.loader(loaders.member).load(root.deputy_id)  # type: ignore[return-value]


nodes_of(IdKind.MEMBER, loaders.member, Scope.MEMBERS_READ)


@strawberry.type
class MembersQuery:
    @query_field(scope=Scope.MEMBERS_READ, description="The provider's members by address, deactivated ones included.")
    async def members(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[Member] | None:
        page = page_of(BY_EMAIL, first=first, after=after, last=last, before=before)

        async def count() -> int:
            async with info.context.reading() as tx:
                return await stored.count(tx)

        async with info.context.reading() as tx:
            rows = await stored.listed(tx, page)
        return connection(page, rows, key=lambda m: (m.email,), count=count)
