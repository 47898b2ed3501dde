"""The story is the same every time, and there is something of everything in it."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from api.context import OperationContext
from api.rates import Rate
from demo.credentials import issue
from demo.palmgrove import COMPANY as PALMGROVE
from demo.questions import questions
from demo.run import ForeignTenantsError, StaleStoryError, fill
from domain.access import Principal
from domain.clients import ContractStatus
from domain.stages import Stage
from tests.demo.conftest import TODAY, Telling, Told
from tests.demo.portrait import portrait
from tests.support.asking import operations
from tests.support.providers import new_provider
from workflows.access import authenticate
from workflows.context import Context

PIPELINE = """
{ onboardingPipeline { stages { stage count paces { pace count }
    cards { client { name } pace blockers { gate } readiness { move ready } } } } }
"""
WAIVERS = """
{ onboardings(first: 100) { nodes { number stage waivers { gate hardness state fourEyes } holds { reason }
    transitions(first: 100) { nodes { move accepted } } } }
  open: followUps(open: true, first: 1) { totalCount } closed: followUps(open: false, first: 1) { totalCount } }
"""
WORK = "{ myChecklist(first: 100) { nodes { clientId done } } }"
HAND_OFFS = "{ onboardings(first: 100) { nodes { handOff { missing } } } }"


def saying_nothing(_done: int, _of: int) -> None:
    return None


async def asked(context: Context, principal: Principal, query: str) -> Any:
    asking = OperationContext(context, principal, "req-demo", Rate(1_000, 1_000, 10))
    try:
        result = await operations().execute(operations().prepare(query, None, None), asking)
    finally:
        await asking.close()
    assert not result.errors, result.errors
    return result.data


async def one_column(told: Told, statement: str) -> list[Any]:
    async with told.context.database.reading(told.demo.northwind.admin) as tx:
        return [row[0] for row in await tx.rows(text(statement))]


async def test_two_tellings_with_one_seed_say_the_same(told: Told, telling: Telling) -> None:
    async with telling() as again:
        for first, second in zip(told.demo.casts, again.demo.casts, strict=True):
            async with told.context.database.reading(first.admin) as tx:
                expected = await portrait(tx)
            async with again.context.database.reading(second.admin) as tx:
                assert await portrait(tx) == expected


async def test_filling_again_tells_nothing_twice(told: Told) -> None:
    async with told.context.database.reading(told.demo.northwind.admin) as tx:
        before = await portrait(tx)
    again = await fill(told.context, saying_nothing)
    assert again == told.demo
    async with told.context.database.reading(told.demo.northwind.admin) as tx:
        assert await portrait(tx) == before


async def test_a_story_of_another_day_is_not_mixed_with_todays(told: Told) -> None:
    with pytest.raises(StaleStoryError, match=f"told until {TODAY}"):
        await fill(told.context, saying_nothing, TODAY + timedelta(days=1))


async def test_a_database_with_other_providers_is_left_alone(database: Any) -> None:
    stranger = await new_provider(database)
    with pytest.raises(ForeignTenantsError, match="empty database"):
        await fill(stranger.context, saying_nothing)


async def test_clients_stand_in_every_stage_at_every_pace_and_at_both_ends(told: Told) -> None:
    stages = Counter(await one_column(told, "select stage from cycle"))
    assert set(stages) == set(Stage)
    assert sum(stages.values()) - len(await one_column(told, "select id from client")) == 1  # one came back
    data = await asked(told.context, told.demo.northwind["Iris"], PIPELINE)
    cards = [card for stage in data["onboardingPipeline"]["stages"] for card in stage["cards"]]
    assert {card["pace"] for card in cards} >= {"ON_TRACK", "AT_RISK", "LATE", "ON_HOLD"}
    blocking = {blocker["gate"] for card in cards for blocker in card["blockers"]}
    assert blocking >= {
        "CONTRACT_SIGNED",
        "COVERAGE_HOURS",
        "DEVICES_DECIDED",
        "DISCOVERY_FRESH",
        "CRITICAL_SERVICES_MAPPED",
        "DAY_90_REACHED",
        "NO_OPEN_PRIORITY_1",
        "ESCALATION_RATE_IN_LIMIT",
        "DOCUMENTATION_SIGNED_OFF",
    }
    ready = [
        card["client"]["name"]
        for card in cards
        if any(move["move"] == "GO_LIVE" and move["ready"] for move in card["readiness"])
    ]
    assert ready == ["Pinnacle Sportswear"]


async def test_waivers_holds_refusals_and_follow_ups_are_in_it(told: Told) -> None:
    data = await asked(told.context, told.demo.northwind.admin, WAIVERS)
    onboardings = data["onboardings"]["nodes"]
    found = {(w["hardness"], w["state"], w["fourEyes"]) for one in onboardings for w in one["waivers"]}
    assert found == {("SOFT", "USED", False), ("HARD", "USED", True), ("HARD", "REQUESTED", False)}
    assert {hold["reason"] for one in onboardings for hold in one["holds"]} >= {"CLIENT", "VENDOR", "LEGAL"}
    moves = {(step["move"], step["accepted"]) for one in onboardings for step in one["transitions"]["nodes"]}
    assert {("ROLL_BACK", True), ("REOPEN", True), ("LOSE", True), ("OFF_BOARD", True), ("GRADUATE", False)} <= moves
    assert data["open"]["totalCount"] > 0
    assert data["closed"]["totalCount"] > 0
    statuses = await one_column(told, "select distinct status from contract")
    assert set(statuses) == set(ContractStatus)
    fired = await one_column(told, "select split_part(key, ':', 1) from effect where state = 'DONE'")
    assert {"DAY_30", "DAY_60", "DAY_90", "TARGET", "HOLD_REVIEW"} <= set(fired)


async def test_a_technician_finds_work_over_several_clients_and_hand_offs_tell_what_is_missing(told: Told) -> None:
    technicians = await one_column(
        told,
        "select assignee_id from checklist_item where owner = 'ENGINEER' and done_at is null group by 1 order by 1",
    )
    people = {one.id: one for one in told.demo.northwind.people.values()}
    lists = [(await asked(told.context, people[one], WORK))["myChecklist"]["nodes"] for one in technicians]
    assert max(len({item["clientId"] for item in items}) for items in lists) > 1
    assert all(not item["done"] for items in lists for item in items)
    data = await asked(told.context, told.demo.northwind.admin, HAND_OFFS)
    missing = {tuple(one["handOff"]["missing"]) for one in data["onboardings"]["nodes"]}
    assert {(), ("PROMISES", "RISKS")} <= missing
    done = await one_column(told, "select stage from checklist_item where done_at is not null group by 1 order by 1")
    assert done == ["ASSET_DISCOVERY", "CONTRACTING", "EARLY_SUPPORT", "OFFBOARDED", "STEADY_STATE"]


async def test_a_young_client_is_escalated_more_often_and_figures_rest_on_enough_tickets(told: Told) -> None:
    _, escalations, _ = questions(TODAY)
    data = await asked(told.context, told.demo.northwind["Iris"], escalations.query)
    phases = {one["dimensions"][0]["label"]: one["total"] for one in data["byPhase"]["series"]}
    assert phases["EARLY"]["low"] > phases["STEADY"]["high"]
    assert 5_000 < sum(total["denominator"] for total in phases.values()) < 10_000
    assert len(data["byClient"]["series"]) == 5


@pytest.mark.parametrize("who", ["viewer", "lead", "automation", "partner", "other"])
async def test_each_question_answers_each_user_with_something(told: Told, who: str) -> None:
    context = replace(told.context)
    tokens = {credential.key: credential.token for credential in await issue(context, told.demo)}
    principal = await authenticate(context, tokens[who])
    assert principal is not None
    board, escalations, readiness = [await asked(context, principal, question.query) for question in questions(TODAY)]
    names = {card["client"]["name"] for stage in board["onboardingPipeline"]["stages"] for card in stage["cards"]}
    expected = {"partner": {"Orchard Primary Care"}, "other": {"Granary Trading", "Lantern Bookshops"}}
    assert names == expected[who] if who in expected else len(names) > 10
    assert {one["dimensions"][0]["label"] for one in escalations["byPhase"]["series"]} >= {"EARLY", "STEADY"}
    for onboarding in readiness["onboardings"]["nodes"]:
        assert onboarding["readiness"]
        assert onboarding["visits"]
    events = (await asked(context, principal, "{ events(first: 50) { events { type clientId } hasMore } }"))["events"]
    assert events["events"]


async def test_what_the_last_start_gave_out_opens_nothing_any_more(told: Told) -> None:
    first = await issue(told.context, told.demo)
    second = await issue(told.context, told.demo)
    assert [one.key for one in first] == [one.key for one in second]
    async with told.context.database.reading(told.demo.northwind.admin) as tx:
        live = await tx.value(text("select count(*) from token where revoked_at is null"))
    assert live == 6  # five users and the first admin's own
    assert await authenticate(told.context, first[0].token) is None
    principal = await authenticate(told.context, second[-1].token)
    assert principal is not None
    assert second[-1].provider == PALMGROVE.name
