"""A lead notes, plans and sees through the API what goes on, what is silent and why."""

from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from sqlalchemy.sql.expression import Executable

from db.session import Transaction
from domain.access import Role, Scope
from domain.ids import IdKind, public
from tests.support.asking import answered, asked
from tests.support.onboarding import Onboarding, opened
from tests.support.providers import Provider, without

ADD = """
mutation ($input: NoteAddInput!) {
  noteAdd(input: $input) {
    note { id text pinned version author { name } onboardingId viewerMayChange } eventId errors { code message path }
  }
}
"""

EDIT = """
mutation ($input: NoteEditInput!) {
  noteEdit(input: $input) { note { text pinned version editedAt } errors { code ... on StaleVersion { current } } }
}
"""

DELETE = "mutation ($n: ID!) { noteDelete(input: {noteId: $n}) { note { text deletedAt } errors { code } } }"

PLAN = """
mutation ($input: OnboardingPlanInput!) {
  onboardingPlan(input: $input) {
    onboarding { version plannedDates { stage plannedOn rePlans history { plannedOn previousOn rePlan reason } } }
    changes { kind name before after subject } eventId errors { code message path }
  }
}
"""

TOLD = """
query ($id: ID!, $kinds: [TimelineKind!]) {
  onboarding(id: $id) {
    activeAt
    timeline(first: 50, kinds: $kinds) {
      totalCount nodes { kind key detail subjectId onboardingId note { text } }
    }
  }
}
"""

BOARD = """
{ onboardingPipeline { stages { stage paces { pace count }
    cards { pace paceReason activeAt plannedDates { stage plannedOn setAt history { setAt actorId } }
      notes(first: 2) { totalCount nodes { text author { name } } }
      timeline(last: 5, kinds: [NOTE_ADDED]) { totalCount nodes { note { text } } }
      client { notes(first: 2) { nodes { text } } timeline(last: 5) { totalCount nodes { kind } } } } } } }
"""


@pytest.fixture
async def onboarding(provider: Provider) -> Onboarding:
    return await opened(provider)


async def lead_asks(onboarding: Onboarding, text: str, **variables: Any) -> Any:
    return await asked(onboarding.provider, text, variables, onboarding.lead)


def named(onboarding: Onboarding) -> str:
    return public(IdKind.ONBOARDING, onboarding.cycle)


async def noted(onboarding: Onboarding, text: str, **given: Any) -> Any:
    of = {} if "client" in given else {"onboardingId": named(onboarding)}
    data = await lead_asks(onboarding, ADD, input={"text": text} | of | given)
    assert data["noteAdd"]["errors"] == []
    return data["noteAdd"]["note"]


def day(onboarding: Onboarding, days: int) -> str:
    return (onboarding.provider.clock().date() + timedelta(days=days)).isoformat()


async def test_notes_are_paged_latest_first_and_pinned_ones_found(onboarding: Onboarding) -> None:
    for number in range(4):
        onboarding.provider.clock.forward(minutes=1)
        await noted(onboarding, f"Note {number}", pinned=number == 1)
    onboarding.provider.clock.forward(minutes=1)
    await noted(onboarding, "Of the client", client={"id": public(IdKind.CLIENT, onboarding.client)})
    listed = """
    query ($id: ID!, $after: Cursor) { onboarding(id: $id) {
      notes(first: 3, after: $after) { totalCount nodes { text } pageInfo { endCursor hasNextPage } }
      pinned: notes(first: 3, pinned: true) { totalCount nodes { text } }
      client { notes(first: 10) { nodes { text onboardingId } } }
    } }
    """
    seen = (await lead_asks(onboarding, listed, id=named(onboarding)))["onboarding"]
    assert [note["text"] for note in seen["notes"]["nodes"]] == ["Note 3", "Note 2", "Note 1"]
    assert seen["notes"]["totalCount"] == 4
    assert seen["pinned"] == {"totalCount": 1, "nodes": [{"text": "Note 1"}]}
    assert [note["text"] for note in seen["client"]["notes"]["nodes"]][:2] == ["Of the client", "Note 3"]
    assert seen["client"]["notes"]["nodes"][0]["onboardingId"] is None
    info = seen["notes"]["pageInfo"]
    rest = (await lead_asks(onboarding, listed, id=named(onboarding), after=info["endCursor"]))["onboarding"]
    assert [note["text"] for note in rest["notes"]["nodes"]] == ["Note 0"]
    assert (info["hasNextPage"], rest["notes"]["pageInfo"]["hasNextPage"]) == (True, False)


