"""Migrations: an onboarding under way goes on by another version, its clock set anew."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from db import definitions
from db.session import Database
from domain.access import Role
from domain.bulk import BulkPolicy
from domain.consequences import ConsequenceKind, untold
from domain.effects import EffectState
from domain.errors import ForbiddenError
from domain.moves import Gate, Move
from domain.onboarding import EndReason, HoldReason
from domain.stages import Stage
from tests.support.migrations import (
    ITEMS,
    complete,
    item,
    items,
    migrated,
    planned,
    results,
    sent_on,
    trail,
    version,
)
from tests.support.onboarding import Onboarding, opened
from tests.support.providers import Provider, codes, done, new_provider, sent
from workflows.effects import fire_due
from workflows.migrations import REMAINING, KeyMapping, MigrateCycles, migrate
from workflows.waivers import WaiverCommand, request_waiver


@pytest.fixture
async def onboarding(provider: Provider) -> Onboarding:
    """Return an onboarding in contracting under version 2, with three items to be done."""
    await version(provider, checklists=ITEMS)
    return await opened(provider)


async def test_a_migration_pins_the_version_stays_in_the_stage_and_is_kept_in_the_trail(
    provider: Provider, onboarding: Onboarding
) -> None:
    before = await onboarding.seen()
    number = await version(provider, targets={"CONTRACTING": 3})
    changes = await migrated(onboarding, number)
    after = await onboarding.seen()
    async with provider.context.database.reading(provider.admin) as tx:
        pinned = (await definitions.by_ids(tx, [after.definition_id]))[after.definition_id]
    assert (pinned.number, after.stage, after.visit_id) == (number, before.stage, before.visit_id)
    assert after.version == before.version + 1
    assert after.target_at is not None
    assert before.target_at is not None
    assert after.target_at < before.target_at
    step = (await trail(onboarding))[-1]
    assert (step.move, step.accepted, step.reason) == (Move.MIGRATE, True, "we learnt")
    assert (step.from_stage, step.to_stage) == (Stage.CONTRACTING, Stage.CONTRACTING)
    assert (step.definition_number, step.actor_id, step.event_id is not None) == (number, provider.admin.id, True)
    told = {change.kind: (change.before, change.after) for change in changes}
    assert told[ConsequenceKind.DEFINITION] == ("2", str(number))
    assert set(told) == {ConsequenceKind.DEFINITION, ConsequenceKind.TARGET, ConsequenceKind.TIMER}
    assert (await planned(onboarding))["TARGET"].due_at == after.target_at


async def test_the_next_move_is_judged_by_the_new_version(provider: Provider, onboarding: Onboarding) -> None:
    number = await version(provider, gates={"COVERAGE_HOURS": "OFF"}, triggers=[])
    await migrated(onboarding, number)
    outcome = await onboarding.move(Move.BEGIN_DISCOVERY)
    assert "COVERAGE_HOURS" not in {b.gate for b in outcome.errors[0].blockers}  # type: ignore[attr-defined]
    await onboarding.forward()
    assert "scan" in await items(onboarding)
    assert [key for key in await planned(onboarding) if key != "TARGET"] == []


async def test_a_dry_run_tells_what_the_migration_then_does_and_does_nothing(
    provider: Provider, onboarding: Onboarding
) -> None:
    await complete(onboarding, "a")
    number = await version(
        provider, targets={"CONTRACTING": 3}, checklists={"CONTRACTING": [item("a2"), item("b", title="B"), item("d")]}
    )
    before, lists, steps = await onboarding.seen(), await items(onboarding), await trail(onboarding)
    outcome = await sent_on(onboarding, number, mapping={"a": "a2"}, dry_run=True)
    assert (outcome.errors, outcome.event) == ((), None)
    (foreseen,) = results(outcome)
    assert (await onboarding.seen(), await items(onboarding), await trail(onboarding)) == (before, lists, steps)
    done_ = await migrated(onboarding, number, mapping={"a": "a2"})
    kinds = [(c.kind, c.name, c.before, c.after) for c in untold(foreseen)]
    assert kinds == [(c.kind, c.name, c.before, c.after) for c in done_]
    assert (ConsequenceKind.CHECKLIST_ITEM, "a.key", "a", "a2") in kinds
    assert (ConsequenceKind.CHECKLIST_ITEM, "d", None, "OPEN") in kinds
    assert (ConsequenceKind.CHECKLIST_ITEM, "c", "OPEN", None) in kinds
    assert (ConsequenceKind.CHECKLIST_ITEM, "b.title", "Do b", "B") in kinds


@pytest.fixture
async def supported(provider: Provider) -> Onboarding:
    """Return an onboarding in early support since today, under the first version's day 30, 60 and 90."""
    found = await opened(provider)
    await found.forward()
    await found.forward()
    assert (await found.seen()).stage is Stage.EARLY_SUPPORT
    return found


async def days(onboarding: Onboarding) -> dict[str, EffectState]:
    return {key: e.state for key, e in (await planned(onboarding)).items() if key.startswith("DAY_")}


