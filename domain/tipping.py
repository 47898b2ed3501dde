"""Tipping point: from which share of escalated tickets on clients grow less satisfied, if there is such a share."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate
from math import sqrt
from random import Random

from domain.distributions import t_975
from domain.formulas import Interval
from domain.least_squares import Column, dot, line, orthonormal, slope_of, without

LEAST_CLIENTS = 24
"""Below it a knee is found in noise as easily as in a fall."""

LEAST_BESIDE = 8
"""Clients that must lie on either side of a knee, so that no slope rests on a handful."""

SHUFFLES = 999
"""The share of shuffles that bend as much as the clients do is told to a thousandth."""

SIGNIFICANT = 0.05

_KNEES = 64
"""Places at which a knee is looked for, evenly between the outermost that are allowed."""

_ROUNDING = 1e-24
"""The share of the sum of squares below which nothing but the last bits of the numbers is left."""

_SEED = 20_240_229
"""The same clients give the same answer, on every machine and every time."""


@dataclass(frozen=True, slots=True, order=True)
class ClientPoint:
    """One client: the share of its tickets that were escalated, how satisfied it is, and how many answers say so."""

    escalated: float
    satisfied: float
    answers: float = 1


class NoTipping(StrEnum):
    """Why no tipping point is told."""

    TOO_FEW_CLIENTS = "TOO_FEW_CLIENTS"
    NO_SPREAD = "NO_SPREAD"
    STRAIGHT_DECLINE = "STRAIGHT_DECLINE"
    KNEE_NOT_SIGNIFICANT = "KNEE_NOT_SIGNIFICANT"
    NO_FALL_AFTER = "NO_FALL_AFTER"

    @property
    def sentence(self) -> str:
        """What it means, and what would help."""
        return _SENTENCES[self]


_SENTENCES = {
    NoTipping.TOO_FEW_CLIENTS: (
        f"A tipping point takes at least {LEAST_CLIENTS} clients with answers; ask again when more have answered."
    ),
    NoTipping.NO_SPREAD: (
        f"The clients lie too close together: {LEAST_BESIDE} or more must have fewer escalations than another "
        f"{LEAST_BESIDE}, and they mustn't all be equally satisfied."
    ),
    NoTipping.STRAIGHT_DECLINE: (
        "Satisfaction falls evenly with escalations: every escalation costs the same, and there is no point from "
        "which on it gets worse."
    ),
    NoTipping.KNEE_NOT_SIGNIFICANT: "Satisfaction doesn't change its course with escalations by more than chance.",
    NoTipping.NO_FALL_AFTER: (
        "Satisfaction changes its course with escalations, but what follows isn't surely a steeper fall."
    ),
}


@dataclass(frozen=True, slots=True)
class TippingPoint:
    """Where the fall begins, as a share of tickets, with its 95 % interval; slopes are satisfaction per whole share.

    `chance` is how often shuffled clients bend as much: the p-value of the knee.
    """

    at: float
    interval: Interval
    slope_before: float
    slope_after: float
    slope_after_interval: Interval
    chance: float
    clients: int


@dataclass(frozen=True, slots=True)
class Refused:
    """No tipping point, the reason, and what was seen: the straight line's slope, and the knee's p-value if tried."""

    reason: NoTipping
    clients: int
    slope: float | None = None
    chance: float | None = None


def tipping_point(points: Iterable[ClientPoint]) -> TippingPoint | Refused:
    """Return the point from which satisfaction falls, or why none is told.

    The model is a line with one knee, weighted by answers. The knee is believed when fewer than 5 % of shuffles of
    the straight line's residuals bend as much at the place that suits them best, and told when the slope becomes
    smaller there and its 95 % interval after it lies below zero. The interval of its place are the knees that fit
    not significantly worse; an end is open where too few clients lie beyond to tell.

    Sources: D. V. Hinkley (1971), "Inference in two-phase regression", JASA 66, 736–743, for the model and the
    interval by likelihood; D. Freedman and D. Lane (1983), "A nonstochastic interpretation of reported significance
    levels", Journal of Business & Economic Statistics 1, 292–298, for shuffling residuals.
    Raises ValueError where a client has no answers.
    """
    clients = sorted(points)
    if any(point.answers <= 0 for point in clients):
        raise ValueError("A client without answers says nothing; leave it out.")
    if len(clients) < LEAST_CLIENTS:
        return Refused(NoTipping.TOO_FEW_CLIENTS, len(clients))
    x, y = [point.escalated for point in clients], [point.satisfied for point in clients]
    first, last = x[LEAST_BESIDE - 1], x[-LEAST_BESIDE]
    if first >= last or min(y) == max(y):
        return Refused(NoTipping.NO_SPREAD, len(clients))
    return _judged(_Bends.of(x, [point.answers for point in clients], first, last), y)


def _judged(bends: _Bends, y: Column) -> TippingPoint | Refused:
    straight = line(bends.x, y, bends.weights)
    clients = len(y)
    gains = bends.gains(straight.residuals)
    # What is left of points on a line is the rounding of their numbers, which bends as it likes.
    exact = straight.squares <= _ROUNDING * dot(bends.weights, [value * value for value in y])
    chance = 1.0 if exact else bends.chance(straight.residuals, gains)
    if chance >= SIGNIFICANT:
        falls = straight.slope + t_975(clients - 2) * straight.error(clients - 2) < 0
        reason = NoTipping.STRAIGHT_DECLINE if falls else NoTipping.KNEE_NOT_SIGNIFICANT
        return Refused(reason, clients, straight.slope, chance)
    best = max(range(len(gains)), key=gains.__getitem__)
    squares = max(0.0, straight.squares - gains[best])
    degrees = clients - 4
    before, after = bends.slopes(best, y, squares, degrees)
    reach = t_975(degrees) * after[1]
    if after[0] >= before or after[0] + reach >= 0:
        return Refused(NoTipping.NO_FALL_AFTER, clients, straight.slope, chance)
    worst = squares * (1 + t_975(degrees) ** 2 / degrees)
    fitting = [place for place, gain in enumerate(gains) if straight.squares - gain <= worst]
    return TippingPoint(
        at=bends.knees[best],
        # To the next knee that doesn't fit, since the end lies somewhere between the two; open where none is left.
        interval=Interval(
            bends.knees[fitting[0] - 1] if fitting[0] else None,
            bends.knees[fitting[-1] + 1] if fitting[-1] + 1 < len(gains) else None,
        ),
        slope_before=before,
        slope_after=after[0],
        slope_after_interval=Interval(after[0] - reach, after[0] + reach),
        chance=chance,
        clients=clients,
    )


@dataclass(frozen=True, slots=True)
class _Bends:
    """Where the line may bend, and what each bend has to be divided by; everything that shuffles leave as it is."""

    x: Sequence[float]
    weights: Sequence[float]
    roots: Sequence[float]
    knees: Sequence[float]
    beyond: Sequence[int]
    """Of each knee, the position of the first client beyond it."""
    along: Sequence[tuple[float, float]]
    """Of each knee, its bend's part along the constant and along the slope."""
    lengths: Sequence[float]
    """Of each knee, the squared length that its bend keeps beside the straight line."""
    basis: Sequence[Column]

    @classmethod
    def of(cls, x: Sequence[float], weights: Sequence[float], first: float, last: float) -> _Bends:
        roots = [sqrt(weight) for weight in weights]
        basis = orthonormal([roots, [root * one for root, one in zip(roots, x, strict=True)]])
        knees = [first + (last - first) * step / (_KNEES - 1) for step in range(_KNEES)]
        bends = [[root * max(0.0, one - knee) for root, one in zip(roots, x, strict=True)] for knee in knees]
        left = [without(bend, basis) for bend in bends]
        return cls(
            x=x,
            weights=weights,
            roots=roots,
            knees=knees,
            beyond=[bisect_right(x, knee) for knee in knees],
            along=[(dot(bend, basis[0]), dot(bend, basis[1])) for bend in bends],
            lengths=[dot(one, one) for one in left],
            basis=basis,
        )

    def gains(self, residuals: Column) -> list[float]:
        """Return the squares that a bend at each knee takes away; the residuals needn't be those of a line."""
        # A bend is root × (x − knee) beyond its knee: two sums from the far end serve all knees at once.
        scaled = [root * one for root, one in zip(self.roots, residuals, strict=True)]
        counts = _from_the_end(scaled)
        moments = _from_the_end([value * one for value, one in zip(scaled, self.x, strict=True)])
        constant, slope = dot(residuals, self.basis[0]), dot(residuals, self.basis[1])
        return [
            (moments[place] - knee * counts[place] - along[0] * constant - along[1] * slope) ** 2 / length
            for knee, place, along, length in zip(self.knees, self.beyond, self.along, self.lengths, strict=True)
        ]

    def chance(self, residuals: Column, gains: Sequence[float]) -> float:
        """Return the share of shuffles whose best bend takes away as large a share of what a line leaves."""
        left = dot(residuals, residuals)
        observed, shuffled, random = max(gains) / left, list(residuals), Random(_SEED)  # noqa: S311 -- repeatable
        reached = 1
        for _ in range(SHUFFLES):
            random.shuffle(shuffled)
            remaining = left - sum(dot(shuffled, one) ** 2 for one in self.basis)
            reached += max(self.gains(shuffled)) >= observed * remaining
        return reached / (SHUFFLES + 1)

    def slopes(self, best: int, y: Column, squares: float, degrees: int) -> tuple[float, tuple[float, float]]:
        """Return the slope before a knee, and the one after it with its standard error."""
        knee = self.knees[best]
        scaled = [root * value for root, value in zip(self.roots, y, strict=True)]
        before = [root * min(one, knee) for root, one in zip(self.roots, self.x, strict=True)]
        after = [root * max(0.0, one - knee) for root, one in zip(self.roots, self.x, strict=True)]
        earlier = slope_of(before, scaled, (self.roots, after), squares, degrees)
        later = slope_of(after, scaled, (self.roots, before), squares, degrees)
        if earlier is None or later is None:
            raise ValueError(f"Both sides of {knee} have clients at two places, so both have a slope.")
        return earlier.value, (later.value, later.error)


def _from_the_end(values: Sequence[float]) -> list[float]:
    """Return of each position the sum of all values from there on, and 0 beyond the last."""
    return list(accumulate(reversed(values), initial=0.0))[::-1]
