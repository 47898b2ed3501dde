"""A lead's day with two clients in flight, from the first look to the last correction, through the API alone."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pytest

from domain.access import Principal, Role
from domain.ids import IdKind, public
from tests.support.asking import asked
from tests.support.providers import Provider
from workflows.effects import fire_due

STANDS = """
query ($id: ID!) { onboarding(id: $id) {
  id version stage pace paceReason heldAt targetAt notice { endsOn } viewerCan
  blockers { gate answer hardness reason }
  checklist(done: false) { id title stage required proves assigneeId }
  handOff { missing }
  transitions(last: 1) { nodes { id move } }
} }
"""


@dataclass
class Desk:
    """A lead at work: everything goes through the API with the lead's own token."""

    provider: Provider
    lead: Principal
    onboardings: dict[str, str] = field(default_factory=dict)
    clients: dict[str, str] = field(default_factory=dict)

    @property
    def today(self) -> date:
        return self.provider.clock().date()

    async def ask(self, text: str, **variables: Any) -> Any:
        return await asked(self.provider, text, variables, self.lead)

    async def tell(self, mutation: str, shown: str = "eventId", **given: Any) -> Any:
        """Send a mutation, which must not be refused, and return its payload."""
        answer = await self.try_to(mutation, shown, **given)
        assert answer["errors"] == [], answer["errors"]
        return answer

    async def try_to(self, mutation: str, shown: str = "eventId", **given: Any) -> Any:
        kind = f"{mutation[0].upper()}{mutation[1:]}Input"
        problems = "errors { code message path ... on TransitionBlocked { blockers { gate hardness } } }"
        text = f"mutation ($input: {kind}!) {{ {mutation}(input: $input) {{ {shown} {problems} }} }}"
        return (await self.ask(text, input=given))[mutation]

    async def stands(self, client: str) -> Any:
        return (await self.ask(STANDS, id=self.onboardings[client]))["onboarding"]

    async def move(self, mutation: str, client: str, shown: str = "eventId", **given: Any) -> Any:
        """Send a move on the version that the lead has just read."""
        seen = await self.stands(client)
        return await self.tell(mutation, shown, onboardingId=seen["id"], expectedVersion=seen["version"], **given)

    async def advance(self, client: str, to: str) -> None:
        """Meet what holds a client back, waive what cannot be met today, and move it on."""
        seen = await self.stands(client)
        for item in seen["checklist"]:
            if item["required"] and item["stage"] == seen["stage"]:
                await self.tell("checklistItemComplete", checklistItemId=item["id"], note="Done and checked.")
        for blocker in (await self.stands(client))["blockers"]:
            assert blocker["hardness"] == "SOFT", blocker
            given = {"gate": blocker["gate"], "move": MOVES[to], "reason": "Agreed with the service manager."}
            await self.tell("waiverRequest", "waiver { state }", onboardingId=seen["id"], **given)
        await self.move("onboardingAdvance", client, to=to)


MOVES = {"ASSET_DISCOVERY": "BEGIN_DISCOVERY", "EARLY_SUPPORT": "GO_LIVE", "STEADY_STATE": "GRADUATE"}


@pytest.fixture
async def desk(provider: Provider) -> Desk:
    """Give a lead two new clients: nothing is done for them yet but the sale."""
    desk = Desk(provider, await provider.invited(Role.ONBOARDING_LEAD))
    me = public(IdKind.MEMBER, desk.lead.id)
    for name in ("Alder", "Birch"):
        made = await desk.tell("clientCreate", "client { id }", name=name, ownerId=me, seats=40)
        client = desk.clients[name] = made["client"]["id"]
        ref = {"id": client}
        contact = {
            "client": ref,
            "name": f"Pat of {name}",
            "email": f"pat@{name}.example".lower(),
            "roles": ["PRIMARY"],
        }
        await desk.tell("contactCreate", "contact { id }", **contact)
        terms = {"client": ref, "title": "Managed services", "type": "MANAGED", "scope": ["ENDPOINTS"]}
        contract = await desk.tell("contractCreate", "contract { id }", **terms, status="SENT", waitingOn="CLIENT")
        opening = {"clientId": client, "leadId": me, "contractId": contract["contract"]["id"]}
        opened = await desk.tell("onboardingOpen", "onboarding { id }", **opening)
        desk.onboardings[name] = opened["onboarding"]["id"]
        desk.clients[f"{name}'s contract"] = contract["contract"]["id"]
    return desk


async def test_a_lead_does_the_whole_days_work_through_the_api_mistakes_and_all(desk: Desk) -> None:
    await _the_morning_says_what_comes_first(desk)
    await _a_client_signs_and_is_handed_over(desk)
    await _the_wrong_client_goes_on_and_comes_back(desk)
    await _what_was_noted_late_is_put_to_when_it_happened(desk)
    await _a_client_must_wait_and_its_plan_moves(desk)
    await _service_begins_and_grows_by_a_site(desk)
    await _a_client_gives_notice_and_stays_after_all(desk)
    await _the_deputy_has_it_all_on_their_desk(desk)
    await _the_day_is_told_as_it_was(desk)


