"""Checklists, hand-off records and follow-ups through the API: the day of a technician and of whoever leads them."""

from typing import Any

import pytest

from domain.access import Principal, Role, Scope
from domain.ids import IdKind, public
from domain.tokens import TokenKind
from tests.support.asking import answered, asked
from tests.support.checklists import contact_of, finish, hand_over, item_of
from tests.support.onboarding import Onboarding, opened
from tests.support.providers import Provider, done, sent, shown
from workflows import tokens
from workflows.teams import TeamCommand, change_team
from workflows.tokens import CreateToken

MINE = """
query ($first: Int!) { myChecklist(first: $first) { totalCount nodes {
  id key title stage required proves dueOn ownerRole done own version
  assignee { name } onboarding { number client { name } } } } }
"""
COMPLETE = """
mutation ($id: ID!) {
  checklistItemComplete(input: {checklistItemId: $id, note: "Seen.", link: "https://docs.example/1"}) {
    item { done doneAt doneById note link version } eventId errors { code message path } } }
"""
LISTED = """
query ($where: ChecklistItemWhere) { checklistItems(where: $where, first: 100) { totalCount nodes { key clientId } } }
"""
ONBOARDING = """
query ($id: ID!) { onboarding(id: $id) {
  checklist(stage: CONTRACTING, done: false) { key note }
  handOff { scopeSold promises incumbent support risks secretsPlace declaredNone missing complete version
    contacts { role contactId contact { name } } approverIds approvers { name } vipIds vips { name } }
  followUps { kind title dueOn waiverId } } }
"""
HAND_OFF = """
mutation ($input: HandOffUpdateInput!) { handOffUpdate(input: $input) {
  handOff { missing complete version } eventId errors { code message path } } }
"""
OPEN_FOLLOW_UP = """
mutation ($onboarding: ID!, $owner: ID!) { followUpOpen(input: {
  onboardingId: $onboarding, ownerId: $owner, title: "Call them", dueOn: "2027-01-04", kind: SAVE_CLIENT}) {
  followUp { id kind title waiverId version } errors { code message path } } }
"""


@pytest.fixture
async def onboarding(provider: Provider) -> Onboarding:
    return await opened(provider)


async def engineer_of(*onboardings: Onboarding) -> Principal:
    """Return an agent who is on the team of all of these, signed in."""
    provider = onboardings[0].provider
    agent = await provider.invited(Role.AGENT)
    for one in onboardings:
        command = TeamCommand(one.cycle, one.version, engineers=(agent.id,))
        outcome = await change_team(provider.context, provider.admin, sent(), command)
        done(outcome)
        one.version = outcome.version or 0
    return await provider.signed_in(await provider.token_of(agent.id))


async def test_a_technician_sees_their_work_over_all_clients_and_says_what_is_done(provider: Provider) -> None:
    first, second = await opened(provider), await opened(provider)
    engineer = await engineer_of(first, second)
    await first.forward()
    await second.forward()
    mine = (await asked(provider, MINE, {"first": 50}, engineer))["myChecklist"]
    assert mine["totalCount"] == len(mine["nodes"]) == 2 * 4
    assert {item["ownerRole"] for item in mine["nodes"]} == {"ENGINEER"}
    assert [item["dueOn"] for item in mine["nodes"]] == sorted(item["dueOn"] for item in mine["nodes"])
    done_one = (await asked(provider, COMPLETE, {"id": mine["nodes"][0]["id"]}, engineer))["checklistItemComplete"]
    assert done_one["errors"] == []
    assert done_one["item"] == {
        "done": True,
        "doneAt": done_one["item"]["doneAt"],
        "doneById": public(IdKind.MEMBER, engineer.id),
        "note": "Seen.",
        "link": "https://docs.example/1",
        "version": 2,
    }
    assert (await asked(provider, MINE, {"first": 1}, engineer))["myChecklist"]["totalCount"] == 7


async def test_the_list_of_all_items_is_narrowed_by_what_is_asked(provider: Provider) -> None:
    first, second = await opened(provider), await opened(provider)
    await finish(first, "hand-off-call")
    client = public(IdKind.CLIENT, first.client)

    async def keys(**where: Any) -> list[str]:
        found = (await asked(provider, LISTED, {"where": where}))["checklistItems"]
        assert found["totalCount"] == len(found["nodes"])
        return [item["key"] for item in found["nodes"]]

    assert len(await keys()) == 12
    assert len(await keys(clientId=client)) == 6
    assert len(await keys(clientId=client, open=True)) == 5
    assert await keys(clientId=client, open=False) == ["hand-off-call"]
    assert len(await keys(clientId=client, required=True)) == 4
    assert len(await keys(assigneeId=public(IdKind.MEMBER, second.lead.id))) == 6
    due = (await item_of(first, "stakeholders")).due_on
    assert sorted(await keys(dueBefore=str(due))) == ["hand-off-call", "hand-off-call"]
    assert await keys(onboardingId=public(IdKind.ONBOARDING, first.cycle), stage="ASSET_DISCOVERY") == []


