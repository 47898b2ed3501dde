"""Inbound sources with their secrets, and the messages that they sent."""

import sqlalchemy as sa
from alembic import op

from db.migrations.policies import protect
from db.session import RELAY_ROLE

revision = "0021"
down_revision = "0020"

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "inbound_source",
        sa.Column("client_id", sa.Uuid()),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("adapter", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("previous_until", INSTANT),
        sa.Column("message_count", sa.BigInteger(), nullable=False),
        sa.Column("duplicate_count", sa.BigInteger(), nullable=False),
        sa.Column("last_message_at", INSTANT),
        sa.Column("created_by", sa.Uuid()),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("disabled_at", INSTANT),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("claimed_until", INSTANT),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name="fk_inbound_source_tenant_id"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id"],
            ["client.tenant_id", "client.id"],
            name="fk_inbound_source_tenant_id_client_id",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_inbound_source"),
    )
    protect("inbound_source", client=True)
    op.create_table(
        "inbound_secret",
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("kept", sa.Text(), nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("ends_at", INSTANT),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "source_id"],
            ["inbound_source.tenant_id", "inbound_source.id"],
            name="fk_inbound_secret_tenant_id_source_id",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_inbound_secret"),
    )
    op.create_index("ix_inbound_secret_tenant_id_source_id", "inbound_secret", ["tenant_id", "source_id"])
    protect("inbound_secret")
    op.create_table(
        "inbound_message",
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("delivery_id", sa.Text()),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.Text()),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("ticket_count", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("settled_at", INSTANT),
        sa.Column("replayed_at", INSTANT),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "source_id"],
            ["inbound_source.tenant_id", "inbound_source.id"],
            name="fk_inbound_message_tenant_id_source_id",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_inbound_message"),
        sa.UniqueConstraint("tenant_id", "source_id", "number", name="uq_inbound_message_tenant_id_source_id_number"),
    )
    for columns in (
        ["received_at", "id"],
        ["source_id", "received_at", "id"],
        ["status", "received_at", "id"],
        ["source_id", "digest"],
        ["source_id", "delivery_id"],
    ):
        named = ["tenant_id", *columns]
        op.create_index(f"ix_inbound_message_{'_'.join(named)}", "inbound_message", named)
    op.create_index(
        "ix_inbound_message_waiting",
        "inbound_message",
        ["tenant_id", "source_id", "number"],
        postgresql_where=sa.text("status = 'RECEIVED'"),
    )
    protect("inbound_message")
    # The relay learns whose messages wait, and never what they say.
    op.execute(f"create policy relay on inbound_message to {RELAY_ROLE} using (status = 'RECEIVED')")
    op.execute(f"grant select (tenant_id, status) on inbound_message to {RELAY_ROLE}")
