"""Rows: how a plain domain value becomes a row and comes back, written once for every table."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, Generic, TypeVar
from uuid import UUID

import asyncpg
import msgspec
from sqlalchemy import ARRAY, Table, Uuid, any_, bindparam, insert, select, update
from sqlalchemy.sql.expression import Executable

from db.session import Transaction
from db.tables.base import Base

T = TypeVar("T")

_FIXED = ("tenant_id", "id", "client_id", "created_at")
"""Columns that no update touches."""


class Rows(Generic[T]):
    """The rows of one table keyed by (tenant, id), seen as values of one frozen dataclass.

    `derived` lists columns that the database keeps and the value does not have, such as sort keys;
    the caller passes them on writing.
    """

    def __init__(self, row: type[Base], value: type[T], *, derived: Sequence[str] = ()) -> None:
        table = row.__table__
        if not isinstance(table, Table):
            raise TypeError(f"{row.__name__} is no table of its own")
        self.value = value
        self.table = table
        self.columns = tuple(table.c[field.name] for field in fields(value) if field.name in table.c)  # type: ignore[arg-type]
        written = [*(column.name for column in self.columns), *derived]
        self._written = written
        self._insert: Executable = insert(table).values(
            tenant_id=bindparam("tenant", type_=table.c.tenant_id.type),
            **{name: bindparam(f"new_{name}", type_=table.c[name].type) for name in written},
        )
        here = (table.c.tenant_id == bindparam("tenant"), table.c.id == bindparam("key"))
        changing = [name for name in written if name not in _FIXED]
        self._save: Executable = (
            update(table)
            .where(*here)
            .values({name: bindparam(f"new_{name}", type_=table.c[name].type) for name in changing})
        )
        self._get: Executable = select(*self.columns).where(*here)
        self._lock: Executable = select(*self.columns).where(*here).with_for_update()
        listed = bindparam("keys", type_=ARRAY(Uuid()))
        self._many = select(*self.columns).where(table.c.tenant_id == bindparam("tenant"), table.c.id == any_(listed))
        self._lock_many: Executable = self._many.order_by(table.c.id).with_for_update()

    def read(self, record: asyncpg.Record | Mapping[str, Any]) -> T:
        """Return the domain value of a row; further columns of the record are left aside."""
        return msgspec.convert(dict(record), self.value)

    async def get(self, tx: Transaction, key: UUID) -> T | None:
        """Return one value as this transaction sees it, or `None`."""
        row = await tx.one(self._get, tenant=tx.tenant, key=key)
        return self.read(row) if row else None

    async def lock(self, tx: Transaction, key: UUID) -> T | None:
        """Return one value and keep others from changing it until the transaction ends."""
        row = await tx.one(self._lock, tenant=tx.tenant, key=key)
        return self.read(row) if row else None

    async def many(self, tx: Transaction, keys: Sequence[UUID]) -> dict[UUID, T]:
        """Return those of the values that are visible, by id, in one statement."""
        rows = await tx.rows(self._many, tenant=tx.tenant, keys=list(keys))
        return {row["id"]: self.read(row) for row in rows}

    async def lock_many(self, tx: Transaction, keys: Sequence[UUID]) -> dict[UUID, T]:
        """Return values by id and keep others from changing them; locked in one order, so that nobody deadlocks."""
        rows = await tx.rows(self._lock_many, tenant=tx.tenant, keys=list(keys))
        return {row["id"]: self.read(row) for row in rows}

    async def add(self, tx: Transaction, value: T, **derived: object) -> None:
        """Write a new row.

        Raises:
            DuplicateError: a unique constraint has it already.
            MissingReferenceError: it names a row that this tenant does not have.
        """
        await tx.run(self._insert, tenant=tx.tenant, **self._parameters(value, derived))

    async def save(self, tx: Transaction, key: UUID, value: T, **derived: object) -> None:
        """Write a changed value over its row; the caller holds the row's lock."""
        await tx.run(self._save, tenant=tx.tenant, key=key, **self._parameters(value, derived))

    def _parameters(self, value: T, derived: Mapping[str, object]) -> dict[str, object]:
        return {f"new_{name}": derived[name] if name in derived else getattr(value, name) for name in self._written}
