"""Tables of events: written as pending, numbered into the log."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Identity, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import INSTANT, Base


class PendingRow(Base):
    """An event that its transaction has written and the sequencer has not yet numbered."""

    __tablename__ = "pending"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    tenant_id: Mapped[UUID]
    client_id: Mapped[UUID | None]
    event_id: Mapped[UUID]
    type: Mapped[str]
    scope: Mapped[str]
    body: Mapped[dict[str, object]] = mapped_column(JSONB)
    recorded_at: Mapped[datetime] = mapped_column(INSTANT)


class EventCounterRow(Base):
    """How far one tenant's log goes, and where what is kept of it begins."""

    __tablename__ = "event_counter"

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    last_seq: Mapped[int] = mapped_column(BigInteger)
    oldest_seq: Mapped[int] = mapped_column(BigInteger)


class EventLogRow(Base):
    """A numbered event; `position` orders all tenants' events for our own use and is never shown."""

    __tablename__ = "event_log"
    __table_args__ = (Index("uq_event_log_position", "position", unique=True),)

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    client_id: Mapped[UUID | None]
    event_id: Mapped[UUID]
    type: Mapped[str]
    scope: Mapped[str]
    body: Mapped[dict[str, object]] = mapped_column(JSONB)
    recorded_at: Mapped[datetime] = mapped_column(INSTANT)
    numbered_at: Mapped[datetime] = mapped_column(INSTANT)


class FeedEpochRow(Base):
    """One life of the log: from its creation, or from a restore or fail-over, to the next."""

    __tablename__ = "feed_epoch"

    epoch: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    origin: Mapped[str]
    since: Mapped[datetime] = mapped_column(INSTANT)
