"""The world that a command works in: the settings, the database, and a server of its own where none is named."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TypeVar
from uuid import uuid4

from pydantic import ValidationError

from api.commands.voice import Exit, FailureError, say
from api.settings import Settings
from db import health, tenants
from db.embedded import EmbeddedServer
from db.errors import StatementFailedError
from db.migrate import head, upgrade
from db.session import APP_ROLE, RELAY_ROLE, Database
from domain.access import Principal, system
from workflows.context import Channel, Context, Request

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Addresses:
    """One database, by the login that owns it, the one that serves requests and the one that does the upkeep."""

    owner: str
    app: str
    relay: str
    embedded: bool


def read_settings() -> Settings:
    """Return the settings of the environment.

    Raises:
        FailureError: one of them cannot be used; the message names it.
    """
    try:
        return Settings()
    except ValidationError as error:
        wrong = [f"{'__'.join(str(part) for part in one['loc']).upper()}: {one['msg']}" for one in error.errors()]
        raise FailureError(
            "These settings of the environment cannot be used:\n      " + "\n      ".join(wrong)
        ) from None


@contextmanager
def addressed(settings: Settings) -> Iterator[Addresses]:
    """Lend the addresses of the database that the settings name, or of an embedded one, started and migrated."""
    if url := settings.database_url:
        app, relay = settings.app_database_url or url, settings.relay_database_url or url
        yield Addresses(url, app, relay, embedded=False)
        return
    server = EmbeddedServer(settings.data_directory / "postgres").start()
    try:
        upgrade(server.url())
        yield Addresses(server.url(), server.url(user=APP_ROLE), server.url(user=RELAY_ROLE), embedded=True)
    finally:
        server.stop()


@asynccontextmanager
async def opened(addresses: Addresses, settings: Settings) -> AsyncIterator[Context]:
    """Open the database for the product, which must be at the revision that this code wants.

    Raises:
        DatabaseUnavailableError: no server answers.
        FailureError: it is at another revision.
    """
    try:
        database = await Database.connect(addresses.app, addresses.relay, size=settings.database_connections)
    except StatementFailedError as error:
        # The logins that the product works as are made by the first migration.
        message = f"The database is not ready for this code ({error}): run steadystate migrate."
        raise FailureError(message, Exit.UNAVAILABLE) from error
    try:
        try:
            found = await health.revision(database)
        except StatementFailedError:
            found = None
        if found != head():
            message = (
                f"The database is at revision {found or 'none'}, this code wants {head()}: run steadystate migrate."
            )
            raise FailureError(message, Exit.UNAVAILABLE)
        yield Context(database)
    finally:
        await database.close()


def run(work: Callable[[Context], Awaitable[T]]) -> T:
    """Do one piece of work in the world that the environment describes."""
    settings = read_settings()

    async def working(addresses: Addresses) -> T:
        async with opened(addresses, settings) as context:
            return await work(context)

    with addressed(settings) as addresses:
        if addresses.embedded:
            say(f"Using the embedded server in {settings.data_directory.absolute()}.")
        return asyncio.run(working(addresses))


async def acting_for(context: Context, slug: str) -> Principal:
    """Return the product itself, acting for the provider with this short name.

    Raises:
        FailureError: there is none.
    """
    async with context.database.relaying() as tx:
        tenant = await tenants.id_of_slug(tx, slug)
        known = [] if tenant else [one.slug for one in await tenants.every(tx)]
    if tenant is None:
        names = f"there are {', '.join(known[:20])}" if known else "there is none yet; run steadystate tenant create"
        raise FailureError(f"No provider is called {slug!r}: {names}.")
    return system(tenant)


def by_command_line() -> Request:
    """Return how a command of the command line came in, for the audit trail."""
    return Request(f"cli-{uuid4().hex}", Channel.CLI)
