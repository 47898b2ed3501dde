"""Distributions by which intervals are drawn: the tails of Beta and of Student's t, and sums of coin tosses."""

from functools import lru_cache
from math import exp, floor, lgamma, log, log1p, sqrt

Z_95 = 1.959963984540054
"""The 97.5 % quantile of the standard normal: two-sided 95 %."""

_TINY = 1e-300
_EXACT = 1e-15
_MOST_STEPS = 200_000
"""A fraction of n trials takes about as many steps as their square root; ten million take far fewer than these."""


def beta_below(x: float, a: float, b: float) -> float:
    """Return the share of a Beta(a, b) below `x`, which is the regularised incomplete beta function.

    Source: the continued fraction 8.17.22 of the NIST Digital Library of Mathematical Functions, evaluated by the
    method of W. J. Lentz (1976). Raises ValueError where `a` or `b` isn't positive.
    """
    if a <= 0 or b <= 0:
        raise ValueError(f"A Beta({a}, {b}) doesn't exist: both must be greater than 0.")
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    front = exp(a * log(x) + b * log1p(-x) + lgamma(a + b) - lgamma(a) - lgamma(b))
    # The fraction converges quickly on this side of the mean; the other side is the complement.
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(x, a, b) / a
    return 1 - front * _fraction(1 - x, b, a) / b


@lru_cache(maxsize=4_096)
def t_975(degrees: int) -> float:
    """Return the 97.5 % quantile of Student's t: two-sided 95 %.

    Raises ValueError below one degree of freedom.
    """
    if degrees < 1:
        raise ValueError(f"Student's t has no quantile of {degrees} degrees of freedom.")
    low, high = Z_95, 13.0
    # The tail beyond t is half the share of Beta(degrees / 2, 1/2) below degrees / (degrees + t²): halve until exact.
    for _ in range(60):
        middle = (low + high) / 2
        if beta_below(degrees / (degrees + middle * middle), degrees / 2, 0.5) > 0.05:  # noqa: PLR2004 -- both tails
            low = middle
        else:
            high = middle
    return (low + high) / 2


@lru_cache(maxsize=4_096)
def fair_tosses_at_most(count: int, tosses: int) -> float:
    """Return how likely at most `count` of so many fair tosses are heads."""
    if count < 0:
        return 0.0
    if count >= tosses:
        return 1.0
    return beta_below(0.5, tosses - count, count + 1)


@lru_cache(maxsize=4_096)
def median_rank(sample: int) -> int | None:
    """Return the rank from either end whose values hold the median between them with at least 95 %.

    It is the highest rank r with P(Binomial(n, 1/2) < r) ≤ 2.5 %; `None` below six values, which can't tell.
    Source: W. J. Conover (1999), "Practical Nonparametric Statistics", 3rd ed., section 3.2.
    """
    rank = max(0, floor((sample - Z_95 * sqrt(sample)) / 2) - 1)
    while fair_tosses_at_most(rank, sample) <= 0.025:  # noqa: PLR2004 -- one tail
        rank += 1
    while rank > 0 and fair_tosses_at_most(rank - 1, sample) > 0.025:  # noqa: PLR2004 -- one tail
        rank -= 1
    return rank or None


def _fraction(x: float, a: float, b: float) -> float:
    numerator, denominator = 1.0, _not_zero(1 - (a + b) * x / (a + 1))
    denominator = 1 / denominator
    value = denominator
    for step in range(1, _MOST_STEPS):
        even = step * (b - step) * x / ((a + 2 * step - 1) * (a + 2 * step))
        odd = -(a + step) * (a + b + step) * x / ((a + 2 * step) * (a + 2 * step + 1))
        for term in (even, odd):
            denominator = 1 / _not_zero(1 + term * denominator)
            numerator = _not_zero(1 + term / numerator)
            value *= denominator * numerator
        if abs(denominator * numerator - 1) < _EXACT:
            break
    return value


def _not_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
