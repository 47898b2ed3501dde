"""An import whose workers are killed again and again: every good line once, every bad one named once."""

import asyncio
import sys
from urllib.parse import urlsplit

import pytest
from sqlalchemy import text

from db import jobs
from db.session import APP_ROLE, RELAY_ROLE, Database
from domain.jobs import JobStatus
from tests.support.clock import WallClock
from tests.support.jobs import TICKETS_OF_DESK, seen, sent_in, started, tickets_of
from tests.support.postgres import Postgres
from tests.support.providers import new_provider
from tests.support.worker_process import workers

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")

TICKETS = 30_000
KILLS = 2
STORED = text("select count(*) as stored, sum(version) as writes from ticket where tenant_id = :tenant")


async def test_an_import_survives_the_kills_of_all_its_workers(
    postgres: Postgres, database_url: str, fresh_database: Database
) -> None:
    name = urlsplit(database_url).path.removeprefix("/")
    urls = (postgres.url(name, APP_ROLE), postgres.url(name, RELAY_ROLE))
    provider = await new_provider(fresh_database, WallClock())
    lines = tickets_of(TICKETS).splitlines(keepends=True)
    lines[::100] = [b"bad\n"] * len(lines[::100])
    job = await started(provider, TICKETS_OF_DESK)
    await sent_in(provider, job, b"".join(lines))
    before = 0
    async with asyncio.timeout(240):
        for _ in range(KILLS):
            async with workers(urls):
                while (await seen(provider, job)).done <= before:  # noqa: ASYNC110 -- other processes are at it
                    await asyncio.sleep(0.02)
            before = (await seen(provider, job)).done
        async with workers(urls):
            while not (await seen(provider, job)).status.ended:  # noqa: ASYNC110 -- as above
                await asyncio.sleep(0.05)
    ended = await seen(provider, job)
    good, bad = TICKETS * 99 // 100, TICKETS // 100
    assert (ended.status, ended.counts, ended.error_count) == (JobStatus.DONE, {"CREATED": good}, bad)
    async with fresh_database.reading(provider.admin) as tx:
        row = await tx.one(STORED, tenant=tx.tenant)
        named = [one.line for one in await jobs.bad_lines(tx, job, 0, TICKETS)]
    assert row is not None
    assert (row["stored"], row["writes"]) == (good, good)
    assert named == list(range(1, TICKETS + 1, 100))
