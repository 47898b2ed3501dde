"""Retargeting: targets and timers of open onboardings follow the calendar by which they count."""

from collections.abc import Sequence
from datetime import datetime

from db import cycles, definitions, evidence, outbox, steps
from db.session import Transaction
from domain.access import Principal
from domain.events import OnboardingChanged
from domain.onboarding import Cycle
from domain.own_calendars import Calendars
from domain.retargeting import Retargeted, target_anew, timers_anew
from domain.tenants import TenantSettings
from workflows.commands import envelope
from workflows.context import Request, new_id


async def retarget(
    tx: Transaction, wanted: Sequence[Cycle], calendars: Calendars, settings: TenantSettings, now: datetime
) -> list[Retargeted]:
    """Set the targets of onboardings, whose rows are locked, anew, and with each that moves the timers of its stage.

    What has fired stays fired. Three statements find out, and two more write each onboarding whose target moves.
    """
    if not wanted:
        return []
    pinned = await definitions.by_ids(tx, (cycle.definition_id for cycle in wanted))
    asked = [evidence.Wanted(cycle, pinned[cycle.definition_id].rules, calendars.of(cycle)) for cycle in wanted]
    facts = await evidence.gather(tx, asked, settings, now)
    holds = await cycles.holds(tx, [cycle.id for cycle in wanted])
    moved = []
    for one in asked:
        cycle, calendar = one.cycle, calendars.of(one.cycle)
        target = target_anew(cycle, one.rules, facts[cycle.id], calendar, holds.get(cycle.id, ()))
        if target == cycle.target_at:
            continue
        timers = timers_anew(cycle, one.rules, facts[cycle.id], calendar, target)
        await steps.reschedule(tx, cycle, target, [(new_id(), timer) for timer in timers], now)
        moved.append(Retargeted(cycle, target))
    return moved


async def tell_retargeted(
    tx: Transaction, principal: Principal, request: Request, moved: Sequence[Retargeted], now: datetime
) -> None:
    """Tell whoever follows these onboardings that their targets are others now."""
    event = OnboardingChanged(change="TARGET")
    envelopes = [
        envelope(
            principal,
            request,
            event,
            subject=one.cycle.id,
            version=one.cycle.version,
            client=one.cycle.client_id,
            now=now,
        )
        for one in moved
    ]
    await outbox.append(tx, envelopes)
