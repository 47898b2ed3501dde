"""The clock is set back, runs ahead and crosses both ends of summer time: nothing comes twice or out of order."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from db import cycles, effects, histories
from db.session import Database
from domain.effects import Effect, EffectState
from domain.moves import Move
from domain.onboarding import HoldReason, Transition, replay
from domain.stages import Stage
from tests.support.clock import Clock
from tests.support.events import number, read
from tests.support.onboarding import Everything, Onboarding, opened
from tests.support.providers import Provider, done, new_provider
from workflows.effects import fire_due

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


async def _trail(onboarding: Onboarding) -> list[Transition]:
    async with onboarding.provider.context.database.reading(onboarding.provider.admin) as tx:
        return (await histories.histories(tx, [onboarding.cycle], Everything()))[onboarding.cycle]


async def _planned(onboarding: Onboarding) -> list[Effect]:
    async with onboarding.provider.context.database.reading(onboarding.provider.admin) as tx:
        return (await effects.of_cycles(tx, [onboarding.cycle]))[onboarding.cycle]


async def _fire(provider: Provider) -> None:
    while await fire_due(provider.context):
        pass


@pytest.fixture
async def alone(fresh_database: Database) -> Provider:
    """Make a provider whose timers nobody else's test fires."""
    return await new_provider(fresh_database, Clock(datetime(2026, 3, 2, 9, 0, tzinfo=UTC)))


async def test_a_clock_set_back_an_hour_reorders_no_history(provider: Provider) -> None:
    onboarding, clock = await opened(provider), provider.clock
    await onboarding.sign()
    steps = (Move.HOLD, Move.RESUME, Move.HOLD, Move.RESUME, Move.HOLD, Move.RESUME)
    for count, move in enumerate(steps):
        done(await onboarding.move(move, hold_reason=HoldReason.CLIENT))
        clock.forward(hours=-1 if count % 2 else 2)
    clock.forward(hours=-6)
    await onboarding.forward()
    trail = await _trail(onboarding)
    accepted = [step for step in trail if step.accepted]
    assert [step.version for step in accepted] == list(range(1, len(accepted) + 1))
    assert [step.recorded_at for step in trail] == sorted(step.recorded_at for step in trail)
    assert all(step.effective_at <= step.recorded_at for step in trail)
    seen = await onboarding.seen()
    replayed = replay(tuple(trail))
    assert (replayed.stage, replayed.version, replayed.held) == (seen.stage, seen.version, seen.held_at is not None)


async def test_a_clock_set_back_makes_no_hold_or_stay_end_before_it_began(provider: Provider) -> None:
    onboarding, clock = await opened(provider), provider.clock
    done(await onboarding.move(Move.HOLD, hold_reason=HoldReason.CLIENT))
    clock.forward(hours=-1)
    done(await onboarding.move(Move.RESUME))
    await onboarding.forward()
    clock.forward(hours=-1)
    done(await onboarding.move(Move.ROLL_BACK, to=Stage.CONTRACTING, reason="wrong scope"))
    async with provider.context.database.reading(provider.admin) as tx:
        (hold,) = (await cycles.holds(tx, [onboarding.cycle]))[onboarding.cycle]
        visits = (await cycles.visits(tx, [onboarding.cycle]))[onboarding.cycle]
    assert hold.resumed_at is not None
    assert hold.resumed_at >= hold.held_at
    assert [v.stage for v in visits if v.left_at is None] == [Stage.CONTRACTING]
    assert all(v.left_at >= v.entered_at for v in visits if v.left_at)


async def test_a_clock_set_back_keeps_the_feed_in_its_order(provider: Provider) -> None:
    onboarding = await opened(provider)
    for move in (Move.HOLD, Move.RESUME, Move.HOLD):
        done(await onboarding.move(move, hold_reason=HoldReason.VENDOR))
        await number(provider.context.database)
        provider.clock.forward(hours=-1)
    events = await read(provider.context.database, provider.admin)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    versions = [event.subject.version for event in events if event.type == "onboarding.moved"]
    assert versions == [1, 2, 3, 4]


async def test_a_leap_of_ninety_days_fires_every_timer_once_in_due_order_and_a_step_back_none_again(
    alone: Provider,
) -> None:
    onboarding = await opened(alone)
    await onboarding.forward()
    await onboarding.forward()
    assert (await onboarding.seen()).stage is Stage.EARLY_SUPPORT
    alone.clock.forward(days=95)
    await _fire(alone)
    fired = [e for e in await _planned(onboarding) if e.state is EffectState.DONE]
    names = [e.name for e in sorted(fired, key=lambda e: e.due_at)]
    assert [name for name in names if name.startswith("DAY_")] == ["DAY_30", "DAY_60", "DAY_90"]
    for hours in (-1, -24 * 95, 24 * 200):
        alone.clock.forward(hours=hours)
        await _fire(alone)
    await number(alone.context.database)
    told = [e for e in await read(alone.context.database, alone.admin) if e.type == "onboarding.timer_fired"]
    assert set(Counter(event.data["effect"] for event in told).values()) == {1}
    days = [event.data["timer"] for event in told if str(event.data["timer"]).startswith("DAY_")]
    assert days == ["DAY_30", "DAY_60", "DAY_90"]


@pytest.mark.parametrize(
    "start",
    [
        pytest.param(datetime(2026, 1, 5, 9, 0, tzinfo=UTC), id="the clocks go forward within the ninety days"),
        pytest.param(datetime(2026, 8, 3, 9, 0, tzinfo=UTC), id="the clocks go back within the ninety days"),
        pytest.param(datetime(2028, 1, 31, 9, 0, tzinfo=UTC), id="the last of January in a leap year"),
    ],
)
async def test_timers_come_due_at_local_midnight_whatever_the_clocks_do_meanwhile(
    fresh_database: Database, start: datetime
) -> None:
    provider = await new_provider(fresh_database, Clock(start))
    onboarding = await opened(provider)
    await onboarding.forward()
    await onboarding.forward()
    local = {e.name: e.due_at.astimezone(AMSTERDAM) for e in await _planned(onboarding) if e.name.startswith("DAY_")}
    today = start.astimezone(AMSTERDAM).date()
    assert {name: at.date() for name, at in local.items()} == {
        f"DAY_{days}": today + timedelta(days=days) for days in (30, 60, 90)
    }
    assert {(at.hour, at.minute) for at in local.values()} == {(0, 0)}
