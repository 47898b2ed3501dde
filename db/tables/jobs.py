"""Tables of jobs: each with its bad lines, what came of every row, and its file until it is done."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, LargeBinary, PrimaryKeyConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import INSTANT, Base, OfTenant


def _of_job() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["tenant_id", "job_id"], ["job.tenant_id", "job.id"])


class JobRow(OfTenant, Base):
    """One job: what it is to do, how far it is, and what came of it."""

    __tablename__ = "job"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id"], ["tenant.id"]),
        Index(None, "tenant_id", "created_at", "id"),
        Index("ix_job_due", "due_at", postgresql_where=text("due_at is not null")),
    )

    kind: Mapped[str]
    status: Mapped[str]
    parameters: Mapped[dict[str, object]] = mapped_column(JSONB)
    file_name: Mapped[str | None]
    requested_by_kind: Mapped[str]
    requested_by: Mapped[UUID]
    token_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(INSTANT)
    local: Mapped[bool]
    started_at: Mapped[datetime | None] = mapped_column(INSTANT)
    finished_at: Mapped[datetime | None] = mapped_column(INSTANT)
    cancel_asked_at: Mapped[datetime | None] = mapped_column(INSTANT)
    done: Mapped[int] = mapped_column(BigInteger)
    total: Mapped[int | None] = mapped_column(BigInteger)
    place: Mapped[object | None] = mapped_column(JSONB(none_as_null=True))
    counts: Mapped[dict[str, object]] = mapped_column(JSONB)
    error_count: Mapped[int]
    result_count: Mapped[int]
    failure: Mapped[str | None]
    attempts: Mapped[int]
    runner: Mapped[UUID | None]
    due_at: Mapped[datetime | None] = mapped_column(INSTANT)
    upload: Mapped[UUID | None]
    version: Mapped[int]


class JobErrorRow(Base):
    """One bad line of a job: where, what stood there, and why it could not go in."""

    __tablename__ = "job_error"
    __table_args__ = (PrimaryKeyConstraint("tenant_id", "job_id", "number"), _of_job())

    tenant_id: Mapped[UUID]
    job_id: Mapped[UUID]
    number: Mapped[int]
    line: Mapped[int]
    column_name: Mapped[str | None]
    value: Mapped[str | None]
    reason: Mapped[str]


class JobResultRow(Base):
    """What became of one row of a job, where its kind tells that: ids and codes, no words."""

    __tablename__ = "job_result"
    __table_args__ = (PrimaryKeyConstraint("tenant_id", "job_id", "number"), _of_job())

    tenant_id: Mapped[UUID]
    job_id: Mapped[UUID]
    number: Mapped[int]
    body: Mapped[dict[str, object]] = mapped_column(JSONB)


class UploadChunkRow(Base):
    """A piece of a job's file; every attempt at uploading it has its own pieces."""

    __tablename__ = "upload_chunk"
    __table_args__ = (PrimaryKeyConstraint("tenant_id", "job_id", "upload", "number"), _of_job())

    tenant_id: Mapped[UUID]
    job_id: Mapped[UUID]
    upload: Mapped[UUID]
    number: Mapped[int]
    content: Mapped[bytes] = mapped_column(LargeBinary)
