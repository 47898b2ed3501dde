"""Clients merged and discarded."""

import sqlalchemy as sa
from alembic import op

from db.session import APP_ROLE

revision = "0013"
down_revision = "0012"

MOVING_ALONG = (
    ("amendment", "contract"),
    ("calendar", "contract"),
    ("calendar", "site"),
    ("contact", "site"),
    ("device", "site"),
    ("discovery_run", "site"),
    ("service", "site"),
    ("service_device", "device"),
    ("service_device", "service"),
)
"""Rows of one client that refer to each other: a merge moves one table after the other, and checks them at last."""

HISTORY = (("amendment", "service"), ("amendment", "site"), ("notice", "contact"))
"""What stays with a merged client, and names what goes over to the other."""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column("client", sa.Column("merged_into", sa.Uuid()))
    op.add_column("client", sa.Column("merged_at", sa.DateTime(timezone=True)))
    op.add_column("client", sa.Column("merge_reason", sa.Text()))
    op.create_foreign_key(
        "fk_client_tenant_id_merged_into",
        "client",
        "client",
        ["tenant_id", "merged_into"],
        ["tenant_id", "id"],
    )
    op.create_index(
        "ix_client_merged_into",
        "client",
        ["tenant_id", "merged_into"],
        postgresql_where=sa.text("merged_into is not null"),
    )
    op.add_column(
        "contact",
        sa.Column("email_domain", sa.Text(), sa.Computed("lower(split_part(email, '@', 2))", persisted=True)),
    )
    op.create_index(
        "ix_contact_email_domain",
        "contact",
        ["tenant_id", "email_domain"],
        postgresql_where=sa.text("email_domain is not null"),
    )
    op.create_index(
        "ix_device_serial", "device", ["tenant_id", "serial"], postgresql_where=sa.text("serial is not null")
    )
    for table, other in MOVING_ALONG:
        name = f"fk_{table}_tenant_id_client_id_{other}_id"
        op.execute(f"alter table {table} alter constraint {name} deferrable initially immediate")
    for table, other in HISTORY:
        op.drop_constraint(f"fk_{table}_tenant_id_client_id_{other}_id", table, type_="foreignkey")
        name = f"fk_{table}_tenant_id_{other}_id"
        op.create_foreign_key(name, table, other, ["tenant_id", f"{other}_id"], ["tenant_id", "id"])
    # Who edited what goes along with what was edited; what they did stays as it was written.
    op.execute(f"grant update (client_id) on client_edit to {APP_ROLE}")
