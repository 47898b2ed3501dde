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
    PLANNED = "PLANNED"
    RE_PLANNED = "RE_PLANNED"
    PLAN_WITHDRAWN = "PLAN_WITHDRAWN"
    NOTE_ADDED = "NOTE_ADDED"
    NOTE_EDITED = "NOTE_EDITED"
    NOTE_DELETED = "NOTE_DELETED"
    CONTACT_ADDED = "CONTACT_ADDED"
    CONTACT_EDITED = "CONTACT_EDITED"
    CONTRACT_ADDED = "CONTRACT_ADDED"
    CONTRACT_EDITED = "CONTRACT_EDITED"
    AMENDMENT_ADDED = "AMENDMENT_ADDED"
    AMENDMENT_EDITED = "AMENDMENT_EDITED"
    CLIENT_EDITED = "CLIENT_EDITED"
    CLIENT_MERGED = "CLIENT_MERGED"
    CHECKLIST_ADDED = "CHECKLIST_ADDED"
    CHECKLIST_CHANGED = "CHECKLIST_CHANGED"
    CHECKLIST_DONE = "CHECKLIST_DONE"
    CHECKLIST_REOPENED = "CHECKLIST_REOPENED"
    CHECKLIST_REMOVED = "CHECKLIST_REMOVED"
    HAND_OFF_CHANGED = "HAND_OFF_CHANGED"
    FOLLOW_UP_OPENED = "FOLLOW_UP_OPENED"
    FOLLOW_UP_CLOSED = "FOLLOW_UP_CLOSED"


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One thing that happened.

    `key` is what it was about (a move, a gate, a timer, a field), `detail` why or to where. Where a field of the
    contract or the team changed, `before` and `after` are the ids that it named and names. `subject_id` is the note,
    contact or contract that was written, and `cycle_id` the onboarding, where it is of one.
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
    subject_id: UUID | None = None
    cycle_id: UUID | None = None
