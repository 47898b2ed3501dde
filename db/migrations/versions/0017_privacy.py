"""Erasures and retention."""

import sqlalchemy as sa
from alembic import op

from db.migrations.policies import protect
from db.session import APP_ROLE

revision = "0017"
down_revision = "0016"

INSTANT = sa.DateTime(timezone=True)

WORDS_OF_APPEND_ONLY = {
    "definition": ("body",),
    "planned_date": ("reason",),
    "transition": ("gates", "reason"),
}
"""What was said can be taken back where it names somebody; what was done cannot."""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for table in ("client", "contact", "member"):
        op.add_column(table, sa.Column("erased_at", INSTANT))
    op.create_table(
        "privacy_record",
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("texts", sa.Integer(), nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Uuid()),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name="fk_privacy_record_tenant_id"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_privacy_record"),
    )
    op.create_index("ix_privacy_record_recorded", "privacy_record", ["tenant_id", "recorded_at", "id"])
    op.create_index("ix_privacy_record_subject", "privacy_record", ["tenant_id", "subject_id"])
    protect("privacy_record", append_only=True)
    for table, columns in WORDS_OF_APPEND_ONLY.items():
        op.execute(f"grant update ({', '.join(columns)}) on {table} to {APP_ROLE}")
