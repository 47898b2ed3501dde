"""Tales: one provider's part of the story, from its founding on, in days counted from today."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from db import members, tenants
from demo.people import Cast, Company, acting
from demo.telling import StoryError, Telling
from domain.access import Principal, Scope, system
from domain.calendars import Calendar
from domain.tokens import TokenKind
from workflows import members as hiring
from workflows import tenants as founding
from workflows import tokens
from workflows.access import authenticate
from workflows.members import InviteMember
from workflows.tenants import CreateTenant, UpdateSettings
from workflows.tokens import CreateToken

CONNECTOR = "Automation: PSA and RMM connector"
"""The name of the program that brings tickets and devices."""

CONNECTOR_SCOPES = (
    Scope.CLIENTS_READ,
    Scope.CLIENTS_WRITE,
    Scope.TICKETS_READ,
    Scope.TICKETS_WRITE,
    Scope.ONBOARDING_MOVE,
    Scope.ONBOARDING_HOLD,
    Scope.KPIS_READ,
    Scope.EVENTS_READ,
)

MORNING = time(9, 5)
BEATS_APART = timedelta(minutes=25)


@dataclass
class Tale:
    """A founded provider with its calendar; `anchor` is today, day 0, which the story does not reach."""

    telling: Telling
    cast: Cast
    connector: Principal
    calendar: Calendar
    anchor: date
    rng: Random
    _planned: dict[tuple[str, date], int] = field(default_factory=dict)

    @property
    def zone(self) -> ZoneInfo:
        return self.calendar.zone

    def day(self, offset: int) -> date:
        """Return the business day on, or else before, a day counted from today; -1 is yesterday."""
        day = self.anchor + timedelta(days=offset)
        return day if self.calendar.is_business_day(day) else self.calendar.add_business_days(day, -1)

    def plan(self, offset: int, about: str, act: Callable[[], Awaitable[None]]) -> None:
        """Let something happen on a business day, after whatever else was planned about the same that day."""
        day = self.day(offset)
        earlier = self._planned.get((about, day), 0)
        self._planned[about, day] = earlier + 1
        morning = datetime.combine(day, MORNING, self.zone) + timedelta(minutes=self.rng.randrange(20))
        self.telling.plan(morning.astimezone(self.telling.clock().tzinfo) + earlier * BEATS_APART, act)


async def founded(telling: Telling, company: Company, settings: UpdateSettings, anchor: date, seed: int) -> Tale:
    """Make a provider with its people, its rules and the program that connects its other systems.

    Raises:
        StoryError: one of it was refused.
    """
    head, *others = company.people
    email = head.email(company.domain)
    create = CreateTenant(company.slug, company.name, ZoneInfo(company.zone), head.name, email, company.country)
    made = await founding.create(telling.context, telling.request(), create)
    if made.outcome.subject is None or made.outcome.errors:
        raise StoryError(f"{company.name} could not be founded: {made.outcome.errors}")
    tenant = made.outcome.subject
    async with telling.context.database.reading(system(tenant)) as tx:
        known = await members.id_of_email(tx, email)
        admin_member = await members.get(tx, known) if known else None
    if admin_member is None:
        raise StoryError(f"{company.name} was founded without its admin")
    people = {head.first_name: acting(admin_member, tenant)}
    admin = people[head.first_name]
    await telling.told(founding.update_settings, admin, settings)
    for person in others:
        deputy = people[person.deputy].id if person.deputy else None
        invite = InviteMember(person.name, person.email(company.domain), person.roles, deputy)
        member = (await telling.told(hiring.invite, admin, invite)).subject
        async with telling.context.database.reading(admin) as tx:
            found = await members.get(tx, member) if member else None
        if found is None:
            raise StoryError(f"{person.name} was invited and is nowhere")
        people[person.first_name] = acting(found, tenant)
    async with telling.context.database.reading(admin) as tx:
        calendar = (await tenants.get(tx)).settings.calendar
    connector = await _connected(telling, admin)
    return Tale(telling, Cast(company, tenant, people), connector, calendar, anchor, Random(f"{seed}:{company.slug}"))


async def _connected(telling: Telling, admin: Principal) -> Principal:
    command = CreateToken(TokenKind.SERVICE, CONNECTOR, scopes=CONNECTOR_SCOPES)
    secret = await telling.issued(tokens.create, admin, command)
    connector = await authenticate(telling.context, secret)
    if connector is None:
        raise StoryError("the connector's new token opens nothing")
    return connector
