"""Starting imports: what a file will bring and how it is to be read, said before the file comes."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from db import clients, jobs
from db.session import Transaction
from domain.access import Principal
from domain.errors import ErrorCode, Outcome, UserError, invalid, not_found, refused
from domain.imports import ImportKind
from domain.jobs import JobKind
from domain.texts import is_line
from workflows import imports
from workflows.checks import RefusedError, fit, refusable
from workflows.client_imports import ClientFormat, ClientImportOptions, ClientImportRefused
from workflows.commands import perform
from workflows.context import Context, Request
from workflows.imports import ClientPolicy, ImportOptions, ImportRefused
from workflows.jobs import begin, new_job
from workflows.ticket_files import Source
from workflows.uploads import AWAITED

UNENDED_MOST = 20
"""Imports of one kind that a provider may have waiting or under way: their files take room until they are done."""

LONGEST_FILE_NAME = 200

JOB_KINDS = {ImportKind.TICKETS: JobKind.TICKET_IMPORT, ImportKind.CLIENTS: JobKind.CLIENT_IMPORT}


@dataclass(frozen=True, slots=True)
class StartImport:
    """A file to be brought in; `client`, `clients` and `zone` are said of tickets, `dry_run` of clients."""

    kind: ImportKind
    format: str
    file_name: str | None = None
    mapping: Any = None
    client: UUID | None = None
    clients: ClientPolicy | None = None
    zone: ZoneInfo | None = None
    dry_run: bool = False


async def start(context: Context, principal: Principal, request: Request, command: StartImport) -> Outcome:
    """Begin the job of an import, which then waits a day for its file.

    Raises:
        ForbiddenError: the caller may not write what the file brings.
    """
    kind = JOB_KINDS[command.kind]
    kind.allow(principal)
    if command.clients is ClientPolicy.CREATE:
        imports.allow(principal, ImportOptions(Source.CSV, clients=ClientPolicy.CREATE))

    @refusable
    async def act(tx: Transaction) -> Outcome:
        fit(_faults(command))
        parameters = await (_of_tickets(tx, command) if command.kind is ImportKind.TICKETS else _of_clients(command))
        if await jobs.unended(tx, kind.value) >= UNENDED_MOST:
            fit([_too_many()])
        until = context.clock() + AWAITED
        job = new_job(context, principal, kind, parameters, file_name=command.file_name, waits_until=until)
        return await begin(tx, context, principal, request, job)

    return await perform(context, principal, request, "importStart", command, act)


async def _of_tickets(tx: Transaction, command: StartImport) -> dict[str, Any]:
    if command.client is not None and await clients.get(tx, command.client) is None:
        fit([not_found("client", "clientId")])
    options = ImportOptions(
        Source[command.format],
        command.mapping,
        command.client,
        command.clients or ClientPolicy.MATCH,
        command.zone,
    )
    try:
        await imports.prepared(tx, options)
    except ImportRefused as error:
        fit([invalid(str(error), "mapping")])
    return options.parameters()


async def _of_clients(command: StartImport) -> dict[str, Any]:
    try:
        options = ClientImportOptions.told(ClientFormat(command.format), command.mapping, dry_run=command.dry_run)
    except ClientImportRefused as error:
        raise RefusedError(refused(invalid(str(error), "mapping"))) from error
    return options.parameters()


def _faults(command: StartImport) -> list[UserError]:
    """Tell what is wrong with a command by itself."""
    faults = []
    name = command.file_name
    if name is not None and (not is_line(name) or len(name) > LONGEST_FILE_NAME):
        message = f"A file's name is one line of 1 to {LONGEST_FILE_NAME} characters; people tell it by it."
        faults.append(invalid(message, "fileName"))
    known: tuple[str, ...]
    strange: dict[str, object]
    if command.kind is ImportKind.TICKETS:
        known, strange = tuple(Source), {"dryRun": command.dry_run}
    else:
        known = tuple(ClientFormat)
        strange = {"clientId": command.client, "clients": command.clients, "zone": command.zone}
    if command.format not in known:
        listed = ", ".join(known)
        message = f"A file of {command.kind.value.lower()} is not read as {command.format}; give one of {listed}."
        faults.append(invalid(message, "format"))
    for field, value in strange.items():
        if value:
            faults.append(invalid(f"An import of {command.kind.value.lower()} has no {field}; leave it out.", field))
    return faults


def _too_many() -> UserError:
    message = (
        f"{UNENDED_MOST} imports of this kind are waiting or under way, which is as many as there may be; "
        "wait for one to end, or cancel those whose files will not come."
    )
    return UserError(ErrorCode.CONFLICT, message)
