"""Programs bring existing clients in through the API, look first, and may send it again."""

from typing import Any
from uuid import uuid4

from domain.access import Principal, Scope
from tests.support.moving_in import Lead, counted, lead_of
from tests.support.providers import Provider
from tests.support.schema_walk import Asker

IMPORT = """
mutation ($input: OnboardingImportInput!) {
  onboardingImport(input: $input) {
    created joined existing failed eventId
    changes { kind name after count }
    results {
      index status clientId onboardingId stage warnings
      stays { stage enteredAt leftAt }
      effects { kind name state reason dueAt contactIndex }
      errors { code message path }
    }
    errors { code }
  }
}
"""


def rows(lead: Lead) -> list[dict[str, Any]]:
    return [
        {
            "name": "Acme",
            "external": {"system": "PSA", "key": "1"},
            "leadEmail": lead.email,
            "contract": {"title": "Managed services", "signedOn": "2026-01-05", "startsOn": "2026-02-01"},
            "contacts": [{"name": "Pat", "email": "pat@acme.example"}],
            "stage": "STEADY_STATE",
            "liveOn": "2025-10-01",
            "steadyOn": "2026-01-15",
        },
        {"name": "Bolt", "leadEmail": lead.email, "stage": "EARLY_SUPPORT"},
    ]


async def sent(
    provider: Provider, by: Principal, given: list[dict[str, Any]], *, dry_run: bool = False, key: str | None = None
) -> dict[str, Any]:
    variables = {"input": {"rows": given, "dryRun": dry_run, "idempotencyKey": key or uuid4().hex}}
    body, problems = await Asker(provider.context).ask(by, IMPORT, variables)
    assert problems == []
    payload: dict[str, Any] = body["data"]["onboardingImport"]
    return payload


async def test_a_program_looks_first_and_then_brings_clients_in(provider: Provider) -> None:
    lead = await lead_of(provider)
    program = await provider.program(Scope.CLIENTS_WRITE, Scope.ONBOARDING_END)
    before = await counted(provider)
    foreseen = await sent(provider, program, rows(lead), dry_run=True)
    assert await counted(provider) == before
    came = await sent(provider, program, rows(lead), key="once")

    assert (came["created"], came["failed"], came["errors"]) == (1, 1, [])
    assert foreseen["changes"] == came["changes"]
    assert foreseen["results"][1] == came["results"][1]
    first = came["results"][0]
    assert foreseen["results"][0] == first | {"clientId": None, "onboardingId": None}
    assert [stay["stage"] for stay in first["stays"]] == ["EARLY_SUPPORT", "STEADY_STATE"]
    nps = {"kind": "SURVEY", "name": "QUARTERLY_NPS", "state": "PLANNED", "reason": None, "contactIndex": 0}
    assert nps | {"dueAt": "2026-04-14T23:00:00Z"} in first["effects"]
    (error,) = came["results"][1]["errors"]
    assert (error["code"], error["path"]) == ("INVALID", ["rows", "1", "liveOn"])

    assert await sent(provider, program, rows(lead), key="once") == came
    again = await sent(provider, program, rows(lead)[:1])
    assert (again["existing"], again["changes"], again["eventId"]) == (1, [], None)


async def test_what_was_brought_in_is_read_like_any_other(provider: Provider) -> None:
    lead = await lead_of(provider)
    came = await sent(provider, provider.admin, rows(lead)[:1])
    read = """query ($id: ID!) { onboarding(id: $id) {
        stage pace client { name stage } visits { stage } escalationWindows { openedAt }
        transitions(first: 9) { nodes { move fromStage toStage effectiveAt recordedAt channel gates } }
    } }"""
    body, problems = await Asker(provider.context).ask(provider.admin, read, {"id": came["results"][0]["onboardingId"]})
    assert problems == []
    found = body["data"]["onboarding"]
    assert (found["stage"], found["client"]) == ("STEADY_STATE", {"name": "Acme", "stage": "STEADY_STATE"})
    moves = found["transitions"]["nodes"]
    assert [(m["move"], m["toStage"], m["channel"], m["gates"]) for m in moves] == [
        ("IMPORT", "EARLY_SUPPORT", "API", []),
        ("IMPORT", "STEADY_STATE", "API", []),
    ]
    assert [m["effectiveAt"] for m in moves] == ["2025-09-30T22:00:00Z", "2026-01-14T23:00:00Z"]


async def test_days_at_the_ends_of_the_calendar_are_named_as_out_of_range(provider: Provider) -> None:
    lead = await lead_of(provider)
    row = {"name": "Acme", "leadEmail": lead.email, "stage": "EARLY_SUPPORT"}
    contract = {"title": "Managed services"}
    given: list[dict[str, Any]] = []
    for day in ("0001-01-01", "9999-12-31"):
        given.append(row | {"liveOn": day})
        given.append(row | {"liveOn": "2026-01-05", "hold": {"since": day, "reason": "CLIENT"}})
        given.append(row | {"liveOn": "2026-01-05", "contract": {**contract, "signedOn": day}})
        given.append(row | {"liveOn": "2026-01-05", "contract": {**contract, "status": "ENDED", "endsOn": day}})
    paths = [["liveOn"], ["hold", "since"], ["contract", "signedOn"], ["contract", "endsOn"]]

    answer = await sent(provider, provider.admin, given, dry_run=True)

    out_of_range = [
        [error["path"][2:] for error in result["errors"] if "is out of range; give a day from" in error["message"]]
        for result in answer["results"]
    ]
    assert out_of_range == [[path] for path in paths * 2]
