"""Imports: a file of tickets goes in batch by batch; sent again, it changes nothing."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Any, Self
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from db import attribution, clients, external_refs, outbox, tenants
from db.jobs import Step
from db.session import Transaction
from domain.access import Principal, Scope
from domain.clients import Client, ExternalRef
from domain.errors import ForbiddenError, UserError
from domain.escalations import EscalationRule
from domain.events import ClientsUpserted
from domain.ids import IdKind
from domain.imports import LineError, Parsed
from domain.jobs import JobCount, JobKind
from domain.tickets import ReportedTicket
from integrations.lines import Lines, UnreadableFile, opened
from integrations.mapping import InvalidMapping, Mapped, mapping
from workflows import tickets
from workflows.commands import envelope
from workflows.context import Channel, Context, Request, new_id
from workflows.jobs import JobFailed, Run, locally
from workflows.ticket_files import ANY_LINE, ANY_TEAM, Source
from workflows.uploads import uploaded

BATCH_TICKETS = 2_000


class ImportRefused(JobFailed):
    """The import can't begin or go on; the message says what is wrong and what to do."""


class ClientPolicy(StrEnum):
    """What becomes of a client's key that nobody has mapped."""

    MATCH = "MATCH"
    """Its tickets are stored without a client, until somebody maps the key."""

    CREATE = "CREATE"
    """A client of that name is made, and known by that key from then on."""


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How to read a file. `zone` is that of moments without an offset; without it the tenant's holds.

    With `client` every ticket is that client's. `rule` holds only where the system has none yet. `mapping` is the
    table that `integrations.mapping` describes.
    """

    source: Source
    mapping: Any = None
    client: UUID | None = None
    clients: ClientPolicy = ClientPolicy.MATCH
    zone: ZoneInfo | None = None
    rule: EscalationRule | None = None

    def parameters(self) -> dict[str, Any]:
        """Return the options as a job keeps them."""
        kept: dict[str, Any] = msgspec.to_builtins(self, enc_hook=str)
        return kept

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> Self:
        """Return the options that a job has kept."""
        return msgspec.convert(parameters, cls, dec_hook=lambda kind, text: kind(text))


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import is; `bytes` of the file as it was handed over."""

    done_bytes: int
    total_bytes: int
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    bad_lines: int = 0
    clients_created: int = 0


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What came of an import; `first_errors` are its first hundred bad lines, all of them are kept with the job."""

    id: UUID
    system: str
    progress: Progress
    first_errors: tuple[LineError, ...]


ERRORS_REPORTED = 100

OnProgress = Callable[[Progress], None]


async def import_uploaded(run: Run) -> None:
    """Import the tickets of a job's file; taken up again, go on behind the last batch that was written."""
    options = ImportOptions.of(run.parameters)
    prepared = await _prepared(run.context, run.principal, options)
    with uploaded(run) as lines:
        await _Import(run, options, prepared).all(lines, lambda _: None)


async def import_tickets(
    context: Context, principal: Principal, path: Path, options: ImportOptions, on_progress: OnProgress = lambda _: None
) -> ImportReport:
    """Import a file of tickets from here: the good ones go in, each bad line is named; sent again, nothing changes.

    Each batch is one transaction with its tickets, its bad lines and how far the import is, so that an import
    cut off at any point has done whole batches: start it again, and it finds them written.

    Raises:
        ImportRefused: the mapping or the file can't be used, or a ticket belongs to a client not visible here.
        ForbiddenError: the caller may not write tickets, or not make clients where the options ask for it.
    """
    allow(principal, options)
    prepared = await _prepared(context, principal, options)
    request = Request(f"import {new_id()}", Channel.CLI)
    parameters = options.parameters()
    async with locally(context, principal, request, JobKind.TICKET_IMPORT, parameters, path.name) as begun:
        importing = _Import(begun, options, prepared)
        with _readable(path) as lines:
            await importing.all(lines, on_progress)
    while await tickets.fold_one(context, principal.tenant_id):
        pass
    return ImportReport(begun.job.id, prepared.system, importing.progress, tuple(importing.first_errors))


def allow(principal: Principal, options: ImportOptions) -> None:
    """Let whoever may do what the options ask for pass.

    Raises:
        ForbiddenError: a scope is missing.
    """
    JobKind.TICKET_IMPORT.allow(principal)
    if options.clients is ClientPolicy.CREATE:
        principal.require(Scope.CLIENTS_WRITE)


@dataclass(frozen=True, slots=True)
class Prepared:
    """What an import needs besides its options: the zone of moments, the mapping, and the tickets' system."""

    zone: ZoneInfo
    mapped: Mapped | None
    system: str


