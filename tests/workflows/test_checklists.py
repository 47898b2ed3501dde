"""Checklists: laid out with a stage, worked through by the team, and what they open."""

from datetime import date, timedelta
from uuid import UUID

import pytest

from db import checklists, cycles, timeline
from domain.access import Principal, Role, Scope
from domain.checklists import Item
from domain.clients import Party
from domain.definitions import Owner
from domain.errors import ForbiddenError, Outcome
from domain.gates import Answer, Verdict
from domain.moves import Gate, Move
from domain.onboarding import EndReason
from domain.stages import Stage
from domain.timeline import TimelineEntry
from tests.support.checklists import finish, item_of, items, work_through
from tests.support.onboarding import Everything, Onboarding, opened
from tests.support.providers import Provider, codes, done, sent
from workflows.checklists import AddItem, CompleteItem, ItemCommand, UpdateItem, add, complete, remove, reopen, update
from workflows.notices import NoticeCommand, WithdrawCommand, give_notice, withdraw_notice
from workflows.readiness import judged
from workflows.teams import TeamCommand, change_team


@pytest.fixture
async def onboarding(provider: Provider) -> Onboarding:
    return await opened(provider)


async def in_discovery(onboarding: Onboarding) -> Onboarding:
    assert await onboarding.forward() is Stage.ASSET_DISCOVERY
    return onboarding


async def verdict(onboarding: Onboarding, gate: Gate) -> Verdict:
    async with onboarding.provider.context.database.reading(onboarding.provider.admin) as tx:
        moves = (await judged(tx, [onboarding.cycle], onboarding.provider.clock()))[onboarding.cycle].moves
    return next(v for move in moves for v in move.gates if v.gate is gate)


async def entries(onboarding: Onboarding) -> list[TimelineEntry]:
    async with onboarding.provider.context.database.reading(onboarding.provider.admin) as tx:
        return (await timeline.timelines(tx, [onboarding.cycle], Everything()))[onboarding.cycle]


async def engineer_of(onboarding: Onboarding) -> Principal:
    provider = onboarding.provider
    agent = await provider.invited(Role.AGENT)
    outcome = await change_team(
        provider.context,
        onboarding.lead,
        sent(),
        TeamCommand(onboarding.cycle, onboarding.version, engineers=(agent.id,)),
    )
    done(outcome)
    onboarding.version = outcome.version or 0
    return await provider.signed_in(await provider.token_of(agent.id))


async def added(onboarding: Onboarding, title: str = "Move the old printer", **details: object) -> Outcome:
    command = AddItem(onboarding.cycle, Stage.CONTRACTING, title, **details)  # type: ignore[arg-type]
    return await add(onboarding.provider.context, onboarding.lead, sent(), command)


async def change(onboarding: Onboarding, item: Item, *, by: Principal | None = None, **details: object) -> Outcome:
    command = UpdateItem(item.id, **details)  # type: ignore[arg-type]
    return await update(onboarding.provider.context, by or onboarding.lead, sent(), command)


async def test_opening_and_each_stage_lay_out_their_items_with_who_and_by_when(onboarding: Onboarding) -> None:
    first = await items(onboarding)
    assert {item.stage for item in first} == {Stage.CONTRACTING}
    call = await item_of(onboarding, "hand-off-call")
    opened_on = onboarding.provider.clock().date()
    calendar_days = (call.due_on or date.max) - opened_on
    assert 2 <= calendar_days.days <= 4
    assert (call.assignee_id, call.required, call.own, call.done) == (onboarding.lead.id, True, False, False)
    await in_discovery(onboarding)
    assert {item.stage for item in await items(onboarding)} == {Stage.CONTRACTING, Stage.ASSET_DISCOVERY}
    assert (await item_of(onboarding, "restore-tested")).proves is Gate.BACKUP_VERIFIED


async def test_a_checklist_is_measured_and_says_what_is_missing(onboarding: Onboarding) -> None:
    found = await verdict(onboarding, Gate.CONTRACTING_CHECKLIST)
    assert found.answer is Answer.FAIL
    assert "“Hold the hand-off call with sales”" in found.reason
    await work_through(onboarding, Stage.CONTRACTING)
    assert (await verdict(onboarding, Gate.CONTRACTING_CHECKLIST)).answer is Answer.PASS


async def test_a_done_item_proves_its_gate_until_it_is_taken_up_again(onboarding: Onboarding) -> None:
    await in_discovery(onboarding)
    assert (await verdict(onboarding, Gate.BACKUP_VERIFIED)).answer is Answer.FAIL
    done(await finish(onboarding, "restore-tested", note="A mailbox, in 12 minutes.", link="https://docs.example/r/1"))
    assert (await verdict(onboarding, Gate.BACKUP_VERIFIED)).answer is Answer.PASS
    item = await item_of(onboarding, "restore-tested")
    assert (item.note, item.link) == ("A mailbox, in 12 minutes.", "https://docs.example/r/1")
    assert (item.done_by, item.done_at) == (onboarding.lead.id, onboarding.provider.clock())
    assert codes(await finish(onboarding, "restore-tested")) == ["CONFLICT"]
    done(await reopen(onboarding.provider.context, onboarding.lead, sent(), ItemCommand(item.id)))
    assert (await verdict(onboarding, Gate.BACKUP_VERIFIED)).answer is Answer.FAIL


