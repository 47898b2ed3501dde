"""Diagrams: the machine and one cycle's path, as Mermaid text."""

from datetime import datetime

from domain.definitions import Hardness, Rules
from domain.moves import MOVES, Move
from domain.onboarding import Visit
from domain.stages import ORDER, Stage

_FORWARD = (Move.BEGIN_DISCOVERY, Move.GO_LIVE, Move.GRADUATE)


def machine(rules: Rules) -> str:
    """Return the state machine under a definition: every move, and on the way forward its gates."""
    lines = ["stateDiagram-v2", f"    [*] --> {Stage.CONTRACTING}: open"]
    for move in _FORWARD:
        rule = MOVES[move]
        (source,), (target,) = rule.sources, rule.targets
        hard = sum(rules.hardness(gate) is Hardness.HARD for gate in rule.gates)
        soft = sum(rules.hardness(gate) is Hardness.SOFT for gate in rule.gates)
        lines.append(f"    {source} --> {target}: {rule.title} ({hard} hard, {soft} soft gates)")
    for source in ORDER[1:]:
        earlier = ORDER[: ORDER.index(source)]
        lines += [f"    {source} --> {target}: {MOVES[Move.ROLL_BACK].title}" for target in earlier]
    for move in (Move.LOSE, Move.OFF_BOARD):
        rule = MOVES[move]
        (end,) = rule.targets
        lines += [f"    {source} --> {end}: {rule.title}" for source in ORDER if source in rule.sources]
        lines.append(f"    {end} --> [*]")
    return "\n".join(lines)


def path(visits: tuple[Visit, ...], end: Stage | None, now: datetime) -> str:
    """Return the stays of one cycle in their order, with the days each took; set-aside ones are marked."""
    lines = ["flowchart LR"]
    for number, visit in enumerate(visits):
        days = ((visit.left_at or now) - visit.entered_at).days
        mark = ", set aside" if visit.superseded_at else ""
        lines.append(f'    v{number}["{visit.stage}<br/>{visit.entered_at.date()}, {days} days{mark}"]')
    lines += [f"    v{number - 1} --> v{number}" for number in range(1, len(visits))]
    if end is not None and visits:
        lines.append(f'    v{len(visits) - 1} --> ended["{end}"]')
    elif visits:
        lines.append(f"    class v{len(visits) - 1} current")
        lines.append("    classDef current stroke-width:3px")
    return "\n".join(lines)
