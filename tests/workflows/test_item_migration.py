"""Item migration: what was done on a checklist stays done under another version."""

import pytest

from db import tenants
from domain.consequences import ConsequenceKind
from domain.stages import Stage
from tests.support.migrations import (
    ITEMS,
    complete,
    item,
    items,
    migrated,
    retired,
    sent_on,
    trail,
    version,
)
from tests.support.onboarding import Onboarding, opened
from tests.support.providers import Provider, codes, done, sent
from workflows.checklists import AddItem, UpdateItem
from workflows.checklists import add as add_item
from workflows.checklists import update as update_item


@pytest.fixture
async def onboarding(provider: Provider) -> Onboarding:
    """Return an onboarding in contracting under version 2, with three items to be done."""
    await version(provider, checklists=ITEMS)
    return await opened(provider)


async def test_what_was_done_stays_done_under_its_new_key(provider: Provider, onboarding: Onboarding) -> None:
    await complete(onboarding, "a")
    before = (await items(onboarding))["a"]
    number = await version(provider, checklists={"CONTRACTING": [item("renamed", title="Other words"), item("b")]})
    await migrated(onboarding, number, mapping={"a": "renamed"})
    after = (await items(onboarding))["renamed"]
    assert (after.id, after.done_at, after.done_by, after.note) == (
        before.id,
        before.done_at,
        before.done_by,
        "seen to",
    )
    assert (after.title, after.required, after.version) == ("Other words", False, before.version + 1)


async def test_an_item_somebody_worked_on_must_be_named_to_be_left_out(
    provider: Provider, onboarding: Onboarding
) -> None:
    await complete(onboarding, "a")
    found = (await items(onboarding))["b"]
    noted = UpdateItem(found.id, note="half done")
    done(await update_item(provider.context, onboarding.lead, sent(), noted))
    number = await version(provider, checklists={"CONTRACTING": [item("z")]})
    refused = await sent_on(onboarding, number)
    assert codes(refused) == ["CONFLICT"]
    assert "no items for a, b," in refused.errors[0].message
    assert (await trail(onboarding))[-1].accepted is False
    assert set(await items(onboarding)) == {"a", "b", "c"}
    await migrated(onboarding, number, mapping={"a": None, "b": "z"})
    left = await items(onboarding)
    assert set(left) == {"z"}
    assert left["z"].note == "half done"
    kept = {one.key.partition("@")[0]: one for one in await retired(onboarding)}
    assert set(kept) == {"a", "c"}
    assert (kept["a"].note, kept["a"].done) == ("seen to", True)


async def test_what_comes_back_comes_back_as_it_was(provider: Provider, onboarding: Onboarding) -> None:
    await complete(onboarding, "a")
    number = await version(provider, checklists={"CONTRACTING": [item("b")]})
    await migrated(onboarding, number, mapping={"a": None})
    changes = await migrated(onboarding, 2)
    found = await items(onboarding)
    assert set(found) == {"a", "b", "c"}
    assert found["a"].done
    assert found["a"].required
    assert not found["c"].done
    states = {c.name: (c.before, c.after) for c in changes if c.kind is ConsequenceKind.CHECKLIST_ITEM}
    assert states == {"a": (None, "DONE"), "c": (None, "OPEN")}
    await migrated(onboarding, number, mapping={"a": None})
    await migrated(onboarding, 2)
    assert set(await items(onboarding)) == {"a", "b", "c"}


async def test_items_may_exchange_their_keys(provider: Provider, onboarding: Onboarding) -> None:
    await complete(onboarding, "a")
    before = await items(onboarding)
    number = await version(
        provider, checklists={"CONTRACTING": [item("a", title="A"), item("b", title="B"), item("c")]}
    )
    await migrated(onboarding, number, mapping={"a": "b", "b": "a"})
    after = await items(onboarding)
    assert (after["a"].id, after["b"].id) == (before["b"].id, before["a"].id)
    assert (after["a"].done, after["b"].done) == (False, True)


async def test_two_items_do_not_go_on_as_one(provider: Provider, onboarding: Onboarding) -> None:
    number = await version(provider, checklists={"CONTRACTING": [item("b")]})
    refused = await sent_on(onboarding, number, mapping={"a": "b"})
    assert codes(refused) == ["CONFLICT"]
    assert "a and b as b" in refused.errors[0].message
    await migrated(onboarding, number, mapping={"a": "b", "b": None})
    assert set(await items(onboarding)) == {"b"}


async def test_own_items_stay_what_they_are(provider: Provider, onboarding: Onboarding) -> None:
    own = AddItem(onboarding.cycle, Stage.CONTRACTING, "Only here")
    done(await add_item(provider.context, onboarding.lead, sent(), own))
    number = await version(provider, checklists={"CONTRACTING": []})
    await migrated(onboarding, number)
    (left,) = (await items(onboarding)).values()
    assert (left.title, left.own) == ("Only here", True)


async def test_new_items_are_due_from_the_entry_of_the_stage_and_changed_terms_move_the_day(
    provider: Provider, onboarding: Onboarding
) -> None:
    entered = (await onboarding.seen()).entered_at
    provider.clock.forward(days=7)
    lists = {"CONTRACTING": [item("a", dueBusinessDays=10), item("b"), item("d", dueBusinessDays=2)]}
    number = await version(provider, checklists=lists)
    kept = (await items(onboarding))["b"].due_on
    await migrated(onboarding, number)
    async with provider.context.database.reading(provider.admin) as tx:
        calendar = (await tenants.get(tx)).settings.calendar
    found = await items(onboarding)
    assert found["a"].due_on == calendar.add_business_days(entered.date(), 10)
    assert found["d"].due_on == calendar.add_business_days(entered.date(), 2)
    assert found["b"].due_on == kept


async def test_a_later_stage_is_laid_out_by_the_new_version_and_a_past_one_gains_nothing(
    provider: Provider, onboarding: Onboarding
) -> None:
    await onboarding.forward()
    number = await version(
        provider,
        checklists={"CONTRACTING": [item("a"), item("late")], "ASSET_DISCOVERY": [item("scan"), item("map")]},
    )
    await migrated(onboarding, number)
    found = await items(onboarding)
    assert {key: one.stage for key, one in found.items()} == {
        "a": Stage.CONTRACTING,
        "scan": Stage.ASSET_DISCOVERY,
        "map": Stage.ASSET_DISCOVERY,
    }
