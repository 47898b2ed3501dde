"""A list costs the same number of statements for one row as for many, whatever is selected below it."""

from typing import Any

import asyncpg
import pytest
from sqlalchemy.sql.expression import Executable

from db.session import Database, Transaction
from tests.support.onboarding import opened
from tests.support.providers import Provider, new_provider
from tests.support.schema_walk import Asker, document, schema
from tests.support.worlds import fill

MANY = 25
DEPTH = 3
KPI = {
    "key": "ESCALATION_RATE",
    "period": {"from": "2026-01-01", "to": "2026-04-01"},
    "by": ["CLIENT"],
    "grain": "MONTH",
}

ASKED: dict[str, dict[str, Any]] = {
    "clients": {"first": 50},
    "onboardings": {"first": 50},
    "onboardingPipeline": {"first": 50},
    "nextActions": {"first": 50},
    "followUps": {"first": 50},
    "checklistItems": {"first": 50},
    "myChecklist": {"first": 50},
    "tickets": {"first": 50},
    "unmappedTicketKeys": {"first": 50},
    "members": {"first": 50},
    "onboardingDefinitions": {"first": 50},
    "tokens": {"first": 50},
    "inboundSources": {"first": 50},
    "inboundMessages": {"first": 50},
    "events": {"first": 50},
    "privacyRecords": {"first": 50},
    "jobs": {"first": 50},
    "escalationRuleVersions": {"first": 50},
    "kpiTargets": {"first": 50},
    "kpi": {"query": KPI},
    "scorecard": {"period": KPI["period"]},
}
"""Every list of the schema, and a figure with one series for each client."""

BY_CHANCE = 4
"""Two ways to the same rows share a statement if both are ready at once; a statement per row would be far more."""


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Collect every statement that is run from here on."""
    seen: list[str] = []
    run = Transaction.rows

    async def counted(self: Transaction, statement: Executable, **params: object) -> list[asyncpg.Record]:
        seen.append(" ".join(str(statement).split()))
        return await run(self, statement, **params)

    monkeypatch.setattr(Transaction, "rows", counted)
    return seen


@pytest.fixture(scope="module")
async def sizes(database: Database) -> tuple[Provider, Provider]:
    """Return a provider with one of everything, and one with many."""
    return await _sized(database, 1), await _sized(database, MANY)


@pytest.mark.parametrize("name", ASKED)
async def test_the_statements_of_a_list_do_not_grow_with_its_rows(
    sizes: tuple[Provider, Provider], statements: list[str], name: str
) -> None:
    counts = []
    for provider in sizes:
        statements.clear()
        query = schema().query_type
        assert query is not None
        text = document("query", name, query.fields[name], DEPTH, ASKED[name])
        body, codes = await Asker(provider.context).ask(provider.admin, text, ASKED[name])
        assert codes == [], body["errors"]
        counts.append(list(statements))
    few, many = counts
    assert len(many) <= len(few) + BY_CHANCE, [s for s in many if many.count(s) > few.count(s)][:3]


def test_every_list_of_the_schema_is_counted() -> None:
    query = schema().query_type
    assert query is not None
    lists = {name for name, field in query.fields.items() if "first" in field.args}
    assert lists | {"kpi", "scorecard"} == set(ASKED)


async def _sized(database: Database, onboardings: int) -> Provider:
    provider = await new_provider(database)
    for number in range(onboardings):
        onboarding = await opened(provider)
        await fill(onboarding, f"size-{number}")
    return provider
