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


async def test_it_serves_as_the_role_that_policies_bind(server: EmbeddedServer, owner_url: str) -> None:
    await to_thread(upgrade, owner_url)
    database = await Database.connect(owner_url, owner_url)
    try:
        async with database.entering() as tx:
            assert await tx.value(WHO) == APP_ROLE
    finally:
        await database.close()
