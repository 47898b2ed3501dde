"""Inbound as the API shows it: the systems that send to us, and what became of what they sent."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry

from api import client_loaders as loaders
from api.clients import Client
from api.context import Info, OperationContext
from api.enums import described
from api.fields import FieldPrice, id_field, member_id_field, optional_id_field, query_field, resolved, window
from api.inbound_address import PATH
from api.nodes import Node, nodes_of
from api.paging import After, Before, Connection, First, Last, Ordering, connection, page_of
from db import inbound_messages as stored_messages
from db import inbound_sources as stored
from domain import inbound
from domain.access import Scope
from domain.ids import IdKind, parse
from domain.inbound import AdapterKind, MessageStatus, Signing
from integrations.adapters import ADAPTERS

BY_AGE = Ordering("inbound sources by age", (UUID,))
BY_RECEIVED_AT = Ordering("inbound messages by receipt", (datetime, UUID))

described(
    AdapterKind,
    "Which system sends, and so how its messages are signed and read.",
    "InboundAdapter",
    GENERIC="Anybody, in our own JSON: a ticket as `/ticket.json` describes it, or `tickets`, a list of them.",
    ZENDESK="Zendesk Support.",
    FRESHDESK="Freshdesk.",
    FRESHSERVICE="Freshservice.",
    JIRA="Jira and Jira Service Management.",
    CONNECTWISE="ConnectWise PSA.",
    BMC="BMC Helix ITSM (Remedy).",
    SERVICENOW="ServiceNow: rows of its tables.",
    GROOVE="Groove.",
    EASYVISTA="EasyVista Service Manager.",
    CA_SERVICE_DESK="CA Service Desk Manager.",
)
described(
    Signing,
    "How a source proves that a message is its own.",
    "InboundSigning",
    STANDARD_WEBHOOKS="By Standard Webhooks: `webhook-id`, `webhook-timestamp`, `webhook-signature`; not older than "
    "five minutes.",
    ZENDESK="By `X-Zendesk-Webhook-Signature` and its timestamp; not older than five minutes. It makes the secret.",
    HUB="By `X-Hub-Signature`, HMAC-SHA256 over the body.",
    TOKEN="By the secret itself, in `X-Steadystate-Token`, as a bearer token, or as the password of basic "  # noqa: S106 -- a description
    "authentication. An equal body within five minutes is taken for the same message; an `X-Steadystate-Delivery` of "
    "its own tells them apart.",
)
described(
    MessageStatus,
    "What became of a message.",
    "InboundStatus",
    RECEIVED="It is kept and waits to be interpreted.",
    DONE="What it tells is written.",
    IGNORED="It is well formed and tells nothing that is written.",
    FAILED="It could not be interpreted; once that is put right it can be replayed.",
)


@strawberry.type(description="How many messages of a source stand where.")
class InboundBacklog:
    waiting: int = strawberry.field(description="Messages that wait to be interpreted.")
    failed: int = strawberry.field(description="Messages that failed.")


@window(inbound.InboundSource, description="A system that sends to us what happens there.")
class InboundSource(Node):
    id: strawberry.ID = id_field(IdKind.INBOUND_SOURCE, description="The source's id.")
    name: str = strawberry.field(description="What people call it.")
    adapter: AdapterKind = strawberry.field(description="Which system sends.")
    system: str = strawberry.field(
        description="The name of the system whose tickets they are, and by whose keys clients are found."
    )
    client_id: strawberry.ID | None = optional_id_field(
        IdKind.CLIENT, "client_id", description="Whose all its tickets are; `null` where each ticket names its client."
    )
    previous_until: datetime | None = strawberry.field(
        description="Until when the secret before the present one is taken as well."
    )
    message_count: int = strawberry.field(description="How many messages were received.")
    duplicate_count: int = strawberry.field(description="How many came that were received before.")
    last_message_at: datetime | None = strawberry.field(description="When the last message came.")
    created_by_id: strawberry.ID | None = member_id_field("created_by", description="Who made it.")
    created_at: datetime = strawberry.field(description="When it was made.")
    disabled_at: datetime | None = strawberry.field(description="Since when its messages are refused.")
    version: int = strawberry.field(description="How often it was changed, counted from 1.")

    @resolved(description="The path to which it posts, on this server.")
    def path(root: Any) -> str:  # noqa: N805 -- the root is a domain value, not this class
        return f"{PATH}{root.address}"

    @resolved(description="How it proves that a message is its own.")
    def signing(root: Any) -> Signing:  # noqa: N805
        return ADAPTERS[root.adapter].signing

    @resolved(description="Whose all its tickets are.")
    async def client(root: Any, info: Info) -> Client | None:  # noqa: N805
        return await info.context.loader(loaders.client).load(root.client_id) if root.client_id else None  # type: ignore[return-value]

    @resolved(description="How many messages wait, and how many failed.")
    async def backlog(root: Any, info: Info) -> InboundBacklog:  # noqa: N805
        waiting, failed = await info.context.loader(backlogs).load(root.id)
        return InboundBacklog(waiting=waiting, failed=failed)


@window(inbound.InboundMessage, description="A message as a source sent it, and what became of it.")
class InboundMessage(Node):
    id: strawberry.ID = id_field(IdKind.INBOUND_MESSAGE, description="The message's id.")
    source_id: strawberry.ID = id_field(IdKind.INBOUND_SOURCE, "source_id", description="Which source sent it.")
    number: int = strawberry.field(description="The how manieth of its source it is; in this order they are read.")
    received_at: datetime = strawberry.field(description="When it came.")
    delivery_id: str | None = strawberry.field(description="The id that its sender gave the delivery.")
    size_bytes: int = strawberry.field(description="How long its body was.")
    status: MessageStatus = strawberry.field(description="What became of it.")
    reason: str | None = strawberry.field(description="Why it failed or was ignored: the place, the value, the reason.")
    ticket_count: int = strawberry.field(description="How many tickets it told of.")
    settled_at: datetime | None = strawberry.field(description="When it was interpreted.")
    replayed_at: datetime | None = strawberry.field(description="When it was last sent to be interpreted once more.")

    @resolved(description="Which source sent it.")
    async def source(root: Any, info: Info) -> InboundSource | None:  # noqa: N805
        return await info.context.loader(source).load(root.source_id)  # type: ignore[return-value]

    @resolved(
        description="The body as it came, with escapes in JSON written out; `null` once it is no longer kept (30 days, "
        "of failed messages 90).",
        cost=FieldPrice(weight=20),
    )
    async def body(root: Any, info: Info) -> str | None:  # noqa: N805
        return await info.context.loader(bodies).load(root.id)


@strawberry.input(description="Which messages are asked for; every condition given must hold.")
class InboundMessageWhere:
    source_id: strawberry.ID | None = strawberry.field(default=None, description="Of this source.")
    statuses: list[MessageStatus] | None = strawberry.field(default=None, description="With one of these statuses.")
    received_from: datetime | None = strawberry.field(default=None, description="Received at this instant or later.")
    received_before: datetime | None = strawberry.field(default=None, description="Received before this instant.")

    def conditions(self) -> dict[str, object]:
        """Return what is given as conditions of the listing."""
        given = {
            "source": None if self.source_id is None else parse(IdKind.INBOUND_SOURCE, self.source_id),
            "statuses": None if self.statuses is None else [status.value for status in self.statuses],
            "received_from": self.received_from,
            "received_before": self.received_before,
        }
        return {name: value for name, value in given.items() if value is not None}


async def source(context: OperationContext, keys: Sequence[UUID]) -> list[inbound.InboundSource | None]:
    """Load sources by id."""
    async with context.reading() as tx:
        found = await stored.many(tx, keys)
    return [found.get(key) for key in keys]


async def message(context: OperationContext, keys: Sequence[UUID]) -> list[inbound.InboundMessage | None]:
    """Load messages by id, without their bodies."""
    async with context.reading() as tx:
        found = await stored_messages.many(tx, keys)
    return [found.get(key) for key in keys]


async def bodies(context: OperationContext, keys: Sequence[UUID]) -> list[str | None]:
    """Load the bodies of messages."""
    async with context.reading() as tx:
        found = await stored_messages.bodies(tx, list(keys))
    return [found.get(key) for key in keys]


async def backlogs(context: OperationContext, keys: Sequence[UUID]) -> list[tuple[int, int]]:
    """Load how many messages of sources wait, and how many failed."""
    async with context.reading() as tx:
        found = await stored_messages.backlogs(tx, list(keys))
    return [found.get(key, (0, 0)) for key in keys]


nodes_of(IdKind.INBOUND_SOURCE, source, Scope.INBOUND_WRITE)
nodes_of(IdKind.INBOUND_MESSAGE, message, Scope.INBOUND_WRITE)

SourceId = Annotated[strawberry.ID, strawberry.argument(description="The source's id.")]
Where = Annotated[InboundMessageWhere | None, strawberry.argument(description="Which; all if left out.")]


@strawberry.type
class InboundQuery:
    @query_field(
        scope=Scope.INBOUND_WRITE,
        description="The systems that may send to us, the oldest first; disabled ones included.",
    )
    async def inbound_sources(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[InboundSource] | None:
        page = page_of(BY_AGE, first=first, after=after, last=last, before=before)

        async def count() -> int:
            async with info.context.reading() as tx:
                return await stored.count(tx)

        async with info.context.reading() as tx:
            rows = await stored.listed(tx, page)
        return connection(page, rows, key=lambda one: (one.id,), count=count)

    @query_field(scope=Scope.INBOUND_WRITE, description="One source, or `null` if none with this id is visible to you.")
    async def inbound_source(self, info: Info, id: SourceId) -> InboundSource | None:
        return await info.context.loader(source).load(parse(IdKind.INBOUND_SOURCE, id))  # type: ignore[return-value]

    @query_field(
        scope=Scope.INBOUND_WRITE,
        description="What sources sent, the latest first: ask for `statuses: [FAILED]` to see what needs a hand, with "
        "its `reason`. A message is kept for 90 days.",
    )
    async def inbound_messages(
        self,
        info: Info,
        where: Where = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[InboundMessage] | None:
        page = page_of(BY_RECEIVED_AT, first=first, after=after, last=last, before=before)
        conditions = where.conditions() if where else {}

        async def count() -> int:
            async with info.context.reading() as tx:
                return await stored_messages.count(tx, conditions)

        async with info.context.reading() as tx:
            rows = await stored_messages.listed(tx, page, conditions)
        return connection(page, rows, key=lambda one: (one.received_at, one.id), count=count)
