"""Notes: what the provider's people write down about a client or one of its onboardings, for each other."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.access import Principal, PrincipalKind, Reach, Scope
from domain.errors import UserError, invalid
from domain.texts import NOTE_LIMIT


@dataclass(frozen=True, slots=True)
class Note:
    """One note; deleted, it has no text any more, and only tells that there was one."""

    id: UUID
    client_id: UUID
    cycle_id: UUID | None
    text: str | None
    pinned: bool
    author_kind: str
    author_id: UUID
    created_at: datetime
    edited_at: datetime | None
    deleted_at: datetime | None
    version: int


def text_faults(text: str) -> Iterator[UserError]:
    """Tell whether a text can be a note's."""
    if not text.strip():
        yield invalid("A note needs a text; write it down, or leave the note out.", "text")
    elif len(text) > NOTE_LIMIT:
        yield invalid(f"A note has at most {NOTE_LIMIT} characters; this one has {len(text)}.", "text")


def may_change(principal: Principal, note: Note) -> bool:
    """Tell whether the caller may edit and delete a note: whoever wrote it, and a person who may write of all clients.

    A program changes its own notes only, though it may write of every client that it sees.
    """
    if (principal.kind.value, principal.id) == (note.author_kind, note.author_id):
        return principal.has(Scope.NOTES_WRITE)
    return principal.kind is PrincipalKind.PERSON and principal.scopes.get(Scope.NOTES_WRITE) is Reach.ALL