async def test_a_stage_entered_again_after_a_roll_back_keeps_what_was_done_and_dates_the_rest_anew(
    onboarding: Onboarding,
) -> None:
    await in_discovery(onboarding)
    done(await finish(onboarding, "network-scan"))
    before = await items(onboarding)
    done(await onboarding.move(Move.ROLL_BACK, to=Stage.CONTRACTING, reason="wrong scope"))
    onboarding.provider.clock.forward(days=3)
    await onboarding.forward()
    after = await items(onboarding)
    assert [item.key for item in after if item.done] == ["network-scan"]
    assert {item.id for item in after} == {item.id for item in before}
    days = {item.id: item.due_on for item in before if item.stage is Stage.ASSET_DISCOVERY and not item.done}
    assert days
    assert all((item.due_on or date.min) > (days[item.id] or date.max) for item in after if item.id in days)


async def test_an_agent_on_the_team_works_through_the_checklist_and_one_beside_it_does_not(
    onboarding: Onboarding,
) -> None:
    engineer, stranger = await engineer_of(onboarding), await onboarding.provider.invited(Role.AGENT)
    done(await finish(onboarding, "stakeholders", by=engineer))
    assert (await item_of(onboarding, "stakeholders")).done_by == engineer.id
    with pytest.raises(ForbiddenError):
        await finish(onboarding, "hand-off-call", by=await onboarding.provider.invited(Role.VIEWER))
    assert codes(await finish(onboarding, "hand-off-call", by=stranger)) in (["NOT_ALLOWED"], ["NOT_FOUND"])
    lead = await onboarding.provider.invited(Role.ONBOARDING_LEAD)
    assert codes(await finish(onboarding, "hand-off-call", by=lead)) == ["NOT_ALLOWED"]


async def test_a_program_with_the_scope_says_what_is_done(onboarding: Onboarding) -> None:
    program = await onboarding.provider.program(Scope.CHECKLIST_WRITE, Scope.CLIENTS_READ)
    command = CompleteItem((await item_of(onboarding, "billing-set-up")).id)
    done(await complete(onboarding.provider.context, program, sent("k"), command))
    item = await item_of(onboarding, "billing-set-up")
    assert (item.done_by, item.done_by_kind) == (program.id, program.kind)


async def test_an_own_item_can_be_required_and_removed_while_it_is_undone(onboarding: Onboarding) -> None:
    await work_through(onboarding)
    own = done(await added(onboarding, required=True, due_on=date(2026, 4, 1)))
    assert (await verdict(onboarding, Gate.CONTRACTING_CHECKLIST)).answer is Answer.FAIL
    context = onboarding.provider.context
    done(await complete(context, onboarding.lead, sent(), CompleteItem(own)))
    assert codes(await remove(context, onboarding.lead, sent(), ItemCommand(own))) == ["CONFLICT"]
    done(await reopen(context, onboarding.lead, sent(), ItemCommand(own)))
    done(await remove(context, onboarding.lead, sent(), ItemCommand(own)))
    assert own not in {item.id for item in await items(onboarding)}
    assert (await verdict(onboarding, Gate.CONTRACTING_CHECKLIST)).answer is Answer.PASS
    assert codes(await complete(context, onboarding.lead, sent(), CompleteItem(own))) == ["NOT_FOUND"]
    defined = await item_of(onboarding, "welcome-pack")
    assert codes(await remove(context, onboarding.lead, sent(), ItemCommand(defined.id))) == ["CONFLICT"]


async def test_what_cannot_be_an_item_is_refused_by_field(onboarding: Onboarding) -> None:
    outcome = await added(onboarding, " ", note="password: hunter2", link="ftp://files", due_on=date(1900, 1, 1))
    assert [error.path[0] for error in outcome.errors] == ["title", "note", "link", "dueOn"]
    assert all("hunter2" not in error.message for error in outcome.errors)
    await in_discovery(onboarding)
    assert [error.path for error in (await added(onboarding)).errors] == [("stage",)]


async def test_an_item_is_assigned_to_whoever_could_do_it(onboarding: Onboarding) -> None:
    provider = onboarding.provider
    item = await item_of(onboarding, "hand-off-call")
    viewer, stranger = await provider.invited(Role.VIEWER), await provider.invited(Role.AGENT)
    manager, engineer = await provider.invited(Role.SERVICE_MANAGER), await engineer_of(onboarding)
    for nobody in (viewer, stranger):
        outcome = await change(onboarding, item, assignee=nobody.id)
        assert [(error.code.value, error.path) for error in outcome.errors] == [("INVALID", ("assigneeId",))]
    for somebody in (manager, engineer):
        done(await change(onboarding, item, assignee=somebody.id))
        assert (await item_of(onboarding, "hand-off-call")).assignee_id == somebody.id
    assert codes(await change(onboarding, item, assignee=UUID(int=7))) == ["NOT_FOUND"]


