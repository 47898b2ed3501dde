"""Tickets come in: each is placed with its client, stamped with stage and phase, and counted at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from db import attribution, clients, facts, restamping, tenants, tickets
from db.session import Transaction
from domain.access import Principal, Scope, system
from domain.errors import ErrorCode, ForbiddenError, Outcome, UserError, refused
from domain.escalations import ClientHistory, EscalationRule, EscalationTest
from domain.movements import Assessed, assess
from domain.tickets import ReportedTicket
from workflows.commands import perform, tenant_by_tenant
from workflows.context import Channel, Context, Request, new_id
from workflows.restating import AT_ONCE, place, tell

DEFAULT_RULE = EscalationRule(EscalationTest.TIER_RAISED)
"""What an escalation is where the tenant has not said: handed to a higher line."""

MOST_TICKETS = 10_000
"""Tickets that one command may carry."""


@dataclass(frozen=True, slots=True)
class IngestTickets:
    """Tickets as one system reports them.

    With `client` all belong to that client; otherwise each one's own key is looked up among the clients'
    external references of this system, and a ticket whose key nobody has mapped is stored without a client.
    `rule` says what an escalation is in this system's tickets, if nothing was said before.
    """

    system: str
    tickets: tuple[ReportedTicket, ...]
    client: UUID | None = None
    rule: EscalationRule | None = None


async def ingest(context: Context, principal: Principal, request: Request, command: IngestTickets) -> Outcome:
    """Write a batch of tickets; what is stored already and says the same changes nothing.

    `Outcome.facts` holds `created`, `changed` and `unchanged`. Refused where a ticket stands twice in the
    batch, or belongs to a client that the caller doesn't see.
    """
    principal.require(Scope.TICKETS_WRITE)
    if errors := _malformed(command):
        return refused(*errors)

    async def act(tx: Transaction) -> Outcome:
        written = await write(context, principal, request, tx, command)
        if isinstance(written, UserError):
            return refused(written)
        counts = {"created": written.created, "changed": written.changed, "unchanged": written.unchanged}
        return Outcome(facts=counts)

    return await perform(context, principal, request, "ticketIngest", command, act)


async def write(
    context: Context, principal: Principal, request: Request, tx: Transaction, command: IngestTickets
) -> tickets.Written | UserError:
    """Write a batch inside a transaction that the caller has opened.

    Raises:
        ForbiddenError: a ticket of this number is stored for a client that the caller doesn't see.
    """
    now = context.clock()
    assessed = await _assess(tx, command, now)
    if principal.clients is not None and any(one.client not in principal.clients for one in assessed):
        return _unseen()
    written = await tickets.write(tx, command.system, assessed, now, new_id)
    if written.hidden:
        # Some of the batch is written by now: only an exception takes it back.
        raise ForbiddenError(_unseen().message)
    await tell(tx, principal, request, written.clients, now)
    return written


async def fold(context: Context) -> int:
    """Fold what has not been folded of every tenant, a batch each; return how many deltas there were."""
    async with context.database.relaying() as relaying:
        waiting = await facts.tenants_to_fold(relaying)
    return await tenant_by_tenant(waiting, partial(fold_one, context))


async def fold_one(context: Context, tenant: UUID) -> int:
    """Fold one batch of one tenant's deltas; return how many there were."""
    async with context.database.writing(system(tenant)) as tx:
        return await facts.fold(tx, context.clock())


async def attribute(context: Context) -> int:
    """Give tickets without a client theirs, where somebody has mapped their key since; return how many."""
    async with context.database.relaying() as relaying:
        providers = await tenants.every(relaying)

    async def attribute_one(tenant: UUID) -> int:
        principal = system(tenant)
        async with context.database.writing(principal) as tx:
            found = await restamping.mappable(tx, AT_ONCE)
            await place(tx, principal, _upkeep(), found, context.clock())
        return len(found)

    return await tenant_by_tenant((provider.id for provider in providers), attribute_one)


def _upkeep() -> Request:
    return Request(f"attribution {new_id()}", Channel.SYSTEM, historical=True)


async def _assess(tx: Transaction, command: IngestTickets, now: datetime) -> list[Assessed]:
    zone = (await tenants.get(tx)).settings.zone
    rule = await attribution.rule(tx, command.system)
    if rule is None:
        rule = command.rule or DEFAULT_RULE
        await attribution.add_rule(tx, new_id(), command.system, rule, now)
    owners = await _owners(tx, command)
    known = sorted({client for client in owners if client is not None})
    histories = await attribution.histories(tx, known)
    nothing = ClientHistory()
    return [
        assess(report, client, histories.get(client, nothing) if client else nothing, rule, zone)
        for report, client in zip(command.tickets, owners, strict=True)
    ]


async def _owners(tx: Transaction, command: IngestTickets) -> Sequence[UUID | None]:
    if command.client is not None:
        held = await clients.hold_kept(tx, command.client)
        return [held.client.id if held else command.client] * len(command.tickets)
    keys = {report.client for report in command.tickets if report.client is not None}
    mapped = await attribution.clients_of(tx, command.system, keys)
    return [mapped.get(report.client) if report.client is not None else None for report in command.tickets]


def _malformed(command: IngestTickets) -> list[UserError]:
    errors = []
    if len(command.tickets) > MOST_TICKETS:
        message = f"{len(command.tickets)} tickets are too many for one command; send at most {MOST_TICKETS}."
        errors.append(UserError(ErrorCode.INVALID, message, ("tickets",)))
    seen: set[str] = set()
    for index, report in enumerate(command.tickets):
        if report.external_id in seen:
            message = f"The ticket {report.external_id!r} stands twice in the batch; send each once."
            errors.append(UserError(ErrorCode.INVALID, message, ("tickets", str(index), "externalId")))
        seen.add(report.external_id)
    return errors


def _unseen() -> UserError:
    return UserError(
        ErrorCode.NOT_ALLOWED,
        "A ticket of this batch belongs to no client or to one that you do not see; nothing was written.",
        ("tickets",),
    )
