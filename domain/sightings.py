"""A sighting tells only how a ticket stands now; put together with what was known it makes the whole report."""

from dataclasses import replace
from datetime import datetime
from itertools import pairwise

from domain.tickets import ReportedTicket, Resolution, SlaResult, SlaTarget, Wait, hand_overs


def seen(known: ReportedTicket | None, now: ReportedTicket) -> ReportedTicket:
    """Return the whole report of a ticket that a snapshot tells of; one that is no snapshot is whole already.

    What differs from what was known happened when the snapshot was taken, unless it says when; what was so before and
    still is keeps the moment it had. A closing that a reopening followed is over, and a target that its source once
    called missed stays missed. Whatever order a source tells waits and endings in, the report has them in that of time.
    """
    whole = replace(now, snapshot=False) if now.snapshot else now
    if known is not None and now.snapshot:
        whole = _together(known, whole)
    whole = _in_order(whole)
    return _reopened(whole if known is None else _still_missed(known, whole))


def _in_order(report: ReportedTicket) -> ReportedTicket:
    waits, resolutions = _waited(report.waits), _ended(report.resolutions)
    if (waits, resolutions) == (report.waits, report.resolutions):
        return report
    return replace(report, waits=waits, resolutions=resolutions)


def _waited(told: tuple[Wait, ...]) -> tuple[Wait, ...]:
    """Only the last wait can be open: of an earlier one that nobody ended, the next is the end."""
    if len(told) < 2:  # noqa: PLR2004 -- there is no order among fewer
        return told
    waits = sorted(told, key=lambda one: one.start)
    ended = [one if one.end is not None else replace(one, end=after.start) for one, after in pairwise(waits)]
    return (*ended, waits[-1])


def _ended(told: tuple[Resolution, ...]) -> tuple[Resolution, ...]:
    """A ticket comes back after it ended, and ends again after it came back; of two endings without that, the later."""
    kept: list[Resolution] = []
    for one in sorted(told, key=lambda ending: ending.at):
        at = one.at
        if kept and (back := kept[-1].reopened_at) is None:
            kept.pop()
        elif kept and back is not None:
            at = max(at, back)
        again = None if one.reopened_at is None else max(at, one.reopened_at)
        kept.append(one if (one.at, one.reopened_at) == (at, again) else Resolution(at, again))
    return tuple(kept)


def _still_missed(known: ReportedTicket, now: ReportedTicket) -> ReportedTicket:
    response = _missed(known.response_sla, now.response_sla)
    resolution = _missed(known.resolution_sla, now.resolution_sla)
    if (response, resolution) == (now.response_sla, now.resolution_sla):
        return now
    return replace(now, response_sla=response, resolution_sla=resolution)


def _missed(known: SlaTarget | None, now: SlaTarget | None) -> SlaTarget | None:
    if known is None or known.result is not SlaResult.MISSED:
        return now
    return known if now is None else replace(now, result=SlaResult.MISSED)


def _reopened(report: ReportedTicket) -> ReportedTicket:
    came_back = report.resolutions[-1].reopened_at if report.resolutions else None
    if came_back is None or report.closed_at is None or report.closed_at > came_back:
        return report
    return replace(report, closed_at=None)


def _together(known: ReportedTicket, now: ReportedTicket) -> ReportedTicket:
    return replace(
        now,
        logged_at=min(known.logged_at, now.logged_at),
        closed_at=known.closed_at if known.closed_at and _tells_no_moment(now, now.closed_at) else now.closed_at,
        title=now.title or known.title,
        hand_overs=hand_overs((*known.hand_overs, *now.hand_overs)),
        first_responded_at=known.first_responded_at or now.first_responded_at,
        waits=_waits(known, now),
        resolutions=_resolutions(known, now),
        times_reopened=max(known.times_reopened, now.times_reopened),
        first_contact=known.first_contact if now.first_contact is None else now.first_contact,
        response_sla=now.response_sla or known.response_sla,
        resolution_sla=now.resolution_sla or known.resolution_sla,
        escalations=(*known.escalations, *(one for one in now.escalations if one not in known.escalations)),
    )


def _tells_no_moment(now: ReportedTicket, at: datetime | None) -> bool:
    """Whether a snapshot says no more than that something is so, by giving its own moment for when that came about."""
    return at is not None and at == now.changed_at


def _waits(known: ReportedTicket, now: ReportedTicket) -> tuple[Wait, ...]:
    waits, waiting = known.waits, now.waits[-1] if now.waits and now.waits[-1].end is None else None
    last = waits[-1] if waits else None
    if last is not None and last.end is None:
        if waiting is not None and waiting.on is last.on:
            return waits
        waits = (*waits[:-1], replace(last, end=max(last.start, now.changed_at or last.start)))
    return (*waits, waiting) if waiting is not None else waits


def _resolutions(known: ReportedTicket, now: ReportedTicket) -> tuple[Resolution, ...]:
    past, ending = known.resolutions, now.resolutions[-1] if now.resolutions else None
    held = bool(past) and past[-1].reopened_at is None
    if ending is None:
        if not held:
            return past
        return (*past[:-1], replace(past[-1], reopened_at=max(past[-1].at, now.changed_at or past[-1].at)))
    if held and _tells_no_moment(now, ending.at):
        return past
    if held:
        # Of a ticket that was resolved and is resolved at another moment it is not known when it came back between.
        return (*past[:-1], replace(ending, at=max(past[-1].at, ending.at)) if ending.at != past[-1].at else past[-1])
    return past if past and ending.at <= past[-1].at else (*past, ending)
