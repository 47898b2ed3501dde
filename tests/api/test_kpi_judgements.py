"""How series are doing, over GraphQL: trends, benchmarks and targets beside the values that they are about."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.ids import IdKind, public
from domain.tickets import HandOver, ReportedTicket
from tests.support.asking import asked
from tests.support.providers import Provider, done, sent
from workflows import tickets
from workflows.targets import SetTarget, remove_target, set_target
from workflows.tickets import IngestTickets

JUDGED = """query ($query: KpiQuery!) { kpi(query: $query) { computedAt asOf series {
    dimensions { member }
    total { value low high }
    trend { direction turn slope low high points method refusal }
    benchmark { pooled { value numerator denominator } clients median mean meanLow meanHigh percentile refusal }
    target { value due onTarget dues onTargets } } } }"""

YEAR = {"from": "2026-01-01", "to": "2027-01-01"}


def logged(client: int, month: int, number: int, *, escalated: bool) -> ReportedTicket:
    at = datetime(2026, month, 5, 12, tzinfo=UTC) + timedelta(minutes=number)
    tiers = (1, 2) if escalated else (1,)
    handed = tuple(HandOver(at + timedelta(hours=n), f"T{tier}", tier) for n, tier in enumerate(tiers))
    return replace(ReportedTicket(f"{client}-{month}-{number}", None, at), hand_overs=handed)


async def report(provider: Provider, client: UUID, *reports: ReportedTicket) -> None:
    outcome = await tickets.ingest(provider.context, provider.admin, sent(), IngestTickets("DESK", reports, client))
    assert outcome.errors == ()


async def want(provider: Provider, key: str, value: float | None, client: UUID | None = None) -> None:
    setting = remove_target if value is None else set_target
    done(await setting(provider.context, provider.admin, sent(), SetTarget(key, client, value)))


async def judged(provider: Provider, key: str = "ESCALATION_RATE", **more: Any) -> list[dict[str, Any]]:
    query = {"key": key, "period": YEAR, "grain": "MONTH", **more}
    series: list[dict[str, Any]] = (await asked(provider, JUDGED, {"query": query}))["kpi"]["series"]
    return series


@pytest.fixture
async def six(provider: Provider) -> list[UUID]:
    """Six clients: the first escalates nothing, each next one two more of its forty tickets."""
    provider.clock.forward(days=275)
    clients = [await provider.client(f"Client {number}") for number in range(6)]
    for place, client in enumerate(clients):
        await report(
            provider,
            client,
            *(logged(place, 1 + number // 5, number, escalated=number < 2 * place) for number in range(40)),
        )
    return clients


async def test_a_client_stands_among_the_clients_with_enough_sample(provider: Provider, six: list[UUID]) -> None:
    small = await provider.client("Small")
    await report(provider, small, *(logged(9, 3, number, escalated=True) for number in range(4)))
    series = {one["dimensions"][0]["member"]: one["benchmark"] for one in await judged(provider, by=["CLIENT"])}
    ranked = [series[public(IdKind.CLIENT, client)] for client in six]
    assert [one["percentile"] for one in ranked] == pytest.approx([100 * (place + 0.5) / 6 for place in range(6)])
    assert [(one["clients"], one["median"]) for one in ranked] == [(6, 0.125)] * 6
    assert (ranked[0]["mean"], ranked[0]["refusal"]) == (pytest.approx(0.125), None)
    assert ranked[0]["meanLow"] < 0.125 < ranked[0]["meanHigh"]
    assert ranked[0]["pooled"] == {"value": pytest.approx(34 / 244), "numerator": 34, "denominator": 244}
    assert series[public(IdKind.CLIENT, small)]["refusal"] == "OWN_SAMPLE_TOO_SMALL"
    [whole] = await judged(provider)
    assert whole["benchmark"] == {**ranked[0], "percentile": None}
    [named] = await judged(provider, where={"clientIds": [public(IdKind.CLIENT, six[2])]})
    assert named["benchmark"] == ranked[2]


async def test_by_stage_clients_are_held_against_clients_in_that_stage(provider: Provider, six: list[UUID]) -> None:
    [unknown] = await judged(provider, by=["STAGE"])
    assert (unknown["benchmark"]["clients"], unknown["benchmark"]["percentile"]) == (6, None)
    assert [one["benchmark"] for one in await judged(provider, by=["TEAM"])] == [None, None]


async def test_a_series_tells_its_trend(provider: Provider) -> None:
    provider.clock.forward(days=275)
    client = await provider.client()
    for month in range(1, 11):
        await report(
            provider, client, *(logged(1, month, number, escalated=number < 2 * month) for number in range(30))
        )
    [series] = await judged(provider)
    trend = series["trend"]
    assert (trend["direction"], trend["turn"], trend["method"]) == ("RISING", "FOR_WORSE", "WEIGHTED_LEAST_SQUARES")
    assert (trend["points"], trend["slope"]) == (10, pytest.approx(2 / 30))
    [short] = await judged(provider, period={"from": "2026-01-01", "to": "2026-05-01"})
    assert (short["trend"]["direction"], short["trend"]["refusal"]) == ("UNKNOWN", "TOO_FEW_POINTS")
    [counted] = await judged(provider, key="TICKETS_LOGGED")
    assert counted["trend"]["turn"] == "NEITHER"


async def test_a_target_is_held_against_the_total_and_every_bucket(provider: Provider, six: list[UUID]) -> None:
    assert (await judged(provider))[0]["target"] is None
    await want(provider, "ESCALATION_RATE", 0.25)
    [whole] = await judged(provider)
    assert (whole["target"]["value"], whole["target"]["due"], whole["target"]["onTarget"]) == (0.25, 0.25, "MET")
    assert whole["target"]["dues"] == [0.25] * 12
    # January holds five tickets of each client, twenty-one of thirty escalated; later months have fewer, then none.
    assert whole["target"]["onTargets"][0] == "MISSED"
    assert whole["target"]["onTargets"][-1] == "UNDECIDED"


async def test_a_clients_own_target_comes_before_the_providers(provider: Provider, six: list[UUID]) -> None:
    await want(provider, "ESCALATION_RATE", 0.5)
    await want(provider, "ESCALATION_RATE", 0.1, six[5])
    found = {one["dimensions"][0]["member"]: one["target"] for one in await judged(provider, by=["CLIENT"])}
    values = [found[public(IdKind.CLIENT, client)]["value"] for client in six]
    assert values == [0.5, 0.5, 0.5, 0.5, 0.5, 0.1]
    assert found[public(IdKind.CLIENT, six[5])]["onTarget"] == "MISSED"
    await want(provider, "ESCALATION_RATE", None, six[5])
    [named] = await judged(provider, where={"clientIds": [public(IdKind.CLIENT, six[5])]})
    assert named["target"]["value"] == 0.5


async def test_a_target_of_a_count_is_of_the_whole_alone_and_for_thirty_days(
    provider: Provider, six: list[UUID]
) -> None:
    await want(provider, "ESCALATIONS", 30)
    [whole] = await judged(provider, key="ESCALATIONS")
    assert (whole["target"]["due"], whole["target"]["dues"][0]) == (365, 31)
    assert [one["target"] for one in await judged(provider, key="ESCALATIONS", by=["CLIENT"])] == [None] * 6
    assert [one["target"] for one in await judged(provider, key="ESCALATIONS", by=["STAGE"])] == [None]


async def test_as_of_an_earlier_moment_the_target_is_the_one_of_then(provider: Provider, six: list[UUID]) -> None:
    await want(provider, "ESCALATION_RATE", 0.5)
    then = provider.clock()
    provider.clock.forward(days=1)
    await want(provider, "ESCALATION_RATE", 0.1)
    [series] = await judged(provider, asOf=then.isoformat())
    assert series["target"]["value"] == 0.5
    [before] = await judged(provider, asOf=(then - timedelta(days=1)).isoformat())
    assert before["target"] is None


async def test_the_catalogue_tells_the_target_and_what_a_figure_is_made_of(provider: Provider) -> None:
    await want(provider, "ESCALATION_RATE", 0.15)
    await want(provider, "ESCALATION_RATE", 0.1, await provider.client())
    catalogue = await asked(provider, "{ kpiCatalogue { key facts settling target { value number clientId } } }")
    found = {entry["key"]: entry for entry in catalogue["kpiCatalogue"]}
    assert found["ESCALATION_RATE"] == {
        "key": "ESCALATION_RATE",
        "facts": ["ESCALATED_TICKETS", "TICKETS"],
        "settling": "ESCALATIONS",
        "target": {"value": 0.15, "number": 1, "clientId": None},
    }
    assert (found["RE_PLANS"]["facts"], found["RE_PLANS"]["target"]) == (["RE_PLANS"], None)
