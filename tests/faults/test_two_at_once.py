"""Two people at once: one wins, the others are told how things stand, and the trail keeps every attempt."""

import asyncio
from collections import Counter
from collections.abc import Sequence

import pytest

from db import cycles, histories
from domain.access import Role
from domain.errors import Outcome, StaleVersion
from domain.moves import Gate, Move
from domain.onboarding import EndReason, HoldReason, Transition
from domain.stages import Stage
from tests.support.onboarding import Everything, Onboarding, opened
from tests.support.providers import Provider, codes, done, sent
from workflows.onboarding import MoveCommand, move_cycle
from workflows.waivers import WaiverCommand, request_waiver

ROUNDS = 8


@pytest.fixture
async def onboarding(provider: Provider) -> Onboarding:
    return await opened(provider)


async def test_of_many_who_decided_on_one_version_one_wins_and_the_others_see_the_present_state(
    onboarding: Onboarding,
) -> None:
    context, managers = (
        onboarding.provider.context,
        [await onboarding.provider.invited(Role.SERVICE_MANAGER) for _ in range(6)],
    )
    for number in range(ROUNDS):
        move = Move.RESUME if number % 2 else Move.HOLD
        command = MoveCommand(onboarding.cycle, move, onboarding.version, hold_reason=HoldReason.CLIENT)
        outcomes = await asyncio.gather(*(move_cycle(context, who, sent(), command) for who in managers))
        won = [outcome for outcome in outcomes if not outcome.errors]
        assert [outcome.version for outcome in won] == [onboarding.version + 1]
        onboarding.version += 1
        assert _told(outcomes, onboarding.version) == len(managers) - 1
    accepted = [step.accepted for step in await _trail(onboarding)]
    assert Counter(accepted) == {True: 1 + ROUNDS, False: ROUNDS * (len(managers) - 1)}


async def test_an_advance_and_an_end_at_once_leave_one_of_them(provider: Provider) -> None:
    ends = Counter[Stage]()
    for _ in range(ROUNDS):
        onboarding = await opened(provider)
        await onboarding.sign()
        blocked = await onboarding.move(Move.BEGIN_DISCOVERY)
        for blocker in blocked.errors[0].blockers:  # type: ignore[attr-defined]
            await onboarding.waive(Move.BEGIN_DISCOVERY, Gate(blocker.gate))
        version, context = onboarding.version, provider.context
        advance = MoveCommand(onboarding.cycle, Move.BEGIN_DISCOVERY, version)
        lose = MoveCommand(onboarding.cycle, Move.LOSE, version, reason="too dear", outcome=EndReason.PRICE)
        outcomes = await asyncio.gather(
            move_cycle(context, onboarding.lead, sent(), advance), move_cycle(context, provider.admin, sent(), lose)
        )
        assert [bool(outcome.errors) for outcome in outcomes].count(False) == 1
        assert _told(outcomes, version + 1) == 1
        seen = await onboarding.seen()
        ends[seen.stage] += 1
        visits = await _open_visits(onboarding)
        assert visits == ([] if seen.ended else [seen.stage])
    assert set(ends) <= {Stage.ASSET_DISCOVERY, Stage.LOST}


async def test_the_same_key_five_times_at_once_is_done_once(onboarding: Onboarding) -> None:
    context, version = onboarding.provider.context, onboarding.version
    command = MoveCommand(onboarding.cycle, Move.HOLD, version, hold_reason=HoldReason.VENDOR)
    outcomes = await asyncio.gather(*(move_cycle(context, onboarding.lead, sent("once"), command) for _ in range(5)))
    assert outcomes == [outcomes[0]] * 5
    assert done(outcomes[0]) == onboarding.cycle
    assert [step.move for step in await _trail(onboarding)] == [Move.OPEN, Move.HOLD]


async def test_one_gate_is_waived_once_however_many_ask_at_once(onboarding: Onboarding) -> None:
    command = WaiverCommand(onboarding.cycle, Move.BEGIN_DISCOVERY, Gate.COVERAGE_HOURS, "agreed")
    context = onboarding.provider.context
    asked = [request_waiver(context, onboarding.lead, sent(), command) for _ in range(5)]
    outcomes = await asyncio.gather(*asked)
    assert sorted(codes(outcome) for outcome in outcomes) == [[], *[["ALREADY_EXISTS"]] * 4]


def _told(outcomes: Sequence[Outcome], now: int) -> int:
    """Count who was refused with the state as it is now."""
    errors = [error for outcome in outcomes for error in outcome.errors]
    assert all(isinstance(error, StaleVersion) and error.current == now for error in errors), errors
    return len(errors)


async def _trail(onboarding: Onboarding) -> list[Transition]:
    async with onboarding.provider.context.database.reading(onboarding.provider.admin) as tx:
        return (await histories.histories(tx, [onboarding.cycle], Everything()))[onboarding.cycle]


async def _open_visits(onboarding: Onboarding) -> list[Stage]:
    async with onboarding.provider.context.database.reading(onboarding.provider.admin) as tx:
        visits = (await cycles.visits(tx, [onboarding.cycle]))[onboarding.cycle]
    return [visit.stage for visit in visits if visit.left_at is None]
