"""People open tickets and work on them: each time one ticket is locked, changed as a report, and counted anew."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

from db import clients, devices, ticket_numbers, tickets
from db.errors import RetryableError
from db.session import Transaction
from db.stored_tickets import Stored
from db.tickets import Written
from domain.access import Principal, Scope
from domain.changes import UNCHANGED
from domain.clients import ClientRef
from domain.consequences import Consequence, ConsequenceKind, told
from domain.errors import ErrorCode, Outcome, UserError, erased, not_found
from domain.events import TicketChanged
from domain.ids import IdKind, public
from domain.ticket_work import OWN_SYSTEM, Assign, Edit, Exclude, Merge, Move, Restore, Work
from domain.ticket_work_rules import moment_faults, said_faults
from domain.tickets import Priority, ReportedTicket, TicketKind, TicketSource
from workflows.assessing import Claim, assessed, locked, rewrite, world
from workflows.belongings import place_faults, resolved
from workflows.checks import fit, found, fresh, refusable
from workflows.commands import perform, publish
from workflows.context import Context, Request, new_id
from workflows.restating import tell
from workflows.tickets import reach

Reach = frozenset[UUID | None] | None
"""The clients whose tickets the caller may write; `None` for all."""


@dataclass(frozen=True, slots=True)
class OpenTicket:
    """Open a ticket of our own; it gets the tenant's next number."""

    client: ClientRef
    title: str
    kind: TicketKind = TicketKind.INCIDENT
    source: TicketSource = TicketSource.PERSON
    priority: Priority = Priority.UNKNOWN
    category: str | None = None
    site_id: UUID | None = None
    device_id: UUID | None = None
    assign: Assign | None = None
    logged_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class WorkOnTicket:
    """Do one thing with a ticket; `at` is when it was done, now if left out."""

    ticket_id: UUID
    work: Work
    at: datetime | None = None
    expected_version: int | None = None
    dry_run: bool = False


async def create(context: Context, principal: Principal, request: Request, command: OpenTicket) -> Outcome:
    """Open a ticket for a client, which counts at once."""
    principal.require(Scope.TICKETS_WRITE)
    now = context.clock()

    @refusable
    async def act(tx: Transaction) -> Outcome:
        client = await _client(tx, await reach(tx, principal), command.client, "client")
        logged_at = (command.logged_at or now).astimezone(UTC)
        fit([*said_faults(command), *said_faults(command.assign), *moment_faults(logged_at, now, path="loggedAt")])
        fit(await _place_faults(tx, client, command.site_id, command.device_id))
        report = ReportedTicket(
            external_id=await ticket_numbers.next_number(tx),
            client=None,
            logged_at=logged_at,
            kind=command.kind,
            source=command.source,
            priority=command.priority,
            category=command.category,
            title=command.title,
        )
        if command.assign is not None:
            handed = command.assign.done(report, logged_at)
            if isinstance(handed, UserError):
                fit([handed])
            else:
                report = handed
        here = await world(tx, OWN_SYSTEM, now)
        claim = Claim(report, client, pinned=True, exclusion_pinned=True, places=(command.site_id, command.device_id))
        ready, agents = await assessed(tx, here, OWN_SYSTEM, [claim], now)
        written = await tickets.write(tx, OWN_SYSTEM, ready, {}, agents, now, new_id)
        if written.raced:
            msg = f"a ticket of our own number {report.external_id} is there already"
            raise RetryableError(msg)
        ticket = written.created_ids[report.external_id]
        return await _told(tx, principal, request, written, (ticket, 1, client), "CREATE", now)

    return await perform(context, principal, request, "ticketCreate", command, act)


async def work(context: Context, principal: Principal, request: Request, command: WorkOnTicket) -> Outcome:
    """Do one thing with a ticket; refused where the ticket stands otherwise, with the reason."""
    principal.require(Scope.TICKETS_WRITE)
    now = context.clock()
    at = (command.at or now).astimezone(UTC)

    @refusable
    async def act(tx: Transaction) -> Outcome:
        own = await reach(tx, principal)
        ids = [command.ticket_id, *([command.work.into] if isinstance(command.work, Merge) else [])]
        stored = await locked(tx, ids)
        was = found(stored.get(command.ticket_id), "ticket", "ticketId")
        fit(_unreached(own, was.assessed.client), was.id)
        fresh(was, command.expected_version)
        fit([*said_faults(command.work), *moment_faults(at, now, was.report.logged_at)], was.id)
        done = command.work.done(was.report, at)
        if isinstance(done, UserError):
            fit([done], was.id)
        else:
            claim = await _claimed(tx, own, replace(Claim.of(was), report=done), command.work, was, stored)
            written = await rewrite(tx, was.system, {was.id: claim}, stored, now)
            if not written.changed_ids:
                return Outcome(was.id, was.version)
            subject = (was.id, was.version + 1, claim.client)
            outcome = await _told(tx, principal, request, written, subject, command.work.VERB, now)
            return replace(outcome, facts=told(_changes(command.work, was, claim, written)))
        raise AssertionError

    name = f"ticket{command.work.VERB.title()}"
    return await perform(context, principal, request, name, command, act, dry_run=command.dry_run)


