"""Totals: what one bucket of one series adds up to, before any formula."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
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


class PlainSums(Mapping[int, Totals]):
    """Plain sums of a series' buckets as columns; `Totals` are made of them only where somebody looks at one."""

    __slots__ = ("_made", "denominators", "numerators", "places")

    def __init__(
        self, places: Sequence[int], numerators: Sequence[float], denominators: Sequence[float] | None = None
    ) -> None:
        self.places = places
        self.numerators = numerators
        self.denominators = denominators
        self._made: dict[int, Totals] | None = None

    @property
    def numerator(self) -> float:
        """The numerator of all buckets together."""
        return sum(self.numerators, 0.0)

    @property
    def denominator(self) -> float | None:
        """The denominator of all buckets together, or `None` where there are none."""
        return sum(self.denominators) if self.denominators else None

    def in_order(self, buckets: int) -> tuple[list[float], list[float | None]]:
        """Return the numerators and denominators of so many buckets, of each by its position."""
        numerators: list[float] = [0] * buckets
        denominators: list[float | None] = [None] * buckets
        for place, numerator in zip(self.places, self.numerators, strict=True):
            numerators[place] = numerator
        if self.denominators is not None:
            for place, denominator in zip(self.places, self.denominators, strict=True):
                denominators[place] = denominator
        return numerators, denominators

    def __getitem__(self, place: int) -> Totals:
        return self._all[place]

    def __iter__(self) -> Iterator[int]:
        return iter(self.places)

    def __len__(self) -> int:
        return len(self.places)

    @property
    def _all(self) -> dict[int, Totals]:
        if self._made is None:
            columns = (self.numerators,) if self.denominators is None else (self.numerators, self.denominators)
            self._made = dict(zip(self.places, map(plain_sums, *columns), strict=True))
        return self._made


NO_SUMS = PlainSums((), ())
"""Of a series in whose buckets nothing happened."""


def together(sums: Mapping[int, Totals]) -> Totals:
    """Return what all buckets of a series add up to."""
    return plain_sums(sums.numerator, sums.denominator) if isinstance(sums, PlainSums) else added(sums.values())


def first_apart(sums: Mapping[int, Totals]) -> tuple[Totals | None, Mapping[int, Totals]]:
    """Return the totals of the first bucket, if there are any, and those of the others as if it weren't there."""
    if not isinstance(sums, PlainSums):
        return sums.get(0), {place - 1: one for place, one in sums.items() if place}
    later = [n for n, place in enumerate(sums.places) if place]
    first = [n for n, place in enumerate(sums.places) if not place]
    denominators = sums.denominators
    others = PlainSums(
        [sums.places[n] - 1 for n in later],
        [sums.numerators[n] for n in later],
        None if denominators is None else [denominators[n] for n in later],
    )
    found = [plain_sums(sums.numerators[n], None if denominators is None else denominators[n]) for n in first]
    return (found[0] if found else None), others


def added(several: Iterable[Totals]) -> Totals:
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
