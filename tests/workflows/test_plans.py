"""Planned dates are set first and changed with a reason; every change is kept, and a roll-back leaves them."""

from datetime import date, timedelta
from itertools import pairwise

import pytest

from db import cycles, plans, timeline
from domain.access import Principal, Role
from domain.consequences import untold
from domain.errors import Outcome
from domain.moves import Move
from domain.onboarding import EndReason
from domain.plans import StagePlan, Wish, plan_of
from domain.stages import Stage
from domain.timeline import TimelineKind
from tests.support.onboarding import Everything, Onboarding, opened
from tests.support.providers import Provider, codes, done, sent
from workflows.plans import PlanCommand, Planner, plan, plan_in

A, E, S = Stage.ASSET_DISCOVERY, Stage.EARLY_SUPPORT, Stage.STEADY_STATE


@pytest.fixture
async def onboarding(provider: Provider) -> Onboarding:
    return await opened(provider)


def on(onboarding: Onboarding, days: int) -> date:
    return onboarding.provider.clock().date() + timedelta(days=days)


async def planned(
    onboarding: Onboarding,
    *wishes: tuple[Stage, date | None],
    reason: str | None = None,
    by: Principal | None = None,
    dry_run: bool = False,
) -> Outcome:
    command = PlanCommand(
        onboarding.cycle, onboarding.version, tuple(Wish(*wish) for wish in wishes), reason, dry_run=dry_run
    )
    outcome = await plan(onboarding.provider.context, by or onboarding.lead, sent(), command)
    if not outcome.errors and outcome.version and not dry_run:
        onboarding.version = outcome.version
    return outcome


async def plan_now(onboarding: Onboarding) -> tuple[StagePlan, ...]:
    async with onboarding.provider.context.database.reading(onboarding.provider.admin) as tx:
        return plan_of((await plans.of_cycles(tx, [onboarding.cycle])).get(onboarding.cycle, []))


async def test_a_first_date_takes_no_reason_and_a_change_does(onboarding: Onboarding) -> None:
    first, later = on(onboarding, 10), on(onboarding, 20)
    done(await planned(onboarding, (A, first), (E, later)))
    assert onboarding.version == 2
    unsaid = await planned(onboarding, (A, on(onboarding, 12)))
    assert (codes(unsaid), unsaid.errors[0].path) == (["INVALID"], ("reason",))
    assert str(first) in unsaid.errors[0].message
    onboarding.provider.clock.forward(days=1)
    done(await planned(onboarding, (A, on(onboarding, 12)), reason="The client is on leave."))
    discovery, early = await plan_now(onboarding)
    assert [(c.previous_on, c.planned_on, c.re_plan, c.reason) for c in discovery.history] == [
        (None, first, False, None),
        (first, on(onboarding, 12), True, "The client is on leave."),
    ]
    assert (discovery.set_at, discovery.re_plans) == (onboarding.provider.clock(), 1)
    assert (early.planned_on, early.re_plans) == (later, 0)


async def test_a_withdrawal_is_a_re_plan_and_setting_it_again_is_not_another(onboarding: Onboarding) -> None:
    done(await planned(onboarding, (A, on(onboarding, 10))))
    assert codes(await planned(onboarding, (A, None))) == ["INVALID"]
    done(await planned(onboarding, (A, None), reason="Nobody knows yet."))
    done(await planned(onboarding, (A, on(onboarding, 15))))
    (discovery,) = await plan_now(onboarding)
    assert [change.re_plan for change in discovery.history] == [False, True, False]
    assert discovery.planned_on == on(onboarding, 15)


async def test_what_stands_already_changes_nothing(onboarding: Onboarding) -> None:
    done(await planned(onboarding, (A, on(onboarding, 10))))
    same = await planned(onboarding, (A, on(onboarding, 10)), (S, None))
    assert (same.errors, same.version, same.event, untold(same.facts)) == ((), 2, None, [])


async def test_dates_that_cannot_be_are_refused_by_name(onboarding: Onboarding) -> None:
    done(await planned(onboarding, (E, on(onboarding, 20))))
    cases: list[tuple[list[tuple[Stage, date | None]], str, tuple[str, ...]]] = [
        ([], "Name at least one stage", ("dates",)),
        ([(A, on(onboarding, -1))], "is past; today is", ("dates", "0", "plannedOn")),
        ([(Stage.CONTRACTING, on(onboarding, 1))], "CONTRACTING is not planned", ("dates", "0", "stage")),
        ([(Stage.LOST, on(onboarding, 1))], "LOST is not planned", ("dates", "0", "stage")),
        ([(A, on(onboarding, 21))], "EARLY_SUPPORT on", ("dates", "0", "plannedOn")),
        ([(S, on(onboarding, 19))], "would come before EARLY_SUPPORT on", ("dates", "0", "plannedOn")),
        ([(A, on(onboarding, 5)), (A, on(onboarding, 6))], "named twice", ("dates", "1", "stage")),
        ([(S, date(2200, 1, 1))], "out of range", ("dates", "0", "plannedOn")),
    ]
    for wishes, said, path in cases:
        outcome = await planned(onboarding, *wishes)
        assert codes(outcome) == ["INVALID"], wishes
        assert said in outcome.errors[0].message
        assert outcome.errors[0].path == path
    assert [each.stage for each in await plan_now(onboarding)] == [E]


