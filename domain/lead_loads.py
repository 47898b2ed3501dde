"""What the leads carry: who led which onboarding from when to when, and how many that makes on each day."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Handed:
    """A lead handed an onboarding over to another at an instant."""

    at: datetime
    before: UUID
    after: UUID


@dataclass(frozen=True, slots=True)
class Led:
    """A half-open stretch during which somebody led an onboarding in one stage; `end` is None while it lasts."""

    lead: UUID
    start: datetime
    end: datetime | None

    def at(self, instant: datetime) -> bool:
        """Tell whether it was so at an instant."""
        return self.start <= instant and (self.end is None or self.end > instant)


def led(start: datetime, end: datetime | None, handed: Sequence[Handed], now: UUID) -> Iterator[Led]:
    """Cut a stay in a stage by who led it; `now` is who leads the onboarding in the end.

    `handed` are all changes of its lead, in their order; those before the stay tell who had it when it began.
    """
    leads = [*(change.before for change in handed), now]
    edges = [change.at for change in handed]
    for lead, since, until in zip(leads, [None, *edges], [*edges, None], strict=True):
        begins = start if since is None else max(start, since)
        ends = end if until is None else until if end is None else min(end, until)
        if ends is None or begins < ends:
            yield Led(lead, begins, ends)


def daily(stretches: Sequence[Led], ends: Sequence[datetime]) -> list[int]:
    """Return how many of the stretches hold at each of some instants, the ends of days, in their order."""
    steps = [0] * (len(ends) + 1)
    for one in stretches:
        steps[bisect_left(ends, one.start)] += 1
        if one.end is not None:
            steps[bisect_left(ends, one.end)] -= 1
    loads, load = [], 0
    for step in steps[:-1]:
        load += step
        loads.append(load)
    return loads
