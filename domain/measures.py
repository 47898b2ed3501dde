"""What a ticket's course comes to: the business minutes it took, what its agreements came to, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.calendars import Calendar, Pauses
from domain.kpi_definitions import REOPENING_HOURS
from domain.tickets import ReportedTicket, Resolution, SlaResult, SlaTarget

_A_MINUTE_S = 60
REOPENED_SOON = timedelta(hours=REOPENING_HOURS)


@dataclass(frozen=True, slots=True)
class Decided:
    """What came of an agreement, and when that was decided: when it was kept, or when its time had passed."""

    result: SlaResult
    at: datetime


@dataclass(frozen=True, slots=True)
class Measured:
    """What a ticket took and how it ended; minutes are business minutes, None where it is not known or not over."""

    endings: tuple[Resolution, ...] = ()
    response_minutes: int | None = None
    resolve_minutes: int | None = None
    first_contact: bool | None = None
    response: Decided | None = None
    resolution: Decided | None = None

    @property
    def ended_at(self) -> datetime | None:
        """When it ended for good, as far as is known."""
        return self.endings[-1].at if self.endings and self.endings[-1].reopened_at is None else None


def endings(report: ReportedTicket) -> tuple[Resolution, ...]:
    """Return when a ticket was resolved and reopened; closed without being resolved counts as resolved then."""
    known = report.resolutions
    if report.closed_at is None or (known and known[-1].reopened_at is None):
        return known
    if known and known[-1].reopened_at is not None and report.closed_at <= known[-1].reopened_at:
        return known
    return (*known, Resolution(report.closed_at))


def measure(report: ReportedTicket, calendar: Calendar, now: datetime, *, escalated: bool) -> Measured:
    """Return what a report comes to at an instant."""
    ended = endings(report)
    ended_at = ended[-1].at if ended and ended[-1].reopened_at is None else None
    waiting = bool(report.waits) and report.waits[-1].end is None
    return Measured(
        endings=ended,
        response_minutes=_minutes(calendar, report.logged_at, report.first_responded_at, Pauses(())),
        resolve_minutes=_minutes(calendar, report.logged_at, ended_at, _pauses(report, ended, ended_at)),
        first_contact=_first_contact(report, ended, escalated=escalated),
        response=_decided(report, report.response_sla, report.first_responded_at, now),
        # Somebody else is to act: the clock stands still, and the source will say until when it does.
        resolution=_decided(report, report.resolution_sla, ended_at, None if waiting else now),
    )


def _minutes(calendar: Calendar, start: datetime, end: datetime | None, pauses: Pauses) -> int | None:
    if end is None or end < start:
        return None
    seconds = calendar.business_seconds_between(start, end)
    if pauses.spans:
        seconds -= sum(calendar.business_seconds_between(one, other) for one, other in pauses.within(start, end))
    return round(max(0.0, seconds) / _A_MINUTE_S)


def _pauses(report: ReportedTicket, ended: tuple[Resolution, ...], ended_at: datetime | None) -> Pauses:
    if ended_at is None or not (report.waits or len(ended) > 1):
        return Pauses(())
    waits = [(wait.start, wait.end or ended_at) for wait in report.waits]
    resolved = [(one.at, one.reopened_at) for one in ended if one.reopened_at is not None]
    return Pauses.of([*waits, *resolved])


def _first_contact(report: ReportedTicket, ended: tuple[Resolution, ...], *, escalated: bool) -> bool | None:
    """Never if it was escalated or came back within 72 hours; else as the source says, or if one team had it alone."""
    if not ended:
        return None
    came_back = ended[0].reopened_at
    soon = came_back is not None and came_back - ended[0].at <= REOPENED_SOON
    if escalated or soon or (came_back is None and report.reopenings):
        return False
    if report.first_contact is not None:
        return report.first_contact
    return len(report.hand_overs) <= 1 and not report.waits


def _decided(
    report: ReportedTicket, target: SlaTarget | None, done_at: datetime | None, now: datetime | None
) -> Decided | None:
    if target is None:
        return None
    due = target.due_at
    if target.result is not None:
        known = done_at or due if target.result is SlaResult.MET else due or done_at
        return Decided(target.result, known or report.changed_at or report.logged_at)
    if due is None:
        return None
    if done_at is not None and done_at <= due:
        return Decided(SlaResult.MET, done_at)
    passed = done_at is not None or (now is not None and due < now)
    return Decided(SlaResult.MISSED, due) if passed else None
