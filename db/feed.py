"""The feed's statements: number what was committed, read a page, tell how far a log goes, forget the old."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import text

from db.session import Transaction
from domain.feed import Cursor, EventActor, EventSubject, Extent, FeedPage, LoggedEvent, Selection

LOG_CHANNEL = "steadystate_log"
"""NOTIFY after a batch was numbered; the payload is `tenant:epoch:last seq`, comma-separated, or `*` for many."""

BATCH_EVENTS = 500
WINDOW_EVENTS = 10_000
"""How many events one read looks through at most, so that a rare type costs no more than a common one."""
PURGE_EVENTS = 5_000

_LOCK = 7_265_002
"""Advisory lock of whoever numbers or purges; it ends with its transaction, as that with a dead process."""

# A leader that freezes in the middle gives the lock up after five seconds.
LEAD = text("""
    select set_config('idle_in_transaction_session_timeout', '5000', true),
           here.epoch, here.origin,
           case when here.some or here.moved then pg_try_advisory_xact_lock(:lock) end as leads,
           here.moved
    from (
        select e.epoch, o.origin, e.origin is distinct from o.origin as moved,
               exists (select from pending) as some
        from (select feed_origin() as origin) o
        left join lateral (select epoch, origin from feed_epoch order by epoch desc limit 1) e on true
    ) here
""")

# Seconds since 1970 keep two restores of one and the same back-up apart, which a count would not.
BEGIN_EPOCH = text("""
    insert into feed_epoch (epoch, origin, since)
    select greatest(coalesce(max(epoch), 0) + 1, :second), feed_origin(), :now
    from feed_epoch
    having feed_origin() is distinct from (select origin from feed_epoch order by epoch desc limit 1)
""")

NUMBER = text("""
    with batch as (
        delete from pending where id in (select id from pending order by id limit :size)
        returning id, tenant_id, client_id, event_id, type, scope, body, recorded_at
    ),
    counted as (
        insert into event_counter as c (tenant_id, last_seq, oldest_seq)
        select tenant_id, count(*), 1 from batch group by tenant_id
        on conflict (tenant_id) do update set last_seq = c.last_seq + excluded.last_seq
        returning c.tenant_id, c.last_seq
    ),
    logged as (
        insert into event_log
            (tenant_id, seq, client_id, event_id, type, scope, body, recorded_at, numbered_at)
        select b.tenant_id,
               c.last_seq - count(*) over (partition by b.tenant_id)
                   + row_number() over (partition by b.tenant_id order by b.id),
               b.client_id, b.event_id, b.type, b.scope, b.body, b.recorded_at, :now
        from batch b join counted c on c.tenant_id = b.tenant_id
        order by b.id
        returning tenant_id
    )
    select (select count(*) from logged) as events,
           pg_notify(:channel, case when count(*) <= 120
               then string_agg(tenant_id || ':' || epoch || ':' || last_seq, ',') else '*' end)
    from counted, (select max(epoch) as epoch from feed_epoch) e
    having count(*) > 0
""")

EXTENT = text("""
    select e.epoch, coalesce(c.oldest_seq, 1) as oldest_seq, coalesce(c.last_seq, 0) as last_seq
    from (select max(epoch) as epoch from feed_epoch) e
    left join event_counter c on c.tenant_id = :tenant
""")

ENDS = text("""
    select tenant_id, epoch, last_seq
    from event_counter, (select max(epoch) as epoch from feed_epoch) e
    where tenant_id = any(:tenants)
""")

PAGE = text("""
    select seq, client_id, scope, body from event_log
    where tenant_id = :tenant and seq > :after and seq <= :until
      and scope = any(:scopes)
      and (cast(:types as text[]) is null or type = any(:types))
      and (cast(:clients as uuid[]) is null or client_id = any(:clients))
    order by seq
    limit :first
""")

# A tenant's log is cut from its beginning, so what is kept has no hole even if the clock jumped.
PURGE = text("""
    with old as (
        select tenant_id, max(seq) as seq from (
            select tenant_id, seq, numbered_at from event_log order by position limit :size
        ) first
        where numbered_at < :before
        group by tenant_id
    ),
    gone as (
        delete from event_log l using old o where l.tenant_id = o.tenant_id and l.seq <= o.seq returning 1
    ),
    moved as (
        update event_counter c set oldest_seq = o.seq + 1 from old o
        where c.tenant_id = o.tenant_id and c.oldest_seq <= o.seq
    )
    select count(*) from gone
