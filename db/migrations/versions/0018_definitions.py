"""Who made a definition, why, and on which version before it."""

import sqlalchemy as sa
from alembic import op

from db.session import APP_ROLE

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    # A default reaches the rows of every tenant, past the policies that hide them from an update.
    made_by_us = sa.text("'SYSTEM'"), sa.text("'00000000-0000-0000-0000-000000000000'")
    op.add_column("definition", sa.Column("author_kind", sa.Text(), nullable=False, server_default=made_by_us[0]))
    op.add_column("definition", sa.Column("author_id", sa.Uuid(), nullable=False, server_default=made_by_us[1]))
    op.alter_column("definition", "author_kind", server_default=None)
    op.alter_column("definition", "author_id", server_default=None)
    op.add_column("definition", sa.Column("note", sa.Text()))
    # As with its body: what was said can be taken back where it names somebody.
    op.execute(f"grant update (note) on definition to {APP_ROLE}")
    op.add_column("definition", sa.Column("based_on", sa.Integer()))
    op.create_index(
        "ix_cycle_open_definition",
        "cycle",
        ["tenant_id", "definition_id"],
        postgresql_where=sa.text("ended_at is null"),
    )
