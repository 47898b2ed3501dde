"""Desks: the tickets that a simulated provider's clients log, reported week by week as its PSA knows them then."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random

from demo.accounts import PSA, Account, Stay
from demo.courses import gone, known
from demo.tales import Tale
from demo.words import CATEGORIES
from domain.stages import Stage
from domain.tickets import Exclusion, HandOver, Priority, ReportedTicket, Resolution, TicketKind, TicketSource
from workflows.tickets import IngestTickets, ingest

REPORTED_EVERY_DAYS = 7
EARLY_DAYS = 90

TICKETS_A_SEAT_AND_WEEK = {
    Stage.ASSET_DISCOVERY: 0.02,
    Stage.EARLY_SUPPORT: 0.16,
    Stage.STEADY_STATE: 0.115,
    Stage.OFFBOARDED: 0.01,
}
"""How much a client's people ask; a service that has just begun is asked more."""

QUIET_DAY_SHARE = 0.12
"""What a day off brings, against a working day."""

ALERT_SHARE = 0.07
BOUNCE_SHARE = 0.14
HIGHER_STILL_SHARE = 0.22
MERGED_SHARE, SPAM_SHARE = 0.012, 0.006
STRANGERS_EVERY = 90
"""One ticket in so many is of a company that nobody has mapped to a client."""

KINDS = ((TicketKind.INCIDENT, 62), (TicketKind.REQUEST, 33), (TicketKind.CHANGE, 4), (TicketKind.PROBLEM, 1))
PRIORITIES = ((Priority.P1, 2), (Priority.P2, 13), (Priority.P3, 55), (Priority.P4, 30))
MEDIAN_HOURS = {Priority.P1: 3.0, Priority.P2: 9.0, Priority.P3: 26.0, Priority.P4: 55.0}
"""How long half of the tickets take at most, by priority."""

FRONT, FIELD, ENGINEERS, SPECIALISTS = "Service desk", "Field service", "Engineering", "Specialists"
TIER = {FRONT: 1, FIELD: 1, ENGINEERS: 2, SPECIALISTS: 3}


