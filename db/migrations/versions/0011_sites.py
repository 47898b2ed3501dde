"""Sites, what may name one, and amendments of contracts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

from db.migrations.policies import protect

revision = "0011"
down_revision = "0010"

INSTANT = sa.DateTime(timezone=True)
SORT_KEY = sa.Text(collation="C")
AT_A_SITE = ("contact", "device", "service", "discovery_run")


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    _site()
    for table in AT_A_SITE:
        op.add_column(table, sa.Column("site_id", sa.Uuid()))
        _refer(table, "site", "site_id")


def _site() -> None:
    op.create_table(
        "site",
        *_of_client(),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", SORT_KEY, nullable=False),
        sa.Column("street", sa.Text()),
        sa.Column("postcode", sa.Text()),
        sa.Column("city", sa.Text()),
        sa.Column("country", sa.Text()),
        sa.Column("zone", sa.Text()),
        sa.Column("archived_at", INSTANT),
        *_changing("site"),
    )
    op.create_index("ix_site_tenant_id_client_id_name_key_id", "site", ["tenant_id", "client_id", "name_key", "id"])
    protect("site", client=True)


def _of_client() -> list[sa.Column[object]]:
    return [
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
    ]


def _changing(table: str) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=f"pk_{table}"),
        sa.UniqueConstraint("tenant_id", "client_id", "id", name=f"uq_{table}_tenant_id_client_id_id"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id"], ["client.tenant_id", "client.id"], name=f"fk_{table}_tenant_id_client_id"
        ),
    ]


def _refer(source: str, target: str, column: str) -> None:
    """Let rows of a client name another row of the same client."""
    here = ["tenant_id", "client_id", column]
    op.create_foreign_key(f"fk_{source}_{'_'.join(here)}", source, target, here, ["tenant_id", "client_id", "id"])
