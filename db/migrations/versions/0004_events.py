"""Events: the log that readers follow, a counter for each tenant, and the epochs of the feed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

from db.migrations.policies import open_to_relay, protect
from db.session import APP_ROLE, RELAY_ROLE

revision = "0004"
down_revision = "0003"

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "event_counter",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.Column("oldest_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name="pk_event_counter"),
    )
    op.create_table(
        "event_log",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("client_id", sa.Uuid()),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("body", pg.JSONB(), nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("numbered_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "seq", name="pk_event_log"),
    )
    op.create_index("uq_event_log_position", "event_log", ["position"], unique=True)
    protect("event_counter")
    # An event that is about no single client is seen only by those who see every client.
    protect("event_log", client=True)
    for table in ("event_counter", "event_log"):
        op.execute(f"revoke insert, update, delete on {table} from {APP_ROLE}")
    open_to_relay("event_counter", "select, insert, update")
    open_to_relay("event_log", "select, insert, delete")
    op.create_table(
        "feed_epoch",
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("epoch", name="pk_feed_epoch"),
    )
    op.execute(f"grant select on feed_epoch to {APP_ROLE}, {RELAY_ROLE}")
    op.execute(f"grant insert on feed_epoch to {RELAY_ROLE}")
    # pg_control_checkpoint() would learn of a new timeline only at the next checkpoint; the WAL's own name
    # tells at once. The log's oid tells of a dump that was restored within one and the same server.
    op.execute("""
        create function feed_origin() returns text language sql stable as $$
            select s.system_identifier || '/' || left(pg_walfile_name(pg_current_wal_lsn()), 8)
                   || '/' || 'event_log'::regclass::oid
            from pg_control_system() s
        $$
    """)
    op.execute("insert into feed_epoch values (extract(epoch from now())::bigint, feed_origin(), now())")