@dataclass
class Desk:
    """The service desk of one provider; `first_day` is when its PSA was connected, counted from today."""

    tale: Tale
    accounts: Sequence[Account]
    first_day: int
    rng: Random
    _number: int = 100_000
    _unfinished: list[ReportedTicket] = field(default_factory=list)
    _urgent: int = 0

    def plan(self) -> None:
        """Plan a report for the night after every week, the last one for the night that has just passed."""
        midnight = datetime.combine(self.tale.anchor, time(), self.tale.telling.clock().tzinfo)
        for day in range(0, self.first_day, -REPORTED_EVERY_DAYS):
            until = midnight + timedelta(days=day)

            async def act(until: datetime = until) -> None:
                await self._report(until)

            self.tale.telling.plan(until - timedelta(seconds=1), act)

    async def _report(self, until: datetime) -> None:
        since = until - timedelta(days=REPORTED_EVERY_DAYS)
        now = self.tale.telling.clock()
        news = [gone(ticket) for ticket in self._logged(since, until) if ticket.logged_at < now]
        seen = [(ticket, known(ticket, now)) for ticket in (*self._unfinished, *news)]
        self._unfinished = [whole for whole, told in seen if whole != told]
        reports = tuple(told for _, told in seen)
        command = IngestTickets(PSA, reports)
        await self.tale.telling.told(ingest, self.tale.connector, command, key=f"demo-tickets-{until:%Y-%m-%d}")

    def _logged(self, since: datetime, until: datetime) -> Iterator[ReportedTicket]:
        for account in self.accounts:
            yield from self._urgent_ones(account, since, until)
            day = since.date()
            while day < until.date():
                for _ in range(_poisson(self.rng, self._expected(account, day))):
                    logged = self._moment(day)
                    stay = account.stage_at(logged)
                    if stay is not None:
                        yield self._ticket(account, stay, logged)
                day += timedelta(days=1)

    def _expected(self, account: Account, day: date) -> float:
        noon = datetime.combine(day, time(12), self.tale.telling.clock().tzinfo)
        stay = account.stage_at(noon)
        a_week = TICKETS_A_SEAT_AND_WEEK.get(stay.stage, 0.0) if stay else 0.0
        if stay and stay.stage is Stage.EARLY_SUPPORT:
            a_week *= 1 + 0.8 * _newness(stay, noon)
        weight = 1.0 if self.tale.calendar.is_business_day(day) else QUIET_DAY_SHARE
        return account.profile.seats * a_week * weight / 5

    def _moment(self, day: date) -> datetime:
        hour = self.rng.triangular(7, 19, 10.5)
        midnight = datetime.combine(day, time(), self.tale.zone).astimezone(self.tale.telling.clock().tzinfo)
        return midnight + timedelta(minutes=int(hour * 60))

    def _ticket(self, account: Account, stay: Stay, logged: datetime) -> ReportedTicket:
        rng = self.rng
        self._number += 1
        by_alert = rng.random() < ALERT_SHARE
        priority = rng.choices([p for p, _ in PRIORITIES], [w for _, w in PRIORITIES])[0]
        handed = self._hand_overs(logged, priority, self._escalates(account, stay, logged))
        took = timedelta(hours=rng.lognormvariate(math.log(MEDIAN_HOURS[priority]), 0.9))
        resolved = max(logged + took, handed[-1].at + timedelta(minutes=rng.randrange(20, 240)))
        stranger = rng.randrange(STRANGERS_EVERY) == 0
        fate = rng.random()
        left_out = Exclusion.MERGED if fate < MERGED_SHARE else Exclusion.SPAM
        return ReportedTicket(
            external_id=f"T-{self._number}",
            client=f"C-{1900 + rng.randrange(3)}" if stranger else account.profile.key,
            logged_at=logged,
            kind=TicketKind.INCIDENT if by_alert else rng.choices([k for k, _ in KINDS], [w for _, w in KINDS])[0],
            source=TicketSource.ALERT if by_alert else TicketSource.PERSON,
            priority=priority,
            category=rng.choices([c for c, _ in CATEGORIES], [w for _, w in CATEGORIES])[0],
            resolutions=(Resolution(_whole_minute(resolved)),),
            closed_at=_whole_minute(resolved + timedelta(hours=rng.randrange(2, 30))),
            exclusion=left_out if fate < MERGED_SHARE + SPAM_SHARE else None,
            hand_overs=handed,
        )

    def _escalates(self, account: Account, stay: Stay, logged: datetime) -> bool:
        calm, troubled = account.profile.calm, account.profile.troubled
        if stay.stage is not Stage.EARLY_SUPPORT:
            return self.rng.random() < calm
        return self.rng.random() < calm + (troubled - calm) * (0.35 + 0.65 * _newness(stay, logged))

    def _hand_overs(self, logged: datetime, priority: Priority, escalates: bool) -> tuple[HandOver, ...]:  # noqa: FBT001
        rng = self.rng
        handed = [_handed(logged + timedelta(minutes=rng.randrange(1, 25)), FRONT)]
        if rng.random() < BOUNCE_SHARE:
            handed.append(_handed(handed[-1].at + timedelta(minutes=rng.randrange(20, 300)), FIELD))
        if escalates:
            waits = MEDIAN_HOURS[priority] / 3
            at = handed[-1].at + timedelta(hours=rng.lognormvariate(math.log(waits), 0.8))
            handed.append(_handed(at, ENGINEERS))
            if rng.random() < HIGHER_STILL_SHARE:
                handed.append(_handed(at + timedelta(hours=rng.uniform(1, 20)), SPECIALISTS))
            if rng.random() < BOUNCE_SHARE:
                handed.append(_handed(handed[-1].at + timedelta(hours=rng.uniform(0.5, 6)), FRONT))
        return tuple(handed)

    def _urgent_ones(self, account: Account, since: datetime, until: datetime) -> Iterator[ReportedTicket]:
        for at, what in account.urgent:
            if since <= at < until:
                self._urgent += 1
                handed = (_handed(at + timedelta(minutes=4), FRONT), _handed(at + timedelta(minutes=35), ENGINEERS))
                yield ReportedTicket(
                    external_id=f"T-9{self._urgent:05}",
                    client=account.profile.key,
                    logged_at=_whole_minute(at),
                    kind=TicketKind.INCIDENT,
                    priority=Priority.P1,
                    category=what,
                    hand_overs=handed,
                )


def _newness(stay: Stay, instant: datetime) -> float:
    """Return 1 when early support begins, falling to 0 on its ninetieth day."""
    return max(0.0, 1 - (instant - stay.since).days / EARLY_DAYS)


def _handed(at: datetime, team: str) -> HandOver:
    return HandOver(_whole_minute(at), team, TIER[team])


def _whole_minute(instant: datetime) -> datetime:
    return instant.replace(second=0, microsecond=0)


def _poisson(rng: Random, mean: float) -> int:
    """Draw a count, by Knuth's multiplication of uniforms; meant for small means."""
    limit, product, count = math.exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        count += 1
    return count
