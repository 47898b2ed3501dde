"""Figures of tickets counted slowly, ticket by ticket, from what their sources said last: nothing of it is ours."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import mean, median
from zoneinfo import ZoneInfo

from domain.tickets import EscalationKind, ReportedTicket, SlaResult, TicketKind, TicketSource

Amount = tuple[float, float | None]
"""Numerator and denominator."""


@dataclass(frozen=True)
class Ending:
    at: datetime
    again: datetime | None


@dataclass(frozen=True)
class SlowTickets:
    """The last word on each ticket, with the client that it is of, in a provider's zone, nine to five on weekdays."""

    zone: ZoneInfo
    tickets: Iterable[tuple[ReportedTicket, str]]
    now: datetime

    def figure(
        self, key: str, first: date, end: date, member: Callable[[ReportedTicket, str], str]
    ) -> dict[str, Amount]:
        """Return a figure over local days, by member; what has neither numerator nor denominator is left out."""
        rows: dict[str, list[tuple[float, float]]] = {}
        for ticket, client in self.tickets:
            if ticket.exclusion is None and ticket.source is TicketSource.PERSON:
                for at, numerator, denominator in _COUNTS[key](self, ticket):
                    if key in _LEVELS and self.day(at) < end:
                        rows.setdefault(member(ticket, client), []).append((numerator, 0))
                    elif key not in _LEVELS and first <= self.day(at) < end:
                        rows.setdefault(member(ticket, client), []).append((numerator, denominator))
        counted = {who: (sum(n for n, _ in of), sum(d for _, d in of)) for who, of in rows.items()}
        if key in _COUNTED_ALONE:
            return {who: (numerator, None) for who, (numerator, _) in counted.items() if numerator}
        return {who: amounts for who, amounts in counted.items() if amounts[1]}

    def times(self, key: str, first: date, end: date) -> tuple[float, float, int] | None:
        """Return mean and median in hours, and how many there are; None without any."""
        found = [
            hours
            for ticket, _ in self.tickets
            if ticket.exclusion is None and ticket.source is TicketSource.PERSON
            for at, hours in _TIMES[key](self, ticket)
            if first <= self.day(at) < end
        ]
        return (mean(found), median(found), len(found)) if found else None

    def day(self, at: datetime) -> date:
        return at.astimezone(self.zone).date()

    def worked_minutes(self, start: datetime, end: datetime, off: Iterable[tuple[datetime, datetime]] = ()) -> int:
        """Walk over the minutes; all instants here are whole ones."""
        pauses = list(off)
        at, total = start, 0
        while at < end:
            wall = at.astimezone(self.zone)
            working = wall.weekday() < 5 and 9 <= wall.hour < 17
            total += working and not any(begins <= at < ends for begins, ends in pauses)
            at += timedelta(minutes=1)
        return total


def _endings(ticket: ReportedTicket) -> list[Ending]:
    found = [Ending(one.at, one.reopened_at) for one in ticket.resolutions]
    if ticket.closed_at is not None and (
        not found or (found[-1].again is not None and found[-1].again < ticket.closed_at)
    ):
        found.append(Ending(ticket.closed_at, None))
    return found


def _raises(ticket: ReportedTicket) -> list[datetime]:
    """Whenever a ticket went to a higher line than the last one known."""
    found, last = [], None
    for had in ticket.hand_overs:
        if had.tier is None:
            continue
        if last is not None and had.tier > last:
            found.append(had.at)
        last = had.tier
    return found


def _named(ticket: ReportedTicket, kind: EscalationKind) -> list[datetime]:
    return [one.at for one in ticket.escalations if one.kind is kind]


Counted = Iterable[tuple[datetime, float, float]]


def _logged(_: SlowTickets, ticket: ReportedTicket) -> Counted:
    yield ticket.logged_at, 1, 0


def _escalated(_: SlowTickets, ticket: ReportedTicket) -> Counted:
    yield ticket.logged_at, bool(_raises(ticket) or _named(ticket, EscalationKind.FUNCTIONAL)), 1


def _vendors(_: SlowTickets, ticket: ReportedTicket) -> Counted:
    yield ticket.logged_at, bool(_named(ticket, EscalationKind.VENDOR)), 1


