"""The timeline of an onboarding: everything that happened to it, in one order."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class TimelineKind(StrEnum):
    """What sort of thing an entry tells of."""

    MOVED = "MOVED"
    MOVE_REFUSED = "MOVE_REFUSED"
    WAIVER_REQUESTED = "WAIVER_REQUESTED"
    WAIVER_GRANTED = "WAIVER_GRANTED"
    WAIVER_WITHDRAWN = "WAIVER_WITHDRAWN"
    WAIVER_REFUSED = "WAIVER_REFUSED"
    GATE_ATTESTED = "GATE_ATTESTED"
    ATTESTATION_REFUSED = "ATTESTATION_REFUSED"
    TEAM_CHANGED = "TEAM_CHANGED"
    TEAM_CHANGE_REFUSED = "TEAM_CHANGE_REFUSED"
    TIMER_FIRED = "TIMER_FIRED"
    SURVEY_SKIPPED = "SURVEY_SKIPPED"
    EFFECT_CANCELLED = "EFFECT_CANCELLED"


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One thing that happened.

    `key` is what it was about (a move, a gate, a timer, a field), `detail` why or to where. Where a field of the
    contract or the team changed, `before` and `after` are the ids that it named and names.
    """

    at: datetime
    kind: TimelineKind
    id: UUID
    key: str
    detail: str | None
    actor_kind: str | None
    actor_id: UUID | None
    before: tuple[UUID, ...] = ()
    after: tuple[UUID, ...] = ()
