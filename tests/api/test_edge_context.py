"""The context of one operation: one snapshot, read in turn, and given back."""

import asyncio

import pytest
import strawberry
from sqlalchemy import text

from api.context import Info, OperationContext
from api.fields import resolved
from api.limits import DocumentLimits
from api.operations import Operations
from api.rates import Rate
from api.schema import build
from db.errors import StatementFailedError, StatementTimeoutError
from tests.support.providers import Provider

SNAPSHOT = text(
    "select pg_current_snapshot()::text || pg_backend_pid()::text || coalesce(current_setting('app.tenant'), '')"
)
FAILING = text("select 1 / 0")
SLOW = text("select pg_sleep(0.05)::text")


def context_of(provider: Provider) -> OperationContext:
    return OperationContext(provider.context, provider.admin, "req-1", Rate(100, 100, 1))


async def snapshot(context: OperationContext) -> str:
    async with context.reading() as tx:
        await tx.run(SLOW)
        found: str = await tx.value(SNAPSHOT)
        return found


async def test_all_fields_of_an_operation_read_one_snapshot_in_turn(provider: Provider) -> None:
    context = context_of(provider)
    found = await asyncio.gather(*(snapshot(context) for _ in range(5)))
    await context.close()
    assert len(set(found)) == 1
    assert found[0].endswith(str(provider.tenant_id))


async def test_a_failed_statement_spoils_one_field_and_not_the_next(provider: Provider) -> None:
    context = context_of(provider)
    with pytest.raises(StatementFailedError):
        async with context.reading() as tx:
            await tx.run(FAILING)
    assert await snapshot(context)
    await context.close()


TIMES_OUT = text("select pg_sleep(60)::text")
SOON = text("set local statement_timeout = 20")
STATEMENTS: list[str] = []


@strawberry.type
class Query:
    @resolved(description="Takes too long.")
    async def slow(self, info: Info) -> str | None:
        async with info.context.reading() as tx:
            STATEMENTS.append("slow")
            await tx.run(SOON)
            await tx.run(TIMES_OUT)
        return "never"

    @resolved(description="Reads nothing.")
    async def plain(self) -> str:
        return "plain"


async def test_what_took_too_long_is_said_in_its_place_and_not_waited_for_again(provider: Provider) -> None:
    STATEMENTS.clear()
    operations, context = Operations(build(Query), DocumentLimits()), context_of(provider)
    result = await operations.execute(operations.prepare("{ slow plain again: slow }", None, None), context)
    await context.close()
    assert result.data == {"slow": None, "plain": "plain", "again": None}
    assert [error.path for error in result.errors or ()] == [["slow"], ["again"]]
    assert all(isinstance(error.original_error, StatementTimeoutError) for error in result.errors or ())
    # Both were tried in the short way: each of them once, and none once more.
    assert STATEMENTS == ["slow", "slow"]


async def test_after_a_command_everything_is_read_afresh(provider: Provider) -> None:
    context = context_of(provider)
    read: list[str] = []

    async def batch(context: OperationContext, keys: list[str]) -> list[str]:
        read.extend(keys)
        return keys

    async def verb(*_: object) -> str:
        return "done"

    await context.loader(batch).load("a")
    before = context._snapshot
    assert await context.perform(verb) == "done"
    assert (before, context._snapshot) == (None, None)
    await context.loader(batch).load("a")
    assert read == ["a", "a"]
    await context.close()


async def test_an_operation_that_is_cut_short_gives_its_connection_back(provider: Provider) -> None:
    context = context_of(provider)
    pool = provider.context.database._app
    assert pool is not None

    def taken() -> int:
        return pool.get_size() - pool.get_idle_size()

    before = taken()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await snapshot(context)
    await context.close()
    assert taken() == before
    assert await snapshot(context)
    assert taken() == before + 1
    await context.close()
    assert taken() == before
