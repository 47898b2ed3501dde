"""Assessing: what reports come to beside what a tenant knows of their clients, its hours and its rules."""

from collections import ChainMap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from db import attribution, escalation_rules, stored_tickets, tenants, tickets
from db import terms as db_terms
from db.session import Transaction
from db.stored_tickets import Stored
from db.terms import Term, TermKind
from db.tickets import Agents, Written
from domain.calendars import Calendar
from domain.escalations import EscalationRule, EscalationTest, RuleVersion
from domain.ids import IdKind
from domain.movements import Assessed, Subjects, Surroundings, assess
from domain.tickets import ReportedTicket
from workflows.context import new_id

DEFAULT_RULE = EscalationRule(EscalationTest.TIER_RAISED)
"""What an escalation is where the tenant has not said: handed to a higher line."""


@dataclass(frozen=True, slots=True)
class World:
    """What a tenant knows for the tickets of one system."""

    zone: ZoneInfo
    calendar: Calendar
    rule: EscalationRule


@dataclass(frozen=True, slots=True)
class Claim:
    """A whole report and whose ticket it is; `places` are its site and device where no key of the source says them.

    `was` is the ticket as it is stored, if it is.
    """

    report: ReportedTicket
    client: UUID | None
    pinned: bool = False
    exclusion_pinned: bool = False
    places: tuple[UUID | None, UUID | None] | None = None
    was: Stored | None = None

    @classmethod
    def of(cls, stored: Stored) -> "Claim":
        """Return the claim that a stored ticket makes as it stands."""
        subjects = stored.assessed.subjects
        return cls(
            stored.report,
            subjects.client,
            subjects.pinned,
            subjects.exclusion_pinned,
            (subjects.site, subjects.device),
            stored,
        )


async def world(tx: Transaction, system: str, now: datetime, rule: EscalationRule | None = None) -> World:
    """Return the tenant's zone, hours and rule for a system, which stay so until the transaction ends.

    A system's first rule is `rule`, or the usual one.
    """
    await escalation_rules.hold(tx)
    settings = (await tenants.get(tx)).settings
    newest = await escalation_rules.newest_of(tx, system)
    held = newest.rule if newest else rule or DEFAULT_RULE
    if newest is None:
        await escalation_rules.add(tx, RuleVersion(new_id(), system, held, now, applied_at=now))
    return World(settings.zone, settings.calendar, held)


async def assessed(
    tx: Transaction, world: World, system: str, claims: Sequence[Claim], now: datetime
) -> tuple[list[Assessed], Agents]:
    """Return what claims come to, and the ids of the people whom they name; their clients stand still until the end."""
    terms = await _terms_of(tx, system, claims)
    known = sorted({one.client for one in claims if one.client is not None})
    histories = await attribution.histories(tx, known)
    hours = await attribution.coverage(tx, known)
    keys = sorted({key for one in claims if one.places is None for key in _keys(one.report)})
    belongings = await attribution.belongings(tx, system, known, keys)
    nothing = Surroundings(world.zone, world.calendar, world.rule)
    around = {
        client: Surroundings(world.zone, hours.get(client, world.calendar), world.rule, histories[client])
        for client in known
    }
    found = [
        assess(
            one.report,
            _subjects(system, one, its_terms, belongings),
            around.get(one.client, nothing) if one.client else nothing,
            now,
        )
        for one, its_terms in zip(claims, terms, strict=True)
    ]
    agents = {
        (one.report.external_id, had.agent): its_terms[Term(TermKind.AGENT, had.agent, system)]
        for one, its_terms in zip(claims, terms, strict=True)
        for had in one.report.hand_overs
        if had.agent is not None
    }
    return found, agents


async def _terms_of(tx: Transaction, system: str, claims: Sequence[Claim]) -> list[Mapping[Term, UUID]]:
    """Return for each claim the ids of its terms: those by which its ticket is known, the others by their names."""
    known = [one.was.terms if one.was is not None else {} for one in claims]
    unknown = {
        term for one, its in zip(claims, known, strict=True) for term in _terms(system, one.report) if term not in its
    }
    named = await db_terms.named(tx, unknown, new_id)
    return [ChainMap(its, named) if its else named for its in known]


async def rewrite(
    tx: Transaction, system: str, changed: Mapping[UUID, Claim], stored: Mapping[UUID, Stored], now: datetime
) -> Written:
    """Write locked tickets of one system anew as they are claimed to be; what comes to the same stays as it is."""
    here = await world(tx, system, now)
    found, agents = await assessed(tx, here, system, list(changed.values()), now)
    befores = {stored[key].report.external_id: stored[key] for key in changed}
    return await tickets.write(tx, system, found, befores, agents, now, new_id)


async def locked(tx: Transaction, ids: Sequence[UUID]) -> dict[UUID, Stored]:
    """Return tickets by their ids, as far as they are there and visible, kept from changing, and the rules still."""
    await escalation_rules.hold(tx)
    return await stored_tickets.locked_by_id(tx, ids, (await tenants.get(tx)).settings.zone)


def _keys(report: ReportedTicket) -> Iterator[str]:
    yield from (key for key in (report.site, report.device) if key is not None)


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
    claim: Claim,
    terms: Mapping[Term, UUID],
    belongings: Mapping[tuple[UUID, IdKind, str], UUID],
) -> Subjects:
    report, client = claim.report, claim.client
    last = report.hand_overs[-1] if report.hand_overs else None
    if claim.places is not None:
        site, device = claim.places
    else:
        site = belongings.get((client, IdKind.SITE, report.site)) if client and report.site else None
        device = belongings.get((client, IdKind.DEVICE, report.device)) if client and report.device else None
    return Subjects(
        client=client,
        site=site,
        device=device,
        category=terms[Term(TermKind.CATEGORY, report.category)] if report.category is not None else None,
        team=terms[Term(TermKind.TEAM, last.team)] if last and last.team is not None else None,
        agent=terms[Term(TermKind.AGENT, last.agent, system)] if last and last.agent is not None else None,
        pinned=claim.pinned,
        exclusion_pinned=claim.exclusion_pinned,
    )
