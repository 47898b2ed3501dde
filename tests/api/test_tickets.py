"""Tickets over GraphQL: lists by every filter, one with its hand-overs, and nothing of anybody else's."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from domain.escalations import EscalationRule, EscalationTest
from domain.ids import IdKind, public
from domain.tickets import HandOver, Priority, ReportedTicket, Resolution
from tests.support.asking import asked
from tests.support.providers import Provider, sent
from workflows import tickets
from workflows.tickets import IngestTickets

LOGGED = datetime(2026, 3, 1, 12, tzinfo=UTC)

LIST = """
query Tickets($where: TicketWhere, $first: Int, $after: Cursor, $last: Int, $before: Cursor) {
  tickets(where: $where, first: $first, after: $after, last: $last, before: $before) {
    totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    nodes { id externalId clientId priority stage phase timesEscalated loggedAt day }
  }
}
"""

ONE = """
query Ticket($id: ID!) {
  ticket(id: $id) {
    externalId system clientKey kind source
    handOvers { at team tier reassignments }
    escalations { id kind times fromTeam toTeam fromTier toTier ruleVersion }
    escalationRule { test version words }
  }
  node(id: $id) { id ... on Ticket { externalId } }
}
"""


def ticket(number: int, *tiers: int, **said: Any) -> ReportedTicket:
    at = LOGGED + timedelta(hours=number)
    handed = tuple(HandOver(at + timedelta(hours=n), f"T{tier}", tier) for n, tier in enumerate(tiers or (1,)))
    return replace(ReportedTicket(f"T-{number}", None, at, hand_overs=handed), **said)


async def report(provider: Provider, client: UUID | None, *reports: ReportedTicket) -> None:
    command = IngestTickets("DESK", reports, client, EscalationRule(EscalationTest.TIER_RAISED))
    outcome = await tickets.ingest(provider.context, provider.admin, sent(), command)
    assert outcome.errors == ()


async def listed(provider: Provider, **variables: Any) -> list[str]:
    page = (await asked(provider, LIST, {"first": 50} | variables))["tickets"]
    return [node["externalId"] for node in page["nodes"]]


async def test_tickets_are_listed_by_every_filter_the_latest_first(provider: Provider) -> None:
    here, there = await provider.client("Here"), await provider.client("There")
    await report(provider, here, ticket(1, 1, 2, priority=Priority.P1), ticket(2, resolutions=(Resolution(LOGGED),)))
    await report(provider, there, ticket(3))
    await report(provider, None, ticket(4, client="nobody"))
    assert await listed(provider) == ["T-4", "T-3", "T-2", "T-1"]
    cases: list[tuple[dict[str, Any], list[str]]] = [
        ({"clientIds": [public(IdKind.CLIENT, here)]}, ["T-2", "T-1"]),
        ({"escalated": True}, ["T-1"]),
        ({"escalated": False, "unmapped": False}, ["T-3", "T-2"]),
        ({"unmapped": True}, ["T-4"]),
        ({"priorities": ["P1"]}, ["T-1"]),
        ({"open": True, "clientIds": [public(IdKind.CLIENT, here)]}, ["T-1"]),
        ({"loggedFrom": "2026-03-01T14:00:00Z", "loggedTo": "2026-03-01T15:00:00Z"}, ["T-2"]),
        ({"phases": ["EARLY"]}, []),
        ({"stages": ["STEADY_STATE"]}, []),
        ({"sources": ["ALERT"]}, []),
        ({"systems": ["DESK"], "externalIds": ["T-3"]}, ["T-3"]),
    ]
    for where, expected in cases:
        assert await listed(provider, where=where) == expected, where


async def test_pages_lead_through_all_tickets_both_ways(provider: Provider) -> None:
    client = await provider.client()
    await report(provider, client, *(ticket(n) for n in range(7)))
    expected = [f"T-{n}" for n in reversed(range(7))]
    seen: list[str] = []
    after = None
    while True:
        page = (await asked(provider, LIST, {"first": 3, "after": after}))["tickets"]
        seen += [node["externalId"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert seen == expected
    assert page["totalCount"] == 7
    back = (await asked(provider, LIST, {"last": 2}))["tickets"]
    assert [node["externalId"] for node in back["nodes"]] == expected[-2:]
    more = (await asked(provider, LIST, {"last": 2, "before": back["pageInfo"]["startCursor"]}))["tickets"]
    assert [node["externalId"] for node in more["nodes"]] == expected[-4:-2]


async def test_a_ticket_shows_who_had_it_and_by_which_rule_it_was_escalated(provider: Provider) -> None:
    client = await provider.client()
    await report(provider, client, ticket(1, 1, 3, client="Key"))
    page = (await asked(provider, LIST, {"first": 1}))["tickets"]
    answer = await asked(provider, ONE, {"id": page["nodes"][0]["id"]})
    shown = answer["ticket"]
    assert (shown["system"], shown["clientKey"], shown["source"]) == ("DESK", "Key", "PERSON")
    assert [one["tier"] for one in shown["handOvers"]] == [1, 3]
    (escalation,) = shown["escalations"]
    assert escalation["id"].startswith("esc_")
    assert (escalation["kind"], escalation["fromTier"], escalation["toTier"]) == ("FUNCTIONAL", 1, 3)
    assert shown["escalationRule"]["test"] == "TIER_RAISED"
    assert "first assignment" in shown["escalationRule"]["words"]
    assert answer["node"]["externalId"] == "T-1"
    rules = (await asked(provider, "{ escalationRules { system rule { words version } } }"))["escalationRules"]
    assert [(one["system"], one["rule"]["version"]) for one in rules] == [("DESK", 1)]


async def test_another_providers_ticket_is_as_unknown_as_one_that_nobody_has(
    provider: Provider, other_provider: Provider
) -> None:
    client = await provider.client()
    await report(provider, client, ticket(1, 1, 2))
    page = (await asked(provider, LIST, {"first": 1}))["tickets"]
    for id_ in (page["nodes"][0]["id"], f"tic_{'0' * 32}"):
        assert await asked(other_provider, ONE, {"id": id_}) == {"ticket": None, "node": None}
    assert await listed(other_provider) == []


async def test_clients_show_their_own_tickets_and_figures(provider: Provider) -> None:
    busy, idle = await provider.client("Busy"), await provider.client("Idle")
    await report(provider, busy, *(ticket(n, 1, 2) for n in range(3)), ticket(3))
    text = """
    query ($period: PeriodInput!) {
      clients(first: 10) {
        nodes {
          name
          kpi(key: ESCALATION_RATE, period: $period) { total { value numerator denominator status } }
          logged: kpi(key: TICKETS_LOGGED, period: $period, grain: DAY) { columns { values } }
          tickets(first: 2, where: { escalated: true }) { totalCount nodes { externalId client { name } } }
        }
      }
    }
    """
    answer = await asked(provider, text, {"period": {"from": "2026-03-01", "to": "2026-03-03"}})
    found = {node["name"]: node for node in answer["clients"]["nodes"]}
    assert found["Busy"]["kpi"]["total"]["value"] == 0.75
    assert found["Busy"]["logged"]["columns"]["values"] == [4, 0]
    assert found["Busy"]["tickets"]["totalCount"] == 3
    assert [node["externalId"] for node in found["Busy"]["tickets"]["nodes"]] == ["T-2", "T-1"]
    assert found["Busy"]["tickets"]["nodes"][0]["client"]["name"] == "Busy"
    assert found["Idle"]["kpi"]["total"]["status"] == "NO_DATA"
    assert found["Idle"]["tickets"] == {"totalCount": 0, "nodes": []}
    assert idle != busy
