"""Escalation rules as versions that say who made each and why, and an index of what an agreement makes due."""

import sqlalchemy as sa
from alembic import op

from db.migrations.policies import open_to_relay
from db.session import APP_ROLE

revision = "0023"
down_revision = "0022"

WAITING = "coalesce(course -> 'waits' -> -1 -> 1 = 'null'::jsonb, false)"
DUE = """resolution_sla is null and resolution_due_at is not null
    and resolved_at is null and closed_at is null and exclusion is null
    and not waiting"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column("escalation_rule", sa.Column("author_kind", sa.Text()))
    op.add_column("escalation_rule", sa.Column("author_id", sa.Uuid()))
    op.add_column("escalation_rule", sa.Column("note", sa.Text()))
    op.add_column("escalation_rule", sa.Column("applied_at", sa.DateTime(timezone=True)))
    # A rule stays as it was made: it is noted when all tickets had been gone through, and words can be taken back.
    op.execute(f"grant update (applied_at, body, note) on escalation_rule to {APP_ROLE}")
    # Tickets that wait for somebody else are not due, and must not stand in the way of those that are.
    op.add_column("ticket", sa.Column("waiting", sa.Boolean(), sa.Computed(WAITING, persisted=True), nullable=False))
    op.drop_index("ix_ticket_due", "ticket")
    op.create_index(
        "ix_ticket_due", "ticket", ["tenant_id", "resolution_due_at"], postgresql_where=sa.text(DUE.replace("\n", " "))
    )
    # The upkeep asks every second whose tickets are due: of those it may see that they are, and nothing else.
    open_to_relay(
        "ticket",
        "select (tenant_id, response_due_at, response_sla, first_responded_at, resolution_due_at, resolution_sla,"
        " resolved_at, closed_at, exclusion, waiting)",
    )
