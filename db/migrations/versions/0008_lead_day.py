"""What the lead's day adds to a cycle: activity, notice, amendments, corrections."""

import sqlalchemy as sa
from alembic import op

from db.migrations.policies import protect, unforced

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column("cycle", sa.Column("active_at", sa.DateTime(timezone=True)))
    with unforced("cycle", "transition"):
        op.execute("""
            update cycle c set active_at = coalesce(
                (select max(t.recorded_at) from transition t where t.tenant_id = c.tenant_id and t.cycle_id = c.id),
                c.opened_at
            )
        """)
    op.alter_column("cycle", "active_at", nullable=False)
    op.add_column("cycle", sa.Column("amendment_id", sa.Uuid()))
    op.add_column("cycle", sa.Column("notice_id", sa.Uuid()))
    op.add_column("visit", sa.Column("target_at", sa.DateTime(timezone=True)))
    op.add_column("transition", sa.Column("corrects", sa.Uuid()))
    op.create_table(
        "notice",
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("cycle_id", sa.Uuid(), nullable=False),
        sa.Column("given_by", sa.Text(), nullable=False),
        sa.Column("contact_id", sa.Uuid()),
        sa.Column("given_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True)),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id", "cycle_id"],
            ["cycle.tenant_id", "cycle.client_id", "cycle.id"],
            name=op.f("fk_notice_tenant_id_client_id_cycle_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id", "contact_id"],
            ["contact.tenant_id", "contact.client_id", "contact.id"],
            name=op.f("fk_notice_tenant_id_client_id_contact_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_notice")),
    )
    op.create_index(op.f("ix_notice_tenant_id_cycle_id_given_at"), "notice", ["tenant_id", "cycle_id", "given_at"])
    op.create_index(
        "uq_notice_open",
        "notice",
        ["tenant_id", "cycle_id"],
        unique=True,
        postgresql_where=sa.text("withdrawn_at is null"),
    )
    protect("notice", client=True)
    # A graduation that was undone can be made again from the same stay.
    op.drop_constraint("uq_baseline_tenant_id_cycle_id_visit_id_kpi", "baseline", type_="unique")
    op.create_unique_constraint(
        op.f("uq_baseline_tenant_id_cycle_id_visit_id_kpi_as_of"),
        "baseline",
        ["tenant_id", "cycle_id", "visit_id", "kpi", "as_of"],
    )
