"""A service manager edits, compares, carries and migrates definitions through the API."""

import json
from typing import Any

from domain.access import Role, Scope
from domain.default_checklists import first_rules
from domain.definition_documents import write
from domain.definition_schema import definition_schema
from domain.ids import IdKind, public
from tests.support.asking import answered, asked
from tests.support.edge import running
from tests.support.onboarding import opened
from tests.support.providers import Provider

EDIT = """
mutation ($input: OnboardingDefinitionEditInput!) {
  onboardingDefinitionEdit(input: $input) {
    definition { number basedOn note authorId authorKind timerDays }
    unchanged eventId
    changes { kind name before after }
    errors { code message path ... on StaleVersion { current } }
  }
}
"""

IMPORT = """
mutation ($input: OnboardingDefinitionImportInput!) {
  onboardingDefinitionImport(input: $input) {
    definition { number } unchanged eventId changes { name before after } errors { code message path }
  }
}
"""

MIGRATE = """
mutation ($input: OnboardingMigrateInput!) {
  onboardingMigrate(input: $input) {
    definition { number openOnboardings }
    results { onboardingId status changes { kind name before after } errors { code message path } }
    changes { kind } remaining eventId errors { code }
  }
}
"""

EVERYTHING = """
{
  onboardingDefinitions(first: 10) {
    totalCount
    nodes {
      id number createdAt basedOn note authorKind authorId openOnboardings document mermaid dayNinetyFrom timerDays
      earlySupportDays minimumEarlyDays holdReviewDays atRiskShare pendingHours discoveryAgeDays managedShare
      escalationDays escalationMinimumTickets waiverDays
      targets { stage businessDays } staleBusinessDays { stage businessDays }
      gates { move gate hardness } triggers { move survey audience delayDays }
      checklists { stage items { key title ownerRole dueBusinessDays required proves } }
    }
  }
}
"""


async def edited(provider: Provider, **change: Any) -> Any:
    data = await asked(provider, EDIT, {"input": change})
    return data["onboardingDefinitionEdit"]


async def test_an_edit_names_every_change_and_keeps_who_made_it(provider: Provider) -> None:
    payload = await edited(
        provider,
        expectedNumber=1,
        note="New year",
        targets=[{"stage": "CONTRACTING", "businessDays": 8}],
        staleBusinessDays=[{"stage": "CONTRACTING", "businessDays": 4}],
        gates=[{"gate": "BACKUP_VERIFIED", "hardness": "HARD"}],
        triggers=[{"move": "LOSE", "survey": "EXIT", "audience": "CLIENT", "delayDays": 3}],
        checklists=[
            {"stage": "STEADY_STATE", "items": [{"key": "look-back", "title": "Look back", "ownerRole": "ENGINEER"}]}
        ],
        timerDays=[90, 15],
        managedShare=0.5,
        dayNinetyFrom="SERVICE_START",
    )
    assert payload["errors"] == []
    assert payload["eventId"].startswith("evt_")
    definition = payload["definition"]
    assert (definition["number"], definition["basedOn"], definition["note"]) == (2, 1, "New year")
    assert definition["authorId"] == public(IdKind.MEMBER, provider.admin.id)
    assert definition["timerDays"] == [15, 90]
    changed = {change["name"]: (change["before"], change["after"]) for change in payload["changes"]}
    assert changed["targets.CONTRACTING"] == ("10", "8")
    assert changed["staleBusinessDays.CONTRACTING"] == ("5", "4")
    assert changed["gates.BACKUP_VERIFIED"] == ("SOFT", "HARD")
    assert changed["triggers.LOSE.EXIT.CLIENT"] == (None, '{"delayDays": 3}')
    assert changed["managedShare"] == ("0.95", "0.5")
    assert changed["dayNinetyFrom"] == ("CONTRACT_START", "SERVICE_START")
    assert changed["checklists.STEADY_STATE.look-back"][0] is None


