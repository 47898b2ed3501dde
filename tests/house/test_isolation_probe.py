"""Nothing of one provider or client reaches another: every place for an id in the schema is tried with foreign ones."""

import pytest

from db.session import Database
from domain.ids import IdKind, public
from tests.support.probes import PLACES, WHO, Worlds, answer, bearing, fields, tried, variables
from tests.support.providers import new_provider
from tests.support.schema_walk import Asker, nobodys
from tests.support.worlds import SYSTEM, ids_of_tenant, peopled

NAMED = "query ($id: ID!) { client(ref: {id: $id}) { name } }"


@pytest.fixture(scope="module")
async def worlds(database: Database, worker_database: str) -> Worlds:
    ours, theirs = await peopled(await new_provider(database)), await peopled(await new_provider(database))
    return Worlds(ours, theirs, worker_database)


@pytest.mark.parametrize("who", WHO)
async def test_a_foreign_id_is_answered_as_one_that_nobody_has(worlds: Worlds, who: str) -> None:
    probe = await worlds.probe(who)
    times = 0
    for root, name, place in PLACES:
        kinds = [place.kind] if place.kind else list(probe.foreign.by_kind)
        for kind in kinds:
            nothing = await tried(probe, root, name, place, nobodys(kind))
            for id_ in probe.foreign.by_kind.get(kind, []):
                shown = await tried(probe, root, name, place, id_)
                assert probe.leaks(shown, id_) == set(), (root, name, place.path, id_)
                if shown != nothing:
                    # Figures of one's own may have moved meanwhile; an id that is known would still tell.
                    nothing = await tried(probe, root, name, place, nobodys(kind))
                    shown = await tried(probe, root, name, place, id_)
                assert shown == nothing, (root, name, place.path, id_)
                times += 1
    assert times > 100


async def test_the_probe_bites_wherever_an_id_is_known(database: Database, worker_database: str) -> None:
    """With ids of its own the same probe is answered otherwise, or it would prove nothing."""
    world = await peopled(await new_provider(database))
    own = await ids_of_tenant(worker_database, world.provider.tenant_id)
    probe = await bearing(world, worker_database, world.provider.admin, own)
    toothless = []
    for root, name, place in PLACES:
        kind = place.kind or IdKind.CLIENT
        nothing = await tried(probe, root, name, place, nobodys(kind))
        if all([nothing == await tried(probe, root, name, place, id_) for id_ in own.by_kind[kind]]):
            toothless.append(f"{name} {'.'.join(place.path)}")
    assert toothless == [], "\n".join(toothless)


@pytest.mark.parametrize("who", WHO)
async def test_a_foreign_key_of_another_system_is_answered_as_one_that_nobody_has(worlds: Worlds, who: str) -> None:
    probe = await worlds.probe(who)
    foreign = worlds.ours.key(worlds.ours.second) if "one client" in who else worlds.theirs.key(worlds.theirs.first)
    own = worlds.ours.key(worlds.ours.first)
    by_key = [
        (root, name, place) for root, name, place in PLACES if place.path[-2:] in (("ref", "id"), ("client", "id"))
    ]
    assert len(by_key) >= 5
    for root, name, place in by_key:
        answers = {}
        for key in (own, foreign, "nobodys-key"):
            given = variables(probe, fields(root)[name], place, nobodys(IdKind.CLIENT))
            holder = given.get("input", given)
            holder[place.path[-2]] = {"external": {"system": SYSTEM, "key": key}}
            answers[key] = (await answer(probe, root, name, given, 2)).replace(key, "<tried>")
        assert answers[foreign] == answers["nobodys-key"], (root, name)
        assert probe.leaks(answers[foreign], foreign) == set()
        assert answers[own] != answers["nobodys-key"] or "FORBIDDEN" in answers[own], (root, name)


async def test_a_batch_under_another_clients_keys_changes_nothing_of_it(worlds: Worlds) -> None:
    for who, keys in (
        ("program", [worlds.theirs.key(worlds.theirs.first), "fresh-key"]),
        ("program of one client", [worlds.ours.key(worlds.ours.second), "another-fresh-key"]),
    ):
        probe = await worlds.probe(who)
        shown = []
        for key in keys:
            row = {"external": {"system": SYSTEM, "key": key}, "name": "Taken over"}
            body, codes = await probe.asker.ask(
                probe.principal,
                "mutation ($input: ClientBulkUpsertInput!) { clientBulkUpsert(input: $input) {"
                " results { status errors { code message path } } errors { code message path } } }",
                {"input": {"rows": [row], "idempotencyKey": key}},
            )
            assert codes == []
            shown.append(body)
        assert shown[0] == shown[1]
    asker = Asker(worlds.ours.provider.context)
    for world in (worlds.ours, worlds.theirs):
        admin = world.provider.admin
        for onboarding in (world.first, world.second):
            body, _ = await asker.ask(admin, NAMED, {"id": public(IdKind.CLIENT, onboarding.client)})
            assert body["data"]["client"]["name"] == f"Client {world.key(onboarding)}"
