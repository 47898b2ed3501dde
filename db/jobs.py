"""Jobs in the database: lists of them, who runs each until when, how far it is, and its lines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import Text, any_, bindparam, cast, or_, text
from sqlalchemy.dialects.postgresql import ARRAY

from db.keyset import Listing, Stretch
from db.rows import Rows
from db.session import Transaction, columns
from db.tables.jobs import JobErrorRow, JobRow
from domain.imports import LineError
from domain.jobs import Job, JobCount, JobError

ROWS = Rows(JobRow, Job)
_J = JobRow.__table__.c
_E = JobErrorRow.__table__.c
_TEXTS = ARRAY(Text())

LISTING = Listing(
    columns=ROWS.columns,
    tenant=_J.tenant_id,
    orders={"CREATED_AT": (_J.created_at, _J.id)},
    conditions={
        # Of these kinds, or asked for by this caller: both stand in one list.
        "visible": or_(
            _J.kind == any_(bindparam("visible", type_=_TEXTS)),
            cast(_J.requested_by, Text) == any_(bindparam("visible", type_=_TEXTS)),
        ),
        "kinds": _J.kind == any_(bindparam("kinds", type_=_TEXTS)),
        "statuses": _J.status == any_(bindparam("statuses", type_=_TEXTS)),
    },
)

ERRORS = Listing(
    columns=(_E.job_id, _E.number, _E.line, _E.column_name, _E.value, _E.reason),
    tenant=_E.tenant_id,
    orders={"NUMBER": (_E.number,)},
    parent=_E.job_id,
)

# Whoever has the fewest jobs running comes first, so that one provider's imports hold up nobody else's.
DUE_TENANTS = text("""
    select tenant_id from job where due_at <= :now group by tenant_id
    order by (select count(*) from job as r
              where r.tenant_id = job.tenant_id and r.due_at > :now and r.status = 'RUNNING'), min(due_at)
""")

# One of a kind at a time: two imports of a provider would wait for each other's rows.
TAKE_DUE = text(f"""
    select {", ".join(column.name for column in ROWS.columns)} from job
    where tenant_id = :tenant and due_at <= :now and kind = any(cast(:kinds as text[]))
      and (finished_at is not null or not exists (
          select from job as other
          where other.tenant_id = :tenant and other.kind = job.kind and other.id <> job.id
            and other.status = 'RUNNING' and other.due_at > :now))
    order by due_at, id limit 1
    for update skip locked
""")

UNENDED = text("""
    select count(*) from job
    where tenant_id = :tenant and kind = :kind and status in ('UPLOADING', 'QUEUED', 'RUNNING')
""")

KEEP = text("""
    update job set due_at = :until
    where tenant_id = :tenant and id = :id and runner = :runner and status = 'RUNNING'
    returning cancel_asked_at is not null
""")

# Only whoever holds the job writes how far it is: a batch of a worker that was taken for dead is taken back.
STEP = text("""
    update job
    set done = :done, total = coalesce(:total, total), place = cast(:place as jsonb), attempts = 0, due_at = :until,
        error_count = error_count + :errors, result_count = result_count + :results, version = version + 1,
        counts = (select coalesce(jsonb_object_agg(name, amount), '{}'::jsonb)
                  from (select name, sum(amount::bigint) as amount
                        from (select * from jsonb_each_text(counts)
                              union all select * from jsonb_each_text(cast(:counts as jsonb))) as each(name, amount)
                        group by name) as summed)
    where tenant_id = :tenant and id = :id and runner = :runner and status = 'RUNNING'
    returning version, total, error_count, result_count, cancel_asked_at is not null as cancelled
""")

ADD_ERRORS = text("""
    insert into job_error (tenant_id, job_id, number, line, column_name, value, reason)
    select :tenant, :id, e.*
    from unnest(cast(:numbers as int[]), cast(:lines as int[]), cast(:names as text[]), cast(:contents as text[]),
                cast(:reasons as text[])) as e
""")

ADD_RESULTS = text("""
    insert into job_result (tenant_id, job_id, number, body)
    select :tenant, :id, r.number + :before, r.body
    from jsonb_array_elements(cast(:bodies as jsonb)) with ordinality as r(body, number)
""")

BAD_LINES = text("""
    select number, line, column_name, value, reason from job_error
    where tenant_id = :tenant and job_id = :id and number > :after
    order by number limit :rows
""")

RESULTS = text("""
    select number, body from job_result
    where tenant_id = :tenant and job_id = :id and number > :after
    order by number limit :rows
