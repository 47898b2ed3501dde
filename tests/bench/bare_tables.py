"""Filling many rows at once: tables without keys and indexes meanwhile, which all come back at the end."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

CONSTRAINTS = """
    select conrelid::regclass::text as table, quote_ident(conname) as name, contype = 'f' as foreign,
           pg_get_constraintdef(oid) as definition
    from pg_constraint where conrelid = any($1::text[]::regclass[]) and contype in ('p', 'u', 'f')
"""
INDEXES = """
    select i.indrelid::regclass::text as table, i.indexrelid::regclass::text as name,
           pg_get_indexdef(i.indexrelid) as definition
    from pg_index i
    where i.indrelid = any($1::text[]::regclass[])
      and not exists (select 1 from pg_constraint c where c.conindid = i.indexrelid and c.contype in ('p', 'u'))
"""


@asynccontextmanager
async def bare(tables: Sequence[str], one: Any, other: Any) -> AsyncIterator[None]:
    """Take the tables' keys and indexes off for as long as the block lasts; two connections put them back."""
    constraints, indexes = await one.fetch(CONSTRAINTS, tables), await one.fetch(INDEXES, tables)
    for constraint in sorted(constraints, key=lambda found: not found["foreign"]):
        await one.execute(f"alter table {constraint['table']} drop constraint {constraint['name']}")
    for index in indexes:
        await one.execute(f"drop index {index['name']}")
    yield
    made = [(index["table"], index["definition"]) for index in indexes]
    made += [(found["table"], _added(found)) for found in constraints if not found["foreign"]]
    # One connection to a table at a time, or they would wait for each other.
    mine = [statement for table, statement in made if table == tables[0]]
    rest = [statement for table, statement in made if table != tables[0]]
    await asyncio.gather(_run(one, mine), _run(other, rest))
    await _run(one, [_added(found) for found in constraints if found["foreign"]])


def _added(constraint: Any) -> str:
    return f"alter table {constraint['table']} add constraint {constraint['name']} {constraint['definition']}"


async def _run(connection: Any, statements: Sequence[str]) -> None:
    for statement in statements:
        await connection.execute(statement)
