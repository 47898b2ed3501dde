"""What people do with tickets here: numbers of our own, what a person decided, and an index for each filter."""

import sqlalchemy as sa
from alembic import op

from db.migrations.policies import protect

revision = "0024"
down_revision = "0023"

OPEN = "resolved_at is null and closed_at is null and exclusion is null"

BY_LOGGING = {
    "ix_ticket_kind": (["kind"], None),
    "ix_ticket_category": (["category_id"], "category_id is not null"),
    "ix_ticket_team": (["team_id"], "team_id is not null"),
    "ix_ticket_agent": (["agent_id"], "agent_id is not null"),
    "ix_ticket_tier": (["tier"], "tier is not null"),
    "ix_ticket_site": (["site_id"], "site_id is not null"),
    "ix_ticket_device": (["device_id"], "device_id is not null"),
    "ix_ticket_open_logged": ([], OPEN),
    "ix_ticket_waiting": ([], f"waiting and {OPEN}"),
    "ix_ticket_reopened": ([], "times_reopened > 0"),
    "ix_ticket_missed": ([], "resolution_sla = 'MISSED' or response_sla = 'MISSED'"),
    "ix_ticket_excluded": ([], "exclusion is not null"),
}


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column("ticket", sa.Column("exclusion_pinned", sa.Boolean(), nullable=False, server_default="false"))
    op.alter_column("ticket", "exclusion_pinned", server_default=None)
    for name, (columns, where) in BY_LOGGING.items():
        op.create_index(
            name,
            "ticket",
            ["tenant_id", *columns, "logged_at", "id"],
            postgresql_where=None if where is None else sa.text(where),
        )
    op.create_index("ix_ticket_recorded", "ticket", ["tenant_id", "recorded_at", "id"])
    op.create_index(
        "ix_ticket_overdue",
        "ticket",
        ["tenant_id", "resolution_due_at"],
        postgresql_where=sa.text(f"resolution_due_at is not null and {OPEN}"),
    )
    op.drop_index("ix_ticket_unmapped", "ticket")
    op.create_index(
        "ix_ticket_unmapped",
        "ticket",
        ["tenant_id", "system", "client_key", "logged_at"],
        postgresql_where=sa.text("client_id is null"),
    )
    op.create_index("ix_escalation_kind", "escalation", ["tenant_id", "kind", "ticket_id"])
    _numbers()


def _numbers() -> None:
    op.create_table(
        "ticket_number",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name="fk_ticket_number_tenant_id"),
        sa.PrimaryKeyConstraint("tenant_id", name="pk_ticket_number"),
    )
    protect("ticket_number")
