"""A pooled connection carries nothing over: one connection, many tenants, every way a transaction can end."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import suppress
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from db.errors import StatementFailedError
from db.session import APP_ROLE, RELAY_ROLE, Database
from domain.access import Principal
from tests.support.events import reader
from tests.support.postgres import Postgres
from tests.support.providers import Provider, new_provider

SEEN = text("select id, tenant_id from client order by id")
SETTINGS = text("""
    select nullif(current_setting('app.tenant', true), '') as tenant,
           nullif(current_setting('app.clients', true), '') as clients,
           current_setting('transaction_read_only') as read_only, pg_backend_pid() as backend
""")
RENAME = text("update client set name = name || '!' where id = :client returning tenant_id")
FAIL = text("select 1 / 0")
SLEEP = text("select pg_sleep(10)")

ENDINGS = ("commit", "exception", "failed statement", "swallowed failure", "cancelled", "left early")


class _Left(Exception):
    """Thrown out of a block."""


@pytest.fixture
async def narrow(postgres: Postgres, worker_database: str) -> AsyncIterator[Database]:
    """Open a door that has one connection for everybody."""
    name = urlsplit(worker_database).path.removeprefix("/")
    database = await Database.connect(
        postgres.url(name, APP_ROLE), postgres.url(name, RELAY_ROLE), size=1, relay_size=1
    )
    yield database
    await database.close()


@pytest.mark.parametrize("ending", ENDINGS)
async def test_however_a_transaction_ends_the_next_one_begins_as_a_stranger(
    narrow: Database, provider: Provider, other_provider: Provider, ending: str
) -> None:
    ours, theirs = await provider.client("Ours"), await other_provider.client("Theirs")
    backend = await _standing(narrow)
    for principal, own in ((provider.admin, ours), (other_provider.admin, theirs), (provider.admin, ours)):
        await _end(narrow, principal, own, ending)
        assert await _standing(narrow) == backend or ending == "cancelled"
    async with narrow.reading(other_provider.admin) as tx:
        assert [(row["id"], row["tenant_id"]) for row in await tx.rows(SEEN)] == [(theirs, other_provider.tenant_id)]


async def test_a_failure_that_was_passed_over_does_not_end_as_if_it_had_been_kept(
    narrow: Database, provider: Provider
) -> None:
    client = await provider.client()
    with pytest.raises(StatementFailedError, match="rolled it back"):
        await _work(narrow, provider.admin, client, "swallowed failure")


async def test_a_limit_to_clients_is_not_carried_over_either(narrow: Database, provider: Provider) -> None:
    first, second = await provider.client("One"), await provider.client("Two")
    limited = reader(provider.tenant_id, clients=[first])
    nobody = reader(provider.tenant_id, clients=[])
    for principal, seen in ((limited, [first]), (provider.admin, [first, second]), (nobody, []), (limited, [first])):
        async with narrow.reading(principal) as tx:
            assert [row["id"] for row in await tx.rows(SEEN)] == seen


async def test_many_tenants_at_once_on_one_connection_never_see_each_other(
    narrow: Database, provider: Provider, other_provider: Provider
) -> None:
    third = await new_provider(provider.context.database)
    owned = {one.tenant_id: await one.client() for one in (provider, other_provider, third)}
    admins = {one.tenant_id: one.admin for one in (provider, other_provider, third)}
    chance = random.Random(5)

    async def turn(tenant: UUID, ending: str) -> None:
        await _end(narrow, admins[tenant], owned[tenant], ending)

    quick = [ending for ending in ENDINGS if ending != "cancelled"]
    turns = [(chance.choice(list(owned)), chance.choice(quick)) for _ in range(150)]
    turns += [(tenant, "cancelled") for tenant in owned]
    chance.shuffle(turns)
    await asyncio.gather(*(turn(*one) for one in turns))
    await _standing(narrow)


async def _end(database: Database, principal: Principal, own: UUID, ending: str) -> None:
    """Open a transaction as somebody, see and change only their own, and end it in one of the ways."""
    if ending == "cancelled":
        task = asyncio.create_task(_work(database, principal, own, ending))
        await asyncio.sleep(0.05)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        return
    with suppress(_Left, StatementFailedError):
        await _work(database, principal, own, ending)


async def _work(database: Database, principal: Principal, own: UUID, ending: str) -> None:
    async with database.writing(principal) as tx:
        settings = await tx.one(SETTINGS)
        assert settings is not None
        assert (settings["tenant"], settings["clients"]) == (str(principal.tenant_id), "*")
        assert [row["id"] for row in await tx.rows(SEEN)] == [own]
        assert await tx.value(RENAME, client=own) == principal.tenant_id
        assert await tx.value(RENAME, client=uuid4()) is None
        if ending == "exception":
            raise _Left
        if ending == "failed statement":
            await tx.run(FAIL)
        if ending == "swallowed failure":
            with suppress(StatementFailedError):
                await tx.run(FAIL)
        if ending == "cancelled":
            await tx.run(SLEEP)
        if ending == "left early":
            return


async def _standing(database: Database) -> int:
    """Look at the one connection as somebody without a tenant; return which it is."""
    async with database.entering() as tx:
        settings = await tx.one(SETTINGS)
        assert settings is not None
        assert (settings["tenant"], settings["clients"], settings["read_only"]) == (None, None, "on")
        assert await tx.rows(SEEN) == []
    return int(settings["backend"])
