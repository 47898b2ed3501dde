"""Imports: a file of tickets goes in batch by batch; sent again, it changes nothing."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, StrEnum
from itertools import islice
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

from db import attribution, clients, external_refs, imports, outbox, tenants
from db.imports import Begun, ImportKind, ImportStatus, Step
from db.session import Transaction
from domain.access import Principal, Scope
from domain.clients import Client, ExternalRef
from domain.errors import ForbiddenError, UserError
from domain.escalations import EscalationRule, EscalationTest
from domain.events import ClientsUpserted
from domain.ids import IdKind
from domain.imports import LineError, Parsed
from domain.tickets import ReportedTicket, TicketKind
from integrations import servicenow, tabular, volvo
from integrations.lines import Lines, UnreadableFile, opened
from integrations.mapping import InvalidMapping, Mapped, read_mapping
from workflows import tickets
from workflows.commands import envelope
from workflows.context import Channel, Context, Request, new_id

BATCH_TICKETS = 2_000

ANY_LINE = EscalationRule(EscalationTest.TIER_RAISED)
ANY_TEAM = EscalationRule(EscalationTest.REASSIGNED)


class ImportRefused(Exception):
    """The import can't begin or go on; the message says what is wrong and what to do."""


@dataclass(frozen=True, slots=True)
class Format:
    """How one kind of file is read, and what counts as an escalation in it unless the tenant has said."""

    read: Callable[[Iterator[str], ZoneInfo, Mapped | None], Iterator[Parsed]]
    system: str | None
    rule: EscalationRule | None


class Source(Enum):
    """The files that can be imported; without a system of its own the mapping names it."""

    SERVICENOW = Format(lambda lines, zone, _: servicenow.parse(lines, zone), servicenow.SYSTEM, ANY_TEAM)
    VOLVO = Format(lambda lines, _zone, _: volvo.parse(lines), volvo.SYSTEM, ANY_LINE)
    VOLVO_PROBLEMS = Format(
        lambda lines, _zone, _: volvo.parse(lines, TicketKind.PROBLEM), f"{volvo.SYSTEM}_PROBLEMS", ANY_LINE
    )
    CSV = Format(lambda lines, _zone, mapped: tabular.parse_csv(lines, _needed(mapped)), None, None)
    JSONL = Format(lambda lines, _zone, mapped: tabular.parse_jsonl(lines, _needed(mapped)), None, None)


