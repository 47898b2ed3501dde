"""A client goes from contract to steady state, and not past a gate."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import text

from db import cycles, effects
from domain.access import Role
from domain.effects import EffectState
from domain.errors import ErrorCode, TransitionBlocked
from domain.moves import Gate, Move
from domain.onboarding import EndReason, HoldReason
from domain.stages import Stage
from tests.support.onboarding import Onboarding, opened
from tests.support.providers import Provider, codes, done, sent
from workflows.contracts import UpdateContract
from workflows.contracts import update as update_contract
from workflows.effects import fire_due
from workflows.opening import OpenCommand, open_cycle

HISTORY = text("select move, accepted from transition where tenant_id = :tenant and cycle_id = :cycle order by id")


@pytest.fixture
async def onboarding(provider: Provider) -> Onboarding:
    return await opened(provider)


async def history(onboarding: Onboarding) -> list[str]:
    async with onboarding.provider.context.database.reading(onboarding.provider.admin) as tx:
        rows = await tx.rows(HISTORY, tenant=tx.tenant, cycle=onboarding.cycle)
    return [f"{row['move']} {row['accepted']}" for row in rows]


async def test_a_client_goes_from_contract_to_steady_state(onboarding: Onboarding) -> None:
    clock = onboarding.provider.clock
    assert (await onboarding.seen()).stage is Stage.CONTRACTING
    assert await onboarding.forward() is Stage.ASSET_DISCOVERY
    clock.forward(days=3)
    assert await onboarding.forward() is Stage.EARLY_SUPPORT
    clock.forward(days=91)
    assert await onboarding.forward() is Stage.STEADY_STATE
    async with onboarding.provider.context.database.reading(onboarding.provider.admin) as tx:
        (window,) = (await cycles.windows(tx, [onboarding.cycle]))[onboarding.cycle]
        baselines = (await cycles.baselines(tx, [onboarding.cycle]))[onboarding.cycle]
        planned = (await effects.of_cycles(tx, [onboarding.cycle]))[onboarding.cycle]
    assert window.closed_at == clock()
    assert [b.kpi for b in baselines] == ["ESCALATED_TICKETS", "ESCALATION_RATE", "TICKETS_LOGGED"]
    assert {e.key for e in planned} >= {"TARGET", "DAY_30", "DAY_60", "DAY_90", "CONTRACTING", "DISCOVERY"}
    assert [e.state for e in planned if e.key == "DAY_30"] == [EffectState.CANCELLED]


async def test_a_move_names_every_gate_that_holds_it_back(onboarding: Onboarding) -> None:
    outcome = await onboarding.move(Move.BEGIN_DISCOVERY)
    (error,) = outcome.errors
    assert isinstance(error, TransitionBlocked)
    assert {b.gate for b in error.blockers} >= {"CONTRACT_SIGNED", "HAND_OFF_COMPLETE", "COVERAGE_HOURS"}
    assert await history(onboarding) == ["OPEN True", "BEGIN_DISCOVERY False"]


async def test_hold_resume_roll_back_and_end(onboarding: Onboarding) -> None:
    clock = onboarding.provider.clock
    target = (await onboarding.seen()).target_at
    done(await onboarding.move(Move.HOLD, hold_reason=HoldReason.CLIENT))
    assert codes(await onboarding.move(Move.BEGIN_DISCOVERY)) == ["MOVE_NOT_POSSIBLE"]
    clock.forward(days=7)
    done(await onboarding.move(Move.RESUME))
    after = await onboarding.seen()
    assert target is not None
    assert after.target_at is not None
    assert (after.target_at - target).days == 7
    await onboarding.forward()
    clock.forward(hours=1)
    assert codes(await onboarding.move(Move.ROLL_BACK, to=Stage.CONTRACTING)) == ["INVALID"]
    done(await onboarding.move(Move.ROLL_BACK, to=Stage.CONTRACTING, reason="wrong scope"))
    async with onboarding.provider.context.database.reading(onboarding.provider.admin) as tx:
        visits = (await cycles.visits(tx, [onboarding.cycle]))[onboarding.cycle]
    assert [(v.stage, v.superseded_at is not None) for v in visits] == [
        (Stage.CONTRACTING, False),
        (Stage.ASSET_DISCOVERY, True),
        (Stage.CONTRACTING, False),
    ]
    done(await onboarding.move(Move.LOSE, reason="too dear", outcome=EndReason.PRICE))
    assert codes(await onboarding.move(Move.HOLD, hold_reason=HoldReason.CLIENT)) == ["MOVE_NOT_POSSIBLE"]


async def test_one_winner_on_one_version(onboarding: Onboarding) -> None:
    done(await onboarding.move(Move.HOLD, hold_reason=HoldReason.VENDOR))
    outcome = await onboarding.move(Move.RESUME, version=1)
    assert codes(outcome) == ["STALE_VERSION"]


async def test_the_same_key_gives_the_first_answer(onboarding: Onboarding) -> None:
    first = await onboarding.move(Move.HOLD, hold_reason=HoldReason.VENDOR, key="k1")
    again = await onboarding.move(Move.HOLD, hold_reason=HoldReason.VENDOR, key="k1", version=1)
    assert again == first
    other = await onboarding.move(Move.HOLD, hold_reason=HoldReason.LEGAL, key="k1", version=1)
    assert codes(other) == ["IDEMPOTENCY_MISMATCH"]


async def test_a_client_has_one_open_onboarding(provider: Provider, onboarding: Onboarding) -> None:
    command = OpenCommand(client=onboarding.client, lead=onboarding.lead.id)
    assert codes(await open_cycle(provider.context, onboarding.lead, sent(), command)) == ["ALREADY_EXISTS"]


async def test_a_lead_moves_only_own_onboardings(provider: Provider, onboarding: Onboarding) -> None:
    stranger = await provider.invited(Role.ONBOARDING_LEAD)
    assert codes(await onboarding.move(Move.HOLD, by=stranger, hold_reason=HoldReason.CLIENT)) == [
        ErrorCode.NOT_ALLOWED
    ]


async def test_a_waiver_opens_one_gate_once(onboarding: Onboarding) -> None:
    await onboarding.waive(Move.BEGIN_DISCOVERY, Gate.CONTRACT_SIGNED)
    for gate in (Gate.COVERAGE_HOURS, Gate.HAND_OFF_COMPLETE, Gate.CONTRACTING_CHECKLIST):
        await onboarding.waive(Move.BEGIN_DISCOVERY, gate)
    await onboarding.attest(Gate.THRESHOLD_SET)
    done(await onboarding.move(Move.BEGIN_DISCOVERY))
    done(await onboarding.move(Move.ROLL_BACK, to=Stage.CONTRACTING, reason="once more"))
    assert codes(await onboarding.move(Move.BEGIN_DISCOVERY)) == ["TRANSITION_BLOCKED"]


async def test_early_support_follows_its_contract_to_another_start(onboarding: Onboarding) -> None:
    clock, context = onboarding.provider.clock, onboarding.provider.context
    await onboarding.forward()
    await onboarding.forward()
    clock.forward(days=31)
    await fire_due(context)
    start = date(2026, 3, 20)
    done(
        await update_contract(
            context, onboarding.provider.admin, sent(), UpdateContract(onboarding.contract, starts_on=start)
        )
    )
    async with context.database.reading(onboarding.provider.admin) as tx:
        planned = {e.name: e for e in (await effects.of_cycles(tx, [onboarding.cycle]))[onboarding.cycle]}
    assert planned["DAY_30"].state is EffectState.DONE
    assert planned["DAY_90"].due_at == datetime(2026, 6, 17, 22, 0, tzinfo=UTC)
    assert (await onboarding.seen()).target_at == datetime(2026, 6, 18, 22, 0, tzinfo=UTC)


async def test_days_are_planned_once_a_waived_contract_gets_its_start(onboarding: Onboarding) -> None:
    context = onboarding.provider.context
    blocked = await onboarding.move(Move.BEGIN_DISCOVERY)
    for blocker in blocked.errors[0].blockers:  # type: ignore[attr-defined]
        await onboarding.waive(Move.BEGIN_DISCOVERY, Gate(blocker.gate))
    done(await onboarding.move(Move.BEGIN_DISCOVERY))
    await onboarding.forward()
    assert (await onboarding.seen()).target_at is None
    await onboarding.sign()
    async with context.database.reading(onboarding.provider.admin) as tx:
        planned = {e.name: e for e in (await effects.of_cycles(tx, [onboarding.cycle]))[onboarding.cycle]}
    assert planned["DAY_90"].state is EffectState.PLANNED
    assert (await onboarding.seen()).target_at is not None
