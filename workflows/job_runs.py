"""Job runs: a worker takes a job up, does it as whoever asked for it, and leaves or ends it."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from uuid import UUID

import structlog

from db import jobs, uploads
from db.errors import DatabaseUnavailableError
from db.session import Transaction
from domain.access import Principal, system
from domain.errors import ForbiddenError
from domain.jobs import ATTEMPTS_MOST, Job, JobKind, JobStatus
from workflows import client_imports, imports, rederiving
from workflows.access import principal_of
from workflows.context import Context, new_id
from workflows.jobs import CUT_OFF, LEASE, JobFailed, JobStopped, Run, Runner, request_of, save
from workflows.uploads import PIECES_AT_ONCE

RUNNERS: Mapping[JobKind, Runner] = {
    JobKind.TICKET_IMPORT: imports.import_uploaded,
    JobKind.CLIENT_IMPORT: client_imports.import_uploaded,
    JobKind.TICKET_REDERIVATION: rederiving.rederive,
}
"""What does the jobs of each kind: all that this product does at length, on one screen."""

AT_ONCE = 2
"""Jobs that one worker does at the same time."""

BACK_OFF = timedelta(seconds=2)
"""How long a job rests after a fault, times how often it had one without getting any further."""

log = structlog.get_logger("steadystate.jobs")


async def work(context: Context, *, stopping: Callable[[], bool] = lambda: False) -> int:
    """Do something about the job that is longest due, if there is one; return how many jobs that were.

    Two workers never do the same job: its row says whose it is, until when, and is looked at under a lock.
    """
    async with context.database.relaying() as relaying:
        waiting = await jobs.due_tenants(relaying, context.clock())
    for tenant in waiting:
        if stopping():
            return 0
        if await work_for(context, tenant, stopping=stopping):
            return 1
    return 0


async def work_for(context: Context, tenant: UUID, *, stopping: Callable[[], bool] = lambda: False) -> int:
    """Do something about the job of one tenant that is longest due, if there is one."""
    job = await _take(context, tenant)
    if job is None:
        return 0
    if job.status is JobStatus.RUNNING:
        await _run(context, job, tenant, stopping)
    return 1


async def _take(context: Context, tenant: UUID) -> Job | None:
    """Lock the job that is longest due and settle it, or take it up; return it as it then is."""
    now, ours = context.clock(), system(tenant)
    async with context.database.writing(ours) as tx:
        due = await jobs.take_due(tx, [kind.value for kind in JobKind if kind in RUNNERS], now)
        if due is None:
            return None
        if due.status.ended:
            return await _clear(tx, due)
        settled = _settled(due, context) or due.taken(new_id(), now + LEASE, now)
        await save(tx, context, ours, request_of(settled), settled)
    return settled


def _settled(due: Job, context: Context) -> Job | None:
    """Return a job of which nothing more will become, ended; `None` where it is to be run."""
    now = context.clock()
    if due.status is JobStatus.UPLOADING:
        return due.ended(JobStatus.FAILED, now, "No whole file came in time; start another job and upload it.")
    if due.cancel_asked_at is not None:
        return due.ended(JobStatus.CANCELLED, now)
    if due.local:
        return due.ended(JobStatus.FAILED, now, CUT_OFF)
    if due.attempts >= ATTEMPTS_MOST:
        message = f"It was taken up {due.attempts} times and got no further, so it is set aside. {_quote(due)}"
        return due.ended(JobStatus.FAILED, now, message)
    return None


async def _clear(tx: Transaction, job: Job) -> Job:
    """Clear a part of an ended job's file away, and note when nothing is left of it."""
    if await uploads.clear(tx, job.id, PIECES_AT_ONCE) < PIECES_AT_ONCE:
        await jobs.save(tx, job.cleared())
    return job


async def _run(context: Context, job: Job, tenant: UUID, stopping: Callable[[], bool]) -> None:
    principal = await _asker(context, job, tenant)
    run = Run(context, principal or system(tenant), job, request_of(job), stopping)
    if principal is None:
        await run.end(JobStatus.FAILED, "The credential of whoever asked for it has ended; ask for it with another.")
        return
    try:
        async with run.held():
            await RUNNERS[job.kind](run)
    except JobStopped:
        await (run.end(JobStatus.CANCELLED) if run.cancelled else run.leave(context.clock()))
    except (JobFailed, ForbiddenError) as error:
        await run.end(JobStatus.FAILED, str(error))
    except Exception as error:  # noqa: BLE001 -- whatever it was, the job is tried again or says that it failed
        await _stumbled(run, error)
    except BaseException:
        # The worker ends in the middle of a batch, which is taken back: another goes on at once.
        await run.leave(context.clock())
        raise
    else:
        await run.end(JobStatus.DONE)


async def _asker(context: Context, job: Job, tenant: UUID) -> Principal | None:
    """Return whoever asked for a job with the rights that they have by now, or `None` where they have none left."""
    if job.token_id is None:
        return system(tenant)
    return await principal_of(context, tenant, job.token_id)


async def _stumbled(run: Run, error: Exception) -> None:
    """Let a job rest after a fault, and fail it where it has had too many without getting any further."""
    known = isinstance(error, DatabaseUnavailableError)
    log.warning("job stumbled", job=str(run.job.id), reason=type(error).__name__, exc_info=not known)
    now = run.context.clock()
    async with run.context.database.writing(run.principal) as tx:
        held = await jobs.lock(tx, run.job.id)
    attempts = held.attempts if held else ATTEMPTS_MOST
    if attempts < ATTEMPTS_MOST:
        await run.leave(now + BACK_OFF * attempts)
        return
    await run.end(JobStatus.FAILED, f"Something went wrong on our side, and went wrong again. {_quote(run.job)}")


def _quote(job: Job) -> str:
    return f"Quote the job's id, {job.public_id}, to whoever runs this server."
