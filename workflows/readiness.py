"""Readiness read: what stands between cycles and their next moves, in five statements for any number."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db import calendars, cycles, definitions, evidence, tenants
from db.session import Transaction
from domain.definitions import Rules
from domain.onboarding import Cycle
from domain.readiness import Readiness, readiness


@dataclass(frozen=True, slots=True)
class Judged:
    """A cycle with its rules and every next move, judged at one instant."""

    cycle: Cycle
    rules: Rules
    moves: tuple[Readiness, ...]


async def judged(tx: Transaction, ids: Iterable[UUID], now: datetime) -> dict[UUID, Judged]:
    """Judge every next move of cycles by id; ended ones have none."""
    found = await cycles.by_ids(tx, ids)
    pinned = await definitions.by_ids(tx, (c.definition_id for c in found.values()))
    settings = (await tenants.get(tx)).settings
    counting = await calendars.of_cycles(tx, found.values())
    wanted = [evidence.Wanted(c, pinned[c.definition_id].rules, counting[c.id]) for c in found.values()]
    facts = await evidence.gather(tx, wanted, settings, now)
    return {
        w.cycle.id: Judged(w.cycle, w.rules, readiness(w.cycle, w.rules, facts[w.cycle.id], counting[w.cycle.id]))
        for w in wanted
    }
