"""Onboarding: a client's way from contract to steady state, told as cycles, visits and transitions."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from domain.clients import Party
from domain.moves import MOVES, STAYING, Move
from domain.stages import ENDS, ORDER, Stage


class ScopeKind(StrEnum):
    """What a cycle is about; one is open per scope at a time."""

    WHOLE_CLIENT = "WHOLE_CLIENT"
    SITE = "SITE"
    SERVICE = "SERVICE"


class HoldReason(StrEnum):
    """Why a cycle stands still."""

    CLIENT = "CLIENT"
    INTERNAL = "INTERNAL"
    VENDOR = "VENDOR"
    LEGAL = "LEGAL"


class EndReason(StrEnum):
    """The outcome code of a cycle that was lost or off-boarded."""

    PRICE = "PRICE"
    COMPETITOR = "COMPETITOR"
    NO_DECISION = "NO_DECISION"
    UNSUITABLE = "UNSUITABLE"
    SERVICE_QUALITY = "SERVICE_QUALITY"
    INSOURCED = "INSOURCED"
    CONTRACT_ENDED = "CONTRACT_ENDED"
    CLIENT_CLOSED = "CLIENT_CLOSED"
    OTHER = "OTHER"
    MISTAKE = "MISTAKE"
    DUPLICATE = "DUPLICATE"


ENTERED_IN_ERROR = frozenset({EndReason.MISTAKE, EndReason.DUPLICATE})
"""Outcomes of what was never an onboarding: they count in no figure, and only a discard gives them."""


@dataclass(frozen=True, slots=True)
class Cycle:
    """One onboarding: onboarding until it graduates, in service in steady state, ended at an end."""

    id: UUID
    client_id: UUID
    number: int
    scope_kind: ScopeKind
    scope_key: str
    contract_id: UUID | None
    definition_id: UUID
    lead_id: UUID
    account_manager_id: UUID | None
    technical_lead_id: UUID | None
    engineer_ids: tuple[UUID, ...]
    stage: Stage
    visit_id: UUID
    opened_at: datetime
    entered_at: datetime
    target_at: datetime | None
    held_at: datetime | None
    ended_at: datetime | None
    outcome: EndReason | None
    version: int
    active_at: datetime
    amendment_id: UUID | None = None
    notice_id: UUID | None = None

    @property
    def team(self) -> tuple[UUID | None, ...]:
        """Everyone whose own client this is."""
        return (self.lead_id, self.account_manager_id, self.technical_lead_id, *self.engineer_ids)

    @property
    def place_id(self) -> UUID | None:
        """The site or the service that it is about; nothing where it is about the whole client."""
        return None if self.scope_kind is ScopeKind.WHOLE_CLIENT else UUID(hex=self.scope_key)

    @property
    def ended(self) -> bool:
        """Whether the cycle is over; only a correction or an undo changes anything of it then."""
        return self.stage in ENDS


@dataclass(frozen=True, slots=True)
class Visit:
    """One stay in one stage; a roll-back marks what came after its target as superseded.

    `target_at` is the stage's target as it stood when the stage was left; while the stay lasts it is the cycle's.
    """

    id: UUID
    cycle_id: UUID
    stage: Stage
    entered_at: datetime
    left_at: datetime | None
    superseded_at: datetime | None
    target_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """An interval in which the target's clock stands still; day 90 of the contract does not wait."""

    id: UUID
    cycle_id: UUID
    reason: HoldReason
    note: str | None
    held_at: datetime
    expected_resume_on: date | None
    resumed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Notice:
    """A client in service that leaves, or whom the provider leaves; withdrawn, it was none.

    `given_on` and `ends_on` are local days of the provider: when it was given, and the last day of service.
    """

    id: UUID
    cycle_id: UUID
    given_by: Party
    contact_id: UUID | None
    given_on: date
    ends_on: date
    outcome: EndReason
    reason: str
    given_at: datetime
    withdrawn_at: datetime | None


@dataclass(frozen=True, slots=True)
class Window:
    """The escalation window `[opened, closed)`: a ticket logged inside stays in it."""

    id: UUID
    cycle_id: UUID
    opened_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Transition:
    """One attempted move as the audit trail keeps it, accepted or refused."""

    id: UUID
    cycle_id: UUID
    client_id: UUID
    version: int
    move: Move
    from_stage: Stage | None
    to_stage: Stage
    accepted: bool
    refusal: str | None
    recorded_at: datetime
    effective_at: datetime
    actor_kind: str
    actor_id: UUID
    on_behalf_of: UUID | None
    channel: str
    definition_number: int
    gates: tuple[Mapping[str, object], ...]
    waiver_ids: tuple[UUID, ...]
    effect_ids: tuple[UUID, ...]
    reason: str | None
    outcome: EndReason | None
    request_id: str
    event_id: UUID | None
    corrects: UUID | None = None


def possible_moves(cycle: Cycle) -> tuple[Move, ...]:
    """Return the moves that lead on from where the cycle stands, gates and rights apart."""
    if cycle.ended:
        return ()
    held = cycle.held_at is not None
    unfit = Move.GIVE_NOTICE if cycle.notice_id else Move.WITHDRAW_NOTICE
    return tuple(
        move
        for move, rule in MOVES.items()
        if cycle.stage in rule.sources
        and not rule.apart
        and move is not unfit
        and (rule.while_held if held else move is not Move.RESUME)
    )


def superseded_by(target: Stage, visits: tuple[Visit, ...]) -> tuple[Visit, ...]:
    """Return the visits that a roll-back to `target` sets aside: all of later stages."""
    return tuple(
        v for v in visits if v.superseded_at is None and v.stage in ORDER and ORDER.index(v.stage) > ORDER.index(target)
    )


@dataclass(frozen=True, slots=True)
class History:
    """What the accepted transitions of one cycle add up to."""

    stage: Stage | None = None
    version: int = 0
    held: bool = False
    ended: bool = False
    stages: tuple[Stage, ...] = field(default=())


def replay(transitions: tuple[Transition, ...]) -> History:
    """Rebuild a cycle's standing from its accepted transitions alone, in their order.

    An undo brings back what was before the move before it, and the stay that this move began remains in the list.
    """
    history = before = History()
    for step in transitions:
        if not step.accepted:
            continue
        before, history = history, _after(step, before, history)
    return history


def _after(step: Transition, before: History, history: History) -> History:
    if step.move is Move.UNDO:
        return replace(before, version=step.version, stages=history.stages)
    moved = step.move not in STAYING
    held = step.move is Move.HOLD or (history.held and not (moved or step.move is Move.RESUME))
    stages = (*history.stages, step.to_stage) if moved else history.stages
    return History(step.to_stage, step.version, held, step.to_stage in ENDS, stages)
