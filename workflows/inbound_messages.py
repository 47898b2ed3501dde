"""Inbound messages: interpreted in the order in which each source sent them, replayed after a fix, and forgotten."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import msgspec
import structlog

from db import clients, inbound_messages, inbound_sources, tenants
from db.errors import (
    DatabaseUnavailableError,
    DuplicateError,
    LockTimeoutError,
    RetryableError,
    StatementTimeoutError,
)
from db.inbound_messages import Waiting
from db.session import Transaction
from domain.access import Principal, Scope, system
from domain.errors import ErrorCode, Outcome, UserError, invalid
from domain.inbound import Delivery, InboundSource, MessageStatus
from domain.tickets import ReportedTicket
from integrations.adapters import ADAPTERS
from integrations.readings import Ignored, Unreadable
from workflows import tickets
from workflows.checks import fit, found, refusable
from workflows.commands import perform, tenant_by_tenant
from workflows.context import Channel, Context, Request
from workflows.tickets import MOST_TICKETS, IngestTickets

CLAIMED_FOR = timedelta(seconds=10)
"""How long a worker has a source's messages to itself; that of a killed one is taken over then."""
BATCH = 100
"""Messages of one source that are interpreted before the others' turn."""
MOST_ATTEMPTS = 5
"""A message at which so many workers ended, or gave up, is set aside."""
REPLAYED_MOST = 10_000
BODIES_KEPT = timedelta(days=30)
"""Of messages that went well or were ignored; what failed keeps its body, so that it can be replayed."""
MESSAGES_KEPT = timedelta(days=90)

_IN_THE_WAY = (DuplicateError, LockTimeoutError, RetryableError, StatementTimeoutError)
"""What may go well when tried again, though not for ever: it counts as an attempt."""

log = structlog.get_logger("steadystate.inbound")


@dataclass(frozen=True, slots=True)
class ReplayMessages:
    """Interpret messages once more: all of these statuses, of one source or of all, received in a period or ever."""

    statuses: tuple[MessageStatus, ...] = (MessageStatus.FAILED,)
    source_id: UUID | None = None
    received_from: datetime | None = None
    received_before: datetime | None = None
    dry_run: bool = False


async def interpret(context: Context) -> int:
    """Interpret what waits, each provider's and each source's in turn; return how many messages that were."""
    async with context.database.relaying() as relaying:
        waiting = await inbound_messages.tenants_waiting(relaying)
    return await tenant_by_tenant(waiting, partial(interpret_of, context))


async def interpret_of(context: Context, tenant: UUID) -> int:
    """Interpret what waits of one provider, a batch of each source; return how many messages that were."""
    principal = system(tenant)
    done, had = 0, list[UUID]()
    while True:
        now = context.clock()
        until = now + CLAIMED_FOR
        async with context.database.writing(principal) as tx:
            source_id = await inbound_sources.claim(tx, now, until, had)
            if source_id is None:
                return done
            await _set_aside(tx, source_id, now)
        had.append(source_id)
        alive = True
        try:
            done += await _interpret_source(context, principal, source_id)
        except _IN_THE_WAY:
            alive = False
            raise
        finally:
            async with context.database.writing(principal) as tx:
                if alive:
                    await inbound_messages.unattempt(tx, source_id)
                await inbound_sources.release(tx, source_id, until)


async def forget(context: Context) -> int:
    """Forget messages whose time is over, of every provider; return how many there were."""
    async with context.database.relaying() as relaying:
        providers = [tenant.id for tenant in await tenants.every(relaying)]

    async def forget_of(tenant: UUID) -> int:
        now = context.clock()
        async with context.database.writing(system(tenant)) as tx:
            await inbound_messages.forget(tx, now - BODIES_KEPT, now - MESSAGES_KEPT)
        return 0

    return await tenant_by_tenant(providers, forget_of)


async def replay(context: Context, principal: Principal, request: Request, message_id: UUID) -> Outcome:
    """Let one message be interpreted once more; what it says that is known already changes nothing."""
    principal.require(Scope.INBOUND_WRITE)
    now = context.clock()

    @refusable
    async def act(tx: Transaction) -> Outcome:
        message = found(await inbound_messages.lock(tx, message_id), "inbound message", "messageId")
        if not await inbound_messages.replay(tx, message.id, now):
            fit([_not_replayable(message.status)], message.id)
        return Outcome(message.id)

    return await perform(context, principal, request, "inboundMessageReplay", message_id, act)


