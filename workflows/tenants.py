"""Tenants: making a provider, and changing what it has decided for itself."""

from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from db import calendars, cycles, definitions, escalation_rules, members, tenants, tokens
from db.session import Transaction
from domain import consequences
from domain.access import Principal, Role, Scope, system
from domain.calendars import Calendar, CalendarSource
from domain.changes import UNCHANGED, Change, differences
from domain.clients import NAME_LIMIT, is_email
from domain.consequences import Consequence, ConsequenceKind
from domain.default_checklists import first_rules
from domain.definitions import Definition
from domain.errors import ErrorCode, Outcome, UserError, invalid
from domain.events import MemberChanged, TenantChanged
from domain.ids import IdKind, public
from domain.members import Member
from domain.own_calendars import OWN, CalendarVersion
from domain.periods import Weekday
from domain.retargeting import UNDER_WAY
from domain.tenants import SLUG_EXPECTED, Tenant, TenantSettings, is_language, is_slug
from domain.texts import is_line
from domain.tokens import Token, TokenKind
from workflows.checks import fit, fresh, refusable
from workflows.commands import perform, publish
from workflows.context import Context, Request, new_id
from workflows.credentials import Issued, Secret, issued, new_secret
from workflows.public_holidays import UnknownRegionError, public_holidays
from workflows.rederiving import rederive_hours
from workflows.retargeting import retarget, tell_retargeted
from workflows.working_weeks import Terms, Week, calendar_of

RETENTION_MOST = 240
"""Months for which data that nobody needs may be kept, if not for ever."""


@dataclass(frozen=True, slots=True)
class CreateTenant:
    slug: str
    name: str
    zone: ZoneInfo
    admin_name: str
    admin_email: str
    country: str | None = None
    language: str = "en"


@dataclass(frozen=True, slots=True)
class UpdateSettings:
    """Change what is given; `hours` replaces the whole week."""

    name: Change[str] = UNCHANGED
    zone: Change[ZoneInfo] = UNCHANGED
    week_start: Change[Weekday] = UNCHANGED
    hours: Change[Week] = UNCHANGED
    country: Change[str | None] = UNCHANGED
    subdivision: Change[str | None] = UNCHANGED
    own_days: Change[tuple[date, ...]] = UNCHANGED
    language: Change[str] = UNCHANGED
    brand: Change[str | None] = UNCHANGED
    sandbox: Change[bool] = UNCHANGED
    hard_waiver_persons: Change[int] = UNCHANGED
    escalation_rate_limit: Change[float | None] = UNCHANGED
    retention_lost_months: Change[int | None] = UNCHANGED
    retention_off_boarded_months: Change[int | None] = UNCHANGED
    expected_version: int | None = None
    dry_run: bool = False


async def create(context: Context, request: Request, command: CreateTenant) -> Issued:
    """Make a provider with its first admin and their token; from the command line alone."""
    now = context.clock()
    principal = system(new_id())
    made: Secret | None = None

    @refusable
    async def act(tx: Transaction) -> Outcome:
        nonlocal made
        made = None
        fit(_creation_faults(command))
        holidays = public_holidays(command.country, None, now.year) if command.country else frozenset()
        calendar = replace(Calendar.weekdays(command.zone, holidays=holidays), country=command.country)
        settings = TenantSettings(calendar=calendar, language=command.language)
        tenant = Tenant(principal.tenant_id, command.slug, command.name.strip(), settings, now, 1)
        if not await tenants.add(tx, tenant):
            message = f"There is a provider called {command.slug} already; choose another slug."
            fit([UserError(ErrorCode.ALREADY_EXISTS, message, ("slug",))])
        await definitions.add(tx, Definition(new_id(), 1, first_rules(), now))
        name, email = command.admin_name.strip(), command.admin_email.lower()
        admin = Member(new_id(), name, email, (Role.ADMIN,), True, None, now, 1)  # noqa: FBT003
        await members.add(tx, admin)
        event = MemberChanged(created=True, active=True, roles=(Role.ADMIN.value,))
        told = await publish(tx, principal, request, event, subject=admin.id, version=1, client=None, now=now)
        made = await _first_token(tx, admin)
        return Outcome(tenant.id, 1, told)

    return issued(await perform(context, principal, request, "tenantCreate", command, act), made)


async def update_settings(context: Context, principal: Principal, request: Request, command: UpdateSettings) -> Outcome:
    """Change a provider's name, calendar and rules; a calendar that changes gets the next version.

    The targets of the open onboardings that count by it move with it, and a job measures the tickets anew.
    """
    principal.require(Scope.TENANT_WRITE)
    now = context.clock()

    @refusable
    async def act(tx: Transaction) -> Outcome:
        await escalation_rules.alone(tx)
        tenant = await tenants.lock(tx)
        fresh(tenant, command.expected_version)
        changed, errors = _changed(tenant, command, now.year)
        if changed.settings.zone != tenant.settings.zone and await tenants.has_tickets(tx):
            message = (
                f"The zone stays {tenant.settings.zone.key}: tickets are counted by its local days already; "
                "make another provider for another zone."
            )
            errors.append(UserError(ErrorCode.CONFLICT, message, ("zone",)))
        fit(errors, tenant.id)
        fields = _fields_changed(tenant, changed)
        if not fields:
            return Outcome(tenant.id, tenant.version, facts=consequences.told(()))
        changed = replace(changed, version=tenant.version + 1)
        changes = await _succeed(tx, principal, request, tenant, changed, now)
        if changed.settings.calendar != tenant.settings.calendar:
            await rederive_hours(tx, context, principal, request)
        event = TenantChanged(fields=fields)
        told = await publish(
            tx, principal, request, event, subject=tenant.id, version=changed.version, client=None, now=now
        )
        return Outcome(tenant.id, changed.version, told, facts=consequences.told(changes))

    name = "tenantSettingsUpdate"
    return await perform(context, principal, request, name, command, act, dry_run=command.dry_run)


