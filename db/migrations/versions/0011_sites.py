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
    _amendment()
    op.create_foreign_key(
        "fk_cycle_tenant_id_client_id_contract_id_amendment_id",
        "cycle",
        "amendment",
        ["tenant_id", "client_id", "contract_id", "amendment_id"],
        ["tenant_id", "client_id", "contract_id", "id"],
    )


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
        sa.UniqueConstraint("tenant_id", "client_id", "id", name="uq_site_tenant_id_client_id_id"),
    )
    op.create_index("ix_site_tenant_id_client_id_name_key_id", "site", ["tenant_id", "client_id", "name_key", "id"])
    protect("site", client=True)


def _amendment() -> None:
    op.create_table(
        "amendment",
        *_of_client(),
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("starts_on", sa.Date()),
        sa.Column("ends_on", sa.Date()),
        sa.Column("scope_added", pg.ARRAY(sa.Text()), nullable=False),
        sa.Column("scope_removed", pg.ARRAY(sa.Text()), nullable=False),
        sa.Column("seats", sa.Integer()),
        sa.Column("seats_delta", sa.Integer()),
        sa.Column("site_id", sa.Uuid()),
        sa.Column("service_id", sa.Uuid()),
        sa.Column("note", sa.Text()),
        sa.Column("sent_at", INSTANT),
        sa.Column("signed_at", INSTANT),
        sa.Column("ended_at", INSTANT),
        *_changing("amendment"),
        sa.UniqueConstraint(
            "tenant_id", "client_id", "contract_id", "id", name="uq_amendment_tenant_id_client_id_contract_id_id"
        ),
        sa.UniqueConstraint("tenant_id", "contract_id", "number", name="uq_amendment_tenant_id_contract_id_number"),
    )
    for column, target in (("contract_id", "contract"), ("site_id", "site"), ("service_id", "service")):
        _refer("amendment", target, column)
    protect("amendment", client=True)


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
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id"], ["client.tenant_id", "client.id"], name=f"fk_{table}_tenant_id_client_id"
        ),
    ]


def _refer(source: str, target: str, column: str) -> None:
    """Let rows of a client name another row of the same client."""
    here = ["tenant_id", "client_id", column]
    op.create_foreign_key(f"fk_{source}_{'_'.join(here)}", source, target, here, ["tenant_id", "client_id", "id"])
