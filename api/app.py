"""The application: where the world, the settings and the schema are put together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import strawberry
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import RedirectResponse
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.types import ASGIApp

from api.auth import Authenticate, Authenticator
from api.connections import Connections
from api.credentials import Credentials
from api.documents import TrustedDocuments
from api.endpoint import Endpoint
from api.hardening import Hardening
from api.inbound_address import PATH, InboundAddress
from api.operations import Operations
from api.pages import GraphiQL, Sdl, definition_schema_page, refuse_path, ticket_schema_page
from api.probes import Probes
from api.rates import Buckets
from api.running import Runner
from api.schema import product
from api.settings import Settings
from api.sockets import Sockets
from api.streams import Streams
from api.subscriptions import Subscriptions
from api.uploads import Uploads
from workflows.access import authenticate, forget
from workflows.context import Context

_EXPOSED = [
    "x-request-id",
    "retry-after",
    "ratelimit-limit",
    "ratelimit-remaining",
    "ratelimit-reset",
    "x-operation-cost",
]


def create_app(
    context: Context,
    settings: Settings,
    *,
    schema: strawberry.Schema | None = None,
    authenticated_by: Authenticate = authenticate,
) -> Starlette:
    """Put the application together for one world.

    `app.state.connections.drain()` ends its open sockets and streams; the server calls it on SIGTERM.
    """
    if context.feed is not None:
        # A push is checked against rights as they were when its event happened, or later.
        context.feed.on_rights = partial(forget, context.database)
    operations = Operations(schema or product(), settings.document)
    authenticator = Authenticator(context, authenticated_by, settings.failed_logins_per_minute)
    buckets = Buckets(settings.caller.points, settings.caller.points_per_second)
    documents = TrustedDocuments.of_file(settings.trusted_documents, no_others=settings.only_trusted_documents)
    runner = Runner(operations, documents, context, buckets, settings.operation_seconds)
    credentials = Credentials(authenticator, settings.recheck_seconds)
    connections = Connections()
    subscriptions = Subscriptions(operations, settings.operation_seconds)
    streams = Streams(runner, subscriptions, credentials, connections, settings)
    endpoint = Endpoint(runner, authenticator, streams, settings)
    sockets = Sockets(runner, subscriptions, credentials, connections, authenticator, settings)
    probes = Probes(context, connections, settings)
    uploads = Uploads(context, authenticator, buckets, settings)

    routes: list[BaseRoute] = [
        Route("/graphql", endpoint),
        WebSocketRoute("/graphql", sockets),
        Route("/schema.graphql", Sdl(operations.sdl, authenticator).answer),
        Route("/onboarding-definition.json", definition_schema_page),
        Route("/ticket.json", ticket_schema_page),
        Route(f"{PATH}{{address}}", InboundAddress(context, settings)),
        Route("/uploads/{job}", uploads.put, methods=["PUT"]),
        Route("/jobs/{job}/errors", uploads.errors, methods=["GET"]),
        Route("/jobs/{job}/result", uploads.result, methods=["GET"]),
        Route("/health/live", probes.live),
        Route("/health/ready", probes.ready),
        WebSocketRoute("/{path:path}", refuse_path),
    ]
    if settings.metrics:
        routes.append(Route("/metrics", probes.metrics))
    if settings.graphiql:
        graphiql = GraphiQL()
        routes += [
            Route("/", lambda _: RedirectResponse("/graphiql")),
            Route("/graphiql", graphiql.page),
            Mount("/graphiql/files", graphiql.files),
        ]

    @asynccontextmanager
    async def watching(_: Starlette) -> AsyncIterator[None]:
        watches = [asyncio.ensure_future(watch) for watch in (credentials.run(), sockets.run())]
        try:
            yield
        finally:
            for watch in watches:
                watch.cancel()
            await asyncio.wait(watches)

    app = Starlette(routes=routes, middleware=_middleware(settings), lifespan=watching)
    app.state.connections = connections
    app.state.operations = operations
    return app


def _middleware(settings: Settings) -> list[Middleware]:
    layers: list[Middleware] = [Middleware(_as_middleware)]
    if settings.cors_origins:
        layers.append(
            Middleware(
                CORSMiddleware,
                allow_origins=settings.cors_origins,
                allow_methods=["GET", "POST", "PUT"],
                allow_headers=["authorization", "content-type", "x-request-id"],
                expose_headers=_EXPOSED,
                max_age=3600,
            )
        )
    return layers


def _as_middleware(app: ASGIApp) -> Hardening:
    return Hardening(app)