async def test_a_note_is_edited_and_deleted_and_its_words_are_gone(onboarding: Onboarding) -> None:
    note = await noted(onboarding, "They call at noon.")
    assert note["author"]["name"]
    assert note["viewerMayChange"] is True
    given = {"noteId": note["id"], "text": "They call at one.", "expectedVersion": 1}
    edited = (await lead_asks(onboarding, EDIT, input=given))["noteEdit"]
    assert (edited["note"]["text"], edited["note"]["version"]) == ("They call at one.", 2)
    stale = (await lead_asks(onboarding, EDIT, input=given))["noteEdit"]
    assert stale["errors"] == [{"code": "STALE_VERSION", "current": 2}]
    deleted = (await lead_asks(onboarding, DELETE, n=note["id"]))["noteDelete"]["note"]
    assert deleted["text"] is None
    assert deleted["deletedAt"] is not None
    told = (await lead_asks(onboarding, TOLD, id=named(onboarding), kinds=["NOTE_ADDED", "NOTE_EDITED"]))["onboarding"]
    assert [(e["kind"], e["detail"], e["note"]) for e in told["timeline"]["nodes"]] == [
        ("NOTE_ADDED", None, {"text": None}),
        ("NOTE_EDITED", "text", {"text": None}),
    ]
    assert {e["subjectId"] for e in told["timeline"]["nodes"]} == {note["id"]}


async def test_partners_and_those_without_the_right_read_no_words(onboarding: Onboarding) -> None:
    note = await noted(onboarding, "They pay late.")
    outsider = without(onboarding.lead, Scope.AUDIT_READ)
    read = "notes(first: 5) { nodes { text } }"
    for field in (read, f"client {{ {read} }}"):
        text = f"query ($id: ID!, $n: ID!) {{ onboarding(id: $id) {{ {field} }} node(id: $n) {{ id }} }}"
        names = {"id": named(onboarding), "n": note["id"]}
        data, errors = await answered(onboarding.provider, text, names, outsider)
        assert "They pay late" not in str(data)
        assert data["node"] is None
        assert len(errors) == 2
        assert all("AUDIT_READ" in error for error in errors)
    viewer = await onboarding.provider.invited(Role.VIEWER)
    _, errors = await answered(
        onboarding.provider, ADD, {"input": {"text": "x", "onboardingId": named(onboarding)}}, viewer
    )
    assert "NOTES_WRITE" in errors[0]


