"""Through the API: what a lead does next, who can open each gate, whom a board shows, and many onboardings at once."""

from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from sqlalchemy.sql.expression import Executable

from db.session import Transaction
from domain.access import Principal, Role
from domain.ids import IdKind, public
from domain.moves import Gate, Move
from domain.onboarding import HoldReason
from tests.support.asking import answered, asked
from tests.support.onboarding import Onboarding, opened
from tests.support.providers import Provider, done, sent
from workflows import members
from workflows.members import UpdateMember
from workflows.waivers import WaiverCommand, request_waiver

ADD = """
mutation ($input: AbsenceAddInput!) {
  absenceAdd(input: $input) { absence { id from to reason } eventId errors { code message path } }
}
"""
NEXT = """
query ($member: ID) {
  nextActions(memberId: $member) {
    total
    actions {
      kind urgency why call dueAt dueOn subjectId onboarding { id lead { name } actingLead { name } } client { name }
      blockers { gate waitingOn unblockedBy { way memberId member { name } } }
    }
  }
}
"""
BOARD = """
query ($where: PipelineWhere, $first: Int) {
  onboardingPipeline(where: $where, first: $first) {
    truncated
    stages {
      stage count paces { pace count }
      cards { id blockers { gate waitingOn unblockedBy { way member { name } } } }
    }
  }
}
"""
REASSIGN = """
mutation ($input: OnboardingsReassignInput!) {
  onboardingsReassign(input: $input) {
    remaining results { index onboardingId status errors { code } changes { kind name before after count } }
    changes { kind } eventId errors { code message path }
  }
}
"""


def named(member: Principal) -> str:
    return public(IdKind.MEMBER, member.id)


async def lead_with_deputy(provider: Provider) -> tuple[Principal, Principal]:
    lead, deputy = await provider.invited(Role.ONBOARDING_LEAD), await provider.invited(Role.ONBOARDING_LEAD)
    done(await members.update(provider.context, provider.admin, sent(), UpdateMember(lead.id, deputy_id=deputy.id)))
    return lead, deputy


async def away(provider: Provider, member: Principal) -> Any:
    today = provider.clock().date()
    given = {"from": str(today), "to": str(today + timedelta(days=2)), "reason": "SICK"}
    found = (await asked(provider, ADD, {"input": given}, member))["absenceAdd"]
    assert found["errors"] == []
    return found["absence"]


async def desk(provider: Provider, who: Principal, **given: Any) -> Any:
    return (await asked(provider, NEXT, given, who))["nextActions"]


async def test_why_somebody_is_away_is_for_them_and_the_admins(provider: Provider) -> None:
    lead, deputy = await lead_with_deputy(provider)
    await away(provider, lead)
    text = """query ($id: ID!) { node(id: $id) { ... on Member {
        away { from to reason } absences { reason } deputy { name } actingDeputy { id } } } }"""
    seen = {
        who.name: (await asked(provider, text, {"id": named(lead)}, who))["node"]
        for who in (lead, deputy, provider.admin)
    }
    assert seen[lead.name]["away"]["reason"] == "SICK"
    assert seen[provider.admin.name]["away"]["reason"] == "SICK"
    assert seen[deputy.name]["away"]["reason"] is None
    assert seen[deputy.name]["absences"] == [{"reason": None}]
    assert seen[deputy.name]["actingDeputy"] == {"id": named(deputy)}