""")
TAKE_TURN = text("select pg_advisory_xact_lock(:lock)")


@dataclass(frozen=True, slots=True)
class Numbered:
    """What one attempt at numbering came to: events moved, and whether another process was at it."""

    events: int
    taken: bool = False


async def number(tx: Transaction, now: datetime) -> Numbered:
    """Move up to 500 committed events into the log in the order of their ids, if nobody else is at it.

    The transaction is the relay's. Before the first event of another life of the database, a new
    epoch begins, so that no old cursor is taken for a new one.
    """
    lead = await tx.one(LEAD, lock=_LOCK)
    if lead is None or not lead["leads"]:
        return Numbered(0, taken=lead is not None and lead["leads"] is False)
    if lead["moved"]:
        await tx.run(BEGIN_EPOCH, second=int(now.timestamp()), now=now)
    # Its own statement, so that its snapshot holds what the leader before has left.
    row = await tx.one(NUMBER, size=BATCH_EVENTS, now=now, channel=LOG_CHANNEL)
    return Numbered(row["events"] if row else 0)


async def purge(tx: Transaction, before: datetime) -> int:
    """Forget up to 5,000 events numbered before an instant, from each log's beginning; return how many.

    Raises:
        LockTimeoutError: numbering went on without a pause.
    """
    await tx.run(TAKE_TURN, lock=_LOCK)
    return int(await tx.value(PURGE, before=before, size=PURGE_EVENTS))


async def extent(tx: Transaction) -> Extent:
    """Return how far the log of the transaction's tenant goes."""
    row = await tx.one(EXTENT, tenant=tx.tenant)
    return Extent(row["epoch"] or 0, row["oldest_seq"], row["last_seq"]) if row else Extent(0, 1, 0)


async def ends(tx: Transaction, tenants: Iterable[UUID]) -> dict[UUID, Cursor]:
    """Return where each tenant's log ends, as the relay sees it; one without events is left out."""
    rows = await tx.rows(ENDS, tenants=list(tenants))
    return {row["tenant_id"]: Cursor(row["epoch"], row["last_seq"]) for row in rows}


async def page(tx: Transaction, after: Cursor | None, selection: Selection, first: int) -> FeedPage:
    """Return up to `first` events that follow a cursor, or the oldest kept.

    It looks through 10,000 events at most; a page may therefore be empty although more follow.

    Raises:
        CursorExpiredError: something that came after the cursor is no longer held.
    """
    reach = await extent(tx)
    if after is None:
        after = reach.oldest
    reach.check(after)
    until = min(after.seq + WINDOW_EVENTS, reach.last_seq)
    if until == after.seq:
        return FeedPage((), after, has_more=False)
    rows = await tx.rows(
        PAGE,
        tenant=tx.tenant,
        after=after.seq,
        until=until,
        scopes=list(selection.scopes),
        types=_listed(selection.types),
        clients=_listed(selection.clients),
        first=first,
    )
    events = tuple(_event(row, reach.epoch) for row in rows)
    end = events[-1].seq if len(events) == first else until
    return FeedPage(events, Cursor(reach.epoch, end), has_more=end < reach.last_seq)


def _listed(values: frozenset[Any] | None) -> Sequence[Any] | None:
    return None if values is None else list(values)


def _event(row: asyncpg.Record, epoch: int) -> LoggedEvent:
    body: Mapping[str, Any] = row["body"]
    subject, actor = body["subject"], body["actor"]
    return LoggedEvent(
        seq=row["seq"],
        client=row["client_id"],
        scope=row["scope"],
        id=body["id"],
        cursor=Cursor(epoch, row["seq"]).text(),
        type=body["type"],
        schema_version=body["schemaVersion"],
        client_id=body["client"],
        subject=EventSubject(subject["kind"], subject["id"], subject["version"]),
        actor=EventActor(actor["kind"], actor["id"], actor["onBehalfOf"]),
        occurred_at=datetime.fromisoformat(body["occurredAt"]),
        recorded_at=datetime.fromisoformat(body["recordedAt"]),
        request_id=body["requestId"],
        caused_by=body["causedBy"],
        historical=body["historical"],
        data=body["data"],
    )
