"""Undo, corrections, notice and discards through the API, as an onboarding lead sends them."""

from datetime import timedelta
from typing import Any

import pytest

from domain.ids import IdKind, public
from tests.support.asking import asked
from tests.support.onboarding import Onboarding, opened
from tests.support.providers import Provider

CHANGES = "changes { kind name before after count subject } eventId errors { code message path }"
SEEN = """
query ($id: ID!) { onboarding(id: $id) {
  stage version notice { givenBy endsOn outcome reason } notices { withdrawnAt }
  transitions(first: 20) { nodes { id move effectiveAt corrects accepted } }
} }
"""


@pytest.fixture
async def onboarding(provider: Provider) -> Onboarding:
    return await opened(provider)


async def seen(onboarding: Onboarding) -> Any:
    of_this = {"id": public(IdKind.ONBOARDING, onboarding.cycle)}
    return (await asked(onboarding.provider, SEEN, of_this, onboarding.lead))["onboarding"]


async def sent(onboarding: Onboarding, mutation: str, *, by_admin: bool = False, **values: Any) -> Any:
    given = {
        "onboardingId": public(IdKind.ONBOARDING, onboarding.cycle),
        "expectedVersion": (await seen(onboarding))["version"],
        **values,
    }
    name = mutation[0].upper() + mutation[1:]
    text = f"mutation ($input: {name}Input!) {{ {mutation}(input: $input) {{ onboarding {{ stage }} {CHANGES} }} }}"
    caller = onboarding.provider.admin if by_admin else onboarding.lead
    return (await asked(onboarding.provider, text, {"input": given}, caller))[mutation]


async def test_an_undo_shows_what_it_would_change_before_it_does(onboarding: Onboarding) -> None:
    await onboarding.forward()
    foreseen = await sent(onboarding, "onboardingUndo", dryRun=True)
    assert (foreseen["onboarding"]["stage"], foreseen["eventId"]) == ("ASSET_DISCOVERY", None)
    done = await sent(onboarding, "onboardingUndo")
    assert done["onboarding"]["stage"] == "CONTRACTING"
    assert done["eventId"] is not None
    assert done["changes"] == foreseen["changes"]
    assert {"STAGE", "STAY", "TARGET", "TIMER", "SURVEY"} <= {c["kind"] for c in done["changes"]}


async def test_a_correction_names_the_move_that_it_corrects(onboarding: Onboarding) -> None:
    clock = onboarding.provider.clock
    clock.forward(days=3)
    await onboarding.forward()
    clock.forward(days=1)
    (move,) = (t for t in (await seen(onboarding))["transitions"]["nodes"] if t["accepted"] and t["move"] != "OPEN")
    at = (clock() - timedelta(days=2)).isoformat()
    done = await sent(onboarding, "onboardingCorrect", transitionId=move["id"], effectiveAt=at, reason="It was Monday.")
    assert done["errors"] == []
    last = (await seen(onboarding))["transitions"]["nodes"][-1]
    assert (last["move"], last["corrects"]) == ("CORRECT", move["id"])
    late = (clock() + timedelta(days=2)).isoformat()
    refused = await sent(onboarding, "onboardingCorrect", transitionId=move["id"], effectiveAt=late, reason="So.")
    assert [(e["code"], e["path"]) for e in refused["errors"]] == [("INVALID", ["effectiveAt"])]


async def test_a_notice_shows_on_the_onboarding_until_it_is_withdrawn(onboarding: Onboarding) -> None:
    for _ in range(2):
        await onboarding.forward()
    ends_on = (onboarding.provider.clock() + timedelta(days=90)).date().isoformat()
    given: dict[str, Any] = {"givenBy": "CLIENT", "endsOn": ends_on, "outcome": "PRICE", "reason": "Too dear."}
    assert (await sent(onboarding, "onboardingGiveNotice", **given))["errors"] == []
    shown = (await seen(onboarding))["notice"]
    assert shown == {"givenBy": "CLIENT", "endsOn": ends_on, "outcome": "PRICE", "reason": "Too dear."}
    assert [e["code"] for e in (await sent(onboarding, "onboardingGiveNotice", **given))["errors"]] == [
        "MOVE_NOT_POSSIBLE"
    ]
    assert (await sent(onboarding, "onboardingWithdrawNotice", reason="They stay."))["errors"] == []
    after = await seen(onboarding)
    assert after["notice"] is None
    assert [n["withdrawnAt"] is None for n in after["notices"]] == [False]


async def test_a_service_manager_discards_what_was_entered_twice(onboarding: Onboarding) -> None:
    done = await sent(onboarding, "onboardingDiscard", by_admin=True, outcome="DUPLICATE", reason="Entered twice.")
    assert done["onboarding"]["stage"] == "LOST"
    assert {"STAGE", "TIMER"} <= {c["kind"] for c in done["changes"]}
