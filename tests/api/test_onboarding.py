"""A lead moves an onboarding through the API and sees why, what next and what happened."""

from typing import Any

import pytest

from domain.access import Role, Scope
from domain.ids import IdKind, public
from domain.moves import Move
from domain.onboarding import HoldReason
from tests.support.asking import answered, asked
from tests.support.onboarding import Onboarding, opened
from tests.support.providers import Provider, done

ADVANCE = """
mutation ($id: ID!, $to: Stage!, $version: Int!) {
  onboardingAdvance(input: {onboardingId: $id, to: $to, expectedVersion: $version}) {
    onboarding { stage version viewerCan }
    eventId
    errors {
      code message path
      ... on TransitionBlocked { blockers { gate hardness answer reason waivableBy } }
      ... on StaleVersion { current }
    }
  }
}
"""

WAIVE = """
mutation ($id: ID!, $gate: Gate!, $move: Move!) {
  waiverRequest(input: {onboardingId: $id, move: $move, gate: $gate, reason: "agreed"}) {
    waiver { id state fourEyes hardness expiresAt }
    errors { code message }
  }
}
"""

EVERYTHING = """
query ($id: ID!) {
  onboarding(id: $id) {
    stage version pace viewerCan client { name } lead { name } definition { number mermaid targets { stage } }
    readiness { move toStage ready gates { gate open answer reason } wouldTrigger { kind name dueAt recipientId } }
    blockers { gate }
    visits { stage enteredAt leftAt }
    holds { reason }
    escalationWindows { openedAt closedAt } baseline { kpi value restated }
    effects { kind name state dueAt reason }
    waivers { gate state }
    attestations { gate statement }
    transitions(first: 10) { nodes { move accepted refusal gates actorKind channel eventId } }
    timeline(first: 20) { nodes { at kind key detail beforeIds afterIds } pageInfo { hasNextPage } }
    mermaid
  }
}
"""

PIPELINE = """
{ onboardingPipeline { truncated stages { stage count paces { pace count } cards { id blockers { gate reason } } } } }
"""


@pytest.fixture
async def onboarding(provider: Provider) -> Onboarding:
    return await opened(provider)


async def lead_asks(onboarding: Onboarding, text: str, **variables: Any) -> Any:
    names = {"id": public(IdKind.ONBOARDING, onboarding.cycle)} | variables
    return await asked(onboarding.provider, text, names, onboarding.lead)


async def test_a_blocked_move_says_what_who_and_why(onboarding: Onboarding) -> None:
    data = await lead_asks(onboarding, ADVANCE, to="ASSET_DISCOVERY", version=1)
    (error,) = data["onboardingAdvance"]["errors"]
    assert error["code"] == "TRANSITION_BLOCKED"
    signed = next(b for b in error["blockers"] if b["gate"] == "CONTRACT_SIGNED")
    assert signed["hardness"] == "HARD"
    assert signed["reason"] == "The contract is DRAFT, not SIGNED."
    assert data["onboardingAdvance"]["onboarding"]["stage"] == "CONTRACTING"


async def test_a_lead_waives_and_advances(onboarding: Onboarding) -> None:
    await onboarding.sign()
    data = await lead_asks(onboarding, ADVANCE, to="ASSET_DISCOVERY", version=1)
    for blocker in data["onboardingAdvance"]["errors"][0]["blockers"]:
        waived = await lead_asks(onboarding, WAIVE, gate=blocker["gate"], move="BEGIN_DISCOVERY")
        assert waived["waiverRequest"]["waiver"]["state"] == "GRANTED"
    data = await lead_asks(onboarding, ADVANCE, to="ASSET_DISCOVERY", version=1)
    assert data["onboardingAdvance"]["errors"] == []
    assert data["onboardingAdvance"]["onboarding"] == {
        "stage": "ASSET_DISCOVERY",
        "version": 2,
        "viewerCan": ["GO_LIVE", "ROLL_BACK", "HOLD", "LOSE"],
    }
    assert data["onboardingAdvance"]["eventId"].startswith("evt_")
    stale = await lead_asks(onboarding, ADVANCE, to="EARLY_SUPPORT", version=1)
    assert stale["onboardingAdvance"]["errors"][0]["current"] == 2


