"""Inbound sources in the database: what is known of a sender, its secrets, and the door behind its address."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from db.access import DOOR
from db.keyset import Listing, Stretch
from db.rows import Rows
from db.session import Transaction
from db.tables.inbound import InboundSourceRow
from db.tokens import OPEN
from domain.inbound import InboundSource

ROWS = Rows(InboundSourceRow, InboundSource)
_T = InboundSourceRow.__table__.c
LISTING = Listing(columns=ROWS.columns, tenant=_T.tenant_id, orders={"ID": (_T.id,)})
DOOR_KIND = "INBOUND"

GIVE_TO = text("update inbound_source set client_id = :client where tenant_id = :tenant and id = :source")
ADD_SECRET = text("""
    insert into inbound_secret (tenant_id, id, source_id, kept, made_at)
    values (:tenant, :id, :source, :kept, :now)
""")
# Of the secrets before, only the one in use until now is taken for a while longer.
FORGET_SECRETS = text("""
    delete from inbound_secret where tenant_id = :tenant and source_id = :source and ends_at is not null
""")
END_SECRET = text("""
    update inbound_secret set ends_at = :until where tenant_id = :tenant and source_id = :source and ends_at is null
""")
SECRETS = text("""
    select kept from inbound_secret
    where tenant_id = :tenant and source_id = :source and (ends_at is null or ends_at > :now)
    order by made_at desc, id
""")
COUNT_MESSAGE = text("""
    update inbound_source
    set message_count = message_count + 1, last_message_at = :now
    where tenant_id = :tenant and id = :source returning message_count
""")
COUNT_DUPLICATE = text("""
    update inbound_source
    set duplicate_count = duplicate_count + 1, last_message_at = :now
    where tenant_id = :tenant and id = :source
""")
# Whoever holds the row is taking a message in or changing the source: its turn comes with the next look.
CLAIM = text("""
    update inbound_source set claimed_until = :until
    where tenant_id = :tenant and id = (
        select s.id from inbound_source s
        where s.tenant_id = :tenant and (s.claimed_until is null or s.claimed_until <= :now)
          and exists (
              select from inbound_message m
              where m.tenant_id = :tenant and m.source_id = s.id and m.status = 'RECEIVED')
          and s.id <> all(cast(:done as uuid[]))
        order by s.id limit 1 for update skip locked)
    returning id
""")
RELEASE = text("""
    update inbound_source set claimed_until = null
    where tenant_id = :tenant and id = :source and claimed_until = :until
""")

get = ROWS.get
lock = ROWS.lock
many = ROWS.many


async def add(tx: Transaction, source: InboundSource, address_hash: bytes) -> None:
    """Write a new source and open its door."""
    await ROWS.add(tx, source)
    await tx.run(OPEN, tenant=tx.tenant, kind=DOOR_KIND, token=source.id, hash=address_hash)


async def save(tx: Transaction, source: InboundSource) -> None:
    """Write a source over its locked row; unlike most of what a client has, it may become another's."""
    await ROWS.save(tx, source.id, source)
    await tx.run(GIVE_TO, tenant=tx.tenant, source=source.id, client=source.client_id)


async def behind(entering: Transaction, address_hash: bytes) -> tuple[UUID, UUID] | None:
    """Return the tenant and the source to which an address leads, before any tenant is known."""
    row = await entering.one(DOOR, hash=address_hash)
    return (row["tenant_id"], row["subject_id"]) if row and row["kind"] == DOOR_KIND else None


async def change_secret(
    tx: Transaction, source: UUID, secret: tuple[UUID, str], now: datetime, until: datetime | None = None
) -> None:
    """Let a source sign with a secret, given by id and as it is kept, from now on; with the one before until then."""
    await tx.run(FORGET_SECRETS, tenant=tx.tenant, source=source)
    await tx.run(END_SECRET, tenant=tx.tenant, source=source, until=until or now)
    await tx.run(ADD_SECRET, tenant=tx.tenant, id=secret[0], source=source, kept=secret[1], now=now)


async def secrets(tx: Transaction, source: UUID, now: datetime) -> list[str]:
    """Return the secrets that a source may sign with at this instant, the latest first."""
    return [row["kept"] for row in await tx.rows(SECRETS, tenant=tx.tenant, source=source, now=now)]


async def count_message(tx: Transaction, source: UUID, now: datetime) -> int:
    """Return the number of the message that comes now; the caller holds the source's lock."""
    return int(await tx.value(COUNT_MESSAGE, tenant=tx.tenant, source=source, now=now))


async def count_duplicate(tx: Transaction, source: UUID, now: datetime) -> None:
    """Note that a source said something again."""
    await tx.run(COUNT_DUPLICATE, tenant=tx.tenant, source=source, now=now)


async def claim(tx: Transaction, now: datetime, until: datetime, done: Sequence[UUID]) -> UUID | None:
    """Return a source whose messages wait, for one worker alone until an instant; `done` had their turn."""
    found: UUID | None = await tx.value(CLAIM, tenant=tx.tenant, now=now, until=until, done=list(done))
    return found


async def release(tx: Transaction, source: UUID, until: datetime) -> None:
    """Give up one's own claim."""
    await tx.run(RELEASE, tenant=tx.tenant, source=source, until=until)


async def listed(tx: Transaction, stretch: Stretch) -> list[InboundSource]:
    """Return a stretch of the sources by age, disabled ones included."""
    return [ROWS.read(row) for row in await LISTING.rows(tx, "ID", stretch)]


async def count(tx: Transaction) -> int:
    """Return how many sources there are."""
    return await LISTING.count(tx)
