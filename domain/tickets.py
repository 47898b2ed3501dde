"""A ticket is one matter that a client raised; its hand-overs are who had it, one after another."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from hashlib import blake2b
from uuid import UUID

from domain.stages import Stage


class Priority(StrEnum):
    """How urgent the provider holds a ticket to be; P1 is the most urgent."""

    P1 = "P1"
    P2 = "P2"
    P3 = "P3"
    P4 = "P4"
    UNKNOWN = "UNKNOWN"


class TicketKind(StrEnum):
    """What sort of matter it is, in the words of service management."""

    INCIDENT = "INCIDENT"
    REQUEST = "REQUEST"
    PROBLEM = "PROBLEM"
    CHANGE = "CHANGE"
    UNKNOWN = "UNKNOWN"


class TicketSource(StrEnum):
    """Who opened it: a person, or a monitoring system by itself."""

    PERSON = "PERSON"
    ALERT = "ALERT"


class Exclusion(StrEnum):
    """Why a ticket that exists counts in no figure."""

    MERGED = "MERGED"
    DELETED = "DELETED"
    SPAM = "SPAM"


@dataclass(frozen=True, slots=True)
class HandOver:
    """From `at` on, `team` had the ticket; the first one is the first assignment.

    `tier` is the support line (1 is the first), None where the source doesn't tell. `reassignments` is the
    running count that the source itself keeps, None where it keeps none.
    """

    at: datetime
    team: str | None
    tier: int | None = None
    reassignments: int | None = None


@dataclass(frozen=True, slots=True)
class ReportedTicket:
    """What a source says about one ticket, complete: saying it again changes nothing.

    `client` is the source's own key of the client. `changed_at` orders two reports of one ticket where the
    source has it: an older report never overwrites a newer one.
    """

    external_id: str
    client: str | None
    logged_at: datetime
    kind: TicketKind = TicketKind.UNKNOWN
    source: TicketSource = TicketSource.PERSON
    priority: Priority = Priority.UNKNOWN
    category: str | None = None
    resolved_at: datetime | None = None
    closed_at: datetime | None = None
    changed_at: datetime | None = None
    exclusion: Exclusion | None = None
    hand_overs: tuple[HandOver, ...] = ()

    def digest(self) -> bytes:
        """Return 16 bytes that are equal exactly when two reports say the same.

        `changed_at` is left out: a source that touches a ticket without changing it has changed nothing.
        """
        said = repr(replace(self, changed_at=None)).encode("utf-8", "surrogatepass")
        return blake2b(said, digest_size=16).digest()


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket as it is stored: `day` is the provider's local day, stage and phase those of when it was logged.

    Without a client it is unmapped; `client_key` is then the key that nobody has mapped yet.
    """

    id: UUID
    client_id: UUID | None
    system: str
    external_id: str
    client_key: str | None
    kind: TicketKind
    source: TicketSource
    priority: Priority
    category: str | None
    logged_at: datetime
    day: date
    resolved_at: datetime | None
    closed_at: datetime | None
    exclusion: Exclusion | None
    stage: Stage | None
    phase: str
    cycle_id: UUID | None
    times_escalated: int
    first_escalated_at: datetime | None
    rule_version: int
    recorded_at: datetime
    version: int


def hand_overs(sightings: Iterable[HandOver]) -> tuple[HandOver, ...]:
    """Keep, of all sightings of a ticket in order, the first and those where somebody else has it.

    A sighting that names no team says nothing new, unless the source's own count has risen.
    """
    kept: list[HandOver] = []
    for seen in sightings:
        if not kept:
            kept.append(seen)
            continue
        last = kept[-1]
        moved = seen.team is not None and (seen.team, seen.tier) != (last.team, last.tier)
        counted = seen.reassignments is not None and seen.reassignments > (last.reassignments or 0)
        if moved or counted:
            named = seen if seen.team is not None else replace(seen, team=last.team, tier=last.tier)
            kept.append(named)
    return tuple(kept)
