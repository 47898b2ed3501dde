"""The limit of reads: a bare ASGI route that hands on the JSON that PostgreSQL builds in one statement.

It connects as the product does: the same login, the same policies, the same opening of a transaction. It
knows neither tokens nor GraphQL.
"""

from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from starlette.types import ASGIApp, Receive, Scope, Send

from db.session import APP_ROLE, _opening, _settings

SQL = Path(__file__).with_name("reads.sql")
ROWS = {"card": "client_card", "list": "client_card", "months": "client_months", "dashboard": "kpi_card"}
"""What a row of each read is called where it is answered in rows."""


def statements() -> dict[str, str]:
    """Return by name of a read the statement that answers it as JSON."""
    parts = _parts()
    return {name: f"{parts[name]}\n{parts[f'{name} as json']}" for name in ROWS}


def functions() -> str:
    """Return what the owner defines beforehand: figures as JSON and as rows, and a function of rows for each read."""
    parts = _parts()
    made = [parts["functions"]]
    for name, row in ROWS.items():
        taken = "tenant uuid, start date, ends date, zone text, moment timestamptz"
        taken += ", client uuid" if name == "card" else ""
        body = f"{parts[name]}\n{parts[f'{name} as rows']}"
        made.append(
            f"create function bench.{name}({taken}) returns setof bench.{row} language sql stable as $${body}$$"
        )
    return ";\n".join(made)


def _parts() -> dict[str, str]:
    _, *parts = SQL.read_text(encoding="utf-8").split("\n-- ")
    named = (part.partition("\n") for part in parts)
    return {name: body.strip().removesuffix(";") for name, _, body in named}


class Asked(msgspec.Struct, forbid_unknown_fields=True):
    """What a request carries in place of a token and a document."""

    tenant: UUID
    start: date
    ends: date
    zone: str
    moment: datetime
    client: UUID | None = None


async def create_app(url: str, size: int) -> ASGIApp:
    """Return the application, connected."""
    named = statements()
    pool: asyncpg.Pool[Any] = await asyncpg.create_pool(
        url, min_size=1, max_size=size, server_settings=_settings(url, APP_ROLE), reset=_nothing
    )

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        name = scope["path"].strip("/")
        body = b'{"status":"ok"}' if name.startswith("health") else await answer(name, await _body(receive))
        head = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": body})

    async def answer(name: str, request: bytes) -> bytes:
        asked = msgspec.json.decode(request, type=Asked)
        period = (asked.start, asked.ends, asked.zone, asked.moment)
        arguments = (asked.tenant, *period, *((asked.client,) if asked.client else ()))
        opening = _opening(asked.tenant, None, read_only=True, timeout_ms=5_000, lock_ms=2_000)
        async with pool.acquire() as connection:
            await connection.execute(opening)
            found: str = await connection.fetchval(named[name], *arguments)
            await connection.execute("commit")
        return b'{"data":' + found.encode() + b"}"

    return app


async def _nothing(_: Any) -> None:
    """Leave a connection as it is: the only settings made are those of a transaction."""


async def _body(receive: Receive) -> bytes:
    body: bytes = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body
