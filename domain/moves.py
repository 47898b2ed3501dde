"""Moves: what a person does with a cycle, as one table of from, to, gates and rights."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from domain.access import Scope
from domain.stages import ORDER, Stage


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
    EXPAND = "EXPAND"
    IMPORT = "IMPORT"
    DISCARD = "DISCARD"
    GIVE_NOTICE = "GIVE_NOTICE"
    WITHDRAW_NOTICE = "WITHDRAW_NOTICE"
    CORRECT = "CORRECT"
    UNDO = "UNDO"
    MIGRATE = "MIGRATE"


STAYING = frozenset({Move.HOLD, Move.RESUME, Move.GIVE_NOTICE, Move.WITHDRAW_NOTICE, Move.CORRECT, Move.MIGRATE})
"""Moves that leave a cycle in its stage."""

UNDOABLE = frozenset({Move.BEGIN_DISCOVERY, Move.GO_LIVE, Move.GRADUATE, Move.LOSE, Move.OFF_BOARD, Move.DISCARD})
"""Moves that can be taken back; of the others the opposite can be done at any time."""


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
    apart: bool = False
    """Not among the next moves on offer: it looks at what was done before, not at what comes next."""


def _rule(
    move: Move,
    sources: tuple[Stage, ...],
    targets: tuple[Stage, ...],
    scope: Scope,
    title: str,
    *gates: Gate,
    needs_reason: bool = False,
    while_held: bool = False,
    apart: bool = False,
) -> MoveRule:
    return MoveRule(move, frozenset(sources), frozenset(targets), scope, title, gates, needs_reason, while_held, apart)


_C, _A, _E, _S = ORDER
_LOST, _OUT = Stage.LOST, Stage.OFFBOARDED

MOVES: Mapping[Move, MoveRule] = MappingProxyType(
    {
        rule.move: rule
        for rule in (
            _rule(Move.OPEN, (), (_C,), Scope.ONBOARDING_MOVE, "open", Gate.LEAD_SET),
            _rule(Move.REOPEN, (), (_C,), Scope.ONBOARDING_END, "reopen", Gate.LEAD_SET),
            _rule(Move.EXPAND, (), (_C,), Scope.ONBOARDING_MOVE, "expand", Gate.LEAD_SET),
            _rule(Move.IMPORT, (), tuple(Stage), Scope.ONBOARDING_END, "import"),
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
                (_LOST,),
                Scope.ONBOARDING_MOVE,
                "lose",
                needs_reason=True,
                while_held=True,
            ),
            _rule(
                Move.OFF_BOARD,
                (_E, _S),
                (_OUT,),
                Scope.ONBOARDING_END,
                "off-board",
                Gate.SERVICE_END_REACHED,
                Gate.DATA_HANDED_BACK,
                Gate.DEVICES_RELEASED,
                needs_reason=True,
                while_held=True,
            ),
            _rule(
                Move.DISCARD,
                (_C,),
                (_LOST,),
                Scope.ONBOARDING_END,
                "discard",
                needs_reason=True,
                while_held=True,
            ),
            _rule(
                Move.GIVE_NOTICE,
                (_E, _S),
                (),
                Scope.ONBOARDING_HOLD,
                "give notice",
                needs_reason=True,
                while_held=True,
            ),
            _rule(
                Move.WITHDRAW_NOTICE,
                ORDER,
                (),
                Scope.ONBOARDING_HOLD,
                "withdraw notice",
                needs_reason=True,
                while_held=True,
            ),
            _rule(
                Move.CORRECT,
                tuple(Stage),
                (),
                Scope.ONBOARDING_MOVE,
                "correct",
                needs_reason=True,
                while_held=True,
                apart=True,
            ),
            _rule(
                Move.UNDO,
                (_A, _E, _S, _LOST, _OUT),
                ORDER,
                Scope.ONBOARDING_MOVE,
                "undo",
                apart=True,
            ),
            _rule(
                Move.MIGRATE,
                ORDER,
                (),
                Scope.ONBOARDING_MOVE,
                "migrate",
                needs_reason=True,
                while_held=True,
                apart=True,
            ),
        )
    }
)
"""Every move there is. The machine, readiness, the diagrams and the docs are made from this table."""


def targets_of(move: Move, stage: Stage) -> tuple[Stage, ...]:
    """Return the stages that a move can lead to from a stage; the stage itself for what leaves it there."""
    rule = MOVES[move]
    if stage not in rule.sources:
        return ()
    if move in STAYING:
        return (stage,)
    if move is Move.UNDO:
        return _undone(stage)
    if move is Move.ROLL_BACK:
        return tuple(s for s in ORDER if s in rule.targets and ORDER.index(s) < ORDER.index(stage))
    return tuple(rule.targets)


def _undone(stage: Stage) -> tuple[Stage, ...]:
    """Return where the moves that can be undone have led here from."""
    return tuple(
        source
        for source in ORDER
        if any(stage in MOVES[move].targets and source in MOVES[move].sources for move in UNDOABLE)
    )


def scope_for(move: Move, stage: Stage) -> Scope:
    """Return the scope that a move takes from a stage; a roll-back out of steady state takes a service manager's."""
    if move is Move.ROLL_BACK and stage is Stage.STEADY_STATE:
        return Scope.ONBOARDING_END
    return MOVES[move].scope
