"""Figures over GraphQL: values, packed columns, drill-down that reconciles, and refusals that say what is kept."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.access import Scope
from domain.ids import IdKind, public
from domain.kpis import Kpi
from domain.moves import Move
from domain.onboarding import HoldReason
from domain.stages import Stage
from domain.tickets import Exclusion, HandOver, ReportedTicket, TicketSource
from tests.support.asking import answered, asked
from tests.support.onboarding import opened
from tests.support.providers import Provider, sent, without
from workflows import tickets
from workflows.tickets import IngestTickets

KPI = """
query Kpi($query: KpiQuery!) {
  kpi(query: $query) {
    definition { key title unit version minSample dimensions }
    definitionVersion timeZone truncated period { from to days } comparedWith { from to }
    series {
      dimensions { dimension member label }
      total { value numerator denominator sampleSize low high status p90 }
      previous { value } change
      points { start end complete value { value numerator denominator low high status } }
      columns { starts values numerators denominators lows highs statuses complete }
    }
  }
}
"""

EXPLAIN = """
query Explain($query: KpiQuery!, $part: KpiPart!, $first: Int!, $after: Cursor) {
  kpi(query: $query) {
    explain(part: $part, first: $first, after: $after) {
      totalCount pageInfo { hasNextPage endCursor }
      nodes { at amount reason ticketId onboardingId stage ended }
    }
  }
}
"""

YEAR = {"from": "2026-01-01", "to": "2027-01-01"}
LOGGED = datetime(2026, 3, 1, 12, tzinfo=UTC)


def ticket(number: int, *tiers: int, **said: Any) -> ReportedTicket:
    handed = tuple(HandOver(LOGGED + timedelta(hours=n), f"T{tier}", tier) for n, tier in enumerate(tiers or (1,)))
    return replace(ReportedTicket(f"T-{number}", None, LOGGED, hand_overs=handed), **said)


async def report(provider: Provider, client: UUID | None, *reports: ReportedTicket) -> None:
    outcome = await tickets.ingest(provider.context, provider.admin, sent(), IngestTickets("DESK", reports, client))
    assert outcome.errors == ()


async def parts(provider: Provider, query: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Return all rows behind a figure by part, read two at a time."""
    found: dict[str, list[dict[str, Any]]] = {}
    for part in ("NUMERATOR", "DENOMINATOR", "LEFT_OUT"):
        rows: list[dict[str, Any]] = []
        after = None
        while True:
            variables = {"query": query, "part": part, "first": 2, "after": after}
            page = (await asked(provider, EXPLAIN, variables))["kpi"]["explain"]
            rows += page["nodes"]
            if not page["pageInfo"]["hasNextPage"]:
                break
            after = page["pageInfo"]["endCursor"]
        assert page["totalCount"] == len(rows)
        found[part] = rows
    return found


async def test_an_answer_carries_everything_needed_to_read_the_number(provider: Provider) -> None:
    client = await provider.client("Acme")
    await report(provider, client, *(ticket(n, 1, 2) for n in range(5)), *(ticket(n) for n in range(5, 25)))
    provider.clock.forward(days=60)
    query = {
        "key": "ESCALATION_RATE",
        "period": {"from": "2026-03-01", "to": "2026-04-15"},
        "by": ["CLIENT"],
        "compareWith": "PREVIOUS_YEAR",
    }
    answer = (await asked(provider, KPI, {"query": query}))["kpi"]
    assert answer["definition"]["title"] == "Escalation rate"
    assert answer["timeZone"] == "Europe/Amsterdam"
    assert answer["period"] == {"from": "2026-03-01", "to": "2026-04-15", "days": 45}
    assert answer["comparedWith"] == {"from": "2025-03-01", "to": "2025-04-15"}
    (series,) = answer["series"]
    assert series["dimensions"] == [{"dimension": "CLIENT", "member": public(IdKind.CLIENT, client), "label": "Acme"}]
    total = series["total"]
    assert (total["value"], total["numerator"], total["denominator"], total["status"]) == (0.2, 5, 25, "OK")
    assert total["low"] < 0.2 < total["high"]
    assert series["previous"] == {"value": None}
    assert series["change"] is None
    points, columns = series["points"], series["columns"]
    assert [point["complete"] for point in points] == columns["complete"] == [True, False]
    assert columns["values"] == [point["value"]["value"] for point in points] == [0.2, None]
    assert columns["statuses"] == ["OK", "NO_DATA"]
    assert columns["starts"] == ["2026-03-01", "2026-04-01"]


