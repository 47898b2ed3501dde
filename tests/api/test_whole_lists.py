"""A list whose rows are loaded at once shows of each what it shows by itself, and its errors in their places."""

from datetime import timedelta

from domain.access import Scope
from domain.ids import IdKind, public
from tests.support.asking import answered, asked
from tests.support.onboarding import opened
from tests.support.providers import Provider, without
from tests.support.tickets import NOON, report, ticket

FIELDS = """
    id name stage
    logged: kpi(key: TICKETS_LOGGED, period: {from: "2026-01-01", to: "2027-01-01"}, grain: QUARTER) {
      total { value low high status sampleSize } columns { starts values statuses complete }
    }
    rate: kpi(key: ESCALATION_RATE, period: {from: "2026-01-01", to: "2027-01-01"}) { total { value numerator } }
"""
LIST = f"{{ clients(first: 10) {{ nodes {{ {FIELDS} }} }} }}"
ONE = f"query One($id: ID!) {{ client(ref: {{id: $id}}) {{ {FIELDS} }} }}"


async def test_a_row_of_a_list_is_what_the_object_is_by_itself(provider: Provider) -> None:
    onboarding = await opened(provider)
    await onboarding.sign()
    quiet = await provider.client("Quiet")
    provider.clock.now = NOON + timedelta(days=2)
    await report(provider, ticket(1), ticket(2, tiers=(1, 2)), client=onboarding.client)
    rows = (await asked(provider, LIST))["clients"]["nodes"]
    alone = [(await asked(provider, ONE, {"id": row["id"]}))["client"] for row in rows]
    assert rows == alone
    assert {row["id"]: row["stage"] for row in rows} == {
        public(IdKind.CLIENT, onboarding.client): "CONTRACTING",
        public(IdKind.CLIENT, quiet): None,
    }
    assert sorted(row["logged"]["total"]["value"] for row in rows) == [0.0, 2.0]


async def test_what_only_some_may_see_is_refused_row_by_row(provider: Provider) -> None:
    await provider.client("One")
    await provider.client("Two")
    caller = without(provider.admin, Scope.KPIS_READ)
    data, errors = await answered(provider, LIST, principal=caller)
    assert [row["logged"] for row in data["clients"]["nodes"]] == [None, None]
    assert [row["name"] for row in data["clients"]["nodes"]] == ["One", "Two"]
    assert len(errors) == 4


async def test_an_argument_that_is_refused_is_refused_in_its_place(provider: Provider) -> None:
    await provider.client("One")
    text = LIST.replace('"2027-01-01"}, grain', '"2025-01-01"}, grain')
    data, errors = await answered(provider, text)
    assert data["clients"]["nodes"][0]["logged"] is None
    assert data["clients"]["nodes"][0]["rate"] == {"total": {"value": None, "numerator": 0.0}}
    assert len(errors) == 1
    assert "2025-01-01" in errors[0]


async def test_what_is_skipped_by_a_variable_is_not_remembered(provider: Provider) -> None:
    await provider.client("One")
    text = """query Sometimes($with: Boolean!) { clients(first: 1) { nodes {
        kpi(key: TICKETS_LOGGED, period: {from: "2026-01-01", to: "2027-01-01"}) {
            total { value status @include(if: $with) } } } } }"""
    for shown in (True, False, True):
        (row,) = (await asked(provider, text, {"with": shown}))["clients"]["nodes"]
        assert ("status" in row["kpi"]["total"]) is shown


async def test_a_move_is_seen_by_the_next_question(provider: Provider) -> None:
    onboarding = await opened(provider)
    await onboarding.sign()
    assert [row["stage"] for row in (await asked(provider, LIST))["clients"]["nodes"]] == ["CONTRACTING"]
    await onboarding.forward()
    assert [row["stage"] for row in (await asked(provider, LIST))["clients"]["nodes"]] == ["ASSET_DISCOVERY"]
    assert onboarding.version > 1
