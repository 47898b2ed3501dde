"""The same ingest behind a mutation whose input is typed field by field, as GraphQL would have it; stock strawberry."""

from datetime import datetime

import strawberry
from starlette.requests import Request
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.types import Info

from domain.tickets import HandOver, Priority, ReportedTicket, Resolution, TicketKind
from tests.bench.many_tickets import SYSTEM
from tests.support.providers import sent
from workflows import tickets
from workflows.access import authenticate
from workflows.context import Context
from workflows.tickets import IngestTickets

MUTATION = "mutation ($rows: [TypedTicket!]!) { ticketBulkUpsert(rows: $rows) }"


@strawberry.input
class TypedHandOver:
    at: datetime
    team: str
    tier: int
    agent: str


@strawberry.input
class TypedResolution:
    at: datetime


@strawberry.input
class TypedTicket:
    external_id: str
    client: str
    title: str
    kind: strawberry.enum(TicketKind)  # type: ignore[valid-type]
    priority: strawberry.enum(Priority)  # type: ignore[valid-type]
    logged_at: datetime
    hand_overs: list[TypedHandOver]
    resolutions: list[TypedResolution]

    def report(self) -> ReportedTicket:
        return ReportedTicket(
            external_id=self.external_id,
            client=self.client,
            logged_at=self.logged_at,
            kind=self.kind,
            priority=self.priority,
            title=self.title,
            hand_overs=tuple(HandOver(one.at, one.team, one.tier, None, one.agent) for one in self.hand_overs),
            resolutions=tuple(Resolution(one.at) for one in self.resolutions),
        )


@strawberry.type
class Query:
    ready: bool = True


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def ticket_bulk_upsert(self, info: Info, rows: list[TypedTicket]) -> int:
        """Write tickets and return how many were new."""
        context: Context = info.context["product"]
        principal = await authenticate(context, info.context["token"])
        assert principal is not None
        command = IngestTickets(SYSTEM, tuple(row.report() for row in rows))
        outcome = await tickets.ingest(context, principal, sent(), command)
        assert outcome.errors == (), outcome.errors
        return int(outcome.facts["created"])  # type: ignore[call-overload]


class App(GraphQL[object, object]):
    """Strawberry's own view, with the product's context and the caller's token."""

    product: Context

    async def get_context(self, request: Request | WebSocket, response: object) -> dict[str, object]:
        return {"product": self.product, "token": request.headers["authorization"].removeprefix("Bearer ")}


def create_app(context: Context) -> App:
    """Return the application."""
    app = App(strawberry.Schema(Query, Mutation))
    app.product = context
    return app
