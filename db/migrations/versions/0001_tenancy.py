"""Providers, members, tokens, the door, stored outcomes and pending events."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

from db.migrations.policies import create_roles, open_to_relay, protect
from db.session import APP_ROLE, RELAY_ROLE

revision = "0001"
down_revision = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    create_roles()
    op.create_table(
        "tenant",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("settings", pg.JSONB(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tenant"),
        sa.UniqueConstraint("slug", name="uq_tenant_slug"),
    )
    protect("tenant", column="id")
    open_to_relay("tenant", "select")
    op.create_table(
        "member",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("roles", pg.ARRAY(sa.Text()), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("deputy_id", sa.Uuid()),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_member"),
        sa.UniqueConstraint("tenant_id", "email", name="uq_member_tenant_id_email"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name="fk_member_tenant_id"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "deputy_id"], ["member.tenant_id", "member.id"], name="fk_member_tenant_id_deputy_id"
        ),
    )
    protect("member")
    op.create_table(
        "token",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Uuid()),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("scopes", pg.ARRAY(sa.Text()), nullable=False),
        sa.Column("clients", pg.ARRAY(sa.Uuid())),
        sa.Column("created_by", sa.Uuid()),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT),
        sa.Column("last_used_at", INSTANT),
        sa.Column("revoked_at", INSTANT),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_token"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name="fk_token_tenant_id"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "member_id"], ["member.tenant_id", "member.id"], name="fk_token_tenant_id_member_id"
        ),
    )
    op.create_index("ix_token_tenant_id_member_id", "token", ["tenant_id", "member_id"])
    protect("token")
    op.create_table(
        "door",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_door"),
    )
    protect("door")
    open_to_relay("door", "select")
    _open_door()
    op.create_table(
        "idempotency",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("principal_id", sa.Uuid(), nullable=False),
        sa.Column("mutation", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("outcome", pg.JSONB()),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "principal_id", "mutation", "key", name="pk_idempotency"),
    )
    op.create_index("ix_idempotency_created_at", "idempotency", ["created_at"])
    protect("idempotency")
    open_to_relay("idempotency", "select, delete")
    op.create_table(
        "pending",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid()),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("body", pg.JSONB(), nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_pending"),
    )
    protect("pending", append_only=True)
    open_to_relay("pending", "select, delete")


def _open_door() -> None:
    """Create the one function that finds a secret's tenant.

    It belongs to the relay: under forced policies even the tables' owner would find no row.
    """
    op.execute("""
        create function open_door(secret_hash bytea) returns table (kind text, tenant_id uuid, subject_id uuid)
        language sql stable security definer set search_path = public, pg_temp
        as 'select d.kind, d.tenant_id, d.subject_id from door d where d.hash = secret_hash'
    """)
    op.execute("revoke all on function open_door(bytea) from public")
    op.execute(f"grant execute on function open_door(bytea) to {APP_ROLE}")
    op.execute(f"grant create on schema public to {RELAY_ROLE}")
    op.execute(f"alter function open_door(bytea) owner to {RELAY_ROLE}")
    op.execute(f"revoke create on schema public from {RELAY_ROLE}")
