"""Client imports: a file of existing clients goes in batch by batch; sent again, it changes nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Any, Self
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from db import tenants
from db.errors import RetryableError
from db.jobs import Step
from db.session import Transaction
from domain.access import Principal
from domain.consequences import Consequence
from domain.errors import ErrorCode, Outcome
from domain.ids import IdKind, public
from domain.imports import LineError
from domain.jobs import JobCount, JobKind
from domain.moving_in import Arrival, ArrivalStatus, Arrived
from domain.moving_in_sums import counts, sums
from integrations.client_columns import mapping_faults
from integrations.client_files import ClientLine, parse_csv, parse_jsonl
from integrations.lines import Lines, UnreadableFile, opened
from workflows.checks import refusable
from workflows.commands import Act, perform
from workflows.context import Channel, Context, Request, new_id
from workflows.jobs import JobFailed, Run, locally
from workflows.moving_in import Caller, Seen, allow, take_in
from workflows.uploads import uploaded

BATCH_CLIENTS = 200


class ClientImportRefused(JobFailed):
    """The import can't begin or go on; the message says what is wrong and what to do."""


class ClientFormat(StrEnum):
    """How the clients stand in the file."""

    CSV = "CSV"
    JSONL = "JSONL"


@dataclass(frozen=True, slots=True)
class ClientImportOptions:
    """How to read a file: what its columns mean that are called otherwise, and what parts its cells."""

    format: ClientFormat
    mapped: Mapping[str, str] = field(default_factory=dict)
    delimiter: str = ","
    dry_run: bool = False

    def parameters(self) -> dict[str, Any]:
        """Return the options as a job keeps them."""
        kept: dict[str, Any] = msgspec.to_builtins(self)
        return kept

    @classmethod
    def told(cls, format: ClientFormat, mapping: Any, *, dry_run: bool) -> Self:
        """Return the options with a mapping as somebody tells it: `columns` by their own names, and a `delimiter`.

        Raises:
            ClientImportRefused: an entry of it makes no sense.
        """
        table = {} if mapping is None else mapping
        if not isinstance(table, dict) or set(table) - {"columns", "delimiter"}:
            raise ClientImportRefused("A mapping of clients is a table with the entries `columns` and `delimiter`.")
        columns, delimiter = table.get("columns", {}), table.get("delimiter", ",")
        if not isinstance(columns, dict) or not all(isinstance(meant, str) for meant in columns.values()):
            raise ClientImportRefused("`columns` is a table of texts: by each column of the file, what it means.")
        if not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter in '"\r\n\0':
            raise ClientImportRefused(f"`delimiter` is one character, not {delimiter!r}.")
        if faults := mapping_faults(columns):
            raise ClientImportRefused(" ".join(faults))
        return cls(format, columns, delimiter, dry_run)

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> Self:
        """Return the options that a job has kept."""
        return msgspec.convert(parameters, cls)


@dataclass(frozen=True, slots=True)
class ClientImportReport:
    """What came of an import, or what would: each row in the order of the file, and everything wrong with its lines.

    A dry run from the command line has no id, for nothing of it is kept. `told` are the rows by their lines, as the
    file has them, and `zone` is the one in which its days are meant.
    """

    id: UUID | None
    arrived: tuple[Arrived, ...]
    problems: tuple[LineError, ...]
    told: Mapping[int, Arrival]
    zone: ZoneInfo

    @property
    def counts(self) -> dict[ArrivalStatus, int]:
        """How many rows became what."""
        return counts(self.arrived)

    @property
    def changes(self) -> tuple[Consequence, ...]:
        """What it changes in sum."""
        return tuple(sums(self.arrived))


@dataclass(frozen=True, slots=True)
class _Batch:
    """What became of some lines."""

    arrived: tuple[Arrived, ...]
    problems: tuple[LineError, ...]
    told: Mapping[int, Arrival]

    def step(self, lines: Lines, passed: int | None) -> Step:
        """Return what a job keeps of it, `passed` lines that could be read having gone in by then."""
        became = counts(self.arrived)
        return Step(
            lines.done_bytes,
            lines.total_bytes,
            passed,
            {name: became[status] for status, name in _COUNTED.items()},
            self.problems,
            [_result(one) for one in self.arrived],
        )


