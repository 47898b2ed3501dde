"""Migrations: bring a database to the newest revision, or tell how it differs from the tables."""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import asyncpg
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from db.session import APP_ROLE
from db.tables import metadata

T = TypeVar("T")

_LOCK = 7_265_001
"""Advisory lock, so that two processes that migrate at once take turns."""


class MigrationFailedError(Exception):
    """A migration could not be made; the revision it belongs to left nothing behind."""


def upgrade(owner_url: str, revision: str = "head") -> None:
    """Migrate to the newest revision, or only as far as another one.

    Each revision is one transaction, so that a killed run repeats cleanly.

    Raises:
        MigrationFailedError: a statement failed, or no server answers.
    """
    try:
        asyncio.run(_connected(owner_url, partial(_upgrade, revision=revision)))
    except (SQLAlchemyError, asyncpg.PostgresError, OSError) as error:
        raise MigrationFailedError(_said(error)) from error


def drift(owner_url: str) -> list[str]:
    """Return what differs between the migrated database and the declared tables, one line each.

    Raises:
        MigrationFailedError: no server answers.
    """
    try:
        return asyncio.run(_connected(owner_url, _drift))
    except (SQLAlchemyError, asyncpg.PostgresError, OSError) as error:
        raise MigrationFailedError(_said(error)) from error


def current(owner_url: str) -> str | None:
    """Return the revision that a database is at, or `None` for one that was never migrated.

    Raises:
        MigrationFailedError: no server answers.
    """
    try:
        return asyncio.run(_connected(owner_url, _current))
    except (SQLAlchemyError, asyncpg.PostgresError, OSError) as error:
        raise MigrationFailedError(_said(error)) from error


def head() -> str:
    """Return the newest revision that this code knows."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    return config


async def _connected(owner_url: str, work: Callable[[Connection], T]) -> T:
    url = owner_url.replace("postgresql://", "postgresql+asyncpg://", 1).replace(
        "postgres://", "postgresql+asyncpg://", 1
    )
    engine = create_async_engine(url, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(work)
    finally:
        await engine.dispose()


def _upgrade(connection: Connection, revision: str) -> None:
    connection.execute(text("select pg_advisory_lock(:lock)"), {"lock": _LOCK})
    connection.commit()
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
    # Readiness compares the revision with the one the code was written for, as the app's own login.
    connection.execute(text(f"grant select on alembic_version to {APP_ROLE}"))
    connection.commit()
    connection.execute(text("select pg_advisory_unlock(:lock)"), {"lock": _LOCK})
    connection.commit()


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _said(error: Exception) -> str:
    """Return the first line of what the server said, without the statement and its values."""
    original = getattr(error, "orig", None) or error
    return f"{type(original).__name__}: {str(original).partition(chr(10))[0]}"


def _drift(connection: Connection) -> list[str]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return [str(difference) for difference in compare_metadata(context, metadata())]
