"""What a client shows of its doubles: which others may be the same company, and which were merged into it."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import strawberry

from api import client_loaders as loaders
from api.context import Info, OperationContext
from api.enums import described
from api.fields import FieldPrice, id_field, resolved, window
from api.onboarding import Onboarding
from api.onboarding_loaders import of_client
from api.paging import After, Before, Connection, First, Last, Ordering, Page, connection, page_of
from db import duplicates as stored
from domain import clients, merging
from domain.access import Scope
from domain.ids import IdKind
from domain.merging import DuplicateReason

if TYPE_CHECKING:
    from api.clients import Client

OtherClient = Annotated["Client", strawberry.lazy("api.clients")]

described(
    DuplicateReason,
    "Why two clients may be the same company.",
    SAME_NAME="Their names read the same.",
    SAME_MAIL_DOMAIN="Contacts of both have addresses under one domain, which is no free mail provider's.",
    SAME_DEVICE_SERIAL="Devices of both have the same serial number.",
)


async def duplicates_of(context: OperationContext, keys: Sequence[UUID], page: Page) -> list[list[merging.Duplicate]]:
    """Load a stretch of the clients that each may be the same company as."""
    async with context.reading() as tx:
        found = await stored.of_clients(tx, keys, page)
    return [found[key] for key in keys]


async def duplicate_counts(context: OperationContext, keys: Sequence[UUID]) -> list[int]:
    """Count the clients that each may be the same company as."""
    async with context.reading() as tx:
        found = await stored.counts(tx, keys)
    return [found[key] for key in keys]


async def merged_into(context: OperationContext, keys: Sequence[UUID]) -> list[list[clients.Client]]:
    """Load the clients that were merged into each."""
    async with context.reading() as tx:
        found = await stored.merged_into(tx, keys)
    return [found[key] for key in keys]


@window(merging.Duplicate, description="A client that may be the same company, and why.")
class ClientDuplicate:
    client_id: strawberry.ID = id_field(IdKind.CLIENT, "client_id", description="The other client's id.")
    reasons: list[DuplicateReason] = strawberry.field(description="Why.")

    @resolved(description="The other client.")
    async def client(root: Any, info: Info) -> OtherClient | None:  # noqa: N805 -- the root is a domain value
        return await info.context.loader(loaders.client).load(root.client_id)  # type: ignore[return-value]


@window(clients.Client, description="A client that was merged into another: its id leads there.")
class ClientAlias:
    client_id: strawberry.ID = id_field(IdKind.CLIENT, description="The id that it had.")
    name: str = strawberry.field(description="The name that it had.")
    merged_at: datetime = strawberry.field(description="When it was merged.")

    @resolved(description="Why.", scope=Scope.AUDIT_READ)
    def merge_reason(root: Any) -> str | None:  # noqa: N805 -- the root is a domain value
        reason: str | None = root.merge_reason
        return reason

    @resolved(
        description="The onboardings that it had, oldest first. They stay its own, with the contracts that they name.",
        cost=FieldPrice(list_size=3),
    )
    async def onboardings(root: Any, info: Info) -> list[Onboarding]:  # noqa: N805
        return await info.context.loader(of_client).load(root.id)  # type: ignore[return-value]


@strawberry.type
class ClientAliases:
    """What was entered twice, as fields of a client."""

    merged_at: datetime | None = strawberry.field(
        description="When it was merged into another client; only a list of what is set aside shows it by itself."
    )

    @resolved(description="Why it was merged.", scope=Scope.AUDIT_READ)
    def merge_reason(root: Any) -> str | None:  # noqa: N805 -- the root is a domain value
        reason: str | None = root.merge_reason
        return reason

    @resolved(description="The client into which it was merged.")
    async def merged_into(root: Any, info: Info) -> OtherClient | None:  # noqa: N805
        return await info.context.loader(loaders.client).load(root.merged_into) if root.merged_into else None  # type: ignore[return-value]

    @resolved(description="The clients that were merged into it.", cost=FieldPrice(list_size=2))
    async def aliases(root: Any, info: Info) -> list[ClientAlias]:  # noqa: N805
        return await info.context.loader(merged_into).load(root.id)  # type: ignore[return-value]

    @resolved(
        description="Other clients that may be the same company, by id: of the same name, of contacts under the same "
        "mail domain, or with a device of the same serial number. `clientMerge` makes one of two.",
        scope=Scope.CONTACTS_READ,
    )
    async def duplicates(
        root: Any,  # noqa: N805
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[ClientDuplicate] | None:
        page = page_of(Ordering("duplicates ID", (UUID,)), first=first, after=after, last=last, before=before)
        rows = await info.context.loader(duplicates_of, page).load(root.id)

        async def count() -> int:
            return await info.context.loader(duplicate_counts).load(root.id)

        return connection(page, rows, key=lambda row: (row.client_id,), count=count)