_COUNTED = {
    ArrivalStatus.CREATED: JobCount.CREATED,
    ArrivalStatus.JOINED: JobCount.JOINED,
    ArrivalStatus.EXISTS: JobCount.UNCHANGED,
    ArrivalStatus.FAILED: JobCount.REFUSED,
}

OnBatch = Callable[[_Batch], Awaitable[None]]


async def import_uploaded(run: Run) -> None:
    """Import the clients of a job's file; taken up again, go on behind the last batch that was written.

    A dry run does it in one transaction that is taken back, and keeps what would have come of every row.
    """
    options = ClientImportOptions.of(run.parameters)
    importing = await _importing(run.context, run.principal, options, run.request)
    with _usable(uploaded(run)) as lines:
        if options.dry_run:
            await _foresee(run, importing, lines)
        else:
            await importing.bring_in(run, lines, _unheard)


async def import_file(
    context: Context,
    principal: Principal,
    path: Path,
    options: ClientImportOptions,
    on_batch: Callable[[int], None] = lambda _: None,
) -> ClientImportReport:
    """Import a file of existing clients: the good rows come in, each bad line is named; sent again, nothing changes.

    Each batch is one transaction with its clients, its bad lines and how far the import is, so that an import cut off
    at any point has done whole batches: start it again, and it goes on behind them. A dry run does the same in a
    single transaction, and takes it back. `on_batch` is told after each batch how many rows are done.

    Raises:
        ClientImportRefused: the file or the mapping can't be used, or the caller may not bring clients in.
        ForbiddenError: a scope is missing.
    """
    allow(principal)
    request = Request(f"import {new_id()}", Channel.CLI)
    importing = await _importing(context, principal, options, request)
    batches: list[_Batch] = []

    async def gather(batch: _Batch) -> None:
        batches.append(batch)
        on_batch(sum(len(one.arrived) for one in batches))

    if options.dry_run:
        with _usable(opened(path)) as lines:
            await importing.foresee(lines, gather, batches.clear)
        return importing.report(None, batches)
    kept = options.parameters()
    async with locally(context, principal, request, JobKind.CLIENT_IMPORT, kept, path.name) as run:
        with _usable(opened(path)) as lines:
            await importing.bring_in(run, lines, gather)
    return importing.report(run.job.id, batches)


async def _importing(
    context: Context, principal: Principal, options: ClientImportOptions, request: Request
) -> "_Import":
    if faults := mapping_faults(options.mapped):
        raise ClientImportRefused(" ".join(faults))
    async with context.database.reading(principal) as tx:
        zone = (await tenants.get(tx)).settings.zone
    return _Import(Caller(context, principal, replace(request, historical=True)), options, zone)


@contextmanager
def _usable(opening: AbstractContextManager[Lines]) -> Iterator[Lines]:
    try:
        with opening as lines:
            yield lines
    except UnreadableFile as error:
        raise ClientImportRefused(str(error)) from error


async def _unheard(_: _Batch) -> None:
    """Let nobody hear of a batch: what came of it is kept with the job."""


async def _foresee(run: Run, importing: "_Import", lines: Lines) -> None:
    """Tell how far a dry run is as it goes on, and keep what would come of the rows when it is done."""
    batches: list[_Batch] = []

    async def gather(batch: _Batch) -> None:
        await run.check()
        batches.append(batch)
        async with run.context.database.writing(run.principal) as tx:
            await run.step(tx, Step(lines.done_bytes, lines.total_bytes))

    await importing.foresee(lines, gather, batches.clear)
    report = importing.report(None, batches)
    async with run.context.database.writing(run.principal) as tx:
        await run.step(tx, _Batch(report.arrived, report.problems, {}).step(lines, None))