async def _succeed(
    tx: Transaction, principal: Principal, request: Request, before: Tenant, after: Tenant, now: datetime
) -> list[Consequence]:
    """Write a provider's settings; if its calendar changed, keep both versions and set the targets anew."""
    old, new = before.settings.calendar, after.settings.calendar
    if old == new:
        await tenants.save(tx, after)
        return []
    under_way = await cycles.lock_under_way(tx, UNDER_WAY)
    await tenants.save(tx, after)
    if not await calendars.close(tx, OWN, now):
        await calendars.add(tx, new_id(), OWN, CalendarVersion(old.version, old, before.created_at, now))
    await calendars.add(tx, new_id(), OWN, CalendarVersion(new.version, new, now, None))
    counting = await calendars.in_force(tx)
    concerned = [one for one in under_way if counting.of(one).source is CalendarSource.TENANT]
    moved = await retarget(tx, concerned, counting, after.settings, now)
    await tell_retargeted(tx, principal, request, moved, now)
    change = Consequence(
        ConsequenceKind.CALENDAR,
        name=CalendarSource.TENANT.value,
        before=str(old.version),
        after=str(new.version),
        subject=public(IdKind.TENANT, before.id),
    )
    return [change, *(one.consequence() for one in moved)]


async def _first_token(tx: Transaction, admin: Member) -> Secret:
    secret = new_secret(TokenKind.PERSONAL)
    name, kind = "First token", TokenKind.PERSONAL
    made_at = admin.created_at
    token = Token(new_id(), kind, admin.id, name, secret.prefix, (), None, None, made_at, None, None, None, 1)
    await tokens.add(tx, token, secret.hash)
    return secret


def _creation_faults(command: CreateTenant) -> list[UserError]:
    errors = []
    if not is_slug(command.slug):
        errors.append(invalid(f"{command.slug[:60]!r} is no slug: give {SLUG_EXPECTED}.", "slug"))
    errors += [*_name_faults(command.name, "name"), *_name_faults(command.admin_name, "adminName")]
    errors += _language_faults(command.language)
    if command.country:
        try:
            public_holidays(command.country, None, 2000)
        except UnknownRegionError as error:
            errors.append(invalid(str(error), "country"))
    if not is_email(command.admin_email):
        message = f"{command.admin_email[:60]!r} is no e-mail address; give one like ada@example.org."
        errors.append(invalid(message, "adminEmail"))
    return errors


def _changed(tenant: Tenant, command: UpdateSettings, year: int) -> tuple[Tenant, list[UserError]]:
    """Return the provider as it would be, and what stands against it."""
    errors: list[UserError] = []
    names = (
        "language",
        "brand",
        "sandbox",
        "hard_waiver_persons",
        "escalation_rate_limit",
        "retention_lost_months",
        "retention_off_boarded_months",
    )
    settings = replace(
        tenant.settings, **differences(tenant.settings, {name: getattr(command, name) for name in names})
    )
    name = tenant.name if command.name is UNCHANGED else command.name.strip()
    errors += [*_name_faults(name, "name"), *_language_faults(settings.language)]
    if settings.brand is not None:
        errors += _name_faults(settings.brand, "brand")
    if settings.hard_waiver_persons not in (1, 2):
        asked = settings.hard_waiver_persons
        message = f"The waiver of a hard gate takes 1 or 2 people, not {asked}."
        errors.append(invalid(message, "hardWaiverPersons"))
    errors += _retention_faults(settings)
    limit = settings.escalation_rate_limit
    if limit is not None and not 0 <= limit <= 1:
        message = f"{limit} is no share: give a limit from 0 to 1, such as 0.25, or none."
        errors.append(invalid(message, "escalationRateLimit"))
    terms = Terms(**{field.name: getattr(command, field.name) for field in fields(Terms)})
    calendar, faults = calendar_of(settings.calendar, terms, year)
    if calendar != settings.calendar:
        calendar = replace(calendar, version=calendar.version + 1)
    return replace(tenant, name=name, settings=replace(settings, calendar=calendar)), [*errors, *faults]


def _fields_changed(before: Tenant, after: Tenant) -> tuple[str, ...]:
    named = ("name",) if before.name != after.name else ()
    old, new = before.settings.to_data(), after.settings.to_data()
    return (*named, *(key for key in old if old[key] != new[key]))


def _retention_faults(settings: TenantSettings) -> list[UserError]:
    periods = {
        "retentionLostMonths": settings.retention_lost_months,
        "retentionOffBoardedMonths": settings.retention_off_boarded_months,
    }
    return [
        invalid(f"{months} is no period: give 1 to {RETENTION_MOST} months, or none to keep it for ever.", field)
        for field, months in periods.items()
        if months is not None and not 1 <= months <= RETENTION_MOST
    ]


def _name_faults(name: str, field: str) -> list[UserError]:
    if 1 <= len(name.strip()) <= NAME_LIMIT and is_line(name):
        return []
    return [invalid(f"A name has 1 to {NAME_LIMIT} printable characters; give one.", field)]


def _language_faults(language: str) -> list[UserError]:
    if is_language(language):
        return []
    return [invalid(f"{language[:40]!r} is no language tag; give one like en, nl or pt-BR.", "language")]