async def test_timers_follow_the_new_version_and_what_has_fired_never_fires_again(
    provider: Provider, supported: Onboarding
) -> None:
    provider.clock.forward(days=31)
    await fire_due(provider.context)
    assert (await days(supported))["DAY_30"] is EffectState.DONE
    number = await version(provider, timerDays=[10, 30, 45, 90], earlySupportDays=100)
    before = await planned(supported)
    changes = await migrated(supported, number)
    assert await days(supported) == {
        "DAY_10": EffectState.SKIPPED,
        "DAY_30": EffectState.DONE,
        "DAY_45": EffectState.PLANNED,
        "DAY_60": EffectState.CANCELLED,
        "DAY_90": EffectState.PLANNED,
    }
    after = await planned(supported)
    assert after["DAY_30"].settled_at == before["DAY_30"].settled_at
    assert after["DAY_90"].due_at == before["DAY_90"].due_at
    target = (await supported.seen()).target_at
    assert target is not None
    assert target - timedelta(days=11) <= after["DAY_90"].due_at < target - timedelta(days=9)
    timers = {c.name for c in changes if c.kind is ConsequenceKind.TIMER}
    assert timers == {"DAY_10", "DAY_45", "DAY_60"}
    await migrated(supported, 1)
    assert (await days(supported))["DAY_60"] is EffectState.PLANNED
    assert (await days(supported))["DAY_45"] is EffectState.CANCELLED
    assert (await days(supported))["DAY_30"] is EffectState.DONE


async def test_holds_count_towards_the_new_target_as_towards_the_old(
    provider: Provider, onboarding: Onboarding
) -> None:
    done(await onboarding.move(Move.HOLD, hold_reason=HoldReason.CLIENT))
    provider.clock.forward(days=7)
    done(await onboarding.move(Move.RESUME))
    shifted = (await onboarding.seen()).target_at
    number = await version(provider, timerDays=[45])
    await migrated(onboarding, number)
    assert (await onboarding.seen()).target_at == shifted


async def test_an_onboarding_on_hold_is_migrated_and_resumes_by_the_new_version(
    provider: Provider, onboarding: Onboarding
) -> None:
    done(await onboarding.move(Move.HOLD, hold_reason=HoldReason.CLIENT))
    number = await version(provider, targets={"CONTRACTING": 30})
    await migrated(onboarding, number)
    assert (await onboarding.seen()).held_at is not None
    before = (await onboarding.seen()).target_at
    provider.clock.forward(days=7)
    done(await onboarding.move(Move.RESUME))
    after = (await onboarding.seen()).target_at
    assert before is not None
    assert after is not None
    assert after - before == timedelta(days=7)


async def test_a_waiver_of_a_gate_that_the_new_version_hardens_opens_it_no_more(
    provider: Provider, onboarding: Onboarding
) -> None:
    asked = WaiverCommand(onboarding.cycle, Move.BEGIN_DISCOVERY, Gate.COVERAGE_HOURS, "agreed")
    done(await request_waiver(provider.context, onboarding.lead, sent(), asked))
    number = await version(provider, gates={"COVERAGE_HOURS": "HARD"})
    await migrated(onboarding, number)
    outcome = await onboarding.move(Move.BEGIN_DISCOVERY)
    shut = {b.gate: b.hardness for b in outcome.errors[0].blockers}  # type: ignore[attr-defined]
    assert shut["COVERAGE_HOURS"] == "HARD"


async def test_each_that_cannot_go_on_is_named_and_then_none_does(provider: Provider, onboarding: Onboarding) -> None:
    ended, other = await opened(provider), await opened(provider)
    done(await ended.move(Move.LOSE, reason="too dear", outcome=EndReason.PRICE))
    number = await version(provider, timerDays=[45])
    nobodys = UUID(int=7)
    named = (onboarding.cycle, ended.cycle, nobodys, other.cycle)
    outcome = await sent_on(onboarding, number, cycles=named)
    assert sorted(codes(outcome)) == ["MOVE_NOT_POSSIBLE", "NOT_FOUND"]
    assert [one["status"] for one in results(outcome)] == ["LEFT_OUT", "FAILED", "FAILED", "LEFT_OUT"]
    assert results(outcome)[2]["errors"][0]["path"] == ["onboardingIds", "2"]
    assert (await trail(onboarding))[-1].move is Move.OPEN
    outcome = await sent_on(onboarding, number, cycles=named, policy=BulkPolicy.REJECT_FAILED)
    assert outcome.errors == ()
    assert [one["status"] for one in results(outcome)] == ["UPDATED", "FAILED", "FAILED", "UPDATED"]
    assert (await trail(other))[-1].move is Move.MIGRATE
    again = await sent_on(onboarding, number, cycles=(onboarding.cycle, other.cycle))
    assert [one["status"] for one in results(again)] == ["UNCHANGED", "UNCHANGED"]


