"""Tokens: making, revoking and rotating credentials."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from db import clients, members, tokens
from db.session import Transaction
from domain.access import PERSONS_ONLY, PROVIDERS_ONLY, Principal, Reach, Scope, scopes_of
from domain.clients import NAME_LIMIT
from domain.errors import ErrorCode, Outcome, UserError, invalid, not_found
from domain.events import TokenChanged
from domain.members import Member
from domain.texts import is_line
from domain.tokens import Token, TokenKind
from workflows.checks import fit, found, fresh, refusable
from workflows.commands import perform, publish
from workflows.context import Context, Request, new_id
from workflows.credentials import Issued, Secret, issued, new_secret, owns

CLIENTS_MOST = 1_000
"""Clients that one token can list."""


@dataclass(frozen=True, slots=True)
class CreateToken:
    """Make a credential.

    A personal one is for `member_id`, or for the caller; without scopes it may do whatever the
    person may. A program's lists its scopes, and optionally the only clients it sees.
    """

    kind: TokenKind
    name: str
    member_id: UUID | None = None
    scopes: tuple[Scope, ...] = ()
    clients: tuple[UUID, ...] | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RevokeToken:
    token_id: UUID


@dataclass(frozen=True, slots=True)
class RotateToken:
    """Give a token of one's own, or as an admin a program's, a new secret; an admin may also set a new expiry."""

    token_id: UUID
    expires_at: datetime | None = None
    expected_version: int | None = None


async def create(context: Context, principal: Principal, request: Request, command: CreateToken) -> Issued:
    """Make a token and show its secret once: for oneself, or as an admin for anybody and any program."""
    own = command.kind is TokenKind.PERSONAL and command.member_id in (None, principal.member_id)
    principal.require(Scope.SELF_WRITE)
    now = context.clock()
    made: Secret | None = None

    @refusable
    async def act(tx: Transaction) -> Outcome:
        nonlocal made
        made = None
        if not own and not principal.has(Scope.MEMBERS_WRITE):
            fit([_for_others()])
        holder = command.member_id or principal.member_id if command.kind is TokenKind.PERSONAL else None
        member = await members.lock(tx, holder) if holder else None
        command_ = _bounded(principal, command) if own else command
        fit(_faults(principal, command_, member, now, own=own) or await _client_faults(tx, command_))
        secret = new_secret(command.kind)
        token = Token(
            id=new_id(),
            kind=command.kind,
            member_id=holder,
            name=command.name.strip(),
            prefix=secret.prefix,
            scopes=tuple(scope for scope in Scope if scope in command_.scopes),
            clients=None if command.clients is None else tuple(sorted(set(command.clients))),
            created_by=principal.issued_by or principal.member_id if own else principal.member_id,
            created_at=now,
            expires_at=command_.expires_at,
            last_used_at=None,
            revoked_at=None,
            version=1,
        )
        await tokens.add(tx, token, secret.hash)
        made = secret
        return await _told(tx, principal, request, token, now)

    return issued(await perform(context, principal, request, "tokenCreate", command, act), made)


async def revoke(context: Context, principal: Principal, request: Request, command: RevokeToken) -> Outcome:
    """End a token: one's own, or as an admin any."""
    principal.require(Scope.SELF_WRITE)
    now = context.clock()

    @refusable
    async def act(tx: Transaction) -> Outcome:
        token = found(_touched(principal, await tokens.lock(tx, command.token_id)), "token", "tokenId")
        fit(_revoked_faults(token), token.id)
        await tokens.revoke(tx, [token.id], now)
        return await _told(tx, principal, request, replace(token, revoked_at=now, version=token.version + 1), now)

    return await perform(context, principal, request, "tokenRevoke", command, act)