async def test_versions_are_listed_newest_first_with_all_they_say(provider: Provider) -> None:
    await opened(provider)
    await edited(provider, expectedNumber=1, waiverDays=3)
    data = await asked(provider, EVERYTHING)
    newest, first = data["onboardingDefinitions"]["nodes"]
    assert data["onboardingDefinitions"]["totalCount"] == 2
    assert (newest["number"], first["number"]) == (2, 1)
    assert (newest["waiverDays"], first["waiverDays"]) == (3, 14)
    assert (newest["openOnboardings"], first["openOnboardings"]) == (0, 1)
    assert (first["authorKind"], first["authorId"], first["note"], first["basedOn"]) == ("SYSTEM", None, None, None)
    assert first["document"] == write(first_rules())
    assert {one["stage"] for one in first["checklists"]} >= {"CONTRACTING", "OFFBOARDED"}
    page = await asked(provider, "{ onboardingDefinitions(last: 1) { nodes { number } } }")
    assert [one["number"] for one in page["onboardingDefinitions"]["nodes"]] == [1]


async def test_a_version_is_found_by_its_number(provider: Provider) -> None:
    await edited(provider, expectedNumber=1, waiverDays=3)
    query = "query ($n: Int) { onboardingDefinition(number: $n) { number waiverDays } }"
    found = [(await asked(provider, query, {"n": n}))["onboardingDefinition"] for n in (1, None, 9)]
    assert found == [{"number": 1, "waiverDays": 14}, {"number": 2, "waiverDays": 3}, None]


DIFFERENCES = """
query ($from: Int!, $to: Int!) { onboardingDefinitionDifferences(from: $from, to: $to) { path before after } }
"""


async def test_two_versions_are_compared_by_plain_paths(provider: Provider) -> None:
    await edited(provider, expectedNumber=1, gates=[{"gate": "BACKUP_VERIFIED", "hardness": "HARD"}], waiverDays=3)
    data = await asked(provider, DIFFERENCES, {"from": 1, "to": 2})
    assert data["onboardingDefinitionDifferences"] == [
        {"path": "waiverDays", "before": 14, "after": 3},
        {"path": "gates.BACKUP_VERIFIED", "before": "SOFT", "after": "HARD"},
    ]
    assert (await asked(provider, DIFFERENCES, {"from": 2, "to": 2}))["onboardingDefinitionDifferences"] == []
    _, errors = await answered(provider, DIFFERENCES, {"from": 1, "to": 7})
    assert errors == ["to: there is no version 7; onboardingDefinitions lists those there are."]


async def test_what_was_decided_on_an_older_version_is_stale(provider: Provider) -> None:
    await edited(provider, expectedNumber=1, waiverDays=3)
    payload = await edited(provider, expectedNumber=1, waiverDays=5)
    (error,) = payload["errors"]
    assert (error["code"], error["path"], error["current"]) == ("STALE_VERSION", ["expectedNumber"], 2)
    assert (payload["definition"]["number"], payload["changes"], payload["eventId"]) == (2, [], None)


async def test_nothing_changed_is_said_and_a_dry_run_changes_nothing(provider: Provider) -> None:
    same = await edited(provider, expectedNumber=1, waiverDays=14)
    assert (same["unchanged"], same["definition"]["number"], same["errors"]) == (True, 1, [])
    tried = await edited(provider, expectedNumber=1, waiverDays=3, dryRun=True)
    assert (tried["unchanged"], tried["definition"]["number"], tried["eventId"]) == (False, 1, None)
    assert tried["changes"] == [{"kind": "DEFINITION", "name": "waiverDays", "before": "14", "after": "3"}]


async def test_a_stage_named_twice_is_refused(provider: Provider) -> None:
    twice = [{"stage": "CONTRACTING", "businessDays": 8}, {"stage": "CONTRACTING", "businessDays": 9}]
    _, errors = await answered(provider, EDIT, {"input": {"expectedNumber": 1, "targets": twice}})
    assert errors == ["targets: CONTRACTING is there twice; leave one out."]


