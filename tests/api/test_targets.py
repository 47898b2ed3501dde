"""Targets over GraphQL: set, changed, removed, each version kept; refused where nothing could keep to them."""

import asyncio
from typing import Any

from domain.access import Role
from domain.ids import IdKind, public
from tests.support.asking import answered, asked
from tests.support.providers import Provider

SET = """mutation ($input: KpiTargetSetInput!) { kpiTargetSet(input: $input) {
    target { id key clientId number value setAt } eventId errors { code message path } } }"""
REMOVE = """mutation ($input: KpiTargetRemoveInput!) { kpiTargetRemove(input: $input) {
    target { number value } eventId errors { code message path } } }"""
LIST = """query ($keys: [KpiKey!], $clientIds: [ID!], $standing: Boolean) {
    kpiTargets(keys: $keys, clientIds: $clientIds, standing: $standing, first: 20) {
      totalCount nodes { key clientId number value } } }"""


async def put(provider: Provider, key: str, value: float, **more: Any) -> Any:
    return (await asked(provider, SET, {"input": {"key": key, "value": value, **more}}))["kpiTargetSet"]


async def removed(provider: Provider, key: str, **more: Any) -> Any:
    return (await asked(provider, REMOVE, {"input": {"key": key, **more}}))["kpiTargetRemove"]


async def listed(provider: Provider, **narrowed: Any) -> list[tuple[str, str | None, int, float | None]]:
    page = (await asked(provider, LIST, narrowed))["kpiTargets"]
    assert page["totalCount"] == len(page["nodes"])
    return [(node["key"], node["clientId"], node["number"], node["value"]) for node in page["nodes"]]


async def test_every_version_of_a_target_is_kept_and_the_last_one_stands(provider: Provider) -> None:
    first = await put(provider, "ESCALATION_RATE", 0.15, expectedNumber=0)
    assert (first["target"]["number"], first["target"]["value"], first["errors"]) == (1, 0.15, [])
    assert first["eventId"] is not None
    again = await put(provider, "ESCALATION_RATE", 0.15)
    assert (again["target"], again["eventId"]) == (first["target"], None)
    assert (await put(provider, "ESCALATION_RATE", 0.12))["target"]["number"] == 2
    assert (await removed(provider, "ESCALATION_RATE"))["target"] == {"number": 3, "value": None}
    assert [version[2:] for version in await listed(provider)] == [(3, None), (2, 0.12), (1, 0.15)]
    assert await listed(provider, standing=True) == []
    assert (await put(provider, "ESCALATION_RATE", 0.1))["target"]["number"] == 4
    assert await listed(provider, standing=True) == [("ESCALATION_RATE", None, 4, 0.1)]


async def test_a_client_has_targets_of_its_own(provider: Provider) -> None:
    client = public(IdKind.CLIENT, await provider.client("Acme"))
    await put(provider, "ESCALATION_RATE", 0.15)
    mine = await put(provider, "ESCALATION_RATE", 0.1, clientId=client)
    assert (mine["target"]["number"], mine["target"]["clientId"]) == (1, client)
    assert await listed(provider, clientIds=[client]) == [("ESCALATION_RATE", client, 1, 0.1)]
    assert len(await listed(provider, keys=["ESCALATION_RATE"], standing=True)) == 2
    assert await listed(provider, keys=["ESCALATIONS"]) == []


async def test_a_target_decided_on_another_version_or_of_what_has_no_better_side_is_refused(provider: Provider) -> None:
    await put(provider, "ESCALATION_RATE", 0.15)
    stale = (await put(provider, "ESCALATION_RATE", 0.1, expectedNumber=0))["errors"]
    assert [(error["code"], error["path"]) for error in stale] == [("STALE_VERSION", ["expectedNumber"])]
    percent = (await put(provider, "ESCALATION_RATE", 15))["errors"]
    assert "0.15 for 15 %" in percent[0]["message"]
    neutral = (await put(provider, "TICKETS_LOGGED", 15))["errors"]
    assert (neutral[0]["code"], neutral[0]["path"]) == ("INVALID", ["value"])
    nothing = (await removed(provider, "ESCALATIONS"))["errors"]
    assert (nothing[0]["code"], nothing[0]["path"]) == ("NOT_FOUND", ["key"])
    nobody = (await put(provider, "ESCALATION_RATE", 0.1, clientId="cli_" + "0" * 32))["errors"]
    assert (nobody[0]["code"], nobody[0]["path"]) == ("NOT_FOUND", ["clientId"])


async def test_two_who_set_a_target_at_once_make_two_versions(provider: Provider) -> None:
    values = (0.11, 0.12, 0.13)
    await asyncio.gather(*(put(provider, "ESCALATION_RATE", value) for value in values))
    versions = await listed(provider)
    assert sorted(version[2] for version in versions) == [1, 2, 3]
    assert sorted(version[3] or 0 for version in versions) == sorted(values)


async def test_a_lead_may_not_set_targets(provider: Provider) -> None:
    lead = await provider.invited(Role.ONBOARDING_LEAD)
    _, errors = await answered(provider, SET, {"input": {"key": "ESCALATION_RATE", "value": 0.1}}, lead)
    assert "POLICIES_WRITE" in errors[0]


async def test_a_target_is_found_by_its_id_and_shown_in_the_catalogue(provider: Provider) -> None:
    target = (await put(provider, "ESCALATION_RATE", 0.15))["target"]
    found = await asked(provider, "query ($id: ID!) { node(id: $id) { ... on KpiTarget { key value } } }", target)
    assert found["node"] == {"key": "ESCALATION_RATE", "value": 0.15}


async def test_targets_are_read_page_by_page_from_either_end(provider: Provider) -> None:
    for value in (0.1, 0.2, 0.3):
        await put(provider, "ESCALATION_RATE", value)
        provider.clock.forward(minutes=1)
    text = """query ($first: Int, $after: Cursor, $last: Int, $before: Cursor) {
        kpiTargets(first: $first, after: $after, last: $last, before: $before) {
          nodes { number } pageInfo { endCursor startCursor hasNextPage hasPreviousPage } } }"""
    newest = (await asked(provider, text, {"first": 2}))["kpiTargets"]
    assert ([node["number"] for node in newest["nodes"]], newest["pageInfo"]["hasNextPage"]) == ([3, 2], True)
    rest = (await asked(provider, text, {"first": 2, "after": newest["pageInfo"]["endCursor"]}))["kpiTargets"]
    assert [node["number"] for node in rest["nodes"]] == [1]
    back = (await asked(provider, text, {"last": 1, "before": rest["pageInfo"]["startCursor"]}))["kpiTargets"]
    assert ([node["number"] for node in back["nodes"]], back["pageInfo"]["hasPreviousPage"]) == ([2], True)
