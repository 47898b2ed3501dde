"""A small schema and a server on a loopback port, to try the API's edge without the product behind it."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import httpx2
import strawberry
import structlog
from websockets.asyncio.client import ClientConnection, connect

from api import nodes
from api.app import create_app
from api.auth import Authenticate
from api.context import Info, OperationContext
from api.errors import CursorExpired
from api.fields import FieldPrice, id_field, mutation_field, query_field, resolved, subscription_field, window
from api.nodes import Node, NodesQuery
from api.paging import After, Before, Connection, First, Last, Ordering, Page, connection, page_of
from api.rate_limit import RateLimitQuery
from api.scalars import EmailAddress
from api.schema import build
from api.server import Server, server
from api.settings import Settings
from api.user_errors import UserError
from db.errors import DatabaseUnavailableError
from db.session import Database
from domain import errors
from domain.access import Principal, PrincipalKind, Reach, Scope
from domain.errors import ErrorCode
from domain.ids import IdKind
from workflows.context import Context

BY_NAME = Ordering("things by name", (str, UUID))
FRIENDS_WEIGHT = 1


@dataclass(frozen=True, slots=True)
class Plain:
    """A domain value of the test."""

    id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class Tick:
    """An event of the test's feed."""

    number: int
    cursor: str


THINGS = [Plain(UUID(int=number + 1), f"thing {number:02}") for number in range(25)]


@window(Plain, description="A thing.")
class Thing(Node):
    id: strawberry.ID = id_field(IdKind.CLIENT, description="The thing's id.")
    name: str = strawberry.field(description="Its name.")

    @resolved(description="Things like it.", graphql_type=list["Thing"])
    async def friends(self) -> list[Plain]:
        return THINGS[:3]

    @resolved(description="Its letters, as many as asked for.", cost=FieldPrice(weight=5))
    async def letters(self, info: Info) -> str:
        return await info.context.loader(letters_of).load(self.name)


LOADED: list[list[str]] = []


async def letters_of(context: OperationContext, names: Sequence[str]) -> list[str]:
    LOADED.append(list(names))
    return [name.upper() for name in names]


async def things_of(context: OperationContext, ids: Sequence[UUID]) -> list[Plain | None]:
    by_id = {thing.id: thing for thing in THINGS}
    return [by_id.get(id_) for id_ in ids]


