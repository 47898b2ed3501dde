"""A client in notice is worked towards its end, and may stay after all."""

from dataclasses import replace
from datetime import timedelta

import pytest

from db.portraits import portrait
from domain.access import Principal, Role
from domain.clients import Party
from domain.consequences import ConsequenceKind, untold
from domain.effects import Effect, EffectState
from domain.errors import Outcome
from domain.follow_ups import FollowUpKind
from domain.moves import Move
from domain.onboarding import EndReason
from domain.portraits import Portrait
from domain.stages import Stage
from tests.support.onboarding import Onboarding, opened
from tests.support.providers import Provider, codes, done, sent
from workflows.effects import fire_due
from workflows.notices import NoticeCommand, WithdrawCommand, give_notice, withdraw_notice


@pytest.fixture
async def served(provider: Provider) -> Onboarding:
    """Return a client in steady state."""
    onboarding = await opened(provider)
    for _ in range(2):
        await onboarding.forward()
    provider.clock.forward(days=95)
    await onboarding.forward()
    return onboarding


async def seen(onboarding: Onboarding) -> Portrait:
    async with onboarding.provider.context.database.reading(onboarding.provider.admin) as tx:
        return await portrait(tx, onboarding.cycle)


def notice(onboarding: Onboarding, days: int = 90) -> NoticeCommand:
    ends_on = onboarding.provider.clock().date() + timedelta(days=days)
    return NoticeCommand(
        onboarding.cycle, onboarding.version, Party.CLIENT, ends_on, EndReason.PRICE, "They found it cheaper."
    )


async def given(onboarding: Onboarding, command: NoticeCommand | None = None, by: Principal | None = None) -> Outcome:
    outcome = await give_notice(
        onboarding.provider.context, by or onboarding.lead, sent(), command or notice(onboarding)
    )
    if not outcome.errors:
        onboarding.version = outcome.version or 0
    return outcome


async def withdrawn(onboarding: Onboarding) -> Outcome:
    command = WithdrawCommand(onboarding.cycle, onboarding.version, "They stay.")
    outcome = await withdraw_notice(onboarding.provider.context, onboarding.lead, sent(), command)
    if not outcome.errors:
        onboarding.version = outcome.version or 0
    return outcome


def named(portrait: Portrait, *names: str) -> list[Effect]:
    return [effect for effect in portrait.effects if effect.name in names]


async def test_notice_stops_surveys_of_recommendation_and_counts_down_to_the_end(served: Onboarding) -> None:
    before = await seen(served)
    assert {e.state for e in named(before, "QUARTERLY_NPS")} == {EffectState.PLANNED}
    done(await given(served))
    after = await seen(served)
    assert after.cycle.stage is Stage.STEADY_STATE
    assert {(e.state, e.reason) for e in named(after, "QUARTERLY_NPS")} == {(EffectState.CANCELLED, "GIVE_NOTICE")}
    timers = named(after, "NOTICE_30", "NOTICE_7", "SERVICE_END")
    assert [e.name for e in timers] == ["NOTICE_30", "NOTICE_7", "SERVICE_END"]
    assert {e.state for e in timers} == {EffectState.PLANNED}
    (saving,) = (f for f in after.follow_ups if f.kind is FollowUpKind.SAVE_CLIENT)
    assert (saving.owner_id, saving.closed_at) == (served.lead.id, None)


async def test_who_graduates_in_notice_is_asked_after_all_once_the_notice_is_withdrawn(provider: Provider) -> None:
    onboarding = await opened(provider)
    for _ in range(2):
        await onboarding.forward()
    done(await given(onboarding, notice(onboarding, days=200)))
    provider.clock.forward(days=95)
    await onboarding.forward()
    kept = named(await seen(onboarding), "QUARTERLY_NPS")
    assert [(e.state, e.reason) for e in kept] == [(EffectState.SKIPPED, "IN_NOTICE")]
    done(await withdrawn(onboarding))
    (asked,) = named(await seen(onboarding), "QUARTERLY_NPS")
    assert (asked.state, asked.due_at, bool(asked.recipient)) == (EffectState.PLANNED, kept[0].due_at, True)


async def test_a_notice_can_be_withdrawn_after_a_roll_back(provider: Provider) -> None:
    onboarding = await opened(provider)
    for _ in range(2):
        await onboarding.forward()
    done(await given(onboarding))
    done(await onboarding.move(Move.ROLL_BACK, to=Stage.ASSET_DISCOVERY, reason="wrong scope"))
    done(await withdrawn(onboarding))
    after = await seen(onboarding)
    assert (after.cycle.stage, after.cycle.notice_id) == (Stage.ASSET_DISCOVERY, None)
    timers = named(after, "NOTICE_30", "NOTICE_7", "SERVICE_END")
    assert {(e.state, e.reason) for e in timers} == {(EffectState.CANCELLED, "WITHDRAW_NOTICE")}
    assert codes(await withdrawn(onboarding)) == ["MOVE_NOT_POSSIBLE"]


