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
    GATE_ATTESTED = "GATE_ATTESTED"
    TIMER_FIRED = "TIMER_FIRED"
    SURVEY_SKIPPED = "SURVEY_SKIPPED"
    EFFECT_CANCELLED = "EFFECT_CANCELLED"


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One thing that happened. `key` is what it was about (a move, a gate, a timer), `detail` why or to where."""

    at: datetime
    kind: TimelineKind
    id: UUID
    key: str
    detail: str | None
    actor_id: UUID | None