async def _claimed(
    tx: Transaction, own: Reach, claim: Claim, work: Work, was: Stored, stored: dict[UUID, Stored]
) -> Claim:
    """Return what the ticket claims to be after the work, with what only the tenant's own rows can tell."""
    match work:
        case Edit():
            site, device = was.assessed.subjects.site, was.assessed.subjects.device
            if work.site_id is not UNCHANGED:
                site = work.site_id
            if work.device_id is not UNCHANGED:
                device = work.device_id
            changed = (
                site if work.site_id is not UNCHANGED else None,
                device if work.device_id is not UNCHANGED else None,
            )
            fit(await _place_faults(tx, claim.client, *changed), was.id)
            return replace(claim, places=(site, device))
        case Merge():
            other = found(stored.get(work.into), "ticket", "intoTicketId")
            fit(_merge_faults(was, other), was.id)
            merged = work.into_other(claim.report, other.report)
            if isinstance(merged, UserError):
                fit([merged], was.id)
            else:
                return replace(claim, report=merged, exclusion_pinned=True)
        case Move():
            client = await _client(tx, own, work.client, "client")
            if client == claim.client:
                return claim
            return replace(claim, client=client, pinned=True, places=None)
        case Exclude() | Restore():
            return replace(claim, exclusion_pinned=True)
    return claim


async def _client(tx: Transaction, own: Reach, ref: ClientRef, *path: str) -> UUID:
    """Return the client that a command names, which is not merged into another meanwhile."""
    key = await resolved(tx, ref)
    client = found(await clients.hold_kept(tx, key) if key else None, "client", *path).client
    fit(_unreached(own, client.id, *path))
    fit([erased("client", *path)] if client.erased else [], client.id)
    return client.id


async def _place_faults(
    tx: Transaction, client: UUID | None, site: UUID | None, device: UUID | None
) -> list[UserError]:
    faults = []
    if site is not None:
        faults += await place_faults(tx, client, site, "siteId") if client else [_no_place("siteId")]
    if device is not None:
        known = await devices.of_client_among(tx, client, [device]) if client else frozenset()
        faults += [] if device in known else [not_found("device of this client", "deviceId")]
    return faults


def _no_place(path: str) -> UserError:
    return not_found("site of this client that is in use", path)


def _unreached(own: Reach, client: UUID | None, *path: str) -> list[UserError]:
    if own is None or client in own:
        return []
    message = "You may work on tickets only of clients whose team you are on; ask somebody of this one's team."
    return [UserError(ErrorCode.NOT_ALLOWED, message, path or ("ticketId",))]


def _merge_faults(was: Stored, other: Stored) -> list[UserError]:
    if was.id == other.id:
        return [
            UserError(ErrorCode.CONFLICT, "A ticket cannot be merged into itself; name another.", ("intoTicketId",))
        ]
    if was.system != other.system:
        message = f"This ticket is of {was.system} and the other of {other.system}; merge tickets of one system."
        return [UserError(ErrorCode.CONFLICT, message, ("intoTicketId",))]
    if was.assessed.client != other.assessed.client:
        message = "The two tickets are of different clients; move this one to the other's client first."
        return [UserError(ErrorCode.CONFLICT, message, ("intoTicketId",))]
    return []


def _changes(work: Work, was: Stored, claim: Claim, written: Written) -> list[Consequence]:
    """Return what becomes of the ticket, and whose figures are restated by it, on how many days."""
    ticket = public(IdKind.TICKET, was.id)
    changes = []
    if isinstance(work, Move):
        before, after = _shown(was.assessed.client), _shown(claim.client)
        changes.append(Consequence(ConsequenceKind.TICKET, "client", before, after, subject=ticket))
    elif was.report.exclusion is not claim.report.exclusion:
        before, after = was.report.exclusion, claim.report.exclusion
        changes.append(Consequence(ConsequenceKind.TICKET, "exclusion", before, after, subject=ticket))
    else:
        return []
    restated = [
        Consequence(ConsequenceKind.CLIENT, "figures", count=len(touched.days), subject=_shown(client))
        for client, touched in sorted(written.clients.items(), key=lambda one: str(one[0]))
        if client is not None
    ]
    return [*changes, *restated]


def _shown(client: UUID | None) -> str | None:
    return None if client is None else public(IdKind.CLIENT, client)


async def _told(
    tx: Transaction,
    principal: Principal,
    request: Request,
    written: Written,
    subject: tuple[UUID, int, UUID | None],
    change: str,
    now: datetime,
) -> Outcome:
    """Tell of the ticket, and of the figures of every client that it touched."""
    ticket, version, client = subject
    await tell(tx, principal, request, written.clients, now)
    event = await publish(
        tx, principal, request, TicketChanged(change), subject=ticket, version=version, client=client, now=now
    )
    return Outcome(ticket, version, event)
