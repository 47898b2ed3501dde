"""Events: the feed as pages and as a live stream."""

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from datetime import datetime
from typing import Annotated, Any, Union
from uuid import UUID

import strawberry
from strawberry.scalars import JSON

from api.context import Info
from api.errors import BadUserInput
from api.event_types import EventType, type_of
from api.fields import query_field, resolved, subscription_field, window
from api.paging import MAX_PAGE
from api.scalars import Cursor
from db import feed
from domain import feed as feed_values
from domain.access import PrincipalKind, Scope
from domain.ids import IdKind, parse
from workflows.feed import selection


@window(feed_values.EventSubject, description="What an event is about.")
class EventSubject:
    kind: str = strawberry.field(description="The kind of object, such as `CLIENT` or `ONBOARDING`.")
    id: strawberry.ID = strawberry.field(description="The object's id; `node` finds it where it still exists.")
    version: int = strawberry.field(description="The object's version after what happened.")


@window(feed_values.EventActor, description="Who did it. Names are not kept in events: look the id up.")
class EventActor:
    kind: PrincipalKind = strawberry.field(description="What kind of caller it was.")
    id: strawberry.ID | None = strawberry.field(description="The member or token; `null` where the product itself did.")
    on_behalf_of: strawberry.ID | None = strawberry.field(description="The member for whom it was done, if another.")


@window(
    feed_values.LoggedEvent,
    description="Something that happened, in the one order of the provider's feed. It carries ids and codes, never "
    "names, addresses or free text.",
)
class Event:
    id: strawberry.ID = strawberry.field(description="The event's id, the same as the mutation's `eventId`.")
    cursor: Cursor = strawberry.field(description="The place behind this event: give it as `after` to go on from here.")
    schema_version: int = strawberry.field(description="Version of the type's schema under which it was written.")
    client_id: strawberry.ID | None = strawberry.field(
        description="The client it concerns; `null` where it concerns the provider as a whole."
    )
    subject: EventSubject = strawberry.field(description="What it is about.")
    actor: EventActor = strawberry.field(description="Who did it.")
    occurred_at: datetime = strawberry.field(description="When it took effect.")
    recorded_at: datetime = strawberry.field(description="When it was written down.")
    request_id: str = strawberry.field(description="The request that did it, as answers and logs name it.")
    caused_by: strawberry.ID | None = strawberry.field(description="The event that set it off, if one did.")
    historical: bool = strawberry.field(description="Whether it was brought in from the past, and so sets nothing off.")

    @resolved(description="What kind of thing happened.")
    def type(root: Any) -> EventType:  # noqa: N805 -- the root is a domain value, not this class
        return type_of(root.type)

    @resolved(description="What the type carries; `eventTypes` has its JSON Schema.")
    def data(root: Any) -> JSON:  # noqa: N805
        return JSON(root.data)


@window(
    feed_values.Checkpoint,
    description="Nothing more for you up to here. It comes at the beginning of a subscription without `after`, and "
    "then at most every 15 seconds while events pass that you did not ask for.",
)
class Checkpoint:
    cursor: Cursor = strawberry.field(description="Give it as `after` to go on from here.")


FeedItem = Annotated[
    Union[Event, Checkpoint], strawberry.union("FeedItem", description="What the live feed brings.")  # noqa: UP007
]


@window(feed_values.FeedPage, description="A stretch of the feed, in order.")
class EventPage:
    events: list[Event] = strawberry.field(description="The events, oldest first.")
    has_more: bool = strawberry.field(
        description="Whether the feed goes on behind `endCursor`; a page can be empty although it does, because one "
        "page looks through 10,000 events at most."
    )

    @resolved(description="Where to go on: the place behind everything that this page has looked through.")
    def end_cursor(root: Any) -> Cursor:  # noqa: N805
        return Cursor(root.end.text())


Types = Annotated[list[EventType] | None, strawberry.argument(description="Only these types; all if left out.")]
Clients = Annotated[
    list[strawberry.ID] | None, strawberry.argument(description="Only what concerns these clients; all if left out.")
]


@strawberry.type
class EventsQuery:
    @query_field(
        scope=Scope.EVENTS_READ,
        graphql_type=EventPage | None,
        description="A page of the feed: what happened at the provider, of what your scopes and clients let you see. "
        "Every event comes once and in order, however often you come back; a cursor that is too old gets "
        "`CURSOR_EXPIRED` and the oldest one that holds.",
    )
    async def events(
        self,
        info: Info,
        after: Annotated[
            Cursor | None, strawberry.argument(description="Begin behind this place; without it, at the oldest kept.")
        ] = None,
        types: Types = None,
        clients: Clients = None,
        first: Annotated[int, strawberry.argument(description="How many events at most, from 1 to 100.")] = MAX_PAGE,
    ) -> feed_values.FeedPage:
        if not 1 <= first <= MAX_PAGE:
            raise BadUserInput(f"first: {first} is out of range; a page has 1 to {MAX_PAGE} events.")
        wanted = selection(info.context.principal, types, _clients(clients))
        place = feed_values.Cursor.read(after) if after is not None else None
        async with info.context.reading() as tx:
            return await feed.page(tx, place, wanted, first)


@strawberry.type
class EventsSubscription:
    @subscription_field(
        scope=Scope.EVENTS_READ,
        graphql_type=FeedItem,
        description="The feed, live: what followed `after` is replayed, then events come as they happen. Keep the last "
        "cursor, and give it as `after` when you connect again: nothing is missed and nothing comes twice. Without "
        "`after` it begins now, with a checkpoint.",
    )
    async def events(
        self,
        info: Info,
        after: Annotated[
            Cursor | None, strawberry.argument(description="Replay what followed this place; without it, begin now.")
        ] = None,
        types: Types = None,
        clients: Clients = None,
    ) -> AsyncGenerator[feed_values.LoggedEvent | feed_values.Checkpoint, None]:
        async with aclosing(follow(info, after, types, clients)) as items:
            async for item in items:
                yield item


def follow(
    info: Info, after: str | None, types: Iterable[str] | None, clients: Iterable[str] | None
) -> AsyncGenerator[feed_values.LoggedEvent | feed_values.Checkpoint, None]:
    """Follow the feed as the caller, from an opaque cursor or from now on.

    Raises:
        MalformedCursorError: `after` is no cursor.
        MalformedIdError: a client's id is none.
    """
    current = info.context.context.feed
    if current is None:
        raise RuntimeError("this process serves subscriptions without a feed: open one with workflows.feed.following")
    principal = info.context.principal
    place = feed_values.Cursor.read(after) if after is not None else None
    return current.follow(principal, selection(principal, types, _clients(clients)), place)


def _clients(ids: Iterable[str] | None) -> list[UUID] | None:
    return None if ids is None else [parse(IdKind.CLIENT, id_) for id_ in ids]
