"""Mutations of tokens: make, rotate, revoke."""

from datetime import datetime
from typing import Any

import strawberry

from api.changing import EXPECTED, Payload, id_of, ids_of
from api.context import Info
from api.fields import mutation_field
from api.payloads import KEY, event_id
from api.tokens import Token, token
from domain.access import Scope
from domain.errors import ErrorCode, Outcome
from domain.ids import IdKind, parse
from domain.tokens import TokenKind
from workflows import tokens
from workflows.credentials import Issued
from workflows.tokens import CreateToken, RevokeToken, RotateToken

SECRET = "The secret, shown this once; keep it where secrets are kept."  # noqa: S105 -- a description
TOKEN = "The token as it is now, where it is known."  # noqa: S105 -- a description


@strawberry.input(description="A token to be made.")
class TokenCreateInput:
    kind: TokenKind = strawberry.field(description="Whom it stands for.")
    name: str = strawberry.field(description="What it is for: 1 to 200 characters.")
    member_id: strawberry.ID | None = strawberry.field(
        default=None, description="The member a personal token stands for; left out, yourself."
    )
    scopes: list[Scope] | None = strawberry.field(
        default=None,
        description="What it may do. A program's token lists at least one; a personal one without may do whatever "
        "its member's roles grant.",
    )
    client_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="The only clients that a program sees; left out, all. A partner's token lists them."
    )
    expires_at: datetime | None = strawberry.field(default=None, description="When it ends by itself.")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="A token that gets a new secret.")
class TokenRotateInput:
    token_id: strawberry.ID = strawberry.field(description="The token.")
    expires_at: datetime | None = strawberry.field(
        default=None, description="When it ends by itself from now on; only an admin may change it."
    )
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="A token to be ended.")
class TokenRevokeInput:
    token_id: strawberry.ID = strawberry.field(description="The token.")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.type(description="The new token with its secret, or why none was made.")
class TokenCreatePayload(Payload):
    token: Token | None = strawberry.field(description=TOKEN)
    secret: str | None = strawberry.field(description=SECRET)


@strawberry.type(description="The token with its new secret, or why it kept the old one.")
class TokenRotatePayload(Payload):
    token: Token | None = strawberry.field(description=TOKEN)
    secret: str | None = strawberry.field(description=SECRET)


@strawberry.type(description="The ended token, or why nothing changed.")
class TokenRevokePayload(Payload):
    token: Token | None = strawberry.field(description=TOKEN)


@strawberry.type
class TokensMutation:
    @mutation_field(
        scope=Scope.SELF_WRITE,
        description="Make a token and show its secret once. Everybody makes personal tokens for themselves; "
        "for others and for programs it takes `MEMBERS_WRITE`. It may do no more, and last no longer, than the "
        "credential it is made with.",
        may_fail=(ErrorCode.NOT_FOUND, ErrorCode.NOT_ALLOWED, ErrorCode.SECRET_ALREADY_SHOWN),
    )
    async def token_create(self, info: Info, input: TokenCreateInput) -> TokenCreatePayload:
        command = CreateToken(
            kind=input.kind,
            name=input.name,
            member_id=id_of(IdKind.MEMBER, input.member_id),
            scopes=tuple(input.scopes or ()),
            clients=None if input.client_ids is None else ids_of(IdKind.CLIENT, input.client_ids),
            expires_at=input.expires_at,
        )
        issued = await info.context.perform(tokens.create, info.context.command(input.idempotency_key), command)
        return TokenCreatePayload(secret=_secret(issued), **await _shown(info, issued.outcome))

    @mutation_field(
        scope=Scope.SELF_WRITE,
        description="Give a token of your own, or as an admin a program's, a new secret; the old one ends at once. "
        "No credential gets the secret of one that may do more, or lasts longer, than itself.",
        may_fail=(
            ErrorCode.NOT_FOUND,
            ErrorCode.NOT_ALLOWED,
            ErrorCode.STALE_VERSION,
            ErrorCode.CONFLICT,
            ErrorCode.SECRET_ALREADY_SHOWN,
        ),
    )
    async def token_rotate(self, info: Info, input: TokenRotateInput) -> TokenRotatePayload:
        command = RotateToken(parse(IdKind.TOKEN, input.token_id), input.expires_at, input.expected_version)
        issued = await info.context.perform(tokens.rotate, info.context.command(input.idempotency_key), command)
        return TokenRotatePayload(secret=_secret(issued), **await _shown(info, issued.outcome))

    @mutation_field(
        scope=Scope.SELF_WRITE,
        description="End a token of your own, or as an admin any. It is refused everywhere within five seconds, "
        "and open subscriptions end.",
        may_fail=(ErrorCode.NOT_FOUND, ErrorCode.CONFLICT),
    )
    async def token_revoke(self, info: Info, input: TokenRevokeInput) -> TokenRevokePayload:
        command = RevokeToken(parse(IdKind.TOKEN, input.token_id))
        outcome = await info.context.perform(tokens.revoke, info.context.command(input.idempotency_key), command)
        return TokenRevokePayload(**await _shown(info, outcome))


async def _shown(info: Info, outcome: Outcome) -> dict[str, Any]:
    found = await info.context.loader(token).load(outcome.subject) if outcome.subject else None
    return {"token": found, "event_id": event_id(outcome), "errors": list(outcome.errors)}


def _secret(issued: Issued) -> str | None:
    return issued.secret.text if issued.secret else None