async def prepared(tx: Transaction, options: ImportOptions) -> Prepared:
    """Check the options against what there is.

    Raises:
        ImportRefused: the mapping can't be used, or no such client is visible.
    """
    zone = options.zone or (await tenants.get(tx)).settings.zone
    if options.client is not None and await clients.get(tx, options.client) is None:
        raise ImportRefused("No client with this id is visible to you; check the id.")
    how, mapped = options.source.how, None
    if how.system is None:
        if options.mapping is None:
            raise ImportRefused(f"A {options.source.name} file needs a mapping that says what its columns mean.")
        try:
            mapped = mapping(options.mapping, zone)
        except InvalidMapping as error:
            raise ImportRefused(str(error)) from error
    elif options.mapping is not None:
        raise ImportRefused(f"A {options.source.name} file is read as it is; leave the mapping out.")
    return Prepared(zone, mapped, mapped.system if mapped else str(how.system))


async def _prepared(context: Context, principal: Principal, options: ImportOptions) -> Prepared:
    async with context.database.reading(principal) as tx:
        return await prepared(tx, options)


@contextmanager
def _readable(path: Path) -> Iterator[Lines]:
    try:
        with opened(path) as lines:
            yield lines
    except UnreadableFile as error:
        raise ImportRefused(str(error)) from error


class _Import:
    """One import on its way."""

    def __init__(self, run: Run, options: ImportOptions, prepared: Prepared) -> None:
        self.run, self.options, self.prepared = run, options, prepared
        self.request = replace(run.request, historical=True)
        # Taken up again, it passes over what it had read by the last batch that was written.
        self.passed = int(run.job.place or 0)
        counted = {name: run.job.counts.get(name.value, 0) for name in JobCount}
        self.progress = Progress(
            run.job.done,
            run.job.total or 0,
            counted[JobCount.CREATED],
            counted[JobCount.CHANGED],
            counted[JobCount.UNCHANGED],
            run.job.error_count,
            counted[JobCount.CLIENTS_CREATED],
        )
        self.first_errors: list[LineError] = []

    async def all(self, lines: Lines, on_progress: OnProgress) -> None:
        """Read in a thread one batch ahead of the one that is being written."""
        read = self.options.source.how.read(lines, self.prepared.zone, self.prepared.mapped)
        parsed = islice(read, self.passed, None)
        reading = asyncio.create_task(asyncio.to_thread(_next_batch, parsed))
        try:
            while batch := await reading:
                await self.run.check()
                reading = asyncio.create_task(asyncio.to_thread(_next_batch, parsed))
                await self._write(batch, lines)
                on_progress(self.progress)
        except (UnreadableFile, ForbiddenError) as error:
            raise ImportRefused(f"{error} {self._kept()}") from error
        finally:
            await asyncio.gather(reading, return_exceptions=True)

    async def _write(self, batch: list[Parsed], lines: Lines) -> None:
        errors = [one.outcome for one in batch if isinstance(one.outcome, LineError)]
        reports = tuple(one.outcome for one in batch if isinstance(one.outcome, ReportedTicket))
        rule = self.options.rule or self.options.source.how.rule or _rule_of(reports)
        command = tickets.IngestTickets(self.prepared.system, reports, self.options.client, rule)
        run, done = self.run, lines.done_bytes
        async with run.context.database.writing(run.principal) as tx:
            made = await self._create_clients(tx, reports)
            written = await tickets.write(run.context, run.principal, self.request, tx, command)
            if isinstance(written, UserError):
                raise ForbiddenError(written.message)
            counts = {
                JobCount.CREATED: written.created,
                JobCount.CHANGED: written.changed,
                JobCount.UNCHANGED: written.unchanged,
                JobCount.CLIENTS_CREATED: made,
            }
            passed = self.passed + len(batch)
            await run.step(tx, Step(done, lines.total_bytes, passed, counts, errors))
        self.passed = passed
        self.first_errors.extend(errors[: ERRORS_REPORTED - len(self.first_errors)])
        before = self.progress
        self.progress = Progress(
            done_bytes=done,
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
        mapped = await attribution.clients_of(tx, self.prepared.system, keys)
        now = self.run.context.clock()
        new = {key: Client(new_id(), key, None, None, None, None, None, now, 1) for key in sorted(keys - mapped.keys())}
        await clients.add_many(tx, list(new.values()))
        await external_refs.add(
            tx, [ExternalRef(IdKind.CLIENT, self.prepared.system, key, made.id, made.id) for key, made in new.items()]
        )
        await outbox.append(
            tx,
            [
                envelope(
                    self.run.principal,
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

    def _kept(self) -> str:
        """Say what stays of an import that failed."""
        known = self.progress.created + self.progress.changed + self.progress.unchanged
        return f"{known} tickets read before it are stored; import the whole file again when it is mended."


def _next_batch(parsed: Iterator[Parsed]) -> list[Parsed]:
    return list(islice(parsed, BATCH_TICKETS))


def _rule_of(reports: Iterable[ReportedTicket]) -> EscalationRule:
    """Lines where the source tells them, and teams where it doesn't."""
    told = any(had.tier is not None for report in reports for had in report.hand_overs)
    return ANY_LINE if told else ANY_TEAM
