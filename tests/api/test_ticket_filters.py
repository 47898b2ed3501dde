"""Tickets by what happened to them: every further filter of lists, the order of writing, and who may ask for agents."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from domain.access import Scope
from domain.clients import ExternalKey
from domain.ids import IdKind, public
from domain.tickets import (
    EscalationKind,
    Exclusion,
    HandOver,
    ReportedEscalation,
    Resolution,
    SlaTarget,
    TicketKind,
    Wait,
    WaitingOn,
)
from tests.support.asking import answered, asked
from tests.support.providers import Provider, done, sent
from tests.support.tickets import DESK, NOON, report, ticket
from workflows.sites import CreateSite
from workflows.sites import create as create_site

LIST = """
query ($where: TicketWhere, $orderBy: TicketOrder! = LOGGED_AT, $first: Int = 50, $after: Cursor) {
  tickets(where: $where, orderBy: $orderBy, first: $first, after: $after) {
    totalCount pageInfo { endCursor hasNextPage } nodes { externalId }
  }
}
"""
IN_FULL = """
{ tickets(first: 1) { nodes {
  title tier team agent siteId site { name } siteKey deviceKey firstRespondedAt responseMinutes resolveMinutes
  firstContact timesReopened waitingOn waits { start end on } resolutions { at reopenedAt }
  responseSla { dueAt result } resolutionSla { dueAt result } clientPinned exclusionPinned mergedInto { externalId }
  mergedIntoExternalId escalations { kind reason } handOvers { agent }
} } }
"""


async def listed(provider: Provider, **given: Any) -> list[str]:
    return [one["externalId"] for one in (await asked(provider, LIST, given))["tickets"]["nodes"]]


def hour(hours: float) -> Any:
    return NOON + timedelta(hours=hours)


async def test_tickets_are_listed_by_what_happened_to_them(provider: Provider) -> None:
    client = await provider.client()
    command = CreateSite(client, "Head office", external=(ExternalKey(DESK, "HQ"),))
    site = done(await create_site(provider.context, provider.admin, sent(), command))
    named = ReportedEscalation(hour(5), EscalationKind.VENDOR, "T1", "Cable Ltd", "Cable is cut")
    await report(
        provider,
        replace(ticket(1), kind=TicketKind.PROBLEM, category="Network", site="HQ"),
        replace(ticket(2, days=1), hand_overs=(HandOver(hour(25), "Servers", 2, agent="ada"),), escalations=(named,)),
        replace(ticket(3, days=2), waits=(Wait(hour(50), on=WaitingOn.VENDOR),)),
        replace(ticket(4, days=3), resolutions=(Resolution(hour(73), hour(80)), Resolution(hour(90)))),
        replace(ticket(5, days=4), resolution_sla=SlaTarget(hour(97)), resolutions=(Resolution(hour(100)),)),
        replace(ticket(6, days=5), exclusion=Exclusion.SPAM),
        client=client,
    )
    everything = ["T-6", "T-5", "T-4", "T-3", "T-2", "T-1"]
    cases: list[tuple[dict[str, Any], list[str]]] = [
        ({"kinds": ["PROBLEM"]}, ["T-1"]),
        ({"categories": ["Network", "unheard of"]}, ["T-1"]),
        ({"teams": ["Servers"]}, ["T-2"]),
        ({"teams": ["nobody"]}, []),
        ({"agents": ["ada"]}, ["T-2"]),
        ({"tiers": [2]}, ["T-2"]),
        ({"siteIds": [public(IdKind.SITE, site)]}, ["T-1"]),
        ({"deviceIds": [f"dev_{'0' * 32}"]}, []),
        ({"escalationKinds": ["VENDOR"]}, ["T-2"]),
        ({"escalationKinds": ["SLA", "HIERARCHICAL"]}, []),
        ({"open": True}, ["T-3", "T-2", "T-1"]),
        ({"open": False}, ["T-6", "T-5", "T-4"]),
        ({"waiting": True}, ["T-3"]),
        ({"waiting": False}, [one for one in everything if one != "T-3"]),
        ({"reopened": True}, ["T-4"]),
        ({"reopened": False}, [one for one in everything if one != "T-4"]),
        ({"slaMissed": True}, ["T-5"]),
        ({"slaMissed": False}, [one for one in everything if one != "T-5"]),
        ({"excluded": True}, ["T-6"]),
        ({"excluded": False}, everything[1:]),
        ({"resolvedFrom": hour(90).isoformat(), "resolvedTo": hour(100).isoformat()}, ["T-4"]),
        ({"updatedSince": (provider.clock() + timedelta(seconds=1)).isoformat()}, []),
        ({"updatedSince": provider.clock().isoformat(), "teams": ["Servers"], "open": True}, ["T-2"]),
    ]
    for where, expected in cases:
        assert await listed(provider, where=where) == expected, where


async def test_a_ticket_is_overdue_from_its_agreed_time_on_while_it_is_open(provider: Provider) -> None:
    client = await provider.client()
    due = provider.clock() + timedelta(hours=2)
    await report(provider, ticket(1, resolution_sla=SlaTarget(due)), ticket(2), client=client)
    assert await listed(provider, where={"overdue": True}) == []
    provider.clock.forward(hours=3)
    assert await listed(provider, where={"overdue": True}) == ["T-1"]
    assert await listed(provider, where={"overdue": False}) == ["T-2"]


async def test_what_changed_since_comes_in_the_order_in_which_it_was_written(provider: Provider) -> None:
    client = await provider.client()
    for turn in range(3):
        await report(provider, ticket(turn, days=-turn), client=client)
        provider.clock.forward(hours=1)
    assert await listed(provider, orderBy="RECORDED_AT") == ["T-0", "T-1", "T-2"]
    page = (await asked(provider, LIST, {"orderBy": "RECORDED_AT", "first": 2}))["tickets"]
    await report(provider, ticket(0, days=0, title="Changed"), client=client)
    after = page["pageInfo"]["endCursor"]
    assert await listed(provider, orderBy="RECORDED_AT", after=after) == ["T-2", "T-0"]
    _, errors = await answered(provider, LIST, {"after": after})
    assert "no cursor of this list in this order" in errors[0]


async def test_a_ticket_is_shown_in_full(provider: Provider) -> None:
    client = await provider.client()
    await report(provider, ticket(2), client=client)
    whole = replace(
        ticket(1, days=1),
        title="Printer burns",
        hand_overs=(HandOver(hour(24), "Desk", 1, agent="ada"),),
        first_responded_at=hour(24.5),
        waits=(Wait(hour(25), on=WaitingOn.CUSTOMER),),
        response_sla=SlaTarget(hour(25)),
        exclusion=Exclusion.MERGED,
        merged_into="T-2",
        device="PC-1",
        escalations=(ReportedEscalation(hour(26), EscalationKind.HIERARCHICAL, "Desk", "Boss", "Angry client"),),
    )
    await report(provider, whole, client=client)
    (shown,) = (await asked(provider, IN_FULL))["tickets"]["nodes"]
    assert (shown["title"], shown["team"], shown["agent"], shown["tier"]) == ("Printer burns", "Desk", "ada", 1)
    assert (shown["waitingOn"], len(shown["waits"]), shown["resolutions"]) == ("CUSTOMER", 1, [])
    assert shown["responseSla"] == {"dueAt": "2026-03-02T13:00:00Z", "result": "MET"}
    assert (shown["resolutionSla"], shown["deviceKey"]) == (None, "PC-1")
    assert (shown["mergedInto"], shown["mergedIntoExternalId"]) == ({"externalId": "T-2"}, "T-2")
    assert shown["escalations"] == [{"kind": "HIERARCHICAL", "reason": "Angry client"}]
    assert shown["handOvers"] == [{"agent": "ada"}]


async def test_whoever_may_not_know_the_staff_neither_sees_agents_nor_asks_for_them(provider: Provider) -> None:
    client = await provider.client()
    await report(provider, replace(ticket(1), hand_overs=(HandOver(NOON, "Desk", 1, agent="ada"),)), client=client)
    program = await provider.program(Scope.TICKETS_READ)
    data, errors = await answered(
        provider, "{ tickets(first: 1) { nodes { team agent handOvers { team agent } } } }", principal=program
    )
    (shown,) = data["tickets"]["nodes"]
    assert shown == {"team": "Desk", "agent": None, "handOvers": [{"team": "Desk", "agent": None}]}
    assert len(errors) == 2
    data, errors = await answered(provider, LIST, {"where": {"agents": ["ada"]}}, program)
    assert (data["tickets"], len(errors)) == (None, 1)
