"""The course of a ticket, put together from what a source says of it moment by moment."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from domain.tickets import HandOver, Resolution, SlaResult, SlaTarget, Wait, WaitingOn, hand_overs


@dataclass(slots=True)
class Course:
    """Who had it, when it waited and when it was resolved; told in the order of time.

    A source whose moments run backwards is taken at its order: nothing ends before it began.
    """

    _seen: list[HandOver] = field(default_factory=list)
    _waits: list[Wait] = field(default_factory=list)
    _resolutions: list[Resolution] = field(default_factory=list)

    def had(self, hand_over: HandOver) -> None:
        """Somebody had it; it counts where it was somebody else before."""
        self._seen.append(hand_over)

    def waits(self, at: datetime, on: WaitingOn | None) -> None:
        """From `at` on it waits, or, with None, goes on."""
        if self._waits and self._waits[-1].end is None:
            at = max(at, self._waits[-1].start)
            if self._waits[-1].on is on:
                return
            self._waits[-1] = replace(self._waits[-1], end=at)
        if on is not None:
            self._waits.append(Wait(at, None, on))

    def resolved(self, at: datetime) -> None:
        """It is resolved; saying so again of a resolved ticket changes nothing."""
        if not self.is_resolved:
            reopened_at = self._resolutions[-1].reopened_at if self._resolutions else None
            self._resolutions.append(Resolution(at if reopened_at is None else max(at, reopened_at)))

    def open(self, at: datetime) -> None:
        """It is open; where it was resolved before, this reopens it."""
        if self.is_resolved:
            last = self._resolutions[-1]
            self._resolutions[-1] = replace(last, reopened_at=max(at, last.at))

    def settled(self, at: datetime) -> None:
        """The source names the moment of the last resolution itself; one from before a reopening is an old one."""
        before = self._resolutions[:-1]
        reopened_at = before[-1].reopened_at if before else None
        if self.is_resolved and (reopened_at is None or at >= reopened_at):
            self._resolutions[-1] = Resolution(at)

    @property
    def is_resolved(self) -> bool:
        return bool(self._resolutions) and self._resolutions[-1].reopened_at is None

    @property
    def hand_overs(self) -> tuple[HandOver, ...]:
        return hand_overs(self._seen)

    @property
    def stretches(self) -> tuple[Wait, ...]:
        return tuple(self._waits)

    @property
    def resolutions(self) -> tuple[Resolution, ...]:
        return tuple(self._resolutions)


def standing(
    at: datetime, team: str | None, agent: str | None, *, tier: int | None = None, reassignments: int | None = None
) -> tuple[HandOver, ...]:
    """Return who has a ticket as of `at`, nobody where the source names neither team nor agent."""
    if team is None and agent is None and not reassignments:
        return ()
    return (HandOver(at, team, tier, reassignments, agent),)


def open_wait(since: datetime, on: WaitingOn | None) -> tuple[Wait, ...]:
    """Return the wait a ticket is in, or none."""
    return () if on is None else (Wait(since, None, on),)


def target(due_at: datetime | None, *, missed: bool | None, done: bool) -> SlaTarget | None:
    """Return an agreement as a source tells it: missed is missed, and kept only once the thing is done."""
    if missed:
        return SlaTarget(due_at, SlaResult.MISSED)
    if missed is False and done:
        return SlaTarget(due_at, SlaResult.MET)
    return None if due_at is None else SlaTarget(due_at)
