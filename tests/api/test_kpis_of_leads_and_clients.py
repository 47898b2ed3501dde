"""Figures of leads and clients over GraphQL: who may ask about people, and the rows behind the numbers."""

from dataclasses import replace
from typing import Any

import asyncpg
import pytest
from sqlalchemy.sql.expression import Executable

from db.session import Database, Transaction
from domain.access import Principal, PrincipalKind, Role, Scope
from domain.ids import IdKind, public
from domain.kpis import Kpi
from domain.moves import Move
from domain.onboarding import EndReason
from tests.support.asking import answered, asked
from tests.support.onboarding import opened
from tests.support.onboarding_life import passed
from tests.support.providers import Provider, done, new_provider, sent, without
from workflows.teams import TeamCommand, change_team

FIGURE = """
query Figure($query: KpiQuery!) {
  kpi(query: $query) {
    definition { key aboutStaff additive }
    series {
      dimensions { dimension member label }
      total { value numerator denominator status peak share p90 }
      points { value { value peak status } }
    }
  }
}
"""

ROWS = """
query Rows($query: KpiQuery!, $part: KpiPart!) {
  kpi(query: $query) {
    explain(part: $part, first: 50) {
      totalCount
      nodes { amount reason onboardingId contractId leadId stage ended outcome baselineRate baselineStanding }
    }
  }
}
"""

MARCH = {"from": "2026-03-01", "to": "2026-04-01"}
PER_LEAD = {"key": "ONBOARDINGS_PER_LEAD", "period": MARCH, "grain": "WEEK"}


async def two_leads(provider: Provider) -> tuple[Principal, Principal]:
    """Return a lead of two onboardings, one of them handed over a week later to the other, who then has two."""
    ann, ben = await provider.invited(Role.ONBOARDING_LEAD), await provider.invited(Role.ONBOARDING_LEAD)
    one, _, _ = await opened(provider, lead=ann), await opened(provider, lead=ann), await opened(provider, lead=ben)
    provider.clock.forward(days=7)
    done(await change_team(provider.context, ann, sent(), TeamCommand(one.cycle, one.version, lead=ben.id)))
    provider.clock.forward(days=7)
    return ann, ben


async def test_the_load_of_each_lead_is_named_and_peaks_on_the_day_with_the_most(provider: Provider) -> None:
    ann, ben = await two_leads(provider)
    series = (await asked(provider, FIGURE, {"query": PER_LEAD | {"by": ["LEAD"]}}))["kpi"]["series"]
    found = {one["dimensions"][0]["member"]: (one["total"]["value"], one["total"]["peak"]) for one in series}
    assert found == {public(IdKind.MEMBER, ann.id): (1, 2), public(IdKind.MEMBER, ben.id): (2, 2)}
    assert {one["dimensions"][0]["label"] for one in series} == {ann.name, ben.name}
    (whole,) = (await asked(provider, FIGURE, {"query": PER_LEAD}))["kpi"]["series"]
    assert (whole["total"]["value"], whole["total"]["numerator"], whole["total"]["denominator"]) == (1.5, 3, 2)
    # Sunday the 1st lies before all of it; then come two weeks, that of today, and what is still to come.
    assert [point["value"]["value"] for point in whole["points"]] == [None, 1.5, 1.5, 1.5, None, None]
    assert [point["value"]["status"] for point in whole["points"]][:4] == ["NO_DATA", "OK", "OK", "PARTIAL"]
    rows = (await asked(provider, ROWS, {"query": PER_LEAD, "part": "DENOMINATOR"}))["kpi"]["explain"]
    assert {row["leadId"] for row in rows["nodes"]} == set(found)
    rows = (await asked(provider, ROWS, {"query": PER_LEAD, "part": "NUMERATOR"}))["kpi"]["explain"]
    assert sorted(row["leadId"] for row in rows["nodes"]) == sorted(
        public(IdKind.MEMBER, lead.id) for lead in (ann, ben, ben)
    )


async def test_no_program_is_told_what_people_carry_and_a_person_is_told_at_least_of_oneself(
    provider: Provider,
) -> None:
    ann, ben = await two_leads(provider)
    program = await provider.program(Scope.KPIS_READ, Scope.CLIENTS_READ, Scope.TICKETS_READ)
    for caller in (program, replace(program, kind=PrincipalKind.PARTNER), without(ann, Scope.MEMBERS_READ)):
        for query in (PER_LEAD, PER_LEAD | {"by": ["LEAD"]}):
            data, errors = await answered(provider, FIGURE, {"query": query}, caller)
            assert data == {"kpi": None}
            assert "MEMBERS_READ" in errors[0]
    for lead, told in ((ann, True), (ben, False)):
        query = PER_LEAD | {"by": ["LEAD"], "where": {"leadIds": [public(IdKind.MEMBER, lead.id)]}}
        data, errors = await answered(provider, FIGURE, {"query": query}, without(ann, Scope.MEMBERS_READ))
        assert bool(errors) is not told
        if told:
            assert data["kpi"]["series"][0]["total"]["value"] == 1


async def test_a_client_does_not_show_the_load_of_its_leads_to_programs(provider: Provider) -> None:
    one = await opened(provider)
    text = """
    query ($id: ID!, $period: PeriodInput!) {
      client(ref: {id: $id}) { kpi(key: ONBOARDINGS_PER_LEAD, period: $period) { total { value } } }
    }
    """
    variables = {"id": public(IdKind.CLIENT, one.client), "period": MARCH}
    program = await provider.program(Scope.KPIS_READ, Scope.CLIENTS_READ)
    data, errors = await answered(provider, text, variables, program)
    assert data == {"client": {"kpi": None}}
    assert "MEMBERS_READ" in errors[0]
    assert (await asked(provider, text, variables))["client"]["kpi"]["total"]["value"] == 1


