"""Uploads: a job's file comes in piece by piece, kept in the database until a worker has read it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import BufferedReader
from itertools import count
from uuid import UUID

from db import jobs, uploads
from db.session import Transaction
from domain.access import Principal
from domain.errors import ErrorCode, UserError, not_found
from domain.jobs import Job
from integrations.lines import Lines, Pieces, unpacked
from workflows.context import Context, Request, new_id
from workflows.jobs import Run, save

PIECE_BYTES = 1 << 20

AWAITED = timedelta(hours=24)
"""How long a job waits for its file, and an upload for its end."""

PIECES_AT_ONCE = 64
"""Pieces of a file that one transaction clears away."""


class UploadRefused(Exception):
    """The file can't be taken; `error` says why and what to do."""

    def __init__(self, error: UserError) -> None:
        super().__init__(error.message)
        self.error = error


async def receive(
    context: Context, principal: Principal, request: Request, job: UUID, pieces: AsyncIterator[bytes]
) -> Job:
    """Keep a file, handed over in pieces of up to a mebibyte, and let a worker take the job up.

    What was uploaded before is replaced. An upload that breaks off leaves the job waiting, and is sent again.

    Raises:
        UploadRefused: no such job is visible, it waits for no file any more, another upload began, or nothing came.
        ForbiddenError: the caller may see the job, and not start one like it.
    """
    upload = await _begin(context, principal, request, job)
    size = number = 0
    async for piece in pieces:
        async with context.database.writing(principal) as tx:
            if not await uploads.add(tx, job, upload, number, piece):
                raise UploadRefused(_overtaken())
        size, number = size + len(piece), number + 1
    if not size:
        message = "The body is empty: nothing came of the file. Send its bytes as the body of the PUT."
        raise UploadRefused(UserError(ErrorCode.INVALID, message))
    return await _end(context, principal, request, job, upload, size)


@contextmanager
def uploaded(run: Run) -> Iterator[Lines]:
    """Give the lines of a running job's file; take them in another thread than that of the event loop."""
    loop, upload, numbers = asyncio.get_running_loop(), run.job.upload, count()
    if upload is None:
        raise TypeError("this job has no file")

    async def fetch(number: int) -> bytes | None:
        async with run.context.database.reading(run.principal) as tx:
            return await uploads.get(tx, run.job.id, upload, number)

    def piece() -> bytes:
        return asyncio.run_coroutine_threadsafe(fetch(next(numbers)), loop).result() or b""

    with unpacked(BufferedReader(Pieces(piece)), run.job.file_name or "The file", run.job.total or 0) as lines:
        yield lines


async def _begin(context: Context, principal: Principal, request: Request, job: UUID) -> UUID:
    upload = new_id()
    async with context.database.writing(principal) as tx:
        held = await _awaiting(tx, principal, job)
        await save(tx, context, principal, request, held.awaiting(upload, context.clock() + AWAITED))
    while await _clear(context, principal, job, upload) == PIECES_AT_ONCE:
        pass
    return upload


async def _clear(context: Context, principal: Principal, job: UUID, but: UUID) -> int:
    async with context.database.writing(principal) as tx:
        return await uploads.clear(tx, job, PIECES_AT_ONCE, but)


async def _end(context: Context, principal: Principal, request: Request, job: UUID, upload: UUID, size: int) -> Job:
    async with context.database.writing(principal) as tx:
        held = await _awaiting(tx, principal, job)
        if held.upload != upload:
            raise UploadRefused(_overtaken())
        whole = held.uploaded(size, context.clock())
        await save(tx, context, principal, request, whole)
    return whole


async def _awaiting(tx: Transaction, principal: Principal, job: UUID) -> Job:
    """Lock a job whose file may still come."""
    held = await jobs.lock(tx, job)
    if held is None or not held.seen_by(principal):
        raise UploadRefused(not_found("job"))
    held.changed_by(principal)
    if not held.awaits_file:
        message = f"The job takes no file now: it is {held.status.value}. Start another with importStart."
        raise UploadRefused(UserError(ErrorCode.CONFLICT, message))
    return held


def _overtaken() -> UserError:
    message = "Another upload for this job began, or it was cancelled: look at the job, and send the file again."
    return UserError(ErrorCode.CONFLICT, message)
