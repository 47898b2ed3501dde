"""Least squares: the line through weighted points, the spread that it leaves, and how sure its slope is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from operator import mul

Column = Sequence[float]
"""One number for each point."""


@dataclass(frozen=True, slots=True)
class Slope:
    """What a column adds once others are taken out: its coefficient, and the standard error of that."""

    value: float
    error: float


@dataclass(frozen=True, slots=True)
class Line:
    """A weighted line; `residuals` are scaled by the square root of the weights, and so alike in spread."""

    intercept: float
    slope: float
    residuals: tuple[float, ...]
    spread: float
    """The weighted sum of squares around the mean of `x`, which the error of the slope is divided by."""

    @property
    def squares(self) -> float:
        """The sum of squares that the line leaves."""
        return dot(self.residuals, self.residuals)

    def error(self, degrees: float) -> float:
        """Return the standard error of the slope with so many degrees of freedom left."""
        return sqrt(self.squares / degrees / self.spread)


def dot(one: Column, other: Column) -> float:
    """Return the sum of the products of two columns."""
    return float(sum(map(mul, one, other)))


def line(x: Column, y: Column, weights: Column) -> Line:
    """Return the line with the least weighted squares.

    Raises ValueError where `x` has no spread, since any slope would fit.
    """
    total = sum(weights)
    mean_x, mean_y = dot(weights, x) / total, dot(weights, y) / total
    aside = [one - mean_x for one in x]
    spread = sum(weight * one * one for weight, one in zip(weights, aside, strict=True))
    if spread <= 0:
        raise ValueError("A line needs points at two places at least.")
    up = sum(w * one * (value - mean_y) for w, one, value in zip(weights, aside, y, strict=True))
    slope = up / spread
    left = tuple(sqrt(w) * (value - mean_y - slope * one) for w, one, value in zip(weights, aside, y, strict=True))
    return Line(mean_y - slope * mean_x, slope, left, spread)


def without(column: Column, others: Sequence[Column]) -> list[float]:
    """Return what is left of a column after its part along the others, which are orthonormal."""
    left = list(column)
    for other in others:
        along = dot(left, other)
        left = [one - along * part for one, part in zip(left, other, strict=True)]
    return left


def orthonormal(columns: Sequence[Column]) -> list[list[float]]:
    """Return columns of length one at right angles that span the same, by Gram and Schmidt; without what is null."""
    basis: list[list[float]] = []
    for column in columns:
        left = without(without(column, basis), basis)
        length = sqrt(dot(left, left))
        if length > _NULL * sqrt(dot(column, column)):
            basis.append([one / length for one in left])
    return basis


def slope_of(column: Column, y: Column, others: Sequence[Column], squares: float, degrees: float) -> Slope | None:
    """Return the coefficient of a column beside others; `None` where they say the same as it does.

    `squares` is what the whole model leaves, with so many `degrees` of freedom.
    Source: R. Frisch and F. V. Waugh (1933), "Partial time regressions as compared with individual trends",
    Econometrica 1, 387–401.
    """
    left = without(column, orthonormal(others))
    length = dot(left, left)
    if length <= _NULL * dot(column, column):
        return None
    return Slope(dot(left, y) / length, sqrt(max(0.0, squares) / degrees / length))


_NULL = 1e-9
"""A column that keeps less than this share of its length beside others says nothing of its own."""
