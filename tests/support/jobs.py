"""Jobs as a test starts them, sends their files, works on them, and looks at them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

from db import jobs
from db.session import Transaction
from domain.access import Principal
from domain.imports import ImportKind
from domain.jobs import Job
from tests.support.providers import Provider, done, sent
from workflows import import_jobs, job_runs, uploads
from workflows.import_jobs import StartImport

TICKETS_OF_DESK = StartImport(
    ImportKind.TICKETS,
    "JSONL",
    mapping={"system": "DESK", "columns": {"external_id": "id", "logged_at": "t", "client": "who"}},
)


@dataclass(frozen=True, slots=True)
class Latest:
    """A stretch of the latest of a list."""

    limit: int = 10
    backward: bool = False
    after: None = None
    before: None = None


async def latest(tx: Transaction) -> list[Job]:
    """Return the latest jobs, newest first."""
    return await jobs.listed(tx, Latest(), {})


async def seen(provider: Provider, job: UUID) -> Job:
    """Return a job as it is now."""
    async with provider.context.database.reading(provider.admin) as tx:
        found = await jobs.get(tx, job)
    assert found is not None
    return found


async def started(provider: Provider, command: StartImport, who: Principal | None = None) -> UUID:
    """Start an import whose file is still to come."""
    principal = who or provider.admin
    return done(await import_jobs.start(provider.context, principal, sent(uuid4().hex), command))


async def sent_in(provider: Provider, job: UUID, content: bytes, who: Principal | None = None) -> Job:
    """Send a job's file in, in pieces as the door would cut it."""
    size = uploads.PIECE_BYTES

    async def pieces() -> AsyncIterator[bytes]:
        for at in range(0, len(content), size):
            yield content[at : at + size]

    return await uploads.receive(provider.context, who or provider.admin, sent(), job, pieces())


async def worked(provider: Provider) -> None:
    """Do what there is to do about a provider's jobs, until nothing is due."""
    while await job_runs.work_for(provider.context, provider.tenant_id):
        pass


async def imported(provider: Provider, command: StartImport, name: str, content: bytes) -> Job:
    """Import a file, from its start to its end."""
    job = await started(provider, replace(command, file_name=name))
    await sent_in(provider, job, content)
    await worked(provider)
    return await seen(provider, job)


def tickets_of(count: int, first: int = 1) -> bytes:
    """Return so many tickets, one JSON object a line."""
    return b"".join(
        b'{"id": %d, "t": "2026-01-05T09:00:00Z", "who": "Acme"}\n' % number for number in range(first, first + count)
    )


async def rows(provider: Provider, statement: Any) -> list[Any]:
    """Return the rows of a statement about a provider."""
    async with provider.context.database.reading(provider.admin) as tx:
        return await tx.rows(statement, tenant=tx.tenant)
