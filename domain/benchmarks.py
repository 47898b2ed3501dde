"""Benchmark: how one client stands among the provider's clients, and what the clients come to together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import fsum

from domain.formulas import mean_interval, median
from domain.kpi_values import KpiValue

LEAST_CLIENTS = 5
"""Among fewer clients a rank says little, and a median nearly names one of them."""


class NoBenchmark(StrEnum):
    """Why a client isn't ranked."""

    TOO_FEW_CLIENTS = "TOO_FEW_CLIENTS"
    OWN_SAMPLE_TOO_SMALL = "OWN_SAMPLE_TOO_SMALL"


@dataclass(frozen=True, slots=True)
class Benchmark:
    """The value over all clients together, the median and the mean of theirs, and where one stands among them.

    Only clients with enough sample are ranked; `clients` says how many those are. The pooled value is that of all
    rows; the mean gives a small client as much say as a large one, with Student's interval.
    """

    pooled: KpiValue
    clients: int
    median: float | None = None
    mean: float | None = None
    mean_low: float | None = None
    mean_high: float | None = None
    percentile: float | None = None
    """0 is the lowest value, 100 the highest; half of those with the same value count as lower."""
    refusal: NoBenchmark | None = None


def benchmark(pooled: KpiValue, clients: Mapping[str, KpiValue], enough: int, own: str | None = None) -> Benchmark:
    """Return how `own` stands among the values of clients, or how they all are where it is nobody's.

    `enough` is the sample that a client's value must rest on to be ranked.
    """
    ranked = {
        client: one.value for client, one in clients.items() if one.value is not None and one.sample_size >= enough
    }
    if len(ranked) < LEAST_CLIENTS:
        return Benchmark(pooled, len(ranked), refusal=NoBenchmark.TOO_FEW_CLIENTS)
    values = list(ranked.values())
    mean = fsum(values) / len(values)
    around = mean_interval(len(values), mean, fsum((one - mean) ** 2 for one in values) / (len(values) - 1))
    too_small = own is not None and own not in ranked
    return Benchmark(
        pooled=pooled,
        clients=len(values),
        median=median(values),
        mean=mean,
        mean_low=around.low,
        mean_high=around.high,
        percentile=None if own is None or too_small else percentile(ranked[own], values),
        refusal=NoBenchmark.OWN_SAMPLE_TOO_SMALL if too_small else None,
    )


def percentile(value: float, among: list[float]) -> float:
    """Return the percentile rank, from 0 to 100, of a value among all of which it is one."""
    lower = sum(1 for one in among if one < value)
    equal = sum(1 for one in among if one == value)
    return 100 * (lower + equal / 2) / len(among)
