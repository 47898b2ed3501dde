"""A database may belong to a login that is no superuser, as a managed server gives out."""

import tempfile
from asyncio import to_thread
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import text

from db.embedded import EmbeddedServer
from db.migrate import drift, upgrade
from db.session import APP_ROLE, Database

pytestmark = pytest.mark.e2e

WHO = text("select current_user")

EARLIER = """
    insert into tenant (id, slug, name, settings, created_at, version)
    values ('00000000-0000-4000-8000-000000000001', 'p', 'P', '{}', '2026-01-01', 1);
    insert into member (tenant_id, id, name, email, roles, active, deputy_id, created_at, version)
    values ('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002',
                               'Ada', 'ada@p.example', '{}', true, null, '2026-01-01', 1);
    insert into client (tenant_id, id, name, name_key, created_at, version)
    select id, id, 'Acme', 'acme', '2026-01-01', 1 from tenant;
    insert into contract (tenant_id, id, client_id, title, status, type, scope, sent_at, signed_at, waiting_on,
                          created_at, version)
    select t.id, gen_random_uuid(), t.id, k.title, k.status, 'MANAGED', '{}', cast(k.sent_at as timestamptz),
           cast(k.signed_at as timestamptz), k.waiting_on, cast(k.created_at as timestamptz), 1
    from tenant t
    cross join (values ('drafted', 'DRAFT', null, null, null, '2026-03-01'),
                       ('sent', 'SENT', '2026-03-03', null, 'CLIENT', '2026-03-01'),
                       ('signed', 'SIGNED', null, '2026-03-06', null, '2026-03-01'),
                       ('noted late', 'SIGNED', '2026-03-02', '2026-03-05', null, '2026-03-07'))
         as k(title, status, sent_at, signed_at, waiting_on, created_at);
    insert into definition (tenant_id, id, number, body, created_at) select id, id, 1, '{}', '2026-01-01' from tenant;
    insert into cycle (tenant_id, id, client_id, number, scope_kind, scope_key, definition_id, lead_id, engineer_ids,
                       stage, visit_id, opened_at, entered_at, version)
    select t.id, t.id, t.id, 1, 'WHOLE_CLIENT', '', t.id, m.id, '{}', 'CONTRACTING', t.id, '2026-03-04', '2026-03-04', 1
    from tenant t, member m;
"""
"""What a provider may have had before histories were kept."""


@pytest.fixture
def server() -> Iterator[EmbeddedServer]:
    with tempfile.TemporaryDirectory(prefix="pg") as name:
        Path(name).chmod(0o711)
        server = EmbeddedServer(Path(name) / "data", durable=False).start()
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture
async def owner_url(server: EmbeddedServer) -> str:
    connection = await asyncpg.connect(server.url())
    await connection.execute("create role owner login createrole")
    await connection.execute("create database plain owner owner")
    await connection.close()
    return server.url("plain", "owner")


def test_it_migrates_and_leaves_nothing_to_do(owner_url: str) -> None:
    upgrade(owner_url)
    upgrade(owner_url)
    assert drift(owner_url) == []


async def test_what_is_there_is_carried_over_past_the_policies_that_bind_the_owner_too(
    server: EmbeddedServer, owner_url: str
) -> None:
    await to_thread(upgrade, owner_url, "0007")
    connection = await asyncpg.connect(server.url("plain"))
    try:
        await connection.execute(EARLIER)
        await to_thread(upgrade, owner_url)
        turns = await connection.fetch(
            "select k.title, t.status, t.waiting_on, t.at from contract_turn t"
            " join contract k on k.id = t.contract_id order by k.title, t.position"
        )
        active = await connection.fetchval("select active_at from cycle")
    finally:
        await connection.close()
    assert [(row["title"], row["status"], row["waiting_on"], row["at"].day) for row in turns] == [
        ("drafted", "DRAFT", None, 1),
        ("noted late", "SENT", None, 2),
        ("noted late", "SIGNED", None, 5),
        ("sent", "DRAFT", None, 1),
        ("sent", "SENT", "CLIENT", 3),
        ("signed", "DRAFT", None, 1),
        ("signed", "SIGNED", None, 6),
    ]
    assert active.day == 4


async def test_it_serves_as_the_role_that_policies_bind(server: EmbeddedServer, owner_url: str) -> None:
    await to_thread(upgrade, owner_url)
    database = await Database.connect(owner_url, owner_url)
    try:
        async with database.entering() as tx:
            assert await tx.value(WHO) == APP_ROLE
    finally:
        await database.close()
