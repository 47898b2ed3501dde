"""Rates: a leaky bucket of points per credential, so that one caller cannot take it all.

The bucket drains steadily and is kept per process. (The library `limits` counts in windows, which
let twice the allowance through at their border and cannot say exactly when there is room again.)
"""

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

_KEPT_BUCKETS = 100_000


@dataclass(frozen=True, slots=True)
class Rate:
    """What a caller has left: points now, points at most, points that come back each second."""

    limit: int
    remaining: int
    restored_per_second: int
    cost: int = 0

    @property
    def seconds_to_full(self) -> int:
        """Seconds, rounded up, until nothing counts against the caller any more."""
        return math.ceil((self.limit - self.remaining) / self.restored_per_second) if self.restored_per_second else 0


class Buckets:
    """The buckets of this process, one per credential; an empty one need not be kept."""

    def __init__(self, capacity: int, per_second: int, now: Callable[[], float] = time.monotonic) -> None:
        self.capacity = capacity
        self.per_second = per_second
        self._now = now
        self._levels: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def take(self, key: Hashable, points: int) -> Rate | float:
        """Take points out of the allowance; return what is left, or seconds until there is room."""
        level = self._level(key)
        if level + points > self.capacity:
            return (level + points - self.capacity) / self.per_second
        self._levels[key] = (level + points, self._now())
        self._levels.move_to_end(key)
        if len(self._levels) > _KEPT_BUCKETS:
            self._levels.popitem(last=False)
        return self._rate(level + points, points)

    def look(self, key: Hashable) -> Rate:
        """Return what is left without taking any."""
        return self._rate(self._level(key), 0)

    def _level(self, key: Hashable) -> float:
        level, at = self._levels.get(key, (0.0, 0.0))
        return max(0.0, level - (self._now() - at) * self.per_second)

    def _rate(self, level: float, cost: int) -> Rate:
        return Rate(self.capacity, max(0, math.floor(self.capacity - level)), self.per_second, cost)
