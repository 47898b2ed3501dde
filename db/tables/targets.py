"""The table of targets: what a provider wants of its figures, every change a row that stays."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Float, ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import INSTANT, Base, OfTenant


class KpiTargetRow(OfTenant, Base):
    """One version of the target of a figure, for the provider as a whole or for one client; without a value, none."""

    __tablename__ = "kpi_target"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "client_id"], ["client.tenant_id", "client.id"]),
        Index(
            "uq_kpi_target_tenant_id_kpi_client_id_number",
            "tenant_id",
            "kpi",
            "client_id",
            "number",
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
        Index("ix_kpi_target_tenant_id_recorded_at_id", "tenant_id", "recorded_at", "id"),
    )

    kpi: Mapped[str]
    client_id: Mapped[UUID | None]
    number: Mapped[int]
    value: Mapped[float | None] = mapped_column(Float())
    recorded_at: Mapped[datetime] = mapped_column(INSTANT)
    actor_kind: Mapped[str]
    actor_id: Mapped[UUID]
    request_id: Mapped[str]
