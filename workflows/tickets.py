"""Tickets come in: each is placed with its client, stamped with stage and phase, and counted at once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from uuid import UUID
from zoneinfo import ZoneInfo

from db import attribution, clients, facts, restamping, stored_tickets, tenants, tickets
from db import terms as db_terms
from db.session import Transaction
from db.stored_tickets import Stored
from db.terms import Term, TermKind
from domain.access import Principal, Scope, system
from domain.calendars import Calendar
from domain.errors import ErrorCode, ForbiddenError, Outcome, UserError, refused
from domain.escalations import EscalationRule, EscalationTest
from domain.ids import IdKind
from domain.movements import Assessed, Subjects, Surroundings, assess
from domain.sightings import seen
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
    world = await _world(tx, command, now)
    total, left, raced = tickets.Written(), list(command.tickets), frozenset[str]()
    while left:
        stored = await stored_tickets.locked(tx, command.system, [one.external_id for one in left], world.zone)
        news = [one for one in left if not (was := stored.get(one.external_id)) or not was.is_newer_than(one)]
        assessed, agents = await _assess(tx, world, command, news, stored, now)
        if principal.clients is not None and any(one.client not in principal.clients for one in assessed):
            return _unseen()
        written = await tickets.write(tx, command.system, assessed, stored, agents, now, new_id)
        total += replace(written, unchanged=written.unchanged + len(left) - len(news))
        if written.raced and written.raced == raced:
            # Twice they were not there to be read, and there when they were written: they are of clients not seen.
            # Some of the batch is written by now: only an exception takes it back.
            raise ForbiddenError(_unseen().message)
        raced = written.raced
        left = [one for one in left if one.external_id in raced]
    await tell(tx, principal, request, total.clients, now)
    return total


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


@dataclass(frozen=True, slots=True)
class _World:
    """What a tenant knows for the tickets of one system."""

    zone: ZoneInfo
    calendar: Calendar
    rule: EscalationRule
    client: UUID | None


async def _world(tx: Transaction, command: IngestTickets, now: datetime) -> _World:
    settings = (await tenants.get(tx)).settings
    rule = await attribution.rule(tx, command.system)
    if rule is None:
        rule = command.rule or DEFAULT_RULE
        await attribution.add_rule(tx, new_id(), command.system, rule, now)
    client = command.client
    if client is not None and (held := await clients.hold_kept(tx, client)):
        client = held.client.id
    return _World(settings.zone, settings.calendar, rule, client)


async def _assess(
    tx: Transaction,
    world: _World,
    command: IngestTickets,
    news: Sequence[ReportedTicket],
    stored: Mapping[str, Stored],
    now: datetime,
) -> tuple[list[Assessed], dict[str, UUID]]:
    """Return what reports come to beside what was known of them, and the ids of the people whom they name."""
    befores = [stored.get(one.external_id) for one in news]
    reports = [seen(was.report if was else None, one) for one, was in zip(news, befores, strict=True)]
    terms = await db_terms.named(tx, {term for one in reports for term in _terms(command.system, one)}, new_id)
    owners = await _owners(tx, world, command.system, reports, befores)
    known = sorted({client for client in owners if client is not None})
    histories = await attribution.histories(tx, known)
    hours = await attribution.coverage(tx, known)
    keys = sorted({key for one in reports for key in (one.site, one.device) if key is not None})
    belongings = await attribution.belongings(tx, command.system, known, keys)
    nothing = Surroundings(world.zone, world.calendar, world.rule)
    around = {
        client: Surroundings(world.zone, hours.get(client, world.calendar), world.rule, histories[client])
        for client in known
    }
    assessed = [
        assess(
            one,
            _subjects(command.system, one, client, was, terms, belongings),
            around.get(client, nothing) if client else nothing,
            now,
        )
        for one, client, was in zip(reports, owners, befores, strict=True)
    ]
    return assessed, {term.name: key for term, key in terms.items() if term.kind is TermKind.AGENT}


def _terms(system: str, report: ReportedTicket) -> Iterator[Term]:
    if report.category is not None:
        yield Term(TermKind.CATEGORY, report.category)
    for had in report.hand_overs:
        if had.agent is not None:
            yield Term(TermKind.AGENT, had.agent, system)
    if report.hand_overs and (team := report.hand_overs[-1].team) is not None:
        yield Term(TermKind.TEAM, team)


def _subjects(
    system: str,
    report: ReportedTicket,
    client: UUID | None,
    was: Stored | None,
    terms: Mapping[Term, UUID],
    belongings: Mapping[tuple[UUID, IdKind, str], UUID],
) -> Subjects:
    last = report.hand_overs[-1] if report.hand_overs else None
    return Subjects(
        client=client,
        site=belongings.get((client, IdKind.SITE, report.site)) if client and report.site else None,
        device=belongings.get((client, IdKind.DEVICE, report.device)) if client and report.device else None,
        category=terms[Term(TermKind.CATEGORY, report.category)] if report.category is not None else None,
        team=terms[Term(TermKind.TEAM, last.team)] if last and last.team is not None else None,
        agent=terms[Term(TermKind.AGENT, last.agent, system)] if last and last.agent is not None else None,
        pinned=was is not None and was.assessed.subjects.pinned,
    )


async def _owners(
    tx: Transaction,
    world: _World,
    system: str,
    reports: Sequence[ReportedTicket],
    befores: Sequence[Stored | None],
) -> list[UUID | None]:
    """Return whose tickets they are: of those that a person gave a client, that one's."""
    if world.client is None:
        mapped = await attribution.clients_of(
            tx, system, {report.client for report in reports if report.client is not None}
        )
        owners = [mapped.get(report.client) if report.client is not None else None for report in reports]
    else:
        owners = [world.client] * len(reports)
    return [
        was.assessed.client if was and was.assessed.subjects.pinned else owner
        for owner, was in zip(owners, befores, strict=True)
    ]


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
