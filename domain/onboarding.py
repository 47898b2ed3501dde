"""Onboarding: a client's way from contract to steady state, told as stages, moves and visits."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from domain.access import Scope


class Stage(StrEnum):
    """Where a cycle stands; the names and the order are fixed, so that figures compare."""

    CONTRACTING = "CONTRACTING"
    ASSET_DISCOVERY = "ASSET_DISCOVERY"
    EARLY_SUPPORT = "EARLY_SUPPORT"
    STEADY_STATE = "STEADY_STATE"
    LOST = "LOST"
    OFFBOARDED = "OFFBOARDED"


ORDER = (Stage.CONTRACTING, Stage.ASSET_DISCOVERY, Stage.EARLY_SUPPORT, Stage.STEADY_STATE)
ENDS = frozenset({Stage.LOST, Stage.OFFBOARDED})


class Move(StrEnum):
    """What a person does with a cycle."""

    OPEN = "OPEN"
    BEGIN_DISCOVERY = "BEGIN_DISCOVERY"
    GO_LIVE = "GO_LIVE"
    GRADUATE = "GRADUATE"
    ROLL_BACK = "ROLL_BACK"
    HOLD = "HOLD"
    RESUME = "RESUME"
    LOSE = "LOSE"
    OFF_BOARD = "OFF_BOARD"
    REOPEN = "REOPEN"


class Gate(StrEnum):
    """A condition on evidence that a move passes."""

    LEAD_SET = "LEAD_SET"
    CONTRACT_SIGNED = "CONTRACT_SIGNED"
    HAND_OFF_COMPLETE = "HAND_OFF_COMPLETE"
    PRIMARY_CONTACT = "PRIMARY_CONTACT"
    SURVEYABLE_CONTACT = "SURVEYABLE_CONTACT"
    COVERAGE_HOURS = "COVERAGE_HOURS"
    THRESHOLD_SET = "THRESHOLD_SET"
    CONTRACTING_CHECKLIST = "CONTRACTING_CHECKLIST"
    DEVICES_DECIDED = "DEVICES_DECIDED"
    DISCOVERY_FRESH = "DISCOVERY_FRESH"
    DEVICES_MANAGED = "DEVICES_MANAGED"
    CRITICAL_SERVICES_MAPPED = "CRITICAL_SERVICES_MAPPED"
    BACKUP_VERIFIED = "BACKUP_VERIFIED"
    CREDENTIALS_HANDED_OVER = "CREDENTIALS_HANDED_OVER"
    DISCOVERY_CHECKLIST = "DISCOVERY_CHECKLIST"
    DAY_90_REACHED = "DAY_90_REACHED"
    DAYS_IN_STAGE = "DAYS_IN_STAGE"
    NO_OPEN_PRIORITY_1 = "NO_OPEN_PRIORITY_1"
    ESCALATION_RATE_IN_LIMIT = "ESCALATION_RATE_IN_LIMIT"
    DOCUMENTATION_SIGNED_OFF = "DOCUMENTATION_SIGNED_OFF"
    DAY_90_SURVEY = "DAY_90_SURVEY"
    SERVICE_END_REACHED = "SERVICE_END_REACHED"
    DATA_HANDED_BACK = "DATA_HANDED_BACK"
    DEVICES_RELEASED = "DEVICES_RELEASED"


@dataclass(frozen=True, slots=True)
class MoveRule:
    """One row of the table of moves: from where to where, past which gates, by whom."""

    move: Move
    sources: frozenset[Stage]
    targets: frozenset[Stage]
    scope: Scope
    title: str
    gates: tuple[Gate, ...] = ()
    needs_reason: bool = False
    while_held: bool = False


def _rule(
    move: Move,
    sources: tuple[Stage, ...],
    targets: tuple[Stage, ...],
    scope: Scope,
    title: str,
    *gates: Gate,
    needs_reason: bool = False,
    while_held: bool = False,
) -> MoveRule:
    return MoveRule(move, frozenset(sources), frozenset(targets), scope, title, gates, needs_reason, while_held)


_C, _A, _E, _S = ORDER

MOVES: Mapping[Move, MoveRule] = MappingProxyType(
    {
        rule.move: rule
        for rule in (
            _rule(Move.OPEN, (), (_C,), Scope.ONBOARDING_MOVE, "open", Gate.LEAD_SET),
            _rule(Move.REOPEN, (), (_C,), Scope.ONBOARDING_END, "reopen", Gate.LEAD_SET),
            _rule(
                Move.BEGIN_DISCOVERY,
                (_C,),
                (_A,),
                Scope.ONBOARDING_MOVE,
                "begin discovery",
                Gate.CONTRACT_SIGNED,
                Gate.HAND_OFF_COMPLETE,
                Gate.PRIMARY_CONTACT,
                Gate.SURVEYABLE_CONTACT,
                Gate.COVERAGE_HOURS,
                Gate.THRESHOLD_SET,
                Gate.CONTRACTING_CHECKLIST,
            ),
            _rule(
                Move.GO_LIVE,
                (_A,),
                (_E,),
                Scope.ONBOARDING_MOVE,
                "go live",
                Gate.DEVICES_DECIDED,
                Gate.DISCOVERY_FRESH,
                Gate.DEVICES_MANAGED,
                Gate.CRITICAL_SERVICES_MAPPED,
                Gate.BACKUP_VERIFIED,
                Gate.CREDENTIALS_HANDED_OVER,
                Gate.DISCOVERY_CHECKLIST,
            ),
            _rule(
                Move.GRADUATE,
                (_E,),
                (_S,),
                Scope.ONBOARDING_MOVE,
                "graduate",
                Gate.DAY_90_REACHED,
                Gate.DAYS_IN_STAGE,
                Gate.NO_OPEN_PRIORITY_1,
                Gate.ESCALATION_RATE_IN_LIMIT,
                Gate.DOCUMENTATION_SIGNED_OFF,
                Gate.DAY_90_SURVEY,
            ),
            _rule(
                Move.ROLL_BACK,
                (_A, _E, _S),
                (_C, _A, _E),
                Scope.ONBOARDING_MOVE,
                "roll back",
                needs_reason=True,
            ),
            _rule(Move.HOLD, (_C, _A, _E), (), Scope.ONBOARDING_HOLD, "hold"),
            _rule(Move.RESUME, (_C, _A, _E), (), Scope.ONBOARDING_HOLD, "resume", while_held=True),
            _rule(
                Move.LOSE,
                (_C, _A),
                (Stage.LOST,),
                Scope.ONBOARDING_MOVE,
                "lose",
                needs_reason=True,
                while_held=True,
            ),
            _rule(
                Move.OFF_BOARD,
                (_E, _S),
                (Stage.OFFBOARDED,),
                Scope.ONBOARDING_END,
                "off-board",
                Gate.SERVICE_END_REACHED,
                Gate.DATA_HANDED_BACK,
                Gate.DEVICES_RELEASED,
                needs_reason=True,
                while_held=True,
            ),
        )
    }
)
"""Every move there is. The machine, readiness, the diagrams and the docs are made from this table."""


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

    @property
    def team(self) -> tuple[UUID | None, ...]:
        """Everyone whose own client this is."""
        return (self.lead_id, self.account_manager_id, self.technical_lead_id, *self.engineer_ids)

    @property
    def ended(self) -> bool:
        """Whether the cycle is over; nothing of it changes any more."""
        return self.stage in ENDS


@dataclass(frozen=True, slots=True)
class Visit:
    """One stay in one stage; a roll-back marks what came after its target as superseded."""

    id: UUID
    cycle_id: UUID
    stage: Stage
    entered_at: datetime
    left_at: datetime | None
    superseded_at: datetime | None


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


def targets_of(move: Move, stage: Stage) -> tuple[Stage, ...]:
    """Return the stages that a move can lead to from a stage; the stage itself for hold and resume."""
    rule = MOVES[move]
    if stage not in rule.sources:
        return ()
    if move in (Move.HOLD, Move.RESUME):
        return (stage,)
    if move is Move.ROLL_BACK:
        return tuple(s for s in ORDER if s in rule.targets and ORDER.index(s) < ORDER.index(stage))
    return tuple(rule.targets)


def possible_moves(cycle: Cycle) -> tuple[Move, ...]:
    """Return the moves that lead on from where the cycle stands, gates and rights apart."""
    if cycle.ended:
        return ()
    held = cycle.held_at is not None
    return tuple(
        move
        for move, rule in MOVES.items()
        if cycle.stage in rule.sources and (rule.while_held if held else move is not Move.RESUME)
    )


def scope_for(move: Move, stage: Stage) -> Scope:
    """Return the scope that a move takes from a stage; a roll-back out of steady state takes a service manager's."""
    if move is Move.ROLL_BACK and stage is Stage.STEADY_STATE:
        return Scope.ONBOARDING_END
    return MOVES[move].scope


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
    """Rebuild a cycle's standing from its accepted transitions alone, in their order."""
    history = History()
    for step in transitions:
        if not step.accepted:
            continue
        moved = step.move not in (Move.HOLD, Move.RESUME)
        held = step.move is Move.HOLD or (history.held and step.move not in (Move.RESUME, Move.LOSE, Move.OFF_BOARD))
        stages = (*history.stages, step.to_stage) if moved else history.stages
        history = History(step.to_stage, step.version, held, step.to_stage in ENDS, stages)
    return history
