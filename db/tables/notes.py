"""Tables of the lead's day: what was noted, what was planned, and who edited what belongs to a client."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import INSTANT, Base, OfTenant


def _of_client() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["tenant_id", "client_id"], ["client.tenant_id", "client.id"])


def _of_cycle() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["tenant_id", "client_id", "cycle_id"], ["cycle.tenant_id", "cycle.client_id", "cycle.id"]
    )


class NoteRow(OfTenant, Base):
    """What somebody of the provider wrote down about a client or one of its onboardings; its text lies here alone."""

    __tablename__ = "note"
    __table_args__ = (
        _of_client(),
        _of_cycle(),
        Index("ix_note_tenant_id_client_id_created_at_id", "tenant_id", "client_id", "created_at", "id"),
        Index("ix_note_tenant_id_cycle_id_created_at_id", "tenant_id", "cycle_id", "created_at", "id"),
    )

    client_id: Mapped[UUID]
    cycle_id: Mapped[UUID | None]
    text: Mapped[str | None]
    pinned: Mapped[bool]
    author_kind: Mapped[str]
    author_id: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(INSTANT)
    edited_at: Mapped[datetime | None] = mapped_column(INSTANT)
    deleted_at: Mapped[datetime | None] = mapped_column(INSTANT)
    version: Mapped[int]


class PlannedDateRow(OfTenant, Base):
    """The day on which a stage was planned to be entered, from one moment until the next row of the same stage.

    `re_plan` tells a changed or withdrawn date from a first one.
    """

    __tablename__ = "planned_date"
    __table_args__ = (
        _of_cycle(),
        Index(
            "ix_planned_date_tenant_id_cycle_id_recorded_at_id",
            "tenant_id",
            "cycle_id",
            "recorded_at",
            "id",
        ),
        Index("ix_planned_date_tenant_id_recorded_at", "tenant_id", "recorded_at"),
    )

    client_id: Mapped[UUID]
    cycle_id: Mapped[UUID]
    stage: Mapped[str]
    planned_on: Mapped[date | None]
    previous_on: Mapped[date | None]
    re_plan: Mapped[bool]
    reason: Mapped[str | None]
    recorded_at: Mapped[datetime] = mapped_column(INSTANT)
    actor_kind: Mapped[str]
    actor_id: Mapped[UUID]
    request_id: Mapped[str]
    event_id: Mapped[UUID]


class ClientEditRow(OfTenant, Base):
    """That something of a client's was written or edited: which fields, by whom and when, never what they say."""

    __tablename__ = "client_edit"
    __table_args__ = (
        _of_client(),
        _of_cycle(),
        Index("ix_client_edit_tenant_id_client_id_recorded_at_id", "tenant_id", "client_id", "recorded_at", "id"),
    )

    client_id: Mapped[UUID]
    cycle_id: Mapped[UUID | None]
    kind: Mapped[str]
    subject_id: Mapped[UUID]
    fields: Mapped[list[str]] = mapped_column(ARRAY(Text()))
    recorded_at: Mapped[datetime] = mapped_column(INSTANT)
    actor_kind: Mapped[str]
    actor_id: Mapped[UUID]
    request_id: Mapped[str]