def _escalations(_: SlowTickets, ticket: ReportedTicket) -> Counted:
    for at in (*_raises(ticket), *_named(ticket, EscalationKind.FUNCTIONAL)):
        yield at, 1, 0


def _backlog(_: SlowTickets, ticket: ReportedTicket) -> Counted:
    yield ticket.logged_at, 1, 0
    for ending in _endings(ticket):
        yield ending.at, -1, 0
        if ending.again is not None:
            yield ending.again, 1, 0


def _incidents(slow: SlowTickets, ticket: ReportedTicket) -> Counted:
    return _backlog(slow, ticket) if ticket.kind is TicketKind.INCIDENT else ()


def _came_back(ticket: ReportedTicket) -> bool:
    return ticket.times_reopened > 0 or any(ending.again for ending in _endings(ticket))


def _reopened(_: SlowTickets, ticket: ReportedTicket) -> Counted:
    for ending in _endings(ticket)[:1]:
        yield ending.at, _came_back(ticket), 1


def _first_contact(_: SlowTickets, ticket: ReportedTicket) -> Counted:
    for ending in _endings(ticket)[:1]:
        soon = ending.again is not None and ending.again <= ending.at + timedelta(hours=72)
        unknown_when = ending.again is None and _came_back(ticket)
        said = ticket.first_contact
        alone = len(ticket.hand_overs) < 2 and not ticket.waits if said is None else said
        escalated = bool(_raises(ticket) or ticket.escalations)
        yield ending.at, alone and not (soon or unknown_when or escalated), 1


def _agreed(slow: SlowTickets, ticket: ReportedTicket) -> Counted:
    target, endings = ticket.resolution_sla, _endings(ticket)
    done = endings[-1].at if endings and endings[-1].again is None else None
    if target is None or target.due_at is None:
        return
    waiting = bool(ticket.waits) and ticket.waits[-1].end is None
    if target.result is SlaResult.MISSED:
        yield target.due_at, 0, 1
    elif done is not None and done <= target.due_at:
        yield done, 1, 1
    elif done is not None or (target.due_at < slow.now and not waiting):
        yield target.due_at, 0, 1


def _answered(slow: SlowTickets, ticket: ReportedTicket) -> Iterable[tuple[datetime, float]]:
    if ticket.first_responded_at is not None and ticket.first_responded_at >= ticket.logged_at:
        minutes = slow.worked_minutes(ticket.logged_at, ticket.first_responded_at)
        yield ticket.first_responded_at, minutes / 60


def _solved(slow: SlowTickets, ticket: ReportedTicket) -> Iterable[tuple[datetime, float]]:
    endings = _endings(ticket)
    if ticket.kind is not TicketKind.INCIDENT or not endings or endings[-1].again is not None:
        return
    done = endings[-1].at
    pauses = [(wait.start, wait.end or done) for wait in ticket.waits]
    pauses += [(ending.at, ending.again) for ending in endings if ending.again is not None]
    if done >= ticket.logged_at:
        yield done, slow.worked_minutes(ticket.logged_at, done, pauses) / 60


_COUNTS: Mapping[str, Callable[[SlowTickets, ReportedTicket], Counted]] = {
    "TICKETS_LOGGED": _logged,
    "ESCALATED_TICKETS": _escalated,
    "ESCALATIONS": _escalations,
    "ESCALATION_RATE": _escalated,
    "VENDOR_RATE": _vendors,
    "BACKLOG": _backlog,
    "OPEN_INCIDENTS": _incidents,
    "REOPEN_RATE": _reopened,
    "FIRST_CONTACT_RESOLUTION": _first_contact,
    "SLA_MET": _agreed,
}
_TIMES: Mapping[str, Callable[[SlowTickets, ReportedTicket], Iterable[tuple[datetime, float]]]] = {
    "FIRST_RESPONSE_TIME": _answered,
    "MTTR": _solved,
}
_LEVELS = {"BACKLOG", "OPEN_INCIDENTS"}
_COUNTED_ALONE = {"TICKETS_LOGGED", "ESCALATED_TICKETS", "ESCALATIONS", *_LEVELS}
