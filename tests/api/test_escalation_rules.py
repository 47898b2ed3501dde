"""Escalation rules over GraphQL: tried, set, listed with every version, and told beside the figures meanwhile."""

from datetime import timedelta
from typing import Any

from domain.access import Role
from domain.tickets import HandOver
from tests.support.asking import answered, asked
from tests.support.providers import Provider
from tests.support.tickets import NOON, fold, report, ticket
from workflows import job_runs

SET = """mutation ($input: EscalationRuleSetInput!) { escalationRuleSet(input: $input) {
    unchanged eventId errors { code message path }
    current { id number note authorKind authorId appliedAt rule { test version vendorTeams words } }
    job { kind status unit dryRun }
    trial { tickets changed sample { externalId before after }
            months { month tickets kinds { kind escalatedBefore escalatedAfter rateBefore rateAfter
                                           escalationsBefore escalationsAfter } } } } }"""
APPLY = """mutation ($input: EscalationRuleApplyInput!) { escalationRuleApply(input: $input) {
    job { status } eventId errors { code path } } }"""
LIST = """query ($systems: [String!]) {
    escalationRules { system rule { version } current { number appliedAt } }
    escalationRuleVersions(systems: $systems, first: 10) { totalCount nodes { system number rule { test } note } } }"""
FIGURE = """{ kpi(query: { key: ESCALATIONS, period: { from: "2026-03-01", to: "2026-04-01" } }) {
    ruleMixtures { system versions } series { total { value } } } }"""


async def put(provider: Provider, **said: Any) -> Any:
    given = {"system": "DESK", "test": "REASSIGNED", **said}
    return (await asked(provider, SET, {"input": given}))["escalationRuleSet"]


async def desk(provider: Provider) -> None:
    teams = tuple(HandOver(NOON + timedelta(hours=place), team, 1) for place, team in enumerate("AB"))
    await report(provider, ticket(1, hand_overs=teams), ticket(2, tiers=(1, 2)), client=await provider.client())
    await fold(provider)


async def test_a_rule_is_tried_set_and_applied_and_a_figure_says_so_meanwhile(provider: Provider) -> None:
    await desk(provider)
    tried = await put(provider, vendorTeams=["B"], dryRun=True)
    assert (tried["trial"]["tickets"], tried["trial"]["changed"], tried["job"], tried["eventId"]) == (2, 1, None, None)
    assert tried["trial"]["sample"] == [{"externalId": "T-1", "before": [], "after": ["VENDOR"]}]
    (month,) = tried["trial"]["months"]
    vendor = {one["kind"]: one for one in month["kinds"]}["VENDOR"]
    assert (month["tickets"], vendor["rateBefore"], vendor["rateAfter"], vendor["escalationsAfter"]) == (2, 0, 0.5, 1)
    assert tried["current"]["number"] == 1
    done = await put(provider, note="Lines are gone.", expectedVersion=1)
    assert (done["errors"], done["trial"], done["current"]["note"]) == ([], None, "Lines are gone.")
    assert (done["current"]["number"], done["current"]["authorKind"], done["current"]["appliedAt"]) == (
        2,
        "PERSON",
        None,
    )
    assert done["job"] == {"kind": "TICKET_REDERIVATION", "status": "QUEUED", "unit": "TICKETS", "dryRun": False}
    assert (await asked(provider, FIGURE))["kpi"] == {
        "ruleMixtures": [{"system": "DESK", "versions": [1, 2]}],
        "series": [{"total": {"value": 1}}],
    }
    while await job_runs.work(provider.context):
        pass
    assert (await asked(provider, FIGURE))["kpi"] == {"ruleMixtures": [], "series": [{"total": {"value": 2}}]}
    listed = await asked(provider, LIST)
    assert listed["escalationRules"][0]["current"]["appliedAt"] is not None
    assert [one["number"] for one in listed["escalationRuleVersions"]["nodes"]] == [2, 1]
    assert (await asked(provider, LIST, {"systems": ["OTHER"]}))["escalationRuleVersions"]["totalCount"] == 0
    assert (await put(provider))["unchanged"] is True


async def test_what_cannot_be_is_refused_by_its_place(provider: Provider) -> None:
    await desk(provider)
    wrong = await put(provider, fromTier=1, managementTeams=["ok", ""])
    assert [(error["code"], error["path"]) for error in wrong["errors"]] == [
        ("INVALID", ["fromTier"]),
        ("INVALID", ["managementTeams", "1"]),
    ]
    assert (await put(provider, expectedVersion=0))["errors"][0]["code"] == "STALE_VERSION"
    nowhere = (await asked(provider, APPLY, {"input": {"system": "NOWHERE"}}))["escalationRuleApply"]
    assert [error["code"] for error in nowhere["errors"]] == ["NOT_FOUND"]
    everywhere = (await asked(provider, APPLY, {"input": {}}))["escalationRuleApply"]
    assert (everywhere["job"]["status"], everywhere["errors"]) == ("QUEUED", [])


async def test_only_who_writes_policies_sets_a_rule_and_notes_are_for_who_reads_them(provider: Provider) -> None:
    await desk(provider)
    lead = await provider.invited(Role.ONBOARDING_LEAD)
    _, errors = await answered(provider, SET, {"input": {"system": "DESK", "test": "REASSIGNED"}}, lead)
    assert "POLICIES_WRITE" in errors[0]