async def replay_all(context: Context, principal: Principal, request: Request, command: ReplayMessages) -> Outcome:
    """Let up to 10,000 messages be interpreted once more, the oldest first; `Outcome.facts` holds how many.

    A dry run counts them.
    """
    principal.require(Scope.INBOUND_WRITE)
    now = context.clock()
    statuses = [status.value for status in command.statuses]

    @refusable
    async def act(tx: Transaction) -> Outcome:
        if not statuses or MessageStatus.RECEIVED in command.statuses:
            fit([invalid("Give at least one of DONE, IGNORED and FAILED: what is RECEIVED waits already.", "statuses")])
        if command.source_id is not None:
            found(await inbound_sources.get(tx, command.source_id), "inbound source", "sourceId")
        where = {
            "statuses": statuses,
            "source": command.source_id,
            "received_from": command.received_from,
            "received_before": command.received_before,
        }
        return Outcome(facts={"replayed": await inbound_messages.replay_many(tx, where, REPLAYED_MOST, now)})

    return await perform(context, principal, request, "inboundMessagesReplay", command, act, dry_run=command.dry_run)


async def _set_aside(tx: Transaction, source: UUID, now: datetime) -> None:
    """Count the attempt at the next message, and let it fail where attempts at it have ended too many workers."""
    attempt = await inbound_messages.attempt(tx, source)
    if attempt is not None and attempt[1] > MOST_ATTEMPTS:
        reason = (
            f"{MOST_ATTEMPTS} attempts at this message came to no end; replay it, or tell whoever operates the server."
        )
        await inbound_messages.settle(tx, attempt[0], MessageStatus.FAILED, now, reason=reason)


async def _interpret_source(context: Context, principal: Principal, source_id: UUID) -> int:
    for done in range(BATCH):
        current: list[UUID] = []
        try:
            if not await _interpret_next(context, principal, source_id, current):
                return done
        except (DatabaseUnavailableError, *_IN_THE_WAY):
            raise
        except Exception as error:
            if not current:
                raise
            log.exception("message not interpreted", message=str(current[0]), source=str(source_id))
            reason = (
                f"Something went wrong on our side ({type(error).__name__}); replay the message once it is put right."
            )
            async with context.database.writing(principal) as tx:
                now = context.clock()
                await inbound_messages.settle(tx, current[0], MessageStatus.FAILED, now, reason=reason)
    return BATCH


async def _interpret_next(context: Context, principal: Principal, source_id: UUID, current: list[UUID]) -> bool:
    """Interpret one message, in the one transaction that also writes what became of it."""
    async with context.database.writing(principal) as tx:
        source = await inbound_sources.get(tx, source_id)
        message = await inbound_messages.next_of(tx, source_id)
        if source is None or message is None:
            return False
        current.append(message.id)
        now = context.clock()
        zone = (await tenants.get(tx)).settings.zone
        try:
            await _check_client(tx, source)
            reports = _read(source, message, Delivery(message.received_at, zone))
        except Ignored as ignored:
            await inbound_messages.settle(tx, message.id, MessageStatus.IGNORED, now, reason=ignored.reason)
            return True
        except Unreadable as unreadable:
            await inbound_messages.settle(tx, message.id, MessageStatus.FAILED, now, reason=str(unreadable))
            return True
        request = Request(f"inbound {message.id.hex}", Channel.SYSTEM)
        command = IngestTickets(source.system, reports, source.client_id)
        written = await tickets.write(context, principal, request, tx, command)
        if isinstance(written, UserError):
            await inbound_messages.settle(tx, message.id, MessageStatus.FAILED, now, reason=written.message)
        else:
            await inbound_messages.settle(tx, message.id, MessageStatus.DONE, now, tickets=len(reports))
        return True


async def _check_client(tx: Transaction, source: InboundSource) -> None:
    client = await clients.get(tx, source.client_id) if source.client_id else None
    if client is not None and client.erased:
        raise Ignored("The client whose tickets these are is erased; disable the source.")


def _read(source: InboundSource, message: Waiting, delivery: Delivery) -> tuple[ReportedTicket, ...]:
    """Return what a message tells.

    Raises:
        Unreadable: it is no JSON, is not what its system documents, or tells twice of one ticket.
        Ignored: it tells of no ticket.
    """
    if message.body is None:
        raise Ignored("The body is no longer kept.")
    try:
        body = msgspec.json.decode(message.body)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError) as error:
        raise Unreadable("$", message.body, f"the body is no JSON that can be read ({error}).") from error
    reports = ADAPTERS[source.adapter].read(body, delivery)
    if not reports:
        raise Ignored("The message tells of no ticket.")
    _check_batch(reports)
    return reports


def _check_batch(reports: Sequence[ReportedTicket]) -> None:
    if len(reports) > MOST_TICKETS:
        raise Unreadable("$", reports, f"{len(reports)} tickets are too many for one message; send {MOST_TICKETS}.")
    seen: set[str] = set()
    for report in reports:
        if report.external_id in seen:
            raise Unreadable("$", report.external_id, "the ticket stands twice in the message; send each once.")
        seen.add(report.external_id)


def _not_replayable(status: MessageStatus) -> UserError:
    if status is MessageStatus.RECEIVED:
        message = "The message waits to be interpreted already; read it again in a moment."
    else:
        message = "The body of this message is no longer kept; let its system send it again."
    return UserError(ErrorCode.CONFLICT, message, ("messageId",))
