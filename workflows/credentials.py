"""Credentials: the making of secrets."""

import secrets
from dataclasses import dataclass
from uuid import UUID

from domain.access import Principal
from domain.errors import ErrorCode, Outcome, UserError
from domain.tokens import SECRET_BYTES, TokenKind, hash_of, shown_prefix, written


@dataclass(frozen=True, slots=True)
class Secret:
    """A new secret: the text for its holder, and what we keep of it."""

    text: str
    hash: bytes
    prefix: str

    def __repr__(self) -> str:
        """Show the prefix alone, so that no log or traceback holds the secret."""
        return f"Secret({self.prefix}…)"


@dataclass(frozen=True, slots=True)
class Issued:
    """What came of asking for a secret; the text is there once, when it was made."""

    outcome: Outcome
    secret: Secret | None = None


def new_secret(kind: TokenKind) -> Secret:
    """Make a secret of 256 random bits."""
    text = written(kind, secrets.token_bytes(SECRET_BYTES))
    return Secret(text, hash_of(text), shown_prefix(text))


def issued(outcome: Outcome, secret: Secret | None) -> Issued:
    """Pair an outcome with the secret made for it; a repeated command has an outcome and no secret."""
    if outcome.errors:
        return Issued(outcome)
    if secret is None:
        message = "This command was carried out before and its secret was shown then; rotate it for a new one."
        again = UserError(ErrorCode.SECRET_ALREADY_SHOWN, message, ("idempotencyKey",))
        return Issued(Outcome(outcome.subject, outcome.version, outcome.event, (again,)))
    return Issued(outcome, secret)


def owns(principal: Principal, member_id: UUID | None) -> bool:
    """Tell whether a token of this member is the caller's own."""
    return member_id is not None and member_id == principal.member_id
