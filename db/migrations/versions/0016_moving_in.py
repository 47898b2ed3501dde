"""Existing clients brought in: imports are of tickets or of clients."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.rename_table("ticket_import", "import_run")
    op.execute("alter table import_run rename constraint pk_ticket_import to pk_import_run")
    op.execute("alter table import_run rename constraint fk_ticket_import_tenant_id to fk_import_run_tenant_id")
    op.execute("alter index ix_ticket_import_tenant_id_started_at_id rename to ix_import_run_tenant_id_started_at_id")
    op.add_column("import_run", sa.Column("kind", sa.Text(), nullable=False, server_default="TICKETS"))
    op.alter_column("import_run", "kind", server_default=None)
