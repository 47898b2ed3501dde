"""Tables of the work on an onboarding beside its moves: checklist items, the hand-off record, and who changed what."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, Text, UniqueConstraint
from sqlalchemy import types as sqltypes
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import INSTANT, Base, OfTenant


def _of_cycle() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["tenant_id", "client_id", "cycle_id"], ["cycle.tenant_id", "cycle.client_id", "cycle.id"]
    )


class ChecklistItemRow(OfTenant, Base):
    """One thing to be done for one onboarding, in the words of the definition that laid it out."""

    __tablename__ = "checklist_item"
    __table_args__ = (
        _of_cycle(),
        UniqueConstraint("tenant_id", "client_id", "cycle_id", "id"),
        UniqueConstraint("tenant_id", "cycle_id", "stage", "key"),
        ForeignKeyConstraint(["tenant_id", "assignee_id"], ["member.tenant_id", "member.id"]),
        Index(None, "tenant_id", "due_key", "id"),
        Index(None, "tenant_id", "assignee_id", "due_key", "id"),
    )

    client_id: Mapped[UUID]
    cycle_id: Mapped[UUID]
    stage: Mapped[str]
    key: Mapped[str]
    title: Mapped[str]
    owner: Mapped[str]
    required: Mapped[bool]
    proves: Mapped[str | None]
    own: Mapped[bool]
    assignee_id: Mapped[UUID | None]
    due_on: Mapped[date | None]
    due_key: Mapped[date]
    added_at: Mapped[datetime] = mapped_column(INSTANT)
    done_at: Mapped[datetime | None] = mapped_column(INSTANT)
    done_by_kind: Mapped[str | None]
    done_by: Mapped[UUID | None]
    note: Mapped[str | None]
    link: Mapped[str | None]
    removed_at: Mapped[datetime | None] = mapped_column(INSTANT)
    version: Mapped[int]


class ChecklistStepRow(OfTenant, Base):
    """What somebody did to an item, which nobody can change; ids and names of fields alone."""

    __tablename__ = "checklist_step"
    __table_args__ = (
        _of_cycle(),
        ForeignKeyConstraint(
            ["tenant_id", "client_id", "cycle_id", "item_id"],
            ["checklist_item.tenant_id", "checklist_item.client_id", "checklist_item.cycle_id", "checklist_item.id"],
        ),
        Index(None, "tenant_id", "cycle_id", "recorded_at"),
    )

    client_id: Mapped[UUID]
    cycle_id: Mapped[UUID]
    item_id: Mapped[UUID]
    item_key: Mapped[str]
    step: Mapped[str]
    fields: Mapped[list[str]] = mapped_column(ARRAY(Text()))
    recorded_at: Mapped[datetime] = mapped_column(INSTANT)
    actor_kind: Mapped[str]
    actor_id: Mapped[UUID]
    on_behalf_of: Mapped[UUID | None]
    request_id: Mapped[str]
    event_id: Mapped[UUID | None]


class HandOffRow(OfTenant, Base):
    """What sales told those who do the work, one row for each onboarding."""

    __tablename__ = "hand_off"
    __table_args__ = (_of_cycle(), UniqueConstraint("tenant_id", "cycle_id"))

    client_id: Mapped[UUID]
    cycle_id: Mapped[UUID]
    scope_sold: Mapped[str | None]
    promises: Mapped[str | None]
    incumbent: Mapped[str | None]
    contact_roles: Mapped[list[str]] = mapped_column(ARRAY(Text()))
    contact_ids: Mapped[list[UUID]] = mapped_column(ARRAY(sqltypes.Uuid()))
    support: Mapped[str | None]
    approvers: Mapped[list[UUID]] = mapped_column(ARRAY(sqltypes.Uuid()))
    vips: Mapped[list[UUID]] = mapped_column(ARRAY(sqltypes.Uuid()))
    risks: Mapped[str | None]
    secrets_place: Mapped[str | None]
    declared_none: Mapped[list[str]] = mapped_column(ARRAY(Text()))
    updated_at: Mapped[datetime] = mapped_column(INSTANT)
    version: Mapped[int]


class HandOffChangeRow(OfTenant, Base):
    """Who changed which fields of a hand-off record, which nobody can change; the words stand in the record alone."""

    __tablename__ = "hand_off_change"
    __table_args__ = (_of_cycle(), Index(None, "tenant_id", "cycle_id", "recorded_at"))

    client_id: Mapped[UUID]
    cycle_id: Mapped[UUID]
    version: Mapped[int]
    fields: Mapped[list[str]] = mapped_column(ARRAY(Text()))
    recorded_at: Mapped[datetime] = mapped_column(INSTANT)
    actor_kind: Mapped[str]
    actor_id: Mapped[UUID]
    on_behalf_of: Mapped[UUID | None]
    request_id: Mapped[str]
    event_id: Mapped[UUID | None]
