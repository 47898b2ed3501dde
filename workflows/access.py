"""Access: from a credential to whoever holds it."""

import contextlib
import time
from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from uuid import UUID
from weakref import WeakKeyDictionary

from db import absences, access
from db.access import USE_NOTED_EVERY, Holder
from db.errors import DatabaseUnavailableError, StatementFailedError
from db.session import Database
from domain.access import Principal, PrincipalKind, Reach, Scope, scopes_of, system
from domain.tokens import TokenKind, hash_of, is_written
from workflows.context import Context

REMEMBERED_S = 2.0
"""How long a credential is taken to be what it was: a revoked one ends within this time."""

REMEMBERED_MOST = 10_000

_KINDS = {TokenKind.SERVICE: PrincipalKind.SERVICE, TokenKind.PARTNER: PrincipalKind.PARTNER}


async def authenticate(context: Context, token: str) -> Principal | None:
    """Return whoever holds this credential, or `None`: unknown, expired, revoked and malformed are all the same.

    The secret is looked up by its SHA-256, so no comparison's duration tells anything of it.

    Raises:
        DatabaseUnavailableError: it cannot be told now.
    """
    if not is_written(token):
        return None
    secret_hash = hash_of(token)
    recent = _RECENT.setdefault(context.database, _Recent())
    principal = recent.get(secret_hash)
    if principal is None:
        begun = recent.forgotten
        principal = await _read(context, secret_hash)
        if principal is None:
            return None
        if begun == recent.forgotten:
            recent.put(secret_hash, principal)
    return principal if principal.expires_at is None or context.clock() < principal.expires_at else None


def forget(database: Database, tenant: UUID) -> None:
    """Take no credential of a provider for what it was: somebody's rights there may just have changed."""
    if recent := _RECENT.get(database):
        recent.forget(tenant)


@dataclass(slots=True)
class _Known:
    principal: Principal
    until: float


class _Recent:
    """Credentials seen within the last moments, in the order they are forgotten."""

    def __init__(self) -> None:
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self.forgotten = 0
        """How often something was forgotten: what was being read meanwhile may be of before."""

    def get(self, secret_hash: bytes) -> Principal | None:
        known = self._known.get(secret_hash)
        return known.principal if known and time.monotonic() < known.until else None

    def put(self, secret_hash: bytes, principal: Principal) -> None:
        self._known[secret_hash] = _Known(principal, time.monotonic() + REMEMBERED_S)
        self._known.move_to_end(secret_hash)
        while len(self._known) > REMEMBERED_MOST:
            self._known.popitem(last=False)

    def forget(self, tenant: UUID) -> None:
        self.forgotten += 1
        for secret_hash in [key for key, known in self._known.items() if known.principal.tenant_id == tenant]:
            del self._known[secret_hash]


_RECENT: WeakKeyDictionary[Database, _Recent] = WeakKeyDictionary()


async def _read(context: Context, secret_hash: bytes) -> Principal | None:
    async with context.database.entering() as entering:
        door = await access.door(entering, secret_hash)
    if door is None:
        return None
    found = await _held(context, door.tenant_id, door.token_id)
    if found is None:
        return None
    holder, principal = found
    now, used = context.clock(), holder.token.last_used_at
    if used is None or now - used >= USE_NOTED_EVERY:
        await _note_use(context, holder, door.tenant_id, now)
    return principal


async def principal_of(context: Context, tenant_id: UUID, token_id: UUID) -> Principal | None:
    """Return whoever holds a token with the rights that they have now, or `None` where it opens nothing any more.

    For work that goes on after the request that asked for it.
    """
    found = await _held(context, tenant_id, token_id)
    return found[1] if found else None


async def _held(context: Context, tenant_id: UUID, token_id: UUID) -> tuple[Holder, Principal] | None:
    now = context.clock()
    async with context.database.reading(system(tenant_id)) as tx:
        holder = await access.holder(tx, token_id)
        principal = _principal(holder, tenant_id, now) if holder else None
        if holder is None or principal is None:
            return None
        if holder.member:
            absent = (await absences.cover(tx, now)).absent_for(holder.member.id)
            principal = replace(principal, absent=absent)
            if scopes_of(holder.member.roles).get(Scope.CLIENTS_READ) is not Reach.ALL:
                seen = await access.team_clients(tx, [holder.member.id, *sorted(absent)])
                principal = replace(principal, clients=seen)
    return holder, principal


def _principal(holder: Holder, tenant_id: UUID, now: datetime) -> Principal | None:
    token, member = holder.token, holder.member
    if not token.is_live(now):
        return None
    if token.kind is not TokenKind.PERSONAL:
        scopes = MappingProxyType(dict.fromkeys(token.scopes, Reach.ALL))
        clients = None if token.clients is None else frozenset(token.clients)
        kind = _KINDS[token.kind]
        return Principal(
            kind,
            token.id,
            tenant_id,
            token.name,
            scopes,
            clients=clients,
            token_id=token.id,
            expires_at=token.expires_at,
            issued_by=token.created_by,
        )
    if member is None or not member.active:
        return None
    granted = scopes_of(member.roles)
    held = MappingProxyType({s: reach for s, reach in granted.items() if not token.scopes or s in token.scopes})
    return Principal(
        PrincipalKind.PERSON,
        member.id,
        tenant_id,
        member.name,
        held,
        member.roles,
        token_id=token.id,
        expires_at=token.expires_at,
        issued_by=token.created_by,
    )


async def _note_use(context: Context, holder: Holder, tenant_id: UUID, now: datetime) -> None:
    """Record the use; that it could not be recorded is no reason to turn anybody away."""
    with contextlib.suppress(DatabaseUnavailableError, StatementFailedError):
        async with context.database.writing(system(tenant_id)) as tx:
            await access.note_use(tx, holder.token.id, now)
