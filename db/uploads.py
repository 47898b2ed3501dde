"""Uploads in the database: a job's file in pieces, so that any worker can read it."""

from uuid import UUID

from sqlalchemy import text

from db.session import Transaction

ADD = text("""
    insert into upload_chunk (tenant_id, job_id, upload, number, content)
    select tenant_id, id, upload, :number, :content from job
    where tenant_id = :tenant and id = :job and upload = :upload and status = 'UPLOADING'
    for share
    returning number
""")

GET = text("""
    select content from upload_chunk
    where tenant_id = :tenant and job_id = :job and upload = :upload and number = :number
""")

CLEAR = text("""
    delete from upload_chunk
    where tenant_id = :tenant and job_id = :job and (upload, number) in (
        select upload, number from upload_chunk
        where tenant_id = :tenant and job_id = :job and upload is distinct from cast(:but as uuid) limit :pieces)
    returning number
""")


async def add(tx: Transaction, job: UUID, upload: UUID, number: int, content: bytes) -> bool:
    """Keep a piece of a file; `False` where the job no longer waits for it, or for another upload by now."""
    return bool(await tx.rows(ADD, tenant=tx.tenant, job=job, upload=upload, number=number, content=content))


async def get(tx: Transaction, job: UUID, upload: UUID, number: int) -> bytes | None:
    """Return a piece of a file, numbered from 0, or `None` behind the last."""
    content: bytes | None = await tx.value(GET, tenant=tx.tenant, job=job, upload=upload, number=number)
    return content


async def clear(tx: Transaction, job: UUID, pieces: int, but: UUID | None = None) -> int:
    """Remove so many pieces of a job's files, of all uploads or all but one; return how many there were."""
    return len(await tx.rows(CLEAR, tenant=tx.tenant, job=job, pieces=pieces, but=but))