async def test_one_query_tells_the_whole_onboarding(onboarding: Onboarding) -> None:
    await onboarding.forward()
    seen = (await lead_asks(onboarding, EVERYTHING))["onboarding"]
    assert seen["client"]["name"] == "Acme"
    assert seen["pace"] == "ON_TRACK"
    assert [v["stage"] for v in seen["visits"]] == ["CONTRACTING", "ASSET_DISCOVERY"]
    (go_live,) = [m for m in seen["readiness"] if m["move"] == "GO_LIVE"]
    assert [e["name"] for e in go_live["wouldTrigger"]][:3] == ["DAY_30", "DAY_60", "DAY_90"]
    assert {b["gate"] for b in seen["blockers"]} == {g["gate"] for g in go_live["gates"] if not g["open"]}
    kinds = [entry["kind"] for entry in seen["timeline"]["nodes"]]
    assert kinds.count("MOVED") == 2
    assert "WAIVER_GRANTED" in kinds
    assert [t["move"] for t in seen["transitions"]["nodes"] if t["accepted"]] == ["OPEN", "BEGIN_DISCOVERY"]
    assert "CONTRACTING" in seen["mermaid"]
    hold = next(m for m in seen["readiness"] if m["move"] == "HOLD")
    assert [e["name"] for e in hold["wouldTrigger"]] == ["HOLD_REVIEW"]
    assert "stateDiagram-v2" in seen["definition"]["mermaid"]


async def test_the_board_shows_what_blocks_each(onboarding: Onboarding) -> None:
    board = (await lead_asks(onboarding, PIPELINE))["onboardingPipeline"]
    assert [(s["stage"], s["count"]) for s in board["stages"]][:2] == [("CONTRACTING", 1), ("ASSET_DISCOVERY", 0)]
    (card,) = board["stages"][0]["cards"]
    assert "CONTRACT_SIGNED" in {b["gate"] for b in card["blockers"]}
    assert board["stages"][0]["paces"] == [{"pace": "ON_TRACK", "count": 1}]


async def test_a_hard_gate_takes_a_second_person(onboarding: Onboarding) -> None:
    asked_for = await lead_asks(onboarding, WAIVE, gate="CONTRACT_SIGNED", move="BEGIN_DISCOVERY")
    waiver = asked_for["waiverRequest"]["waiver"]
    assert (waiver["state"], waiver["hardness"]) == ("REQUESTED", "HARD")
    grant = "mutation ($w: ID!) { waiverGrant(input: {waiverId: $w}) { waiver { state fourEyes } errors { code } } }"
    data, errors = await answered(onboarding.provider, grant, {"w": waiver["id"]}, onboarding.lead)
    assert data["waiverGrant"] is None if data else True
    assert "WAIVE_HARD" in errors[0]
    manager = await onboarding.provider.invited(Role.SERVICE_MANAGER)
    data = await asked(onboarding.provider, grant, {"w": waiver["id"]}, manager)
    assert data["waiverGrant"] == {"waiver": {"state": "GRANTED", "fourEyes": True}, "errors": []}


async def test_a_program_cannot_waive(onboarding: Onboarding) -> None:
    program = await onboarding.provider.program(Scope.ONBOARDING_MOVE, Scope.CLIENTS_READ)
    names = {"id": public(IdKind.ONBOARDING, onboarding.cycle), "gate": "COVERAGE_HOURS", "move": "BEGIN_DISCOVERY"}
    _, errors = await answered(onboarding.provider, WAIVE, names, program)
    assert "WAIVE_SOFT" in errors[0]
    move = {"id": names["id"], "to": "ASSET_DISCOVERY", "version": 1}
    data = await asked(onboarding.provider, ADVANCE, move, program)
    assert data["onboardingAdvance"]["errors"][0]["code"] == "IDEMPOTENCY_KEY_REQUIRED"


async def test_follow_ups_of_waivers_are_listed_and_closed(onboarding: Onboarding) -> None:
    await lead_asks(onboarding, WAIVE, gate="COVERAGE_HOURS", move="BEGIN_DISCOVERY")
    listed = await lead_asks(
        onboarding, "{ followUps(first: 5, open: true) { totalCount nodes { id version dueOn kind ownerId } } }"
    )
    (follow_up,) = listed["followUps"]["nodes"]
    close = """
    mutation ($f: ID!, $v: Int!) {
      followUpClose(input: {followUpId: $f, expectedVersion: $v, note: "done"}) {
        followUp { note closedAt version }
        errors { code }
      }
    }
    """
    closed = await lead_asks(onboarding, close, f=follow_up["id"], v=follow_up["version"])
    assert closed["followUpClose"]["followUp"]["version"] == 2
    again = await lead_asks(onboarding, close, f=follow_up["id"], v=2)
    assert [e["code"] for e in again["followUpClose"]["errors"]] == ["CONFLICT"]


