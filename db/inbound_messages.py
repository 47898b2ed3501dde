"""Inbound messages in the database: taken in once each, interpreted in order, listed, replayed, forgotten."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, Text, any_, bindparam, text

from db.keyset import Listing, Stretch
from db.rows import Rows
from db.session import Transaction
from db.tables.inbound import InboundMessageRow
from domain.inbound import InboundMessage, MessageStatus

ROWS = Rows(InboundMessageRow, InboundMessage)
_T = InboundMessageRow.__table__.c
LISTING = Listing(
    columns=ROWS.columns,
    tenant=_T.tenant_id,
    orders={"RECEIVED_AT": (_T.received_at, _T.id)},
    conditions={
        "source": _T.source_id == bindparam("source", type_=_T.source_id.type),
        "statuses": _T.status == any_(bindparam("statuses", type_=ARRAY(Text()))),
        "received_from": _T.received_at >= bindparam("received_from", type_=_T.received_at.type),
        "received_before": _T.received_at < bindparam("received_before", type_=_T.received_at.type),
    },
)

DUPLICATE = text("""
    select id from inbound_message
    where tenant_id = :tenant and source_id = :source
      and (delivery_id = :delivery or (digest = :digest and received_at > cast(:since as timestamptz)))
    limit 1
""")
ADD = text("""
    insert into inbound_message (tenant_id, id, source_id, number, received_at, delivery_id, digest, body, size_bytes,
                                 status, ticket_count, attempts)
    values (:tenant, :id, :source, :number, :now, :delivery, :digest, :body, :size_bytes, 'RECEIVED', 0, 0)
""")
TENANTS_WAITING = text("select distinct tenant_id from inbound_message where status = 'RECEIVED'")
# An attempt counts before it is made: a message that ends its worker is known by that.
ATTEMPT = text("""
    update inbound_message set attempts = attempts + 1
    where tenant_id = :tenant and id = (
        select id from inbound_message
        where tenant_id = :tenant and source_id = :source and status = 'RECEIVED' order by number limit 1)
    returning id, attempts
""")
UNATTEMPT = text("""
    update inbound_message set attempts = 0
    where tenant_id = :tenant and source_id = :source and status = 'RECEIVED' and attempts > 0
""")
NEXT = text("""
    select id, received_at, body from inbound_message
    where tenant_id = :tenant and source_id = :source and status = 'RECEIVED'
    order by number limit 1 for update
""")
SETTLE = text("""
    update inbound_message
    set status = :status, reason = :reason, ticket_count = :tickets, settled_at = :now, attempts = 0
    where tenant_id = :tenant and id = :message and status = 'RECEIVED'
""")
BODY = text("select id, body from inbound_message where tenant_id = :tenant and id = any(cast(:messages as uuid[]))")
BACKLOGS = text("""
    select source_id, count(*) filter (where status = 'RECEIVED') as waiting,
           count(*) filter (where status = 'FAILED') as failed
    from inbound_message
    where tenant_id = :tenant and source_id = any(cast(:sources as uuid[])) and status in ('RECEIVED', 'FAILED')
    group by source_id
""")
REPLAY = """
    update inbound_message
    set status = 'RECEIVED', reason = null, ticket_count = 0, settled_at = null, replayed_at = :now
    where tenant_id = :tenant and status <> 'RECEIVED' and body is not null and {which}
    returning id
"""
REPLAY_ONE = text(REPLAY.format(which="id = :message"))
REPLAY_MANY = text(
    REPLAY.format(
        which="""id in (
        select id from inbound_message
        where tenant_id = :tenant and body is not null and status = any(cast(:statuses as text[]))
          and (cast(:source as uuid) is null or source_id = :source)
          and (cast(:received_from as timestamptz) is null or received_at >= :received_from)
          and (cast(:received_before as timestamptz) is null or received_at < :received_before)
        order by received_at, id limit :most)"""
    )
)
FORGET_BODIES = text("""
    update inbound_message set body = null
    where tenant_id = :tenant and body is not null and status in ('DONE', 'IGNORED') and received_at <= :before
    returning 1
""")
FORGET = text("""
    delete from inbound_message where tenant_id = :tenant and status <> 'RECEIVED' and received_at <= :before
    returning 1
""")


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that is to be interpreted, held until the transaction ends."""

    id: UUID
    received_at: datetime
    body: str | None


