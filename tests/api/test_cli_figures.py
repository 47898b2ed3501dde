"""Figures on the command line: proved by a recount, and put right."""

import asyncio
from urllib.parse import urlsplit

import asyncpg
import pytest

from db.session import APP_ROLE, RELAY_ROLE, Database
from tests.support.command_line import CommandLine
from tests.support.postgres import Postgres
from tests.support.providers import new_provider
from tests.support.tickets import fold, report, ticket

pytestmark = pytest.mark.e2e


async def _with_a_lost_delta(postgres: Postgres, url: str) -> str:
    name = urlsplit(url).path.removeprefix("/")
    database = await Database.connect(postgres.url(name, APP_ROLE), postgres.url(name, RELAY_ROLE))
    try:
        provider = await new_provider(database)
        await report(provider, ticket(1, tiers=(1, 2)), client=await provider.client())
        await fold(provider)
    finally:
        await database.close()
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("delete from ticket_delta where tickets = 1")
        slug: str = await connection.fetchval("select slug from tenant where id = $1", provider.tenant_id)
    finally:
        await connection.close()
    return slug


def test_what_is_kept_otherwise_than_counted_is_named_and_put_right(
    steadystate: CommandLine, postgres: Postgres, database_url: str
) -> None:
    slug = asyncio.run(_with_a_lost_delta(postgres, database_url))
    proof = steadystate.run("figures", "prove", "--provider", slug)
    assert proof.returncode == 1
    assert any(
        line.split("\t")[:2] == ["DELTAS", "2026-03-01"] and "kept 0\tcounted 1" in line
        for line in proof.stdout.splitlines()
    )
    assert f"steadystate figures rebuild --provider {slug}" in proof.stderr
    assert "corrected" in steadystate.done("figures", "rebuild", "--provider", slug)
    assert steadystate.done("figures", "prove", "--provider", slug) == ""
    assert steadystate.done("figures", "rebuild", "--provider", slug) == ""
    few = steadystate.run("figures", "prove", "--provider", "nobody")
    assert (few.returncode, "No provider is called 'nobody'" in few.stderr) == (1, True)
