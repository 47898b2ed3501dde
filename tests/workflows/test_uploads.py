"""Files for jobs: who may start, send and stop, what is refused, and what becomes of a file that never comes whole."""

import asyncio
import gzip
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from domain.access import Role, Scope
from domain.errors import ErrorCode, ForbiddenError
from domain.imports import ImportKind
from domain.jobs import JobStatus
from tests.support.jobs import TICKETS_OF_DESK, imported, rows, seen, sent_in, started, tickets_of, worked
from tests.support.providers import Provider, codes, done, sent, without
from workflows import import_jobs, uploads
from workflows.import_jobs import UNENDED_MOST, StartImport
from workflows.imports import ClientPolicy
from workflows.jobs import cancel
from workflows.tokens import RevokeToken, revoke
from workflows.uploads import UploadRefused

PIECES = text("select count(*) from upload_chunk where tenant_id = :tenant")
CLIENTS = StartImport(ImportKind.CLIENTS, "CSV")


async def test_a_file_that_does_not_come_ends_the_wait_and_one_sent_again_takes_the_place_of_the_first(
    provider: Provider,
) -> None:
    job = await started(provider, TICKETS_OF_DESK)
    await sent_in(provider, job, tickets_of(3))
    again = await sent_in(provider, job, tickets_of(2))
    assert (again.status, again.total) == (JobStatus.QUEUED, len(tickets_of(2)))
    await worked(provider)
    assert (await seen(provider, job)).counts == {"CREATED": 2}
    with pytest.raises(UploadRefused, match="takes no file now: it is DONE"):
        await sent_in(provider, job, tickets_of(2))
    forgotten = await started(provider, replace(TICKETS_OF_DESK, file_name="forgotten"))
    with pytest.raises(UploadRefused, match="body is empty"):
        await sent_in(provider, forgotten, b"")
    provider.clock.forward(hours=25)
    await worked(provider)
    given_up = await seen(provider, forgotten)
    assert (given_up.status, "in time" in str(given_up.failure)) == (JobStatus.FAILED, True)


async def test_of_two_uploads_at_once_the_later_one_stands_and_the_other_is_told(provider: Provider) -> None:
    job = await started(provider, TICKETS_OF_DESK)
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slowly() -> Any:
        yield tickets_of(1)
        begun.set()
        await go_on.wait()
        yield tickets_of(1, first=2)

    slow = asyncio.create_task(uploads.receive(provider.context, provider.admin, sent(), job, slowly()))
    await begun.wait()
    await sent_in(provider, job, tickets_of(3, first=10))
    go_on.set()
    with pytest.raises(UploadRefused, match="Another upload"):
        await slow
    await worked(provider)
    assert (await seen(provider, job)).counts == {"CREATED": 3}


async def test_only_who_may_write_what_a_file_brings_may_start_send_and_stop(provider: Provider) -> None:
    viewer = await provider.invited(Role.VIEWER)
    context = provider.context
    with pytest.raises(ForbiddenError, match="TICKETS_WRITE"):
        await started(provider, TICKETS_OF_DESK, viewer)
    with pytest.raises(ForbiddenError, match="ONBOARDING_END"):
        await started(provider, CLIENTS, without(provider.admin, Scope.ONBOARDING_END))
    making = replace(TICKETS_OF_DESK, clients=ClientPolicy.CREATE)
    with pytest.raises(ForbiddenError, match="CLIENTS_WRITE"):
        await started(provider, making, without(provider.admin, Scope.CLIENTS_WRITE))
    job = await started(provider, TICKETS_OF_DESK)
    with pytest.raises(ForbiddenError, match="TICKETS_WRITE"):
        await sent_in(provider, job, b"x", viewer)
    with pytest.raises(ForbiddenError, match="TICKETS_WRITE"):
        await cancel(context, viewer, sent(), job)
    limited = replace(viewer, scopes=provider.admin.scopes, clients=frozenset[UUID]())
    with pytest.raises(UploadRefused, match="No job with this id"):
        await sent_in(provider, job, b"x", limited)
    assert codes(await cancel(context, limited, sent(), job)) == [ErrorCode.NOT_FOUND]
    other = await provider.invited(Role.SERVICE_MANAGER)
    await sent_in(provider, job, tickets_of(1), other)


