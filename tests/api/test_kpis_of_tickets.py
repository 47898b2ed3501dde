"""Figures of tickets in full: what was resolved, in time, at once, again, and what is still open."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.access import Role, Scope
from domain.tickets import (
    EscalationKind,
    HandOver,
    ReportedEscalation,
    ReportedTicket,
    Resolution,
    SlaResult,
    SlaTarget,
    TicketKind,
    Wait,
    WaitingOn,
)
from tests.support.asking import answered, asked
from tests.support.providers import Provider
from tests.support.tickets import report

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
"""Ten o'clock in Amsterdam, where the provider works from nine to five."""

MARCH = {"from": "2026-03-01", "to": "2026-04-01"}

QUERY = """query ($queries: [KpiQuery!]!) { kpis(queries: $queries) {
  definition { key }
  series { dimensions { member label } total { value numerator denominator sampleSize low high status mean median p90 }
           points { value { value } } }
} }"""

EXPLAIN = """query ($query: KpiQuery!) { kpi(query: $query) {
  n: explain(part: NUMERATOR, first: 50) { totalCount nodes { amount at } }
  d: explain(part: DENOMINATOR, first: 50) { totalCount }
  l: explain(part: LEFT_OUT, first: 50) { totalCount nodes { reason } }
} }"""


def incident(number: int, *, hours: float | None = None, **said: Any) -> ReportedTicket:
    logged = said.pop("logged", MONDAY)
    resolutions = () if hours is None else (Resolution(logged + timedelta(hours=hours)),)
    handed = (HandOver(logged, "Desk", 1, agent="anna"),)
    made = ReportedTicket(
        f"T-{number}", None, logged, kind=TicketKind.INCIDENT, resolutions=resolutions, hand_overs=handed
    )
    return replace(made, **said)


async def total(provider: Provider, key: str, **more: Any) -> dict[str, Any]:
    query = {"key": key, "period": MARCH, "grain": "MONTH", **more}
    return dict((await asked(provider, QUERY, {"queries": [query]}))["kpis"][0]["series"][0]["total"])


@pytest.fixture
async def desk(provider: Provider) -> Provider:
    client = await provider.client()
    waits = (Wait(MONDAY + timedelta(hours=1), MONDAY + timedelta(hours=2), WaitingOn.CUSTOMER),)
    again = (
        Resolution(MONDAY + timedelta(hours=1), MONDAY + timedelta(hours=2)),
        Resolution(MONDAY + timedelta(hours=4)),
    )
    provider.clock.forward(days=60)
    await report(
        provider,
        incident(1, hours=1, first_responded_at=MONDAY + timedelta(minutes=30)),
        incident(2, hours=3, waits=waits, resolution_sla=SlaTarget(MONDAY + timedelta(hours=4))),
        incident(3, resolutions=again, resolution_sla=SlaTarget(MONDAY + timedelta(hours=2))),
        incident(4, resolution_sla=SlaTarget(result=SlaResult.MISSED)),
        incident(5, kind=TicketKind.REQUEST, hours=24),
        client=client,
    )
    return provider


async def test_times_leave_out_waits_and_what_lies_between_resolved_and_reopened(desk: Provider) -> None:
    mttr = await total(desk, "MTTR")
    assert (mttr["value"], mttr["median"], mttr["sampleSize"]) == (2.0, 2.0, 3)
    assert mttr["numerator"] == 6.0
    assert mttr["status"] == "INSUFFICIENT_SAMPLE"
    response = await total(desk, "FIRST_RESPONSE_TIME")
    assert (response["value"], response["mean"], response["sampleSize"]) == (0.5, 0.5, 1)


async def test_shares_count_what_was_decided(desk: Provider) -> None:
    parts = {
        key: (answer["numerator"], answer["denominator"])
        for key in ("FIRST_CONTACT_RESOLUTION", "REOPEN_RATE", "SLA_MET", "RESPONSE_SLA_MET")
        for answer in [await total(desk, key)]
    }
    assert parts == {
        "FIRST_CONTACT_RESOLUTION": (2, 4),
        "REOPEN_RATE": (1, 4),
        "SLA_MET": (1, 3),
        "RESPONSE_SLA_MET": (0, 0),
    }


async def test_a_backlog_is_what_is_open_at_the_end_of_each_bucket(desk: Provider) -> None:
    query = {"key": "BACKLOG", "period": {"from": "2026-03-01", "to": "2026-03-05"}, "grain": "DAY"}
    answer = await asked(desk, QUERY, {"queries": [query, {**query, "key": "OPEN_INCIDENTS", "by": ["PRIORITY"]}]})
    backlog, incidents = answer["kpis"]
    assert [point["value"]["value"] for point in backlog["series"][0]["points"]] == [0, 2, 1, 1]
    assert [point["value"]["value"] for point in incidents["series"][0]["points"]] == [0, 1, 1, 1]
    assert incidents["series"][0]["dimensions"] == [{"member": "UNKNOWN", "label": "UNKNOWN"}]


