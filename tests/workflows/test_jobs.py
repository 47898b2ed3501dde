"""Jobs go on whatever becomes of their workers, are done by one at a time, stop when told to, and leave no file."""

import asyncio
import itertools
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from db import jobs
from db.errors import DatabaseUnavailableError
from db.jobs import Step
from domain.errors import ErrorCode
from domain.imports import ImportKind
from domain.jobs import ATTEMPTS_MOST, JobKind, JobStatus
from tests.support.events import number
from tests.support.jobs import TICKETS_OF_DESK, imported, rows, seen, sent_in, started, tickets_of, worked
from tests.support.moving_in import lead_of
from tests.support.providers import Provider, codes, done, sent
from workflows import client_imports, imports, job_runs
from workflows.import_jobs import StartImport
from workflows.jobs import LEASE, Run, cancel
from workflows.uploads import UploadRefused

PIECES = text("select count(*) from upload_chunk where tenant_id = :tenant")
TICKETS = text("select count(*) as stored, coalesce(sum(version), 0) as writes from ticket where tenant_id = :tenant")
EVENTS = text("""
    select body from event_log where tenant_id = :tenant and type = 'job.changed' order by seq
""")
CLIENTS = StartImport(ImportKind.CLIENTS, "CSV")


async def errors(provider: Provider, job: UUID) -> list[tuple[int, str | None, str | None]]:
    async with provider.context.database.reading(provider.admin) as tx:
        return [(one.line, one.column, one.value) for one in await jobs.bad_lines(tx, job, 0, 100)]


async def test_a_file_goes_in_the_bad_lines_are_named_and_the_file_is_cleared_away(provider: Provider) -> None:
    content = tickets_of(3) + b'{"id": 4, "t": "yesterday"}\nnonsense\n' + tickets_of(1, 6)
    job = await imported(provider, TICKETS_OF_DESK, "tickets.jsonl", content)
    assert (job.status, job.done, job.total, job.failure) == (JobStatus.DONE, len(content), len(content), None)
    assert (job.counts, job.error_count) == ({"CREATED": 4}, 2)
    assert [(line, column) for line, column, _ in await errors(provider, job.id)] == [(4, "t"), (5, None)]
    assert (await rows(provider, PIECES))[0]["count"] == 0
    assert (job.due_at, job.runner, job.upload) == (None, None, None)
    again = await imported(provider, TICKETS_OF_DESK, "again.jsonl", content)
    assert again.counts == {"UNCHANGED": 4}
    assert [tuple(row) for row in await rows(provider, TICKETS)] == [(4, 4)]


async def test_clients_come_in_and_a_dry_run_foresees_every_row(provider: Provider) -> None:
    lead = await lead_of(provider)
    content = (
        "name,lead,stage,steady_on,Seats,Notiz\n"
        + "".join(f"Acme {n},{lead.email},STEADY_STATE,2026-01-01,{n},x\n" for n in range(5))
        + f"Bolt,{lead.email},STEADY_STATE,2026-01-01,many,x\n"
    ).encode()
    command = replace(CLIENTS, mapping={"columns": {"Notiz": "-"}})
    foreseen = await imported(provider, replace(command, dry_run=True), "dry.csv", content)
    assert (foreseen.status, foreseen.counts) == (JobStatus.DONE, {"CREATED": 5, "REFUSED": 1})
    assert (foreseen.done, foreseen.total) == (len(content), len(content))
    came = await imported(provider, command, "clients.csv", content)
    assert (came.counts, came.error_count, came.result_count) == ({"CREATED": 5, "REFUSED": 1}, 1, 6)
    assert await errors(provider, came.id) == await errors(provider, foreseen.id) == [(7, "Seats", "many")]
    results = []
    for job in (foreseen, came):
        async with provider.context.database.reading(provider.admin) as tx:
            kept = [dict(body) for _, body in await jobs.results(tx, job.id, 0, 100)]
        results.append([{k: v for k, v in one.items() if k not in ("client", "onboarding")} for one in kept])
        assert all(str(one["client"]).startswith("cli_") for one in kept[:5])
    assert results[0] == results[1]
    assert [one["status"] for one in results[1]] == ["CREATED"] * 5 + ["FAILED"]


