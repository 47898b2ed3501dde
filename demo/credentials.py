"""Credentials: one token for each kind of user, with a new secret at every start of the demo."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from uuid import UUID

from db import external_refs, tokens
from demo.accounts import PSA
from demo.people import Cast
from demo.run import Demo
from demo.tales import CONNECTOR
from demo.telling import StoryError
from domain.access import Principal, Scope
from domain.ids import IdKind
from domain.tokens import Token, TokenKind
from workflows.context import Channel, Context, Request
from workflows.credentials import Issued
from workflows.tokens import CreateToken, RotateToken, create, rotate

PARTNER_SCOPES = (Scope.CLIENTS_READ, Scope.TICKETS_READ, Scope.KPIS_READ, Scope.EVENTS_READ)
PARTNER_CLIENTS = ("C-1004", "C-1008")
"""The clients that the partner looks after: one in steady state, one in early support."""


@dataclass(frozen=True, slots=True)
class Credential:
    """A token for one kind of user: `who` holds it at which `provider`, and what it shows, in words."""

    key: str
    user: str
    provider: str
    who: str
    shows: str
    token: str


async def issue(context: Context, demo: Demo) -> tuple[Credential, ...]:
    """Give every kind of user a token; what the last start gave out opens nothing any more.

    Raises:
        StoryError: one of them was refused.
    """
    ours, theirs = demo.northwind, demo.palmgrove
    partner = CreateToken(TokenKind.PARTNER, "Partner: Bluepeak Networks", scopes=PARTNER_SCOPES)
    partner = CreateToken(partner.kind, partner.name, None, partner.scopes, await _clients(context, ours))
    connector = CreateToken(TokenKind.SERVICE, CONNECTOR)
    wanted = (
        ("viewer", "front-end team", ours, _of(ours["Iris"]), "viewer: reads everything, changes nothing"),
        ("lead", "onboarding lead", ours, _of(ours["Lena"]), "onboarding lead: moves her own clients, reads all"),
        ("automation", "automation", ours, connector, "service token: tickets, devices, moves, no waivers"),
        ("partner", "partner", ours, partner, "partner token: two clients, no contacts, no staff"),
        ("admin", "admin", ours, _of(ours.admin), "admin: everything, and the second person of a hard waiver"),
        ("other", "other provider", theirs, _of(theirs["Salma"]), "onboarding lead of another tenant, in Riyadh"),
    )
    issuing = _Issuing(context, {cast.tenant_id: await _live(context, cast) for cast in demo.casts})
    return tuple(
        [
            Credential(key, user, cast.company.name, _who(command), shows, await issuing.secret(cast, command))
            for key, user, cast, command, shows in wanted
        ]
    )


def _who(command: CreateToken) -> str:
    return command.name.partition(": ")[2]


def _of(person: Principal) -> CreateToken:
    return CreateToken(TokenKind.PERSONAL, f"Demo: {person.name}", member_id=person.id)


@dataclass
class _Issuing:
    """One start of the demo, with the tokens that are live at each provider."""

    context: Context
    live: dict[UUID, Sequence[Token]]

    def __post_init__(self) -> None:
        self._numbers = count(1)

    async def secret(self, cast: Cast, command: CreateToken) -> str:
        """Give a token a new secret where there is one of this name; otherwise make it."""
        known = next((token for token in self.live[cast.tenant_id] if token.name == command.name), None)
        request = Request(f"demo-start-{next(self._numbers)}", Channel.DEMO)
        holder = next((one for one in cast.people.values() if one.id == command.member_id), cast.admin)
        made: Issued = (
            await rotate(self.context, holder, request, RotateToken(known.id))
            if known
            else await create(self.context, holder, request, command)
        )
        if made.secret is None:
            raise StoryError(f"{command.name} got no token: {made.outcome.errors}")
        return made.secret.text


async def _live(context: Context, cast: Cast) -> Sequence[Token]:
    async with context.database.reading(cast.admin) as tx:
        return [token for token in await tokens.every(tx) if token.is_live(context.clock())]


async def _clients(context: Context, cast: Cast) -> tuple[UUID, ...]:
    pairs = [(PSA, key) for key in PARTNER_CLIENTS]
    async with context.database.reading(cast.admin) as tx:
        found = await external_refs.find(tx, IdKind.CLIENT, pairs)
    return tuple(found[pair].client_id for pair in pairs)