@strawberry.type(description="What can be read.")
class Query(NodesQuery, RateLimitQuery):
    @query_field(description="A greeting.")
    def hello(self, name: str = "world") -> str:
        return f"Hello, {name}!"

    @query_field(description="One thing.", graphql_type=Thing | None)
    async def thing(self) -> Plain | None:
        return THINGS[0]

    @query_field(scope=Scope.CLIENTS_READ, description="Things in pages.")
    async def things(
        self, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[Thing] | None:
        page = page_of(BY_NAME, first=first, after=after, last=last, before=before)

        async def count() -> int:
            LOADED.append(["count"])
            return len(THINGS)

        return connection(page, _read(page), key=lambda thing: (thing.name, thing.id), count=count)

    @query_field(scope=Scope.TENANT_WRITE, description="What few may see.")
    def secret(self) -> str | None:
        return "a secret"

    @query_field(description="Our own fault.")
    def broken(self) -> str | None:
        raise RuntimeError("a table named wages has a column named salary")

    @query_field(description="Our own fault, in a value.")
    def misshapen(self) -> int | None:
        return "no number"  # type: ignore[return-value]

    @query_field(description="The database is away.")
    def away(self) -> str | None:
        raise DatabaseUnavailableError("connection to 10.0.0.7 refused")

    @query_field(description="Takes too long.")
    async def slow(self, seconds: float = 60) -> str | None:
        await asyncio.sleep(seconds)
        return "done"

    @query_field(description="The request's own id.")
    def request_id(self, info: Info) -> str:
        return info.context.request_id

    @query_field(description="Scalars, in and out.")
    def echo(
        self,
        at: datetime | None = None,
        day: date | None = None,
        length: timedelta | None = None,
        zone: ZoneInfo | None = None,
        email: EmailAddress | None = None,
    ) -> "Echo":
        return Echo(at=at, day=day, length=length, zone=zone, email=email)

    @query_field(description="Many figures.", cost=FieldPrice(weight=2, sized_by=("keys",)), graphql_type=list[Thing])
    def figures(self, keys: list[str]) -> list[Plain]:
        return THINGS[: len(keys)]


@strawberry.type(description="What came in.")
class Echo:
    at: datetime | None = strawberry.field(description="Instant.")
    day: date | None = strawberry.field(description="Day.")
    length: timedelta | None = strawberry.field(description="Length.")
    zone: ZoneInfo | None = strawberry.field(description="Zone.")
    email: EmailAddress | None = strawberry.field(description="Address.")


@strawberry.input(description="A new thing.")
class ThingCreateInput:
    name: str = strawberry.field(description="Its name.")


@strawberry.type(description="What came of it.")
class ThingCreatePayload:
    thing: Thing | None = strawberry.field(description="The thing.")
    errors: list[UserError] = strawberry.field(description="Why not.")


CREATED: list[str] = []


@strawberry.type(description="What can be done.")
class Mutation:
    @mutation_field(scope=Scope.CLIENTS_WRITE, may_fail=[ErrorCode.ALREADY_EXISTS], description="Make a thing.")
    async def thing_create(self, info: Info, input: ThingCreateInput) -> ThingCreatePayload:
        if input.name == "old":
            return ThingCreatePayload(thing=None, errors=[errors.stale(7), errors.invalid("old is taken", "name")])  # type: ignore[list-item]
        CREATED.append(input.name)
        return ThingCreatePayload(thing=Plain(uuid4(), input.name), errors=[])  # type: ignore[arg-type]


TICKS: "set[asyncio.Queue[Tick]]" = set()
ANSWERED: list[int] = []


def tick(number: int) -> None:
    """Hand one event to every open subscription, the same object to each."""
    event = Tick(number, f"cursor-{number}")
    for queue in TICKS:
        queue.put_nowait(event)


@window(Tick, description="A tick.")
class TickEvent:
    cursor: str = strawberry.field(description="Where it lies.")

    @resolved(description="Its number.")
    def number(self: Any) -> int:
        ANSWERED.append(self.number)
        return int(self.number)

    @resolved(description="Filling.")
    def filling(self, kilobytes: int) -> str:
        return "x" * 1024 * kilobytes


@strawberry.type(description="What can be listened to.")
class Subscription:
    @subscription_field(scope=Scope.EVENTS_READ, description="Ticks.", graphql_type=TickEvent)
    async def ticks(self, label: str | None = None) -> AsyncIterator[Tick]:
        queue: asyncio.Queue[Tick] = asyncio.Queue()
        TICKS.add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            TICKS.discard(queue)

    @subscription_field(scope=Scope.EVENTS_READ, description="Counts up.")
    async def counting(self, up_to: int) -> AsyncIterator[int]:
        for number in range(up_to):
            yield number

    @subscription_field(scope=Scope.EVENTS_READ, description="Its place is gone.")
    async def gone(self) -> AsyncIterator[int]:
        raise CursorExpired("The feed begins later than this cursor.", oldest="cursor-9")
        yield 1

    @subscription_field(scope=Scope.TENANT_WRITE, description="Few may listen.")
    async def secrets(self) -> AsyncIterator[int]:
        yield 1


def _read(page: Page) -> list[Plain]:
    rows = [thing for thing in THINGS if page.after is None or (thing.name, thing.id) > page.after]
    rows = [thing for thing in rows if page.before is None or (thing.name, thing.id) < page.before]
    return (rows[::-1] if page.backward else rows)[: page.limit]


def principal(*scopes: Scope, name: str = "Ada") -> Principal:
    """Return a person who holds these scopes."""
    held = dict.fromkeys(scopes or (Scope.CLIENTS_READ, Scope.CLIENTS_WRITE, Scope.EVENTS_READ), Reach.ALL)
    return Principal(PrincipalKind.PERSON, uuid4(), uuid4(), name, held, token_id=uuid4())


@dataclass
class Edge:
    """A running server, its tokens, and a client."""

    server: Server
    port: int
    tokens: dict[str, Principal] = field(default_factory=dict)
    lookups: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def token(self, *scopes: Scope) -> str:
        text = f"test_{uuid4().hex}"
        self.tokens[text] = principal(*scopes)
        return text

    def lower(self, token: str, *scopes: Scope) -> None:
        """Take rights away from a token."""
        held = dict.fromkeys(scopes, Reach.ALL)
        self.tokens[token] = replace(self.tokens[token], scopes=held)

    async def post(self, body: Any, token: str | None = "", **headers: str) -> httpx2.Response:
        """Send a body as it is, or a query's text, with a token of its own unless told otherwise."""
        if isinstance(body, str):
            body = {"query": body}
        sent = {"accept": "application/graphql-response+json", "content-type": "application/json"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        if token is not None:
            sent["authorization"] = f"Bearer {token or self.token()}"
        async with httpx2.AsyncClient(trust_env=False, timeout=20) as client:
            if isinstance(body, bytes):
                return await client.post(f"{self.url}/graphql", content=body, headers=sent)
            return await client.post(f"{self.url}/graphql", json=body, headers=sent)

    async def get(self, path: str, **headers: str) -> httpx2.Response:
        async with httpx2.AsyncClient(trust_env=False, timeout=20) as client:
            return await client.get(self.url + path, headers={k.replace("_", "-"): v for k, v in headers.items()})

    @asynccontextmanager
    async def socket(self, token: str | None = "", **options: Any) -> AsyncIterator[ClientConnection]:
        """Open a socket, and begin with a credential unless the token is None."""
        options = {"subprotocols": ["graphql-transport-ws"], "proxy": None, "max_size": None, **options}
        async with connect(f"ws://127.0.0.1:{self.port}/graphql", **options) as socket:
            if token is not None:
                await begin(socket, token or self.token())
            yield socket


async def begin(socket: ClientConnection, token: str) -> None:
    await socket.send(json.dumps({"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}}))
    assert json.loads(await socket.recv()) == {"type": "connection_ack"}


async def until(holds: Callable[[], bool]) -> None:
    """Wait for something that happens elsewhere, at most five seconds."""
    async with asyncio.timeout(5):
        while not holds():  # noqa: ASYNC110 -- what is waited for knows nothing of the test
            await asyncio.sleep(0.01)


def small_schema() -> strawberry.Schema:
    """Build the test's schema."""
    return build(Query, Mutation, Subscription)


@asynccontextmanager
async def running(
    context: Context | None = None,
    schema: strawberry.Schema | None = None,
    authenticated_by: Authenticate | None = None,
    **settings: Any,
) -> AsyncIterator[Edge]:
    """Run a server on a free port for as long as the block lasts."""
    world = context or Context(Database(), clock=lambda: datetime.now(UTC))
    edge: Edge

    async def authenticate(_: Context, token: str) -> Principal | None:
        edge.lookups += 1
        return edge.tokens.get(token)

    # Traces drawn with every local variable, as structlog does by itself, take longer than the tests.
    renderer = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[structlog.processors.add_log_level, renderer])
    configured = Settings(**({"port": 0, "shutdown_seconds": 2} | settings))
    app = create_app(
        world, configured, schema=schema or small_schema(), authenticated_by=authenticated_by or authenticate
    )
    running_server = server(app, configured)
    kept = dict(nodes._SOURCES)
    if schema is None:
        nodes._SOURCES.clear()
        nodes.nodes_of(IdKind.CLIENT, things_of, Scope.CLIENTS_READ)
    edge = Edge(running_server, 0)
    serving = asyncio.ensure_future(running_server.until_stopped())
    while not running_server.started:
        if serving.done():
            serving.result()
        await asyncio.sleep(0.01)
    edge.port = running_server.servers[0].sockets[0].getsockname()[1]
    try:
        yield edge
    finally:
        running_server.stop()
        await serving
        nodes._SOURCES.clear()
        nodes._SOURCES.update(kept)
