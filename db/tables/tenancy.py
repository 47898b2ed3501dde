"""Tables of providers, their people and their credentials."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, LargeBinary, Text, UniqueConstraint
from sqlalchemy import types as sqltypes
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import INSTANT, Base, OfTenant


class TenantRow(Base):
    """A provider, with its settings as one JSON object."""

    __tablename__ = "tenant"
    __table_args__ = (UniqueConstraint("slug"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    slug: Mapped[str]
    name: Mapped[str]
    settings: Mapped[dict[str, object]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(INSTANT)
    version: Mapped[int]


class MemberRow(OfTenant, Base):
    """A person of the provider."""

    __tablename__ = "member"
    __table_args__ = (
        UniqueConstraint("tenant_id", "email"),
        ForeignKeyConstraint(["tenant_id"], ["tenant.id"]),
        ForeignKeyConstraint(["tenant_id", "deputy_id"], ["member.tenant_id", "member.id"]),
    )

    name: Mapped[str]
    email: Mapped[str]
    roles: Mapped[list[str]] = mapped_column(ARRAY(Text))
    active: Mapped[bool]
    deputy_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(INSTANT)
    version: Mapped[int]
    erased_at: Mapped[datetime | None] = mapped_column(INSTANT)


class AbsenceRow(OfTenant, Base):
    """Days on which a member is away."""

    __tablename__ = "absence"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "member_id"], ["member.tenant_id", "member.id"]),
        Index(None, "tenant_id", "member_id", "starts_on"),
    )

    member_id: Mapped[UUID]
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]
    reason: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(INSTANT)
    version: Mapped[int]


class TokenRow(OfTenant, Base):
    """A credential; the secret itself is nowhere, only its SHA-256 in the door."""

    __tablename__ = "token"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id"], ["tenant.id"]),
        ForeignKeyConstraint(["tenant_id", "member_id"], ["member.tenant_id", "member.id"]),
        Index(None, "tenant_id", "member_id"),
    )

    kind: Mapped[str]
    member_id: Mapped[UUID | None]
    name: Mapped[str]
    prefix: Mapped[str]
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    clients: Mapped[list[UUID] | None] = mapped_column(ARRAY(sqltypes.Uuid()))
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(INSTANT)
    expires_at: Mapped[datetime | None] = mapped_column(INSTANT)
    last_used_at: Mapped[datetime | None] = mapped_column(INSTANT)
    revoked_at: Mapped[datetime | None] = mapped_column(INSTANT)
    version: Mapped[int]


class DoorRow(Base):
    """What must be found before a tenant is known, by the hash of a secret."""

    __tablename__ = "door"

    hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    kind: Mapped[str]
    tenant_id: Mapped[UUID]
    subject_id: Mapped[UUID]


class IdempotencyRow(Base):
    """The stored outcome of a command, once per caller, mutation and key."""

    __tablename__ = "idempotency"
    __table_args__ = (Index(None, "created_at"),)

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    principal_id: Mapped[UUID] = mapped_column(primary_key=True)
    mutation: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    outcome: Mapped[dict[str, object] | None] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(INSTANT)