async def test_a_document_comes_in_whole_or_not_at_all(provider: Provider) -> None:
    document = json.loads(json.dumps(write(first_rules())))
    document["waiverDays"] = 2
    data = await asked(provider, IMPORT, {"input": {"document": document}})
    payload = data["onboardingDefinitionImport"]
    assert (payload["errors"], payload["definition"]["number"]) == ([], 2)
    assert payload["changes"] == [{"name": "waiverDays", "before": "14", "after": "2"}]
    wrong = document | {"waiverDays": 0, "extra": 1}
    data = await asked(provider, IMPORT, {"input": {"document": wrong}})
    errors = data["onboardingDefinitionImport"]["errors"]
    assert [(error["path"], error["code"]) for error in errors] == [
        (["document", "extra"], "INVALID"),
        (["document", "waiverDays"], "INVALID"),
    ]
    assert errors[1]["message"] == "waiverDays: 0 does not do; give a whole number from 1 to 366."
    data = await asked(provider, IMPORT, {"input": {"document": "no object"}})
    assert data["onboardingDefinitionImport"]["errors"][0]["path"] == ["document"]


async def test_the_schema_of_documents_is_published(provider: Provider) -> None:
    data = await asked(provider, "{ onboardingDefinitionSchema }")
    assert data["onboardingDefinitionSchema"] == definition_schema()


async def test_a_migration_tells_each_onboarding_and_what_changes_of_it(provider: Provider) -> None:
    onboarding = await opened(provider)
    id_ = public(IdKind.ONBOARDING, onboarding.cycle)
    await edited(provider, expectedNumber=1, targets=[{"stage": "CONTRACTING", "businessDays": 3}])
    given = {"toNumber": 2, "reason": "faster", "onboardingIds": [id_]}
    tried = (await asked(provider, MIGRATE, {"input": given | {"dryRun": True}}))["onboardingMigrate"]
    assert (tried["definition"], tried["eventId"]) == ({"number": 2, "openOnboardings": 0}, None)
    payload = (await asked(provider, MIGRATE, {"input": given}))["onboardingMigrate"]
    assert payload["errors"] == []
    assert payload["definition"] == {"number": 2, "openOnboardings": 1}
    assert payload["results"] == tried["results"]
    (result,) = payload["results"]
    assert (result["onboardingId"], result["status"]) == (id_, "UPDATED")
    assert result["changes"][0] == {"kind": "DEFINITION", "name": None, "before": "1", "after": "2"}
    assert len(payload["changes"]) == len(result["changes"])
    text = "query ($id: ID!) { onboarding(id: $id) { definition { number } transitions(last: 1) { nodes { move } } } }"
    seen = (await asked(provider, text, {"id": id_}))["onboarding"]
    assert seen == {"definition": {"number": 2}, "transitions": {"nodes": [{"move": "MIGRATE"}]}}


async def test_a_refused_onboarding_is_named(provider: Provider) -> None:
    nobodys = public(IdKind.ONBOARDING, provider.admin.id)
    given = {"toNumber": 1, "reason": "why not", "onboardingIds": [nobodys]}
    payload = (await asked(provider, MIGRATE, {"input": given}))["onboardingMigrate"]
    assert [error["code"] for error in payload["errors"]] == ["NOT_FOUND"]
    (result,) = payload["results"]
    assert (result["onboardingId"], result["status"]) == (None, "FAILED")
    assert result["errors"][0]["path"] == ["onboardingIds", "0"]


async def test_who_made_a_version_takes_the_right_to_know_members(provider: Provider) -> None:
    program = await provider.program(Scope.POLICIES_READ)
    data, errors = await answered(provider, "{ onboardingDefinition { number authorId } }", principal=program)
    assert data == {"onboardingDefinition": {"number": 1, "authorId": None}}
    assert len(errors) == 1
    agent = await provider.invited(Role.AGENT)
    assert (await asked(provider, "{ onboardingDefinition { number } }", principal=agent))["onboardingDefinition"]


async def test_the_schema_is_a_file_that_any_editor_can_fetch() -> None:
    async with running() as edge:
        response = await edge.get("/onboarding-definition.json")
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/schema+json"
    assert response.json() == definition_schema()
