"""What every use case is handed: the database, the clock, and how the command arrived."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID

import uuid_utils.compat

from db.session import Database
from workflows.feed import Feed

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the present instant, aware and in UTC."""
    return datetime.now(UTC)


def new_id() -> UUID:
    """Return a UUID version 7 (RFC 9562), which sorts by the time it was made."""
    return uuid_utils.compat.uuid7()


@dataclass(frozen=True, slots=True)
class Context:
    """The border to the world, passed in so that tests and the demo can set the clock."""

    database: Database
    clock: Clock = utc_now
    feed: Feed | None = None
    """Where subscribers follow events; a process that serves none has no feed."""


class Channel(StrEnum):
    """By what way a command came in; kept in the audit trail."""

    API = "API"
    CLI = "CLI"
    DEMO = "DEMO"
    SYSTEM = "SYSTEM"


@dataclass(frozen=True, slots=True)
class Request:
    """How one command arrived.

    `idempotency_key` lets the same command be sent again without doing it twice.
    `historical` marks what is brought in from the past: it is recorded, and sets nothing off.
    """

    id: str
    channel: Channel
    idempotency_key: str | None = None
    on_behalf_of: UUID | None = None
    historical: bool = False
