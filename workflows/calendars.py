"""Calendars: those that sites and contracts have of their own, set and taken away with all that follows."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from db import calendars, contracts, cycles, escalation_rules, sites, tenants
from db.session import Transaction
from domain.access import Principal, Scope
from domain.calendars import Calendar, CalendarSource
from domain.changes import UNCHANGED, Change
from domain.clients import Contract
from domain.consequences import Consequence, ConsequenceKind, told
from domain.errors import ErrorCode, Outcome, UserError, invalid
from domain.events import ContractChanged, Event, SiteChanged
from domain.ids import IdKind, public
from domain.own_calendars import CalendarOwner, CalendarVersion
from domain.retargeting import UNDER_WAY
from domain.sites import Site
from domain.timeline import TimelineKind
from workflows import belongings
from workflows.belongings import Edited, held, noted
from workflows.checks import fit, found, fresh, refusable
from workflows.commands import perform
from workflows.context import Context, Request, new_id
from workflows.rederiving import rederive_hours
from workflows.retargeting import retarget, tell_retargeted
from workflows.working_weeks import Terms, calendar_of

_FIELDS = ("calendar",)
_KINDS = {CalendarSource.SITE: IdKind.SITE, CalendarSource.CONTRACT: IdKind.CONTRACT}


@dataclass(frozen=True, slots=True)
class SetCalendar:
    """Give a site or a contract a calendar of its own, or with no terms take it away.

    What the terms leave out is as in the provider's calendar now; a site's own zone comes before the provider's.
    """

    owner: UUID
    terms: Change[Terms | None]
    expected_version: int | None = None
    dry_run: bool = False


async def set_site(context: Context, principal: Principal, request: Request, command: SetCalendar) -> Outcome:
    """Set the calendar by which the onboardings of a site count.

    Raises:
        ForbiddenError: the caller may not write clients.
    """
    principal.require(Scope.CLIENTS_WRITE)
    now = context.clock()

    @refusable
    async def act(tx: Transaction) -> Outcome:
        terms = _given(command)
        seen = found(await sites.get(tx, command.owner), "site", "siteId")
        await held(tx, principal, seen.client_id, "siteId", alone=True)
        site = found(await sites.lock(tx, command.owner), "site", "siteId")
        fresh(site, command.expected_version)
        fit(_archived_faults(site), site.id)
        if terms is not None and terms.zone is UNCHANGED and site.zone is not None:
            terms = replace(terms, zone=ZoneInfo(site.zone))
        owner = CalendarOwner(CalendarSource.SITE, site.id)
        changes = await _succeed(tx, principal, request, owner, site.client_id, terms, now)
        if not changes:
            return Outcome(site.id, site.version, facts=told(()))
        changed = replace(site, version=site.version + 1)
        await sites.save(tx, changed)
        event = SiteChanged(created=False, archived=False, fields=_FIELDS)
        return await _told(tx, principal, request, event, changed, changes, now)

    return await perform(context, principal, request, "siteCalendarSet", command, act, dry_run=command.dry_run)


async def set_contract(context: Context, principal: Principal, request: Request, command: SetCalendar) -> Outcome:
    """Set the calendar by which the onboardings under a contract and its client's tickets count: its coverage hours.

    Raises:
        ForbiddenError: the caller may not write clients.
    """
    principal.require(Scope.CLIENTS_WRITE)
    now = context.clock()

    @refusable
    async def act(tx: Transaction) -> Outcome:
        terms = _given(command)
        await escalation_rules.alone(tx)
        seen = found(await contracts.get(tx, command.owner), "contract", "contractId")
        await held(tx, principal, seen.client_id, "contractId", alone=True)
        contract = found(await contracts.lock(tx, command.owner), "contract", "contractId")
        fresh(contract, command.expected_version)
        owner = CalendarOwner(CalendarSource.CONTRACT, contract.id)
        changes = await _succeed(tx, principal, request, owner, contract.client_id, terms, now)
        if not changes:
            return Outcome(contract.id, contract.version, facts=told(()))
        await rederive_hours(tx, context, principal, request, contract.client_id)
        changed = replace(contract, version=contract.version + 1)
        await contracts.save(tx, changed)
        edited = Edited(TimelineKind.CONTRACT_EDITED, contract.id, contract.client_id, _FIELDS)
        await noted(tx, principal, request, edited, now)
        event = ContractChanged(created=False, status=contract.status.value, fields=_FIELDS)
        return await _told(tx, principal, request, event, changed, changes, now)

    return await perform(context, principal, request, "contractCalendarSet", command, act, dry_run=command.dry_run)


def _given(command: SetCalendar) -> Terms | None:
    if command.terms is UNCHANGED:
        fit([invalid("Give a calendar, or null to take its own away.", "calendar")])
        raise AssertionError
    return command.terms


async def _succeed(
    tx: Transaction,
    principal: Principal,
    request: Request,
    owner: CalendarOwner,
    client: UUID,
    terms: Terms | None,
    now: datetime,
) -> list[Consequence]:
    """Let another calendar be in force for a client's site or contract, and return what that changes."""
    settings = (await tenants.get(tx)).settings
    latest = await calendars.latest(tx, owner)
    current = latest.calendar if latest else None
    wanted = _own(settings.calendar, owner, terms, latest.version + 1 if latest else 1, now)
    if wanted == current or (wanted and current and replace(wanted, version=current.version) == current):
        return []
    before = await calendars.in_force(tx, [client])
    under_way = await cycles.lock_under_way(tx, UNDER_WAY, client)
    await calendars.close(tx, owner, now)
    version = CalendarVersion(latest.version + 1 if latest else 1, wanted, now, None)
    await calendars.add(tx, new_id(), owner, version, client)
    after = await calendars.in_force(tx, [client])
    concerned = [one for one in under_way if before.of(one) != after.of(one)]
    moved = await retarget(tx, concerned, after, settings, now)
    await tell_retargeted(tx, principal, request, moved, now)
    change = Consequence(
        ConsequenceKind.CALENDAR,
        name=owner.source.value,
        before=str(current.version) if current else None,
        after=str(wanted.version) if wanted else None,
        subject=public(_KINDS[owner.source], owner.id) if owner.id else None,
    )
    return [change, *(one.consequence() for one in moved)]


def _own(tenant: Calendar, owner: CalendarOwner, terms: Terms | None, version: int, now: datetime) -> Calendar | None:
    """Return the calendar that is asked for, with all that is left out as in the provider's.

    Refuses one that cannot be.
    """
    if terms is None:
        return None
    calendar, errors = calendar_of(tenant, terms, now.year)
    fit((replace(error, path=("calendar", *error.path)) for error in errors), owner.id)
    return replace(calendar, version=version, source=owner.source, owner_id=owner.id)


async def _told(
    tx: Transaction,
    principal: Principal,
    request: Request,
    event: Event,
    changed: Site | Contract,
    changes: list[Consequence],
    now: datetime,
) -> Outcome:
    outcome = await belongings.told(tx, principal, request, event, changed, changed.client_id, now)
    return replace(outcome, facts=told(changes))


def _archived_faults(site: Site) -> list[UserError]:
    if site.archived_at is None:
        return []
    message = f"This site was archived on {site.archived_at:%Y-%m-%d} and stays as it was; make a new one."
    return [UserError(ErrorCode.CONFLICT, message, ("siteId",))]
