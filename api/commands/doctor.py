"""The doctor: looks at everything that running the product takes, and says what to do about what is amiss."""

import asyncio
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import typer
from rich.markup import escape

from api.commands.voice import Exit, FailureError, told

if TYPE_CHECKING:
    from api.commands.world import Addresses
    from db.session import Database

OLDEST_SERVER = 150_000
"""PostgreSQL 15, as the server counts its versions."""
CLOCKS_APART_S = 2.0
LAG_S = 10.0
"""An event waits a quarter of a second for its number; one that waits this long waits for a worker."""
CALENDAR_LASTS = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: whether it is well, what was seen, and what to do if it is not."""

    what: str
    well: bool
    seen: str
    advice: str = ""


def doctor() -> None:
    """Look at everything that running takes. Exits with 1 if something is amiss, with what to do about it."""
    found = everything_found()
    for finding in found:
        mark = "[green]ok   [/]" if finding.well else "[bold red]amiss[/]"
        told().print(f"{mark}  {finding.what}: {escape(finding.seen)}")
        if not finding.well:
            told().print(f"       {escape(finding.advice)}")
    if not all(finding.well for finding in found):
        raise typer.Exit(Exit.REFUSED)


def everything_found() -> list[Finding]:
    """Return everything that was found, the machine first and then the database."""
    from api.commands.world import addressed, read_settings
    from db.embedded_programs import EmbeddedServerError
    from db.migrate import MigrationFailedError, current, head

    settings = read_settings()
    findings = [_python(), _graphiql()]
    try:
        with addressed(settings) as addresses:
            where = "the embedded server" if addresses.embedded else "DATABASE_URL"
            found = current(addresses.owner)
            findings.append(Finding("database", True, f"{where} answers"))
            advice = "Run steadystate migrate."
            findings.append(Finding("migrations", found == head(), f"{found or 'none'} of {head()}", advice))
            if found == head():
                findings += asyncio.run(_of_database(addresses))
    except (MigrationFailedError, EmbeddedServerError, FailureError) as error:
        advice = "Look at DATABASE_URL and at the server, or leave DATABASE_URL out to use the embedded one."
        findings.append(Finding("database", False, str(error), advice))
    return findings


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    well = (3, 11) <= sys.version_info[:2] < (3, 15)
    return Finding("python", well, version, "Use Python 3.11 to 3.14.")


def _graphiql() -> Finding:
    from api.pages import FILES

    built = (FILES / "index.html").is_file()
    return Finding(
        "graphiql", built, "its files are there" if built else "its files are not built", "Run make graphiql."
    )


async def _of_database(addresses: "Addresses") -> list[Finding]:
    from db.errors import DatabaseUnavailableError, InsecureRoleError, StatementFailedError
    from db.session import Database

    try:
        database = await Database.connect(addresses.app, addresses.relay, size=1, relay_size=1)
    except InsecureRoleError as error:
        return [Finding("logins", False, str(error), "Give APP_DATABASE_URL a login that may do no more than serve.")]
    except (DatabaseUnavailableError, StatementFailedError) as error:
        advice = "Look at APP_DATABASE_URL and RELAY_DATABASE_URL, or leave them out."
        return [Finding("logins", False, str(error), advice)]
    try:
        return [finding async for finding in _seen(database)]
    finally:
        await database.close()


async def _seen(database: "Database") -> AsyncIterator[Finding]:
    from db import checkup, tenants

    async with database.entering() as tx:
        server = await checkup.facts(tx)
        apart = abs((datetime.now(UTC) - server.now).total_seconds())
        amiss = await checkup.roles_amiss(tx)
        unwalled = await checkup.unwalled_tables(tx)
    yield Finding(
        "server", server.number >= OLDEST_SERVER, f"PostgreSQL {server.version}", "Use PostgreSQL 15 or newer."
    )
    yield Finding("logins", not amiss, "; ".join(amiss) or "bound by policies", "Run steadystate migrate as the owner.")
    seen = "forced on every table of tenants" if not unwalled else "missing on " + ", ".join(unwalled)
    yield Finding("policies", not unwalled, seen, "Restore the database with its policies; do not serve from it.")
    advice = "Set the clocks of both machines by the same time server: tokens, timers and targets go by them."
    yield Finding("clock", apart < CLOCKS_APART_S, f"{apart:.1f} s from the server's", advice)
    async with database.relaying() as tx:
        oldest = await checkup.oldest_pending(tx)
        providers = await tenants.every(tx)
    lag = max(0.0, (datetime.now(UTC) - oldest).total_seconds()) if oldest else 0.0
    advice = "Run steadystate serve or steadystate worker; until then nobody who follows the feed hears of anything."
    yield Finding("relay", lag < LAG_S, f"{lag:.0f} s behind" if oldest else "no event waits", advice)
    horizon = (datetime.now(UTC) + CALENDAR_LASTS).date()
    short = [one.slug for one in providers if one.settings.country and max(one.settings.calendar.holidays) < horizon]
    advice = "Send tenantSettingsUpdate with the same country: it fills in the coming years."
    seen = f"{len(providers)} providers" if not short else "holidays run out for " + ", ".join(short)
    yield Finding("calendars", not short, seen, advice)
