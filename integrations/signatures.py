"""Signatures: how a sender proves that a message is its own, checked in the time that it takes whatever is wrong."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from types import MappingProxyType

from domain.inbound import TOLERANCE, Sent, Signing

TOKEN_HEADER = "x-steadystate-token"  # noqa: S105 -- the name of a header
SECRET_BYTES = 32
STANDARD_MARK = "whsec_"
"""How a secret of Standard Webhooks begins; what follows is the key in base64."""
LONGEST_HEADER_CHARACTERS = 4_096

Check = Callable[[Sent, Sequence[str], datetime], bytes | None]


def vouched(signing: Signing, sent: Sent, kept: Sequence[str], now: datetime) -> bytes | None:
    """Return what the sender vouches for with one of its secrets, or `None` if it proves nothing.

    What is returned is equal for two messages exactly when one may be the other sent again. `kept` are secrets as
    `keep` returned them. A signed moment more than five minutes away proves nothing.
    """
    return _CHECKS[signing](sent, kept, now)


def new_secret(signing: Signing) -> str:
    """Make a secret of 256 random bits, in the form that its senders take."""
    if signing is Signing.STANDARD_WEBHOOKS:
        return STANDARD_MARK + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
    return secrets.token_urlsafe(SECRET_BYTES)


def keep(signing: Signing, secret: str) -> str:
    """Return what must be kept of a secret: itself where it keys a signature, and else its SHA-256."""
    return hashlib.sha256(secret.encode()).hexdigest() if signing is Signing.TOKEN else secret


def is_usable(signing: Signing, secret: str) -> bool:
    """Tell whether a secret that the sender made can be used: printable, without blanks, and a key where it is one."""
    if not secret.isascii() or not secret.isprintable() or " " in secret:
        return False
    return signing is not Signing.STANDARD_WEBHOOKS or _standard_key(secret) is not None


def _standard(sent: Sent, kept: Sequence[str], now: datetime) -> bytes | None:
    """Standard Webhooks 1.0: HMAC-SHA256 over id, timestamp and body, any of several signatures in base64."""
    id_, timestamp = sent.headers.get("webhook-id", ""), sent.headers.get("webhook-timestamp", "")
    given = _split(sent.headers.get("webhook-signature", ""), "v1,")
    signed = b".".join((id_.encode(), timestamp.encode(), sent.body))
    keys = [key for key in map(_standard_key, kept) if key is not None]
    matches = _matches(given, (_base64(_mac(key, signed)) for key in keys))
    return signed if id_ and matches and _recent(_of_seconds(timestamp), now) else None


def _zendesk(sent: Sent, kept: Sequence[str], now: datetime) -> bytes | None:
    """Zendesk: HMAC-SHA256 over timestamp and body, in base64."""
    timestamp = sent.headers.get("x-zendesk-webhook-signature-timestamp", "")
    given = [sent.headers.get("x-zendesk-webhook-signature", "")]
    signed = timestamp.encode() + sent.body
    matches = _matches(given, (_base64(_mac(secret.encode(), signed)) for secret in kept))
    return signed if matches and _recent(_of_iso(timestamp), now) else None


def _hub(sent: Sent, kept: Sequence[str], _: datetime) -> bytes | None:
    """WebSub, as Jira signs: HMAC-SHA256 over the body, in hexadecimal; the body alone tells when it was."""
    given = _split(sent.headers.get("x-hub-signature", ""), "sha256=")
    return sent.body if _matches(given, (_mac(secret.encode(), sent.body).hex() for secret in kept)) else None


def _token(sent: Sent, kept: Sequence[str], _: datetime) -> bytes | None:
    """A secret beside the body, for systems that sign nothing: in a header of ours, as bearer, or as a password."""
    given = [hashlib.sha256(shown.encode()).hexdigest() for shown in _shown(sent.headers)]
    return sent.body if _matches(given, kept) else None


_CHECKS: Mapping[Signing, Check] = MappingProxyType(
    {
        Signing.STANDARD_WEBHOOKS: _standard,
        Signing.ZENDESK: _zendesk,
        Signing.HUB: _hub,
        Signing.TOKEN: _token,
    }
)


def _matches(given: Iterable[str], wanted: Iterable[str]) -> bool:
    """Compare everything with everything, so that the time tells nothing of what was nearly right."""
    shown = [one.encode("utf-8", "surrogateescape") for one in given]
    expected = [one.encode() for one in wanted]
    return sum(hmac.compare_digest(one, other) for one in shown for other in expected) > 0


def _shown(headers: Mapping[str, str]) -> list[str]:
    shown = [headers[TOKEN_HEADER]] if TOKEN_HEADER in headers else []
    scheme, _, credential = headers.get("authorization", "").strip().partition(" ")
    match scheme.lower():
        case "bearer":
            shown.append(credential.strip())
        case "basic":
            with suppress(binascii.Error, UnicodeDecodeError):
                shown.append(base64.b64decode(credential, validate=True).decode().partition(":")[2])
    return shown


def _split(header: str, mark: str) -> list[str]:
    listed = header[:LONGEST_HEADER_CHARACTERS].split()
    return [one.removeprefix(mark) for one in listed if one.startswith(mark)]


def _standard_key(secret: str) -> bytes | None:
    try:
        return base64.b64decode(secret.removeprefix(STANDARD_MARK), validate=True)
    except binascii.Error:
        return None


def _mac(key: bytes, signed: bytes) -> bytes:
    return hmac.digest(key, signed, "sha256")


def _base64(mac: bytes) -> str:
    return base64.b64encode(mac).decode()


def _of_seconds(text: str) -> datetime | None:
    # The length is looked at first: no number of seconds that a date can hold has more digits.
    if not text.isascii() or not text.isdigit() or len(text) > len("9999999999"):
        return None
    return datetime.fromtimestamp(int(text), UTC)


def _of_iso(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _recent(moment: datetime | None, now: datetime) -> bool:
    return moment is not None and abs(now - moment) <= TOLERANCE