@dataclass(frozen=True, slots=True)
class Taken:
    """A message that is to be taken in: `digest` is of what its sender vouched for."""

    id: UUID
    source_id: UUID
    number: int
    delivery_id: str | None
    digest: bytes
    body: str
    size_bytes: int


get = ROWS.get
lock = ROWS.lock
many = ROWS.many


async def duplicate(tx: Transaction, source: UUID, delivery: str | None, digest: bytes, since: datetime) -> UUID | None:
    """Return the message that came with this delivery's id, or said the same after an instant."""
    given = {"source": source, "delivery": delivery, "digest": digest, "since": since}
    found: UUID | None = await tx.value(DUPLICATE, tenant=tx.tenant, **given)
    return found


async def add(tx: Transaction, taken: Taken, now: datetime) -> None:
    """Keep a message as it came."""
    await tx.run(
        ADD,
        tenant=tx.tenant,
        id=taken.id,
        source=taken.source_id,
        number=taken.number,
        now=now,
        delivery=taken.delivery_id,
        digest=taken.digest,
        body=taken.body,
        size_bytes=taken.size_bytes,
    )


async def tenants_waiting(relaying: Transaction) -> list[UUID]:
    """Return the providers for whom messages wait."""
    return [row["tenant_id"] for row in await relaying.rows(TENANTS_WAITING)]


async def attempt(tx: Transaction, source: UUID) -> tuple[UUID, int] | None:
    """Count an attempt at the next message of a source; return which it is, and the how manieth attempt."""
    row = await tx.one(ATTEMPT, tenant=tx.tenant, source=source)
    return (row["id"], row["attempts"]) if row else None


async def unattempt(tx: Transaction, source: UUID) -> None:
    """Count the attempts at a source's messages anew: whoever made them is alive."""
    await tx.run(UNATTEMPT, tenant=tx.tenant, source=source)


async def next_of(tx: Transaction, source: UUID) -> Waiting | None:
    """Return the first message of a source that waits, locked."""
    row = await tx.one(NEXT, tenant=tx.tenant, source=source)
    return Waiting(row["id"], row["received_at"], row["body"]) if row else None


async def settle(
    tx: Transaction, message: UUID, status: MessageStatus, now: datetime, *, reason: str | None = None, tickets: int = 0
) -> None:
    """Note what became of a message that waits."""
    given = {"message": message, "status": status.value, "reason": reason, "tickets": tickets, "now": now}
    await tx.run(SETTLE, tenant=tx.tenant, **given)


async def bodies(tx: Transaction, messages: list[UUID]) -> dict[UUID, str | None]:
    """Return the bodies of messages; of an old one there is none any more."""
    return {row["id"]: row["body"] for row in await tx.rows(BODY, tenant=tx.tenant, messages=messages)}


async def backlogs(tx: Transaction, sources: list[UUID]) -> dict[UUID, tuple[int, int]]:
    """Return how many messages of sources wait, and how many failed."""
    rows = await tx.rows(BACKLOGS, tenant=tx.tenant, sources=sources)
    return {row["source_id"]: (row["waiting"], row["failed"]) for row in rows}


async def replay(tx: Transaction, message: UUID, now: datetime) -> bool:
    """Let a settled message whose body is kept wait again; tell whether it does."""
    return bool(await tx.rows(REPLAY_ONE, tenant=tx.tenant, message=message, now=now))


async def replay_many(tx: Transaction, where: Mapping[str, object], most: int, now: datetime) -> int:
    """Let settled messages whose bodies are kept wait again, the oldest first; return how many do.

    `where` gives statuses, source, received_from and received_before, each of the last three or nothing.
    """
    return len(await tx.rows(REPLAY_MANY, tenant=tx.tenant, **where, most=most, now=now))


async def forget(tx: Transaction, bodies_before: datetime, before: datetime) -> int:
    """Forget the bodies of what went well up to one instant, and everything up to another; return how many rows."""
    gone = len(await tx.rows(FORGET, tenant=tx.tenant, before=before))
    return gone + len(await tx.rows(FORGET_BODIES, tenant=tx.tenant, before=bodies_before))


async def listed(tx: Transaction, stretch: Stretch, where: Mapping[str, object]) -> list[InboundMessage]:
    """Return a stretch of the messages, the latest first; without their bodies."""
    return [ROWS.read(row) for row in await LISTING.rows(tx, "RECEIVED_AT", stretch, where, descending=True)]


async def count(tx: Transaction, where: Mapping[str, object]) -> int:
    """Return how many messages there are."""
    return await LISTING.count(tx, where)
