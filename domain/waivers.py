"""Waivers and attestations."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from domain.definitions import Hardness
from domain.moves import Gate, Move


class WaiverState(StrEnum):
    """Where a waiver stands; it is derived from its dates."""

    REQUESTED = "REQUESTED"
    GRANTED = "GRANTED"
    USED = "USED"
    WITHDRAWN = "WITHDRAWN"
    EXPIRED = "EXPIRED"


@dataclass(frozen=True, slots=True)
class Waiver:
    """Permission to pass one gate of one move once, within one stay in a stage."""

    id: UUID
    client_id: UUID
    cycle_id: UUID
    visit_id: UUID
    move: Move
    gate: Gate
    hardness: Hardness
    reason: str
    requested_by: UUID
    requested_at: datetime
    granted_by: UUID | None
    granted_at: datetime | None
    four_eyes: bool
    expires_at: datetime
    withdrawn_at: datetime | None
    withdrawn_by: UUID | None
    used_by: UUID | None

    def state(self, now: datetime) -> WaiverState:
        """Return where the waiver stands at an instant."""
        if self.used_by is not None:
            return WaiverState.USED
        if self.withdrawn_at is not None:
            return WaiverState.WITHDRAWN
        if now >= self.expires_at:
            return WaiverState.EXPIRED
        return WaiverState.GRANTED if self.granted_at is not None else WaiverState.REQUESTED


@dataclass(frozen=True, slots=True)
class Attestation:
    """A person's dated word for a gate that nothing measures yet; it holds for one stay in a stage."""

    id: UUID
    client_id: UUID
    cycle_id: UUID
    gate: Gate
    statement: str
    attested_on: date
    attested_by: UUID
    recorded_at: datetime
