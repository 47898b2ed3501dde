"""What changes of an onboarding beside its moves, kept for good, and who withdrew a waiver."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

from db.migrations.policies import protect

revision = "0006"
down_revision = "0005"

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "cycle_change",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("cycle_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("gate", sa.Text()),
        sa.Column("before", pg.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("after", pg.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("accepted", sa.Boolean(), nullable=False),
        sa.Column("refusal", sa.Text()),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("on_behalf_of", sa.Uuid()),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Uuid()),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id", "cycle_id"],
            ["cycle.tenant_id", "cycle.client_id", "cycle.id"],
            name="fk_cycle_change_tenant_id_client_id_cycle_id",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_cycle_change"),
    )
    op.create_index(
        "ix_cycle_change_tenant_id_cycle_id_recorded_at", "cycle_change", ["tenant_id", "cycle_id", "recorded_at"]
    )
    protect("cycle_change", client=True, append_only=True)
    op.add_column("waiver", sa.Column("withdrawn_by", sa.Uuid()))
