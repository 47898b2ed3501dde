"""Waivers, attestations and their follow-ups: who may, when no more, and what is kept of it."""

from uuid import UUID

import pytest

from db import follow_ups as stored_follow_ups
from db import histories, timeline, waivers
from domain.access import Principal, Role
from domain.errors import Outcome
from domain.follow_ups import FollowUp
from domain.moves import Gate, Move
from domain.onboarding import EndReason, HoldReason, Transition
from domain.stages import Stage
from domain.texts import REASON_LIMIT
from domain.timeline import TimelineEntry, TimelineKind
from domain.tokens import TokenKind
from tests.support.onboarding import Everything, Onboarding, opened
from tests.support.providers import Provider, codes, done, sent, shown
from workflows import tokens
from workflows.follow_ups import CloseCommand, close_follow_up
from workflows.tokens import CreateToken, RotateToken
from workflows.waivers import (
    AttestCommand,
    WaiverCommand,
    WaiverDecision,
    attest,
    grant_waiver,
    request_waiver,
    withdraw_waiver,
)


@pytest.fixture
async def onboarding(provider: Provider) -> Onboarding:
    return await opened(provider)


async def trail(onboarding: Onboarding) -> list[Transition]:
    async with onboarding.provider.context.database.reading(onboarding.provider.admin) as tx:
        return (await histories.histories(tx, [onboarding.cycle], Everything()))[onboarding.cycle]


async def follow_ups(onboarding: Onboarding) -> list[FollowUp]:
    async with onboarding.provider.context.database.reading(onboarding.provider.admin) as tx:
        return await stored_follow_ups.listed(tx, {}, Everything())


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


SIGNED = Gate.CONTRACT_SIGNED


async def asked(onboarding: Onboarding, gate: Gate = SIGNED, by: Principal | None = None) -> Outcome:
    """Ask to begin discovery past a gate; that of the signature is hard."""
    command = WaiverCommand(onboarding.cycle, Move.BEGIN_DISCOVERY, gate, "agreed with the client")
    return await request_waiver(onboarding.provider.context, by or onboarding.lead, sent(), command)


async def granted(onboarding: Onboarding, waiver: UUID, by: Principal | None = None) -> Outcome:
    provider = onboarding.provider
    return await grant_waiver(provider.context, by or provider.admin, sent(), WaiverDecision(waiver))


async def test_a_waiver_of_a_stay_that_is_over_is_not_granted(onboarding: Onboarding) -> None:
    waiver = done(await asked(onboarding))
    await onboarding.forward()
    outcome = await granted(onboarding, waiver)
    assert codes(outcome) == ["CONFLICT"]
    assert "left the stay" in outcome.errors[0].message
    done(await onboarding.move(Move.ROLL_BACK, to=Stage.CONTRACTING, reason="once more"))
    assert codes(await granted(onboarding, waiver)) == ["CONFLICT"]
    assert await follow_up_of(onboarding, waiver) is None


async def test_a_waiver_of_an_onboarding_that_ended_is_not_granted(onboarding: Onboarding) -> None:
    waiver = done(await asked(onboarding))
    done(await onboarding.move(Move.LOSE, reason="too dear", outcome=EndReason.PRICE))
    outcome = await granted(onboarding, waiver)
    assert codes(outcome) == ["CONFLICT"]
    assert "ended as LOST" in outcome.errors[0].message


async def test_withdrawing_a_waiver_closes_its_follow_up(provider: Provider, onboarding: Onboarding) -> None:
    waiver = await onboarding.waive(Move.BEGIN_DISCOVERY, SIGNED)
    opened_ = await follow_up_of(onboarding, waiver)
    assert opened_ is not None
    assert opened_.closed_at is None
    done(await withdraw_waiver(provider.context, provider.admin, sent(), WaiverDecision(waiver)))
    closed = await follow_up_of(onboarding, waiver)
    assert closed is not None
    assert (closed.closed_at, closed.closed_by) == (provider.clock(), provider.admin.id)
    assert (closed.note, closed.version) == ("The waiver was withdrawn.", opened_.version + 1)


