"""Totals: what one bucket of one series adds up to, before any formula."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

from domain.formulas import Spell


@dataclass(frozen=True, slots=True)
class Totals:
    """What one bucket of one series adds up to, before any formula.

    A count has a numerator only. `spells` carry the durations of a DURATION; where they are a part of longer ones,
    the numerator sums them up and the denominator the whole. `peak` is the highest daily load of a level. `counts`
    are times that all are over, each with how often it came about.
    """

    numerator: float = 0
    denominator: float | None = None
    spells: tuple[Spell, ...] = ()
    peak: float | None = None
    counts: tuple[tuple[float, int], ...] = ()

    @property
    def plain(self) -> bool:
        """Whether they are sums and nothing else."""
        return not self.spells and not self.counts and self.peak is None

    def __add__(self, other: Totals) -> Totals:
        both = (self.denominator, other.denominator)
        return Totals(
            numerator=self.numerator + other.numerator,
            denominator=None if both == (None, None) else sum(part or 0 for part in both),
            spells=self.spells + other.spells,
            counts=self.counts + other.counts,
            peak=_highest(self.peak, other.peak),
        )


NOTHING = Totals()


@lru_cache(maxsize=16_384)
def plain_sums(numerator: float, denominator: float | None = None) -> Totals:
    """Return plain sums; the same few come up again and again, for a client has few tickets in a month."""
    return Totals(numerator, denominator)


WHOLE = -1
"""The position of the whole period's own sums, where buckets don't add up to it."""


def added(several: Collection[Totals]) -> Totals:
    """Return the sum of any number of totals, in one go."""
    numerator, denominator, peak = 0.0, None, None
    spells: list[Spell] = []
    counts: list[tuple[float, int]] = []
    for one in several:
        numerator += one.numerator
        if one.denominator is not None:
            denominator = one.denominator + (denominator or 0)
        if one.peak is not None:
            peak = _highest(peak, one.peak)
        spells += one.spells
        counts += one.counts
    if not spells and not counts and peak is None:
        return plain_sums(numerator, denominator)
    return Totals(numerator, denominator, tuple(spells), peak, tuple(counts))


def _highest(one: float | None, other: float | None) -> float | None:
    return max((peak for peak in (one, other) if peak is not None), default=None)
