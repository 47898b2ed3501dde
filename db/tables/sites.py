"""Tables of sites: the places at which a client works."""

from datetime import datetime

from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import INSTANT, Base
from db.tables.clients import SORT_KEY, OfClient


class SiteRow(OfClient, Base):
    """A place at which a client works; its address lives in this one row."""

    __tablename__ = "site"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "client_id"], ["client.tenant_id", "client.id"]),
        UniqueConstraint("tenant_id", "client_id", "id"),
        Index(None, "tenant_id", "client_id", "name_key", "id"),
    )

    name: Mapped[str]
    name_key: Mapped[str] = mapped_column(SORT_KEY)
    street: Mapped[str | None]
    postcode: Mapped[str | None]
    city: Mapped[str | None]
    country: Mapped[str | None]
    zone: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(INSTANT)
    archived_at: Mapped[datetime | None] = mapped_column(INSTANT)
    version: Mapped[int]
