"""Steps: everything that one move writes, gathered before any of it is written."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.baselines import Baseline
from domain.effects import Cancellation, PlannedEffect
from domain.events import Envelope
from domain.onboarding import Cycle, Hold, Transition, Visit, Window


@dataclass(frozen=True, slots=True)
class Step:
    """One accepted move: the cycle as it is afterwards, and all that follows from it.

    It is stored by one statement, so that it is there wholly or not at all.
    """

    cycle: Cycle
    transition: Transition
    envelope: Envelope
    opened: bool = False
    left_visit: UUID | None = None
    left_target: datetime | None = None
    entered_visit: Visit | None = None
    superseded: tuple[UUID, ...] = ()
    held: Hold | None = None
    resumed: bool = False
    opened_window: Window | None = None
    closes_window: bool = False
    effects: tuple[tuple[UUID, PlannedEffect], ...] = ()
    cancelled: Cancellation | None = None
    shifted_target: datetime | None = None
    baseline: tuple[tuple[UUID, Baseline], ...] = ()
