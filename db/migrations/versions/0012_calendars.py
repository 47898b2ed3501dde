"""Calendars of providers, sites and contracts, in every version."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from db.migrations.policies import protect

revision = "0012"
down_revision = "0011"

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "calendar",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid()),
        sa.Column("site_id", sa.Uuid()),
        sa.Column("contract_id", sa.Uuid()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", JSONB()),
        sa.Column("valid_from", INSTANT, nullable=False),
        sa.Column("valid_to", INSTANT),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_calendar"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name="fk_calendar_tenant_id"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id"], ["client.tenant_id", "client.id"], name="fk_calendar_tenant_id_client_id"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id", "site_id"],
            ["site.tenant_id", "site.client_id", "site.id"],
            name="fk_calendar_tenant_id_client_id_site_id",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id", "contract_id"],
            ["contract.tenant_id", "contract.client_id", "contract.id"],
            name="fk_calendar_tenant_id_client_id_contract_id",
        ),
        sa.UniqueConstraint(
            "tenant_id",
            "site_id",
            "contract_id",
            "version",
            name="uq_calendar_tenant_id_site_id_contract_id_version",
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index(
        "ix_calendar_in_force", "calendar", ["tenant_id", "client_id"], postgresql_where=sa.text("valid_to is null")
    )
    protect("calendar", client=True)
