"""Tickets come in: each is placed with its client, stamped with stage and phase, and counted at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from uuid import UUID

from db import access, attribution, clients, facts, restamping, savepoints, stored_tickets, tenants, tickets
from db.session import Transaction
from db.stored_tickets import Stored
from domain.access import Principal, Reach, Scope, system
from domain.errors import ErrorCode, ForbiddenError, Outcome, UserError, refused
from domain.escalations import EscalationRule
from domain.sightings import seen
from domain.tickets import ReportedTicket
from workflows.assessing import DEFAULT_RULE, Claim, assessed, world
from workflows.commands import perform, tenant_by_tenant
from workflows.context import Channel, Context, Request, new_id
from workflows.restating import AT_ONCE, place, tell

__all__ = ["DEFAULT_RULE", "MOST_TICKETS", "IngestTickets", "attribute", "fold", "fold_one", "ingest", "reach", "write"]

MOST_TICKETS = 10_000
"""Tickets that one command may carry."""


@dataclass(frozen=True, slots=True)
class Unseen(UserError):
    """Tickets of these numbers belong to no client, or to one that the caller doesn't see."""

    numbers: frozenset[str] = frozenset()


class UnseenError(ForbiddenError):
    """Tickets of these numbers are stored for clients that the caller doesn't see."""

    def __init__(self, message: str, external_ids: frozenset[str]) -> None:
        super().__init__(message)
        self.external_ids = external_ids


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
            return refused(UserError(written.code, written.message, written.path))
        counts = {"created": written.created, "changed": written.changed, "unchanged": written.unchanged}
        return Outcome(facts=counts)

    return await perform(context, principal, request, "ticketIngest", command, act)


async def write(
    context: Context, principal: Principal, request: Request, tx: Transaction, command: IngestTickets
) -> tickets.Written | Unseen:
    """Write a batch inside a transaction that the caller has opened.

    Raises:
        ForbiddenError: a ticket of this number is stored for a client that the caller doesn't see.
    """
    now = context.clock()
    here = await world(tx, command.system, now, command.rule)
    client = command.client
    if client is not None and (held := await clients.hold_kept(tx, client)):
        client = held.client.id
    own = await reach(tx, principal)
    # Clients stand still before tickets are locked, as for whoever merges or corrects them: nobody waits in a circle.
    owners = await _mapped(tx, command.system, command.tickets) if client is None else client
    batch, raced = command.tickets, frozenset[str]()
    while True:
        await savepoints.begin(tx)
        stored = await stored_tickets.locked(tx, command.system, [one.external_id for one in batch], here.zone)
        news = [one for one in batch if not (was := stored.get(one.external_id)) or not was.is_newer_than(one)]
        claims = _claims(owners, news, stored)
        if own is not None and (unseen := _beyond(own, claims, stored)):
            await savepoints.take_back(tx)
            return _unseen(unseen)
        found, agents = await assessed(tx, here, command.system, claims, now)
        written = await tickets.write(tx, command.system, found, stored, agents, now, new_id)
        if not written.raced:
            await savepoints.keep(tx)
            break
        # Somebody wrote some of them meanwhile. Waiting for others with these in hand could be a circle: let go, and
        # begin with all that is there by now.
        await savepoints.take_back(tx)
        if written.raced == raced:
            # Twice they were not there to be read, and there when they were written: they are of clients not seen.
            raise UnseenError(_unseen(raced).message, raced)
        raced = written.raced
    event = await tell(tx, principal, request, written.clients, now)
    return replace(written, unchanged=written.unchanged + len(batch) - len(news), event=event)


async def reach(tx: Transaction, principal: Principal) -> frozenset[UUID | None] | None:
    """Return the clients whose tickets the caller may write, or `None` for all, unmapped ones too.

    A person's right that holds for their own clients alone holds for those whose team they are on, or on which they
    stand in for somebody.
    """
    if principal.scopes.get(Scope.TICKETS_WRITE) is Reach.OWN:
        return await access.team_clients(tx, [principal.id, *sorted(principal.absent)])
    return principal.clients


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


async def _mapped(tx: Transaction, system: str, reports: Sequence[ReportedTicket]) -> Mapping[str, UUID]:
    """Return the clients that reports name by their keys, which stand still until the transaction ends."""
    return await attribution.clients_of(tx, system, {one.client for one in reports if one.client is not None})


def _claims(
    owners: Mapping[str, UUID] | UUID, news: Sequence[ReportedTicket], stored: Mapping[str, Stored]
) -> list[Claim]:
    """Return the whole reports, and whose they are; what a person decided of a ticket stays as it was decided."""
    claims = []
    for one in news:
        was = stored.get(one.external_id)
        if isinstance(owners, UUID):
            owner: UUID | None = owners
        else:
            owner = owners.get(one.client) if one.client is not None else None
        if was is None:
            claims.append(Claim(seen(None, one), owner))
            continue
        decided, report = was.assessed.subjects, seen(was.report, was.recognised(one))
        if decided.exclusion_pinned:
            report = replace(report, exclusion=was.report.exclusion, merged_into=was.report.merged_into)
        if decided.pinned:
            owner = was.assessed.client
        claims.append(Claim(report, owner, decided.pinned, decided.exclusion_pinned, was=was))
    return claims


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


def _beyond(own: frozenset[UUID | None], claims: Sequence[Claim], stored: Mapping[str, Stored]) -> frozenset[str]:
    """Return the numbers of tickets that are, or would be, of clients beyond the caller's own."""
    wanted = {one.report.external_id for one in claims if one.client not in own}
    return frozenset(wanted | {number for number, one in stored.items() if one.assessed.client not in own})


def _unseen(numbers: frozenset[str]) -> Unseen:
    message = "A ticket of this batch belongs to no client or to one that you do not see; nothing was written."
    return Unseen(ErrorCode.NOT_ALLOWED, message, ("tickets",), numbers)