async def test_the_rows_behind_a_figure_reconcile_with_it(provider: Provider) -> None:
    client = await provider.client()
    await report(
        provider,
        client,
        *(ticket(n, 1, 2, 1, 2) for n in range(3)),
        *(ticket(n) for n in range(3, 7)),
        ticket(7, 1, 2, exclusion=Exclusion.MERGED),
        ticket(8, 1, 2, source=TicketSource.ALERT),
        ticket(9, exclusion=Exclusion.SPAM),
    )
    for key in ("TICKETS_LOGGED", "ESCALATIONS", "ESCALATED_TICKETS", "ESCALATION_RATE"):
        query = {"key": key, "period": YEAR, "where": {"clientIds": [public(IdKind.CLIENT, client)]}}
        total = (await asked(provider, KPI, {"query": query}))["kpi"]["series"][0]["total"]
        found = await parts(provider, query)
        assert sum(row["amount"] for row in found["NUMERATOR"]) == total["numerator"]
        assert sum(row["amount"] for row in found["DENOMINATOR"]) == (total["denominator"] or 0)
        assert all(row["reason"] is None for row in (*found["NUMERATOR"], *found["DENOMINATOR"]))
        assert all(row["ticketId"] for rows in found.values() for row in rows)
    left_out = (await parts(provider, {"key": "TICKETS_LOGGED", "period": YEAR}))["LEFT_OUT"]
    assert sorted(row["reason"] for row in left_out) == ["MERGED", "OTHER_SOURCE", "SPAM"]


async def test_figures_of_onboarding_are_counted_from_what_happened_and_reconcile(provider: Provider) -> None:
    one, other = await opened(provider), await opened(provider)
    provider.clock.forward(days=7)  # five business days in contracting
    assert await one.forward() is Stage.ASSET_DISCOVERY
    provider.clock.forward(days=14)
    assert await one.forward() is Stage.EARLY_SUPPORT
    period = {"from": "2026-03-01", "to": "2026-04-01"}

    query = {"key": "TIME_IN_STAGE", "period": period, "by": ["STAGE"]}
    series = (await asked(provider, KPI, {"query": query}))["kpi"]["series"]
    stages = {entry["dimensions"][0]["member"]: entry["total"] for entry in series}
    assert list(stages) == ["CONTRACTING", "ASSET_DISCOVERY", "EARLY_SUPPORT"]
    assert stages["CONTRACTING"]["value"] == pytest.approx(5.0)
    assert (stages["CONTRACTING"]["numerator"], stages["CONTRACTING"]["denominator"]) == (1, 2)
    assert stages["ASSET_DISCOVERY"]["value"] == pytest.approx(10.0)
    assert stages["EARLY_SUPPORT"]["value"] is None
    whole = {"key": "TIME_IN_STAGE", "period": period}
    found = await parts(provider, whole)
    assert (len(found["NUMERATOR"]), len(found["DENOMINATOR"]), len(found["LEFT_OUT"])) == (2, 4, 0)

    query = {"key": "OPEN_ONBOARDINGS", "period": period, "grain": "WEEK", "by": ["STAGE"]}
    series = (await asked(provider, KPI, {"query": query}))["kpi"]["series"]
    now = {entry["dimensions"][0]["member"]: entry["total"]["value"] for entry in series}
    assert now == {"CONTRACTING": 1, "ASSET_DISCOVERY": 0, "EARLY_SUPPORT": 1}
    assert len((await parts(provider, {"key": "OPEN_ONBOARDINGS", "period": period}))["NUMERATOR"]) == 2

    query = {"key": "WAIVED_MOVES", "period": period}
    total = (await asked(provider, KPI, {"query": query}))["kpi"]["series"][0]["total"]
    found = await parts(provider, query)
    assert (total["numerator"], total["denominator"]) == (2, 2)
    assert (len(found["NUMERATOR"]), len(found["DENOMINATOR"])) == (2, 2)
    assert {row["onboardingId"] for row in found["NUMERATOR"]} == {public(IdKind.ONBOARDING, one.cycle)}
    assert (await other.seen()).stage is Stage.CONTRACTING