async def test_a_plan_is_foreseen_made_and_changed_with_a_reason(onboarding: Onboarding) -> None:
    dates = [
        {"stage": "ASSET_DISCOVERY", "plannedOn": day(onboarding, 5)},
        {"stage": "EARLY_SUPPORT", "plannedOn": day(onboarding, 25)},
    ]
    given = {"onboardingId": named(onboarding), "expectedVersion": 1, "dates": dates}
    foreseen = (await lead_asks(onboarding, PLAN, input=given | {"dryRun": True}))["onboardingPlan"]
    assert (foreseen["onboarding"], foreseen["eventId"]) == ({"version": 1, "plannedDates": []}, None)
    made = (await lead_asks(onboarding, PLAN, input=given))["onboardingPlan"]
    assert made["changes"] == foreseen["changes"]
    assert made["changes"][0] == {
        "kind": "PLANNED_DATE",
        "name": "ASSET_DISCOVERY",
        "before": None,
        "after": day(onboarding, 5),
        "subject": named(onboarding),
    }
    assert made["eventId"] is not None
    change = given | {"expectedVersion": 2, "dates": [{"stage": "ASSET_DISCOVERY", "plannedOn": day(onboarding, 8)}]}
    (error,) = (await lead_asks(onboarding, PLAN, input=change))["onboardingPlan"]["errors"]
    assert (error["code"], error["path"]) == ("INVALID", ["reason"])
    changed = (await lead_asks(onboarding, PLAN, input=change | {"reason": "On leave."}))["onboardingPlan"]
    discovery, early = changed["onboarding"]["plannedDates"]
    assert (discovery["plannedOn"], discovery["rePlans"], early["rePlans"]) == (day(onboarding, 8), 1, 0)
    assert discovery["history"][-1] == {
        "plannedOn": day(onboarding, 8),
        "previousOn": day(onboarding, 5),
        "rePlan": True,
        "reason": "On leave.",
    }
    told = (await lead_asks(onboarding, TOLD, id=named(onboarding), kinds=["PLANNED", "RE_PLANNED"]))["onboarding"]
    # Dates of one moment come in the order of their ids, which are made one after the other.
    assert [(e["kind"], e["key"], e["detail"]) for e in told["timeline"]["nodes"]] == [
        ("PLANNED", "ASSET_DISCOVERY", day(onboarding, 5)),
        ("PLANNED", "EARLY_SUPPORT", day(onboarding, 25)),
        ("RE_PLANNED", "ASSET_DISCOVERY", day(onboarding, 8)),
    ]
    assert told["timeline"]["totalCount"] == 3


async def test_the_board_says_what_is_stale_and_late_and_why(onboarding: Onboarding) -> None:
    provider = onboarding.provider

    async def card() -> Any:
        board = (await asked(provider, BOARD, None, onboarding.lead))["onboardingPipeline"]
        contracting = board["stages"][0]
        assert contracting["paces"] == [{"pace": contracting["cards"][0]["pace"], "count": 1}]
        return contracting["cards"][0]

    assert (await card())["pace"] == "ON_TRACK"
    provider.clock.forward(days=9)
    silent = await card()
    assert silent["pace"] == "STALE"
    assert silent["paceReason"].startswith("Nothing was done for ")
    assert "5 may pass in CONTRACTING" in silent["paceReason"]
    await noted(onboarding, "Called; they sign on Friday.")
    awake = await card()
    assert awake["pace"] in ("ON_TRACK", "AT_RISK")
    assert awake["activeAt"] == provider.clock().isoformat().replace("+00:00", "Z")
    given = {
        "onboardingId": named(onboarding),
        "expectedVersion": 1,
        "dates": [{"stage": "ASSET_DISCOVERY", "plannedOn": day(onboarding, 0)}],
    }
    await lead_asks(onboarding, PLAN, input=given)
    planned_for = day(onboarding, 0)
    provider.clock.forward(days=1)
    late = await card()
    assert (late["pace"], late["paceReason"]) == (
        "LATE",
        f"The day planned for ASSET_DISCOVERY, {planned_for}, has passed.",
    )


async def test_a_board_with_notes_and_plans_costs_no_more_statements_for_many(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    run = Transaction.rows

    async def counted(self: Transaction, statement: Executable, **params: object) -> list[asyncpg.Record]:
        seen.append(" ".join(str(statement).split()))
        return await run(self, statement, **params)

    async def added() -> None:
        onboarding = await opened(provider)
        await noted(onboarding, "Seen.")
        given = {
            "onboardingId": named(onboarding),
            "expectedVersion": 1,
            "dates": [{"stage": "ASSET_DISCOVERY", "plannedOn": day(onboarding, 5)}],
        }
        await lead_asks(onboarding, PLAN, input=given)

    counts = []
    for wanted in (1, 24):
        for _ in range(wanted):
            await added()
        monkeypatch.setattr(Transaction, "rows", counted)
        seen.clear()
        board = await asked(provider, BOARD)
        monkeypatch.setattr(Transaction, "rows", run)
        counts.append((len(board["onboardingPipeline"]["stages"][0]["cards"]), len(seen)))
    (few, for_few), (many, for_many) = counts
    assert (few, many) == (1, 25)
    assert for_many == for_few
