"""The checkup: what an operator should know of the database before trouble does."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from db.session import APP_ROLE, RELAY_ROLE, Transaction

FACTS = text("""
    select current_setting('server_version') as version, current_setting('server_version_num')::integer as number,
           clock_timestamp() as now, current_user as login
""")
ROLES = text("select rolname, rolsuper, rolbypassrls from pg_roles where rolname = any(cast(:roles as text[]))")
UNWALLED = text("""
    select c.relname from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
      and (c.relname = 'tenant' or exists (
          select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped))
      and not (c.relrowsecurity and c.relforcerowsecurity
               and exists (select from pg_policy p where p.polrelid = c.oid))
    order by c.relname
""")
OLDEST_PENDING = text("select min(recorded_at) from pending")


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What the server says of itself; `now` is its own clock."""

    version: str
    number: int
    now: datetime
    login: str


async def facts(tx: Transaction) -> ServerFacts:
    """Return the server's version and clock, and the login of the transaction."""
    row = (await tx.rows(FACTS))[0]
    return ServerFacts(row["version"], row["number"], row["now"], row["login"])


async def roles_amiss(tx: Transaction) -> list[str]:
    """Return what is wrong with the two logins, one sentence each."""
    wanted: Sequence[str] = (APP_ROLE, RELAY_ROLE)
    found = {row["rolname"]: row for row in await tx.rows(ROLES, roles=list(wanted))}
    missing = [f"the role {name} does not exist" for name in wanted if name not in found]
    mighty = [
        f"the role {name} is a superuser or bypasses row-level security"
        for name, row in found.items()
        if row["rolsuper"] or row["rolbypassrls"]
    ]
    return [*missing, *mighty]


async def unwalled_tables(tx: Transaction) -> list[str]:
    """Return tables of tenants whose policies are missing or not forced."""
    return [row["relname"] for row in await tx.rows(UNWALLED)]


async def oldest_pending(relaying: Transaction) -> datetime | None:
    """Return when the oldest event that nobody has numbered was recorded."""
    found: datetime | None = await relaying.value(OLDEST_PENDING)
    return found