@pytest.mark.parametrize("kind", ["tickets", "clients"])
async def test_a_job_whose_worker_is_gone_goes_on_behind_its_last_batch_and_does_nothing_twice(
    provider: Provider, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(imports, "BATCH_TICKETS", 10)
    monkeypatch.setattr(client_imports, "BATCH_CLIENTS", 10)
    job, content = await _half_done(provider, monkeypatch, kind)
    half = await seen(provider, job)
    refused = {} if kind == "tickets" else {"REFUSED": 1}
    assert (half.status, half.counts) == (JobStatus.RUNNING, {"CREATED": 19, **refused})
    await worked(provider)
    assert (await seen(provider, job)).version == half.version, "its lease has not ended"
    provider.clock.forward(seconds=LEASE.total_seconds() + 1)
    await worked(provider)
    whole = await seen(provider, job)
    assert (whole.status, whole.done, whole.total) == (JobStatus.DONE, len(content), len(content))
    assert whole.counts == ({"CREATED": 43} if kind == "tickets" else {"CREATED": 43, "REFUSED": 2})
    assert [line for line, _, _ in await errors(provider, job)] == ([6, 45] if kind == "tickets" else [7, 45])


async def test_a_worker_taken_for_dead_writes_nothing_more(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "BATCH_TICKETS", 10)
    ready, go_on = asyncio.Event(), asyncio.Event()
    write = jobs.step
    slow = True

    async def stepping(*arguments: Any) -> Any:
        nonlocal slow
        if slow:
            slow = False
            ready.set()
            await go_on.wait()
        return await write(*arguments)

    monkeypatch.setattr(jobs, "step", stepping)
    job = await started(provider, TICKETS_OF_DESK)
    await sent_in(provider, job, tickets_of(35))
    first = asyncio.create_task(worked(provider))
    await ready.wait()
    provider.clock.forward(seconds=LEASE.total_seconds() + 1)
    second = asyncio.create_task(worked(provider))
    while (await seen(provider, job)).attempts < 2:  # noqa: ASYNC110 -- the second worker is what is waited for
        await asyncio.sleep(0.01)
    go_on.set()
    await asyncio.gather(first, second)
    whole = await seen(provider, job)
    assert (whole.status, whole.counts, whole.attempts) == (JobStatus.DONE, {"CREATED": 35}, 0)
    assert [tuple(row) for row in await rows(provider, TICKETS)] == [(35, 35)]


async def test_many_workers_at_once_do_each_job_once_and_one_of_a_kind_at_a_time(provider: Provider) -> None:
    begun = [await started(provider, replace(TICKETS_OF_DESK, file_name=f"{n}")) for n in range(4)]
    for place, job in enumerate(begun):
        await sent_in(provider, job, tickets_of(30, first=1 + 30 * place))
    await asyncio.gather(*(worked(provider) for _ in range(4)))
    await worked(provider)
    found = [await seen(provider, job) for job in begun]
    assert [(one.status, one.counts) for one in found] == [(JobStatus.DONE, {"CREATED": 30})] * 4
    spans = sorted((one.started_at, one.finished_at) for one in found)
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(spans))  # type: ignore[operator]
    assert [tuple(row) for row in await rows(provider, TICKETS)] == [(120, 120)]


async def test_a_running_job_stops_between_two_batches_and_keeps_what_it_did(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "BATCH_TICKETS", 10)
    write = jobs.step
    job = await started(provider, TICKETS_OF_DESK)
    await sent_in(provider, job, tickets_of(15) + b"bad\n" + tickets_of(50, first=16))

    async def stepping(*arguments: Any) -> Any:
        stepped = await write(*arguments)
        assert stepped is not None
        return replace(stepped, cancelled=stepped.error_count > 0)

    monkeypatch.setattr(jobs, "step", stepping)
    await worked(provider)
    stopped = await seen(provider, job)
    assert (stopped.status, stopped.counts) == (JobStatus.CANCELLED, {"CREATED": 19})
    assert (await rows(provider, PIECES))[0]["count"] == 0