async def test_no_survey_of_a_stay_that_was_set_aside_comes_back(provider: Provider) -> None:
    onboarding = await opened(provider)
    for _ in range(2):
        await onboarding.forward()
    done(await given(onboarding, notice(onboarding, days=200)))
    provider.clock.forward(days=95)
    await onboarding.forward()
    done(await onboarding.move(Move.ROLL_BACK, by=provider.admin, to=Stage.EARLY_SUPPORT, reason="too early"))
    done(await withdrawn(onboarding))
    (kept,) = named(await seen(onboarding), "QUARTERLY_NPS")
    assert (kept.state, kept.reason) == (EffectState.SKIPPED, "IN_NOTICE")


async def test_a_withdrawn_notice_leaves_the_client_as_it_was(served: Onboarding) -> None:
    before = await seen(served)
    done(await given(served))
    served.provider.clock.forward(days=3)
    done(await withdrawn(served))
    after = await seen(served)
    assert after.cycle.notice_id is None
    assert named(after, "QUARTERLY_NPS") == named(before, "QUARTERLY_NPS")
    assert {e.state for e in named(after, "NOTICE_30", "NOTICE_7", "SERVICE_END")} == {EffectState.CANCELLED}
    assert all(f.closed_at for f in after.follow_ups if f.kind is FollowUpKind.SAVE_CLIENT)
    done(await given(served))
    assert len((await seen(served)).notices) == 2


async def test_no_survey_comes_back_for_a_moment_gone_by(served: Onboarding) -> None:
    done(await given(served, notice(served, days=300)))
    served.provider.clock.forward(days=120)
    await fire_due(served.provider.context)
    done(await withdrawn(served))
    assert {(e.state, e.reason) for e in named(await seen(served), "QUARTERLY_NPS")} == {(EffectState.SKIPPED, "PAST")}


async def test_a_dry_run_tells_what_a_notice_then_does(served: Onboarding) -> None:
    before = await seen(served)
    foreseen = untold((await given(served, replace(notice(served), dry_run=True))).facts)
    assert await seen(served) == before
    served.version = before.cycle.version
    outcome = await given(served)
    told = untold(outcome.facts)
    assert [replace(c, subject=None) for c in told] == [replace(c, subject=None) for c in foreseen]
    assert {c.kind for c in told} == {
        ConsequenceKind.NOTICE,
        ConsequenceKind.TIMER,
        ConsequenceKind.SURVEY,
        ConsequenceKind.FOLLOW_UP,
    }


async def test_the_timers_of_a_notice_follow_the_client_to_the_next_stage(provider: Provider) -> None:
    onboarding = await opened(provider)
    for _ in range(2):
        await onboarding.forward()
    done(await given(onboarding, notice(onboarding, days=200)))
    provider.clock.forward(days=95)
    await onboarding.forward()
    after = await seen(onboarding)
    assert {e.state for e in named(after, "NOTICE_30", "NOTICE_7", "SERVICE_END")} == {EffectState.PLANNED}
    assert {(e.state, e.reason) for e in named(after, "QUARTERLY_NPS")} == {(EffectState.SKIPPED, "IN_NOTICE")}


async def test_service_ends_by_the_notice_when_the_contract_names_no_end(served: Onboarding) -> None:
    done(await given(served, notice(served, days=30)))
    move = served.move
    over = {"reason": "over", "outcome": EndReason.PRICE, "by": served.provider.admin}
    early = await move(Move.OFF_BOARD, **over)  # type: ignore[arg-type]
    assert "SERVICE_END_REACHED" in [b.gate for b in early.errors[0].blockers]  # type: ignore[attr-defined]
    served.provider.clock.forward(days=31)
    late = await move(Move.OFF_BOARD, **over)  # type: ignore[arg-type]
    assert "SERVICE_END_REACHED" not in [b.gate for b in late.errors[0].blockers]  # type: ignore[attr-defined]


async def test_an_account_manager_of_the_team_gives_notice_and_a_stranger_does_not(provider: Provider) -> None:
    served = await opened(provider)
    for _ in range(2):
        await served.forward()
    stranger = await provider.invited(Role.ACCOUNT_MANAGER)
    assert codes(await given(served, by=stranger)) == ["NOT_ALLOWED"]
    assert codes(await given(served, by=provider.admin)) == []


async def test_a_notice_that_cannot_be_is_refused_by_name(served: Onboarding) -> None:
    today = served.provider.clock().date()
    wrong = {
        "endsOn": replace(notice(served), ends_on=today - timedelta(days=1)),
        "givenOn": replace(notice(served), given_on=today + timedelta(days=1)),
        "outcome": replace(notice(served), outcome=EndReason.DUPLICATE),
        "reason": replace(notice(served), reason=" "),
    }
    for path, command in wrong.items():
        outcome = await given(served, command)
        assert [(e.code.value, e.path) for e in outcome.errors] == [("INVALID", (path,))]


async def test_before_service_there_is_no_notice(provider: Provider) -> None:
    outcome = await given(await opened(provider))
    assert codes(outcome) == ["MOVE_NOT_POSSIBLE"]
    assert "lose it instead" in outcome.errors[0].message
