"""Where a contract stood, and whose turn it was."""

import sqlalchemy as sa
from alembic import op

from db.migrations.policies import protect, unforced

revision = "0015"
down_revision = "0014"

INSTANT = sa.DateTime(timezone=True)

# Of the past only the dates are known that the contract has itself; whose turn it was is known of the present alone.
BACKFILL = """
    insert into contract_turn (tenant_id, client_id, contract_id, position, status, waiting_on, at, recorded_at)
    select k.tenant_id, k.client_id, k.id,
           row_number() over (partition by k.tenant_id, k.id order by turn.place),
           turn.status,
           case when turn.status = k.status and k.status not in ('SIGNED', 'ENDED') then k.waiting_on end,
           turn.at, turn.at
    from contract k
    cross join lateral (values
        (1, 'DRAFT', case when k.status = 'DRAFT'
                            or k.created_at < coalesce(k.sent_at, k.signed_at, k.ended_at) then k.created_at end),
        (2, 'SENT', k.sent_at),
        (3, 'NEGOTIATING', case when k.status = 'NEGOTIATING' then coalesce(k.sent_at, k.created_at) end),
        (4, 'SIGNED', k.signed_at),
        (5, 'ENDED', case when k.status = 'ENDED' then coalesce(k.ended_at, k.created_at) end)
    ) as turn(place, status, at)
    where turn.at is not null
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "contract_turn",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("waiting_on", sa.Text()),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "contract_id", "position", name="pk_contract_turn"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "client_id", "contract_id"],
            ["contract.tenant_id", "contract.client_id", "contract.id"],
            name="fk_contract_turn_tenant_id_client_id_contract_id",
            onupdate="CASCADE",
        ),
    )
    op.create_index("ix_contract_turn_tenant_id_client_id", "contract_turn", ["tenant_id", "client_id"])
    with unforced("contract"):
        op.execute(BACKFILL)
    protect("contract_turn", client=True, append_only=True)
