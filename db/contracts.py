"""Contracts in the database: what was agreed with a client."""

from db import contract_turns
from db.keyset import Listing
from db.rows import Rows
from db.session import Transaction
from db.tables.clients import ContractRow
from domain.clients import Contract

ROWS = Rows(ContractRow, Contract)
_T = ContractRow.__table__.c
LISTING = Listing(
    columns=ROWS.columns,
    tenant=_T.tenant_id,
    orders={"CREATED_AT": (_T.created_at, _T.id)},
    parent=_T.client_id,
)

get = ROWS.get
lock = ROWS.lock
many = ROWS.many


async def add(tx: Transaction, contract: Contract) -> None:
    """Write a new contract, with what its own dates tell of its past.

    Raises:
        MissingReferenceError: its client is not this tenant's.
    """
    await ROWS.add(tx, contract)
    await contract_turns.begin(tx, contract)


async def save(tx: Transaction, contract: Contract) -> None:
    """Write a contract over its locked row."""
    await ROWS.save(tx, contract.id, contract)
