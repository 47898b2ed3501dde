"""The schedule: what the worker does by itself, one row each."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from db import feed, idempotency
from workflows import agreements, effects, inbound_messages, retention, tickets
from workflows.context import Context

KEYS_KEPT = timedelta(hours=24)
EVENTS_KEPT = timedelta(days=90)
SECOND = 1.0
HOUR = 3_600.0


@dataclass(frozen=True, slots=True)
class Chore:
    """Something done over and over; `turn` returns how much it did, and is called again at once while that is not 0."""

    name: str
    every_s: float
    turn: Callable[[Context], Awaitable[int]]


def chores(events_kept: timedelta = EVENTS_KEPT) -> tuple[Chore, ...]:
    """Return the schedule of a deployment that keeps its events for so long."""

    async def forget_events(context: Context) -> int:
        async with context.database.relaying() as tx:
            return await feed.purge(tx, context.clock() - events_kept)

    return (
        Chore("effects_fired", SECOND, effects.fire_due),
        Chore("figures_folded", SECOND, tickets.fold),
        Chore("agreements_decided", SECOND, agreements.decide),
        Chore("tickets_attributed", 15 * SECOND, tickets.attribute),
        Chore("outcomes_forgotten", HOUR, forget_outcomes),
        Chore("events_forgotten", HOUR, forget_events),
        Chore("messages_interpreted", SECOND, inbound_messages.interpret),
        Chore("messages_forgotten", HOUR, inbound_messages.forget),
        Chore("clients_erased", HOUR, retention.keep),
    )


async def forget_outcomes(context: Context) -> int:
    """Forget what came of commands whose idempotency key has lived its 24 hours."""
    async with context.database.relaying() as tx:
        await idempotency.purge(tx, context.clock() - KEYS_KEPT)
    return 0
