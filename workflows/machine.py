"""The machine: the last guard of every move, built from the domain's table.

It decides and never does I/O. Only the synchronous `Machine` of `transitions` is used, without its
auto-transitions, which would walk past every gate.
"""

from dataclasses import dataclass
from functools import cache

from transitions import Machine, MachineError

from domain.gates import Verdict
from domain.moves import MOVES, Move, targets_of
from domain.stages import Stage


class ImpossibleMoveError(Exception):
    """The table has no such move from this stage, or a gate is shut."""


@dataclass(slots=True)
class _Case:
    """A model that carries nothing but its state while one move is decided; the machine never takes it on."""

    state: str


def _trigger(move: Move, target: Stage) -> str:
    return f"{move.value.lower()}_to_{target.value.lower()}"


def _gates_open(verdicts: tuple[Verdict, ...]) -> bool:
    return all(verdict.open for verdict in verdicts)


@cache
def _machine() -> Machine:
    machine = Machine(
        model=None, states=[s.value for s in Stage], initial=Stage.CONTRACTING.value, auto_transitions=False
    )
    for move, rule in MOVES.items():
        for source in rule.sources:
            for target in targets_of(move, source):
                machine.add_transition(_trigger(move, target), source.value, target.value, conditions=[_gates_open])
    return machine


def advance(stage: Stage, move: Move, target: Stage, verdicts: tuple[Verdict, ...]) -> Stage:
    """Return the stage after the move.

    Raises:
        ImpossibleMoveError: the move does not lead from here to there, or a gate is shut.
    """
    case = _Case(stage.value)
    try:
        # Adding a model would write a method per trigger onto it, which costs more than the rest of a decision.
        if not _machine().events[_trigger(move, target)].trigger(case, verdicts):
            msg = f"a gate of {move} is shut"
            raise ImpossibleMoveError(msg)
    except (MachineError, KeyError) as error:
        msg = f"{move} does not lead from {stage} to {target}"
        raise ImpossibleMoveError(msg) from error
    return Stage(case.state)
