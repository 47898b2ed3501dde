"""Client imports: a file of existing clients goes in batch by batch; sent again, it changes nothing."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import islice
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

from db import imports, tenants
from db.imports import Begun, ImportKind, ImportStatus, Step
from db.session import Transaction
from domain.access import Principal
from domain.consequences import Consequence
from domain.errors import Outcome
from domain.imports import LineError
from domain.moving_in import Arrival, ArrivalStatus, Arrived
from domain.moving_in_sums import counts, sums
from integrations.client_columns import mapping_faults
from integrations.client_files import ClientLine, parse_csv, parse_jsonl
from integrations.lines import UnreadableFile, opened
from workflows.checks import refusable
from workflows.commands import Act, perform
from workflows.context import Channel, Context, Request, new_id
from workflows.moving_in import Caller, Seen, allow, take_in

BATCH_CLIENTS = 200

SYSTEM = "CLIENTS"
"""What an import of clients has in place of a system: each of its rows may name another."""


class ClientImportRefused(Exception):
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


@dataclass(frozen=True, slots=True)
class ClientImportReport:
    """What came of an import, or what would: each row in the order of the file, and everything wrong with its lines.

    A dry run has no id, for nothing of it is kept. `told` are the rows by their lines, as the file has them, and `zone`
    is the one in which its days are meant.
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
    line: int


OnBatch = Callable[[int], None]


async def import_file(
    context: Context,
    principal: Principal,
    path: Path,
    options: ClientImportOptions,
    on_batch: OnBatch = lambda _: None,
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
    if faults := mapping_faults(options.mapped):
        raise ClientImportRefused(" ".join(faults))
    async with context.database.reading(principal) as tx:
        zone = (await tenants.get(tx)).settings.zone
    run = _Run(context, principal, path, options, zone)
    try:
        return await (run.tried(on_batch) if options.dry_run else run.done(on_batch))
    except UnreadableFile as error:
        raise ClientImportRefused(str(error)) from error


class _Run:
    """One import on its way."""

    def __init__(
        self, context: Context, principal: Principal, path: Path, options: ClientImportOptions, zone: ZoneInfo
    ) -> None:
        self.path, self.options, self.zone = path, options, zone
        self.key = new_id()
        self.caller = Caller(context, principal, Request(f"import {self.key}", Channel.CLI, historical=True))

    async def done(self, on_batch: OnBatch) -> ClientImportReport:
        """Bring the file in, each batch by a transaction of its own."""
        context, principal = self.caller.context, self.caller.principal
        begun = Begun(ImportKind.CLIENTS, SYSTEM, self.path.name, principal.id)
        async with context.database.writing(principal) as tx:
            await imports.begin(tx, self.key, begun, context.clock())
        seen, batches = Seen("line"), list[_Batch]()
        try:
            with opened(self.path) as lines:
                parsed = self._parsed(lines)
                while batch := await asyncio.to_thread(_next_batch, parsed):
                    batches.append(await self._one(batch, seen))
                    on_batch(sum(len(one.arrived) for one in batches))
        except (UnreadableFile, ClientImportRefused) as error:
            await self._end(ImportStatus.FAILED, str(error))
            raise
        await self._end(ImportStatus.DONE)
        return self._report(self.key, batches)

    async def tried(self, on_batch: OnBatch) -> ClientImportReport:
        """Do the same in one transaction that is taken back."""
        batches: list[_Batch] = []

        async def act(tx: Transaction) -> Outcome:
            seen = Seen("line")
            batches.clear()
            with opened(self.path) as lines:
                parsed = self._parsed(lines)
                while batch := await asyncio.to_thread(_next_batch, parsed):
                    batches.append(await self._taken(tx, batch, seen))
                    on_batch(sum(len(one.arrived) for one in batches))
            return Outcome()

        await self._performed(act, dry_run=True)
        return self._report(None, batches)

    async def _one(self, batch: list[ClientLine], seen: Seen) -> _Batch:
        taken: list[_Batch] = []

        async def act(tx: Transaction) -> Outcome:
            taken[:] = [await self._taken(tx, batch, seen)]
            await imports.step(tx, self.key, _step(taken[0]))
            return Outcome()

        await self._performed(act, dry_run=False)
        return taken[0]

    async def _performed(self, act: Act, *, dry_run: bool) -> None:
        caller = self.caller
        outcome = await perform(
            caller.context, caller.principal, caller.request, "clientImport", None, refusable(act), dry_run=dry_run
        )
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
        return _Batch(tuple(results), tuple(problems), dict(rows), batch[-1].line)

    async def _end(self, status: ImportStatus, failure: str | None = None) -> None:
        context = self.caller.context
        async with context.database.writing(self.caller.principal) as tx:
            await imports.end(tx, self.key, status, context.clock(), failure)

    def _report(self, key: UUID | None, batches: list[_Batch]) -> ClientImportReport:
        return ClientImportReport(
            key,
            tuple(arrived for batch in batches for arrived in batch.arrived),
            tuple(problem for batch in batches for problem in batch.problems),
            {line: told for batch in batches for line, told in batch.told.items()},
            self.zone,
        )

    def _parsed(self, lines: Iterator[str]) -> Iterator[ClientLine]:
        options = self.options
        if options.format is ClientFormat.JSONL:
            return parse_jsonl(lines, self.zone, options.mapped)
        return parse_csv(lines, self.zone, options.mapped, options.delimiter)


def _next_batch(parsed: Iterator[ClientLine]) -> list[ClientLine]:
    return list(islice(parsed, BATCH_CLIENTS))


def _step(batch: _Batch) -> Step:
    became = counts(batch.arrived)
    return Step(
        batch.line,
        became[ArrivalStatus.CREATED],
        became[ArrivalStatus.JOINED],
        became[ArrivalStatus.EXISTS],
        batch.problems,
    )
