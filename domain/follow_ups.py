"""Follow-ups: what a person promised to put right by a day."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from domain.clients import NAME_LIMIT
from domain.errors import UserError, invalid
from domain.texts import is_line
from domain.written_secrets import secret_faults


class FollowUpKind(StrEnum):
    """What a follow-up came from."""

    WAIVER = "WAIVER"
    SAVE_CLIENT = "SAVE_CLIENT"
    OTHER = "OTHER"


BY_HAND = (FollowUpKind.SAVE_CLIENT, FollowUpKind.OTHER)
"""The kinds that a person may open; the others come with what they follow."""


@dataclass(frozen=True, slots=True)
class FollowUp:
    """Something that a person promised to put right by a day.

    `subject_id` is what it came from: a waiver, a notice, or the onboarding where somebody opened it by hand. What
    comes from a waiver or a notice needs no title of its own.
    """

    id: UUID
    client_id: UUID
    cycle_id: UUID
    kind: FollowUpKind
    subject_id: UUID
    owner_id: UUID
    due_on: date
    opened_at: datetime
    closed_at: datetime | None
    closed_by: UUID | None
    note: str | None
    version: int
    title: str | None = None
    opened_by: UUID | None = None

    @property
    def waiver_id(self) -> UUID | None:
        """The waiver that it came from, if it came from one."""
        return self.subject_id if self.kind is FollowUpKind.WAIVER else None


def title_faults(title: str) -> Iterator[UserError]:
    """Tell what stands against a follow-up's title."""
    if not (1 <= len(title) <= NAME_LIMIT and is_line(title)):
        yield invalid(f"A title has 1 to {NAME_LIMIT} printable characters; this one has {len(title)}.", "title")
    yield from secret_faults(title, "title")
