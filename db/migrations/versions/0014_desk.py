"""Absences of members."""

import sqlalchemy as sa
from alembic import op

from db.migrations.policies import protect

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "absence",
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date()),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "member_id"], ["member.tenant_id", "member.id"], name="fk_absence_tenant_id_member_id"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_absence"),
    )
    op.create_index("ix_absence_tenant_id_member_id_starts_on", "absence", ["tenant_id", "member_id", "starts_on"])
    protect("absence")