async def test_the_rows_behind_a_figure_lead_to_contracts_and_tell_how_clients_left(provider: Provider) -> None:
    one = await opened(provider)
    provider.clock.forward(days=1)
    await one.sign()
    query = {"key": "PROVIDER_RESPONSE_TIME", "period": MARCH}
    (series,) = (await asked(provider, FIGURE, {"query": query}))["kpi"]["series"]
    total = series["total"]
    assert (total["value"], total["share"], total["status"]) == (pytest.approx(1), 1, "INSUFFICIENT_SAMPLE")
    rows = (await asked(provider, ROWS, {"query": query, "part": "NUMERATOR"}))["kpi"]["explain"]
    (row,) = rows["nodes"]
    assert (row["contractId"], row["amount"]) == (public(IdKind.CONTRACT, one.contract), pytest.approx(1))
    await passed(one, Move.LOSE, outcome=EndReason.COMPETITOR, reason="cheaper")
    query = {"key": "CLIENTS_LOST", "period": MARCH, "by": ["OUTCOME"], "where": {"outcomes": ["COMPETITOR"]}}
    (series,) = (await asked(provider, FIGURE, {"query": query}))["kpi"]["series"]
    assert (series["dimensions"][0]["member"], series["total"]["value"]) == ("COMPETITOR", 1)
    (row,) = (await asked(provider, ROWS, {"query": query, "part": "NUMERATOR"}))["kpi"]["explain"]["nodes"]
    assert (row["outcome"], row["stage"], row["baselineRate"]) == ("COMPETITOR", "LOST", None)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"key": "CLIENTS_LOST", "by": ["LEAD"]}, "isn't kept by LEAD"),
        ({"key": "TIME_TO_GO_LIVE", "by": ["STAGE"]}, "isn't kept by STAGE; it is by CLIENT"),
        ({"key": "TICKETS_LOGGED", "where": {"tenures": ["UNDER_1_YEAR"]}}, "isn't kept by TENURE"),
        ({"key": "ONBOARDINGS_PER_LEAD", "where": {"leadIds": ["mem_1"]}}, "is no member id"),
    ],
)
async def test_what_a_figure_is_not_kept_by_is_refused_in_words(
    provider: Provider, query: dict[str, Any], words: str
) -> None:
    data, errors = await answered(provider, FIGURE, {"query": {"period": MARCH} | query})
    assert data == {"kpi": None}
    assert words in errors[0]


@pytest.mark.parametrize("kpi", [kpi for kpi in Kpi if kpi.definition.family], ids=lambda kpi: kpi.name)
async def test_the_statements_of_a_figure_do_not_grow_with_its_rows(
    database: Database, monkeypatch: pytest.MonkeyPatch, kpi: Kpi
) -> None:
    counts = []
    for many in (1, 4):
        provider = await new_provider(database)
        for _ in range(many):
            await (await opened(provider)).forward()
        seen: list[str] = []
        run = Transaction.rows

        async def counted(
            self: Transaction, statement: Executable, *, _run: Any = run, _seen: list[str] = seen, **params: object
        ) -> list[asyncpg.Record]:
            _seen.append(str(statement))
            found: list[asyncpg.Record] = await _run(self, statement, **params)
            return found

        with monkeypatch.context() as patched:
            patched.setattr(Transaction, "rows", counted)
            query = {"key": kpi.name, "period": MARCH, "by": [kpi.definition.dimensions[-1].name]}
            await asked(provider, FIGURE, {"query": query})
            await asked(provider, ROWS, {"query": query, "part": "DENOMINATOR"})
        counts.append(len(seen))
    assert counts[0] == counts[1]


async def test_a_contract_shows_whom_it_waited_on(provider: Provider) -> None:
    one = await opened(provider)
    provider.clock.forward(days=1)
    await one.sign()
    text = "query ($id: ID!) { node(id: $id) { ... on Contract { turns { at status whose } } } }"
    found = await asked(provider, text, {"id": public(IdKind.CONTRACT, one.contract)})
    assert found["node"]["turns"] == [
        {"at": "2026-03-02T09:00:00Z", "status": "DRAFT", "whose": "PROVIDER"},
        {"at": "2026-03-03T09:00:00Z", "status": "SIGNED", "whose": None},
    ]


MORNING = """
{
  live: kpi(query: {key: TIME_TO_GO_LIVE, period: {from: "2026-01-01", to: "2027-01-01"}, compareWith: PREVIOUS_YEAR}) {
    series { total { value p90 numerator denominator status } previous { value } change }
  }
  load: kpi(query: {key: ONBOARDINGS_PER_LEAD, period: {from: "2026-01-01", to: "2027-01-01"}, by: [LEAD]}) {
    series { dimensions { label } total { value peak } }
  }
  kept: kpi(query: {key: CLIENT_RETENTION, period: {from: "2026-01-01", to: "2027-01-01"}, by: [BASELINE]}) {
    series { dimensions { label } total { value numerator denominator low high status } }
    explain(part: DENOMINATOR, first: 20) { nodes { onboardingId ended outcome baselineRate baselineStanding } }
  }
}
"""


async def test_a_service_managers_questions_are_one_request(provider: Provider) -> None:
    await two_leads(provider)
    manager = await provider.invited(Role.SERVICE_MANAGER)
    found = await asked(provider, MORNING, principal=manager)
    assert found["live"]["series"][0]["total"]["status"] == "NO_DATA"
    assert sorted(one["total"]["value"] for one in found["load"]["series"]) == [1, 2]
    assert found["kept"] == {"series": [], "explain": {"nodes": []}}
