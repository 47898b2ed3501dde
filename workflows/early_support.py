"""Early support follows its contract: when the start becomes another day, so do day 30, 60 and 90."""

from datetime import date, datetime, timedelta
from uuid import UUID

from db import calendars, cycles, definitions, steps
from db.portraits import portrait
from db.session import Transaction
from domain.consequences import Consequence
from domain.definitions import DayNinetyFrom
from domain.effects import day_timers
from domain.onboarding import Cycle
from domain.periods import start_of_day
from domain.portraits import differences
from domain.stages import Stage
from workflows.context import new_id


async def follow_contract(
    tx: Transaction, client: UUID, contract: UUID, starts_on: date | None, now: datetime
) -> tuple[Consequence, ...]:
    """Set target and timers anew for the client's cycles that are in early support under this contract; tell of each.

    A cycle that works towards an amendment counts its days from that, and does not follow the contract.
    """
    changes: list[Consequence] = []
    for cycle in (await cycles.of_clients(tx, [client])).get(client, []):
        if cycle.contract_id == contract and cycle.amendment_id is None and cycle.stage is Stage.EARLY_SUPPORT:
            before = await portrait(tx, cycle.id)
            await follow_start(tx, cycle, starts_on, now)
            changes += differences(before, await portrait(tx, cycle.id))
    return tuple(changes)


async def follow_amendment(
    tx: Transaction, client: UUID, amendment: UUID, starts_on: date | None, now: datetime
) -> None:
    """Set target and timers anew for the client's cycles that are in early support under this amendment."""
    for cycle in (await cycles.of_clients(tx, [client])).get(client, []):
        if cycle.amendment_id == amendment:
            await follow_start(tx, cycle, starts_on, now)


async def follow_start(tx: Transaction, cycle: Cycle, starts_on: date | None, now: datetime) -> None:
    """Set target and timers of a cycle anew by the day on which its contract or amendment starts.

    What has fired stays fired, and a cycle outside early support, or one whose days count from its service, has
    nothing to follow.
    """
    if cycle.stage is not Stage.EARLY_SUPPORT or starts_on is None:
        return
    rules = (await definitions.by_ids(tx, [cycle.definition_id]))[cycle.definition_id].rules
    if rules.day_ninety_from is not DayNinetyFrom.CONTRACT_START:
        return
    calendar = (await calendars.of_cycles(tx, [cycle]))[cycle.id]
    last = starts_on + timedelta(days=rules.early_support_days)
    timers = day_timers(cycle, rules, last, calendar, now)
    target = start_of_day(last + timedelta(days=1), calendar.zone)
    await steps.reschedule(tx, cycle, target, [(new_id(), timer) for timer in timers], now)
