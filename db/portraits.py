"""Portraits read: all that is stored of cycles, in seven statements."""

from collections.abc import Sequence
from uuid import UUID

from db import cycles, effects, follow_ups, notices
from db.session import Transaction
from domain.portraits import Portrait


async def portrait(tx: Transaction, cycle: UUID) -> Portrait:
    """Return the cycle as this transaction sees it; it must be visible."""
    return (await portraits(tx, [cycle]))[cycle]


async def portraits(tx: Transaction, ids: Sequence[UUID]) -> dict[UUID, Portrait]:
    """Return cycles as this transaction sees them, those that are visible, in as many statements as one."""
    found = await cycles.by_ids(tx, ids)
    of_visits, of_holds = await cycles.visits(tx, ids), await cycles.holds(tx, ids)
    of_windows, of_effects = await cycles.windows(tx, ids), await effects.of_cycles(tx, ids)
    of_notices, of_follow_ups = await notices.of_cycles(tx, ids), await follow_ups.of_cycles(tx, ids)
    return {
        key: Portrait(
            cycle=cycle,
            visits=of_visits.get(key, ()),
            holds=tuple(of_holds.get(key, ())),
            windows=tuple(of_windows.get(key, ())),
            effects=tuple(of_effects.get(key, ())),
            notices=tuple(of_notices.get(key, ())),
            follow_ups=tuple(of_follow_ups.get(key, ())),
        )
        for key, cycle in found.items()
    }