class ClientPolicy(StrEnum):
    """What becomes of a client's key that nobody has mapped."""

    MATCH = "MATCH"
    """Its tickets are stored without a client, until somebody maps the key."""

    CREATE = "CREATE"
    """A client of that name is made, and known by that key from then on."""


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How to read a file. `zone` is that of moments without an offset; without it the tenant's holds.

    With `client` every ticket is that client's. `rule` holds only where the system has none yet.
    """

    source: Source
    mapping: Path | None = None
    client: UUID | None = None
    clients: ClientPolicy = ClientPolicy.MATCH
    zone: ZoneInfo | None = None
    rule: EscalationRule | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import is; `bytes` of the file as it lies on the disk."""

    done_bytes: int
    total_bytes: int
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    bad_lines: int = 0
    clients_created: int = 0


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What came of an import; `first_errors` are its first hundred bad lines, all of them are kept as rows."""

    id: UUID
    system: str
    progress: Progress
    first_errors: tuple[LineError, ...]


ERRORS_REPORTED = 100

OnProgress = Callable[[Progress], None]


async def import_tickets(
    context: Context, principal: Principal, path: Path, options: ImportOptions, on_progress: OnProgress = lambda _: None
) -> ImportReport:
    """Import a file of tickets: the good ones go in, each bad line is named; sent again, nothing changes.

    Each batch is one transaction with its tickets, its bad lines and how far the import is, so that an import
    cut off at any point has done whole batches: start it again, and it finds them written.

    Raises:
        ImportRefused: the mapping or the file can't be used, or a ticket belongs to a client not visible here.
        ForbiddenError: the caller may not write tickets, or not make clients where the options ask for it.
    """
    principal.require(Scope.TICKETS_WRITE)
    if options.clients is ClientPolicy.CREATE:
        principal.require(Scope.CLIENTS_WRITE)
    zone, mapped, system = await _prepared(context, principal, options)
    key = new_id()
    async with context.database.writing(principal) as tx:
        if options.client is not None and await clients.get(tx, options.client) is None:
            raise ImportRefused("No client with this id is visible to you; check the id.")
        await imports.begin(tx, key, Begun(ImportKind.TICKETS, system, path.name, principal.id), context.clock())
    run = _Run(context, principal, options, system, key)
    try:
        with opened(path) as lines:
            await run.all(lines, options.source.value.read(lines, zone, mapped), on_progress)
    except (UnreadableFile, _Refused) as error:
        await run.end(ImportStatus.FAILED, str(error))
        raise ImportRefused(f"{error} {run.kept()}") from error
    await run.end(ImportStatus.DONE)
    while await tickets.fold_one(context, principal.tenant_id):
        pass
    return ImportReport(key, system, run.progress, tuple(run.first_errors))


async def _prepared(
    context: Context, principal: Principal, options: ImportOptions
) -> tuple[ZoneInfo, Mapped | None, str]:
    async with context.database.reading(principal) as tx:
        zone = options.zone or (await tenants.get(tx)).settings.zone
    mapped = None
    if options.source.value.system is None:
        if options.mapping is None:
            raise ImportRefused(f"A {options.source.name} file needs a mapping that says what its columns mean.")
        try:
            mapped = await asyncio.to_thread(read_mapping, options.mapping, zone)
        except InvalidMapping as error:
            raise ImportRefused(str(error)) from error
    elif options.mapping is not None:
        raise ImportRefused(f"A {options.source.name} file is read as it is; leave the mapping out.")
    return zone, mapped, mapped.system if mapped else str(options.source.value.system)


def _needed(mapped: Mapped | None) -> Mapped:
    if mapped is None:
        raise ImportRefused("The file needs a mapping that says what its columns mean.")
    return mapped


class _Refused(Exception):
    """A batch was refused."""


class _Run:
    """One import on its way."""

    def __init__(self, context: Context, principal: Principal, options: ImportOptions, system: str, key: UUID) -> None:
        self.context, self.principal, self.options, self.system, self.key = context, principal, options, system, key
        self.request = Request(f"import {key}", Channel.CLI, historical=True)
        self.progress = Progress(0, 0)
        self.first_errors: list[LineError] = []

    async def all(self, lines: Lines, parsed: Iterator[Parsed], on_progress: OnProgress) -> None:
        """Read in a thread one batch ahead of the one that is being written."""
        reading = asyncio.create_task(asyncio.to_thread(_next_batch, parsed))
        try:
            while batch := await reading:
                reading = asyncio.create_task(asyncio.to_thread(_next_batch, parsed))
                await self._write(batch, lines)
                on_progress(self.progress)
        finally:
            await asyncio.gather(reading, return_exceptions=True)

    async def _write(self, batch: list[Parsed], lines: Lines) -> None:
        errors = [one.outcome for one in batch if isinstance(one.outcome, LineError)]
        reports = tuple(one.outcome for one in batch if isinstance(one.outcome, ReportedTicket))
        rule = self.options.rule or self.options.source.value.rule or _rule_of(reports)
        command = tickets.IngestTickets(self.system, reports, self.options.client, rule)
        async with self.context.database.writing(self.principal) as tx:
            made = await self._create_clients(tx, reports)
            try:
                written = await tickets.write(self.context, self.principal, self.request, tx, command)
            except ForbiddenError as error:
                raise _Refused(str(error)) from error
            if isinstance(written, UserError):
                raise _Refused(written.message)
            step = Step(batch[-1].line, written.created, written.changed, written.unchanged, errors)
            await imports.step(tx, self.key, step)
        self.first_errors.extend(errors[: ERRORS_REPORTED - len(self.first_errors)])
        before = self.progress
        self.progress = Progress(
            done_bytes=min(lines.done_bytes, lines.total_bytes),
            total_bytes=lines.total_bytes,
            created=before.created + written.created,
            changed=before.changed + written.changed,
            unchanged=before.unchanged + written.unchanged,
            bad_lines=before.bad_lines + len(errors),
            clients_created=before.clients_created + made,
        )

    async def _create_clients(self, tx: Transaction, reports: Iterable[ReportedTicket]) -> int:
        if self.options.clients is not ClientPolicy.CREATE or self.options.client is not None:
            return 0
        keys = {report.client for report in reports if report.client is not None}
        mapped = await attribution.clients_of(tx, self.system, keys)
        now = self.context.clock()
        new = {key: Client(new_id(), key, None, None, None, None, None, now, 1) for key in sorted(keys - mapped.keys())}
        await clients.add_many(tx, list(new.values()))
        await external_refs.add(
            tx, [ExternalRef(IdKind.CLIENT, self.system, key, made.id, made.id) for key, made in new.items()]
        )
        await outbox.append(
            tx,
            [
                envelope(
                    self.principal,
                    self.request,
                    ClientsUpserted(created=True),
                    subject=made.id,
                    version=1,
                    client=made.id,
                    now=now,
                )
                for made in new.values()
            ],
        )
        return len(new)

    async def end(self, status: ImportStatus, failure: str | None = None) -> None:
        async with self.context.database.writing(self.principal) as tx:
            await imports.end(tx, self.key, status, self.context.clock(), failure)

    def kept(self) -> str:
        """Say what stays of an import that failed."""
        known = self.progress.created + self.progress.changed + self.progress.unchanged
        return f"{known} tickets read before it are stored; import the whole file again when it is mended."


def _next_batch(parsed: Iterator[Parsed]) -> list[Parsed]:
    return list(islice(parsed, BATCH_TICKETS))


def _rule_of(reports: Iterable[ReportedTicket]) -> EscalationRule:
    """Lines where the source tells them, and teams where it doesn't."""
    told = any(had.tier is not None for report in reports for had in report.hand_overs)
    return ANY_LINE if told else ANY_TEAM
