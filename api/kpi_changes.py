"""Changes of figures, live: which were touched, for whom and on which days, so that nothing else is asked for anew."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import replace
from datetime import date
from typing import Annotated, Any

import strawberry

from api.changing import ids_of
from api.context import Info
from api.fields import resolved, subscription_field, window
from api.kpi_enums import KpiKey
from api.scalars import Cursor
from domain import feed as feed_values
from domain import touches
from domain.access import Principal, Scope
from domain.envelopes import EVENT_TYPES
from domain.feed import Checkpoint, LoggedEvent, Selection
from domain.ids import IdKind, public
from domain.kpis import Kpi
from domain.touches import TOUCHING, Touch, narrowed, touch_of
from workflows.feed import selection

EVERY_S = 5.0
"""How long at least lies between two pushes to one subscriber."""


@window(
    touches.Touch,
    description="Figures that may have changed. It holds no values: ask for those that are shown, once.",
    name="KpiChange",
)
class KpiChange:
    cursor: Cursor = strawberry.field(description="The place behind it: give it as `after` to go on from here.")

    @resolved(description="The figures, in the order of the catalogue.")
    def keys(root: Any) -> list[KpiKey]:  # noqa: N805 -- the root is a domain value, not this class
        return [KpiKey[kpi.name] for kpi in Kpi if kpi in root.kpis]

    @resolved(description="The clients; `null` where it may be any, as after a change of the provider's rules.")
    def client_ids(root: Any) -> list[strawberry.ID] | None:  # noqa: N805
        return None if root.clients is None else [strawberry.ID(client) for client in sorted(root.clients)]

    @resolved(description="The local days to which the change belongs; `null` where it may be any.")
    def days(root: Any) -> list[date] | None:  # noqa: N805
        return None if root.days is None else sorted(root.days)


@strawberry.type
class KpiSubscription:
    @subscription_field(
        scope=Scope.KPIS_READ,
        graphql_type=KpiChange,
        description="Which figures were touched, as it happens and at most every 5 seconds: whatever came meanwhile is "
        "told as one. It rides on the same feed as `events`, and takes and gives the same cursors. Figures that change "
        "by the clock alone, such as a bucket that has ended, are not told of.",
    )
    async def kpi_changed(
        self,
        info: Info,
        keys: Annotated[
            list[KpiKey] | None, strawberry.argument(description="Only these figures; all if left out.")
        ] = None,
        client_ids: Annotated[
            list[strawberry.ID] | None,
            strawberry.argument(description="Only these clients, and what may concern any; all if left out."),
        ] = None,
        after: Annotated[
            Cursor | None, strawberry.argument(description="Replay what followed this place; without it, begin now.")
        ] = None,
    ) -> AsyncGenerator[Touch, None]:
        wanted = None if keys is None else frozenset(Kpi[key.value] for key in keys)
        clients = None
        if client_ids is not None:
            clients = frozenset(public(IdKind.CLIENT, client) for client in ids_of(IdKind.CLIENT, client_ids))
        current = info.context.context.feed
        if current is None:
            raise RuntimeError("this process serves subscriptions without a feed")
        principal = info.context.principal
        place = None if after is None else feed_values.Cursor.read(after)
        followed = current.follow(principal, telling(principal), place)
        async with aclosing(gathered(_touched(followed, wanted, clients), _pause)) as told:
            async for touch in told:
                yield touch


def telling(principal: Principal) -> Selection:
    """Return the events by which a caller learns of touches: who may read figures may know that they changed."""
    own = selection(principal, TOUCHING)
    if Scope.KPIS_READ.value not in own.scopes:
        return own
    return replace(own, scopes=frozenset(EVENT_TYPES[type_].SCOPE.value for type_ in TOUCHING))


async def gathered(
    touched: AsyncGenerator[Touch, None], pause: Callable[[], Awaitable[None]]
) -> AsyncGenerator[Touch, None]:
    """Yield touches, with a pause after each; what comes during a pause is one touch after it."""
    waiting: list[Touch] = []
    came = asyncio.Event()

    async def collect() -> None:
        try:
            async with aclosing(touched):
                async for touch in touched:
                    waiting[:] = [waiting[0].with_(touch) if waiting else touch]
                    came.set()
        finally:
            came.set()

    collecting = asyncio.create_task(collect())
    try:
        while not (collecting.done() and not waiting):
            await came.wait()
            came.clear()
            if waiting:
                yield waiting.pop()
                await pause()
            if collecting.done():
                came.set()
        await collecting
    finally:
        collecting.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.wait([collecting])


async def _touched(
    followed: AsyncIterator[LoggedEvent | Checkpoint], kpis: frozenset[Kpi] | None, clients: frozenset[str] | None
) -> AsyncGenerator[Touch, None]:
    async for item in followed:
        touch = touch_of(item) if isinstance(item, LoggedEvent) else None
        asked = None if touch is None else narrowed(touch, kpis, clients)
        if asked is not None:
            yield asked


async def _pause() -> None:
    await asyncio.sleep(EVERY_S)
