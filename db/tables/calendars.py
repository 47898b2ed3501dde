"""Tables of calendars: the versions of those that a provider, a site or a contract has had."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import INSTANT, Base, OfTenant
from db.tables.clients import MOVING_ALONG


class CalendarRow(OfTenant, Base):
    """One version of a calendar: a site's, a contract's, or of neither the provider's own.

    The version in force has no end. Without a body none of its own is in force, and the provider's counts.
    """

    __tablename__ = "calendar"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id"], ["tenant.id"]),
        ForeignKeyConstraint(["tenant_id", "client_id"], ["client.tenant_id", "client.id"]),
        ForeignKeyConstraint(
            ["tenant_id", "client_id", "site_id"],
            ["site.tenant_id", "site.client_id", "site.id"],
            **MOVING_ALONG,
        ),
        ForeignKeyConstraint(
            ["tenant_id", "client_id", "contract_id"],
            ["contract.tenant_id", "contract.client_id", "contract.id"],
            **MOVING_ALONG,
        ),
        UniqueConstraint("tenant_id", "site_id", "contract_id", "version", postgresql_nulls_not_distinct=True),
        Index("ix_calendar_in_force", "tenant_id", "client_id", postgresql_where=text("valid_to is null")),
    )

    client_id: Mapped[UUID | None]
    site_id: Mapped[UUID | None]
    contract_id: Mapped[UUID | None]
    version: Mapped[int]
    body: Mapped[dict[str, object] | None]
    valid_from: Mapped[datetime] = mapped_column(INSTANT)
    valid_to: Mapped[datetime | None] = mapped_column(INSTANT)
