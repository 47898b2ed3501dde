"""Wake-ups between processes: one connection that announces what was committed and hears what was numbered.

A wake-up is only a hint. Whoever waits for one also looks by itself at intervals, so that a
connection that died in silence delays and never loses anything.
"""

import asyncio
import random
from contextlib import suppress
from uuid import UUID

import asyncpg

from db.errors import DatabaseUnavailableError, translated
from db.feed import LOG_CHANNEL
from db.session import Database
from domain.feed import Cursor

PENDING_CHANNEL = "steadystate_pending"

PING_S = 5.0
"""How long a connection may be silent before it is asked whether it lives; half-open ones raise nothing."""
ANSWER_S = 5.0
_BACK_OFF_S = (0.1, 5.0)


class Wire:
    """This process's ear and voice for wake-ups; `run` keeps it connected."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._commits = asyncio.Event()
        self._dropped = asyncio.Event()
        self.pending = asyncio.Event()
        """Set when events may wait for their numbers."""
        self.moved = asyncio.Event()
        """Set when logs may have grown; `grown` says which."""
        self.relays_here = False
        """Whether this process numbers events itself, and so need not tell another to do it."""
        self.connections = 0
        """How often a connection was made, for the metrics."""
        self._ends: dict[UUID, Cursor] = {}
        self._unknown = True

    def announce(self) -> None:
        """Take note that a transaction of this process has left events; many notes become one NOTIFY."""
        self.pending.set()
        if not self.relays_here:
            self._commits.set()

    def grown(self) -> dict[UUID, Cursor] | None:
        """Return the ends of logs heard of since the last call, by tenant, or `None` if any may have grown."""
        ends, unknown = self._ends, self._unknown
        self._ends, self._unknown = {}, False
        return None if unknown else ends

    async def run(self) -> None:
        """Stay connected until cancelled."""
        self._database.on_publish = self.announce
        delay = _BACK_OFF_S[0]
        while True:
            with suppress(DatabaseUnavailableError):
                connection = await self._database.listener()
                try:
                    delay = _BACK_OFF_S[0]
                    await self._serve(connection)
                finally:
                    connection.terminate()
            await asyncio.sleep(delay * random.uniform(0.5, 1.5))  # noqa: S311 -- spreads reconnections, keeps no secret
            delay = min(delay * 2, _BACK_OFF_S[1])

    async def _serve(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        self._dropped.clear()
        connection.add_termination_listener(lambda _: self._drop())
        with translated():
            await connection.add_listener(PENDING_CHANNEL, lambda *_: self.pending.set())
            await connection.add_listener(LOG_CHANNEL, lambda *call: self._hear(str(call[3])))
        self.connections += 1
        # Whatever was said while nobody listened.
        self.pending.set()
        self._hear("*")
        while not self._dropped.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(PING_S):
                    await self._commits.wait()
            statement = f"notify {PENDING_CHANNEL}" if self._commits.is_set() else "select 1"
            self._commits.clear()
            if not self._dropped.is_set():
                with translated():
                    await connection.execute(statement, timeout=ANSWER_S)

    def _drop(self) -> None:
        self._dropped.set()
        self._commits.set()

    def _hear(self, payload: str) -> None:
        try:
            said = [pair.split(":") for pair in payload.split(",")]
            heard = {UUID(tenant): Cursor(int(epoch), int(seq)) for tenant, epoch, seq in said}
        except ValueError:
            # Many tenants at once, or a release that says it in another way: look at all of them.
            self._unknown = True
        else:
            self._ends |= heard
        self.moved.set()
