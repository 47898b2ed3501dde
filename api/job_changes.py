"""Changes of jobs, live: a window on the feed of events."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any

import strawberry

from api.context import Info
from api.events import Event, follow
from api.fields import resolved, subscription_field, window
from api.jobs import Job, job
from api.scalars import Cursor
from domain import feed as feed_values
from domain.access import Scope
from domain.events import JobChanged
from domain.ids import IdKind, parse
from domain.jobs import Job as JobValue


@window(feed_values.LoggedEvent, description="A job was begun, went on, or ended.")
class JobUpdate:
    cursor: Cursor = strawberry.field(description="The place behind it: give it as `after` to go on from here.")

    @resolved(description="The job's id.")
    def job_id(root: Any) -> strawberry.ID:  # noqa: N805 -- the root is a domain value, not this class
        return strawberry.ID(root.subject.id)

    @resolved(description="The job as it is now; `null` where it is not visible to you.", graphql_type=Job | None)
    async def job(root: Any, info: Info) -> JobValue | None:  # noqa: N805
        return await info.context.loader(job).load(parse(IdKind.JOB, root.subject.id))

    @resolved(description="The event that tells of it.", graphql_type=Event)
    def event(root: Any) -> feed_values.LoggedEvent:  # noqa: N805
        event: feed_values.LoggedEvent = root
        return event


@strawberry.type
class JobSubscription:
    @subscription_field(
        scope=Scope.EVENTS_READ,
        graphql_type=JobUpdate,
        description="How a job goes on, at most once a second and in any case when it begins and ends. It rides on the "
        "same feed as `events`, and takes and gives the same cursors; a caller limited to some clients hears of those "
        "jobs that are about one of them alone.",
    )
    async def job_updated(
        self,
        info: Info,
        job_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Only this job; all if left out.")
        ] = None,
        after: Annotated[
            Cursor | None, strawberry.argument(description="Replay what followed this place; without it, begin now.")
        ] = None,
    ) -> AsyncGenerator[feed_values.LoggedEvent, None]:
        if job_id is not None:
            parse(IdKind.JOB, job_id)
        async with aclosing(follow(info, after, (JobChanged.TYPE,), None)) as items:
            async for item in items:
                if isinstance(item, feed_values.LoggedEvent) and job_id in (None, item.subject.id):
                    yield item
