"""Jobs: long work that a worker does by itself, told while it goes on, and kept with what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

from domain.access import Principal, PrincipalKind, Scope
from domain.errors import ForbiddenError
from domain.ids import IdKind, public

ATTEMPTS_MOST = 3
"""How often a job is taken up without getting any further before it is set aside."""


class JobUnit(StrEnum):
    """In what the progress of a job is counted."""

    BYTES = "BYTES"
    TICKETS = "TICKETS"


class JobKind(StrEnum):
    """What a job does: the scopes that it takes to start and to stop one, the one to see it, and its unit."""

    starts: tuple[Scope, ...]
    reads: Scope
    unit: JobUnit

    def __new__(cls, value: str, starts: tuple[Scope, ...], reads: Scope, unit: JobUnit) -> Self:
        """Make a member that carries its whole definition."""
        kind = str.__new__(cls, value)
        kind._value_ = value
        kind.starts, kind.reads, kind.unit = starts, reads, unit
        return kind

    TICKET_IMPORT = "TICKET_IMPORT", (Scope.TICKETS_WRITE,), Scope.TICKETS_READ, JobUnit.BYTES
    CLIENT_IMPORT = "CLIENT_IMPORT", (Scope.ONBOARDING_END, Scope.CLIENTS_WRITE), Scope.CLIENTS_READ, JobUnit.BYTES
    TICKET_REDERIVATION = "TICKET_REDERIVATION", (Scope.POLICIES_WRITE,), Scope.TICKETS_READ, JobUnit.TICKETS

    def allow(self, principal: Principal) -> None:
        """Let whoever may start such a job pass.

        Raises:
            ForbiddenError: a scope is missing.
        """
        for scope in self.starts:
            principal.require(scope)


class JobStatus(StrEnum):
    """How a job stands."""

    UPLOADING = "UPLOADING"
    """Its file is still to come."""
    QUEUED = "QUEUED"
    """A worker will take it up."""
    RUNNING = "RUNNING"
    DONE = "DONE"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def ended(self) -> bool:
        """Whether nothing more will become of it."""
        return self in (JobStatus.DONE, JobStatus.FAILED, JobStatus.CANCELLED)


class JobCount(StrEnum):
    """What is counted of what a job has done."""

    CREATED = "CREATED"
    CHANGED = "CHANGED"
    UNCHANGED = "UNCHANGED"
    JOINED = "JOINED"
    REFUSED = "REFUSED"
    CLIENTS_CREATED = "CLIENTS_CREATED"


@dataclass(frozen=True, slots=True)
class JobError:
    """One bad line of a job, by its number among them: where it is, what stood there, and why it could not go in."""

    job_id: UUID
    number: int
    line: int
    column: str | None
    value: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Job:
    """One job.

    `parameters` and `place` are in its runner's own terms: what it is to do, and behind what it goes on when it is
    taken up again. `due_at` is when a worker next has something to do with it: to take it up, to take it from a worker
    that was killed, to give up waiting for its file, or to clear that away. A `local` job is run by the program that
    began it, such as the command line's, and by no worker.
    """

    id: UUID
    kind: JobKind
    status: JobStatus
    parameters: Mapping[str, Any]
    file_name: str | None
    requested_by_kind: PrincipalKind
    requested_by: UUID
    token_id: UUID | None
    created_at: datetime
    local: bool = False
    started_at: datetime | None = None
    finished_at: datetime | None = None
    cancel_asked_at: datetime | None = None
    done: int = 0
    total: int | None = None
    place: Any = None
    counts: Mapping[str, int] = field(default_factory=dict)
    error_count: int = 0
    result_count: int = 0
    failure: str | None = None
    attempts: int = 0
    runner: UUID | None = None
    due_at: datetime | None = None
    upload: UUID | None = None
    version: int = 1

    @property
    def unit(self) -> JobUnit:
        """In what `done` and `total` are counted."""
        return self.kind.unit

    @property
    def public_id(self) -> str:
        """The id as people see it."""
        return public(IdKind.JOB, self.id)

    @property
    def requested_by_member(self) -> UUID | None:
        """The member who asked for it; `None` where a program or the product itself did."""
        return self.requested_by if self.requested_by_kind is PrincipalKind.PERSON else None

    @property
    def client(self) -> UUID | None:
        """The one client that all of it is about, if there is one."""
        named = self.parameters.get("client")
        return UUID(named) if isinstance(named, str) else None

    def seen_by(self, principal: Principal) -> bool:
        """Tell whether the caller may see it: it is theirs, or they may see all that such jobs are about."""
        if principal.id == self.requested_by:
            return True
        return principal.clients is None and principal.has(self.kind.reads)

    def changed_by(self, principal: Principal) -> None:
        """Let whoever may upload its file or stop it pass: whoever might have started it, for all clients or their own.

        Raises:
            ForbiddenError: they may not.
        """
        self.kind.allow(principal)
        if principal.id != self.requested_by and principal.clients is not None:
            raise ForbiddenError("Somebody else started this job; only who sees every client may change it.")

    @property
    def awaits_file(self) -> bool:
        """Whether a file may come, in place of one that came before: until a worker has begun with it."""
        if self.local or self.started_at is not None or self.kind.unit is not JobUnit.BYTES:
            return False
        return self.status in (JobStatus.UPLOADING, JobStatus.QUEUED)

    def awaiting(self, upload: UUID, until: datetime) -> "Job":
        """Return the job as it waits for the rest of an upload."""
        waiting = replace(self, status=JobStatus.UPLOADING, upload=upload, due_at=until, total=None)
        return replace(waiting, version=self.version + 1)

    def uploaded(self, size: int, now: datetime) -> "Job":
        """Return the job with its whole file of so many bytes, for a worker to take up."""
        return replace(self, status=JobStatus.QUEUED, total=size, due_at=now, version=self.version + 1)

    def taken(self, runner: UUID, until: datetime, now: datetime) -> "Job":
        """Return the job as a worker has taken it up, until its lease ends."""
        return replace(
            self,
            status=JobStatus.RUNNING,
            runner=runner,
            due_at=until,
            started_at=self.started_at or now,
            attempts=self.attempts + 1,
            version=self.version + 1,
        )

    def left(self, due_at: datetime) -> "Job":
        """Return the job as a worker has left it to whoever takes it up next."""
        return replace(self, status=JobStatus.QUEUED, runner=None, due_at=due_at, version=self.version + 1)

    def asked_to_stop(self, now: datetime) -> "Job":
        """Return a running job that its runner is to end after its batch."""
        return replace(self, cancel_asked_at=self.cancel_asked_at or now, version=self.version + 1)

    def ended(self, status: JobStatus, now: datetime, failure: str | None = None) -> "Job":
        """Return the job at its end; where it had a file, a worker is to clear that away."""
        return replace(
            self,
            status=status,
            failure=failure,
            runner=None,
            finished_at=now,
            due_at=now if self.upload else None,
            version=self.version + 1,
        )

    def cleared(self) -> "Job":
        """Return an ended job of whose file nothing is left."""
        return replace(self, upload=None, due_at=None)


def visible_to(principal: Principal) -> tuple[str, ...]:
    """Return by what the jobs are known that a caller may see: their kinds, and the caller's own id."""
    kinds = [kind.value for kind in JobKind if principal.clients is None and principal.has(kind.reads)]
    return (*kinds, str(principal.id))