async def test_holds_are_taken_out_of_the_time_in_a_stage_and_a_rolled_back_stay_is_left_out(
    provider: Provider,
) -> None:
    one = await opened(provider)
    provider.clock.forward(days=7)
    assert (await one.move(Move.HOLD, hold_reason=HoldReason.CLIENT)).errors == ()
    provider.clock.forward(days=14)
    assert (await one.move(Move.RESUME)).errors == ()
    provider.clock.forward(days=7)
    await one.forward()
    await one.forward()
    assert (
        await one.move(Move.ROLL_BACK, to=Stage.ASSET_DISCOVERY, reason="wrong scope", by=provider.admin)
    ).errors == ()
    period = {"from": "2026-03-01", "to": "2026-05-01"}
    query = {"key": "TIME_IN_STAGE", "period": period, "where": {"stages": ["CONTRACTING"]}}
    total = (await asked(provider, KPI, {"query": query}))["kpi"]["series"][0]["total"]
    # Summer time began on the 29th of March: the same instant of the day is an eighth of a working day later.
    assert total["value"] == pytest.approx(10.125)
    found = await parts(provider, {"key": "TIME_IN_STAGE", "period": period})
    assert "ROLLED_BACK" in {row["reason"] for row in found["LEFT_OUT"]}


async def test_a_ticket_is_counted_under_the_stage_and_phase_in_which_it_was_logged(provider: Provider) -> None:
    one = await opened(provider)
    moments = [provider.clock()]
    for _ in range(2):
        provider.clock.forward(days=3)
        await one.forward()
        moments.append(provider.clock())
    before = [moments[0] - timedelta(days=10), *moments]
    await report(provider, one.client, *(ticket(n, 1, 2, logged_at=at) for n, at in enumerate(before)))
    for dimension, expected in (
        ("STAGE", {"CONTRACTING": 1, "ASSET_DISCOVERY": 1, "EARLY_SUPPORT": 1, "UNKNOWN": 1}),
        ("PHASE", {"BEFORE_SERVICE": 2, "EARLY": 1, "UNKNOWN": 1}),
    ):
        query = {"key": "TICKETS_LOGGED", "period": YEAR, "by": [dimension]}
        series = (await asked(provider, KPI, {"query": query}))["kpi"]["series"]
        assert {entry["dimensions"][0]["member"]: entry["total"]["value"] for entry in series} == expected


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"period": {"from": "2026-03-02", "to": "2026-03-01"}}, "has no day in it"),
        ({"period": {"from": "2000-01-01", "to": "2026-01-01"}}, "at most 7320"),
        ({"period": {"from": "2016-01-01", "to": "2026-01-01"}, "grain": "DAY"}, "coarser grain"),
        ({"period": {"from": "0001-01-01", "to": "0001-01-02"}}, "outside the years 1900 to 2300"),
        ({"period": {"from": "9999-12-30", "to": "9999-12-31"}}, "outside the years 1900 to 2300"),
        ({"period": {"from": "1900-01-01", "to": "1901-01-01"}, "compareWith": "PREVIOUS_YEAR"}, "from 1899-01-01"),
        ({"by": ["STAGE", "PHASE"]}, "aren't kept together"),
        ({"by": ["CLIENT", "STAGE", "PHASE"]}, "at most 2"),
        ({"top": 0}, "from 1 to 200"),
        ({"asOf": "2300-01-01T00:00:00Z"}, "asOf: 2300-01-01T00:00:00+00:00 is still to come"),
        ({"key": "OPEN_ONBOARDINGS", "by": ["PRIORITY"]}, "isn't kept by PRIORITY"),
        ({"where": {"clientIds": ["cli_1"]}}, "is no client id"),
    ],
)
async def test_what_cannot_be_answered_is_refused_in_words(
    provider: Provider, query: dict[str, Any], words: str
) -> None:
    asked_ = {"key": "ESCALATION_RATE", "period": YEAR} | query
    data, errors = await answered(provider, KPI, {"query": asked_})
    assert data == {"kpi": None}
    assert len(errors) == 1
    assert words in errors[0]


async def test_rows_of_an_earlier_moment_are_not_kept_and_it_is_said(provider: Provider) -> None:
    query = {"key": "TICKETS_LOGGED", "period": YEAR, "asOf": "2026-03-01T00:00:00Z"}
    data, errors = await answered(provider, EXPLAIN, {"query": query, "part": "NUMERATOR", "first": 5})
    assert data == {"kpi": {"explain": None}}
    assert "without asOf" in errors[0]


