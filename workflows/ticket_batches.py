"""Batches of tickets over the API: read in one pass, a result for every row, and one transaction for all."""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import msgspec

from db import clients, savepoints
from db.session import Transaction
from db.tickets import Written
from domain.access import Principal, Scope
from domain.bulk import ROWS_MOST, BulkPolicy, BulkResult, BulkStatus, failed
from domain.client_rules import external_key_faults
from domain.clients import ClientRef, ExternalKey
from domain.errors import ErrorCode, Outcome, UserError, invalid
from domain.ticket_work import OWN_SYSTEM
from domain.tickets import ReportedTicket
from integrations import ticket_documents
from integrations.readings import Unreadable
from workflows import tickets
from workflows.belongings import resolved
from workflows.checks import fit, found, refusable
from workflows.commands import perform
from workflows.context import Context, Request
from workflows.tickets import IngestTickets, Unseen, UnseenError

RESULTS = "results"
"""The fact of an outcome that lists what became of each row."""

Write = Callable[[tuple[ReportedTicket, ...]], Awaitable[Written | Unseen]]

_STEPS = re.compile(r"\.(\w+)|\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class UpsertTickets:
    """Up to 1,000 tickets of one system, each as decoded JSON in our own form.

    With `client` all are that client's; with `snapshot` each tells only how the ticket stands, unless it says otherwise
    itself. `listed` is what their list is called in the input.
    """

    system: str
    rows: Sequence[object]
    client: ClientRef | None = None
    policy: BulkPolicy = BulkPolicy.REJECT_ALL
    snapshot: bool = False
    listed: str = "payload"


@dataclass(slots=True)
class _Batch:
    """The rows that can be written, by their numbers, and what becomes of the others."""

    listed: str
    reports: dict[str, ReportedTicket] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)
    failures: dict[int, BulkResult] = field(default_factory=dict)

    def fail(self, index: int, error: UserError) -> None:
        self.failures[index] = failed(index, error, listed=self.listed)

    def drop(self, number: str, error: UserError) -> None:
        del self.reports[number]
        self.fail(self.places[number], error)


def rows_of(payload: object) -> Sequence[object]:
    """Return the tickets of a decoded payload: a list of them, or an object with the list `tickets`; or of its text.

    Raises:
        Unreadable: it is neither.
    """
    if isinstance(payload, str):
        try:
            payload = msgspec.json.decode(payload)
        except (msgspec.DecodeError, RecursionError, UnicodeEncodeError) as error:
            raise Unreadable("$", payload, f"it is no JSON that can be read ({error}).") from error
    listed = payload.get("tickets") if isinstance(payload, dict) and len(payload) == 1 else payload
    if not isinstance(listed, list):
        raise Unreadable("$", payload, "give a list of tickets, or an object with the list `tickets` alone.")
    return listed


async def upsert(context: Context, principal: Principal, request: Request, command: UpsertTickets) -> Outcome:
    """Bring tickets in or up to date by their numbers, in a number of statements that does not grow with the rows."""
    principal.require(Scope.TICKETS_WRITE)

    @refusable
    async def act(tx: Transaction) -> Outcome:
        fit(_faults(command))
        client = None
        if command.client is not None:
            key = await resolved(tx, command.client)
            client = found(await clients.get(tx, key) if key else None, "client", "client").id
        batch = _read(command)

        async def write(reports: tuple[ReportedTicket, ...]) -> Written | Unseen:
            ingest = IngestTickets(command.system, reports, client)
            return await tickets.write(context, principal, request, tx, ingest)

        written = await _written(tx, write, batch, command.policy)
        if written is None:
            return _rejected(command, batch)
        statuses = (
            (BulkStatus.CREATED, written.created_ids),
            (BulkStatus.UPDATED, written.changed_ids),
            (BulkStatus.UNCHANGED, written.unchanged_ids),
        )
        done = {
            batch.places[number]: BulkResult(batch.places[number], status, key)
            for status, ids in reversed(statuses)
            for number, key in ids.items()
        }
        results = [(batch.failures.get(index) or done[index]).to_data() for index in range(len(command.rows))]
        return Outcome(event=written.event, facts={RESULTS: results})

    return await perform(context, principal, request, "ticketBulkUpsert", command, act)


def _faults(command: UpsertTickets) -> list[UserError]:
    faults = [*external_key_faults(ExternalKey(command.system, "any"))]
    if command.system == OWN_SYSTEM:
        faults.append(invalid(f"Tickets of {OWN_SYSTEM} are opened here: use ticketCreate, or name yours.", "system"))
    if not 1 <= len(command.rows) <= ROWS_MOST:
        message = f"{len(command.rows)} tickets cannot be taken; send 1 to {ROWS_MOST} at a time, or import a file."
        faults.append(invalid(message, command.listed))
    return faults


def _read(command: UpsertTickets) -> _Batch:
    batch = _Batch(command.listed)
    for index, row in enumerate(command.rows):
        if command.snapshot and isinstance(row, dict):
            row = {"snapshot": True} | row  # noqa: PLW2901 -- what the row says itself holds
        try:
            report = ticket_documents.ticket(row)
        except Unreadable as error:
            steps = tuple(name or number for name, number in _STEPS.findall(error.path))
            batch.fail(index, invalid(str(error), *steps))
            continue
        number = report.external_id
        if number in batch.reports:
            batch.fail(index, invalid(f"The ticket {number!r} stands in an earlier row; send it once.", "externalId"))
            continue
        batch.reports[number], batch.places[number] = report, index
    return batch


async def _written(tx: Transaction, write: Write, batch: _Batch, policy: BulkPolicy) -> Written | None:
    """Write what can be written; nothing where the policy is to reject all for one that cannot."""
    strict = policy is BulkPolicy.REJECT_ALL
    if strict and batch.failures:
        return None
    while batch.reports:
        await savepoints.begin(tx)
        try:
            written = await write(tuple(batch.reports.values()))
        except UnseenError as error:
            unseen = error.external_ids
        else:
            if isinstance(written, Written):
                # Whoever rejects all is still told of every ticket that cannot be written.
                refused = strict and bool(batch.failures)
                await (savepoints.take_back if refused else savepoints.keep)(tx)
                return None if refused else written
            unseen = written.numbers
        await savepoints.take_back(tx)
        message = "This ticket belongs to no client or to one that you do not see; it was left as it is."
        for number in sorted(unseen):
            batch.drop(number, UserError(ErrorCode.NOT_ALLOWED, message, ("client",)))
    return None if strict else Written()


def _rejected(command: UpsertTickets, batch: _Batch) -> Outcome:
    results = [
        batch.failures.get(index) or BulkResult(index, BulkStatus.LEFT_OUT) for index in range(len(command.rows))
    ]
    errors = tuple(error for result in results for error in result.errors)
    return Outcome(errors=errors, facts={RESULTS: [result.to_data() for result in results]})