async def rotate(context: Context, principal: Principal, request: Request, command: RotateToken) -> Issued:
    """Replace a token's secret; the old one opens nothing from now on, and everything else stays.

    A personal token's is for its holder's eyes alone: nobody else gets it, and no credential gets
    the secret of one that may do more, or lasts longer, than itself.
    """
    principal.require(Scope.SELF_WRITE)
    now = context.clock()
    made: Secret | None = None

    @refusable
    async def act(tx: Transaction) -> Outcome:
        nonlocal made
        made = None
        token = found(_touched(principal, await tokens.lock(tx, command.token_id)), "token", "tokenId")
        fresh(token, command.expected_version)
        fit(_revoked_faults(token), token.id)
        expires_at = command.expires_at or token.expires_at
        fit(_expiry_faults(expires_at, now), token.id)
        fit(await _beyond_faults(tx, principal, token, expires_at), token.id)
        if expires_at != token.expires_at and not principal.has(Scope.MEMBERS_WRITE):
            fit([_not_longer("A token's holder cannot change its expiry; ask an admin.")], token.id)
        secret = new_secret(token.kind)
        changed = replace(
            token,
            prefix=secret.prefix,
            created_by=principal.member_id,
            expires_at=expires_at,
            version=token.version + 1,
        )
        await tokens.replace_secret(tx, changed, secret.hash)
        made = secret
        return await _told(tx, principal, request, changed, now)

    return issued(await perform(context, principal, request, "tokenRotate", command, act), made)


async def _told(tx: Transaction, principal: Principal, request: Request, token: Token, now: datetime) -> Outcome:
    event = TokenChanged(kind=token.kind.value, revoked=token.revoked_at is not None)
    told = await publish(tx, principal, request, event, subject=token.id, version=token.version, client=None, now=now)
    return Outcome(token.id, token.version, told)


def _touched(principal: Principal, token: Token | None) -> Token | None:
    """Return the token if the caller may touch it: one's own, or as an admin any."""
    own = token is not None and owns(principal, token.member_id)
    return token if own or principal.has(Scope.MEMBERS_WRITE) else None


def _bounded(principal: Principal, command: CreateToken) -> CreateToken:
    """Keep a limited credential from making an unlimited one for its own holder."""
    limited = set(principal.scopes) != set(scopes_of(principal.roles))
    if limited and not command.scopes:
        return replace(command, scopes=tuple(principal.scopes))
    return command


def _faults(
    principal: Principal, command: CreateToken, member: Member | None, now: datetime, *, own: bool
) -> list[UserError]:
    errors = _expiry_faults(command.expires_at, now)
    if not 1 <= len(command.name.strip()) <= NAME_LIMIT or not is_line(command.name):
        errors.append(invalid(f"A name has 1 to {NAME_LIMIT} printable characters; say what it is for.", "name"))
    if command.kind is TokenKind.PERSONAL:
        errors += _personal_faults(principal, command, member, own=own)
    else:
        errors += _program_faults(principal, command)
    return errors


def _personal_faults(
    principal: Principal, command: CreateToken, member: Member | None, *, own: bool
) -> list[UserError]:
    if member is None or not member.active:
        return [not_found("active member", "memberId")]
    errors = []
    granted = scopes_of(member.roles)
    if beyond := _named(set(command.scopes) - set(principal.scopes if own else granted)):
        errors.append(invalid(f"{beyond}: beyond what this member may do; leave them out.", "scopes"))
    elif not own:
        errors += _wider_faults(principal, {s for s in granted if not command.scopes or s in command.scopes})
    if command.clients is not None:
        errors.append(invalid("A person sees what their roles show; only a program's token lists clients.", "clients"))
    return errors + _outliving_faults(principal, command.expires_at)


