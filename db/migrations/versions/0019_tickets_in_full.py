"""Tickets in full: who has them, waits, resolutions, agreements and agents, and the facts kept of them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

from db.migrations.policies import protect

revision = "0019"
down_revision = "0018"

INSTANT = sa.DateTime(timezone=True)
SORT_KEY = sa.Text(collation="C")

NEW_FACTS = (
    *("escalated_hierarchical", "escalated_sla", "escalated_vendor"),
    *("escalations_hierarchical", "escalations_sla", "escalations_vendor"),
    *("backlog", "open_incidents", "resolved", "reopened", "first_contact"),
    *("sla_met", "sla_decided", "response_sla_met", "response_sla_decided"),
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "ticket_term",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("system", SORT_KEY),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name="fk_ticket_term_tenant_id"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_ticket_term"),
        sa.UniqueConstraint("tenant_id", "kind", "key", name="uq_ticket_term_tenant_id_kind_key"),
    )
    protect("ticket_term")
    _extend_tickets()
    op.add_column("hand_over", sa.Column("agent_id", sa.Uuid()))
    op.add_column("escalation", sa.Column("reason", sa.Text()))
    _extend_figures()
    _times()
    # Figures of moves read those of their period, however many there were before.
    op.create_index("ix_transition_tenant_id_effective_at", "transition", ["tenant_id", "effective_at"])


def _extend_tickets() -> None:
    for name in ("category_id", "team_id", "agent_id", "site_id", "device_id"):
        op.add_column("ticket", sa.Column(name, sa.Uuid()))
    for name in ("site_key", "device_key", "merged_into"):
        op.add_column("ticket", sa.Column(name, SORT_KEY))
    for name in ("title", "response_sla", "resolution_sla"):
        op.add_column("ticket", sa.Column(name, sa.Text()))
    for name in ("first_responded_at", "first_ended_at", "ended_at"):
        op.add_column("ticket", sa.Column(name, INSTANT))
    for name in ("response_due_at", "response_decided_at", "resolution_due_at", "resolution_decided_at"):
        op.add_column("ticket", sa.Column(name, INSTANT))
    for name in ("tier", "response_minutes", "resolve_minutes"):
        op.add_column("ticket", sa.Column(name, sa.Integer()))
    op.add_column("ticket", sa.Column("first_contact", sa.Boolean()))
    op.add_column("ticket", sa.Column("course", pg.JSONB()))
    _needed("ticket", sa.Column("times_reopened", sa.Integer(), nullable=False, server_default="0"))
    _needed("ticket", sa.Column("client_pinned", sa.Boolean(), nullable=False, server_default="false"))
    op.create_foreign_key(
        "fk_ticket_tenant_id_device_id", "ticket", "device", ["tenant_id", "device_id"], ["tenant_id", "id"]
    )
    op.create_foreign_key(
        "fk_ticket_tenant_id_site_id", "ticket", "site", ["tenant_id", "site_id"], ["tenant_id", "id"]
    )
    op.create_index(
        "ix_ticket_course",
        "ticket",
        ["first_ended_at", "ended_at", "first_responded_at", "resolution_decided_at", "response_decided_at"],
        postgresql_using="brin",
    )
    op.create_index(
        "ix_ticket_due",
        "ticket",
        ["tenant_id", "resolution_due_at"],
        postgresql_where=sa.text(
            "resolution_sla is null and resolution_due_at is not null "
            "and resolved_at is null and closed_at is null and exclusion is null"
        ),
    )
    op.create_index(
        "ix_ticket_response_due",
        "ticket",
        ["tenant_id", "response_due_at"],
        postgresql_where=sa.text("response_sla is null and response_due_at is not null and first_responded_at is null"),
    )


def _extend_figures() -> None:
    for table in ("ticket_delta", "unfolded_delta"):
        _needed(table, sa.Column("kind", sa.Text(), nullable=False, server_default="UNKNOWN"))
        for name in ("category_id", "team_id", "agent_id", "site_id"):
            op.add_column(table, sa.Column(name, sa.Uuid()))
    for table in ("ticket_delta", "unfolded_delta", "ticket_cell"):
        for name in NEW_FACTS:
            _needed(table, sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
    op.create_index("ix_ticket_delta_tenant_id_client_id_day", "ticket_delta", ["tenant_id", "client_id", "day"])


def _times() -> None:
    op.create_table(
        "ticket_time",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("measure", sa.Text(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("client_id", sa.Uuid()),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("priority", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("category_id", sa.Uuid()),
        sa.Column("team_id", sa.Uuid()),
        sa.Column("agent_id", sa.Uuid()),
        sa.Column("site_id", sa.Uuid()),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id"], ["client.tenant_id", "client.id"], name="fk_ticket_time_tenant_id_client_id"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_ticket_time"),
    )
    op.create_index("ix_ticket_time_of_client", "ticket_time", ["tenant_id", "client_id", "measure", "day"])
    op.create_index(
        "ix_ticket_time_read",
        "ticket_time",
        ["tenant_id", "measure", "day"],
        postgresql_include=["minutes", "amount", "source", "kind"],
    )
    protect("ticket_time", client=True, append_only=True)


def _needed(table: str, column: sa.Column[object]) -> None:
    """Add a column that must hold something; what is there already gets what the default says, and nothing later."""
    op.add_column(table, column)
    op.alter_column(table, column.name, server_default=None)
