"""What was done by mistake is set right: undone, corrected or discarded, and the trail keeps it all."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from db import histories
from db.portraits import portrait
from domain.access import Principal, Role
from domain.consequences import Consequence, ConsequenceKind, untold
from domain.effects import EffectKind, EffectState
from domain.errors import Outcome
from domain.moves import Gate, Move
from domain.onboarding import EndReason, HoldReason, Transition
from domain.portraits import Portrait
from domain.stages import Stage
from tests.support.migrations import migrated, version
from tests.support.onboarding import Onboarding, opened
from tests.support.providers import Provider, codes, done, sent
from tests.support.slow_figures import ZONE
from tests.support.tickets import report, ticket
from workflows.contracts import UpdateContract
from workflows.contracts import update as update_contract
from workflows.correcting import CorrectCommand, correct
from workflows.effects import fire_due
from workflows.opening import OpenCommand, open_cycle
from workflows.teams import TeamCommand, change_team
from workflows.undoing import UndoCommand, undo


@pytest.fixture
async def onboarding(provider: Provider) -> Onboarding:
    return await opened(provider)


async def seen(onboarding: Onboarding) -> Portrait:
    async with onboarding.provider.context.database.reading(onboarding.provider.admin) as tx:
        return await portrait(tx, onboarding.cycle)


async def trail(onboarding: Onboarding) -> tuple[Transition, ...]:
    async with onboarding.provider.context.database.reading(onboarding.provider.admin) as tx:
        return await histories.accepted(tx, onboarding.cycle)


async def undone(onboarding: Onboarding, by: Principal | None = None, *, dry_run: bool = False) -> Outcome:
    command = UndoCommand(onboarding.cycle, onboarding.version, "clicked the wrong client", dry_run)
    outcome = await undo(onboarding.provider.context, by or onboarding.lead, sent(), command)
    if not outcome.errors and not dry_run:
        onboarding.version = outcome.version or 0
    return outcome


async def corrected(
    onboarding: Onboarding, move: Move, effective_at: datetime, *, by: Principal | None = None, dry_run: bool = False
) -> Outcome:
    step = next(s for s in reversed(await trail(onboarding)) if s.move is move)
    command = CorrectCommand(onboarding.cycle, step.id, effective_at, "it was so", onboarding.version, dry_run)
    outcome = await correct(onboarding.provider.context, by or onboarding.lead, sent(), command)
    if not outcome.errors and not dry_run:
        onboarding.version = outcome.version or 0
    return outcome


def of_kind(outcome: Outcome, kind: ConsequenceKind) -> list[Consequence]:
    return [change for change in untold(outcome.facts) if change.kind is kind]


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


async def phases(provider: Provider) -> list[tuple[str, str]]:
    async with provider.context.database.reading(provider.admin) as tx:
        rows = await tx.rows(
            text("select stage, phase from ticket where tenant_id = :tenant order by id"), tenant=tx.tenant
        )
    return [(row["stage"], row["phase"]) for row in rows]


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


async def test_what_became_another_since_the_move_is_not_put_back_by_its_undo(onboarding: Onboarding) -> None:
    provider = onboarding.provider
    for _ in range(3):
        await onboarding.forward()
    other = await provider.invited(Role.ONBOARDING_LEAD)
    change = TeamCommand(onboarding.cycle, onboarding.version, lead=other.id, engineers=(onboarding.lead.id,))
    moved = await change_team(provider.context, provider.admin, sent(), change)
    done(moved)
    onboarding.version = moved.version or 0
    starts_on = provider.clock().date() + timedelta(days=20)
    done(
        await update_contract(
            provider.context, provider.admin, sent(), UpdateContract(onboarding.contract, starts_on=starts_on)
        )
    )
    done(await undone(onboarding))
    after = await seen(onboarding)
    days = {e.name: e for e in after.effects if e.name.startswith("DAY_")}
    assert {e.state for e in days.values()} == {EffectState.PLANNED}
    assert {e.recipient for e in days.values()} == {str(other.id)}
    assert days["DAY_90"].due_at.astimezone(ZONE).date() == starts_on + timedelta(days=90)
    assert after.cycle.target_at == days["DAY_90"].due_at + timedelta(days=1)


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


async def test_a_correction_moves_stays_targets_and_timers_and_the_trail_keeps_both(onboarding: Onboarding) -> None:
    provider = onboarding.provider
    opened_at = provider.clock()
    provider.clock.forward(days=7)
    await onboarding.forward()
    recorded = (await trail(onboarding))[-1]
    before = await seen(onboarding)
    provider.clock.forward(hours=3)
    to = opened_at + timedelta(days=2)
    foreseen = untold((await corrected(onboarding, Move.BEGIN_DISCOVERY, to, dry_run=True)).facts)
    outcome = await corrected(onboarding, Move.BEGIN_DISCOVERY, to)
    done(outcome)
    assert untold(outcome.facts) == foreseen
    after = await seen(onboarding)
    contracting, discovery = after.visits
    assert (contracting.left_at, discovery.entered_at, after.cycle.entered_at) == (to, to, to)
    assert after.cycle.target_at is not None
    assert before.cycle.target_at is not None
    assert after.cycle.target_at < before.cycle.target_at
    assert [e.due_at for e in after.effects if e.key == "TARGET" and e.visit_id == discovery.id] == [
        after.cycle.target_at
    ]
    kept, correction = (await trail(onboarding))[-2:]
    assert kept == recorded
    assert (correction.corrects, correction.effective_at) == (recorded.id, to)


async def test_corrected_windows_restate_the_phases_of_tickets(onboarding: Onboarding) -> None:
    provider = onboarding.provider
    await onboarding.forward()
    provider.clock.forward(days=2)
    between = provider.clock()
    provider.clock.forward(days=2)
    await report(provider, ticket(1, logged_at=between), client=onboarding.client)
    await onboarding.forward()
    assert await phases(provider) == [("ASSET_DISCOVERY", "BEFORE_SERVICE")]
    outcome = await corrected(onboarding, Move.GO_LIVE, between - timedelta(hours=1))
    assert [c.count for c in of_kind(outcome, ConsequenceKind.TICKET)] == [1]
    assert await phases(provider) == [("EARLY_SUPPORT", "EARLY")]


async def test_a_correction_stays_between_its_neighbours_and_never_in_the_future(onboarding: Onboarding) -> None:
    provider = onboarding.provider
    opened_at = provider.clock()
    provider.clock.forward(days=1)
    await onboarding.forward()
    provider.clock.forward(days=1)
    done(await onboarding.move(Move.HOLD, hold_reason=HoldReason.VENDOR))
    held_at = provider.clock()
    provider.clock.forward(days=1)
    for wanted in (opened_at - timedelta(seconds=1), held_at + timedelta(seconds=1), provider.clock() + timedelta(1)):
        refused = await corrected(onboarding, Move.BEGIN_DISCOVERY, wanted)
        assert codes(refused) == ["INVALID"]
        assert refused.errors[0].path == ("effectiveAt",)
    assert codes(await corrected(onboarding, Move.BEGIN_DISCOVERY, held_at)) == []
    other = await provider.invited(Role.ONBOARDING_LEAD)
    assert codes(await corrected(onboarding, Move.BEGIN_DISCOVERY, opened_at, by=other)) == ["NOT_ALLOWED"]


async def test_what_has_fired_never_fires_again_after_a_correction(onboarding: Onboarding) -> None:
    provider = onboarding.provider
    start = provider.clock()
    provider.clock.forward(days=30)
    await fire_due(provider.context)
    await onboarding.forward()
    provider.clock.forward(days=60)
    await fire_due(provider.context)
    fired = {e.id for e in (await seen(onboarding)).effects if e.state is EffectState.DONE}
    assert len(fired) == 2
    done(await corrected(onboarding, Move.BEGIN_DISCOVERY, start + timedelta(days=29)))
    await fire_due(provider.context)
    assert {e.id for e in (await seen(onboarding)).effects if e.state is EffectState.DONE} == fired


async def test_no_survey_is_sent_for_a_moment_that_a_correction_put_into_the_past(onboarding: Onboarding) -> None:
    provider = onboarding.provider
    provider.clock.forward(days=3)
    await onboarding.forward()
    provider.clock.forward(hours=1)
    done(await corrected(onboarding, Move.BEGIN_DISCOVERY, provider.clock() - timedelta(days=2)))
    surveys = [e for e in (await seen(onboarding)).effects if e.kind is EffectKind.SURVEY]
    assert {(e.state, e.reason) for e in surveys} == {(EffectState.SKIPPED, "PAST")}


async def test_a_survey_comes_back_once_its_moment_lies_ahead_after_all(onboarding: Onboarding) -> None:
    for _ in range(2):
        await onboarding.forward()
    onboarding.provider.clock.forward(days=95)
    await onboarding.forward()
    graduated_at, before = onboarding.provider.clock(), await seen(onboarding)
    onboarding.provider.clock.forward(days=1)
    done(await corrected(onboarding, Move.GRADUATE, graduated_at - timedelta(days=94)))
    aside = [e for e in (await seen(onboarding)).effects if e.name == "QUARTERLY_NPS"]
    assert {(e.state, e.reason) for e in aside} == {(EffectState.SKIPPED, "PAST")}
    done(await corrected(onboarding, Move.GRADUATE, graduated_at))
    after = [e for e in (await seen(onboarding)).effects if e.name == "QUARTERLY_NPS"]
    assert after == [e for e in before.effects if e.name == "QUARTERLY_NPS"]


async def test_a_lead_corrects_when_a_client_was_lost_as_leads_may_lose_them(onboarding: Onboarding) -> None:
    onboarding.provider.clock.forward(days=2)
    done(await onboarding.move(Move.LOSE, outcome=EndReason.PRICE, reason="too dear"))
    at = onboarding.provider.clock() - timedelta(hours=1)
    done(await corrected(onboarding, Move.LOSE, at))
    assert (await seen(onboarding)).cycle.ended_at == at


@pytest.mark.parametrize("year", [1, 1500])
async def test_no_move_took_effect_in_years_before_there_was_business(onboarding: Onboarding, year: int) -> None:
    outcome = await corrected(onboarding, Move.OPEN, datetime(year, 1, 1, tzinfo=UTC), dry_run=True)
    assert codes(outcome) == ["INVALID"]
    assert outcome.errors[0].path == ("effectiveAt",)


async def test_a_correction_leaves_the_target_of_a_stay_it_is_not_about(onboarding: Onboarding) -> None:
    await onboarding.forward()
    (contracting, _) = (await seen(onboarding)).visits
    assert contracting.target_at is not None
    number = await version(onboarding.provider, targets={"CONTRACTING": 1, "ASSET_DISCOVERY": 3})
    await migrated(onboarding, number)
    await onboarding.forward()
    onboarding.provider.clock.forward(days=2)
    live_at = onboarding.provider.clock() - timedelta(days=1)
    done(await corrected(onboarding, Move.GO_LIVE, live_at))
    after = await seen(onboarding)
    assert next(v for v in after.visits if v.id == contracting.id).target_at == contracting.target_at


async def test_a_hold_that_began_earlier_shifts_the_target_further(onboarding: Onboarding) -> None:
    provider = onboarding.provider
    provider.clock.forward(days=4)
    done(await onboarding.move(Move.HOLD, hold_reason=HoldReason.CLIENT))
    provider.clock.forward(days=1)
    done(await onboarding.move(Move.RESUME))
    before = (await seen(onboarding)).cycle.target_at
    done(await corrected(onboarding, Move.HOLD, provider.clock() - timedelta(days=5)))
    after = await seen(onboarding)
    assert after.holds[0].held_at == provider.clock() - timedelta(days=5)
    assert before is not None
    assert after.cycle.target_at is not None
    assert after.cycle.target_at > before


async def test_a_corrected_start_of_the_contract_tells_which_days_it_moves(onboarding: Onboarding) -> None:
    provider = onboarding.provider
    for _ in range(2):
        await onboarding.forward()
    before = await seen(onboarding)
    earlier = UpdateContract(onboarding.contract, starts_on=provider.clock().date() - timedelta(days=10), dry_run=True)
    foreseen = untold((await update_contract(provider.context, provider.admin, sent(), earlier)).facts)
    assert await seen(onboarding) == before
    outcome = await update_contract(provider.context, provider.admin, sent(), replace(earlier, dry_run=False))
    assert untold(outcome.facts) == foreseen
    assert [c.name for c in foreseen if c.kind is ConsequenceKind.TIMER] == ["DAY_30", "DAY_60", "DAY_90"]
    assert before.cycle.target_at is not None
    assert (await seen(onboarding)).cycle.target_at == before.cycle.target_at - timedelta(days=10)


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
