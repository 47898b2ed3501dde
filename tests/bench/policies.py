"""Coming in past the policies: a login that row-level security does not bind, for what the policies cost."""

import asyncpg

from db import session
from db.session import APP_ROLE, Database
from tests.bench import raw_reads
from tests.bench.world import World

LOGIN = "steadystate_unpoliced"


async def make_login(world: World) -> None:
    """Make the login; it has the rights of the product's, and none of its policies."""
    connection = await asyncpg.connect(world.owner_url)
    try:
        if not await connection.fetchval("select 1 from pg_roles where rolname = $1", LOGIN):
            await connection.execute(f"create role {LOGIN} login bypassrls in role {APP_ROLE}")
    finally:
        await connection.close()


def unpoliced(kind: str, url: str) -> tuple[str, str]:
    """Let this process come in past the policies; return what it serves, and the address with that login."""

    async def not_refused(_: Database) -> None:
        """A login like this one is what the product refuses, and what is measured here."""

    Database._refuse_insecure_role = not_refused  # type: ignore[assignment,method-assign]
    session.APP_ROLE = raw_reads.APP_ROLE = LOGIN  # type: ignore[attr-defined]
    return kind.removesuffix(" unpoliced"), url.replace(f"{APP_ROLE}@", f"{LOGIN}@")
