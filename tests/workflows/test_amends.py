"""What was done by mistake is undone or discarded, and the trail keeps it all."""

from datetime import datetime

import pytest

from db import cycles
from domain.access import Role
from domain.consequences import Consequence, ConsequenceKind, untold
from domain.effects import EffectKind, EffectState
from domain.moves import Gate, Move
from domain.onboarding import EndReason, HoldReason
from domain.stages import Stage
from tests.support.amending import of_kind, phases, seen, trail, undone
from tests.support.onboarding import Onboarding, opened
from tests.support.providers import Provider, codes, done, sent
from tests.support.tickets import report, ticket
from workflows.opening import OpenCommand, open_cycle
from workflows.undoing import UndoCommand, undo


@pytest.fixture
async def onboarding(provider: Provider) -> Onboarding:
    return await opened(provider)


async def test_an_undone_move_leaves_the_stay_before_it_as_it_was(onboarding: Onboarding) -> None:
    before = await seen(onboarding)
    onboarding.provider.clock.forward(hours=30)
    await onboarding.forward()
    onboarding.provider.clock.forward(hours=2)
    wordy = UndoCommand(onboarding.cycle, onboarding.version, "x" * 50_000)
    assert codes(await undo(onboarding.provider.context, onboarding.lead, sent(), wordy)) == ["INVALID"]
    done(await undone(onboarding))
    after = await seen(onboarding)
    assert (after.cycle.stage, after.cycle.visit_id) == (Stage.CONTRACTING, before.cycle.visit_id)
    assert (after.cycle.entered_at, after.cycle.target_at) == (before.cycle.entered_at, before.cycle.target_at)
    assert [v.left_at for v in after.visits if v.stage is Stage.CONTRACTING] == [None]
    (aside,) = (v for v in after.visits if v.stage is Stage.ASSET_DISCOVERY)
    assert aside.left_at == aside.entered_at
    assert aside.superseded_at == onboarding.provider.clock()
    planned = {e.id: e for e in before.effects}
    assert {e.id: e for e in after.effects if e.id in planned} == planned
    assert all(e.state is not EffectState.PLANNED for e in after.effects if e.id not in planned)
    assert [t.move for t in await trail(onboarding)][-1] is Move.UNDO


async def test_a_dry_run_tells_what_the_undo_then_does_and_changes_nothing(onboarding: Onboarding) -> None:
    await onboarding.forward()
    before = await seen(onboarding)
    foreseen = untold((await undone(onboarding, dry_run=True)).facts)
    assert await seen(onboarding) == before
    assert Consequence(ConsequenceKind.STAGE, before="ASSET_DISCOVERY", after="CONTRACTING").before in {
        c.before for c in foreseen if c.kind is ConsequenceKind.STAGE
    }
    assert {c.kind for c in foreseen} >= {ConsequenceKind.STAY, ConsequenceKind.TARGET, ConsequenceKind.SURVEY}
    assert untold((await undone(onboarding)).facts) == foreseen


async def test_an_end_can_be_undone_while_no_other_onboarding_was_opened(onboarding: Onboarding) -> None:
    done(await onboarding.move(Move.HOLD, hold_reason=HoldReason.CLIENT))
    before = await seen(onboarding)
    onboarding.provider.clock.forward(hours=1)
    done(await onboarding.move(Move.LOSE, reason="wrong row", outcome=EndReason.PRICE))
    done(await undone(onboarding))
    after = await seen(onboarding)
    assert (after.cycle.stage, after.cycle.held_at) == (Stage.CONTRACTING, before.cycle.held_at)
    assert (after.cycle.ended_at, after.cycle.outcome) == (None, None)
    assert after.holds == before.holds
    assert {e.id: e.state for e in after.effects} == {e.id: e.state for e in before.effects}

    done(await onboarding.move(Move.LOSE, reason="really", outcome=EndReason.PRICE))
    admin = onboarding.provider.admin
    again = OpenCommand(onboarding.client, onboarding.lead.id, reopen=True)
    done(await open_cycle(onboarding.provider.context, admin, sent(), again))
    assert codes(await undone(onboarding)) == ["ALREADY_EXISTS"]


async def test_going_live_undone_leaves_an_empty_window_and_no_early_ticket(onboarding: Onboarding) -> None:
    provider = onboarding.provider
    await onboarding.forward()
    provider.clock.forward(hours=1)
    await onboarding.forward()
    provider.clock.forward(hours=1)
    await report(provider, ticket(1, logged_at=provider.clock()), client=onboarding.client)
    provider.clock.forward(hours=1)
    outcome = await undone(onboarding)
    done(outcome)
    (window,) = (await seen(onboarding)).windows
    assert window.closed_at == window.opened_at
    assert [c.count for c in of_kind(outcome, ConsequenceKind.TICKET)] == [1]
    assert await phases(provider) == [("ASSET_DISCOVERY", "BEFORE_SERVICE")]


async def test_graduation_undone_goes_on_in_the_same_stay_and_can_be_made_again(onboarding: Onboarding) -> None:
    await onboarding.forward()
    await onboarding.forward()
    before = await seen(onboarding)
    onboarding.provider.clock.forward(days=95)
    await onboarding.forward()
    done(await undone(onboarding))
    onboarding.provider.clock.forward(seconds=1)
    after = await seen(onboarding)
    assert after.cycle.entered_at == before.cycle.entered_at
    assert after.windows == before.windows
    assert await onboarding.forward() is Stage.STEADY_STATE


