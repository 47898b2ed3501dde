"""Readiness: what stands between a cycle and each of its next moves, and what the move would set off."""

from dataclasses import dataclass, replace
from uuid import UUID

from domain.calendars import Calendar
from domain.definitions import Rules
from domain.effects import PlannedEffect, effects
from domain.errors import Blocker
from domain.gates import Evidence, Verdict, blockers, judge
from domain.moves import Move, targets_of
from domain.onboarding import Cycle, possible_moves
from domain.stages import Stage

FORWARD = {
    Stage.CONTRACTING: Move.BEGIN_DISCOVERY,
    Stage.ASSET_DISCOVERY: Move.GO_LIVE,
    Stage.EARLY_SUPPORT: Move.GRADUATE,
}
"""The move that leads on from each stage."""

UNFORESEEN = frozenset({Move.GIVE_NOTICE, Move.WITHDRAW_NOTICE})
"""Moves whose consequences depend on what is given with them; their own dry run tells."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """One possible next move: its gates as judged now, and exactly what it would trigger."""

    cycle_id: UUID
    move: Move
    to_stage: Stage
    gates: tuple[Verdict, ...]
    would_trigger: tuple[PlannedEffect, ...]

    @property
    def ready(self) -> bool:
        """Whether every gate lets the move pass."""
        return all(gate.open for gate in self.gates)

    @property
    def blockers(self) -> tuple[Blocker, ...]:
        """The gates that hold the move back, and who may waive each."""
        return tuple(replace(blocker, cycle_id=self.cycle_id) for blocker in blockers(self.gates))


def readiness(cycle: Cycle, rules: Rules, evidence: Evidence, calendar: Calendar) -> tuple[Readiness, ...]:
    """Judge every possible next move of a cycle; a move with several targets is listed once for each."""
    return tuple(
        Readiness(
            cycle.id,
            move,
            target,
            judge(move, cycle, rules, evidence),
            effects(move, target, cycle, rules, evidence, calendar),
        )
        for move in possible_moves(cycle)
        if move not in UNFORESEEN
        for target in targets_of(move, cycle.stage)
    )
