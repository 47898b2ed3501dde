"""Redaction in the database: the rows that could name a person are looked up, and written back without them."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from asyncpg import Record
from sqlalchemy import (
    ColumnElement,
    Table,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    cast,
    delete,
    func,
    not_,
    or_,
    select,
    text,
    update,
)
from sqlalchemy import types as sqltypes
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.sql.expression import Executable

from db.session import Transaction
from db.tables import metadata
from db.words import WORDS, WordKind, Words
from domain.clients import name_key
from domain.redaction import ERASED, Sought

Place = tuple[str, str]
"""A table and a column of it."""


@dataclass(frozen=True, slots=True)
class Search:
    """By what a person is looked for: in what was written about their client, in its other words, and everywhere else.

    `clients` are their client and those that were merged into it. Without any (for somebody of the provider) all rows
    are looked through as the client's own are.
    """

    clients: tuple[UUID, ...] | None
    prose: Sought | None
    own: Sought | None
    elsewhere: Sought | None


@dataclass(frozen=True, slots=True)
class Mention:
    """One text in which somebody stands, and where."""

    table: str
    key: tuple[str, ...]
    column: str
    text: object


PATIENCE = text("set local statement_timeout = '55s'")
"""A search reads every row there is, which takes longer than what a request usually waits for."""


async def cut_out(tx: Transaction, search: Search) -> Counter[Place]:
    """Take a person out of all words of the tenant; return how many texts that changed, by where they stand."""
    await tx.run(PATIENCE)
    changed: Counter[Place] = Counter()
    for table, words in _by_table().items():
        within = search.clients is not None and _client_column(table) is not None
        if search.prose is not None:
            here = {"clients": list(search.clients or ())} if within else {}
            statement = _lookup(table.name, "own" if within else "all")
            for row in await tx.rows(statement, tenant=tx.tenant, pattern=search.prose.lookup, **here):
                changed += await _rewrite(tx, table, words, row, search.prose, search.own)
        if within and search.elsewhere is not None:
            statement = _lookup(table.name, "others")
            for row in await tx.rows(
                statement, tenant=tx.tenant, pattern=search.elsewhere.lookup, clients=list(search.clients or ())
            ):
                changed += await _rewrite(tx, table, words, row, search.elsewhere, search.elsewhere)
    return changed


async def cut_out_of_shared(tx: Transaction, sought: Sought | None) -> Counter[Place]:
    """Take somebody out of what belongs to no client, such as the lines of a file that could not be read."""
    changed: Counter[Place] = Counter()
    for table, words in _by_table().items():
        if sought is None or _client_column(table) is not None:
            continue
        for row in await tx.rows(_lookup(table.name, "all"), tenant=tx.tenant, pattern=sought.lookup):
            changed += await _rewrite(tx, table, words, row, sought, sought)
    return changed


async def clear(tx: Transaction, client: UUID) -> Counter[Place]:
    """Put the placeholder in place of everything that was written about a client or names what is its own."""
    changed: Counter[Place] = Counter()
    for table, words in _by_table().items():
        going = [word for word in words if word.kind in (WordKind.PROSE, WordKind.LABEL)]
        if _client_column(table) is None or not going:
            continue
        for row in await tx.rows(_lookup(table.name, "own"), tenant=tx.tenant, clients=[client], pattern="."):
            values: dict[str, Any] = {}
            for word in going:
                before = row[word.column]
                after = _replaced(before, word.members, lambda _: ERASED)
                if after != before:
                    values |= _with_sort_key(word, after)
                    changed[table.name, word.column] += 1
            await _write(tx, table, row, values)
    return changed


async def mentions(tx: Transaction, search: Search) -> list[Mention]:
    """Return the texts in which a person stands, as they are stored."""
    await tx.run(PATIENCE)
    found: list[Mention] = []
    for table, words in _by_table().items():
        within = search.clients is not None and _client_column(table) is not None
        here = {"clients": list(search.clients or ())} if within else {}
        passes = [("own" if within else "all", search.prose, search.own)]
        passes += [("others", search.elsewhere, search.elsewhere)] if within else []
        for whose, prose, others in passes:
            if prose is None:
                continue
            statement = _lookup(table.name, whose, locking=False)
            for row in await tx.rows(statement, tenant=tx.tenant, pattern=prose.lookup, **here):
                found += _named(table, words, row, prose, others)
    return found


def _named(
    table: Table, words: Sequence[Words], row: Record, prose: Sought, others: Sought | None
) -> Iterator[Mention]:
    for word in words:
        sought = prose if word.kind is WordKind.PROSE else others
        value = row[word.column]
        if sought is not None and _replaced(value, word.members, sought.without) != value:
            key = tuple(str(row[column.name]) for column in table.primary_key if column.name != "tenant_id")
            yield Mention(word.table, key, word.column, value)


async def _rewrite(
    tx: Transaction, table: Table, words: Sequence[Words], row: Record, prose: Sought, others: Sought | None
) -> Counter[Place]:
    values: dict[str, Any] = {}
    changed: Counter[Place] = Counter()
    for word in words:
        sought = prose if word.kind is WordKind.PROSE else others
        before = row[word.column]
        after = before if sought is None else _replaced(before, word.members, sought.without)
        if after == before:
            continue
        changed[table.name, word.column] += 1
        if word.kind is WordKind.KEY:
            await tx.run(_remove(table.name), tenant=tx.tenant, **_key(table, row))
            return changed
        values |= _with_sort_key(word, after)
    await _write(tx, table, row, values)
    return changed


async def _write(tx: Transaction, table: Table, row: Record, values: Mapping[str, Any]) -> None:
    if values:
        new = {f"new_{name}": value for name, value in values.items()}
        await tx.run(_update(table.name, tuple(values)), tenant=tx.tenant, **_key(table, row), **new)


def _with_sort_key(word: Words, after: Any) -> dict[str, Any]:
    return {word.column: after} | ({word.sort_key: name_key(after)} if word.sort_key else {})


def _replaced(value: Any, members: Sequence[str], replace: Any, *, named: bool = True) -> Any:
    """Return a value with its texts replaced; of a JSON object only those under the members named, if any are."""
    match value:
        case str():
            return replace(value) if named else value
        case list():
            return [_replaced(item, members, replace, named=named) for item in value]
        case dict():
            return {
                key: _replaced(item, members, replace, named=not members or key in members)
                for key, item in value.items()
            }
        case _:
            return value


@cache
def _by_table() -> dict[Table, tuple[Words, ...]]:
    """Return the columns of words of each table; keys first, for what goes need not be written."""
    tables = metadata().tables
    found: dict[Table, list[Words]] = {}
    for word in sorted(WORDS, key=lambda word: (word.table, word.kind is not WordKind.KEY)):
        found.setdefault(tables[word.table], []).append(word)
    return {table: tuple(words) for table, words in found.items()}


def _client_column(table: Table) -> ColumnElement[UUID] | None:
    return table.c.id if table.name == "client" else table.c.get("client_id")


@cache
def _lookup(name: str, whose: str, *, locking: bool = True) -> Executable:
    table = metadata().tables[name]
    words = _by_table()[table]
    columns = {column.name: column for column in (*table.primary_key, *(table.c[word.column] for word in words))}
    pattern = bindparam("pattern", type_=Text())
    named = or_(*(_text(table.c[word.column]).regexp_match(pattern) for word in words))
    conditions = [table.c.tenant_id == bindparam("tenant", type_=Uuid()), named]
    client = _client_column(table)
    if whose != "all" and client is not None:
        own = client == any_(bindparam("clients", type_=ARRAY(Uuid())))
        conditions.append(own if whose == "own" else or_(client.is_(None), not_(own)))
    found = select(*columns.values()).where(and_(*conditions))
    return found.with_for_update() if locking else found


def _text(column: ColumnElement[Any]) -> ColumnElement[str]:
    if isinstance(column.type, JSONB):
        return cast(column, Text())
    return func.array_to_string(column, "\n") if isinstance(column.type, ARRAY | sqltypes.ARRAY) else column


@cache
def _update(name: str, columns: tuple[str, ...]) -> Executable:
    table = metadata().tables[name]
    values = {column: bindparam(f"new_{column}", type_=table.c[column].type) for column in columns}
    return update(table).where(*_here(table)).values(values)


@cache
def _remove(name: str) -> Executable:
    table = metadata().tables[name]
    return delete(table).where(*_here(table))


def _here(table: Table) -> list[ColumnElement[bool]]:
    keys = (column for column in table.primary_key if column.name != "tenant_id")
    return [
        table.c.tenant_id == bindparam("tenant", type_=Uuid()),
        *(column == bindparam(f"key_{column.name}", type_=column.type) for column in keys),
    ]


def _key(table: Table, row: Record) -> dict[str, Any]:
    return {f"key_{column.name}": row[column.name] for column in table.primary_key if column.name != "tenant_id"}
