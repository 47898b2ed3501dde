"""Waivers, attestations and their follow-ups: who may, when no more, and what is kept of it."""

import pytest

from db import cycles, timeline, waivers
from domain.onboarding import Gate, HoldReason, Move, Stage, Transition
from domain.texts import REASON_LIMIT
from domain.timeline import TimelineEntry, TimelineKind
from domain.waivers import FollowUp
from tests.support.onboarding import Everything, Onboarding, opened
from tests.support.providers import Provider, codes, done, sent
from workflows.waivers import CloseCommand, WaiverDecision, close_follow_up, withdraw_waiver


@pytest.fixture
async def onboarding(provider: Provider) -> Onboarding:
    return await opened(provider)


async def trail(onboarding: Onboarding) -> list[Transition]:
    async with onboarding.provider.context.database.reading(onboarding.provider.admin) as tx:
        return (await cycles.histories(tx, [onboarding.cycle], Everything()))[onboarding.cycle]


async def follow_ups(onboarding: Onboarding) -> list[FollowUp]:
    async with onboarding.provider.context.database.reading(onboarding.provider.admin) as tx:
        return await waivers.follow_ups(tx, {}, Everything())


async def entries(onboarding: Onboarding) -> list[TimelineEntry]:
    async with onboarding.provider.context.database.reading(onboarding.provider.admin) as tx:
        return (await timeline.timelines(tx, [onboarding.cycle], Everything()))[onboarding.cycle]


async def test_of_a_reason_that_is_too_long_the_trail_keeps_as_much_as_of_any_other(onboarding: Onboarding) -> None:
    outcome = await onboarding.move(Move.ROLL_BACK, to=Stage.CONTRACTING, reason="x" * 900_000)
    assert outcome.errors
    outcome = await onboarding.move(Move.HOLD, hold_reason=HoldReason.CLIENT, reason="y" * (REASON_LIMIT + 1))
    assert codes(outcome) == ["INVALID"]
    assert [len(step.reason or "") for step in await trail(onboarding)] == [0, REASON_LIMIT, REASON_LIMIT]


async def test_a_follow_up_is_closed_with_a_note_no_longer_than_a_reason(onboarding: Onboarding) -> None:
    await onboarding.waive(Move.BEGIN_DISCOVERY, Gate.COVERAGE_HOURS)
    (found,) = await follow_ups(onboarding)
    context, lead = onboarding.provider.context, onboarding.lead
    wordy = CloseCommand(found.id, found.version, "n" * (REASON_LIMIT + 1))
    outcome = await close_follow_up(context, lead, sent(), wordy)
    assert (codes(outcome), outcome.errors[0].path) == (["INVALID"], ("note",))
    done(await close_follow_up(context, lead, sent(), CloseCommand(found.id, found.version, "n" * REASON_LIMIT)))


async def test_who_withdrew_a_waiver_is_kept_and_told(provider: Provider, onboarding: Onboarding) -> None:
    waiver = await onboarding.waive(Move.BEGIN_DISCOVERY, Gate.COVERAGE_HOURS)
    done(await withdraw_waiver(provider.context, provider.admin, sent(), WaiverDecision(waiver)))
    async with provider.context.database.reading(provider.admin) as tx:
        found = await waivers.WAIVERS.get(tx, waiver)
    assert found is not None
    assert (found.withdrawn_by, found.withdrawn_at) == (provider.admin.id, provider.clock())
    (told,) = [entry for entry in await entries(onboarding) if entry.kind is TimelineKind.WAIVER_WITHDRAWN]
    assert (told.key, told.actor_id) == ("COVERAGE_HOURS", provider.admin.id)
