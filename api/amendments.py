"""Amendments as the API shows them, and the terms of a contract on a day."""

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from api import client_loaders as loaders
from api.context import Info
from api.enums import described
from api.fields import FieldPrice, id_field, optional_id_field, resolved, window
from api.nodes import Node, nodes_of
from domain import amendments
from domain.access import Scope
from domain.amendments import AmendmentStatus, terms_on
from domain.clients import ContractScope
from domain.ids import IdKind

if TYPE_CHECKING:
    from api.belongings import Contract, Service
    from api.sites import Site

described(
    AmendmentStatus,
    "How far an amendment is.",
    DRAFT="Being written.",
    SENT="With the client.",
    SIGNED="Agreed.",
    ENDED="Over, or dropped before it was agreed.",
)


@window(
    amendments.Terms,
    name="ContractTerms",
    description="What holds on a day: the contract as the amendments in force have changed it.",
)
class Terms:
    scope: list[ContractScope] | None = strawberry.field(
        description="What is covered; `null` where the contract does not state it."
    )
    seats: int | None = strawberry.field(description="For how many seats; `null` where nobody counted them.")
    amendment_numbers: list[int] = strawberry.field(
        description="The numbers of the amendments in force, in the order in which they apply."
    )


@window(
    amendments.Amendment,
    description="An agreement that changes a contract, or adds a site or a service to it; days are local days of the "
    "provider.",
)
class Amendment(Node):
    id: strawberry.ID = id_field(IdKind.AMENDMENT, description="The amendment's id.")
    client_id: strawberry.ID = id_field(IdKind.CLIENT, "client_id", description="The client.")
    contract_id: strawberry.ID = id_field(IdKind.CONTRACT, "contract_id", description="The contract that it changes.")
    number: int = strawberry.field(description="Which amendment of the contract it is, counted from 1.")
    title: str = strawberry.field(description="What it is called.")
    status: AmendmentStatus = strawberry.field(description="How far it is.")
    starts_on: date | None = strawberry.field(description="The first day on which it counts.")
    ends_on: date | None = strawberry.field(description="The last day on which it counts; `null` for no end.")
    scope_added: list[ContractScope] = strawberry.field(description="What it adds to what the contract covers.")
    scope_removed: list[ContractScope] = strawberry.field(description="What it takes away.")
    seats: int | None = strawberry.field(description="The new number of seats.")
    seats_delta: int | None = strawberry.field(description="How many seats more, or below 0 fewer.")
    site_id: strawberry.ID | None = optional_id_field(IdKind.SITE, "site_id", description="The site that it adds.")
    service_id: strawberry.ID | None = optional_id_field(
        IdKind.SERVICE, "service_id", description="The service that it adds."
    )
    sent_at: datetime | None = strawberry.field(description="When it was sent.")
    signed_at: datetime | None = strawberry.field(description="When it was signed.")
    ended_at: datetime | None = strawberry.field(description="When it ended.")
    created_at: datetime = strawberry.field(description="When it was noted.")
    version: int = strawberry.field(
        description="How often it changed, counted from 1; give it as `expectedVersion` with a change decided on it."
    )

    @resolved(description="What was said about it.", scope=Scope.AUDIT_READ)
    def note(root: Any) -> str | None:  # noqa: N805 -- the root is a domain value
        note: str | None = root.note
        return note

    @resolved(description="The contract that it changes.")
    async def contract(
        root: Any,  # noqa: N805
        info: Info,
    ) -> Annotated["Contract", strawberry.lazy("api.belongings")] | None:
        return await info.context.loader(loaders.contract).load(root.contract_id)  # type: ignore[return-value]

    @resolved(description="The site that it adds.")
    async def site(root: Any, info: Info) -> Annotated["Site", strawberry.lazy("api.sites")] | None:  # noqa: N805
        return await info.context.loader(loaders.site).load(root.site_id) if root.site_id else None  # type: ignore[return-value]

    @resolved(description="The service that it adds.")
    async def service(
        root: Any,  # noqa: N805
        info: Info,
    ) -> Annotated["Service", strawberry.lazy("api.belongings")] | None:
        return await info.context.loader(loaders.service).load(root.service_id) if root.service_id else None  # type: ignore[return-value]


@strawberry.type
class AmendedContract:
    """What amendments make of a contract, as fields of it."""

    @resolved(description="Its amendments, by number.", cost=FieldPrice(list_size=3))
    async def amendments(root: Any, info: Info) -> list[Amendment]:  # noqa: N805 -- the root is a domain value
        return await info.context.loader(loaders.amendments_of).load(root.id)  # type: ignore[return-value]

    @resolved(
        description="What it comes to on a day: its own scope and seats, changed by the signed amendments that have "
        "begun by then and are not over."
    )
    async def terms_on(
        root: Any,  # noqa: N805
        info: Info,
        day: Annotated[date, strawberry.argument(description="The local day.")],
    ) -> Terms:
        found = await info.context.loader(loaders.amendments_of).load(root.id)
        return terms_on(day, root.scope, root.seats, [one.change for one in found])  # type: ignore[return-value]


nodes_of(IdKind.AMENDMENT, loaders.amendment, Scope.CLIENTS_READ)