async def test_a_change_decided_on_an_older_version_is_refused(onboarding: Onboarding) -> None:
    item = await item_of(onboarding, "hand-off-call")
    done(await change(onboarding, item, expected_version=1, note="Tuesday at ten."))
    assert codes(await change(onboarding, item, expected_version=1, note="Wednesday")) == ["STALE_VERSION"]
    done(await change(onboarding, item, expected_version=2, due_on=None))
    assert (await item_of(onboarding, "hand-off-call")).due_on is None


async def test_what_was_undone_of_somebody_who_leaves_the_team_goes_to_their_successor(onboarding: Onboarding) -> None:
    provider, lead = onboarding.provider, onboarding.lead
    done(await finish(onboarding, "hand-off-call"))
    new_lead, manager = await provider.invited(Role.ONBOARDING_LEAD), await provider.invited(Role.ACCOUNT_MANAGER)
    command = TeamCommand(onboarding.cycle, onboarding.version, lead=new_lead.id, account_manager=manager.id)
    done(await change_team(provider.context, lead, sent(), command))
    found = {item.key: item for item in await items(onboarding)}
    assert found["hand-off-call"].assignee_id == lead.id
    assert found["kick-off-invited"].assignee_id == new_lead.id
    assert found["stakeholders"].assignee_id == manager.id
    assert found["stakeholders"].owner is Owner.ACCOUNT_MANAGER


async def test_nothing_of_an_ended_onboarding_is_worked_on(onboarding: Onboarding) -> None:

    done(await onboarding.move(Move.LOSE, reason="too dear", outcome=EndReason.PRICE))
    assert codes(await finish(onboarding, "hand-off-call")) == ["MOVE_NOT_POSSIBLE"]
    assert codes(await added(onboarding)) == ["MOVE_NOT_POSSIBLE"]


async def test_the_timeline_tells_each_step_by_item_and_field_and_never_a_note(onboarding: Onboarding) -> None:
    item = await item_of(onboarding, "hand-off-call")
    done(await change(onboarding, item, note="Ask Mrs Jansen", link="https://docs.example/1"))
    done(await finish(onboarding, "hand-off-call"))
    done(await reopen(onboarding.provider.context, onboarding.lead, sent(), ItemCommand(item.id)))
    told = [(e.kind, e.key, e.detail, e.actor_id) for e in await entries(onboarding) if e.kind.startswith("CHECKLIST")]
    assert sorted(told) == sorted(
        [
            ("CHECKLIST_CHANGED", "hand-off-call", "LINK, NOTE", onboarding.lead.id),
            ("CHECKLIST_DONE", "hand-off-call", None, onboarding.lead.id),
            ("CHECKLIST_REOPENED", "hand-off-call", None, onboarding.lead.id),
        ]
    )


async def test_a_step_is_activity_and_leaves_the_onboardings_version(onboarding: Onboarding) -> None:
    version = (await onboarding.seen()).version
    onboarding.provider.clock.forward(days=4)
    done(await finish(onboarding, "hand-off-call"))
    async with onboarding.provider.context.database.reading(onboarding.provider.admin) as tx:
        cycle = (await cycles.by_ids(tx, [onboarding.cycle]))[onboarding.cycle]
    assert (cycle.active_at, cycle.version) == (onboarding.provider.clock(), version)


async def test_a_notice_lays_out_what_is_done_on_leaving_and_its_withdrawal_lets_it_rest(
    onboarding: Onboarding,
) -> None:
    for _ in range(2):
        await onboarding.forward()
    lead, manager = onboarding.lead, await onboarding.provider.invited(Role.SERVICE_MANAGER)
    context, ends = onboarding.provider.context, onboarding.provider.clock().date() + timedelta(days=60)
    assert (await verdict(onboarding, Gate.DATA_HANDED_BACK)).answer is Answer.NOT_MEASURED
    notice = NoticeCommand(onboarding.cycle, onboarding.version, Party.CLIENT, ends, EndReason.PRICE, "too dear")
    outcome = await give_notice(context, manager, sent(), notice)
    done(outcome)

    async def leaving() -> set[str]:
        async with context.database.reading(onboarding.provider.admin) as tx:
            found = await checklists.listed(tx, {"open": True, "assignee": lead.id}, Everything())
        return {item.key for item in found if item.stage is Stage.OFFBOARDED}

    assert {"exit-call", "data-handed-back"} <= await leaving()
    done(await finish(onboarding, "data-handed-back"))
    assert (await verdict(onboarding, Gate.DATA_HANDED_BACK)).answer is Answer.PASS
    withdrawal = WithdrawCommand(onboarding.cycle, outcome.version or 0, "They stay.")
    done(await withdraw_notice(context, manager, sent(), withdrawal))
    assert await leaving() == set()
