"""Absences: on which days somebody is away, and who then stands in for them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from domain.client_rules import day_faults
from domain.errors import ErrorCode, UserError, invalid

STEPS_MOST = 5
"""How many deputies are asked one after the other, each away, before nobody stands in."""


class AbsenceReason(StrEnum):
    """Why somebody is away; whom it is told is for the person and the admins alone."""

    HOLIDAY = "HOLIDAY"
    SICK = "SICK"
    TRAINING = "TRAINING"
    PARENTAL = "PARENTAL"
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True)
class Absence:
    """Local days of the provider on which a member is away, the last one among them; `None` for no end known."""

    id: UUID
    member_id: UUID
    starts_on: date
    ends_on: date | None
    reason: AbsenceReason
    created_at: datetime
    version: int

    def covers(self, day: date) -> bool:
        """Whether the member is away on a day."""
        return self.starts_on <= day and (self.ends_on is None or day <= self.ends_on)

    @property
    def days(self) -> str:
        """The days in words."""
        return f"from {self.starts_on} on" if self.ends_on is None else f"from {self.starts_on} to {self.ends_on}"


def acting(member: UUID, away: frozenset[UUID], deputies: Mapping[UUID, UUID]) -> UUID | None:
    """Return who acts for a member when those of `away` are away: the member, else the deputy, else the deputy's.

    Nobody does where a deputy is missing, where it would come round to somebody asked before, or after `STEPS_MOST`.
    """
    asked = [member]
    while asked[-1] in away:
        deputy = deputies.get(asked[-1])
        if deputy is None or deputy in asked or len(asked) > STEPS_MOST:
            return None
        asked.append(deputy)
    return asked[-1]


def comes_round(member: UUID, deputy: UUID, deputies: Mapping[UUID, UUID]) -> bool:
    """Whether a new deputy, or theirs after them, would have the member themselves stand in."""
    seen: set[UUID] = set()
    now: UUID | None = deputy
    while now is not None and now not in seen:
        if now == member:
            return True
        seen.add(now)
        now = deputies.get(now)
    return False


@dataclass(frozen=True, slots=True)
class Cover:
    """Who of a provider's people is away on one day, and who is the active deputy of each of those."""

    absences: Mapping[UUID, Absence] = field(default_factory=lambda: MappingProxyType({}))
    deputies: Mapping[UUID, UUID] = field(default_factory=lambda: MappingProxyType({}))

    def acting(self, member: UUID) -> UUID | None:
        """Return who acts for a member on the day, the member themselves unless they are away."""
        return acting(member, frozenset(self.absences), self.deputies)

    def absent_for(self, member: UUID) -> frozenset[UUID]:
        """Return those who are away and for whom this member stands in."""
        return frozenset(one for one in self.absences if one != member and self.acting(one) == member)


def absence_faults(wanted: Absence, others: Iterable[Absence]) -> Iterator[UserError]:
    """Tell what is wrong with an absence beside the same member's others."""
    yield from day_faults(wanted.starts_on, "from")
    yield from day_faults(wanted.ends_on, "to")
    if wanted.ends_on is not None and wanted.ends_on < wanted.starts_on:
        yield invalid(f"An absence cannot end on {wanted.ends_on}, before it starts on {wanted.starts_on}.", "to")
        return
    for other in others:
        if other.id != wanted.id and _overlap(wanted, other):
            message = f"They are away {other.days} already; change or remove that absence, or give other days."
            yield UserError(ErrorCode.CONFLICT, message, ("from",))


def _overlap(one: Absence, other: Absence) -> bool:
    def begins_in_time(first: Absence, second: Absence) -> bool:
        return second.ends_on is None or first.starts_on <= second.ends_on

    return begins_in_time(one, other) and begins_in_time(other, one)