async def test_out_of_steady_state_only_a_service_manager_rolls_back(onboarding: Onboarding) -> None:
    await onboarding.forward()
    await onboarding.forward()
    onboarding.provider.clock.forward(days=91)
    await onboarding.forward()
    can = "query ($id: ID!) { onboarding(id: $id) { viewerCan } }"
    assert (await lead_asks(onboarding, can))["onboarding"]["viewerCan"] == ["GIVE_NOTICE"]
    back = """
    mutation ($id: ID!, $version: Int!) {
      onboardingRollBack(input: {onboardingId: $id, to: EARLY_SUPPORT, reason: "early", expectedVersion: $version}) {
        onboarding { stage viewerCan } errors { code }
      }
    }
    """
    refused = await lead_asks(onboarding, back, version=4)
    assert [e["code"] for e in refused["onboardingRollBack"]["errors"]] == ["NOT_ALLOWED"]
    manager = await onboarding.provider.invited(Role.SERVICE_MANAGER)
    names = {"id": public(IdKind.ONBOARDING, onboarding.cycle), "version": 4}
    answer = await asked(onboarding.provider, back, names, manager)
    assert answer["onboardingRollBack"]["onboarding"]["stage"] == "EARLY_SUPPORT"


async def test_a_day_that_nobody_can_count_from_is_refused(onboarding: Onboarding) -> None:
    contract = public(IdKind.CONTRACT, onboarding.contract)
    update = """
    mutation ($c: ID!, $day: Date!) {
      contractUpdate(input: {contractId: $c, startsOn: $day}) { errors { code message path } }
    }
    """
    refused = await asked(onboarding.provider, update, {"c": contract, "day": "9999-12-31"})
    (error,) = refused["contractUpdate"]["errors"]
    assert (error["code"], error["path"]) == ("INVALID", ["startsOn"])
    hold = """
    mutation ($id: ID!, $day: Date!) {
      onboardingHold(input: {onboardingId: $id, holdReason: CLIENT, expectedVersion: 1, expectedResumeOn: $day}) {
        errors { path }
      }
    }
    """
    held = await lead_asks(onboarding, hold, day="9999-12-31")
    assert held["onboardingHold"]["errors"] == [{"path": ["expectedResumeOn"]}]


async def test_a_team_changes_by_what_is_named_and_the_timeline_tells_of_it(onboarding: Onboarding) -> None:
    update = """
    mutation ($input: OnboardingUpdateInput!) {
      onboardingUpdate(input: $input) { onboarding { version technicalLeadId accountManagerId }
        errors { code } }
    }
    """
    lead = public(IdKind.MEMBER, onboarding.lead.id)
    given = {"onboardingId": public(IdKind.ONBOARDING, onboarding.cycle), "expectedVersion": 1}
    both = given | {"technicalLeadId": lead, "accountManagerId": lead}
    await asked(onboarding.provider, update, {"input": both}, onboarding.lead)
    fewer = given | {"expectedVersion": 2, "technicalLeadId": None}
    data = await asked(onboarding.provider, update, {"input": fewer}, onboarding.lead)
    assert data["onboardingUpdate"] == {
        "onboarding": {"version": 3, "technicalLeadId": None, "accountManagerId": lead},
        "errors": [],
    }
    entries = (await lead_asks(onboarding, EVERYTHING))["onboarding"]["timeline"]["nodes"]
    changes = [(e["key"], e["beforeIds"], e["afterIds"]) for e in entries if e["kind"] == "TEAM_CHANGED"]
    assert sorted(changes[:2]) == [("ACCOUNT_MANAGER", [], [lead]), ("TECHNICAL_LEAD", [], [lead])]
    assert changes[2:] == [("TECHNICAL_LEAD", [lead], [])]


async def test_what_a_program_did_is_told_under_its_token(onboarding: Onboarding) -> None:
    program = await onboarding.provider.program(Scope.ONBOARDING_HOLD, Scope.CLIENTS_READ)
    done(await onboarding.move(Move.HOLD, by=program, key="pause", hold_reason=HoldReason.VENDOR))
    seen = await lead_asks(
        onboarding, "query ($id: ID!) { onboarding(id: $id) { timeline(last: 1) { nodes { key actorId } } } }"
    )
    (entry,) = seen["onboarding"]["timeline"]["nodes"]
    assert entry == {"key": "HOLD", "actorId": public(IdKind.TOKEN, program.id)}
