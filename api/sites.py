"""Sites as the API shows them: where a client works."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import strawberry

from api import client_loaders as loaders
from api.belongings import CHANGES, ExternalReference, OwnClient
from api.calendars import OwnCalendar
from api.client_lists import belonging, ordering
from api.context import Info
from api.fields import FieldPrice, id_field, query_field, resolved, window
from api.nodes import Node, nodes_of
from api.onboarding_loaders import of_client
from api.paging import After, Before, Connection, First, Last, page_of
from db import sites as stored
from domain import sites
from domain.access import Scope
from domain.ids import IdKind, parse

if TYPE_CHECKING:
    from api.onboarding import Onboarding

ALL = "Archived ones too."


@window(sites.Site, description="A place at which a client works.")
class Site(OwnCalendar, Node):
    id: strawberry.ID = id_field(IdKind.SITE, description="The site's id.")
    client_id: strawberry.ID = id_field(IdKind.CLIENT, "client_id", description="The client.")
    name: str = strawberry.field(description="What it is called; names may repeat.")
    street: str | None = strawberry.field(description="Street and number.")
    postcode: str | None = strawberry.field(description="The postcode.")
    city: str | None = strawberry.field(description="The town.")
    country: str | None = strawberry.field(description="The country's code of ISO 3166-1, such as `NL`.")
    zone: ZoneInfo | None = strawberry.field(description="Its zone; `null` where it is the provider's.")
    created_at: datetime = strawberry.field(description="When it was noted.")
    archived_at: datetime | None = strawberry.field(description="When it went out of use; `null` while it is in use.")
    version: int = strawberry.field(description=CHANGES)

    @resolved(description="The client that works there.")
    async def client(root: Any, info: Info) -> OwnClient | None:  # noqa: N805 -- the root is a domain value
        return await info.context.loader(loaders.client).load(root.client_id)  # type: ignore[return-value]

    @resolved(description="Its keys in other systems.", cost=FieldPrice(list_size=2))
    async def external(root: Any, info: Info) -> list[ExternalReference]:  # noqa: N805
        return await info.context.loader(loaders.refs_of).load(root.id)  # type: ignore[return-value]

    @resolved(description="The onboardings of this site alone, oldest first.", cost=FieldPrice(list_size=2))
    async def onboardings(
        root: Any,  # noqa: N805
        info: Info,
    ) -> list[Annotated["Onboarding", strawberry.lazy("api.onboarding")]]:
        cycles = await info.context.loader(of_client).load(root.client_id)
        return [cycle for cycle in cycles if cycle.place_id == root.id]  # type: ignore[misc]


@strawberry.type
class ClientSites:
    """Where a client works, as a field of it."""

    @resolved(description="The places at which it works, by name.")
    async def sites(
        root: Any,  # noqa: N805 -- the root is a domain value, not this class
        info: Info,
        include_archived: Annotated[bool | None, strawberry.argument(description=ALL)] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Site]:
        page = page_of(ordering("sites", "NAME"), first=first, after=after, last=last, before=before)
        where: loaders.Where = () if include_archived else (("in_use", True),)
        return await belonging(root, info, page, stored.LISTING, loaders.sites_of, where, where=where)


nodes_of(IdKind.SITE, loaders.site, Scope.CLIENTS_READ)


@strawberry.type
class SitesQuery:
    @query_field(scope=Scope.CLIENTS_READ, description="One site by its id; `null` if none is visible to you.")
    async def site(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The site's id.")]
    ) -> Site | None:
        return await info.context.loader(loaders.site).load(parse(IdKind.SITE, id))  # type: ignore[return-value]
