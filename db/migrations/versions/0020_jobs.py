"""Jobs: every import is one, with its bad lines, and its file while it is needed."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from db.migrations.policies import open_to_relay, protect, unforced

revision = "0020"
down_revision = "0019"

INSTANT = sa.DateTime(timezone=True)

CARRIED_OVER = """
    update job set
        kind = case kind when 'CLIENTS' then 'CLIENT_IMPORT' else 'TICKET_IMPORT' end,
        status = case status when 'DONE' then 'DONE' else 'FAILED' end,
        failure = coalesce(failure, case status when 'DONE' then null else 'The import was cut off.' end),
        finished_at = coalesce(finished_at, created_at),
        started_at = created_at,
        local = true,
        parameters = jsonb_build_object('system', system),
        counts = jsonb_build_object('CREATED', created, 'CHANGED', changed, 'UNCHANGED', unchanged)
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    _imports_become_jobs()
    _errors_become_theirs()
    _table_of_job("job_result", sa.Column("body", postgresql.JSONB(), nullable=False))
    _table_of_job(
        "upload_chunk",
        sa.Column("upload", sa.Uuid(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
    )
    # What comes packed is not packed again, and what comes plain is soon gone.
    op.execute("alter table upload_chunk alter column content set storage external")


def _imports_become_jobs() -> None:
    op.rename_table("import_run", "job")
    op.execute("alter table job rename constraint pk_import_run to pk_job")
    op.execute("alter table job rename constraint fk_import_run_tenant_id to fk_job_tenant_id")
    op.execute("alter table job rename column started_at to created_at")
    op.execute("alter table job rename column bad_lines to error_count")
    op.execute("alter index ix_import_run_tenant_id_started_at_id rename to ix_job_tenant_id_created_at_id")
    empty, zero = sa.text("'{}'"), sa.text("0")
    for column, initial in (
        (sa.Column("parameters", postgresql.JSONB(), nullable=False), empty),
        (sa.Column("requested_by_kind", sa.Text(), nullable=False), sa.text("'SYSTEM'")),
        (sa.Column("token_id", sa.Uuid()), None),
        (sa.Column("local", sa.Boolean(), nullable=False), sa.text("false")),
        (sa.Column("started_at", INSTANT), None),
        (sa.Column("cancel_asked_at", INSTANT), None),
        (sa.Column("done", sa.BigInteger(), nullable=False), zero),
        (sa.Column("total", sa.BigInteger()), None),
        (sa.Column("place", postgresql.JSONB()), None),
        (sa.Column("counts", postgresql.JSONB(), nullable=False), empty),
        (sa.Column("result_count", sa.Integer(), nullable=False), zero),
        (sa.Column("attempts", sa.Integer(), nullable=False), zero),
        (sa.Column("runner", sa.Uuid()), None),
        (sa.Column("due_at", INSTANT), None),
        (sa.Column("upload", sa.Uuid()), None),
        (sa.Column("version", sa.Integer(), nullable=False), sa.text("1")),
    ):
        column.server_default = None if initial is None else sa.DefaultClause(initial)
        op.add_column("job", column)
        if initial is not None:
            op.alter_column("job", column.name, server_default=None)
    with unforced("job"):
        op.execute(CARRIED_OVER)
    for column_name in ("system", "line", "created", "changed", "unchanged"):
        op.drop_column("job", column_name)
    op.alter_column("job", "file_name", nullable=True)
    op.create_index("ix_job_due", "job", ["due_at"], postgresql_where=sa.text("due_at is not null"))
    open_to_relay("job", "select")


def _errors_become_theirs() -> None:
    op.rename_table("import_error", "job_error")
    op.execute("alter table job_error rename column import_id to job_id")
    op.execute("alter table job_error rename constraint pk_import_error to pk_job_error")
    op.execute("""
        alter table job_error rename constraint fk_import_error_tenant_id_import_id to fk_job_error_tenant_id_job_id
    """)


def _table_of_job(table: str, *columns: sa.Column[Any]) -> None:
    keyed = [column.name for column in columns if column.name == "upload"]
    op.create_table(
        table,
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        *columns,
        sa.Column("number", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "job_id"], ["job.tenant_id", "job.id"], name=f"fk_{table}_tenant_id_job_id"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "job_id", *keyed, "number", name=f"pk_{table}"),
    )
    protect(table)