async def test_cancelling_ends_what_waits_at_once_asks_what_runs_and_refuses_what_has_ended(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, admin = provider.context, provider.admin
    waiting = await started(provider, TICKETS_OF_DESK)
    done(await cancel(context, admin, sent(), waiting))
    assert (await seen(provider, waiting)).status is JobStatus.CANCELLED
    assert codes(await cancel(context, admin, sent(), waiting)) == [ErrorCode.CONFLICT]
    with pytest.raises(UploadRefused, match="it is CANCELLED"):
        await sent_in(provider, waiting, b"x")

    async def cancelled_meanwhile(run: Run) -> None:
        done(await cancel(context, admin, sent(), run.job.id))
        assert (await seen(provider, run.job.id)).cancel_asked_at is not None
        async with context.database.writing(run.principal) as tx:
            await run.step(tx, Step(1))
        await run.check()
        raise AssertionError

    monkeypatch.setattr(job_runs, "RUNNERS", {JobKind.TICKET_IMPORT: cancelled_meanwhile})
    running = await imported(provider, TICKETS_OF_DESK, "x", b"x")
    assert (running.status, running.done) == (JobStatus.CANCELLED, 1)


async def test_a_job_that_never_gets_further_is_set_aside_with_its_reason_and_the_next_is_done(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = 0

    async def broken(run: Run) -> None:
        nonlocal tries
        if run.job.file_name == "sound":
            return
        tries += 1
        raise ValueError("a table named wages has a column named salary")

    monkeypatch.setattr(job_runs, "RUNNERS", {JobKind.TICKET_IMPORT: broken})
    poison = await imported(provider, TICKETS_OF_DESK, "poison", b"x")
    sound = await imported(provider, TICKETS_OF_DESK, "sound", b"x")
    assert sound.status is JobStatus.DONE
    for _ in range(10):
        provider.clock.forward(minutes=1)
        await worked(provider)
    poison = await seen(provider, poison.id)
    assert (tries, poison.status) == (ATTEMPTS_MOST, JobStatus.FAILED)
    assert poison.failure is not None
    assert "salary" not in poison.failure
    assert poison.public_id in poison.failure


async def test_a_job_that_kills_its_worker_again_and_again_is_set_aside(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    async def deadly(run: Run) -> None:
        raise Killed

    async def nothing_more(*_: object) -> None:
        return

    monkeypatch.setattr(job_runs, "RUNNERS", {JobKind.TICKET_IMPORT: deadly})
    monkeypatch.setattr(Run, "leave", nothing_more)
    job = await started(provider, TICKETS_OF_DESK)
    await sent_in(provider, job, b"x")
    for _ in range(ATTEMPTS_MOST):
        with pytest.raises(Killed):
            await worked(provider)
        provider.clock.forward(seconds=LEASE.total_seconds() + 1)
    await worked(provider)
    set_aside = await seen(provider, job)
    assert (set_aside.status, set_aside.attempts) == (JobStatus.FAILED, ATTEMPTS_MOST)
    assert "got no further" in str(set_aside.failure)


async def test_a_lost_database_costs_a_job_a_pause_and_nothing_else(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = 2

    async def unlucky(run: Run) -> None:
        nonlocal lost
        if lost:
            lost -= 1
            raise DatabaseUnavailableError("no server")

    monkeypatch.setattr(job_runs, "RUNNERS", {JobKind.TICKET_IMPORT: unlucky})
    job = await imported(provider, TICKETS_OF_DESK, "x", b"x")
    for _ in range(2):
        assert job.status is JobStatus.QUEUED
        provider.clock.forward(minutes=1)
        await worked(provider)
        job = await seen(provider, job.id)
    assert job.status is JobStatus.DONE


async def test_a_worker_that_is_told_to_stop_leaves_its_job_to_the_next_at_once(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "BATCH_TICKETS", 10)
    job = await started(provider, TICKETS_OF_DESK)
    await sent_in(provider, job, tickets_of(30))
    await job_runs.work_for(provider.context, provider.tenant_id, stopping=lambda: True)
    left = await seen(provider, job)
    assert (left.status, left.runner, left.counts) == (JobStatus.QUEUED, None, {})
    await worked(provider)
    assert (await seen(provider, job)).counts == {"CREATED": 30}


async def test_every_step_is_told_of_in_the_feed(provider: Provider) -> None:
    job = await imported(provider, TICKETS_OF_DESK, "tickets.jsonl", tickets_of(3))
    await number(provider.context.database)
    told = [row["body"] for row in await rows(provider, EVENTS)]
    assert [(one["data"]["status"], one["data"]["done"]) for one in told] == [
        ("UPLOADING", 0),
        ("UPLOADING", 0),
        ("QUEUED", 0),
        ("RUNNING", 0),
        ("RUNNING", job.total),
        ("DONE", job.total),
    ]
    assert [one["subject"]["version"] for one in told] == sorted({one["subject"]["version"] for one in told})
    assert {one["subject"]["id"] for one in told} == {job.public_id}


async def _half_done(provider: Provider, monkeypatch: pytest.MonkeyPatch, kind: str) -> tuple[UUID, bytes]:
    """Let a worker do two batches of an import and vanish without a word."""
    if kind == "tickets":
        command, content = TICKETS_OF_DESK, tickets_of(5) + b"bad\n" + tickets_of(38, first=6) + b"bad\n"
    else:
        lead = await lead_of(provider)
        lines = [f"Acme {n},{lead.email},STEADY_STATE,2026-01-01,{n}" for n in range(43)]
        lines.insert(5, f"Bolt,{lead.email},STEADY_STATE,2026-01-01,many")
        lines.insert(43, f"Acme 2,{lead.email},STEADY_STATE,2026-01-01,1")
        command, content = CLIENTS, "\n".join(["name,lead,stage,steady_on,seats", *lines, ""]).encode()

    class Killed(BaseException):
        pass

    write, left, steps = jobs.step, Run.leave, 0

    async def stepping(*arguments: Any) -> Any:
        nonlocal steps
        steps += 1
        if steps > 2:
            raise Killed
        return await write(*arguments)

    async def nothing_more(*_: object) -> None:
        return

    monkeypatch.setattr(jobs, "step", stepping)
    monkeypatch.setattr(Run, "leave", nothing_more)
    job = await started(provider, command)
    await sent_in(provider, job, content)
    with pytest.raises(Killed):
        await worked(provider)
    monkeypatch.setattr(jobs, "step", write)
    monkeypatch.setattr(Run, "leave", left)
    return job, content
