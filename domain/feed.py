"""The feed: a tenant's events in one order, and the cursors by which readers keep their place.

A cursor names the epoch of the log and the last event read. The epoch rises when the log begins
another life (a restore, a fail-over), because the same number may then name another event.
"""

import base64
import binascii
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

_LAYOUT = struct.Struct(">BQQ")
_VERSION = 1


class MalformedCursorError(ValueError):
    """A text that no answer of ours gave as a cursor."""


class CursorExpiredError(Exception):
    """The log no longer holds everything after a cursor; `oldest` is where reading can begin anew."""

    def __init__(self, oldest: "Cursor") -> None:
        super().__init__(
            f"The feed no longer holds everything that came after this cursor, so going on from it would leave a hole. "
            f"Begin anew after the oldest cursor, {oldest.text()}, and compare what you hold with a fresh read."
        )
        self.oldest = oldest


@dataclass(frozen=True, slots=True, order=True)
class Cursor:
    """A place in a tenant's log: behind event number `seq` of an epoch."""

    epoch: int
    seq: int

    def text(self) -> str:
        """Return the opaque form that readers keep."""
        packed = _LAYOUT.pack(_VERSION, self.epoch, self.seq)
        return base64.urlsafe_b64encode(packed).decode().rstrip("=")

    @classmethod
    def read(cls, text: str) -> "Cursor":
        """Return the place that an opaque cursor names.

        Raises:
            MalformedCursorError: the text is no cursor of this feed.
        """
        try:
            packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            version, epoch, seq = _LAYOUT.unpack(packed)
        except (binascii.Error, struct.error, ValueError):
            version = epoch = seq = None
        if version != _VERSION or cls(epoch, seq).text() != text:
            message = (
                f"{text[:60]!r} is no cursor of the feed: give back a cursor exactly as an earlier answer gave it, "
                "or leave it out to begin at the oldest event kept"
            )
            raise MalformedCursorError(message)
        return cls(epoch, seq)


@dataclass(frozen=True, slots=True)
class Extent:
    """How far one tenant's log reaches; an empty one ends before it begins."""

    epoch: int
    oldest_seq: int
    last_seq: int

    @property
    def oldest(self) -> Cursor:
        """The cursor after which everything kept follows."""
        return Cursor(self.epoch, self.oldest_seq - 1)

    @property
    def end(self) -> Cursor:
        """The cursor after which nothing follows yet."""
        return Cursor(self.epoch, self.last_seq)

    def check(self, cursor: Cursor) -> None:
        """Let a cursor pass after which every event is still held.

        Raises:
            CursorExpiredError: it is of another epoch, older than what is kept, or beyond the end.
        """
        if cursor.epoch != self.epoch or not self.oldest_seq - 1 <= cursor.seq <= self.last_seq:
            raise CursorExpiredError(self.oldest)


@dataclass(frozen=True, slots=True)
class EventSubject:
    """What an event is about, and at which version it then was."""

    kind: str
    id: str
    version: int


@dataclass(frozen=True, slots=True)
class EventActor:
    """Who did it, and on whose behalf; `id` is empty where the system itself acted."""

    kind: str
    id: str | None
    on_behalf_of: str | None


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """One numbered event as readers see it; ids are opaque already."""

    seq: int
    client: UUID | None
    scope: str
    id: str
    cursor: str
    type: str
    schema_version: int
    client_id: str | None
    subject: EventSubject
    actor: EventActor
    occurred_at: datetime
    recorded_at: datetime
    request_id: str
    caused_by: str | None
    historical: bool
    data: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Nothing more for this reader up to here: where to go on from, without having read an event."""

    cursor: str


@dataclass(frozen=True, slots=True)
class Selection:
    """What one reader gets of a tenant's log; `None` stands for every type or every client."""

    scopes: frozenset[str]
    types: frozenset[str] | None = None
    clients: frozenset[UUID] | None = None

    def admits(self, event: LoggedEvent) -> bool:
        """Tell whether the reader gets this event; one about no single client needs them all."""
        return (
            event.scope in self.scopes
            and (self.types is None or event.type in self.types)
            and (self.clients is None or event.client in self.clients)
        )


@dataclass(frozen=True, slots=True)
class FeedPage:
    """Some events in order, and where to go on; a page can be empty although more follow."""

    events: tuple[LoggedEvent, ...]
    end: Cursor
    has_more: bool
