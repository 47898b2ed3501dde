"""Notes, planned dates with their history, and who edited what belongs to a client."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

from db.migrations.policies import protect

revision = "0010"
down_revision = "0009"

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "note",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("cycle_id", sa.Uuid()),
        sa.Column("text", sa.Text()),
        sa.Column("pinned", sa.Boolean(), nullable=False),
        sa.Column("author_kind", sa.Text(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("edited_at", INSTANT),
        sa.Column("deleted_at", INSTANT),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id"], ["client.tenant_id", "client.id"], name="fk_note_tenant_id_client_id"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id", "cycle_id"],
            ["cycle.tenant_id", "cycle.client_id", "cycle.id"],
            name="fk_note_tenant_id_client_id_cycle_id",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_note"),
    )
    op.create_index("ix_note_tenant_id_client_id_created_at_id", "note", ["tenant_id", "client_id", "created_at", "id"])
    op.create_index("ix_note_tenant_id_cycle_id_created_at_id", "note", ["tenant_id", "cycle_id", "created_at", "id"])
    protect("note", client=True)
    op.create_table(
        "planned_date",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("cycle_id", sa.Uuid(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("planned_on", sa.Date()),
        sa.Column("previous_on", sa.Date()),
        sa.Column("re_plan", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id", "cycle_id"],
            ["cycle.tenant_id", "cycle.client_id", "cycle.id"],
            name="fk_planned_date_tenant_id_client_id_cycle_id",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_planned_date"),
    )
    op.create_index(
        "ix_planned_date_tenant_id_cycle_id_recorded_at_id",
        "planned_date",
        ["tenant_id", "cycle_id", "recorded_at", "id"],
    )
    op.create_index("ix_planned_date_tenant_id_recorded_at", "planned_date", ["tenant_id", "recorded_at"])
    protect("planned_date", client=True, append_only=True)
    op.create_table(
        "client_edit",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("cycle_id", sa.Uuid()),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("fields", pg.ARRAY(sa.Text()), nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id"], ["client.tenant_id", "client.id"], name="fk_client_edit_tenant_id_client_id"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id", "cycle_id"],
            ["cycle.tenant_id", "cycle.client_id", "cycle.id"],
            name="fk_client_edit_tenant_id_client_id_cycle_id",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_client_edit"),
    )
    op.create_index(
        "ix_client_edit_tenant_id_client_id_recorded_at_id",
        "client_edit",
        ["tenant_id", "client_id", "recorded_at", "id"],
    )
    protect("client_edit", client=True, append_only=True)