async def test_an_onboarding_shows_its_checklist_and_what_sales_handed_over(onboarding: Onboarding) -> None:
    variables = {"id": public(IdKind.ONBOARDING, onboarding.cycle)}
    shown = (await asked(onboarding.provider, ONBOARDING, variables))["onboarding"]
    assert len(shown["checklist"]) == 6
    assert (shown["handOff"]["version"], len(shown["handOff"]["missing"])) == (0, 9)
    await hand_over(onboarding)
    await finish(onboarding, "hand-off-call")
    shown = (await asked(onboarding.provider, ONBOARDING, variables))["onboarding"]
    record = shown["handOff"]
    assert len(shown["checklist"]) == 5
    assert (record["complete"], record["missing"]) == (True, [])
    assert record["declaredNone"] == ["INCUMBENT", "VIPS", "RISKS"]
    assert record["contacts"][0]["contact"] == {"name": "Pat Primary"}
    assert record["approvers"] == [{"name": "Pat Primary"}]


async def test_a_record_is_written_with_a_clear_word_on_each_wrong_field(onboarding: Onboarding) -> None:
    other = await contact_of(await opened(onboarding.provider))
    given: dict[str, Any] = {
        "onboardingId": public(IdKind.ONBOARDING, onboarding.cycle),
        "promises": "password: hunter2",
        "approverIds": [public(IdKind.CONTACT, other)],
        "declareNone": ["INCUMBENT"],
    }
    refused = (await asked(onboarding.provider, HAND_OFF, {"input": given}))["handOffUpdate"]
    assert [(e["code"], e["path"]) for e in refused["errors"]] == [
        ("INVALID", ["promises"]),
        ("NOT_FOUND", ["approverIds"]),
    ]
    own = public(IdKind.CONTACT, await contact_of(onboarding))
    given |= {
        "promises": None,
        "approverIds": [own],
        "contacts": [{"role": "SIGNER", "contactId": own}],
        "expectedVersion": 0,
    }
    written = (await asked(onboarding.provider, HAND_OFF, {"input": given}))["handOffUpdate"]
    assert written["errors"] == []
    assert written["handOff"]["version"] == 1
    assert written["handOff"]["missing"] == ["SCOPE_SOLD", "PROMISES", "SUPPORT", "VIPS", "RISKS", "SECRETS_PLACE"]
    stale = (await asked(onboarding.provider, HAND_OFF, {"input": given}))["handOffUpdate"]
    assert [e["code"] for e in stale["errors"]] == ["STALE_VERSION"]


async def test_a_follow_up_opened_by_hand_shows_with_its_onboarding(onboarding: Onboarding) -> None:
    variables = {
        "onboarding": public(IdKind.ONBOARDING, onboarding.cycle),
        "owner": public(IdKind.MEMBER, onboarding.lead.id),
    }
    opened_one = (await asked(onboarding.provider, OPEN_FOLLOW_UP, variables))["followUpOpen"]
    assert opened_one["errors"] == []
    assert (opened_one["followUp"]["kind"], opened_one["followUp"]["waiverId"]) == ("SAVE_CLIENT", None)
    shown = (await asked(onboarding.provider, ONBOARDING, {"id": variables["onboarding"]}))["onboarding"]
    assert shown["followUps"] == [
        {"kind": "SAVE_CLIENT", "title": "Call them", "dueOn": "2027-01-04", "waiverId": None}
    ]


async def test_a_partner_sees_what_is_to_be_done_and_not_what_is_said_of_it(onboarding: Onboarding) -> None:
    provider = onboarding.provider
    await finish(onboarding, "hand-off-call", note="Said among us")
    command = CreateToken(TokenKind.PARTNER, "partner", scopes=(Scope.CLIENTS_READ,), clients=(onboarding.client,))
    partner = await provider.signed_in(shown(await tokens.create(provider.context, provider.admin, sent(), command)))
    variables = {"id": public(IdKind.ONBOARDING, onboarding.cycle)}
    listed = await asked(provider, "{ checklistItems(first: 9) { nodes { title } } }", None, partner)
    assert len(listed["checklistItems"]["nodes"]) == 6
    for text in (
        "{ checklistItems(first: 9) { nodes { note } } }",
        "query ($id: ID!) { onboarding(id: $id) { handOff { promises } } }",
    ):
        _, errors = await answered(provider, text, variables if "$id" in text else None, partner)
        assert "AUDIT_READ" in errors[0]
