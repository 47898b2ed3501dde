"""The PostgreSQL of a test run: one server for all workers, and databases cloned from a template migrated once."""

import asyncio
import fcntl
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest

from db.embedded import EmbeddedServer
from db.migrate import upgrade
from db.session import APP_ROLE, RELAY_ROLE, Database

RUN = "STEADYSTATE_TEST_RUN"
"""Environment variable that names the run; xdist's workers inherit it from their controller."""


@dataclass(frozen=True, slots=True)
class Postgres:
    """The server of this run: an embedded one that may forget, or that of DATABASE_URL."""

    prefix: str
    owner_url: str
    embedded: EmbeddedServer | None

    @property
    def template(self) -> str:
        return f"{self.prefix}_template"

    def url(self, database: str, role: str | None = None) -> str:
        """Return a database's address for its owner, or for a role where the server lets it log in by itself."""
        if self.embedded:
            return self.embedded.url(database, role or "postgres")
        return urlsplit(self.owner_url)._replace(path=f"/{database}").geturl()

    async def clone(self) -> str:
        """Return the name of a new, migrated and empty database."""
        name = f"{self.prefix}_{uuid4().hex[:12]}"
        # Copying files costs a checkpoint, which is cheap without fsync; logging every block is not.
        await self.run(f'create database "{name}" template "{self.template}" strategy file_copy')
        return name

    async def drop(self, name: str) -> None:
        await self.run(f'drop database if exists "{name}" with (force)')

    async def run(self, *statements: str) -> None:
        connection = await asyncpg.connect(self.owner_url)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()


def pytest_configure() -> None:
    """Name the run, in the process that others inherit from."""
    os.environ.setdefault(RUN, uuid4().hex[:8])


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Remove what the run's workers left: the embedded server's directory, or the databases on a lasting server."""
    directory = _directory()
    if hasattr(session.config, "workerinput") or not directory.exists():  # the controller outlives its workers
        return
    if address := os.environ.get("DATABASE_URL"):
        asyncio.run(_drop_all(Postgres(_prefix(), address, None)))
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """Bring up the run's server with its template."""
    directory = _directory()
    directory.mkdir(mode=0o711, parents=True, exist_ok=True)
    if address := os.environ.get("DATABASE_URL"):
        server = Postgres(_prefix(), address, None)
        _migrate_template_once(server, directory)
        yield server
        return
    embedded = EmbeddedServer(directory / "postgres", durable=False).start()
    try:
        server = Postgres(_prefix(), embedded.url(), embedded)
        _migrate_template_once(server, directory)
        yield server
    finally:
        embedded.stop()


@pytest.fixture(scope="session")
def server_folder() -> Path:
    """Folder for servers of a test's own, where the account that they run as when we are root can come to them."""
    _directory().mkdir(mode=0o711, parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=_directory()))
    folder.chmod(0o711)
    return folder


@pytest.fixture(scope="session")
async def worker_database(postgres: Postgres) -> AsyncIterator[str]:
    """Address, for its owner, of the database that all tests of one worker share: each makes a tenant of its own."""
    name = await postgres.clone()
    yield postgres.url(name)
    await postgres.drop(name)


@pytest.fixture(scope="session")
async def database(postgres: Postgres, worker_database: str) -> AsyncIterator[Database]:
    """Open the worker's shared database through the product's door."""
    async with _opened(postgres, worker_database) as database:
        yield database


@pytest.fixture
async def database_url(postgres: Postgres) -> AsyncIterator[str]:
    """Address, for its owner, of a migrated and empty database for one test."""
    name = await postgres.clone()
    yield postgres.url(name)
    await postgres.drop(name)


@pytest.fixture
async def fresh_database(postgres: Postgres, database_url: str) -> AsyncIterator[Database]:
    """Open a database for one test through the product's door."""
    async with _opened(postgres, database_url) as database:
        yield database


@asynccontextmanager
async def _opened(postgres: Postgres, url: str) -> AsyncIterator[Database]:
    name = urlsplit(url).path.removeprefix("/")
    database = await Database.connect(postgres.url(name, APP_ROLE), postgres.url(name, RELAY_ROLE))
    try:
        yield database
    finally:
        await database.close()


def _prefix() -> str:
    return f"steadystate_test_{os.environ[RUN]}"


def _directory() -> Path:
    return Path(tempfile.gettempdir()) / _prefix()


def _migrate_template_once(server: Postgres, directory: Path) -> None:
    with (directory / "template").open("a+", encoding="utf-8") as state:
        fcntl.flock(state, fcntl.LOCK_EX)
        state.seek(0)
        if not state.read():
            asyncio.run(server.run(f'create database "{server.template}"'))
            upgrade(server.url(server.template))
            asyncio.run(server.run(f'alter database "{server.template}" allow_connections false'))
            state.write("migrated")


async def _drop_all(server: Postgres) -> None:
    connection = await asyncpg.connect(server.owner_url)
    try:
        left = await connection.fetch("select datname from pg_database where starts_with(datname, $1)", server.prefix)
    finally:
        await connection.close()
    for row in left:
        await server.drop(row["datname"])
