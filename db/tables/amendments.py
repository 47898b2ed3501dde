"""Tables of amendments: what was agreed after a contract."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import INSTANT, Base
from db.tables.clients import MOVING_ALONG, OfClient


class AmendmentRow(OfClient, Base):
    """An agreement that changes a contract, or adds a site or a service to it."""

    __tablename__ = "amendment"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "client_id"], ["client.tenant_id", "client.id"]),
        ForeignKeyConstraint(
            ["tenant_id", "client_id", "contract_id"],
            ["contract.tenant_id", "contract.client_id", "contract.id"],
            **MOVING_ALONG,
        ),
        # What an amendment of a merged client added is the other's now, while the amendment stays as history.
        ForeignKeyConstraint(["tenant_id", "site_id"], ["site.tenant_id", "site.id"]),
        ForeignKeyConstraint(["tenant_id", "service_id"], ["service.tenant_id", "service.id"]),
        # An onboarding names its amendment by the contract too, so that the two cannot differ.
        UniqueConstraint("tenant_id", "client_id", "contract_id", "id"),
        UniqueConstraint("tenant_id", "contract_id", "number"),
    )

    contract_id: Mapped[UUID]
    number: Mapped[int]
    title: Mapped[str]
    status: Mapped[str]
    starts_on: Mapped[date | None]
    ends_on: Mapped[date | None]
    scope_added: Mapped[list[str]] = mapped_column(ARRAY(Text))
    scope_removed: Mapped[list[str]] = mapped_column(ARRAY(Text))
    seats: Mapped[int | None]
    seats_delta: Mapped[int | None]
    site_id: Mapped[UUID | None]
    service_id: Mapped[UUID | None]
    note: Mapped[str | None]
    sent_at: Mapped[datetime | None] = mapped_column(INSTANT)
    signed_at: Mapped[datetime | None] = mapped_column(INSTANT)
    ended_at: Mapped[datetime | None] = mapped_column(INSTANT)
    created_at: Mapped[datetime] = mapped_column(INSTANT)
    version: Mapped[int]
