"""The viewer: who is asking, and what they may do."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry

from api import client_loaders as loaders
from api.clients import ClientRef
from api.context import Info
from api.fields import FieldPrice, id_field, optional_id_field, query_field, resolved, window
from api.members import Member
from api.onboarding_loaders import of_client
from api.paging import After, Before, Connection, First, Last
from api.tokens import Token, page_of_tokens
from domain import access
from domain.access import PrincipalKind, Reach, Role, Scope
from domain.ids import IdKind, public


@strawberry.type(description="One scope with its reach.")
class Grant:
    scope: Scope = strawberry.field(description="The scope.")
    reach: Reach = strawberry.field(description="How far it goes.")


@window(access.Principal, description="Whoever holds the credential of this request.")
class Viewer:
    kind: PrincipalKind = strawberry.field(description="What kind of caller it is.")
    name: str = strawberry.field(description="The member's or the program's name.")
    tenant_id: strawberry.ID = id_field(IdKind.TENANT, "tenant_id", description="The provider.")
    member_id: strawberry.ID | None = optional_id_field(
        IdKind.MEMBER, "member_id", description="The member; `null` for a program."
    )
    token_id: strawberry.ID | None = optional_id_field(
        IdKind.TOKEN, "token_id", description="The token that the request came with."
    )
    roles: list[Role] = strawberry.field(description="The member's roles; empty for a program.")
    expires_at: datetime | None = strawberry.field(description="When the credential ends.")

    @resolved(description="Everything that the credential may do, with how far each reaches.")
    def scopes(root: Any) -> list[Grant]:  # noqa: N805 -- the root is a domain value
        return [Grant(scope=scope, reach=root.scopes[scope]) for scope in Scope if scope in root.scopes]

    @resolved(description="The only clients that are visible; `null` for all of the provider's.")
    def client_ids(root: Any) -> list[strawberry.ID] | None:  # noqa: N805
        if root.clients is None:
            return None
        return [strawberry.ID(public(IdKind.CLIENT, client)) for client in sorted(root.clients)]

    @resolved(description="The member who is asking; `null` for a program.")
    async def member(root: Any, info: Info) -> Member | None:  # noqa: N805
        return await info.context.loader(loaders.member).load(root.member_id) if root.member_id else None  # type: ignore[return-value]

    @resolved(
        description="The members who are away today and for whom you stand in: their onboardings are yours meanwhile.",
        scope=Scope.MEMBERS_READ,
        cost=FieldPrice(list_size=5),
    )
    async def stands_in_for(root: Any, info: Info) -> list[Member] | None:  # noqa: N805
        found = await info.context.loader(loaders.member).load_many(sorted(root.absent))
        return [member for member in found if member is not None]  # type: ignore[misc]

    @resolved(description="Whether this scope is held: at all, or for one client. `false` for a client not visible.")
    async def can(
        root: Any,  # noqa: N805
        info: Info,
        scope: Annotated[Scope, strawberry.argument(description="The scope.")],
        client: Annotated[
            ClientRef | None, strawberry.argument(description="For which client; without one, for any.")
        ] = None,
    ) -> bool:
        if client is None:
            return bool(root.has(scope))
        named = client.value()
        if isinstance(named, UUID):
            found = await info.context.loader(loaders.client).load(named)
        else:
            found = await info.context.loader(loaders.client_of_key).load((named.system, named.key))
        if found is None:
            return False
        going_on = [cycle for cycle in await info.context.loader(of_client).load(found.id) if not cycle.ended]
        team = (found.owner_id, found.account_manager_id, *(member for cycle in going_on for member in cycle.team))
        return bool(root.reaches(scope, team))

    @resolved(description="The member's own tokens, the oldest first; `null` for a program.")
    async def tokens(
        root: Any,  # noqa: N805
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Token] | None:
        if root.member_id is None:
            return None
        return await page_of_tokens(info, root.member_id, first, after, last, before)


@strawberry.type
class ViewerQuery:
    @query_field(description="Who you are and what you may do.")
    def viewer(self, info: Info) -> Viewer:
        return info.context.principal  # type: ignore[return-value]
