"""Goal 3: tickets by external id, with exact figures and events, against raw COPY into the same indexed table."""

import asyncio
import io
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import asyncpg
import httpx2
import msgspec

from integrations import ticket_documents
from tests.bench import sides
from tests.bench.many_tickets import SYSTEM
from tests.bench.report import Goal, in_turns
from tests.bench.world import World
from tests.support.providers import sent
from workflows import tickets
from workflows.tickets import IngestTickets

BATCH, BATCHES = 1_000, 5
LARGE_BATCH, LARGE_BATCHES = 10_000, 1
RECENT_DAYS = 30
OF_COPY, OF_COPY_LARGE, OF_TYPED = 0.40, 0.55, 5.0

BULK = (
    """mutation Bulk($input: TicketBulkUpsertInput!) { ticketBulkUpsert(input: $input) { errors { code message } } }"""
)

_numbers = count(1)

KEYS = """
    insert into external_ref (tenant_id, kind, system, key, subject_id, client_id)
    select tenant_id, 'CLIENT', $2, 'client' || row_number() over (order by id), id, id from client where tenant_id = $1
    on conflict do nothing
"""
COLUMNS = """
    select string_agg(quote_ident(column_name), ', ' order by ordinal_position) from information_schema.columns
    where table_schema = 'public' and table_name = 'ticket' and is_generated = 'NEVER'
"""


async def measure(world: World) -> AsyncIterator[Goal | str]:
    """Yield the pace over HTTP and of the library as shares of COPY's, and how often a typed mutation's it is."""
    connection = await asyncpg.connect(world.owner_url, command_timeout=600)
    try:
        await connection.execute(KEYS, world.provider.tenant_id, SYSTEM)
        async with sides.serving({"product": ("product", world)}) as (product,), _copied(connection) as copy:
            pace = await in_turns(
                sides.ROUNDS,
                {
                    "COPY": lambda: copy(BATCH, BATCHES),
                    "product": lambda: _posted(connection, product, "payload"),
                    "typed": lambda: _posted(connection, product, "tickets"),
                    "COPY, 10,000": lambda: copy(LARGE_BATCH, LARGE_BATCHES),
                    "library, 10,000": lambda: _library(connection, world),
                },
            )
    finally:
        await connection.close()
    figures = ", ".join(f"{name} {rows:,.0f} tickets/s" for name, rows in pace.items())
    yield Goal("3  ingest over HTTP by 1,000, of COPY", pace["product"] / pace["COPY"], OF_COPY, figures)
    yield Goal("   times a typed-input mutation", pace["product"] / pace["typed"], OF_TYPED, "")
    library = pace["library, 10,000"] / pace["COPY, 10,000"]
    yield Goal("   library entry by 10,000, of COPY", library, OF_COPY_LARGE, "")


@asynccontextmanager
async def _copied(connection: Any) -> AsyncIterator[Any]:
    """Give what copies rows like those that are there, rendered beforehand; take them away again at the end."""
    columns = await connection.fetchval(COLUMNS)
    changed = {"id": "uuidv7()", "system": "'COPY'", "external_id": "'COPY' || row_number() over ()"}
    chosen = ", ".join(changed.get(name.strip('"'), name) for name in columns.split(", "))
    rows = sides.ROUNDS * (BATCH * BATCHES + LARGE_BATCH * LARGE_BATCHES)
    rendered = io.BytesIO()
    # As new as those that are sent: what lands all over an index costs more than what lands at its end.
    recent = f"select * from ticket where system = '{SYSTEM}' order by logged_at desc limit {4 * rows}"  # noqa: S608
    query = f"select {chosen} from (select * from ({recent}) t order by random() limit {rows}) t"  # noqa: S608
    await connection.copy_from_query(query, output=rendered, format="csv")
    lines = iter(rendered.getvalue().splitlines(keepends=True))

    async def copy(size: int, batches: int) -> float:
        made = [b"".join(next(lines) for _ in range(size)) for _ in range(batches)]
        began = time.perf_counter()
        for batch in made:
            await connection.copy_to_table(
                "ticket", source=io.BytesIO(batch), columns=columns.replace('"', "").split(", "), format="csv"
            )
        return size * batches / (time.perf_counter() - began)

    try:
        yield copy
    finally:
        await connection.execute("delete from ticket where system = 'COPY'")


async def _posted(connection: Any, side: sides.Side, member: str) -> float:
    """Post batches one after another and return tickets a second; what is left to be folded is waited for."""
    inputs = [{"system": SYSTEM, member: _documents(side.world, BATCH)} for _ in range(BATCHES)]
    requests = [msgspec.json.encode({"query": BULK, "variables": {"input": one}}) for one in inputs]
    headers = {"authorization": f"Bearer {side.world.provider.admin_token}", "content-type": "application/json"}
    async with httpx2.AsyncClient(trust_env=False, timeout=60, headers=headers) as client:
        began = time.perf_counter()
        for request in requests:
            said = await client.post(f"{side.address}/graphql", content=request)
            if said.status_code != 200 or said.json()["data"]["ticketBulkUpsert"]["errors"]:
                msg = f"{side.name} took no tickets: {said.text[:2000]}"
                raise RuntimeError(msg)
        took = time.perf_counter() - began
    await _folded(connection)
    return BATCH * BATCHES / took


async def _library(connection: Any, world: World) -> float:
    batches = [ticket_documents.read({"tickets": _documents(world, LARGE_BATCH)}) for _ in range(LARGE_BATCHES)]
    world.provider.clock.now = datetime.now(UTC)
    began = time.perf_counter()
    for reports in batches:
        command = IngestTickets(SYSTEM, reports)
        outcome = await tickets.ingest(world.provider.context, world.provider.admin, sent(), command)
        assert outcome.errors == (), outcome.errors
        assert outcome.facts["created"] == len(reports)
    took = time.perf_counter() - began
    await _folded(connection)
    return LARGE_BATCH * LARGE_BATCHES / took


def _documents(world: World, number: int) -> list[dict[str, object]]:
    """Return new tickets as they are sent, of many clients and most of few: eight members, one of them hand-overs."""
    pick, now = random.Random(next(_numbers)), datetime.now(UTC)
    return [_document(pick, now, world.clients) for _ in range(number)]


def _document(pick: random.Random, now: datetime, clients: int) -> dict[str, object]:
    logged = now - timedelta(seconds=pick.randrange(600, RECENT_DAYS * 86_400))
    handed = [{"at": logged, "team": "Service desk", "tier": 1, "agent": f"agent{pick.randrange(20)}"}]
    if pick.random() < 0.1:
        later = logged + timedelta(seconds=pick.randrange(60, 3_600))
        handed.append({"at": later, "team": "Engineers", "tier": 2, "agent": f"agent{20 + pick.randrange(20)}"})
    return {
        "externalId": f"NEW{next(_numbers)}",
        "client": f"client{int(clients * pick.random() ** 1.6) + 1}",
        "title": f"Printer does not respond in room {pick.randrange(1_000)}",
        "kind": "INCIDENT",
        "priority": pick.choice(("P1", "P2", "P3", "P4")),
        "loggedAt": logged,
        "handOvers": handed,
        "resolutions": [{"at": logged + timedelta(seconds=pick.randrange(300, 40_000))}],
    }


async def _folded(connection: Any) -> None:
    """Wait until the workers of the servers have folded everything, so that nobody else's turn pays for it."""
    while await connection.fetchval("select exists (select 1 from unfolded_delta)"):  # noqa: ASYNC110 -- others fold
        await asyncio.sleep(0.2)
