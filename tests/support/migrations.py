"""Migrations for tests: versions made, onboardings sent on to them, and what became of their items."""

from collections.abc import Mapping
from typing import Any

from db import checklists, definitions, effects, histories, migrating
from domain.access import Principal
from domain.checklists import Item
from domain.consequences import Consequence, untold
from domain.effects import Effect
from domain.errors import Outcome
from domain.onboarding import Transition
from tests.support.onboarding import Everything, Onboarding
from tests.support.providers import Provider, done, sent
from workflows.checklists import CompleteItem
from workflows.checklists import complete as complete_item
from workflows.definitions import EditDefinition, edit_definition
from workflows.migrations import RESULTS, KeyMapping, MigrateCycles, migrate


def item(key: str, **more: Any) -> dict[str, Any]:
    return {"key": key, "title": f"Do {key}", "dueBusinessDays": 5, **more}


ITEMS = {"CONTRACTING": [item("a", required=True), item("b"), item("c")], "ASSET_DISCOVERY": [item("scan")]}


async def version(provider: Provider, **change: Any) -> int:
    """Make the next version and return its number."""
    async with provider.context.database.reading(provider.admin) as tx:
        newest = await definitions.newest(tx)
    assert newest is not None
    command = EditDefinition(newest.number, change)
    outcome = await edit_definition(provider.context, provider.admin, sent(), command)
    assert outcome.errors == ()
    return outcome.version or 0


async def sent_on(
    onboarding: Onboarding,
    to: int,
    *,
    mapping: Mapping[str, str | None] | None = None,
    by: Principal | None = None,
    **more: Any,
) -> Outcome:
    provider = onboarding.provider
    pairs = tuple(KeyMapping(before, after) for before, after in (mapping or {}).items())
    command = MigrateCycles(to, "we learnt", **{"cycles": (onboarding.cycle,), "mapping": pairs, **more})
    return await migrate(provider.context, by or provider.admin, sent(), command)


async def migrated(onboarding: Onboarding, to: int, **more: Any) -> list[Consequence]:
    """Migrate one onboarding, which must not be refused, and return what that changed."""
    outcome = await sent_on(onboarding, to, **more)
    assert outcome.errors == ()
    (result,) = results(outcome)
    onboarding.version = (await onboarding.seen()).version
    assert result["status"] == "UPDATED"
    return untold(result)


def results(outcome: Outcome) -> list[dict[str, Any]]:
    found: Any = outcome.facts[RESULTS]
    return list(found)


async def items(onboarding: Onboarding) -> dict[str, Item]:
    async with onboarding.provider.context.database.reading(onboarding.provider.admin) as tx:
        found = (await checklists.of_cycles(tx, [onboarding.cycle])).get(onboarding.cycle, [])
    return {one.key: one for one in found}


async def retired(onboarding: Onboarding) -> list[Item]:
    async with onboarding.provider.context.database.reading(onboarding.provider.admin) as tx:
        return (await migrating.retired(tx, [onboarding.cycle])).get(onboarding.cycle, [])


async def complete(onboarding: Onboarding, key: str) -> None:
    found = (await items(onboarding))[key]
    context = onboarding.provider.context
    done(await complete_item(context, onboarding.lead, sent(), CompleteItem(found.id, note="seen to")))


async def planned(onboarding: Onboarding) -> dict[str, Effect]:
    async with onboarding.provider.context.database.reading(onboarding.provider.admin) as tx:
        found = (await effects.of_cycles(tx, [onboarding.cycle])).get(onboarding.cycle, [])
    visit = (await onboarding.seen()).visit_id
    return {effect.key: effect for effect in found if effect.visit_id == visit}


async def trail(onboarding: Onboarding) -> list[Transition]:
    async with onboarding.provider.context.database.reading(onboarding.provider.admin) as tx:
        return (await histories.histories(tx, [onboarding.cycle], Everything()))[onboarding.cycle]