NEXT = """
{ nextActions(first: 50) { total actions { kind urgency why call client { name }
  blockers { gate waitingOn unblockedBy { way member { id } } } } } }
"""


async def _the_morning_says_what_comes_first(desk: Desk) -> None:
    desk.provider.clock.forward(days=1)
    desk_of_today = (await desk.ask(NEXT))["nextActions"]
    assert desk_of_today["total"] == len(desk_of_today["actions"])
    blocked = [action for action in desk_of_today["actions"] if action["kind"] == "GATE_BLOCKED"]
    assert {action["client"]["name"] for action in blocked} == {"Alder", "Birch"}
    waiting = {b["gate"]: b["waitingOn"] for b in blocked[0]["blockers"]}
    assert waiting["CONTRACT_SIGNED"] == "CLIENT"


async def _the_deputy_has_it_all_on_their_desk(desk: Desk) -> None:
    """The lead goes on leave tomorrow; a dry run tells what would be handed over, the deputy gets it without that."""
    deputy = await desk.provider.invited(Role.ONBOARDING_LEAD)
    me, them = public(IdKind.MEMBER, desk.lead.id), public(IdKind.MEMBER, deputy.id)
    named = {"input": {"memberId": me, "deputyId": them}}
    naming = "mutation ($input: MemberUpdateInput!) { memberUpdate(input: $input) { errors { message } } }"
    assert (await asked(desk.provider, naming, named))["memberUpdate"]["errors"] == []
    handed = await desk.tell(
        "onboardingsReassign", "results { status changes { kind before after } }", fromMemberId=me, dryRun=True
    )
    changes = [change for result in handed["results"] for change in result["changes"]]
    assert changes.count({"kind": "TEAM", "before": me, "after": them}) == 3
    away = desk.today + timedelta(days=1)
    absence = {"from": away.isoformat(), "to": (away + timedelta(days=9)).isoformat(), "reason": "HOLIDAY"}
    await desk.tell("absenceAdd", **absence)
    desk.provider.clock.forward(days=1)
    acting = await desk.provider.signed_in(await desk.provider.token_of(deputy.id))
    theirs = (await asked(desk.provider, NEXT, None, acting))["nextActions"]
    assert {action["client"]["name"] for action in theirs["actions"]} == {"Alder", "Birch"}


async def _a_client_signs_and_is_handed_over(desk: Desk) -> None:
    refused = await desk.try_to(
        "onboardingAdvance", onboardingId=desk.onboardings["Alder"], to="ASSET_DISCOVERY", expectedVersion=1
    )
    assert [e["code"] for e in refused["errors"]] == ["TRANSITION_BLOCKED"]
    assert ("CONTRACT_SIGNED", "HARD") in {(b["gate"], b["hardness"]) for b in refused["errors"][0]["blockers"]}
    signed = {"status": "SIGNED", "startsOn": desk.today.isoformat(), "coverageHours": "Mon-Fri 08:00-18:00"}
    for name in ("Alder", "Birch"):
        await desk.tell("contractUpdate", contractId=desk.clients[f"{name}'s contract"], **signed)
    told = {"scopeSold": "40 seats, no telephony.", "promises": "Live within five weeks.", "support": "desk@us.example"}
    nobody = ["INCUMBENT", "APPROVERS", "VIPS", "RISKS", "SECRETS_PLACE", "CONTACTS"]
    handed = await desk.tell(
        "handOffUpdate", "handOff { missing }", onboardingId=desk.onboardings["Alder"], **told, declareNone=nobody
    )
    assert handed["handOff"]["missing"] == []
    await desk.tell("noteAdd", onboardingId=desk.onboardings["Alder"], text="They call at noon.", pinned=True)
    day = desk.today + timedelta(days=10)
    plan: dict[str, Any] = {"dates": [{"stage": "ASSET_DISCOVERY", "plannedOn": day.isoformat()}]}
    await desk.move("onboardingPlan", "Alder", **plan)


async def _the_wrong_client_goes_on_and_comes_back(desk: Desk) -> None:
    await desk.advance("Birch", "ASSET_DISCOVERY")
    seen = await desk.stands("Birch")
    of_it = {"onboardingId": seen["id"], "expectedVersion": seen["version"]}
    foreseen = await desk.tell("onboardingUndo", "changes { kind before after }", **of_it, dryRun=True)
    assert {"kind": "STAGE", "before": "ASSET_DISCOVERY", "after": "CONTRACTING"} in foreseen["changes"]
    assert (await desk.stands("Birch"))["stage"] == "ASSET_DISCOVERY"
    done = await desk.tell("onboardingUndo", "changes { kind before after }", **of_it, reason="It was Alder.")
    assert done["changes"] == foreseen["changes"]
    assert (await desk.stands("Birch"))["stage"] == "CONTRACTING"
    await desk.advance("Alder", "ASSET_DISCOVERY")


