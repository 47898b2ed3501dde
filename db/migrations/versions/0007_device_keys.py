"""Keys of devices count within their client, so that they tell nobody of another client's."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_index(
        "uq_external_ref_client",
        "external_ref",
        ["tenant_id", "system", "key"],
        unique=True,
        postgresql_where=sa.text("kind = 'CLIENT'"),
    )
    op.drop_constraint("pk_external_ref", "external_ref", type_="primary")
    op.create_primary_key("pk_external_ref", "external_ref", ["tenant_id", "kind", "system", "key", "client_id"])
