"""People of a simulated provider: who works there, in which roles, and how they are found again."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from db import members
from db.session import Transaction
from domain.access import Principal, PrincipalKind, Role, scopes_of
from domain.members import Member


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who works at the provider; `deputy` is a first name."""

    name: str
    roles: tuple[Role, ...]
    deputy: str | None = None

    @property
    def first_name(self) -> str:
        return self.name.split()[0]

    def email(self, domain: str) -> str:
        return f"{self.first_name.lower()}@{domain}"


@dataclass(frozen=True, slots=True)
class Company:
    """A simulated provider: `slug` and `domain` name it, `people` begins with its first admin."""

    slug: str
    name: str
    domain: str
    zone: str
    country: str
    people: tuple[Person, ...]


@dataclass(frozen=True, slots=True)
class Cast:
    """A provider of the demo as it stands in the database, its people by first name."""

    company: Company
    tenant_id: UUID
    people: Mapping[str, Principal]

    def __getitem__(self, first_name: str) -> Principal:
        return self.people[first_name]

    @property
    def admin(self) -> Principal:
        return self.people[self.company.people[0].first_name]


def acting(member: Member, tenant_id: UUID) -> Principal:
    """Return a member as the one who acts, with all that their roles grant."""
    granted = scopes_of(member.roles)
    return Principal(PrincipalKind.PERSON, member.id, tenant_id, member.name, granted, member.roles)


async def gathered(tx: Transaction, company: Company) -> Cast:
    """Find the people of a provider that was told before.

    Raises:
        LookupError: one of them is missing.
    """
    people = {}
    for person in company.people:
        key = await members.id_of_email(tx, person.email(company.domain))
        member = await members.get(tx, key) if key else None
        if member is None:
            raise LookupError(f"{person.name} of {company.name} is not in the database")
        people[person.first_name] = acting(member, tx.tenant)
    return Cast(company, tx.tenant, people)
