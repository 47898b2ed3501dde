"""Health: whether the database answers, and at which revision it is."""

from sqlalchemy import text

from db.session import Database

REVISION = text("select version_num from alembic_version")


async def revision(database: Database) -> str | None:
    """Return the revision of the database as the app's own login sees it.

    Raises:
        DatabaseUnavailableError: it does not answer.
        StatementFailedError: it has never been migrated, or the login may not look.
    """
    async with database.entering() as tx:
        found: str | None = await tx.value(REVISION)
    return found