@pytest.mark.parametrize(
    "key",
    [
        *(
            "TICKETS_LOGGED",
            "ESCALATIONS",
            "ESCALATION_RATE",
            "FIRST_RESPONSE_TIME",
            "FIRST_CONTACT_RESOLUTION",
            "MTTR",
        ),
        *("SLA_MET", "REOPEN_RATE", "BACKLOG", "OPEN_INCIDENTS"),
    ],
)
async def test_the_rows_behind_a_figure_of_tickets_reconcile_with_it(desk: Provider, key: str) -> None:
    value = await total(desk, key)
    behind = (await asked(desk, EXPLAIN, {"query": {"key": key, "period": MARCH, "grain": "MONTH"}}))["kpi"]
    if key in ("MTTR", "FIRST_RESPONSE_TIME"):
        assert behind["n"]["totalCount"] == value["sampleSize"]
        assert sum(row["amount"] for row in behind["n"]["nodes"]) == value["mean"] * value["sampleSize"]
    else:
        assert behind["n"]["totalCount"] == value["numerator"]
    if value["denominator"] is not None:
        assert behind["d"]["totalCount"] == value["denominator"]
    if key in ("MTTR", "OPEN_INCIDENTS"):
        assert {row["reason"] for row in behind["l"]["nodes"]} <= {"NOT_AN_INCIDENT"}


async def test_each_kind_of_escalation_is_a_series_of_its_own(provider: Provider) -> None:
    named = ReportedEscalation(
        MONDAY + timedelta(hours=1), EscalationKind.VENDOR, "Desk", "Printers Ltd", "broken drum"
    )
    provider.clock.forward(days=60)
    handed = (HandOver(MONDAY, "Desk", 1), HandOver(MONDAY + timedelta(hours=2), "Engineers", 2))
    await report(provider, incident(1, escalations=(named,)), incident(2, hand_overs=handed), incident(3))
    rates = {
        kind: (await total(provider, "ESCALATION_RATE", where={"escalationKind": kind}))["numerator"]
        for kind in ("FUNCTIONAL", "HIERARCHICAL", "SLA", "VENDOR")
    }
    assert rates == {"FUNCTIONAL": 1, "HIERARCHICAL": 0, "SLA": 0, "VENDOR": 1}
    assert (await total(provider, "ESCALATIONS", where={"escalationKind": "VENDOR"}))["value"] == 1
    query = {"key": "TICKETS_LOGGED", "period": MARCH, "where": {"escalationKind": "SLA"}}
    _, errors = await answered(provider, QUERY, {"queries": [query]})
    assert "knows no kinds of escalation" in errors[0]


async def test_a_figure_splits_by_team_and_technician_with_their_names(desk: Provider) -> None:
    queries = [
        {"key": "TICKETS_LOGGED", "period": MARCH, "by": ["TEAM"]},
        {"key": "MTTR", "period": MARCH, "by": ["TECHNICIAN", "PRIORITY"]},
    ]
    teams, times = (await asked(desk, QUERY, {"queries": queries}))["kpis"]
    assert [one["dimensions"][0]["label"] for one in teams["series"]] == ["Desk"]
    assert teams["series"][0]["dimensions"][0]["member"].startswith("trm_")
    assert [one["label"] for one in times["series"][0]["dimensions"]] == ["anna", "UNKNOWN"]
    _, errors = await answered(desk, QUERY, {"queries": queries[1:]}, await desk.program(Scope.KPIS_READ))
    assert "MEMBERS_READ" in errors[0]
    for role in (Role.TEAM_MANAGER, Role.SERVICE_MANAGER):
        assert (await asked(desk, QUERY, {"queries": queries[1:]}, await desk.invited(role)))["kpis"][0]["series"]
    for role in (Role.VIEWER, Role.AGENT, Role.ONBOARDING_LEAD, Role.ACCOUNT_MANAGER):
        for narrowed in ({"by": ["TECHNICIAN"]}, {"where": {"technicianIds": ["UNKNOWN"]}}):
            query = {"key": "ESCALATION_RATE", "period": MARCH} | narrowed
            _, errors = await answered(desk, QUERY, {"queries": [query]}, await desk.invited(role))
            assert "team managers, service managers and admins alone" in errors[0], (role, narrowed)
    _, errors = await answered(desk, QUERY, {"queries": [{**queries[0], "by": ["TEAM", "CLIENT"]}]})
    assert "not with CLIENT" in errors[0]


async def test_a_caller_of_some_clients_is_told_their_own_by_team(provider: Provider) -> None:
    theirs, others = await provider.client("Theirs"), await provider.client("Others")
    provider.clock.forward(days=60)
    await report(provider, incident(1), incident(2), client=theirs)
    await report(provider, incident(3), client=others)
    limited = await provider.program(Scope.KPIS_READ, clients=(theirs,))
    query = {"key": "TICKETS_LOGGED", "period": MARCH, "by": ["TEAM"]}
    answer = await asked(provider, QUERY, {"queries": [query]}, limited)
    assert [one["total"]["value"] for one in answer["kpis"][0]["series"]] == [2]