async def _what_was_noted_late_is_put_to_when_it_happened(desk: Desk) -> None:
    desk.provider.clock.forward(days=2)
    await desk.advance("Birch", "ASSET_DISCOVERY")
    desk.provider.clock.forward(hours=1)
    seen = await desk.stands("Birch")
    (move,) = seen["transitions"]["nodes"]
    assert move["move"] == "BEGIN_DISCOVERY"
    really = (desk.provider.clock() - timedelta(days=1)).isoformat()
    corrected = await desk.move(
        "onboardingCorrect",
        "Birch",
        "changes { kind } onboarding { enteredAt }",
        transitionId=move["id"],
        effectiveAt=really,
        reason="Their scan ran yesterday; I noted it today.",
    )
    assert {"STAY", "TARGET", "TIMER"} <= {change["kind"] for change in corrected["changes"]}
    assert corrected["onboarding"]["enteredAt"][:10] == really[:10]


async def _a_client_must_wait_and_its_plan_moves(desk: Desk) -> None:
    back = desk.today + timedelta(days=7)
    await desk.move(
        "onboardingHold", "Birch", holdReason="CLIENT", expectedResumeOn=back.isoformat(), note="Their move."
    )
    assert (await desk.stands("Birch"))["pace"] == "ON_HOLD"
    before = (await desk.stands("Birch"))["targetAt"]
    plan: dict[str, Any] = {"dates": [{"stage": "EARLY_SUPPORT", "plannedOn": (back + timedelta(days=20)).isoformat()}]}
    desk.provider.clock.forward(days=7)
    await fire_due(desk.provider.context)
    await desk.move("onboardingResume", "Birch")
    assert (await desk.stands("Birch"))["targetAt"] > before
    await desk.move("onboardingPlan", "Birch", **plan)
    later: dict[str, Any] = {
        "dates": [{"stage": "EARLY_SUPPORT", "plannedOn": (back + timedelta(days=25)).isoformat()}]
    }
    seen = await desk.stands("Birch")
    of_it = {"onboardingId": seen["id"], "expectedVersion": seen["version"]}
    assert [e["path"] for e in (await desk.try_to("onboardingPlan", **of_it, **later))["errors"]] == [["reason"]]
    await desk.move("onboardingPlan", "Birch", **later, reason="The scan waits for their move.")


async def _service_begins_and_grows_by_a_site(desk: Desk) -> None:
    await desk.advance("Alder", "EARLY_SUPPORT")
    client, me = desk.clients["Alder"], public(IdKind.MEMBER, desk.lead.id)
    site = await desk.tell("siteCreate", "site { id }", client={"id": client}, name="Depot", country="NL")
    agreed = {"title": "Depot", "status": "SIGNED", "startsOn": desk.today.isoformat(), "siteId": site["site"]["id"]}
    contract = desk.clients["Alder's contract"]
    amended = await desk.tell("amendmentCreate", "amendment { id }", contractId=contract, **agreed)
    part = {"siteId": site["site"]["id"], "amendmentId": amended["amendment"]["id"]}
    opened = await desk.tell(
        "onboardingExpand", "onboarding { id scopeName stage }", clientId=client, leadId=me, **part
    )
    assert (opened["onboarding"]["scopeName"], opened["onboarding"]["stage"]) == ("Depot", "CONTRACTING")
    desk.onboardings["Depot"] = opened["onboarding"]["id"]
    assert (await desk.stands("Alder"))["stage"] == "EARLY_SUPPORT"


async def _a_client_gives_notice_and_stays_after_all(desk: Desk) -> None:
    ends_on = (desk.today + timedelta(days=90)).isoformat()
    notice = {"givenBy": "CLIENT", "endsOn": ends_on, "outcome": "PRICE", "reason": "A cheaper offer."}
    given = await desk.move("onboardingGiveNotice", "Alder", "changes { kind name }", **notice)
    assert {"NOTICE", "TIMER", "FOLLOW_UP"} <= {change["kind"] for change in given["changes"]}
    assert (await desk.stands("Alder"))["notice"] == {"endsOn": ends_on}
    saving = (await desk.ask("{ followUps(first: 5, kind: SAVE_CLIENT) { nodes { id dueOn } } }"))["followUps"]["nodes"]
    assert len(saving) == 1
    await desk.move("onboardingWithdrawNotice", "Alder", reason="We talked; they stay.")
    assert (await desk.stands("Alder"))["notice"] is None


async def _the_day_is_told_as_it_was(desk: Desk) -> None:
    told = await desk.ask(
        """query ($id: ID!) { onboarding(id: $id) {
          transitions(first: 50) { nodes { move accepted actorId } }
          timeline(first: 100) { nodes { kind key } }
        } }""",
        id=desk.onboardings["Birch"],
    )
    moves = [t["move"] for t in told["onboarding"]["transitions"]["nodes"] if t["accepted"]]
    assert moves == ["OPEN", "BEGIN_DISCOVERY", "UNDO", "BEGIN_DISCOVERY", "CORRECT", "HOLD", "RESUME"]
    kinds = {entry["kind"] for entry in told["onboarding"]["timeline"]["nodes"]}
    assert {"MOVED", "PLANNED", "RE_PLANNED", "WAIVER_GRANTED"} <= kinds
