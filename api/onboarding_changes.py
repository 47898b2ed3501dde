"""Changes of onboardings, live: the board's window on the feed of events."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any

import strawberry

from api.context import Info
from api.events import Event, follow
from api.fields import resolved, subscription_field, window
from api.onboarding import Onboarding
from api.onboarding_loaders import cycle
from api.scalars import Cursor
from domain import feed as feed_values
from domain.access import Scope
from domain.events import EVENT_TYPES
from domain.ids import IdKind, parse
from domain.onboarding import Cycle

_ABOUT_ONBOARDINGS = tuple(
    type_ for type_, event_class in EVENT_TYPES.items() if event_class.SUBJECT is IdKind.ONBOARDING
)


@window(feed_values.LoggedEvent, description="An onboarding moved, or something beside its stage changed.")
class OnboardingChange:
    cursor: Cursor = strawberry.field(description="The place behind it: give it as `after` to go on from here.")
    client_id: strawberry.ID | None = strawberry.field(description="The client that is being onboarded.")

    @resolved(description="The onboarding's id.")
    def onboarding_id(root: Any) -> strawberry.ID:  # noqa: N805 -- the root is a domain value, not this class
        return strawberry.ID(root.subject.id)

    @resolved(description="The onboarding as it is now.", scope=Scope.CLIENTS_READ, graphql_type=Onboarding | None)
    async def onboarding(root: Any, info: Info) -> Cycle | None:  # noqa: N805
        return await info.context.loader(cycle).load(parse(IdKind.ONBOARDING, root.subject.id))

    @resolved(description="The event that tells of it.", graphql_type=Event)
    def event(root: Any) -> feed_values.LoggedEvent:  # noqa: N805
        event: feed_values.LoggedEvent = root
        return event


@strawberry.type
class OnboardingSubscription:
    @subscription_field(
        scope=Scope.EVENTS_READ,
        graphql_type=OnboardingChange,
        description="Moves of onboardings and whatever else of them changes, as it happens. It rides on the same feed "
        "as `events`, and takes and gives the same cursors.",
    )
    async def onboarding_changed(
        self,
        info: Info,
        client_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Only this client's; all if left out.")
        ] = None,
        after: Annotated[
            Cursor | None, strawberry.argument(description="Replay what followed this place; without it, begin now.")
        ] = None,
    ) -> AsyncGenerator[feed_values.LoggedEvent, None]:
        clients = None if client_id is None else [client_id]
        async with aclosing(follow(info, after, _ABOUT_ONBOARDINGS, clients)) as items:
            async for item in items:
                if isinstance(item, feed_values.LoggedEvent):
                    yield item
