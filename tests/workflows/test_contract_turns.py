from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from domain.access import Scope
from domain.clients import ContractStatus, ContractType, Party
from domain.kpis import Kpi
from tests.support.providers import Provider, codes, done, sent
from tests.support.tickets import YEAR, number
from workflows.contracts import CreateContract, UpdateContract
from workflows.contracts import create as create_contract
from workflows.contracts import update as update_contract

MARCH_2 = datetime(2026, 3, 2, 9, tzinfo=UTC)

TURNS = text("""
    select status, waiting_on, at, recorded_at from contract_turn
    where tenant_id = :tenant and contract_id = :contract order by position
""")


async def created(provider: Provider, **said: Any) -> UUID:
    command = CreateContract(await provider.client(), "Managed services", ContractType.MANAGED, **said)
    return done(await create_contract(provider.context, provider.admin, sent(), command))


async def updated(provider: Provider, contract: UUID, **said: Any) -> list[str]:
    change = UpdateContract(contract, **said)
    return codes(await update_contract(provider.context, provider.admin, sent(), change))


async def turns(provider: Provider, contract: UUID) -> list[tuple[str, str | None, datetime]]:
    async with provider.context.database.reading(provider.admin) as tx:
        rows = await tx.rows(TURNS, tenant=tx.tenant, contract=contract)
    return [(row["status"], row["waiting_on"], row["at"]) for row in rows]


async def test_a_contract_keeps_every_status_and_turn_with_the_instant_it_came_about(provider: Provider) -> None:
    contract = await created(provider)
    provider.clock.forward(days=3)
    assert await updated(provider, contract, status=ContractStatus.SENT, status_at=MARCH_2 + timedelta(days=1)) == []
    assert await updated(provider, contract, waiting_on=Party.PROVIDER) == []
    assert await updated(provider, contract, title="Managed everything") == []
    provider.clock.forward(days=1)
    assert await updated(provider, contract, status=ContractStatus.SIGNED) == []
    assert await turns(provider, contract) == [
        ("DRAFT", None, MARCH_2),
        ("SENT", "CLIENT", MARCH_2 + timedelta(days=1)),
        ("SENT", "PROVIDER", MARCH_2 + timedelta(days=3)),
        ("SIGNED", None, MARCH_2 + timedelta(days=4)),
    ]


async def test_a_status_cannot_have_come_about_before_the_one_it_follows(provider: Provider) -> None:
    contract = await created(provider, status=ContractStatus.SENT, status_at=MARCH_2 - timedelta(days=5))
    before = await turns(provider, contract)
    change = UpdateContract(contract, status=ContractStatus.SIGNED, status_at=MARCH_2 - timedelta(days=6))
    outcome = await update_contract(provider.context, provider.admin, sent(), change)
    assert codes(outcome) == ["INVALID"]
    assert outcome.errors[0].path == ("statusAt",)
    assert "since when this contract has been SENT" in outcome.errors[0].message
    assert await turns(provider, contract) == before
    assert await updated(provider, contract, status=ContractStatus.SIGNED, status_at=MARCH_2) == []


async def test_a_draft_binds_nobody_who_knows_when_it_was_sent(provider: Provider) -> None:
    contract = await created(provider)
    at = MARCH_2 - timedelta(days=7)
    assert await updated(provider, contract, status=ContractStatus.SENT, status_at=at) == []
    provider.clock.forward(days=1)
    assert await updated(provider, contract, status=ContractStatus.SIGNED) == []
    # A Monday morning to the Tuesday of the week after: six business days, of which none was ours.
    assert await number(provider, Kpi.CONTRACTING_TIME, period=YEAR) == pytest.approx(6)
    assert await number(provider, Kpi.PROVIDER_RESPONSE_TIME, period=YEAR) == 0


async def test_turns_are_seen_by_whoever_sees_the_client_and_by_nobody_else(
    provider: Provider, other_provider: Provider
) -> None:
    contract = await created(provider)
    assert await turns(other_provider, contract) == []
    elsewhere = await provider.client("Elsewhere")
    program = await provider.program(Scope.CLIENTS_READ, clients=(elsewhere,))
    async with provider.context.database.reading(program) as tx:
        assert await tx.rows(TURNS, tenant=tx.tenant, contract=contract) == []


async def test_what_is_known_of_a_contract_goes_along_when_it_is_moved_to_another_client(provider: Provider) -> None:
    contract = await created(provider, status=ContractStatus.SENT)
    other = await provider.client("Other")
    moved = text("update contract set client_id = :client where tenant_id = :tenant and id = :contract")
    kept = text("select client_id from contract_turn where tenant_id = :tenant and contract_id = :contract")
    async with provider.context.database.writing(provider.admin) as tx:
        await tx.run(moved, tenant=tx.tenant, client=other, contract=contract)
        assert await tx.value(kept, tenant=tx.tenant, contract=contract) == other
