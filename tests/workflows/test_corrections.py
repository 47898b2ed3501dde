"""What was noted late is put to when it happened, and everything that counts from it follows."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from domain.access import Role
from domain.consequences import ConsequenceKind, untold
from domain.effects import EffectKind, EffectState
from domain.moves import Move
from domain.onboarding import EndReason, HoldReason
from tests.support.amending import corrected, of_kind, phases, seen, trail, undone
from tests.support.migrations import migrated, version
from tests.support.onboarding import Onboarding, opened
from tests.support.providers import Provider, codes, done, sent
from tests.support.slow_figures import ZONE
from tests.support.tickets import report, ticket
from workflows.contracts import UpdateContract
from workflows.contracts import update as update_contract
from workflows.effects import fire_due
from workflows.teams import TeamCommand, change_team


@pytest.fixture
async def onboarding(provider: Provider) -> Onboarding:
    return await opened(provider)


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
