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


class EscalationKind(StrEnum):
    """What rose: the skill that is asked, the manager who is told, the clock, or a matter of another company."""

    FUNCTIONAL = "FUNCTIONAL"
    HIERARCHICAL = "HIERARCHICAL"
    SLA = "SLA"
    VENDOR = "VENDOR"


class WaitingOn(StrEnum):
    """Who is to act while the provider's clock stands still."""

    CUSTOMER = "CUSTOMER"
    VENDOR = "VENDOR"
    OTHER = "OTHER"


class SlaResult(StrEnum):
    """Whether a target was kept."""

    MET = "MET"
    MISSED = "MISSED"


@dataclass(frozen=True, slots=True)
class HandOver:
    """From `at` on, `team` and within it `agent` had the ticket; the first one is the first assignment.

    `tier` is the support line (1 is the first), None where the source doesn't tell. `reassignments` is the
    running count that the source itself keeps, None where it keeps none. `agent` is the source's own key of a person.
    """

    at: datetime
    team: str | None
    tier: int | None = None
    reassignments: int | None = None
    agent: str | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """One stretch in which somebody else was to act; open while `end` is None."""

    start: datetime
    end: datetime | None = None
    on: WaitingOn = WaitingOn.OTHER


@dataclass(frozen=True, slots=True)
class Resolution:
    """The ticket was resolved, and held until it was reopened, if it was."""

    at: datetime
    reopened_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SlaTarget:
    """By when something was to be done, and what the source says came of it; a recorded miss stays one."""

    due_at: datetime | None = None
    result: SlaResult | None = None


@dataclass(frozen=True, slots=True)
class ReportedEscalation:
    """An escalation that the source, or a person, names as such; no rule needs to see it."""

    at: datetime
    kind: EscalationKind
    from_team: str | None = None
    to_team: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ReportedTicket:
    """What a source says about one ticket, complete: saying it again changes nothing.

    `client`, `site` and `device` are the source's own keys, and `merged_into` its number of another ticket.
    `changed_at` orders two reports of one ticket where the source has it: an older report never overwrites a newer
    one. `times_reopened` is the source's own count, for sources that don't tell when. `first_contact` says whether
    the first contact resolved it, where the source tells; `resolutions` and `waits` are in the order of time.

    A `snapshot` tells only how the ticket stands at `changed_at` (at most one hand-over, an open wait, one resolution):
    what was known of its past is kept, and what differs happened then.
    """

    external_id: str
    client: str | None
    logged_at: datetime
    kind: TicketKind = TicketKind.UNKNOWN
    source: TicketSource = TicketSource.PERSON
    priority: Priority = Priority.UNKNOWN
    category: str | None = None
    closed_at: datetime | None = None
    changed_at: datetime | None = None
    exclusion: Exclusion | None = None
    hand_overs: tuple[HandOver, ...] = ()
    title: str | None = None
    site: str | None = None
    device: str | None = None
    merged_into: str | None = None
    first_responded_at: datetime | None = None
    resolutions: tuple[Resolution, ...] = ()
    times_reopened: int = 0
    waits: tuple[Wait, ...] = ()
    first_contact: bool | None = None
    response_sla: SlaTarget | None = None
    resolution_sla: SlaTarget | None = None
    escalations: tuple[ReportedEscalation, ...] = ()
    snapshot: bool = False

    @property
    def resolved_at(self) -> datetime | None:
        """When it was last resolved; None while it is open, be it again."""
        if not self.resolutions or self.resolutions[-1].reopened_at is not None:
            return None
        return self.resolutions[-1].at

    @property
    def reopenings(self) -> int:
        """How often it was reopened: as the source counts, or as often as is known when."""
        return max(self.times_reopened, sum(one.reopened_at is not None for one in self.resolutions))

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
    title: str | None
    category_id: UUID | None
    team_id: UUID | None
    tier: int | None
    agent_id: UUID | None
    site_id: UUID | None
    site_key: str | None
    device_id: UUID | None
    device_key: str | None
    logged_at: datetime
    day: date
    first_responded_at: datetime | None
    response_minutes: int | None
    """Business minutes from logging to the first response."""
    resolved_at: datetime | None
    resolve_minutes: int | None
    """Business minutes from logging to the last resolution, without waits and what lay between resolved and reopened.
    """
    times_reopened: int
    first_contact: bool | None
    closed_at: datetime | None
    response_due_at: datetime | None
    response_sla: SlaResult | None
    resolution_due_at: datetime | None
    resolution_sla: SlaResult | None
    exclusion: Exclusion | None
    merged_into: str | None
    client_pinned: bool
    """A person gave it its client: what the source says of that no longer counts."""
    exclusion_pinned: bool
    """A person said whether it counts, or that it was merged: as with its client."""
    stage: Stage | None
    phase: str
    cycle_id: UUID | None
    times_escalated: int
    first_escalated_at: datetime | None
    rule_version: int
    recorded_at: datetime
    version: int


def resolved(at: datetime | None) -> tuple[Resolution, ...]:
    """Return the resolutions of a ticket of which only the last one is known, or none."""
    return () if at is None else (Resolution(at),)


def hand_overs(sightings: Iterable[HandOver]) -> tuple[HandOver, ...]:
    """Keep, of all sightings of a ticket in order, the first and those where somebody else has it.

    A sighting that names no team says nothing new, unless it names another agent or the source's own count has risen.
    """
    kept: list[HandOver] = []
    for seen in sightings:
        if not kept:
            kept.append(seen)
            continue
        last = kept[-1]
        moved = seen.team is not None and (seen.team, seen.tier) != (last.team, last.tier)
        counted = seen.reassignments is not None and seen.reassignments > (last.reassignments or 0)
        passed_on = seen.agent is not None and seen.agent != last.agent
        if moved or counted or passed_on:
            named = seen if seen.team is not None else replace(seen, team=last.team, tier=last.tier)
            kept.append(named)
    return tuple(kept)
