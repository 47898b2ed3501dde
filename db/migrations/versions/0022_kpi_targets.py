"""Targets that a provider sets for its figures."""

import sqlalchemy as sa
from alembic import op

from db.migrations.policies import protect

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "kpi_target",
        sa.Column("kpi", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Uuid()),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("value", sa.Float()),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id"], ["client.tenant_id", "client.id"], name="fk_kpi_target_tenant_id_client_id"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_kpi_target"),
    )
    # Of the provider's own targets the client is null, and the versions of those are counted too.
    op.create_index(
        "uq_kpi_target_tenant_id_kpi_client_id_number",
        "kpi_target",
        ["tenant_id", "kpi", "client_id", "number"],
        unique=True,
        postgresql_nulls_not_distinct=True,
    )
    op.create_index("ix_kpi_target_tenant_id_recorded_at_id", "kpi_target", ["tenant_id", "recorded_at", "id"])
    protect("kpi_target", client=True, append_only=True)
