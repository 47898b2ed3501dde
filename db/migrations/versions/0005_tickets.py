"""Tickets, hand-overs, escalations and their rule, and the deltas and cells from which figures are read."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

from db.migrations.policies import open_to_relay, protect

revision = "0005"
down_revision = "0004"

INSTANT = sa.DateTime(timezone=True)
SORT_KEY = sa.Text(collation="C")


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "escalation_rule",
        sa.Column("system", SORT_KEY, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", pg.JSONB(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name="fk_escalation_rule_tenant_id"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_escalation_rule"),
        sa.UniqueConstraint("tenant_id", "system", "version", name="uq_escalation_rule_tenant_id_system_version"),
    )
    op.create_table(
        "ticket_cell",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("dimension", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("grain", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("member", sa.Text(), nullable=False),
        sa.Column("tickets", sa.Integer(), nullable=False),
        sa.Column("escalated_tickets", sa.Integer(), nullable=False),
        sa.Column("escalations", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name="fk_ticket_cell_tenant_id"),
        sa.PrimaryKeyConstraint(
            "tenant_id", "dimension", "source", "grain", "client_id", "day", "member", name="pk_ticket_cell"
        ),
    )
    op.create_table(
        "ticket_import",
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("finished_at", INSTANT),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("created", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("bad_lines", sa.Integer(), nullable=False),
        sa.Column("failure", sa.Text()),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name="fk_ticket_import_tenant_id"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_ticket_import"),
    )
    op.create_index("ix_ticket_import_tenant_id_started_at_id", "ticket_import", ["tenant_id", "started_at", "id"])
    op.create_table(
        "import_error",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("column_name", sa.Text()),
        sa.Column("value", sa.Text()),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "import_id"],
            ["ticket_import.tenant_id", "ticket_import.id"],
            name="fk_import_error_tenant_id_import_id",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "import_id", "number", name="pk_import_error"),
    )
    op.create_table(
        "ticket_delta",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("client_id", sa.Uuid()),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("priority", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("tickets", sa.Integer(), nullable=False),
        sa.Column("escalated_tickets", sa.Integer(), nullable=False),
        sa.Column("escalations", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id"], ["client.tenant_id", "client.id"], name="fk_ticket_delta_tenant_id_client_id"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_ticket_delta"),
    )
    op.create_index("ix_ticket_delta_tenant_id_day", "ticket_delta", ["tenant_id", "day"])
    op.create_table(
        "unfolded_delta",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("client_id", sa.Uuid()),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("priority", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("tickets", sa.Integer(), nullable=False),
        sa.Column("escalated_tickets", sa.Integer(), nullable=False),
        sa.Column("escalations", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id"], ["client.tenant_id", "client.id"], name="fk_unfolded_delta_tenant_id_client_id"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_unfolded_delta"),
    )
    op.create_table(
        "ticket_settling",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("computed_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name="fk_ticket_settling_tenant_id"),
        sa.PrimaryKeyConstraint("tenant_id", name="pk_ticket_settling"),
    )
    op.create_table(
        "ticket",
        sa.Column("client_id", sa.Uuid()),
        sa.Column("system", SORT_KEY, nullable=False),
        sa.Column("external_id", SORT_KEY, nullable=False),
        sa.Column("client_key", SORT_KEY),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("priority", sa.Text(), nullable=False),
        sa.Column("category", sa.Text()),
        sa.Column("logged_at", INSTANT, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("resolved_at", INSTANT),
        sa.Column("closed_at", INSTANT),
        sa.Column("changed_at", INSTANT),
        sa.Column("exclusion", sa.Text()),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("cycle_id", sa.Uuid()),
        sa.Column("escalations", sa.Integer(), nullable=False),
        sa.Column("first_escalated_at", INSTANT),
        sa.Column("rule_version", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id", "cycle_id"],
            ["cycle.tenant_id", "cycle.client_id", "cycle.id"],
            name="fk_ticket_tenant_id_client_id_cycle_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id"], ["client.tenant_id", "client.id"], name="fk_ticket_tenant_id_client_id"
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name="fk_ticket_tenant_id"),
        sa.UniqueConstraint("tenant_id", "system", "external_id", name="uq_ticket_tenant_id_system_external_id"),
    )
    op.create_index(
        "ix_ticket_escalated", "ticket", ["tenant_id", "logged_at", "id"], postgresql_where=sa.text("escalations > 0")
    )
    op.create_index(
        "ix_ticket_first_escalated",
        "ticket",
        ["tenant_id", "first_escalated_at"],
        postgresql_where=sa.text("first_escalated_at is not null"),
    )
    op.create_index(
        "ix_ticket_open",
        "ticket",
        ["tenant_id", "client_id", "priority"],
        postgresql_where=sa.text("resolved_at is null and closed_at is null and exclusion is null"),
    )
    op.create_index(
        "ix_ticket_tenant_id_client_id_logged_at_id", "ticket", ["tenant_id", "client_id", "logged_at", "id"]
    )
    op.create_index("ix_ticket_tenant_id_logged_at_id", "ticket", ["tenant_id", "logged_at", "id"])
    op.create_index("ix_ticket_tenant_id_phase_logged_at_id", "ticket", ["tenant_id", "phase", "logged_at", "id"])
    op.create_index("ix_ticket_tenant_id_priority_logged_at_id", "ticket", ["tenant_id", "priority", "logged_at", "id"])
    op.create_index("ix_ticket_tenant_id_stage_logged_at_id", "ticket", ["tenant_id", "stage", "logged_at", "id"])
    op.create_index(
        "ix_ticket_unmapped",
        "ticket",
        ["tenant_id", "system", "client_key"],
        postgresql_where=sa.text("client_id is null"),
    )
    # Last of all its indexes: while a new table has no statistics all of them seem equally good, and the planner
    # takes the newest. Any other would be read whole, for every row of an import, to check a reference.
    op.create_primary_key("pk_ticket", "ticket", ["tenant_id", "id"])
    op.create_table(
        "escalation",
        sa.Column("client_id", sa.Uuid()),
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("from_team", sa.Text()),
        sa.Column("to_team", sa.Text()),
        sa.Column("from_tier", sa.Integer()),
        sa.Column("to_tier", sa.Integer()),
        sa.Column("rule_version", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id"], ["client.tenant_id", "client.id"], name="fk_escalation_tenant_id_client_id"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ticket_id"], ["ticket.tenant_id", "ticket.id"], name="fk_escalation_tenant_id_ticket_id"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_escalation"),
    )
    op.create_index("ix_escalation_tenant_id_at_id", "escalation", ["tenant_id", "at", "id"])
    op.create_index("ix_escalation_tenant_id_ticket_id_position", "escalation", ["tenant_id", "ticket_id", "position"])
    op.create_table(
        "hand_over",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("client_id", sa.Uuid()),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("team", sa.Text()),
        sa.Column("tier", sa.Integer()),
        sa.Column("reassignments", sa.Integer()),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id"], ["client.tenant_id", "client.id"], name="fk_hand_over_tenant_id_client_id"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ticket_id"], ["ticket.tenant_id", "ticket.id"], name="fk_hand_over_tenant_id_ticket_id"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "ticket_id", "position", name="pk_hand_over"),
    )

    protect("escalation_rule", append_only=True)
    # An unmapped ticket has no client: only a caller who sees every client sees it.
    for table in ("ticket", "hand_over", "escalation"):
        protect(table, client=True)
    # Nobody changes a delta; what is still to be folded stands beside it, and goes when it is.
    protect("ticket_delta", client=True, append_only=True)
    protect("unfolded_delta", client=True)
    open_to_relay("unfolded_delta", "select")
    # It fills and empties all the time: without early vacuuming readers would wade through what is gone.
    op.execute("""
        alter table unfolded_delta set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
                                        autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 2000)
    """)
    # Figures are read by short index scans; starting parallel workers would cost ten times the reading.
    op.execute("alter table unfolded_delta set (parallel_workers = 0)")
    op.execute("alter table ticket_cell set (parallel_workers = 0)")
    protect("ticket_settling")
    # The cells of all clients together carry the nil id, which is on nobody's list of clients.
    protect("ticket_cell", client=True)
    protect("ticket_import")
    protect("import_error")