""")

get = ROWS.get
lock = ROWS.lock
many = ROWS.many
add = ROWS.add


@dataclass(frozen=True, slots=True)
class Step:
    """What one batch did: how far the job is by now, and what it adds to the job's counts, bad lines and results."""

    done: int
    total: int | None = None
    place: Any = None
    counts: Mapping[JobCount, int] = field(default_factory=dict)
    errors: Sequence[LineError] = ()
    results: Sequence[Mapping[str, object]] = ()


@dataclass(frozen=True, slots=True)
class Stepped:
    """The job after a step: its version, how much there is to do, its bad lines, and whether somebody stopped it."""

    version: int
    total: int | None
    error_count: int
    cancelled: bool


async def save(tx: Transaction, job: Job) -> None:
    """Write a job over its locked row."""
    await ROWS.save(tx, job.id, job)


async def listed(tx: Transaction, stretch: Stretch, where: Mapping[str, object]) -> list[Job]:
    """Return a stretch of the jobs, the latest first, narrowed by conditions of `LISTING`."""
    rows = await LISTING.rows(tx, "CREATED_AT", stretch, where, descending=True)
    return [ROWS.read(row) for row in rows]


async def count(tx: Transaction, where: Mapping[str, object]) -> int:
    """Return how many jobs there are under the conditions, no further than is told."""
    return await LISTING.count(tx, where)


async def unended(tx: Transaction, kind: str) -> int:
    """Return how many jobs of a kind have not ended."""
    return int(await tx.value(UNENDED, tenant=tx.tenant, kind=kind))


async def due_tenants(relaying: Transaction, now: datetime) -> list[UUID]:
    """Return the tenants of which a job is due, first the one with the fewest running."""
    return [row["tenant_id"] for row in await relaying.rows(DUE_TENANTS, now=now)]


async def take_due(tx: Transaction, kinds: Sequence[str], now: datetime) -> Job | None:
    """Lock the job of these kinds that is longest due; what another worker holds is passed over."""
    row = await tx.one(TAKE_DUE, tenant=tx.tenant, kinds=list(kinds), now=now)
    return ROWS.read(row) if row else None


async def keep(tx: Transaction, job: UUID, runner: UUID, until: datetime) -> bool | None:
    """Hold a running job for longer, and tell whether somebody stopped it; `None` where another runs it by now."""
    stopped: bool | None = await tx.value(KEEP, tenant=tx.tenant, id=job, runner=runner, until=until)
    return stopped


async def step(tx: Transaction, job: UUID, runner: UUID, done: Step, until: datetime) -> Stepped | None:
    """Write what one batch did, in the transaction that did it; `None` where another runs the job by now."""
    row = await tx.one(
        STEP,
        tenant=tx.tenant,
        id=job,
        runner=runner,
        done=done.done,
        total=done.total,
        place=done.place,
        counts={name.value: amount for name, amount in done.counts.items() if amount},
        errors=len(done.errors),
        results=len(done.results),
        until=until,
    )
    if row is None:
        return None
    if done.errors:
        first = row["error_count"] - len(done.errors) + 1
        rows = [
            (number, error.line, error.column, error.value, error.reason)
            for number, error in enumerate(done.errors, start=first)
        ]
        names = ("numbers", "lines", "names", "contents", "reasons")
        await tx.run(ADD_ERRORS, tenant=tx.tenant, id=job, **dict(zip(names, columns(rows, len(names)), strict=True)))
    if done.results:
        before = row["result_count"] - len(done.results)
        await tx.run(ADD_RESULTS, tenant=tx.tenant, id=job, before=before, bodies=list(done.results))
    return Stepped(row["version"], row["total"], row["error_count"], row["cancelled"])


async def bad_lines(tx: Transaction, job: UUID, after: int, rows: int) -> list[JobError]:
    """Return the bad lines of a job, from the one after number `after` on."""
    found = await tx.rows(BAD_LINES, tenant=tx.tenant, id=job, after=after, rows=rows)
    return [_bad_line(job, row) for row in found]


async def bad_lines_of(tx: Transaction, jobs: Sequence[UUID], stretch: Stretch) -> dict[UUID, list[JobError]]:
    """Return one stretch of the bad lines of each job, in one statement."""
    found = await ERRORS.rows_of(tx, jobs, "NUMBER", stretch)
    return {job: [_bad_line(job, row) for row in rows] for job, rows in found.items()}


async def results(tx: Transaction, job: UUID, after: int, rows: int) -> list[tuple[int, Mapping[str, object]]]:
    """Return what became of each row of a job, from the one after number `after` on."""
    found = await tx.rows(RESULTS, tenant=tx.tenant, id=job, after=after, rows=rows)
    return [(row["number"], row["body"]) for row in found]


def _bad_line(job: UUID, row: asyncpg.Record) -> JobError:
    return JobError(job, row["number"], row["line"], row["column_name"], row["value"], row["reason"])
