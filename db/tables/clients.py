"""Tables of clients: the companies served, their people, contracts, services and devices."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Computed, ForeignKeyConstraint, Index, PrimaryKeyConstraint, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import INSTANT, Base, OfTenant

SORT_KEY = Text(collation="C")
"""The type of a stored key by which rows are sorted and found by prefix, in code point order."""


MOVING_ALONG: dict[str, Any] = {"deferrable": True, "initially": "IMMEDIATE"}
"""How rows of one client refer to each other: a merge moves them one table after the other, and checks them at last."""


class ClientRow(OfTenant, Base):
    """A company that the provider serves; `cycle_id` is its latest onboarding of the whole client."""

    __tablename__ = "client"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id"], ["tenant.id"]),
        ForeignKeyConstraint(["tenant_id", "owner_id"], ["member.tenant_id", "member.id"]),
        ForeignKeyConstraint(["tenant_id", "account_manager_id"], ["member.tenant_id", "member.id"]),
        ForeignKeyConstraint(
            ["tenant_id", "id", "cycle_id"],
            ["cycle.tenant_id", "cycle.client_id", "cycle.id"],
            name="fk_client_cycle",
            use_alter=True,
        ),
        ForeignKeyConstraint(["tenant_id", "merged_into"], ["client.tenant_id", "client.id"]),
        Index("ix_client_merged_into", "tenant_id", "merged_into", postgresql_where=text("merged_into is not null")),
        Index(None, "tenant_id", "name_key", "id"),
        Index(None, "tenant_id", "created_at", "id"),
        Index(None, "tenant_id", "owner_id", "name_key", "id"),
        Index(None, "tenant_id", "account_manager_id", "name_key", "id"),
    )

    name: Mapped[str]
    name_key: Mapped[str] = mapped_column(SORT_KEY)
    industry: Mapped[str | None]
    seats: Mapped[int | None]
    owner_id: Mapped[UUID | None]
    account_manager_id: Mapped[UUID | None]
    cycle_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(INSTANT)
    version: Mapped[int]
    erased_at: Mapped[datetime | None] = mapped_column(INSTANT)
    merged_into: Mapped[UUID | None]
    merged_at: Mapped[datetime | None] = mapped_column(INSTANT)
    merge_reason: Mapped[str | None]


class ExternalRefRow(Base):
    """The key under which another system knows one of our rows: a client's is its own, a device's so within its client.

    Were a device's key taken for all clients, whoever sees one of them would learn the keys of the others.
    """

    __tablename__ = "external_ref"
    __table_args__ = (
        PrimaryKeyConstraint("tenant_id", "kind", "system", "key", "client_id"),
        Index(
            "uq_external_ref_client",
            "tenant_id",
            "system",
            "key",
            unique=True,
            postgresql_where=text("kind = 'CLIENT'"),
        ),
        ForeignKeyConstraint(["tenant_id", "client_id"], ["client.tenant_id", "client.id"]),
        Index(None, "tenant_id", "subject_id"),
        Index(None, "tenant_id", "client_id"),
    )

    tenant_id: Mapped[UUID]
    kind: Mapped[str]
    system: Mapped[str] = mapped_column(SORT_KEY)
    key: Mapped[str] = mapped_column(SORT_KEY)
    subject_id: Mapped[UUID]
    client_id: Mapped[UUID]


class OfClient(OfTenant):
    """A row that belongs to one client of one tenant."""

    client_id: Mapped[UUID]


def _at_a_site() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["tenant_id", "client_id", "site_id"],
        ["site.tenant_id", "site.client_id", "site.id"],
        **MOVING_ALONG,
    )


class ContactRow(OfClient, Base):
    """A person of a client; everything personal about them lives in this one row."""

    __tablename__ = "contact"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "client_id"], ["client.tenant_id", "client.id"]),
        _at_a_site(),
        UniqueConstraint("tenant_id", "client_id", "id"),
        Index(None, "tenant_id", "client_id", "name_key", "id"),
        Index(
            "ix_contact_email_domain",
            "tenant_id",
            "email_domain",
            postgresql_where=text("email_domain is not null"),
        ),
    )

    name: Mapped[str]
    name_key: Mapped[str] = mapped_column(SORT_KEY)
    email: Mapped[str | None]
    # Kept rather than computed when asked: behind a policy no index serves what a function makes of a column.
    email_domain: Mapped[str | None] = mapped_column(Text, Computed("lower(split_part(email, '@', 2))", persisted=True))
    phone: Mapped[str | None]
    roles: Mapped[list[str]] = mapped_column(ARRAY(Text))
    language: Mapped[str | None]
    opted_out: Mapped[bool]
    site_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(INSTANT)
    version: Mapped[int]
    erased_at: Mapped[datetime | None] = mapped_column(INSTANT)


class ContractRow(OfClient, Base):
    """What was agreed with a client, how far the agreement is, and whose turn it is."""

    __tablename__ = "contract"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "client_id"], ["client.tenant_id", "client.id"]),
        UniqueConstraint("tenant_id", "client_id", "id"),
        Index(None, "tenant_id", "client_id", "created_at", "id"),
    )

    title: Mapped[str]
    status: Mapped[str]
    type: Mapped[str]
    scope: Mapped[list[str]] = mapped_column(ARRAY(Text))
    seats: Mapped[int | None]
    coverage_hours: Mapped[str | None]
    starts_on: Mapped[date | None]
    ends_on: Mapped[date | None]
    renews_on: Mapped[date | None]
    sent_at: Mapped[datetime | None] = mapped_column(INSTANT)
    signed_at: Mapped[datetime | None] = mapped_column(INSTANT)
    ended_at: Mapped[datetime | None] = mapped_column(INSTANT)
    waiting_on: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(INSTANT)
    version: Mapped[int]


class ContractTurnRow(Base):
    """From when on a contract stood in a status, and whose turn it was, which nobody can change."""

    __tablename__ = "contract_turn"
    __table_args__ = (
        PrimaryKeyConstraint("tenant_id", "contract_id", "position"),
        # What is known of a contract goes along when it is moved to another client.
        ForeignKeyConstraint(
            ["tenant_id", "client_id", "contract_id"],
            ["contract.tenant_id", "contract.client_id", "contract.id"],
            onupdate="CASCADE",
        ),
        Index(None, "tenant_id", "client_id"),
    )

    tenant_id: Mapped[UUID]
    client_id: Mapped[UUID]
    contract_id: Mapped[UUID]
    position: Mapped[int]
    status: Mapped[str]
    waiting_on: Mapped[str | None]
    at: Mapped[datetime] = mapped_column(INSTANT)
    recorded_at: Mapped[datetime] = mapped_column(INSTANT)


class ServiceRow(OfClient, Base):
    """Something that a client depends on, such as its mail or its web shop."""

    __tablename__ = "service"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "client_id"], ["client.tenant_id", "client.id"]),
        _at_a_site(),
        UniqueConstraint("tenant_id", "client_id", "id"),
        Index(None, "tenant_id", "client_id", "name_key", "id"),
    )

    name: Mapped[str]
    name_key: Mapped[str] = mapped_column(SORT_KEY)
    critical: Mapped[bool]
    site_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(INSTANT)
    version: Mapped[int]


class DeviceRow(OfClient, Base):
    """A device seen at a client, and its standing with the provider."""

    __tablename__ = "device"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "client_id"], ["client.tenant_id", "client.id"]),
        _at_a_site(),
        UniqueConstraint("tenant_id", "client_id", "id"),
        Index(None, "tenant_id", "client_id", "name_key", "id"),
        Index(None, "tenant_id", "client_id", "last_seen_at", "id"),
        Index(None, "tenant_id", "client_id", "state", "name_key", "id"),
        Index("ix_device_serial", "tenant_id", "serial", postgresql_where=text("serial is not null")),
    )

    name: Mapped[str]
    name_key: Mapped[str] = mapped_column(SORT_KEY)
    kind: Mapped[str]
    state: Mapped[str]
    in_scope: Mapped[bool]
    gap_reason: Mapped[str | None]
    serial: Mapped[str | None]
    first_seen_at: Mapped[datetime] = mapped_column(INSTANT)
    last_seen_at: Mapped[datetime] = mapped_column(INSTANT)
    state_since: Mapped[datetime] = mapped_column(INSTANT)
    site_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(INSTANT)
    version: Mapped[int]


class ServiceDeviceRow(Base):
    """A relationship: the service runs on the device, and both are of the same client."""

    __tablename__ = "service_device"
    __table_args__ = (
        PrimaryKeyConstraint("tenant_id", "service_id", "device_id"),
        ForeignKeyConstraint(
            ["tenant_id", "client_id", "service_id"],
            ["service.tenant_id", "service.client_id", "service.id"],
            **MOVING_ALONG,
        ),
        ForeignKeyConstraint(
            ["tenant_id", "client_id", "device_id"],
            ["device.tenant_id", "device.client_id", "device.id"],
            **MOVING_ALONG,
        ),
        Index(None, "tenant_id", "client_id", "device_id"),
    )

    tenant_id: Mapped[UUID]
    client_id: Mapped[UUID]
    service_id: Mapped[UUID]
    device_id: Mapped[UUID]


class DiscoveryRunRow(OfClient, Base):
    """One search for devices at a client."""

    __tablename__ = "discovery_run"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "client_id"], ["client.tenant_id", "client.id"]),
        _at_a_site(),
        Index(None, "tenant_id", "client_id", "ran_at", "id"),
    )

    source: Mapped[str]
    ran_at: Mapped[datetime] = mapped_column(INSTANT)
    devices_found: Mapped[int]
    site_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(INSTANT)