async def test_the_desk_of_a_deputy_holds_what_the_absent_lead_has_to_do(provider: Provider) -> None:
    lead, deputy = await lead_with_deputy(provider)
    onboarding = await opened(provider, lead=lead)
    assert (await desk(provider, deputy))["total"] == 0

    await away(provider, lead)
    found = (await desk(provider, deputy))["actions"]
    assert [one["kind"] for one in found] == ["CHECKLIST_DUE", "GATE_BLOCKED"]
    action = found[1]
    assert (action["kind"], action["call"]) == ("GATE_BLOCKED", "waiverRequest")
    assert action["onboarding"]["id"] == public(IdKind.ONBOARDING, onboarding.cycle)
    assert action["onboarding"]["lead"] == {"name": lead.name}
    assert action["onboarding"]["actingLead"] == {"name": deputy.name}
    by_gate = {blocker["gate"]: blocker for blocker in action["blockers"]}
    assert by_gate["CONTRACT_SIGNED"]["waitingOn"] == "PROVIDER"
    hand_off = [(one["way"], one["memberId"]) for one in by_gate["HAND_OFF_COMPLETE"]["unblockedBy"]]
    assert hand_off == [
        ("MEET", named(deputy)),
        ("WAIVE", named(deputy)),
        ("WAIVE", named(provider.admin)),
    ]
    hard = [one for one in by_gate["CONTRACT_SIGNED"]["unblockedBy"] if one["way"] == "WAIVE"]
    assert [one["memberId"] for one in hard] == [named(provider.admin)]


async def test_a_waiver_that_waits_is_on_the_desk_of_who_may_grant_it(provider: Provider) -> None:
    onboarding = await opened(provider)
    manager = await provider.invited(Role.SERVICE_MANAGER)
    command = WaiverCommand(onboarding.cycle, Move.BEGIN_DISCOVERY, Gate.CONTRACT_SIGNED, "signed on paper")
    waiver = done(await request_waiver(provider.context, onboarding.lead, sent(), command))
    (action,) = (await desk(provider, manager))["actions"]
    assert (action["kind"], action["urgency"], action["call"]) == ("WAIVER_TO_GRANT", "READY", "waiverGrant")
    assert action["subjectId"] == public(IdKind.WAIVER, waiver)
    assert "WAIVER_TO_GRANT" not in [one["kind"] for one in (await desk(provider, onboarding.lead))["actions"]]


async def test_a_manager_looks_at_the_desk_of_a_lead(provider: Provider) -> None:
    onboarding = await opened(provider)
    theirs = await desk(provider, provider.admin, member=named(onboarding.lead))
    assert theirs == await desk(provider, onboarding.lead)
    assert theirs["total"] == 2
    text = "{ nextActions(first: 501) { total } }"
    _, errors = await answered(provider, text, {}, provider.admin)
    assert "1 to 500" in errors[0]


async def board(provider: Provider, first: int = 40, **where: Any) -> Any:
    found = await asked(provider, BOARD, {"where": where or None, "first": first})
    return found["onboardingPipeline"]


def cards(found: Any) -> set[str]:
    return {card["id"] for column in found["stages"] for card in column["cards"]}


async def test_a_board_shows_what_meets_its_conditions_and_counts_whole_columns(provider: Provider) -> None:
    first, second, third = [await opened(provider) for _ in range(3)]
    done(await first.move(Move.HOLD, hold_reason=HoldReason.CLIENT))
    await second.forward()
    named_ = {"first": first, "second": second, "third": third}
    ids = {name: public(IdKind.ONBOARDING, one.cycle) for name, one in named_.items()}
    assert cards(await board(provider, held=True)) == {ids["first"]}
    assert cards(await board(provider, held=False)) == {ids["second"], ids["third"]}
    assert cards(await board(provider, paces=["ON_HOLD"])) == {ids["first"]}
    assert cards(await board(provider, stages=["ASSET_DISCOVERY"])) == {ids["second"]}
    assert cards(await board(provider, inNotice=True)) == set()
    assert cards(await board(provider, scopeKinds=["SITE"])) == set()
    assert len(cards(await board(provider, scopeKinds=["WHOLE_CLIENT"]))) == 3

    few = await board(provider, first=1)
    assert few["truncated"] is True
    contracting = few["stages"][0]
    assert contracting["count"] == 2
    assert contracting["paces"] == [{"pace": "ON_TRACK", "count": 1}, {"pace": "ON_HOLD", "count": 1}]
    held = await board(provider, paces=["ON_HOLD"])
    assert [column["count"] for column in held["stages"]] == [1, 0, 0, 0]
    assert held["truncated"] is False


