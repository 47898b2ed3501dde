"""Words in tests: a row in every table that holds some, and a search of the whole database for somebody."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from sqlalchemy import Boolean, Date, DateTime, Float, Integer, LargeBinary, Uuid
from sqlalchemy import types as sqltypes
from sqlalchemy.dialects.postgresql import JSONB

from db.tables import metadata
from db.words import WORDS, WordKind, Words
from domain.clients import name_key

_TABLES = "select table_name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'"

_LEAST: dict[type, Callable[[], Any]] = {
    Uuid: uuid4,
    DateTime: lambda: datetime(2026, 3, 2, 9, tzinfo=UTC),
    Date: lambda: date(2026, 3, 2),
    Boolean: lambda: False,
    Integer: lambda: 1_000 + uuid4().int % 1_000_000,
    Float: lambda: 1.0,
    LargeBinary: lambda: uuid4().bytes,
    sqltypes.ARRAY: list,
    JSONB: dict,
}


async def write_everywhere(url: str, tenant: UUID, client: UUID, text: str) -> set[str]:
    """Write a text into every column of words there is: the client's own row, and one of each other table.

    References and policies are passed over. Return the tables written to.
    """
    connection = await asyncpg.connect(url)
    try:
        # References and triggers rest, so that a row needs no world around it.
        await connection.execute("set session_replication_role = replica")
        await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=_json, decoder=str, format="text")
        by_table: dict[str, list[Words]] = {}
        for word in WORDS:
            by_table.setdefault(word.table, []).append(word)
        for name, words in by_table.items():
            keys = [word for word in words if word.kind is WordKind.KEY]
            others = [word for word in words if word.kind is not WordKind.KEY]
            # A row whose key names somebody goes as a whole; what else its table holds is tried in a row of its own.
            for written in (keys, others):
                if written and name != "client":
                    await _insert(connection, name, _row(name, written, tenant, client, text))
        columns = ", ".join(f"{word.column} = $2" for word in by_table["client"])
        await connection.execute(f"update client set {columns} where id = $1", client, text)  # noqa: S608 -- from the declared words
    finally:
        await connection.close()
    return set(by_table)


async def tables_with(url: str, *texts: str) -> dict[str, set[str]]:
    """Return, for each text, in which tables of the whole database it stands, in whatever column, whatever its case."""
    connection = await asyncpg.connect(url)
    try:
        tables = [row["table_name"] for row in await connection.fetch(_TABLES)]
        found: dict[str, set[str]] = {text: set() for text in texts}
        for table in tables:
            for text in texts:
                if await connection.fetchval(
                    f'select exists (select from "{table}" as t where position(lower($1) in lower(t::text)) > 0)',  # noqa: S608 -- from the catalogue
                    text,
                ):
                    found[text].add(table)
        return found
    finally:
        await connection.close()


async def _insert(connection: "asyncpg.Connection[asyncpg.Record]", name: str, row: dict[str, Any]) -> None:
    places = ", ".join(f"${number}" for number in range(1, len(row) + 1))
    await connection.execute(f"insert into {name} ({', '.join(row)}) values ({places})", *row.values())  # noqa: S608 -- from the metadata


def _row(name: str, words: list[Words], tenant: UUID, client: UUID, text: str) -> dict[str, Any]:
    """Return a row with a text in its words; its codes are none that anything would read."""
    table = metadata().tables[name]
    needed = [one for one in table.c if not one.nullable and one.identity is None and one.computed is None]
    row = {column.name: _least(column.type) for column in needed}
    row |= {"tenant_id": tenant} | ({"client_id": client} if "client_id" in table.c else {})
    for word in words:
        row[word.column] = _worded(word, text, table.c[word.column].type)
        if word.sort_key:
            row[word.sort_key] = name_key(text)
    return row


def _least(type_: Any) -> Any:
    """Return a value of a column's type, as little as there can be."""
    found = next((make for kind, make in _LEAST.items() if isinstance(type_, kind)), None)
    return found() if found else f"CODE-{uuid4().hex[:8]}"


def _worded(word: Words, text: str, type_: Any) -> Any:
    if isinstance(type_, JSONB):
        return [{"code": "STAYS", "within": {member: text}} for member in word.members or ("message",)]
    return text


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
