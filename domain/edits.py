"""Edits: that something of a client's was written or changed, by whom and which fields, never what they say."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.timeline import TimelineKind


@dataclass(frozen=True, slots=True)
class ClientEdit:
    """One edit; of one onboarding where `cycle_id` names it, else of whatever was going on with the client.

    `fields` are the names by which the API calls what changed; an addition or a deletion has none.
    """

    id: UUID
    client_id: UUID
    cycle_id: UUID | None
    kind: TimelineKind
    subject_id: UUID
    fields: tuple[str, ...]
    recorded_at: datetime
    actor_kind: str
    actor_id: UUID
    request_id: str
