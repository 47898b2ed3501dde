"""The relay: gives committed events their numbers, whichever process happens to be at it."""

import asyncio
from contextlib import suppress

from db import feed
from db.listen import Wire
from workflows.context import Context

POLL_S = 0.25
_TAKEN_S = 0.02


class Relay:
    """This process's part in numbering: it looks when woken, and at the latest every 250 ms."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._taken = False

    async def turn(self, context: Context) -> int:
        """Number one batch; return how many events it moved, which is none if another process is at it."""
        # Cleared first: what commits during the turn calls for another.
        self._wire.pending.clear()
        async with context.database.relaying() as tx:
            numbered = await feed.number(tx, context.clock())
        self._taken = numbered.taken
        return numbered.events

    async def rest(self, events: int) -> None:
        """Wait for the next wake-up or poll; not at all after a full batch."""
        if events == feed.BATCH_EVENTS:
            return
        if self._taken:
            # The other process may have begun before our latest commit: look again when it is done.
            await asyncio.sleep(_TAKEN_S)
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(POLL_S):
                await self._wire.pending.wait()