async def test_onboardings_go_to_the_deputy_after_a_look_at_what_would_change(provider: Provider) -> None:
    lead, deputy = await lead_with_deputy(provider)
    onboarding = await opened(provider, lead=lead)
    given = {"fromMemberId": named(lead), "reason": "on leave", "dryRun": True}
    foreseen = (await asked(provider, REASSIGN, {"input": given}))["onboardingsReassign"]
    assert foreseen["eventId"] is None
    assert (await onboarding.seen()).lead_id == lead.id
    made = (await asked(provider, REASSIGN, {"input": given | {"dryRun": False}}))["onboardingsReassign"]
    assert made["results"] == foreseen["results"]
    assert made["eventId"] is not None
    (result,) = made["results"]
    assert result["status"] == "UPDATED"
    team = next(change for change in result["changes"] if change["kind"] == "TEAM")
    assert (team["name"], team["before"], team["after"]) == ("LEAD", named(lead), named(deputy))
    assert {change["kind"]: change["count"] for change in result["changes"]}["TIMER"] == 1
    assert (await onboarding.seen()).lead_id == deputy.id


@pytest.mark.parametrize("name", ["desk", "board"])
async def test_desk_and_board_cost_the_same_statements_for_one_onboarding_as_for_25(
    provider: Provider, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    run, seen = Transaction.rows, list[str]()

    async def counted(self: Transaction, statement: Executable, **params: object) -> list[asyncpg.Record]:
        seen.append(str(statement))
        return await run(self, statement, **params)

    lead = await provider.invited(Role.ONBOARDING_LEAD)
    counts, shown = [], []
    for more in (1, 24):
        for _ in range(more):
            await opened(provider, lead=lead)
        monkeypatch.setattr(Transaction, "rows", counted)
        seen.clear()
        found = await (desk(provider, lead) if name == "desk" else board(provider))
        monkeypatch.setattr(Transaction, "rows", run)
        counts.append(len(seen))
        shown.append(found["total"] if name == "desk" else len(cards(found)))
    assert shown == ([2, 50] if name == "desk" else [1, 25])
    assert counts[0] == counts[1]


async def test_many_are_held_planned_and_resumed_through_the_api(provider: Provider) -> None:
    lead = await provider.invited(Role.ONBOARDING_LEAD)
    onboardings: list[Onboarding] = [await opened(provider, lead=lead) for _ in range(2)]
    ids = [public(IdKind.ONBOARDING, one.cycle) for one in onboardings]
    day = str(provider.clock().date() + timedelta(days=9))
    text = """mutation ($plan: OnboardingsPlanInput!, $hold: OnboardingsHoldInput!, $resume: OnboardingsResumeInput!) {
      onboardingsPlan(input: $plan) { results { status changes { kind after } } errors { code } }
      onboardingsHold(input: $hold) { results { status onboardingId } errors { code } }
      onboardingsResume(input: $resume) { results { status } errors { code } }
    }"""
    dates = [{"stage": "ASSET_DISCOVERY", "plannedOn": day}]
    found = await asked(
        provider,
        text,
        {
            "plan": {"items": [{"onboardingId": one, "dates": dates} for one in ids]},
            "hold": {"onboardingIds": ids, "holdReason": "CLIENT", "expectedResumeOn": day},
            "resume": {"onboardingIds": ids},
        },
        lead,
    )
    planned = {"status": "UPDATED", "changes": [{"kind": "PLANNED_DATE", "after": day}]}
    assert found["onboardingsPlan"] == {"results": [planned] * 2, "errors": []}
    assert [one["onboardingId"] for one in found["onboardingsHold"]["results"]] == ids
    assert [one["status"] for one in found["onboardingsResume"]["results"]] == ["UPDATED"] * 2
