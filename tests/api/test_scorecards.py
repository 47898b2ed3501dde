"""The scorecard over GraphQL: every figure of a period with a verdict that its own answer bears out."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from db.session import Transaction
from domain.access import Scope
from domain.ids import IdKind, public
from domain.kpis import Kpi
from tests.api.test_kpi_judgements import logged, report, want
from tests.support.asking import answered, asked
from tests.support.providers import Provider

CARD = """query ($period: PeriodInput!, $client: ID) { scorecard(period: $period, clientId: $client) {
    clientId grain timeZone asOf period { from to } comparedWith { from to }
    families { family doesWell needsWork figures {
      definition { key } verdict grounds change
      value { value low high status } previous { value }
      trend { direction turn points } benchmark { clients percentile } target { value onTarget } } } } }"""

YEAR = {"from": "2026-01-01", "to": "2027-01-01"}
AUTUMN = {"from": "2026-07-01", "to": "2026-11-01"}


async def card(provider: Provider, period: dict[str, str], client: UUID | None = None) -> dict[str, Any]:
    """Return a scorecard with its figures by their key."""
    variables = {"period": period, "client": client and public(IdKind.CLIENT, client)}
    found: dict[str, Any] = (await asked(provider, CARD, variables))["scorecard"]
    found["figures"] = {
        figure["definition"]["key"]: figure for family in found["families"] for figure in family["figures"]
    }
    return found


@pytest.fixture
async def worsening(provider: Provider) -> list[UUID]:
    """Six clients: of five ever more tickets are escalated, of the last one none."""
    provider.clock.forward(days=275)
    clients = [await provider.client(f"Client {number}") for number in range(6)]
    for place, client in enumerate(clients):
        reports = [
            logged(place, month, number, escalated=place < 5 and number < month)
            for month in range(1, 12)
            for number in range(12)
        ]
        await report(provider, client, *reports)
    return clients


async def test_a_trend_for_the_worse_needs_work_and_a_missed_target_too(
    provider: Provider, worsening: list[UUID]
) -> None:
    found = await card(provider, YEAR)
    assert (found["clientId"], found["grain"], found["timeZone"]) == (None, "MONTH", "Europe/Amsterdam")
    assert found["comparedWith"] == {"from": "2025-01-01", "to": "2026-01-01"}
    assert list(found["figures"]) == [kpi.name for kpi in Kpi]
    rate = found["figures"]["ESCALATION_RATE"]
    assert (rate["verdict"], rate["trend"]["turn"]) == ("NEEDS_WORK", "FOR_WORSE")
    assert rate["grounds"] == ["TREND_FOR_WORSE", "STILL_PARTIAL"]
    assert rate["benchmark"] == {"clients": 6, "percentile": None}
    await want(provider, "ESCALATION_RATE", 0.1)
    rate = (await card(provider, YEAR))["figures"]["ESCALATION_RATE"]
    assert rate["target"] == {"value": 0.1, "onTarget": "MISSED"}
    assert rate["grounds"][0] == "TARGET_MISSED"
    await want(provider, "ESCALATION_RATE", 0.9)
    rate = (await card(provider, YEAR))["figures"]["ESCALATION_RATE"]
    assert (rate["verdict"], rate["grounds"][:2]) == ("STEADY", ["TARGET_MET", "TREND_FOR_WORSE"])


async def test_a_change_is_told_where_the_intervals_lie_apart(provider: Provider, worsening: list[UUID]) -> None:
    rate = (await card(provider, AUTUMN))["figures"]["ESCALATION_RATE"]
    assert rate["change"] == pytest.approx(rate["value"]["value"] - rate["previous"]["value"])
    assert rate["value"]["low"] > rate["previous"]["value"]
    assert "WORSE_THAN_BEFORE" in rate["grounds"]


async def test_a_clients_scorecard_holds_it_against_the_others(provider: Provider, worsening: list[UUID]) -> None:
    best, worst = await card(provider, AUTUMN, worsening[5]), await card(provider, AUTUMN, worsening[0])
    assert best["clientId"] == public(IdKind.CLIENT, worsening[5])
    rate = best["figures"]["ESCALATION_RATE"]
    assert (rate["verdict"], rate["grounds"]) == ("DOES_WELL", ["BETTER_THAN_CLIENTS"])
    assert rate["benchmark"] == {"clients": 6, "percentile": pytest.approx(100 / 12)}
    assert worst["figures"]["ESCALATION_RATE"]["verdict"] == "NEEDS_WORK"
    (family,) = worst["families"]
    verdicts = [figure["verdict"] for figure in family["figures"]]
    assert (family["doesWell"], family["needsWork"]) == (verdicts.count("DOES_WELL"), verdicts.count("NEEDS_WORK"))


async def test_a_client_that_the_caller_does_not_see_has_no_scorecard(
    provider: Provider, worsening: list[UUID]
) -> None:
    text = "query ($period: PeriodInput!, $id: ID) { scorecard(period: $period, clientId: $id) { clientId } }"
    program = await provider.program(Scope.KPIS_READ, clients=(worsening[0],))
    for client, seen in ((worsening[0], True), (worsening[1], False), (uuid4(), False)):
        variables = {"period": AUTUMN, "id": public(IdKind.CLIENT, client)}
        found = (await asked(provider, text, variables, program))["scorecard"]
        assert (found is not None) is seen


async def test_what_has_no_data_or_no_better_side_is_unknown_and_says_so(
    provider: Provider, worsening: list[UUID]
) -> None:
    figures = (await card(provider, YEAR))["figures"]
    assert (figures["TICKETS_LOGGED"]["verdict"], figures["TICKETS_LOGGED"]["grounds"]) == (
        "UNKNOWN",
        ["NO_BETTER_SIDE"],
    )
    assert (figures["MTTR"]["verdict"], figures["MTTR"]["grounds"]) == ("UNKNOWN", ["NO_DATA"])


async def test_figures_of_people_are_left_out_for_whoever_may_not_know_them(provider: Provider) -> None:
    program = await provider.program(Scope.KPIS_READ)
    text = (
        "query ($period: PeriodInput!) { scorecard(period: $period) { families { figures { definition { key } } } } }"
    )
    found = (await asked(provider, text, {"period": YEAR}, program))["scorecard"]
    keys = {figure["definition"]["key"] for family in found["families"] for figure in family["figures"]}
    assert keys == {kpi.name for kpi in Kpi if not kpi.definition.about_staff}
    _, errors = await answered(provider, text, {"period": {"from": "2026-01-02", "to": "2026-01-01"}}, program)
    assert "has no day in it" in errors[0]


async def test_a_scorecard_takes_a_fixed_number_of_statements(
    provider: Provider, worsening: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, seen = Transaction.rows, []

    async def counted(self: Transaction, statement: Any, **params: object) -> Any:
        seen.append(statement)
        return await run(self, statement, **params)

    monkeypatch.setattr(Transaction, "rows", counted)
    sizes = []
    for client in (None, worsening[0]):
        seen.clear()
        await card(provider, YEAR, client)
        sizes.append(len(seen))
    assert max(sizes) <= 50, sizes
