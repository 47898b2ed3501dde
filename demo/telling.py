"""Telling: the beats of a story in the order of their time, and what the product does by itself in between."""

from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from heapq import heappop, heappush
from itertools import count
from typing import Any

from db.listen import Wire
from demo.clock import StoryClock
from domain.access import Principal
from domain.errors import Outcome
from workflows import effects, tickets
from workflows.context import Channel, Context, Request
from workflows.credentials import Issued
from workflows.relay import Relay

AN_ACT_TAKES = timedelta(seconds=40)
NUMBERED_EVERY_DAYS = 28

Progress = Callable[[int, int], None]
"""Told how many days of the story have passed, and of how many."""

Verb = Callable[[Context, Principal, Request, Any], Awaitable[Outcome]]
SecretVerb = Callable[[Context, Principal, Request, Any], Awaitable[Issued]]


class StoryError(RuntimeError):
    """The product refused a turn of the story: the story is wrong, or the product is."""


@dataclass(frozen=True, slots=True)
class Beat:
    """Something that happens in the story at an instant; `number` keeps the order of what happens at once."""

    at: datetime
    number: int
    act: Callable[[], Awaitable[None]]


@dataclass
class Telling:
    """One telling of the whole story into one database."""

    context: Context
    clock: StoryClock
    beats: list[Beat] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))
    _due: list[datetime] = field(default_factory=list)
    """When timers may be due, the earliest first: asking the database every night would take longer than the story."""

    @classmethod
    def begun(cls, context: Context, start: datetime) -> "Telling":
        """Return a telling whose time begins at an instant."""
        clock = StoryClock(start)
        return cls(replace(context, clock=clock), clock)

    def plan(self, at: datetime, act: Callable[[], Awaitable[None]]) -> None:
        """Let something happen at an instant."""
        self.beats.append(Beat(at, next(self._numbers), act))

    async def told(self, verb: Verb, principal: Principal, command: object, *, key: str | None = None) -> Outcome:
        """Run one use case as somebody of the story.

        Raises:
            StoryError: it was refused.
        """
        outcome = await self.tried(verb, principal, command, key=key)
        self._accepted(outcome, command)
        return outcome

    async def tried(self, verb: Verb, principal: Principal, command: object, *, key: str | None = None) -> Outcome:
        """Run one use case that may well be refused."""
        outcome = await verb(self.context, principal, self.request(key), command)
        self.clock.pass_by(AN_ACT_TAKES)
        return outcome

    async def issued(self, verb: SecretVerb, principal: Principal, command: object) -> str:
        """Run a use case that makes a secret, and return it.

        Raises:
            StoryError: it was refused.
        """
        made = await verb(self.context, principal, self.request(), command)
        self._accepted(made.outcome, command)
        if made.secret is None:
            raise StoryError(f"{command} made no secret")
        return made.secret.text

    def request(self, key: str | None = None) -> Request:
        return Request(f"demo-{next(self._numbers):06}", Channel.DEMO, key)

    def expect(self, due: Iterable[datetime]) -> None:
        """Let the night after each of these instants fire what is due."""
        for instant in due:
            heappush(self._due, instant)

    async def play(self, until: datetime, progress: Progress) -> None:
        """Let everything happen in the order of its time, with the timers that fall due in between."""
        first = self.clock().date()
        whole = (until.date() - first).days
        relay = Relay(Wire(self.context.database))
        midnights = _midnights(self.clock(), until)
        for beat in sorted(self.beats, key=lambda planned: (planned.at, planned.number)):
            while midnights and midnights[0] <= beat.at:
                await self._end_day(midnights.pop(0), relay)
                progress((self.clock().date() - first).days, whole)
            self.clock.reach(beat.at)
            await beat.act()
        for midnight in midnights:
            await self._end_day(midnight, relay)
        self.clock.reach(until)
        progress(whole, whole)

    async def settle(self) -> None:
        """Do what a worker would have done by now: fire every timer, number every event, fold every figure."""
        await self._fire()
        await self._number(Relay(Wire(self.context.database)))
        while await tickets.fold(self.context):
            pass

    async def _end_day(self, midnight: datetime, relay: Relay) -> None:
        self.clock.reach(midnight)
        if self._due and self._due[0] <= midnight:
            await self._fire()
        if midnight.toordinal() % NUMBERED_EVERY_DAYS == 0:
            await self._number(relay)

    async def _fire(self) -> None:
        while self._due and self._due[0] <= self.clock():
            heappop(self._due)
        while await effects.fire_due(self.context):
            pass

    async def _number(self, relay: Relay) -> None:
        while await relay.turn(self.context):
            pass

    def _accepted(self, outcome: Outcome, command: object) -> None:
        if outcome.errors:
            reasons = " ".join(error.message for error in outcome.errors)
            raise StoryError(f"On {self.clock():%Y-%m-%d %H:%M} this was refused: {command}. {reasons}")


def _midnights(start: datetime, until: datetime) -> list[datetime]:
    first = datetime.combine(start.date() + timedelta(days=1), time(), start.tzinfo)
    return [first + timedelta(days=day) for day in range((until - first).days + 1)]
