"""The one door to PostgreSQL: every statement runs inside a transaction that knows its tenant.

Statements are SQLAlchemy Core or `text()` constants, compiled once and run on asyncpg itself:
SQLAlchemy's connection layer would cost more than the statements. A transaction opens in one
message (BEGIN, limits, tenant and clients together), for separate round trips halve short reads.
Every setting is transaction-local, so that a pooled connection carries nothing over.
"""

import asyncio
import functools
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any, Self
from uuid import UUID

import asyncpg
import msgspec
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect
from sqlalchemy.sql.expression import Executable

from db.errors import DatabaseUnavailableError, InsecureRoleError, StatementFailedError, translated
from domain.access import Principal

APP_ROLE = "steadystate_app"
RELAY_ROLE = "steadystate_relay"

_DIALECT = asyncpg_dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]


@functools.lru_cache(maxsize=1024)
def _compiled(statement: Executable) -> tuple[str, tuple[str, ...], Mapping[str, object]]:
    compiled = statement.compile(dialect=_DIALECT)  # type: ignore[attr-defined]
    return str(compiled), tuple(compiled.positiontup or ()), dict(compiled.params)


class Transaction:
    """One open transaction; the only thing on which a statement can be run."""

    __slots__ = ("_connection", "clients", "publishes", "statements", "tenant")

    def __init__(
        self,
        connection: "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]",
        tenant: UUID,
        clients: frozenset[UUID] | None,
    ) -> None:
        self._connection = connection
        self.tenant = tenant
        self.clients = clients
        self.publishes = False
        self.statements = 0

    async def rows(self, statement: Executable, **params: object) -> list[asyncpg.Record]:
        """Run a statement and return its rows.

        Raises:
            DatabaseUnavailableError: the connection was lost; the transaction is over.
            StatementFailedError: PostgreSQL refused it; subclasses name what can be retried.
        """
        sql, names, defaults = _compiled(statement)
        arguments = [params[name] if name in params else defaults[name] for name in names]
        self.statements += 1
        with translated():
            return await self._connection.fetch(sql, *arguments)

    async def one(self, statement: Executable, **params: object) -> asyncpg.Record | None:
        """Run a statement and return its first row, or `None`."""
        rows = await self.rows(statement, **params)
        return rows[0] if rows else None

    async def value(self, statement: Executable, **params: object) -> Any:
        """Run a statement and return the first column of its first row, or `None`."""
        row = await self.one(statement, **params)
        return row[0] if row else None

    async def run(self, statement: Executable, **params: object) -> None:
        """Run a statement for its effect."""
        await self.rows(statement, **params)


def _opening(
    tenant: UUID | None, clients: frozenset[UUID] | None, *, read_only: bool, timeout_ms: int, lock_ms: int
) -> str:
    mode = "isolation level repeatable read read only" if read_only else "isolation level read committed"
    limits = f"set local statement_timeout = {timeout_ms}; set local lock_timeout = {lock_ms}; "
    limits += f"set local idle_in_transaction_session_timeout = {max(timeout_ms * 2, 60_000)}"
    if tenant is None:
        return f"begin {mode}; {limits}"
    visible = "*" if clients is None else ",".join(str(client) for client in sorted(clients))
    return f"begin {mode}; {limits}; set local app.tenant = '{tenant}'; set local app.clients = '{visible}'"