async def test_all_that_keep_to_a_version_go_on_and_one_that_does_not_is_stale(
    provider: Provider, onboarding: Onboarding
) -> None:
    other = await opened(provider)
    number = await version(provider, timerDays=[45])
    late = await opened(provider)
    refused = await sent_on(onboarding, number, cycles=(onboarding.cycle, late.cycle), from_number=2)
    assert codes(refused) == ["STALE_VERSION"]
    assert refused.errors[0].path == ("fromNumber",)
    outcome = await sent_on(onboarding, number, cycles=None, from_number=2)
    assert outcome.errors == ()
    assert outcome.facts[REMAINING] == 0
    assert [one["status"] for one in results(outcome)] == ["UPDATED", "UPDATED"]
    for one in (onboarding, other):
        assert (await one.seen()).definition_id == outcome.subject


async def test_more_than_one_command_takes_are_left_for_the_next(
    provider: Provider, onboarding: Onboarding, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workflows.migrations.CYCLES_MOST", 1)
    await opened(provider)
    number = await version(provider, timerDays=[45])
    first = await sent_on(onboarding, number, cycles=None, from_number=2)
    assert (len(results(first)), first.facts[REMAINING]) == (1, 1)
    second = await sent_on(onboarding, number, cycles=None, from_number=2)
    assert (len(results(second)), second.facts[REMAINING]) == (1, 0)


async def test_a_command_that_says_too_little_or_the_wrong_thing_is_refused(
    provider: Provider, onboarding: Onboarding
) -> None:
    number = await version(provider, checklists={"CONTRACTING": [item("z")]})
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"cycles": None}, "onboardingIds"),
        ({"cycles": ()}, "onboardingIds"),
        ({"cycles": (onboarding.cycle, onboarding.cycle)}, "onboardingIds"),
        ({"cycles": tuple(UUID(int=n) for n in range(201))}, "onboardingIds"),
        ({"from_number": 99}, "fromNumber"),
        ({"mapping": (KeyMapping("a", "z"), KeyMapping("a", None))}, "mapping.1.from"),
        ({"mapping": (KeyMapping("q", "z"),)}, "mapping.0.from"),
        ({"mapping": (KeyMapping("a", "y"),)}, "mapping.0.to"),
    ]
    for given, path in wrong:
        command = MigrateCycles(number, "we learnt", **{"cycles": (onboarding.cycle,), **given})
        outcome = await migrate(provider.context, provider.admin, sent(), command)
        assert [".".join(error.path) for error in outcome.errors] == [path], given
    for reason in (" ", "x" * 2001):
        command = MigrateCycles(number, reason, (onboarding.cycle,))
        outcome = await migrate(provider.context, provider.admin, sent(), command)
        assert [error.path for error in outcome.errors] == [("reason",)]
    assert codes(await sent_on(onboarding, 99)) == ["NOT_FOUND"]


async def test_only_who_writes_policies_migrates_and_only_what_they_see(
    provider: Provider, other_provider: Provider, onboarding: Onboarding
) -> None:
    lead = await provider.invited(Role.ONBOARDING_LEAD)
    with pytest.raises(ForbiddenError):
        await sent_on(onboarding, 1, by=lead)
    command = MigrateCycles(1, "mine now", (onboarding.cycle,))
    outcome = await migrate(other_provider.context, other_provider.admin, sent(), command)
    assert codes(outcome) == ["NOT_FOUND"]


async def test_many_go_on_in_one_command(database: Database) -> None:
    provider = await new_provider(database)
    await version(provider, checklists=ITEMS)
    lead = await provider.invited(Role.ONBOARDING_LEAD)
    every = [await opened(provider, lead=lead) for _ in range(12)]
    number = await version(provider, checklists={"CONTRACTING": [item("a2"), item("b")]})
    outcome = await sent_on(every[0], number, cycles=None, from_number=2, mapping={"a": "a2"})
    assert [one["status"] for one in results(outcome)] == ["UPDATED"] * len(every)
    for onboarding in every:
        assert set(await items(onboarding)) == {"a2", "b"}


async def test_a_migration_sent_again_is_done_once_and_answers_the_same(
    provider: Provider, onboarding: Onboarding
) -> None:
    number = await version(provider, targets={"CONTRACTING": 3})
    command = MigrateCycles(number, "we learnt", (onboarding.cycle,))
    first = await migrate(provider.context, provider.admin, sent("once"), command)
    again = await migrate(provider.context, provider.admin, sent("once"), command)
    assert first.errors == again.errors == ()
    assert (again.event, results(again)) == (first.event, results(first))
    assert [step.move for step in await trail(onboarding)].count(Move.MIGRATE) == 1


async def test_a_move_at_the_same_time_comes_before_it_or_is_stale(provider: Provider, onboarding: Onboarding) -> None:
    number = await version(provider, timerDays=[45])
    sent_off, held = await asyncio.gather(
        sent_on(onboarding, number), onboarding.move(Move.HOLD, hold_reason=HoldReason.CLIENT)
    )
    assert sent_off.errors == ()
    steps = [step.move for step in await trail(onboarding) if step.accepted]
    assert steps in ([Move.OPEN, Move.HOLD, Move.MIGRATE], [Move.OPEN, Move.MIGRATE])
    assert codes(held) == ([] if Move.HOLD in steps else ["STALE_VERSION"])
