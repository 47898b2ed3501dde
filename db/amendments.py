"""Amendments in the database: numbered within their contract, and which onboardings work towards them."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text

from db.rows import Rows
from db.session import Transaction
from db.tables.amendments import AmendmentRow
from domain.amendments import Amendment

ROWS = Rows(AmendmentRow, Amendment)
_COLUMNS = ", ".join(f"a.{column.name}" for column in ROWS.columns)

OF_CONTRACTS = text(f"""
    select {_COLUMNS} from amendment a
    where a.tenant_id = :tenant and a.contract_id = any(cast(:contracts as uuid[]))
    order by a.contract_id, a.number
""")
LAST_NUMBER = text("""
    select coalesce(max(number), 0) from amendment where tenant_id = :tenant and contract_id = :contract
""")
NAMED = text(
    "select exists (select from cycle where tenant_id = :tenant and client_id = :client and amendment_id = :key)"
)

get = ROWS.get
lock = ROWS.lock
many = ROWS.many
add = ROWS.add


async def save(tx: Transaction, amendment: Amendment) -> None:
    """Write an amendment over its locked row."""
    await ROWS.save(tx, amendment.id, amendment)


async def of_contracts(tx: Transaction, contracts: Sequence[UUID]) -> dict[UUID, list[Amendment]]:
    """Return the amendments of contracts by number, in one statement."""
    found: dict[UUID, list[Amendment]] = {contract: [] for contract in contracts}
    for row in await tx.rows(OF_CONTRACTS, tenant=tx.tenant, contracts=list(contracts)):
        found[row["contract_id"]].append(ROWS.read(row))
    return found


async def next_number(tx: Transaction, contract: UUID) -> int:
    """Return the number that the contract's next amendment gets; the caller holds the contract's lock."""
    last: int = await tx.value(LAST_NUMBER, tenant=tx.tenant, contract=contract)
    return last + 1


async def named_by_onboarding(tx: Transaction, amendment: Amendment) -> bool:
    """Tell whether an onboarding, open or ended, works or worked towards an amendment."""
    return bool(await tx.value(NAMED, tenant=tx.tenant, client=amendment.client_id, key=amendment.id))
