"""Privacy as the API shows it: what was erased or handed out, and what is to be erased when."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry

from api import client_loaders as loaders
from api.belongings import OwnClient
from api.context import Info, OperationContext
from api.enums import described
from api.errors import BadUserInput
from api.fields import FieldPrice, id_field, optional_id_field, query_field, resolved, window
from api.nodes import Node, nodes_of
from api.paging import After, Before, Connection, First, Last, Ordering, connection, page_of
from db import privacy as stored
from domain import privacy
from domain.access import PrincipalKind, Scope
from domain.ids import IdKind, public
from domain.privacy import DataSubject, ErasureReason, PrivacyAct, RetentionClass
from workflows import retention

described(
    DataSubject,
    "Whose data it is.",
    CONTACT="A person of a client.",
    MEMBER="A person of the provider.",
    CLIENT="A company, with all its people.",
)
described(
    PrivacyAct,
    "What was done with somebody's data.",
    ERASED="It was erased.",
    EXPORTED="It was handed out.",
)
described(
    ErasureReason,
    "Why data is erased.",
    REQUESTED="The person asked for it.",
    NO_LONGER_NEEDED="Nobody needs it any more.",
    ENTERED_IN_ERROR="It should never have been here.",
    RETENTION="The period for which it is kept is over.",
)
described(
    RetentionClass,
    "Whose data goes after a while.",
    LOST_PROSPECT="Of whoever never became a client.",
    OFF_BOARDED="Of whoever was a client.",
)

BY_RECORDED_AT = Ordering("privacy records RECORDED_AT DESC", (datetime, UUID))


@window(privacy.PrivacyRecord, description="That data of somebody was erased or handed out; it says nothing of them.")
class PrivacyRecord(Node):
    id: strawberry.ID = id_field(IdKind.PRIVACY_RECORD, description="The record's id.")
    act: PrivacyAct = strawberry.field(description="What was done.")
    subject_kind: DataSubject = strawberry.field(description="Whose data it was.")
    reason: ErasureReason | None = strawberry.field(description="Why it was erased.")
    texts: int = strawberry.field(description="In how many texts of others they were named.")
    recorded_at: datetime = strawberry.field(description="When.")
    channel: str = strawberry.field(description="By what way it came in: `API`, `CLI`, `DEMO` or `SYSTEM`.")
    request_id: str = strawberry.field(description="The request that did it.")
    event_id: strawberry.ID | None = optional_id_field(
        IdKind.EVENT, "event_id", description="The event that tells of it in the feed."
    )

    @resolved(description="The id of whoever it was.")
    def subject_id(root: Any) -> strawberry.ID:  # noqa: N805 -- the root is a domain value, not this class
        return strawberry.ID(public(root.subject_kind.id_kind, root.subject_id))

    @resolved(description="What kind of caller did it.")
    def actor_kind(root: Any) -> PrincipalKind:  # noqa: N805
        return PrincipalKind(root.actor_kind)

    @resolved(description="The member who did it; `null` where the product itself did.", scope=Scope.MEMBERS_READ)
    def actor_id(root: Any) -> strawberry.ID | None:  # noqa: N805
        by_person = root.actor_kind == PrincipalKind.PERSON
        return strawberry.ID(public(IdKind.MEMBER, root.actor_id)) if by_person else None


@window(privacy.RetentionDue, description="A client whose data is to be erased, because its period is over.")
class RetentionDue:
    client_id: strawberry.ID = id_field(IdKind.CLIENT, "client_id", description="The client.")
    retention: RetentionClass = strawberry.field(description="Which period counts.")
    ended_at: datetime = strawberry.field(description="When its last onboarding ended.")
    due_on: date = strawberry.field(description="From which local day on it is erased.")
    contacts: int = strawberry.field(description="How many of its people are erased with it.")

    @resolved(description="The client.")
    async def client(root: Any, info: Info) -> OwnClient | None:  # noqa: N805
        return await info.context.loader(loaders.client).load(root.client_id)  # type: ignore[return-value]


async def privacy_record(context: OperationContext, keys: Sequence[UUID]) -> list[privacy.PrivacyRecord | None]:
    """Load records by id."""
    async with context.reading() as tx:
        found = await stored.ROWS.many(tx, keys)
    return [found.get(key) for key in keys]


nodes_of(IdKind.PRIVACY_RECORD, privacy_record, Scope.PRIVACY_WRITE)

Until = Annotated[date | None, strawberry.argument(description="By which local day; today if left out.")]
Most = Annotated[int, strawberry.argument(description="How many at most, the earliest: 1 to 500.")]


@strawberry.type
class PrivacyQuery:
    @query_field(
        scope=Scope.PRIVACY_WRITE,
        description="Whose data was erased or handed out, and by whom, the latest first.",
    )
    async def privacy_records(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[PrivacyRecord] | None:
        page = page_of(BY_RECORDED_AT, first=first, after=after, last=last, before=before)

        async def count() -> int:
            async with info.context.reading() as tx:
                return await stored.count(tx)

        async with info.context.reading() as tx:
            rows = await stored.listed(tx, page)
        return connection(page, rows, key=lambda record: (record.recorded_at, record.id), count=count)

    @query_field(
        scope=Scope.PRIVACY_WRITE,
        description="The clients whose data will be erased by a day, because their period is over; the earliest first.",
        cost=FieldPrice(sized_by=("most",)),
    )
    async def retention_due(self, info: Info, until: Until = None, most: Most = 100) -> list[RetentionDue] | None:
        if not 1 <= most <= retention.LISTED_MOST:
            raise BadUserInput(f"most: {most} is not possible; ask for 1 to {retention.LISTED_MOST}.")
        context = info.context
        return await retention.due(context.context, context.principal, until, most)  # type: ignore[return-value]
