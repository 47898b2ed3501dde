"""Palmgrove Systems, simulated: a small second provider in another zone, whose week begins on Sunday."""

from demo.accounts import Profile
from demo.engagements import Engagement
from demo.people import Company, Person
from demo.tales import Tale
from domain.access import Role
from domain.clients import ContractStatus
from domain.periods import Weekday
from workflows.tenants import UpdateSettings

COMPANY = Company(
    slug="palmgrove-demo",
    name="Palmgrove Systems (simulated)",
    domain="palmgrove-demo.example",
    zone="Asia/Riyadh",
    country="SA",
    people=(
        Person("Hana Farouk", (Role.ADMIN,)),
        Person("Rashid Omari", (Role.SERVICE_MANAGER,)),
        Person("Salma Idris", (Role.ONBOARDING_LEAD,)),
        Person("Nabil Sayegh", (Role.ACCOUNT_MANAGER,)),
        Person("Dina Malouf", (Role.AGENT,)),
    ),
)
_OFFICE = ((8 * 60, 17 * 60),)
"""Minutes after midnight."""

SETTINGS = UpdateSettings(
    week_start=Weekday.SUNDAY,
    hours=dict.fromkeys((Weekday.SUNDAY, *tuple(Weekday)[:4]), _OFFICE),
    escalation_rate_limit=0.3,
)
TICKETS_SINCE_DAY = -240
_TEAM = ("Salma", "Nabil", "Dina", ("Dina",))
_SECOND_PERSON = "Rashid"


def stories(tale: Tale) -> list[Engagement]:
    """Tell of its three clients: one in steady state, one in early support, one in contracting."""
    oasis = _client(tale, "C-1", "Oasis Clinics", "Healthcare", 48)
    _until_live(oasis, -260, -226).on(-132).graduates().is_worked_on(1.0, until=-60).on(-122).follow_ups_are_closed(
        "Put right."
    )
    granary = _client(tale, "C-2", "Granary Trading", "Wholesale", 36)
    _until_live(granary, -66, -30).is_worked_on(0.4)
    lantern = _client(tale, "C-3", "Lantern Bookshops", "Retail", 20)
    lantern.on(-6).is_taken_on().opens().on(-3).contract_becomes(ContractStatus.SENT)
    return [oasis, granary, lantern]


def _client(tale: Tale, key: str, name: str, industry: str, seats: int) -> Engagement:
    return Engagement(tale, Profile(key, name, industry, seats, *_TEAM), _SECOND_PERSON)


def _until_live(engagement: Engagement, opened: int, live: int) -> Engagement:
    engagement.on(opened).is_taken_on().opens().on(opened + 3).contract_becomes(ContractStatus.SENT)
    engagement.on(opened + 8).signs().on(opened + 10).begins_discovery().on(opened + 12).is_searched()
    engagement.on(live - 4).devices_are_decided().services_are_mapped()
    return engagement.on(live).is_searched().goes_live()
