"""Tokens: credentials that are shown once and kept only as a hash."""

import hashlib
import re
import zlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.access import Scope

SECRET_BYTES = 32
TOKEN_LIMIT_BYTES = 8_192
"""A longer credential is refused unread."""

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SECRET_DIGITS = 43
"""Digits of base 62 that hold 32 bytes."""
_CHECK_DIGITS = 6
_SHOWN_DIGITS = 4
"""Digits of the secret kept in the open, by which people tell their tokens apart."""
_SHAPE = re.compile(rf"(ss_(?:pat|svc|prt)_[0-9A-Za-z]{{{_SECRET_DIGITS}}})([0-9A-Za-z]{{{_CHECK_DIGITS}}})")


class TokenKind(StrEnum):
    """Whom a token stands for: a person, a program of the provider, or a program of a partner."""

    PERSONAL = "PERSONAL"
    SERVICE = "SERVICE"
    PARTNER = "PARTNER"


_MARKS = {TokenKind.PERSONAL: "ss_pat_", TokenKind.SERVICE: "ss_svc_", TokenKind.PARTNER: "ss_prt_"}


@dataclass(frozen=True, slots=True)
class Token:
    """What is known of a credential; the secret itself is nowhere.

    A personal token without scopes may do whatever its person's roles grant; one with scopes no
    more than these. `clients` limits a program to the clients listed; `None` means all of them.
    """

    id: UUID
    kind: TokenKind
    member_id: UUID | None
    name: str
    prefix: str
    scopes: tuple[Scope, ...]
    clients: tuple[UUID, ...] | None
    created_by: UUID | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None
    version: int

    def is_live(self, now: datetime) -> bool:
        """Whether the credential opens anything at this instant."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


def written(kind: TokenKind, secret: bytes) -> str:
    """Return a secret as the text its holder keeps: its kind, 43 digits, and a checksum of both.

    The checksum lets a slip of the pen, or a scanner's false find, be told without asking the database.
    """
    body = _MARKS[kind] + _base62(int.from_bytes(secret, "big"), _SECRET_DIGITS)
    return body + _checksum(body)


def is_written(text: str) -> bool:
    """Tell whether a text has the shape of a token, checksum included."""
    if len(text) > TOKEN_LIMIT_BYTES:
        return False
    match = _SHAPE.fullmatch(text)
    return match is not None and _checksum(match[1]) == match[2]


def hash_of(text: str) -> bytes:
    """Return the SHA-256 by which a token is found; 256 random bits need no slower hash."""
    return hashlib.sha256(text.encode("ascii")).digest()


def shown_prefix(text: str) -> str:
    """Return the beginning of a token that may be shown for ever, such as ``ss_pat_4fQz``."""
    return text[: len(_MARKS[TokenKind.PERSONAL]) + _SHOWN_DIGITS]


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode("ascii")), _CHECK_DIGITS)


def _base62(number: int, digits: int) -> str:
    text = ""
    for _ in range(digits):
        number, digit = divmod(number, len(_ALPHABET))
        text = _ALPHABET[digit] + text
    return text
