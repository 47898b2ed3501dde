"""A small world: a provider with an admin, and whomever a test invites."""

from dataclasses import dataclass, field, replace
from itertools import count
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest

from db.session import Database
from domain.access import Principal, Reach, Role, Scope
from domain.errors import Outcome
from domain.tokens import TokenKind
from tests.support.clock import Clock
from workflows import members, tenants, tokens
from workflows.access import authenticate
from workflows.clients import CreateClient
from workflows.clients import create as create_client
from workflows.context import Channel, Context, Request
from workflows.credentials import Issued
from workflows.members import InviteMember
from workflows.tenants import CreateTenant
from workflows.tokens import CreateToken

_numbers = count(1)


def sent(key: str | None = None) -> Request:
    """Return a request as it comes in through the API."""
    return Request(f"req-{next(_numbers)}", Channel.API, key)


def done(outcome: Outcome) -> UUID:
    """Return what a command changed, which must not have been refused."""
    assert outcome.errors == (), outcome.errors
    assert outcome.subject is not None
    return outcome.subject


def shown(issued: Issued) -> str:
    """Return the secret of a new token."""
    assert issued.outcome.errors == (), issued.outcome.errors
    assert issued.secret is not None
    return issued.secret.text


def codes(outcome: Outcome) -> list[str]:
    """Return why a command was refused."""
    return [error.code.value for error in outcome.errors]


@dataclass
class Provider:
    """One tenant of a test, with its admin signed in."""

    context: Context
    clock: Clock
    admin: Principal
    admin_token: str
    known: dict[str, Principal] = field(default_factory=dict)

    @property
    def tenant_id(self) -> UUID:
        return self.admin.tenant_id

    async def invited(self, *roles: Role) -> Principal:
        """Return a new member with these roles, signed in."""
        number = next(_numbers)
        command = InviteMember(f"Person {number}", f"person{number}@provider.example", roles)
        member = done(await members.invite(self.context, self.admin, sent(), command))
        return await self.signed_in(await self.token_of(member))

    async def token_of(self, member: UUID) -> str:
        command = CreateToken(TokenKind.PERSONAL, "test", member_id=member)
        return shown(await tokens.create(self.context, self.admin, sent(), command))

    async def signed_in(self, token: str) -> Principal:
        principal = await authenticate(self.context, token)
        assert principal is not None
        return principal

    async def program(self, *scopes: Scope, clients: tuple[UUID, ...] | None = None) -> Principal:
        """Return a service token with these scopes, signed in."""
        command = CreateToken(TokenKind.SERVICE, "program", scopes=scopes, clients=clients)
        return await self.signed_in(shown(await tokens.create(self.context, self.admin, sent(), command)))

    async def client(self, name: str = "Acme", owner: Principal | None = None) -> UUID:
        """Return a new client, owned by somebody if named."""
        command = CreateClient(name, owner_id=owner.id if owner else None)
        return done(await create_client(self.context, self.admin, sent(), command))


AMSTERDAM = ZoneInfo("Europe/Amsterdam")


async def new_provider(database: Database, clock: Clock | None = None, zone: ZoneInfo = AMSTERDAM) -> Provider:
    """Make a provider of its own in a database that tests share."""
    clock = clock or Clock()
    context = Context(database, clock)
    slug = f"p{uuid4().hex[:12]}"
    command = CreateTenant(slug, f"Provider {slug}", zone, "Ada Admin", f"ada@{slug}.example")
    token = shown(await tenants.create(context, sent(), command))
    admin = await authenticate(context, token)
    assert admin is not None
    return Provider(context, clock, admin, token)


@pytest.fixture
async def provider(database: Database) -> Provider:
    """Make a provider for one test."""
    return await new_provider(database)


@pytest.fixture
async def other_provider(database: Database) -> Provider:
    """Make a second provider, to whom nothing of the first may get."""
    return await new_provider(database)


def without(principal: Principal, *scopes: Scope) -> Principal:
    """Return the caller with fewer scopes."""
    left: dict[Scope, Reach] = {s: reach for s, reach in principal.scopes.items() if s not in scopes}
    return replace(principal, scopes=left)
