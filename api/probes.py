"""Probes: whether the process lives, whether it can serve, and what Prometheus may count."""

import asyncio
import hmac
from functools import cache

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from api.connections import Connections
from api.settings import Settings
from db import health
from db.errors import DatabaseUnavailableError, StatementFailedError
from workflows.context import Context

_READY_S = 3.0


class Probes:
    """What an orchestrator asks, without a credential and without an answer worth having to others."""

    def __init__(self, context: Context, connections: Connections, settings: Settings) -> None:
        self._context = context
        self._connections = connections
        self._settings = settings

    async def live(self, _: Request) -> Response:
        """Answer as long as the process can."""
        return JSONResponse({"status": "live"})

    async def ready(self, _: Request) -> Response:
        """Answer 200 where the database answers, at the revision this code was written for."""
        problem = await self._problem()
        if problem:
            return JSONResponse({"status": "not ready", "reason": problem}, 503, {"retry-after": "1"})
        return JSONResponse({"status": "ready"})

    async def metrics(self, request: Request) -> Response:
        """Answer with Prometheus' figures, to whoever holds the token where one is set."""
        token = self._settings.metrics_token
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token and not hmac.compare_digest(given.encode(), token.get_secret_value().encode()):
            return PlainTextResponse("send the metrics token as a bearer token\n", 401, {"www-authenticate": "Bearer"})
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    async def _problem(self) -> str | None:
        if self._connections.draining:
            return "the server is about to stop"
        try:
            async with asyncio.timeout(_READY_S):
                found = await health.revision(self._context.database)
        except (DatabaseUnavailableError, StatementFailedError, TimeoutError) as error:
            return f"the database does not answer ({type(error).__name__})"
        if found != _head():
            return f"the database is at revision {found}, this code wants {_head()}: run steadystate migrate"
        return None


@cache
def _head() -> str:
    # Reading the revisions imports alembic, which nothing else here needs.
    from db.migrate import head  # noqa: PLC0415

    return head()