async def test_a_day_may_be_shared_and_today_may_be_planned(onboarding: Onboarding) -> None:
    done(await planned(onboarding, (A, on(onboarding, 0)), (E, on(onboarding, 0))))


async def test_a_stage_that_was_entered_is_planned_no_more_and_its_dates_stay(onboarding: Onboarding) -> None:
    done(await planned(onboarding, (A, on(onboarding, 5)), (E, on(onboarding, 20))))
    await onboarding.forward()
    entered = await planned(onboarding, (A, on(onboarding, 6)), reason="Late.")
    assert codes(entered) == ["MOVE_NOT_POSSIBLE"]
    assert "ASSET_DISCOVERY was entered already" in entered.errors[0].message
    done(await onboarding.move(Move.ROLL_BACK, to=Stage.CONTRACTING, reason="The contract was the wrong one."))
    assert [(each.stage, each.planned_on) for each in await plan_now(onboarding)] == [
        (A, on(onboarding, 5)),
        (E, on(onboarding, 20)),
    ]
    done(await planned(onboarding, (A, on(onboarding, 9)), reason="Begun anew."))


async def test_what_has_ended_is_planned_no_more(onboarding: Onboarding) -> None:
    done(await onboarding.move(Move.LOSE, outcome=EndReason.PRICE, reason="Too dear."))
    assert codes(await planned(onboarding, (A, on(onboarding, 5)))) == ["MOVE_NOT_POSSIBLE"]


async def test_a_dry_run_tells_what_the_real_one_does_and_does_nothing(onboarding: Onboarding) -> None:
    done(await planned(onboarding, (A, on(onboarding, 5))))
    wishes: list[tuple[Stage, date | None]] = [(A, on(onboarding, 6)), (E, on(onboarding, 20))]
    foreseen = await planned(onboarding, *wishes, reason="Later.", dry_run=True)
    assert len((await plan_now(onboarding))[0].history) == 1
    outcome = await planned(onboarding, *wishes, reason="Later.")
    assert untold(foreseen.facts) == untold(outcome.facts)
    assert [(c.name, c.before, c.after) for c in untold(outcome.facts)] == [
        (A, str(on(onboarding, 5)), str(on(onboarding, 6))),
        (E, None, str(on(onboarding, 20))),
    ]


async def test_who_is_not_on_the_team_plans_nothing_and_who_is_late_is_told(onboarding: Onboarding) -> None:
    stranger = await onboarding.provider.invited(Role.ONBOARDING_LEAD)
    assert codes(await planned(onboarding, (A, on(onboarding, 5)), by=stranger)) == ["NOT_ALLOWED"]
    done(await planned(onboarding, (A, on(onboarding, 5))))
    onboarding.version = 1
    assert codes(await planned(onboarding, (A, on(onboarding, 6)), reason="x")) == ["STALE_VERSION"]


async def test_changes_keep_their_order_when_the_clock_is_set_back(onboarding: Onboarding) -> None:
    day = on(onboarding, 30)
    done(await planned(onboarding, (A, day)))
    onboarding.provider.clock.forward(hours=-2)
    done(await planned(onboarding, (A, day + timedelta(days=1)), reason="A week of leave."))
    (discovery,) = await plan_now(onboarding)
    assert discovery.planned_on == day + timedelta(days=1)
    assert all(before.recorded_at < after.recorded_at for before, after in pairwise(discovery.history))


async def test_the_timeline_tells_first_dates_from_re_plans(onboarding: Onboarding) -> None:
    days = [on(onboarding, 5), on(onboarding, 6)]
    done(await planned(onboarding, (A, days[0])))
    done(await planned(onboarding, (A, days[1]), reason="Later."))
    done(await planned(onboarding, (A, None), reason="Unknown."))
    kinds = (TimelineKind.PLANNED, TimelineKind.RE_PLANNED, TimelineKind.PLAN_WITHDRAWN)
    async with onboarding.provider.context.database.reading(onboarding.provider.admin) as tx:
        entries = (await timeline.timelines(tx, [onboarding.cycle], Everything(), kinds))[onboarding.cycle]
    assert [(entry.kind, entry.key, entry.detail) for entry in entries] == [
        (TimelineKind.PLANNED, A, str(days[0])),
        (TimelineKind.RE_PLANNED, A, str(days[1])),
        (TimelineKind.PLAN_WITHDRAWN, A, None),
    ]


async def test_several_onboardings_are_planned_in_one_transaction(provider: Provider) -> None:
    both = [await opened(provider), await opened(provider)]
    admin, day = provider.admin, on(both[0], 10)
    async with provider.context.database.writing(admin) as tx:
        planner = Planner(admin, sent(), provider.clock())
        for onboarding in both:
            cycle = await cycles.lock(tx, onboarding.cycle)
            assert cycle is not None
            done(await plan_in(tx, planner, cycle, PlanCommand(cycle.id, None, (Wish(A, day),))))
    assert [(await plan_now(onboarding))[0].planned_on for onboarding in both] == [day, day]