def _program_faults(principal: Principal, command: CreateToken) -> list[UserError]:
    errors = []
    if command.member_id is not None:
        errors.append(invalid("A program's token belongs to no member; leave memberId out.", "memberId"))
    if not command.scopes:
        errors.append(invalid("A program's token lists its scopes; give at least one.", "scopes"))
    if persons := _named(set(command.scopes) & PERSONS_ONLY):
        errors.append(invalid(f"{persons}: only a person can hold these; leave them out.", "scopes"))
    elif command.kind is TokenKind.PARTNER and (inner := _named(set(command.scopes) & PROVIDERS_ONLY)):
        errors.append(invalid(f"{inner}: no partner can hold these; leave them out.", "scopes"))
    errors += _wider_faults(principal, set(command.scopes))
    if command.kind is TokenKind.PARTNER and command.clients is None:
        errors.append(invalid("A partner sees only the clients listed; list them.", "clients"))
    if command.clients is not None and len(command.clients) > CLIENTS_MOST:
        errors.append(invalid(f"{len(command.clients)} clients are too many; list {CLIENTS_MOST} at most.", "clients"))
    return errors + _outliving_faults(principal, command.expires_at)


async def _beyond_faults(
    tx: Transaction, principal: Principal, token: Token, expires_at: datetime | None
) -> list[UserError]:
    """Say why this caller may not be shown a secret of this token: whose it is, what it may do, how long it lasts."""
    if token.kind is not TokenKind.PERSONAL:
        return _wider_faults(principal, set(token.scopes), "tokenId") + _outliving_faults(principal, expires_at)
    if not owns(principal, token.member_id):
        message = "Only its holder may rotate a personal token; revoke it, and make them a new one."
        return [UserError(ErrorCode.NOT_ALLOWED, message, ("tokenId",))]
    holder = found(await members.get(tx, principal.id), "member", "tokenId")
    effective = {scope for scope in scopes_of(holder.roles) if not token.scopes or scope in token.scopes}
    return _beyond(effective - set(principal.scopes), "tokenId") + _outliving_faults(principal, expires_at)


def _wider_faults(principal: Principal, scopes: set[Scope], path: str = "scopes") -> list[UserError]:
    """Refuse what the caller does not hold for every client: no one else's own clients are the caller's."""
    all_clients = principal.clients is None
    held = {scope for scope, reach in principal.scopes.items() if all_clients and reach is Reach.ALL}
    return _beyond(scopes - held, path)


def _outliving_faults(principal: Principal, expires_at: datetime | None) -> list[UserError]:
    latest = principal.expires_at
    if latest is None or (expires_at is not None and expires_at <= latest):
        return []
    return [_not_longer(f"It cannot outlive the token you came with: give {latest.isoformat()} or earlier.")]


async def _client_faults(tx: Transaction, command: CreateToken) -> list[UserError]:
    if not command.clients:
        return []
    visible = await clients.visible_among(tx, command.clients)
    return [
        not_found("client", "clients", str(index))
        for index, client in enumerate(command.clients)
        if client not in visible
    ]


def _expiry_faults(expires_at: datetime | None, now: datetime) -> list[UserError]:
    if expires_at is None or expires_at > now:
        return []
    return [invalid(f"{expires_at.isoformat()} is past; give a later instant, or none.", "expiresAt")]


def _for_others() -> UserError:
    message = "You may make personal tokens for yourself; for others and for programs, ask an admin."
    return UserError(ErrorCode.NOT_ALLOWED, message, ("kind",))


def _beyond(scopes: set[Scope], path: str) -> list[UserError]:
    if not scopes:
        return []
    message = f"{_named(scopes)}: beyond what your own credential may do, so it cannot show a secret that may."
    return [UserError(ErrorCode.NOT_ALLOWED, message, (path,))]


def _not_longer(message: str) -> UserError:
    return UserError(ErrorCode.NOT_ALLOWED, message, ("expiresAt",))


def _revoked_faults(token: Token) -> list[UserError]:
    if token.revoked_at is None:
        return []
    message = f"The token {token.prefix}… is revoked already; make a new one."
    return [UserError(ErrorCode.CONFLICT, message, ("tokenId",))]


def _named(scopes: set[Scope]) -> str:
    return ", ".join(scope.value for scope in Scope if scope in scopes)
