"""Northwind IT, simulated: a provider with clients in every stage and at both ends."""

from demo.accounts import Profile
from demo.engagements import Engagement
from demo.people import Company, Person
from demo.tales import Tale
from domain.access import Role
from workflows.tenants import UpdateSettings

COMPANY = Company(
    slug="northwind-demo",
    name="Northwind IT (simulated)",
    domain="northwind-demo.example",
    zone="Europe/Amsterdam",
    country="NL",
    people=(
        Person("Ada Lindqvist", (Role.ADMIN,)),
        Person("Samir Haddad", (Role.SERVICE_MANAGER,)),
        Person("Noor Wijnands", (Role.TEAM_MANAGER,)),
        Person("Tomas Rivera", (Role.ONBOARDING_LEAD,)),
        Person("Lena Vogel", (Role.ONBOARDING_LEAD,), deputy="Tomas"),
        Person("Mei Tanaka", (Role.ONBOARDING_LEAD,), deputy="Lena"),
        Person("Oscar Brandt", (Role.ACCOUNT_MANAGER,)),
        Person("Priya Nair", (Role.ACCOUNT_MANAGER,), deputy="Oscar"),
        Person("Jonas Berg", (Role.AGENT,)),
        Person("Femke Visser", (Role.AGENT,), deputy="Jonas"),
        Person("Karim Aziz", (Role.AGENT,)),
        Person("Sofie Maes", (Role.AGENT,)),
        Person("Liam Byrne", (Role.AGENT,)),
        Person("Yara Costa", (Role.AGENT,)),
        Person("Iris Klein", (Role.VIEWER,)),
    ),
)
SETTINGS = UpdateSettings(escalation_rate_limit=0.25)
TICKETS_SINCE_DAY = -548
"""Eighteen months ago, when the PSA was connected."""

_SECOND_PERSON = "Samir"
_TEAMS = {
    "Lena": ("Lena", "Oscar", "Jonas", ("Karim", "Sofie")),
    "Mei": ("Mei", "Priya", "Femke", ("Liam",)),
    "Tomas": ("Tomas", "Priya", "Jonas", ("Yara", "Karim")),
}
"""Who works together: lead, account manager, technical lead and engineers."""


def client(tale: Tale, key: str, name: str, industry: str, seats: int, lead: str, **details: object) -> Engagement:
    """Return a client of Northwind with its lead's usual team; `details` are further fields of its profile."""
    profile = Profile(key, name, industry, seats, *_TEAMS[lead], **details)  # type: ignore[arg-type]
    return Engagement(tale, profile, _SECOND_PERSON)
