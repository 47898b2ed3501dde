"""Jobs as their runners know them: begun with a command, told batch by batch, stopped between two, ended once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog

from db import jobs
from db.errors import DatabaseUnavailableError, StatementFailedError
from db.jobs import Step
from db.session import Transaction
from domain.access import Principal
from domain.errors import ErrorCode, ForbiddenError, Outcome, UserError, refused
from domain.events import JobChanged
from domain.jobs import Job, JobKind, JobStatus
from workflows.checks import found, refusable
from workflows.commands import perform, publish
from workflows.context import Channel, Context, Request, new_id

LEASE = timedelta(seconds=10)
"""How long a job is left alone after its runner was last heard of: a killed worker's is taken up after that."""

BEAT_S = 2.5
"""How often a runner is heard of, however long its batches take."""

CUT_OFF = "The program that ran it was cut off; start it there again."

TOLD_EVERY = timedelta(seconds=1)
"""How often a job that goes on is told of at most."""

log = structlog.get_logger("steadystate.jobs")


class JobFailed(Exception):
    """The job cannot be done; the message says what is wrong and what to do, and is kept with the job."""


class JobStopped(Exception):
    """Nothing more is to be done on this run: the job was cancelled, or is another's, or the worker ends."""


class Run:
    """One run of a job, handed to its runner: as whom and as what it acts, and how it tells what it did.

    A runner works in batches, each a transaction of its own that ends with `step`. Before each it calls `check`. When
    the run is cut off, another begins with the job as the last step left it: `job.place` says behind what to go on.
    """

    def __init__(
        self,
        context: Context,
        principal: Principal,
        job: Job,
        request: Request,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self.context, self.principal, self.job, self.request = context, principal, job, request
        self.cancelled = job.cancel_asked_at is not None
        self._stopping = stopping
        self._lost = False
        self._told_at: datetime | None = None

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What the job is to do, as it was begun."""
        return self.job.parameters

    async def check(self) -> None:
        """Let the next batch begin.

        Raises:
            JobStopped: it must not: the job was cancelled or taken by another, or the worker was told to stop.
        """
        if self.cancelled or self._lost or self._stopping():
            raise JobStopped

    async def step(self, tx: Transaction, step: Step) -> None:
        """Write what a batch did and how far the job is by it, in the transaction that did it, and tell of it.

        Raises:
            JobStopped: another runs the job by now; leave the transaction by it, which takes the batch back.
        """
        now = self.context.clock()
        stepped = await jobs.step(tx, self.job.id, self._runner, step, now + LEASE)
        if stepped is None:
            self._lost = True
            raise JobStopped
        self.cancelled = self.cancelled or stepped.cancelled
        if self._told_at is None or now - self._told_at >= TOLD_EVERY:
            self._told_at = now
            event = JobChanged(
                self.job.kind.value, JobStatus.RUNNING.value, step.done, stepped.total, stepped.error_count
            )
            await _publish(tx, self.principal, self.request, self.job, event, stepped.version, now)

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Be heard of for as long as the block lasts, however long its batches take."""
        beating = asyncio.create_task(self._beat())
        try:
            yield
        finally:
            beating.cancel()
            with suppress(asyncio.CancelledError):
                await beating

    async def leave(self, due_at: datetime) -> None:
        """Leave the job to whoever takes it up next, unless another has it already."""
        await self._write(lambda job: job.left(due_at))

    async def end(self, status: JobStatus, failure: str | None = None) -> None:
        """End the job, unless another has it already."""
        await self._write(lambda job: job.ended(status, self.context.clock(), failure))

    @property
    def _runner(self) -> UUID:
        if self.job.runner is None:
            raise TypeError("a job that is run names its runner")
        return self.job.runner

    async def _write(self, change: Callable[[Job], Job]) -> None:
        async with self.context.database.writing(self.principal) as tx:
            held = await jobs.lock(tx, self.job.id)
            if held is not None and held.runner == self._runner:
                await save(tx, self.context, self.principal, self.request, change(held))

    async def _beat(self) -> None:
        while not self._lost:
            await asyncio.sleep(BEAT_S)
            try:
                async with self.context.database.writing(self.principal) as tx:
                    stopped = await jobs.keep(tx, self.job.id, self._runner, self.context.clock() + LEASE)
            except (DatabaseUnavailableError, StatementFailedError) as error:
                log.warning("a job's runner could not be heard of", job=str(self.job.id), reason=type(error).__name__)
                continue
            self._lost = stopped is None
            self.cancelled = self.cancelled or bool(stopped)


Runner = Callable[[Run], Awaitable[None]]
"""What does the jobs of one kind. It returns when the job is done, and raises `JobFailed` where it cannot be.

Whatever else it raises is tried again from the last step, and fails the job when it comes again and again.
"""


def new_job(
    context: Context,
    principal: Principal,
    kind: JobKind,
    parameters: Mapping[str, Any],
    *,
    total: int | None = None,
    file_name: str | None = None,
    waits_until: datetime | None = None,
) -> Job:
    """Return a job that a worker is to take up at once, or when the file has come that is awaited until an instant."""
    now = context.clock()
    return Job(
        id=new_id(),
        kind=kind,
        status=JobStatus.UPLOADING if waits_until else JobStatus.QUEUED,
        parameters=parameters,
        file_name=file_name,
        requested_by_kind=principal.kind,
        requested_by=principal.id,
        token_id=principal.token_id,
        created_at=now,
        total=total,
        due_at=waits_until or now,
    )


async def begin(tx: Transaction, context: Context, principal: Principal, request: Request, job: Job) -> Outcome:
    """Write a new job beside whatever else the command does, and tell of it; a worker takes it up after the commit.

    The caller has checked that the principal may start it.
    """
    await jobs.add(tx, job)
    event = await tell(tx, context, principal, request, job)
    return Outcome(subject=job.id, version=job.version, event=event)


@asynccontextmanager
async def locally(
    context: Context,
    principal: Principal,
    request: Request,
    kind: JobKind,
    parameters: Mapping[str, Any],
    file_name: str | None = None,
) -> AsyncIterator[Run]:
    """Begin a job that this program does itself within the block, and end it by how the block ends.

    Cut off in the middle it is no worker's to go on with: it is failed, and begun again by whoever wants it.
    """
    begun = new_job(context, principal, kind, parameters, file_name=file_name)
    now = context.clock()
    job = replace(begun, local=True).taken(new_id(), now + LEASE, now)
    async with context.database.writing(principal) as tx:
        await begin(tx, context, principal, request, job)
    run = Run(context, principal, job, request)
    try:
        async with run.held():
            yield run
    except JobStopped as stopped:
        await run.end(JobStatus.CANCELLED)
        raise JobFailed("The job was cancelled; what it has done by then stays.") from stopped
    except (JobFailed, ForbiddenError) as error:
        await run.end(JobStatus.FAILED, str(error))
        raise
    except BaseException:
        await run.end(JobStatus.FAILED, CUT_OFF)
        raise
    await run.end(JobStatus.DONE)


async def save(tx: Transaction, context: Context, principal: Principal, request: Request, job: Job) -> UUID:
    """Write a changed job over its locked row, tell of it, and return the event."""
    await jobs.save(tx, job)
    return await tell(tx, context, principal, request, job)


async def tell(tx: Transaction, context: Context, principal: Principal, request: Request, job: Job) -> UUID:
    """Append the event of how a job stands now, and return its id."""
    event = JobChanged(job.kind.value, job.status.value, job.done, job.total, job.error_count)
    return await _publish(tx, principal, request, job, event, job.version, context.clock())


async def cancel(context: Context, principal: Principal, request: Request, job: UUID) -> Outcome:
    """Stop a job: one that waits ends at once, a running one after its batch; what it has done by then stays.

    Raises:
        ForbiddenError: the caller may see the job, and not start one like it.
    """

    @refusable
    async def act(tx: Transaction) -> Outcome:
        held = await jobs.lock(tx, job)
        seen = found(held if held is not None and held.seen_by(principal) else None, "job", "jobId")
        seen.changed_by(principal)
        now = context.clock()
        if seen.status.ended:
            message = f"The job has ended already: it is {seen.status.value}."
            return refused(UserError(ErrorCode.CONFLICT, message, ("jobId",)), subject=seen.id)
        changed = seen.asked_to_stop(now) if seen.status is JobStatus.RUNNING else seen.ended(JobStatus.CANCELLED, now)
        event = await save(tx, context, principal, request, changed)
        return Outcome(subject=seen.id, version=changed.version, event=event)

    return await perform(context, principal, request, "jobCancel", {"job": str(job)}, act)


def request_of(job: Job) -> Request:
    """Return as what a job's own commands count: as its asker's, who came in by the API, or as the product's own."""
    return Request(f"job {job.public_id}", Channel.API if job.token_id else Channel.SYSTEM)


async def _publish(
    tx: Transaction,
    principal: Principal,
    request: Request,
    job: Job,
    event: JobChanged,
    version: int,
    now: datetime,
) -> UUID:
    return await publish(tx, principal, request, event, subject=job.id, version=version, client=job.client, now=now)
