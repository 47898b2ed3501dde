"""A proof holds kept figures against a plain recount, and names every place where the two differ."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID


class Ledger(StrEnum):
    """What is kept, and from what it is counted again."""

    DELTAS = "DELTAS"
    """Signed changes; all together they are what the tickets say."""

    TIMES = "TIMES"
    """Times that tickets took, come and gone; what is left of them is what the tickets say."""

    CELLS = "CELLS"
    """Sums of a day or a month; they are what the deltas add up to, but for those that are not folded yet."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure that is kept otherwise than it is counted.

    `fact` is an additive fact, or of a time its measure and minutes; `place` says by what else it is counted there.
    Without a client it is of the tickets of no known client, or `of_all` of all of them together.
    """

    ledger: Ledger
    client: UUID | None
    day: date
    place: str
    fact: str
    kept: int
    counted: int
    of_all: bool = False


@dataclass(frozen=True, slots=True)
class Stretch:
    """What was held against each other in one go: the differences named, and how many more places differ."""

    ledger: Ledger
    what: str
    differences: tuple[Difference, ...]
    unnamed: int = 0

    @property
    def found(self) -> int:
        """How many differences there are at least: of a place that is not named, one."""
        return len(self.differences) + self.unnamed


@dataclass(frozen=True, slots=True)
class Mended:
    """What was put right in one go."""

    ledger: Ledger
    what: str
    corrections: int
