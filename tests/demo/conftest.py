"""The demo's story, told once for all tests that only look at it."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime

import pytest

from db.session import APP_ROLE, RELAY_ROLE, Database
from demo.run import Demo, fill
from tests.support.clock import Clock
from tests.support.postgres import Postgres
from workflows.context import Context

TODAY = date(2026, 3, 4)


@dataclass(frozen=True, slots=True)
class Told:
    """A database with the story in it, looked at on the morning after its last day."""

    context: Context
    demo: Demo


Telling = Callable[[], AbstractAsyncContextManager[Told]]


@pytest.fixture(scope="session")
def telling(postgres: Postgres) -> Telling:
    """Tell the story into a database of its own."""

    @asynccontextmanager
    async def tell() -> AsyncIterator[Told]:
        name = await postgres.clone()
        database = await Database.connect(postgres.url(name, APP_ROLE), postgres.url(name, RELAY_ROLE))
        try:
            context = Context(database, Clock(datetime(TODAY.year, TODAY.month, TODAY.day, 9, tzinfo=UTC)))
            yield Told(context, await fill(context, lambda _done, _of: None))
        finally:
            await database.close()
            await postgres.drop(name)

    return tell


@pytest.fixture(scope="session")
async def told(telling: Telling) -> AsyncIterator[Told]:
    """Tell the story for all who do not change it."""
    async with telling() as told:
        yield told
