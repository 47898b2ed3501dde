"""Merging: two records of one company become one; what makes two look like one, and what the kept one takes over."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from domain.clients import Client

FREE_MAIL = frozenset(
    {
        *("aol.com", "fastmail.com", "gmail.com", "gmx.com", "gmx.de", "gmx.net", "googlemail.com", "hey.com"),
        *("hotmail.com", "icloud.com", "live.com", "live.nl", "mac.com", "mail.com", "mail.ru", "me.com", "msn.com"),
        *("outlook.com", "proton.me", "protonmail.com", "qq.com", "t-online.de", "web.de", "yahoo.co.uk", "yahoo.com"),
        *("yandex.ru", "ymail.com", "zoho.com"),
    }
)
"""Where anybody may have a mailbox: an address there says nothing about the company."""

TAKEN_OVER = ("industry", "seats", "owner_id", "account_manager_id")
"""What the kept client takes over from the other where it does not know it itself."""


class DuplicateReason(StrEnum):
    """Why two clients may be one."""

    SAME_NAME = "SAME_NAME"
    SAME_MAIL_DOMAIN = "SAME_MAIL_DOMAIN"
    SAME_DEVICE_SERIAL = "SAME_DEVICE_SERIAL"


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A client that may be the same company as another, and why."""

    client_id: UUID
    reasons: tuple[DuplicateReason, ...]


def taken_over(kept: Client, duplicate: Client) -> dict[str, object]:
    """Return by field what the kept client lacks and the duplicate has."""
    return {
        name: getattr(duplicate, name)
        for name in TAKEN_OVER
        if getattr(kept, name) is None and getattr(duplicate, name) is not None
    }
