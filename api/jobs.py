"""Jobs as the API shows them: how far each is, what came of it, and its bad lines in pages."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry

from api import client_loaders, job_enums
from api.context import Info, OperationContext
from api.fields import FieldPrice, id_field, member_id_field, query_field, resolved, window
from api.members import Member
from api.nodes import Node, nodes_of
from api.paging import After, Before, Connection, First, Last, Ordering, Page, connection, page_of
from db import jobs as stored
from domain import jobs
from domain.access import PrincipalKind, Scope
from domain.ids import IdKind, parse
from domain.jobs import JobCount, JobKind, JobStatus, JobUnit

__all__ = ["Job", "JobQuery", "job", "job_enums"]

BY_CREATED_AT = Ordering("jobs by creation", (datetime, UUID))
BY_NUMBER = Ordering("bad lines by number", (int,))


async def job(context: OperationContext, keys: Sequence[UUID]) -> list[jobs.Job | None]:
    """Load jobs by id, of those that the caller may see."""
    async with context.reading() as tx:
        found = await stored.many(tx, keys)
    seen = {key: one for key, one in found.items() if one.seen_by(context.principal)}
    return [seen.get(key) for key in keys]


async def errors_of(context: OperationContext, keys: Sequence[UUID], page: Page) -> list[list[jobs.JobError]]:
    """Load a stretch of the bad lines of each job."""
    async with context.reading() as tx:
        found = await stored.bad_lines_of(tx, keys, page)
    return [found[key] for key in keys]


def upload_path(one: jobs.Job) -> str | None:
    """Return where a job's file goes, while one is awaited."""
    return f"/uploads/{one.public_id}" if one.awaits_file else None


@window(jobs.JobError, description="One bad line of a file; the good ones went in without it.")
class JobError:
    line: int = strawberry.field(description="Its number in the file, from 1; the header counts.")
    column: str | None = strawberry.field(description="The column that is wrong, by the file's own name.")
    value: str | None = strawberry.field(description="What stands there, cut to 200 characters.")
    reason: str = strawberry.field(description="What is wrong with it, and what to do.")


@strawberry.type(description="How much there was of one thing.")
class JobTally:
    what: JobCount = strawberry.field(description="What is counted.")
    number: int = strawberry.field(description="How many.")


@window(
    jobs.Job,
    description="Long work that goes on by itself. It survives the end of the process that does it, is told of by "
    "`jobUpdated`, and stops by `jobCancel`.",
)
class Job(Node):
    id: strawberry.ID = id_field(IdKind.JOB, description="The job's id.")
    kind: JobKind = strawberry.field(description="What it does.")
    status: JobStatus = strawberry.field(description="How it stands.")
    unit: JobUnit = strawberry.field(description="In what `done` and `total` are counted.")
    done: int = strawberry.field(description="How much is done.")
    total: int | None = strawberry.field(description="How much there is to do, once that is known.")
    file_name: str | None = strawberry.field(description="What its file was called where it came from.")
    requested_by_kind: PrincipalKind = strawberry.field(description="What kind of caller asked for it.")
    requested_by_id: strawberry.ID | None = member_id_field(
        "requested_by_member", description="The member who asked for it; `null` for a program."
    )
    created_at: datetime = strawberry.field(description="When it was asked for.")
    started_at: datetime | None = strawberry.field(description="When a worker first took it up.")
    finished_at: datetime | None = strawberry.field(description="When it ended.")
    cancel_asked_at: datetime | None = strawberry.field(description="When somebody stopped it while it ran.")
    error_count: int = strawberry.field(description="How many things are wrong with its lines.")
    failure: str | None = strawberry.field(description="Why it failed, and what to do.")
    version: int = strawberry.field(description="It rises with every step of the job, and with every event of it.")

    @resolved(description="What it has done so far, each thing counted.")
    def counts(root: Any) -> list[JobTally]:  # noqa: N805 -- the root is a domain value, not this class
        told = root.counts
        return [JobTally(what=what, number=told[what.value]) for what in JobCount if what.value in told]

    @resolved(description="What is wrong with its lines, in the order of the file.", cost=FieldPrice(weight=2))
    async def errors(
        root: Any,  # noqa: N805
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[JobError]:
        page = page_of(BY_NUMBER, first=first, after=after, last=last, before=before)
        rows = await info.context.loader(errors_of, page).load(root.id)

        async def count() -> int:
            return int(root.error_count)

        return connection(page, rows, key=lambda error: (error.number,), count=count)

    @resolved(
        description="Where its file goes, by PUT with the same credential: a path on this server. `null` where no "
        "file is awaited. Sent again before a worker has begun, it takes the place of the one before."
    )
    def upload_url(root: Any) -> str | None:  # noqa: N805
        return upload_path(root)

    @resolved(
        description="All its bad lines as one file, by GET with the same credential: CSV, or with `?format=jsonl` one "
        "JSON object a line. `null` where there are none."
    )
    def errors_url(root: Any) -> str | None:  # noqa: N805
        return f"/jobs/{root.public_id}/errors" if root.error_count else None

    @resolved(
        description="What became of every row, or would become in a dry run, by GET with the same credential: one JSON "
        "object a line. `null` where a job of its kind keeps no such list, and before anything is done."
    )
    def result_url(root: Any) -> str | None:  # noqa: N805
        return f"/jobs/{root.public_id}/result" if root.result_count else None

    @resolved(description="Whether it only tells what would come of it.")
    def dry_run(root: Any) -> bool:  # noqa: N805
        return root.parameters.get("dry_run") is True

    @resolved(description="The member who asked for it.", scope=Scope.MEMBERS_READ)
    async def requested_by(root: Any, info: Info) -> Member | None:  # noqa: N805
        who = root.requested_by_member
        return await info.context.loader(client_loaders.member).load(who) if who else None  # type: ignore[return-value]


nodes_of(IdKind.JOB, job, None)


@strawberry.input(description="Which jobs; every condition given must hold.")
class JobWhere:
    kinds: list[JobKind] | None = strawberry.field(default=None, description="Of one of these kinds.")
    statuses: list[JobStatus] | None = strawberry.field(default=None, description="Standing so.")

    def conditions(self) -> dict[str, object]:
        """Return what is given as conditions of the listing."""
        given = {"kinds": self.kinds, "statuses": self.statuses}
        return {name: tuple(values) for name, values in given.items() if values is not None}


@strawberry.type
class JobQuery:
    @query_field(
        description="One job by its id; `null` if none is visible to you. You see your own, and where you see every "
        "client those whose kind you may read."
    )
    async def job(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The job's id.")]
    ) -> Job | None:
        return await info.context.loader(job).load(parse(IdKind.JOB, id))  # type: ignore[return-value]

    @query_field(description="Jobs, the latest first; those that `job` would show you.")
    async def jobs(
        self,
        info: Info,
        where: Annotated[JobWhere | None, strawberry.argument(description="Which; all if left out.")] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Job]:
        page = page_of(BY_CREATED_AT, first=first, after=after, last=last, before=before)
        principal = info.context.principal
        conditions = {"visible": jobs.visible_to(principal), **(where.conditions() if where else {})}

        async def count() -> int:
            async with info.context.reading() as tx:
                return await stored.count(tx, conditions)

        async with info.context.reading() as tx:
            rows = await stored.listed(tx, page, conditions)
        return connection(page, rows, key=lambda one: (one.created_at, one.id), count=count)
