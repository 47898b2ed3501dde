"""Batches of onboardings: each by the rules of one, all or none or those that can, told beforehand and afterwards."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from db import checklists, effects
from domain.access import Principal, Role
from domain.bulk import BulkPolicy
from domain.definitions import Owner
from domain.effects import EffectKind, EffectState
from domain.errors import Outcome
from domain.moves import Move
from domain.onboarding import HoldReason
from domain.plans import Wish
from domain.stages import Stage
from tests.support.onboarding import Onboarding, opened
from tests.support.providers import Provider, codes, done, sent
from workflows import cycle_batches, members
from workflows.cycle_batches import CyclePlan, HoldCycles, PlanCycles, ResumeCycles
from workflows.members import DeactivateMember, UpdateMember
from workflows.reassigning import Reassign, reassign


async def led(provider: Provider, count: int = 3) -> tuple[Principal, list[Onboarding]]:
    lead = await provider.invited(Role.ONBOARDING_LEAD)
    return lead, [await opened(provider, lead=lead) for _ in range(count)]


def statuses(outcome: Outcome) -> list[str]:
    results: Any = outcome.facts["results"]
    return [result["status"] for result in results]


async def hold(onboardings: list[Onboarding], by: Principal, **further: object) -> Outcome:
    ids = tuple(one.cycle for one in onboardings)
    command = HoldCycles(ids, HoldReason.VENDOR, note="the vendor is late", **further)  # type: ignore[arg-type]
    return await cycle_batches.hold(onboardings[0].provider.context, by, sent(), command)


async def test_a_bulk_hold_holds_all_and_a_bulk_resume_ends_it(provider: Provider) -> None:
    lead, onboardings = await led(provider)
    foreseen = await hold(onboardings, lead, dry_run=True)
    assert statuses(foreseen) == ["UPDATED"] * 3
    assert [(await one.seen()).held_at for one in onboardings] == [None] * 3

    made = await hold(onboardings, lead)
    assert statuses(made) == ["UPDATED"] * 3
    kinds = [[change["kind"] for change in result["changes"]] for result in made.facts["results"]]  # type: ignore[attr-defined]
    assert kinds == [["HOLD", "TIMER"]] * 3
    assert all([(await one.seen()).held_at for one in onboardings])

    back = ResumeCycles(tuple(one.cycle for one in onboardings))
    assert statuses(await cycle_batches.resume(provider.context, lead, sent(), back)) == ["UPDATED"] * 3


async def test_one_refusal_takes_all_back_and_stays_in_the_trail(provider: Provider) -> None:
    lead, onboardings = await led(provider)
    done(await onboardings[1].move(Move.HOLD, hold_reason=HoldReason.CLIENT))
    outcome = await hold(onboardings, lead)
    assert codes(outcome) == ["MOVE_NOT_POSSIBLE"]
    assert outcome.errors[0].path == ("onboardingIds", "1")
    assert statuses(outcome) == ["LEFT_OUT", "FAILED", "LEFT_OUT"]
    assert [(await one.seen()).held_at is not None for one in onboardings] == [False, True, False]
    async with provider.context.database.reading(provider.admin) as tx:
        rows = await tx._connection.fetch("select cycle_id from transition where move = 'HOLD' and not accepted")
    assert [row["cycle_id"] for row in rows] == [onboardings[1].cycle]


async def test_those_that_can_are_held_when_only_the_failed_are_rejected(provider: Provider) -> None:
    lead, onboardings = await led(provider)
    stranger = await opened(provider)
    outcome = await hold([onboardings[0], stranger, onboardings[2]], lead, policy=BulkPolicy.REJECT_FAILED)
    assert outcome.errors == ()
    assert statuses(outcome) == ["UPDATED", "FAILED", "UPDATED"]
    assert outcome.facts["results"][1]["errors"][0]["code"] == "NOT_ALLOWED"  # type: ignore[index]


async def test_an_id_that_nobody_has_fails_alone(provider: Provider) -> None:
    lead, onboardings = await led(provider, 1)
    command = HoldCycles((uuid4(), onboardings[0].cycle), HoldReason.CLIENT, policy=BulkPolicy.REJECT_FAILED)
    outcome = await cycle_batches.hold(provider.context, lead, sent(), command)
    assert statuses(outcome) == ["FAILED", "UPDATED"]
    assert outcome.facts["results"][0]["subject"] is None  # type: ignore[index]


@pytest.mark.parametrize("ids", [(), (UUID(int=1), UUID(int=1)), tuple(UUID(int=n) for n in range(1, 202))])
async def test_a_batch_is_neither_empty_nor_too_big_and_names_each_once(
    provider: Provider, ids: tuple[UUID, ...]
) -> None:
    outcome = await cycle_batches.hold(provider.context, provider.admin, sent(), HoldCycles(ids, HoldReason.CLIENT))
    assert codes(outcome) == ["INVALID"]


async def test_planned_dates_are_set_for_many_by_the_rules_of_one(provider: Provider) -> None:
    lead, onboardings = await led(provider)
    day = provider.clock().date() + timedelta(days=10)
    items = tuple(CyclePlan(one.cycle, (Wish(Stage.ASSET_DISCOVERY, day),)) for one in onboardings)
    assert statuses(await cycle_batches.plan(provider.context, lead, sent(), PlanCycles(items))) == ["UPDATED"] * 3
    assert statuses(await cycle_batches.plan(provider.context, lead, sent(), PlanCycles(items))) == ["UNCHANGED"] * 3
    past = CyclePlan(onboardings[0].cycle, (Wish(Stage.ASSET_DISCOVERY, day - timedelta(days=50)),))
    outcome = await cycle_batches.plan(provider.context, lead, sent(), PlanCycles((past,), "earlier"))
    assert [error.path for error in outcome.errors] == [("items", "0", "dates", "0", "plannedOn")]


async def test_everything_that_is_open_goes_to_the_deputy_with_timers_and_items(provider: Provider) -> None:
    lead, onboardings = await led(provider)
    deputy = await provider.invited(Role.ONBOARDING_LEAD)
    done(await members.update(provider.context, provider.admin, sent(), UpdateMember(lead.id, deputy_id=deputy.id)))
    command = Reassign(lead.id, reason="parental leave")
    made = await reassign(provider.context, provider.admin, sent(), command)
    assert statuses(made) == ["UPDATED"] * 3
    assert made.facts["remaining"] == 0
    assert {(await one.seen()).lead_id for one in onboardings} == {deputy.id}
    ids = [one.cycle for one in onboardings]
    async with provider.context.database.reading(provider.admin) as tx:
        timers = [e for found in (await effects.of_cycles(tx, ids)).values() for e in found]
        items = [item for found in (await checklists.of_cycles(tx, ids)).values() for item in found]
        notes = await tx._connection.fetch("select text from note")
    planned = [e for e in timers if e.kind is EffectKind.TIMER and e.state is EffectState.PLANNED]
    assert {e.recipient for e in planned} == {str(deputy.id)}
    assert {item.assignee_id for item in items} == {deputy.id}
    assert [note["text"] for note in notes] == ["parental leave"] * 3


async def test_only_the_roles_named_go(provider: Provider) -> None:
    lead, onboardings = await led(provider, 1)
    other = await provider.invited(Role.ONBOARDING_LEAD)
    roles = Reassign(lead.id, other.id, (Owner.ENGINEER,))
    assert statuses(await reassign(provider.context, provider.admin, sent(), roles)) == []
    named = Reassign(lead.id, other.id, (Owner.ENGINEER,), (onboardings[0].cycle,))
    assert statuses(await reassign(provider.context, provider.admin, sent(), named)) == ["UNCHANGED"]


async def test_without_a_deputy_somebody_is_named_to_take_over(provider: Provider) -> None:
    lead, _ = await led(provider, 1)
    assert codes(await reassign(provider.context, provider.admin, sent(), Reassign(lead.id))) == ["INVALID"]
    assert codes(await reassign(provider.context, provider.admin, sent(), Reassign(lead.id, uuid4()))) == ["NOT_FOUND"]
    assert codes(await reassign(provider.context, provider.admin, sent(), Reassign(lead.id, lead.id))) == ["INVALID"]


async def test_two_who_hold_the_same_onboardings_at_once_hold_each_once(provider: Provider) -> None:
    lead, onboardings = await led(provider, 4)
    policy = BulkPolicy.REJECT_FAILED
    first, second = await asyncio.gather(
        hold(onboardings, lead, policy=policy), hold(list(reversed(onboardings)), provider.admin, policy=policy)
    )
    assert sorted(statuses(first) + statuses(second)) == ["FAILED"] * 4 + ["UPDATED"] * 4
    async with provider.context.database.reading(provider.admin) as tx:
        held = await tx._connection.fetchval("select count(*) from hold")
    assert held == 4


async def test_whoever_leads_onboardings_is_deactivated_only_when_somebody_takes_them_over(provider: Provider) -> None:
    lead, onboardings = await led(provider, 2)
    refused = await members.deactivate(provider.context, provider.admin, sent(), DeactivateMember(lead.id))
    assert codes(refused) == ["CONFLICT"]
    assert all(one.cycle.hex in refused.errors[0].message for one in onboardings)

    other = await provider.invited(Role.ONBOARDING_LEAD)
    handed = DeactivateMember(lead.id, reassign_to=other.id)
    done(await members.deactivate(provider.context, provider.admin, sent(), handed))
    assert {(await one.seen()).lead_id for one in onboardings} == {other.id}