async def test_the_follow_up_of_a_waiver_that_was_used_stays_open_until_somebody_closes_it(
    provider: Provider, onboarding: Onboarding
) -> None:
    waiver = await onboarding.waive(Move.BEGIN_DISCOVERY, SIGNED)
    blocked = await onboarding.move(Move.BEGIN_DISCOVERY)
    for blocker in blocked.errors[0].blockers:  # type: ignore[attr-defined]
        await onboarding.waive(Move.BEGIN_DISCOVERY, Gate(blocker.gate))
    done(await onboarding.move(Move.BEGIN_DISCOVERY))
    assert codes(await withdraw_waiver(provider.context, provider.admin, sent(), WaiverDecision(waiver))) == [
        "CONFLICT"
    ]
    found = await follow_up_of(onboarding, waiver)
    assert found is not None
    assert found.closed_at is None
    done(await close_follow_up(provider.context, onboarding.lead, sent(), CloseCommand(found.id, found.version, "ok")))


async def test_a_gate_that_lets_the_move_pass_is_not_waived(onboarding: Onboarding) -> None:
    outcome = await asked(onboarding, Gate.PRIMARY_CONTACT)
    assert (codes(outcome), outcome.errors[0].path) == (["INVALID"], ("gate",))
    assert "There is a primary contact." in outcome.errors[0].message
    await onboarding.attest(Gate.THRESHOLD_SET)
    outcome = await asked(onboarding, Gate.THRESHOLD_SET)
    assert codes(outcome) == ["INVALID"]
    assert "is attested" in outcome.errors[0].message


async def test_who_asked_cannot_grant_by_a_token_made_for_somebody_else(
    provider: Provider, onboarding: Onboarding
) -> None:
    waiver = done(await asked(onboarding, by=provider.admin))
    puppet = await provider.invited(Role.SERVICE_MANAGER)
    assert puppet.issued_by == provider.admin.id
    outcome = await granted(onboarding, waiver, by=puppet)
    assert codes(outcome) == ["SECOND_PERSON_REQUIRED"]
    assert "made by whoever asked" in outcome.errors[0].message
    another = shown(await tokens.create(provider.context, puppet, sent(), CreateToken(TokenKind.PERSONAL, "other")))
    outcome = await granted(onboarding, waiver, by=await provider.signed_in(another))
    assert codes(outcome) == ["SECOND_PERSON_REQUIRED"]
    assert puppet.token_id is not None
    rotated = shown(await tokens.rotate(provider.context, puppet, sent(), RotateToken(puppet.token_id)))
    done(await granted(onboarding, waiver, by=await provider.signed_in(rotated)))
    async with provider.context.database.reading(provider.admin) as tx:
        found = await waivers.WAIVERS.get(tx, waiver)
    assert found is not None
    assert found.four_eyes


async def test_what_was_refused_for_rights_or_state_is_told_with_its_gate_and_why(
    provider: Provider, onboarding: Onboarding
) -> None:
    stranger = await provider.invited(Role.ONBOARDING_LEAD)
    assert codes(await asked(onboarding, by=stranger)) == ["NOT_ALLOWED"]
    word = AttestCommand(onboarding.cycle, Gate.THRESHOLD_SET, "seen", provider.clock().date())
    assert codes(await attest(provider.context, stranger, sent(), word)) == ["NOT_ALLOWED"]
    waiver = done(await asked(onboarding, by=provider.admin))
    assert codes(await granted(onboarding, waiver)) == ["SECOND_PERSON_REQUIRED"]
    assert codes(await asked(onboarding)) == ["ALREADY_EXISTS"]
    assert codes(await asked(onboarding, Gate.DAY_90_REACHED)) == ["INVALID"]
    kinds = (TimelineKind.WAIVER_REFUSED, TimelineKind.ATTESTATION_REFUSED)
    told = [(e.kind, e.key, e.detail, e.actor_id) for e in await entries(onboarding) if e.kind in kinds]
    assert sorted(told) == sorted(
        [
            ("WAIVER_REFUSED", "CONTRACT_SIGNED", "NOT_ALLOWED", stranger.id),
            ("ATTESTATION_REFUSED", "THRESHOLD_SET", "NOT_ALLOWED", stranger.id),
            ("WAIVER_REFUSED", "CONTRACT_SIGNED", "SECOND_PERSON_REQUIRED", provider.admin.id),
            ("WAIVER_REFUSED", "CONTRACT_SIGNED", "ALREADY_EXISTS", onboarding.lead.id),
        ]
    )


async def follow_up_of(onboarding: Onboarding, waiver: UUID) -> FollowUp | None:
    return next((one for one in await follow_ups(onboarding) if one.subject_id == waiver), None)
