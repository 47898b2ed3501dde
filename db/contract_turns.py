"""The turns of contracts in the database: only ever appended to, in the order in which they were noted."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
from sqlalchemy import text

from db.session import Transaction
from domain.clients import Contract, ContractStatus, Party
from domain.contract_turns import Turn, first_turns

ADD = text("""
    insert into contract_turn (tenant_id, client_id, contract_id, position, status, waiting_on, at, recorded_at)
    select :tenant, :client, :contract, noted.last + t.place, t.status, t.waiting_on, t.at, :now
    from unnest(cast(:statuses as text[]), cast(:waiting_on as text[]), cast(:instants as timestamptz[]))
             with ordinality as t(status, waiting_on, at, place)
    cross join (
        select coalesce(max(position), 0) as last from contract_turn
        where tenant_id = :tenant and contract_id = :contract
    ) as noted
""")

# A draft's instant is when somebody noted it, which binds nobody who knows since when it was sent.
LATEST = text("""
    select status, waiting_on, at from contract_turn
    where tenant_id = :tenant and contract_id = :contract and status <> 'DRAFT'
    order by at desc, position desc
    limit 1
""")

OF_CONTRACTS = text("""
    select contract_id, status, waiting_on, at from contract_turn
    where tenant_id = :tenant and contract_id = any(cast(:contracts as uuid[]))
    order by contract_id, position
""")


async def begin(tx: Transaction, contract: Contract) -> None:
    """Keep what a new contract's own dates tell of its past."""
    await _add(tx, contract, first_turns(contract), contract.created_at)


async def record(tx: Transaction, contract: Contract, turn: Turn, now: datetime) -> None:
    """Keep that a contract whose row is held stands otherwise from an instant on."""
    await _add(tx, contract, (turn,), now)


async def latest(tx: Transaction, contract: UUID) -> Turn | None:
    """Return the turn that began last, a draft's aside."""
    row = await tx.one(LATEST, tenant=tx.tenant, contract=contract)
    return read(row) if row else None


async def of_contracts(tx: Transaction, contracts: Sequence[UUID]) -> dict[UUID, list[Turn]]:
    """Return the turns of contracts, in the order in which they were noted."""
    found: dict[UUID, list[Turn]] = {}
    for row in await tx.rows(OF_CONTRACTS, tenant=tx.tenant, contracts=list(contracts)):
        found.setdefault(row["contract_id"], []).append(read(row))
    return found


def read(row: asyncpg.Record) -> Turn:
    """Return the turn of a row."""
    return Turn(ContractStatus(row["status"]), Party(row["waiting_on"]) if row["waiting_on"] else None, row["at"])


async def _add(tx: Transaction, contract: Contract, turns: tuple[Turn, ...], now: datetime) -> None:
    await tx.run(
        ADD,
        tenant=tx.tenant,
        client=contract.client_id,
        contract=contract.id,
        statuses=[turn.status.value for turn in turns],
        waiting_on=[turn.waiting_on.value if turn.waiting_on else None for turn in turns],
        instants=[turn.at for turn in turns],
        now=now,
    )