class _Import:
    """One import on its way."""

    def __init__(self, caller: Caller, options: ClientImportOptions, zone: ZoneInfo) -> None:
        self.caller, self.options, self.zone = caller, options, zone

    async def bring_in(self, run: Run, lines: Lines, on_batch: OnBatch) -> None:
        """Bring the lines in, each batch by a transaction of its own, behind those that went in before."""
        seen, parsed = Seen("line"), self._parsed(lines)
        passed = int(run.job.place or 0)
        await asyncio.to_thread(_pass_over, parsed, passed, seen)
        while batch := await asyncio.to_thread(_next_batch, parsed):
            await run.check()
            passed += len(batch)
            await on_batch(await self._one(run, lines, batch, seen, passed))

    async def foresee(self, lines: Lines, on_batch: OnBatch, on_begin: Callable[[], None]) -> None:
        """Do the same in one transaction that is taken back."""

        async def act(tx: Transaction) -> Outcome:
            on_begin()
            seen, parsed = Seen("line"), self._parsed(lines)
            while batch := await asyncio.to_thread(_next_batch, parsed):
                await on_batch(await self._taken(tx, batch, seen))
            return Outcome()

        await self._performed(act, self.caller.request, dry_run=True)

    def report(self, key: UUID | None, batches: list[_Batch]) -> ClientImportReport:
        """Return what became of all batches."""
        return ClientImportReport(
            key,
            tuple(arrived for batch in batches for arrived in batch.arrived),
            tuple(problem for batch in batches for problem in batch.problems),
            {line: told for batch in batches for line, told in batch.told.items()},
            self.zone,
        )

    async def _one(self, run: Run, lines: Lines, batch: list[ClientLine], seen: Seen, passed: int) -> _Batch:
        taken: list[_Batch] = []

        async def act(tx: Transaction) -> Outcome:
            taken[:] = [await self._taken(tx, batch, seen)]
            await run.step(tx, taken[0].step(lines, passed))
            return Outcome()

        # A program's commands take a key each.
        request = replace(self.caller.request, idempotency_key=f"{run.job.public_id}-{passed}")
        await self._performed(act, request, dry_run=False)
        return taken[0]

    async def _performed(self, act: Act, request: Request, *, dry_run: bool) -> None:
        caller = self.caller
        outcome = await perform(
            caller.context, caller.principal, request, "clientImport", None, refusable(act), dry_run=dry_run
        )
        if any(error.code is ErrorCode.BUSY for error in outcome.errors):
            raise RetryableError("somebody else is bringing clients in at this moment")
        if outcome.errors:
            raise ClientImportRefused(" ".join(error.message for error in outcome.errors))

    async def _taken(self, tx: Transaction, batch: list[ClientLine], seen: Seen) -> _Batch:
        """Bring the readable lines of a batch in, and name what is wrong with the others."""
        rows: list[tuple[int, Arrival]] = [(one.line, one.told) for one in batch if one.told is not None]
        arrived, _ = await take_in(tx, self.caller, rows, seen) if rows else ([], None)
        became = {one.place: one for one in arrived}
        results, problems = [], []
        for line in batch:
            result = became.get(line.line) or Arrived(line.line, line.name, ArrivalStatus.FAILED)
            results.append(replace(result, errors=()))
            problems += [*line.problems, *(line.problem(error) for error in result.errors)]
        return _Batch(tuple(results), tuple(problems), dict(rows))

    def _parsed(self, lines: Iterator[str]) -> Iterator[ClientLine]:
        options = self.options
        if options.format is ClientFormat.JSONL:
            return parse_jsonl(lines, self.zone, options.mapped)
        return parse_csv(lines, self.zone, options.mapped, options.delimiter)


def _next_batch(parsed: Iterator[ClientLine]) -> list[ClientLine]:
    return list(islice(parsed, BATCH_CLIENTS))


def _pass_over(parsed: Iterator[ClientLine], count: int, seen: Seen) -> None:
    """Leave lines aside that went in before, but for knowing them again."""
    for line in islice(parsed, count):
        if line.told is not None:
            seen.repeated(line.line, line.told)


def _result(one: Arrived) -> Mapping[str, object]:
    """Return what a job keeps of a row: ids, days and sentences of ours, and nothing by which anybody is called."""
    return {
        "line": one.place,
        "status": one.status.value,
        "client": public(IdKind.CLIENT, one.client) if one.client else None,
        "onboarding": public(IdKind.ONBOARDING, one.onboarding) if one.onboarding else None,
        "stage": one.stage.value if one.stage else None,
        "targetAt": one.target_at.isoformat() if one.target_at else None,
        "contacts": one.contacts,
        "checklistItems": one.items,
        "tickets": one.tickets,
        "warnings": list(one.warnings),
    }
