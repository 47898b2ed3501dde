"""Identifiers: time-ordered UUIDs inside, opaque prefixed strings outside."""

from enum import StrEnum
from uuid import UUID


class IdKind(StrEnum):
    """What an identifier names; the value is the prefix seen outside.

    The prefixes are a registry of their own, apart from type names, so that a type can be
    renamed without breaking an identifier that someone has stored.
    """

    TENANT = "ten"
    MEMBER = "mem"
    ABSENCE = "abs"
    TOKEN = "tok"  # noqa: S105 -- a prefix, not a secret
    CLIENT = "cli"
    CONTACT = "con"
    SITE = "sit"
    CONTRACT = "ctr"
    AMENDMENT = "amd"
    SERVICE = "svc"
    DEVICE = "dev"
    DISCOVERY_RUN = "run"
    DEFINITION = "def"
    ONBOARDING = "onb"
    VISIT = "vis"
    TRANSITION = "trn"
    HOLD = "hld"
    WAIVER = "wai"
    ATTESTATION = "att"
    EFFECT = "eff"
    CHECKLIST_ITEM = "chk"
    FOLLOW_UP = "fup"
    WINDOW = "win"
    NOTICE = "ntc"
    NOTE = "not"
    EVENT = "evt"
    TICKET = "tic"
    ESCALATION = "esc"
    ESCALATION_RULE = "rul"
    TERM = "trm"
    KPI_TARGET = "tgt"
    PRIVACY_RECORD = "prv"
    INBOUND_SOURCE = "ins"
    INBOUND_MESSAGE = "inm"
    JOB = "job"


HEX_DIGITS = 32


class MalformedIdError(ValueError):
    """An identifier that cannot be one: wrong prefix, or not 32 hexadecimal digits."""


def public(kind: IdKind, value: UUID) -> str:
    """Return the opaque form, such as ``cli_0199…``, used by the API, events and exports."""
    return f"{kind.value}_{value.hex}"


def parse(kind: IdKind, text: str) -> UUID:
    """Return the UUID behind an opaque identifier of one kind.

    Raises:
        MalformedIdError: the text has another prefix or is no identifier at all.
    """
    prefix, _, digits = text.partition("_")
    if prefix != kind.value or len(digits) != HEX_DIGITS:
        msg = f"{text[:60]!r} is no {kind.name.lower()} id: expected {kind.value}_ and 32 hexadecimal digits"
        raise MalformedIdError(msg)
    try:
        return UUID(hex=digits)
    except ValueError:
        msg = f"{text[:60]!r} is no {kind.name.lower()} id: {digits[:40]!r} is not hexadecimal"
        raise MalformedIdError(msg) from None


def kind_of(text: str) -> IdKind:
    """Return the kind that an opaque identifier names.

    Raises:
        MalformedIdError: no kind has this prefix.
    """
    prefix = text.partition("_")[0]
    try:
        return IdKind(prefix)
    except ValueError:
        msg = f"{text[:60]!r} is no id: no kind of object has the prefix {prefix[:20]!r}"
        raise MalformedIdError(msg) from None
