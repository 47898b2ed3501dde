"""Many rows of one table, written by one statement however many they are."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import TextClause, text

from db.session import Transaction
from db.tables.base import Base

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


async def insert(tx: Transaction, table: type[Base], rows: Sequence[Mapping[str, object]]) -> None:
    """Write rows that all name the same columns, in the order given.

    Raises:
        DuplicateError: a unique constraint has one of them already.
        MissingReferenceError: one names a row that this tenant does not have.
    """
    if rows:
        await tx.run(_insert(table.__tablename__, tuple(rows[0])), tenant=tx.tenant, rows=rows)


def values(one: "DataclassInstance", **more: object) -> dict[str, Any]:
    """Return the fields of a domain value as columns, with further ones beside them."""
    return {field.name: getattr(one, field.name) for field in fields(one)} | more


# A set of JSON keeps lists of lists apart, such as the roles of every contact, which `unnest` would run together.
@cache
def _insert(table: str, names: tuple[str, ...]) -> TextClause:
    listed = ", ".join(names)
    taken = ", ".join(f"r.{name}" for name in names)
    return text(f"""
        insert into {table} (tenant_id, {listed})
        select :tenant, {taken} from jsonb_populate_recordset(null::{table}, cast(:rows as jsonb)) as r
    """)
