"""Imports: the mutations that start one and stop a job."""

from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import strawberry
from strawberry.scalars import JSON

from api.changing import Payload, id_of
from api.context import Info
from api.fields import mutation_field, resolved
from api.job_enums import ImportFormat
from api.jobs import Job, job, upload_path
from api.payloads import KEY, event_id
from domain.access import Scope
from domain.errors import ErrorCode, Outcome
from domain.ids import IdKind, parse
from domain.imports import ImportKind
from workflows import import_jobs, jobs
from workflows.import_jobs import StartImport
from workflows.imports import ClientPolicy

P = TypeVar("P", bound="JobPayload")


@strawberry.type
class JobPayload(Payload):
    """What the payload of every mutation of jobs has."""

    job: Job | None = strawberry.field(description="The job; `null` where none was begun or none is visible to you.")


@strawberry.type(description="What came of `importStart`.")
class ImportStartPayload(JobPayload):
    @resolved(
        description="Where the file goes: PUT its bytes to this path of this server, with the same credential. The job "
        "then begins by itself."
    )
    def upload_url(self) -> str | None:
        begun: Any = self.job
        return upload_path(begun) if begun else None


@strawberry.type(description="What came of `jobCancel`.")
class JobCancelPayload(JobPayload):
    pass


@strawberry.input(description="A file to be brought in: what is in it, and how it is to be read.")
class ImportStartInput:
    kind: ImportKind = strawberry.field(description="What the file brings.")
    format: ImportFormat = strawberry.field(description="How it is written.")
    file_name: str | None = strawberry.field(default=None, description="What it is called, for people to know it by.")
    mapping: JSON | None = strawberry.field(
        default=None,
        description="What the columns mean. Of tickets in `CSV` or `JSONL` (needed): `{system, columns: {external_id: "
        "<column>, logged_at: <column>, …}, values, zone, dates, delimiter, unknown, hand_overs}`. Of clients, where "
        "columns are called otherwise: `{columns: {<column>: <field>, …}, delimiter}`.",
    )
    client_id: strawberry.ID | None = strawberry.field(
        default=None, description="Of tickets: the client that all of them are of, whatever the file says."
    )
    clients: ClientPolicy | None = strawberry.field(
        default=None,
        description="Of tickets: what becomes of clients' keys that nobody has mapped; `MATCH` if left out.",
    )
    zone: ZoneInfo | None = strawberry.field(
        default=None, description="Of tickets: the zone of moments without an offset; the provider's if left out."
    )
    dry_run: bool = strawberry.field(
        default=False, description="Of clients: only tell what would come of every row; nothing changes."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="A job to be stopped.")
class JobCancelInput:
    job_id: strawberry.ID = strawberry.field(description="The job.")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.type
class ImportsMutation:
    @mutation_field(
        scope=Scope.TICKETS_WRITE,
        or_one_of=(Scope.ONBOARDING_END,),
        description="Begin to bring in a file of any size. Tickets take `TICKETS_WRITE`; clients take `ONBOARDING_END` "
        "and `CLIENTS_WRITE`. The answer says where the file goes; good lines go in, each bad one is named in "
        "`job.errors`, and the same file sent again changes nothing.",
        may_fail=(ErrorCode.NOT_FOUND, ErrorCode.CONFLICT),
    )
    async def import_start(self, info: Info, input: ImportStartInput) -> ImportStartPayload:
        command = StartImport(
            kind=input.kind,
            format=input.format.value,
            file_name=input.file_name,
            mapping=input.mapping,
            client=id_of(IdKind.CLIENT, input.client_id),
            clients=input.clients,
            zone=input.zone,
            dry_run=input.dry_run,
        )
        outcome = await info.context.perform(import_jobs.start, info.context.command(input.idempotency_key), command)
        return await _payload(info, ImportStartPayload, outcome)

    @mutation_field(
        scope=Scope.TICKETS_WRITE,
        or_one_of=(Scope.ONBOARDING_END, Scope.POLICIES_WRITE),
        description="Stop a job: one that waits ends at once, one that runs after the batch it is at. What was done by "
        "then stays. Whoever may start such a job may stop it.",
        may_fail=(ErrorCode.NOT_FOUND, ErrorCode.CONFLICT),
    )
    async def job_cancel(self, info: Info, input: JobCancelInput) -> JobCancelPayload:
        key = parse(IdKind.JOB, input.job_id)
        outcome = await info.context.perform(jobs.cancel, info.context.command(input.idempotency_key), key)
        return await _payload(info, JobCancelPayload, outcome)


async def _payload(info: Info, payload: type[P], outcome: Outcome) -> P:
    found = await info.context.loader(job).load(outcome.subject) if outcome.subject else None
    return payload(job=found, event_id=event_id(outcome), errors=list(outcome.errors))  # type: ignore[arg-type]