class Database:
    """Two pools of one database: `app` for people's requests, `relay` for our own upkeep."""

    def __init__(self, *, timeout_ms: int = 5_000, lock_timeout_ms: int = 2_000) -> None:
        self._app: asyncpg.Pool[asyncpg.Record] | None = None
        self._relay: asyncpg.Pool[asyncpg.Record] | None = None
        self._urls: tuple[str, str] = ("", "")
        self._timeout_ms = timeout_ms
        self._lock_ms = lock_timeout_ms
        self.on_publish: Callable[[], None] = lambda: None
        """Called after a commit that appended events, so that a process can send its wake-up."""

    @classmethod
    async def connect(
        cls,
        app_url: str,
        relay_url: str,
        *,
        size: int = 10,
        relay_size: int = 4,
        timeout_ms: int = 5_000,
        lock_timeout_ms: int = 2_000,
    ) -> Self:
        """Open both pools and refuse a login that row-level security does not bind.

        Raises:
            DatabaseUnavailableError: no server answers at the address.
            InsecureRoleError: the app's login is a superuser, bypasses policies or owns tables.
        """
        database = cls(timeout_ms=timeout_ms, lock_timeout_ms=lock_timeout_ms)
        database._urls = (app_url, relay_url)
        with translated():
            database._app = await _pool(app_url, APP_ROLE, size)
            database._relay = await _pool(relay_url, RELAY_ROLE, relay_size)
        try:
            await database._refuse_insecure_role()
        except BaseException:
            await database.close()
            raise
        return database

    async def close(self) -> None:
        """Close both pools; a transaction still open gets five seconds to end."""
        for pool in (self._app, self._relay):
            if pool is None:
                continue
            try:
                async with asyncio.timeout(5):
                    await pool.close()
            except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                pool.terminate()

    def reading(self, principal: Principal) -> AbstractAsyncContextManager[Transaction]:
        """Open a read-only snapshot of what the principal may see."""
        return self._transaction(self._app, principal.tenant_id, principal.clients, read_only=True)

    @asynccontextmanager
    async def writing(self, principal: Principal) -> AsyncIterator[Transaction]:
        """Open a transaction that commits at the end of the block and rolls back on an exception."""
        async with self._transaction(self._app, principal.tenant_id, principal.clients) as tx:
            yield tx
        if tx.publishes:
            self.on_publish()

    @asynccontextmanager
    async def entering(self) -> AsyncIterator[Transaction]:
        """Open a transaction with no tenant: nothing but the door function answers in it."""
        async with self._transaction(self._app, None, None, read_only=True) as tx:
            yield tx

    @asynccontextmanager
    async def relaying(self, *, timeout_ms: int | None = None) -> AsyncIterator[Transaction]:
        """Open a transaction of the relay, which sees the events, effects and deltas of all tenants."""
        async with self._transaction(self._relay, None, None, timeout_ms=timeout_ms) as tx:
            yield tx

    async def listener(self) -> "asyncpg.Connection[asyncpg.Record]":
        """Return a connection of its own for LISTEN; the caller closes it."""
        with translated():
            return await asyncpg.connect(self._urls[1], timeout=5, server_settings=_settings(self._urls[1], RELAY_ROLE))

    @asynccontextmanager
    async def _transaction(
        self,
        pool: "asyncpg.Pool[asyncpg.Record] | None",
        tenant: UUID | None,
        clients: frozenset[UUID] | None,
        *,
        read_only: bool = False,
        timeout_ms: int | None = None,
    ) -> AsyncIterator[Transaction]:
        if pool is None:
            msg = "the database is not open"
            raise DatabaseUnavailableError(msg)
        opening = _opening(
            tenant, clients, read_only=read_only, timeout_ms=timeout_ms or self._timeout_ms, lock_ms=self._lock_ms
        )
        with translated():
            connection = await pool.acquire(timeout=self._timeout_ms / 1000)
        try:
            with translated():
                await connection.execute(opening)
            tx = Transaction(connection, tenant or UUID(int=0), clients)
            yield tx
            with translated():
                ended = await connection.execute("commit")
            if ended != "COMMIT":
                # PostgreSQL answers so where an earlier failure was passed over: nothing was kept.
                msg = "a statement of this transaction failed before its commit, which therefore rolled it back"
                raise StatementFailedError(msg)
        finally:
            await _let_go(pool, connection)

    async def _refuse_insecure_role(self) -> None:
        async with self._transaction(self._app, None, None, read_only=True) as tx:
            row = (await tx._connection.fetch(_ROLE_CHECK))[0]  # noqa: SLF001 -- the check belongs to this file
        if row["rolsuper"] or row["rolbypassrls"] or row["owns"]:
            msg = (
                f"the login {row['rolname']!r} is a superuser, bypasses row-level security or owns tables: "
                f"tenants would not be kept apart; connect as {APP_ROLE} (see README, Configuration)"
            )
            raise InsecureRoleError(msg)


_ROLE_CHECK = """
select rolname, rolsuper, rolbypassrls,
       exists (select 1 from pg_class c join pg_namespace n on n.oid = c.relnamespace
               where n.nspname = 'public' and c.relkind = 'r' and c.relowner = r.oid) as owns
from pg_roles r where rolname = current_user
"""


def _settings(url: str, role: str) -> dict[str, str]:
    """Return the session's settings; a login that is not the role itself takes the role on."""
    settings = {"application_name": f"steadystate {role.removeprefix('steadystate_')}", "timezone": "UTC"}
    user = url.partition("://")[2].partition("@")[0].partition(":")[0]
    return settings if user == role else settings | {"role": role}


async def _pool(url: str, role: str, size: int) -> "asyncpg.Pool[asyncpg.Record]":
    return await asyncpg.create_pool(
        url,
        min_size=1,
        max_size=size,
        timeout=5,
        command_timeout=60,
        init=_register_codecs,
        reset=_roll_back,
        server_settings=_settings(url, role),
    )


# A connection that was lost meanwhile refuses whatever is asked of it, in one of these ways.
_LOST = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError)


async def _let_go(
    pool: "asyncpg.Pool[asyncpg.Record]", connection: "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"
) -> None:
    """Give a connection back whatever becomes of the caller; the usual case costs no task of its own."""
    open_still = True
    with suppress(*_LOST):
        open_still = connection.is_in_transaction()
    if open_still:
        await asyncio.shield(_undo(pool, connection))
        return
    with suppress(*_LOST):
        await pool.release(connection, timeout=5)


async def _undo(
    pool: "asyncpg.Pool[asyncpg.Record]", connection: "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"
) -> None:
    """Roll back what failed or was cancelled, and give the connection back."""
    # Here, because a roll-back that is left to the pool is logged as an error; a cancelled one still is its business.
    with suppress(*_LOST):
        if connection.is_in_transaction():
            await connection.execute("rollback", timeout=5)
    with suppress(*_LOST):
        await pool.release(connection, timeout=5)


async def _register_codecs(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    for name in ("json", "jsonb"):
        await connection.set_type_codec(
            name, schema="pg_catalog", encoder=_encode_json, decoder=msgspec.json.decode, format="text"
        )


def _encode_json(value: object) -> str:
    return msgspec.json.encode(value).decode()


async def _roll_back(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    if connection.is_in_transaction():
        await connection.execute("rollback")


def columns(rows: Sequence[Sequence[object]], width: int) -> list[list[object]]:
    """Turn rows into columns, the shape that `unnest` takes."""
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]
