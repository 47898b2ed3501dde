"""Tables of privacy: what was done with somebody's data."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import INSTANT, Base, OfTenant


class PrivacyRecordRow(OfTenant, Base):
    """That data was erased or handed out, which nobody can change: ids and codes, and nothing of the person."""

    __tablename__ = "privacy_record"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id"], ["tenant.id"]),
        Index("ix_privacy_record_recorded", "tenant_id", "recorded_at", "id"),
        Index("ix_privacy_record_subject", "tenant_id", "subject_id"),
    )

    act: Mapped[str]
    subject_kind: Mapped[str]
    subject_id: Mapped[UUID]
    reason: Mapped[str | None]
    texts: Mapped[int]
    recorded_at: Mapped[datetime] = mapped_column(INSTANT)
    actor_kind: Mapped[str]
    actor_id: Mapped[UUID]
    channel: Mapped[str]
    request_id: Mapped[str]
    event_id: Mapped[UUID | None]
