"""Reporting: figures taken in turns, brought down to medians, and held against a goal in one line each."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

Measure = Callable[[], Awaitable[float]]


@dataclass(frozen=True, slots=True)
class Goal:
    """One goal and what was measured: a ratio that is to be at least (or at most) a limit."""

    what: str
    ratio: float
    limit: float
    figures: str
    at_most: bool = False
    hoped: float | None = None
    """A farther goal, which nobody promised."""

    @property
    def met(self) -> bool:
        return self._reaches(self.limit)

    def line(self) -> str:
        sign = "≤" if self.at_most else "≥"
        verdict = "met" if self.met else "NOT MET"
        line = f"{self.what:<62} {self.ratio:6.2f}  goal {sign} {self.limit:4.2f}  {verdict:<7}"
        if self.hoped is not None:
            line += f"  hoped for {sign} {self.hoped:4.2f}: {'met' if self._reaches(self.hoped) else 'not met'}"
        return f"{line}  {self.figures}".rstrip()

    def _reaches(self, limit: float) -> bool:
        return self.ratio <= limit if self.at_most else self.ratio >= limit


async def in_turns(rounds: int, measures: Mapping[str, Measure]) -> dict[str, float]:
    """Take each measure in turn, A B A B …, and return the median of each."""
    taken: dict[str, list[float]] = {name: [] for name in measures}
    for _ in range(rounds):
        for name, measure in measures.items():
            taken[name].append(await measure())
    return {name: median(values) for name, values in taken.items()}


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which a share of all values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
