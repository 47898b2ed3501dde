"""Clients, external references, contacts, contracts, services, devices and discovery runs."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

from db.migrations.policies import protect

revision = "0002"
down_revision = "0001"

INSTANT = sa.DateTime(timezone=True)
SORT_KEY = sa.Text(collation="C")


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    _client()
    _external_ref()
    _contact()
    _contract()
    _service()
    _device()
    _service_device()
    _discovery_run()


def _client() -> None:
    op.create_table(
        "client",
        *_key(),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", SORT_KEY, nullable=False),
        sa.Column("industry", sa.Text()),
        sa.Column("seats", sa.Integer()),
        sa.Column("owner_id", sa.Uuid()),
        sa.Column("account_manager_id", sa.Uuid()),
        sa.Column("cycle_id", sa.Uuid()),
        *_changing(),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_client"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name="fk_client_tenant_id"),
        _to_member("client", "owner_id"),
        _to_member("client", "account_manager_id"),
    )
    _index("client", "tenant_id", "name_key", "id")
    _index("client", "tenant_id", "created_at", "id")
    _index("client", "tenant_id", "owner_id", "name_key", "id")
    _index("client", "tenant_id", "account_manager_id", "name_key", "id")
    protect("client", client=True, client_column="id")


def _external_ref() -> None:
    op.create_table(
        "external_ref",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("system", SORT_KEY, nullable=False),
        sa.Column("key", SORT_KEY, nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "kind", "system", "key", name="pk_external_ref"),
        _to_client("external_ref"),
    )
    _index("external_ref", "tenant_id", "subject_id")
    _index("external_ref", "tenant_id", "client_id")
    protect("external_ref", client=True)


def _contact() -> None:
    op.create_table(
        "contact",
        *_key("client_id"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", SORT_KEY, nullable=False),
        sa.Column("email", sa.Text()),
        sa.Column("phone", sa.Text()),
        sa.Column("roles", pg.ARRAY(sa.Text()), nullable=False),
        sa.Column("language", sa.Text()),
        sa.Column("opted_out", sa.Boolean(), nullable=False),
        *_changing(),
        *_of_client("contact"),
    )
    _index("contact", "tenant_id", "client_id", "name_key", "id")
    protect("contact", client=True)


def _contract() -> None:
    op.create_table(
        "contract",
        *_key("client_id"),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("scope", pg.ARRAY(sa.Text()), nullable=False),
        sa.Column("seats", sa.Integer()),
        sa.Column("coverage_hours", sa.Text()),
        sa.Column("starts_on", sa.Date()),
        sa.Column("ends_on", sa.Date()),
        sa.Column("renews_on", sa.Date()),
        sa.Column("sent_at", INSTANT),
        sa.Column("signed_at", INSTANT),
        sa.Column("ended_at", INSTANT),
        sa.Column("waiting_on", sa.Text()),
        *_changing(),
        *_of_client("contract"),
    )
    _index("contract", "tenant_id", "client_id", "created_at", "id")
    protect("contract", client=True)


def _service() -> None:
    op.create_table(
        "service",
        *_key("client_id"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", SORT_KEY, nullable=False),
        sa.Column("critical", sa.Boolean(), nullable=False),
        *_changing(),
        *_of_client("service"),
    )
    _index("service", "tenant_id", "client_id", "name_key", "id")
    protect("service", client=True)


def _device() -> None:
    op.create_table(
        "device",
        *_key("client_id"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", SORT_KEY, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("in_scope", sa.Boolean(), nullable=False),
        sa.Column("gap_reason", sa.Text()),
        sa.Column("serial", sa.Text()),
        sa.Column("first_seen_at", INSTANT, nullable=False),
        sa.Column("last_seen_at", INSTANT, nullable=False),
        sa.Column("state_since", INSTANT, nullable=False),
        *_changing(),
        *_of_client("device"),
    )
    _index("device", "tenant_id", "client_id", "name_key", "id")
    _index("device", "tenant_id", "client_id", "last_seen_at", "id")
    _index("device", "tenant_id", "client_id", "state", "name_key", "id")
    protect("device", client=True)


def _service_device() -> None:
    op.create_table(
        "service_device",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "service_id", "device_id", name="pk_service_device"),
        _to_same_client("service_device", "service"),
        _to_same_client("service_device", "device"),
    )
    _index("service_device", "tenant_id", "client_id", "device_id")
    protect("service_device", client=True)


def _discovery_run() -> None:
    op.create_table(
        "discovery_run",
        *_key("client_id"),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("ran_at", INSTANT, nullable=False),
        sa.Column("devices_found", sa.Integer(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_discovery_run"),
        _to_client("discovery_run"),
    )
    _index("discovery_run", "tenant_id", "client_id", "ran_at", "id")
    protect("discovery_run", client=True)


def _key(*more: str) -> list["sa.Column[object]"]:
    return [sa.Column(name, sa.Uuid(), nullable=False) for name in ("tenant_id", "id", *more)]


def _changing() -> list["sa.Column[object]"]:
    return [sa.Column("created_at", INSTANT, nullable=False), sa.Column("version", sa.Integer(), nullable=False)]


def _of_client(table: str) -> list[sa.Constraint]:
    return [
        sa.PrimaryKeyConstraint("tenant_id", "id", name=f"pk_{table}"),
        sa.UniqueConstraint("tenant_id", "client_id", "id", name=f"uq_{table}_tenant_id_client_id_id"),
        _to_client(table),
    ]


def _to_client(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", "client_id"], ["client.tenant_id", "client.id"], name=f"fk_{table}_tenant_id_client_id"
    )


def _to_same_client(table: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", "client_id", f"{other}_id"],
        [f"{other}.tenant_id", f"{other}.client_id", f"{other}.id"],
        name=f"fk_{table}_tenant_id_client_id_{other}_id",
    )


def _to_member(table: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", column], ["member.tenant_id", "member.id"], name=f"fk_{table}_tenant_id_{column}"
    )


def _index(table: str, *columns: str) -> None:
    op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns))