async def test_an_off_boarding_undone_can_be_made_again(onboarding: Onboarding) -> None:
    admin = onboarding.provider.admin
    await onboarding.forward()
    await onboarding.forward()
    for _ in range(2):
        for gate in (Gate.SERVICE_END_REACHED, Gate.DATA_HANDED_BACK):
            await onboarding.waive(Move.OFF_BOARD, gate)
        done(await onboarding.move(Move.OFF_BOARD, by=admin, reason="over", outcome=EndReason.CONTRACT_ENDED))
        exits = [e.state for e in (await seen(onboarding)).effects if e.name == "EXIT"]
        assert EffectState.PLANNED in exits
        done(await undone(onboarding, admin))
    after = await seen(onboarding)
    assert [e.state for e in after.effects if e.name == "EXIT"] == [EffectState.CANCELLED] * 2
    assert [w.closed_at for w in after.windows] == [None]


async def test_timers_that_came_with_a_later_contract_go_with_the_stay_that_is_undone(onboarding: Onboarding) -> None:
    for move in (Move.BEGIN_DISCOVERY, Move.GO_LIVE):
        outcome = await onboarding.move(move)
        for blocker in outcome.errors[0].blockers:  # type: ignore[attr-defined]
            await onboarding.waive(move, Gate(blocker.gate))
        done(await onboarding.move(move))
    await onboarding.sign()
    assert [e.name for e in (await seen(onboarding)).effects if e.key.startswith("DAY_")] == [
        "DAY_30",
        "DAY_60",
        "DAY_90",
    ]
    onboarding.provider.clock.forward(seconds=1)
    done(await undone(onboarding))
    after = await seen(onboarding)
    planned = [e for e in after.effects if e.state is EffectState.PLANNED and e.kind is EffectKind.TIMER]
    assert [(e.key, e.visit_id) for e in planned] == [("TARGET", after.cycle.visit_id)]


async def test_only_the_last_move_of_ones_own_is_undone_and_only_for_a_day(onboarding: Onboarding) -> None:
    provider = onboarding.provider
    assert codes(await undone(onboarding)) == ["MOVE_NOT_POSSIBLE"]
    await onboarding.forward()
    assert codes(await undone(onboarding, provider.admin)) == ["NOT_ALLOWED"]
    other = await provider.invited(Role.ONBOARDING_LEAD)
    assert codes(await undone(onboarding, other)) == ["NOT_ALLOWED"]
    stale = UndoCommand(onboarding.cycle, onboarding.version - 1)
    assert codes(await undo(provider.context, onboarding.lead, sent(), stale)) == ["STALE_VERSION"]
    provider.clock.forward(hours=24, seconds=1)
    late = await undone(onboarding)
    assert codes(late) == ["MOVE_NOT_POSSIBLE"]
    assert "24 hours" in late.errors[0].message


async def test_a_client_that_was_in_service_is_no_error_to_be_discarded(onboarding: Onboarding) -> None:
    admin = onboarding.provider.admin
    for _ in range(2):
        await onboarding.forward()
    onboarding.provider.clock.forward(days=1)
    done(await onboarding.move(Move.ROLL_BACK, by=admin, to=Stage.CONTRACTING, reason="again"))
    discarded = await onboarding.move(Move.DISCARD, by=admin, reason="typo", outcome=EndReason.MISTAKE)
    assert codes(discarded) == ["MOVE_NOT_POSSIBLE"]


async def test_what_was_promised_ends_with_an_onboarding_and_comes_back_with_it(onboarding: Onboarding) -> None:
    await onboarding.waive(Move.BEGIN_DISCOVERY, Gate.HAND_OFF_COMPLETE)
    before = await seen(onboarding)
    assert [f.closed_at for f in before.follow_ups] == [None]
    onboarding.provider.clock.forward(seconds=1)
    done(await onboarding.move(Move.LOSE, reason="gone", outcome=EndReason.PRICE))
    assert all(f.closed_at for f in (await seen(onboarding)).follow_ups)
    done(await undone(onboarding))
    assert [f.closed_at for f in (await seen(onboarding)).follow_ups] == [None]


async def test_the_baseline_of_a_graduation_that_was_undone_counts_no_more(onboarding: Onboarding) -> None:
    async def recorded() -> set[datetime]:
        async with onboarding.provider.context.database.reading(onboarding.provider.admin) as tx:
            found = await cycles.baselines(tx, [onboarding.cycle])
        return {figure.as_of for figure in found.get(onboarding.cycle, [])}

    for _ in range(2):
        await onboarding.forward()
    onboarding.provider.clock.forward(days=95)
    await onboarding.forward()
    assert await recorded() == {onboarding.provider.clock()}
    onboarding.provider.clock.forward(minutes=1)
    done(await undone(onboarding))
    assert await recorded() == set()
    onboarding.provider.clock.forward(minutes=1)
    await onboarding.forward()
    assert await recorded() == {onboarding.provider.clock()}


async def test_what_was_entered_in_error_is_discarded_and_counts_nowhere(onboarding: Onboarding) -> None:
    admin = onboarding.provider.admin
    with_lead = await onboarding.move(Move.LOSE, reason="typo", outcome=EndReason.MISTAKE)
    assert codes(with_lead) == ["INVALID"]
    assert codes(await onboarding.move(Move.DISCARD, by=admin, reason="typo", outcome=EndReason.PRICE)) == ["INVALID"]
    foreseen = await onboarding.move(Move.DISCARD, by=admin, reason="typo", outcome=EndReason.MISTAKE, dry_run=True)
    assert {c.kind for c in untold(foreseen.facts)} >= {ConsequenceKind.STAGE, ConsequenceKind.TIMER}
    onboarding.version = (await seen(onboarding)).cycle.version
    done(await onboarding.move(Move.DISCARD, by=admin, reason="typo", outcome=EndReason.MISTAKE))
    after = await seen(onboarding)
    assert (after.cycle.stage, after.cycle.outcome) == (Stage.LOST, EndReason.MISTAKE)
