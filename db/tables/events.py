"""Tables of events: written as pending, numbered into the log."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Identity
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
