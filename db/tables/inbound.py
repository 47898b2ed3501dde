"""Tables of inbound: the systems that send, the secrets by which they sign, and what they sent."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import INSTANT, Base, OfTenant


def _of_source() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["tenant_id", "source_id"], ["inbound_source.tenant_id", "inbound_source.id"])


class InboundSourceRow(OfTenant, Base):
    """A system that sends; `claimed_until` is how long the worker has that interprets its messages."""

    __tablename__ = "inbound_source"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id"], ["tenant.id"]),
        ForeignKeyConstraint(["tenant_id", "client_id"], ["client.tenant_id", "client.id"]),
    )

    client_id: Mapped[UUID | None]
    name: Mapped[str]
    system: Mapped[str]
    adapter: Mapped[str]
    address: Mapped[str]
    previous_until: Mapped[datetime | None] = mapped_column(INSTANT)
    message_count: Mapped[int] = mapped_column(BigInteger)
    duplicate_count: Mapped[int] = mapped_column(BigInteger)
    last_message_at: Mapped[datetime | None] = mapped_column(INSTANT)
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(INSTANT)
    disabled_at: Mapped[datetime | None] = mapped_column(INSTANT)
    version: Mapped[int]
    claimed_until: Mapped[datetime | None] = mapped_column(INSTANT)


class InboundSecretRow(OfTenant, Base):
    """A secret of a source as its proofs need it: readable where it keys a signature, else its SHA-256."""

    __tablename__ = "inbound_secret"
    __table_args__ = (_of_source(), Index(None, "tenant_id", "source_id"))

    source_id: Mapped[UUID]
    kept: Mapped[str]
    made_at: Mapped[datetime] = mapped_column(INSTANT)
    ends_at: Mapped[datetime | None] = mapped_column(INSTANT)


class InboundMessageRow(OfTenant, Base):
    """A message as it came; its body goes when its time is over, what became of it stays a while longer."""

    __tablename__ = "inbound_message"
    __table_args__ = (
        _of_source(),
        UniqueConstraint("tenant_id", "source_id", "number"),
        Index(None, "tenant_id", "received_at", "id"),
        Index(None, "tenant_id", "source_id", "received_at", "id"),
        Index(None, "tenant_id", "status", "received_at", "id"),
        Index(None, "tenant_id", "source_id", "digest"),
        Index(None, "tenant_id", "source_id", "delivery_id"),
        Index(
            "ix_inbound_message_waiting",
            "tenant_id",
            "source_id",
            "number",
            postgresql_where=text("status = 'RECEIVED'"),
        ),
    )

    source_id: Mapped[UUID]
    number: Mapped[int] = mapped_column(BigInteger)
    received_at: Mapped[datetime] = mapped_column(INSTANT)
    delivery_id: Mapped[str | None]
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    body: Mapped[str | None]
    size_bytes: Mapped[int]
    status: Mapped[str]
    reason: Mapped[str | None]
    ticket_count: Mapped[int]
    attempts: Mapped[int]
    settled_at: Mapped[datetime | None] = mapped_column(INSTANT)
    replayed_at: Mapped[datetime | None] = mapped_column(INSTANT)