async def test_a_dashboard_is_one_question(provider: Provider) -> None:
    client = await provider.client()
    await report(provider, client, ticket(1, 1, 2), ticket(2))
    queries = [{"key": kpi.name, "period": YEAR} for kpi in Kpi]
    text = (
        "query ($queries: [KpiQuery!]!) { kpis(queries: $queries) { definition { key } series { total { value } } } }"
    )
    answer = (await asked(provider, text, {"queries": queries}))["kpis"]
    assert [one["definition"]["key"] for one in answer] == [kpi.name for kpi in Kpi]
    assert [one["series"][0]["total"]["value"] for one in answer[:4]] == [2, 1, 1, 0.5]
    _, errors = await answered(provider, text, {"queries": queries * 3})
    assert "at most 40" in errors[0]


async def test_the_catalogue_lists_every_figure(provider: Provider) -> None:
    text = (
        "{ kpiCatalogue { key title formula unit kind family direction dimensions grains minSample settles source } }"
    )
    catalogue = (await asked(provider, text))["kpiCatalogue"]
    assert [entry["key"] for entry in catalogue] == [kpi.name for kpi in Kpi]
    assert "÷" in next(entry["formula"] for entry in catalogue if entry["key"] == "ESCALATION_RATE")


async def test_figures_take_their_scope_and_rows_that_of_tickets(provider: Provider) -> None:
    query = {"key": "TICKETS_LOGGED", "period": YEAR}
    no_figures = without(provider.admin, Scope.KPIS_READ)
    data, errors = await answered(provider, KPI, {"query": query}, no_figures)
    assert data == {"kpi": None}
    assert "KPIS_READ" in errors[0]
    no_tickets = without(provider.admin, Scope.TICKETS_READ)
    variables = {"query": query, "part": "NUMERATOR", "first": 5}
    data, errors = await answered(provider, EXPLAIN, variables, no_tickets)
    assert data == {"kpi": {"explain": None}}
    assert "TICKETS_READ" in errors[0]


async def test_one_bucket_and_one_member_are_explained_by_their_own_rows(provider: Provider) -> None:
    provider.clock.forward(days=60)
    one, other = await provider.client("One"), await provider.client("Other")
    for client, shift in ((one, 0), (other, 10)):
        april = LOGGED + timedelta(days=35)
        await report(provider, client, ticket(shift + 1, 1, 2), ticket(shift + 2), ticket(shift + 3, logged_at=april))
    await report(provider, None, ticket(99))
    text = """query ($query: KpiQuery!, $bucket: Date, $members: [KpiMemberInput!]) { kpi(query: $query) {
        explain(part: DENOMINATOR, bucket: $bucket, members: $members, first: 20) { totalCount } } }"""
    query = {"key": "ESCALATION_RATE", "period": YEAR, "by": ["CLIENT"]}

    async def behind(bucket: str | None = None, **members: str) -> int:
        named = [{"dimension": dimension, "member": member} for dimension, member in members.items()]
        variables = {"query": query, "bucket": bucket, "members": named}
        count: int = (await asked(provider, text, variables))["kpi"]["explain"]["totalCount"]
        return count

    first = public(IdKind.CLIENT, one)
    assert (await behind(), await behind("2026-03-01"), await behind("2026-04-01")) == (7, 5, 2)
    assert (await behind(CLIENT=first), await behind("2026-03-01", CLIENT=first)) == (3, 2)
    assert (await behind(CLIENT="UNKNOWN"), await behind("2026-05-01", CLIENT="UNKNOWN")) == (1, 0)
    assert await behind(CLIENT=first, STAGE="UNKNOWN") == 3
    for members, words in (
        ([{"dimension": "STAGE", "member": "LIMBO"}], "'LIMBO' is no STAGE"),
        ([{"dimension": "CLIENT", "member": first}] * 2, "named twice"),
        ([{"dimension": "LEAD", "member": "UNKNOWN"}], "isn't kept by LEAD"),
    ):
        _, errors = await answered(provider, text, {"query": query, "members": members})
        assert words in errors[0]
    _, errors = await answered(provider, text, {"query": query, "bucket": "2028-01-01"})
    assert "2028-01-01 lies outside the period" in errors[0]


async def test_technicians_are_explained_only_to_whoever_may_know_them(provider: Provider) -> None:
    text = """query ($query: KpiQuery!) { kpi(query: $query) { explain(part: NUMERATOR, first: 1, members: [
        {dimension: TECHNICIAN, member: "UNKNOWN"}]) { totalCount } } }"""
    query = {"query": {"key": "TICKETS_LOGGED", "period": YEAR}}
    program = await provider.program(Scope.KPIS_READ, Scope.TICKETS_READ)
    _, errors = await answered(provider, text, query, program)
    assert "MEMBERS_READ" in errors[0]
    assert (await asked(provider, text, query))["kpi"]["explain"] == {"totalCount": 0}