async def test_a_job_acts_with_the_rights_that_its_asker_has_by_then(provider: Provider) -> None:
    client = await provider.client()
    program = await provider.program(Scope.TICKETS_WRITE, Scope.TICKETS_READ, clients=(client,))
    first = await started(provider, replace(TICKETS_OF_DESK, file_name="all"), program)
    await sent_in(provider, first, tickets_of(2), program)
    await worked(provider)
    refused = await seen(provider, first)
    assert (refused.status, refused.requested_by) == (JobStatus.FAILED, program.id)
    assert "do not see" in str(refused.failure)
    own = await started(provider, replace(TICKETS_OF_DESK, file_name="own", client=client), program)
    await sent_in(provider, own, tickets_of(2), program)
    await worked(provider)
    assert (await seen(provider, own)).counts == {"CREATED": 2}
    late = await started(provider, replace(TICKETS_OF_DESK, file_name="late", client=client), program)
    await sent_in(provider, late, tickets_of(2), program)
    assert program.token_id is not None
    done(await revoke(provider.context, provider.admin, sent(), RevokeToken(program.token_id)))
    await worked(provider)
    ended = await seen(provider, late)
    assert (ended.status, "credential" in str(ended.failure)) == (JobStatus.FAILED, True)


async def test_a_start_that_makes_no_sense_is_refused_with_everything_that_is_wrong(provider: Provider) -> None:
    client = await provider.client()
    cases: list[tuple[StartImport, list[tuple[str, ...]]]] = [
        (replace(TICKETS_OF_DESK, mapping=None), [("mapping",)]),
        (replace(TICKETS_OF_DESK, mapping={"system": 1}), [("mapping",)]),
        (replace(TICKETS_OF_DESK, mapping=[1]), [("mapping",)]),
        (replace(TICKETS_OF_DESK, format="VOLVO"), [("mapping",)]),
        (replace(TICKETS_OF_DESK, dry_run=True, file_name="a\nb"), [("fileName",), ("dryRun",)]),
        (replace(TICKETS_OF_DESK, client=UUID(int=7)), [("clientId",)]),
        (replace(CLIENTS, format="VOLVO", client=client), [("format",), ("clientId",)]),
        (replace(CLIENTS, mapping={"columns": {"a": "b"}}), [("mapping",)]),
        (replace(CLIENTS, mapping={"delimiter": ";;"}), [("mapping",)]),
        (replace(CLIENTS, mapping={"colours": {}}), [("mapping",)]),
    ]
    for command, paths in cases:
        outcome = await import_jobs.start(provider.context, provider.admin, sent(), command)
        assert [error.path for error in outcome.errors] == paths, (command, outcome)


async def test_only_so_many_imports_may_wait(provider: Provider) -> None:
    begun = [await started(provider, replace(TICKETS_OF_DESK, file_name=f"{n}")) for n in range(UNENDED_MOST)]
    outcome = await import_jobs.start(provider.context, provider.admin, sent(), TICKETS_OF_DESK)
    assert codes(outcome) == [ErrorCode.CONFLICT]
    done(await cancel(provider.context, provider.admin, sent(), begun[0]))
    await started(provider, replace(TICKETS_OF_DESK, file_name="one more"))


async def test_what_cannot_be_read_fails_the_job_in_words(provider: Provider) -> None:
    plain = replace(TICKETS_OF_DESK, format="SERVICENOW", mapping=None)
    packed = gzip.compress(tickets_of(5_000))
    cases = [
        (plain, b"a,b\n1,2\n", "The header lacks number"),
        (TICKETS_OF_DESK, packed[:-20], "breaks off or is damaged"),
        (TICKETS_OF_DESK, b"x" * ((1 << 20) + 10), "is longer than"),
        (CLIENTS, b"name,stage,lead_email,colour\n", "not known: 'colour'"),
    ]
    for command, content, words in cases:
        job = await imported(provider, command, "file", content)
        assert (job.status, words in str(job.failure)) == (JobStatus.FAILED, True), job
        assert (await rows(provider, PIECES))[0]["count"] == 0


async def test_a_file_larger_than_a_piece_may_come_as_gzip(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "PIECE_BYTES", 1_000)
    content = gzip.compress(tickets_of(1_000))
    assert len(content) > 2_000
    job = await imported(provider, TICKETS_OF_DESK, "tickets.jsonl.gz", content)
    assert (job.status, job.counts, job.total) == (JobStatus.DONE, {"CREATED": 1_000}, len(content))
