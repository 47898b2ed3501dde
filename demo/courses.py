"""The way of a simulated ticket: who answered and when, whom it waited for, what was agreed, if it came back."""

import math
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from domain.tickets import (
    EscalationKind,
    HandOver,
    Priority,
    ReportedEscalation,
    ReportedTicket,
    Resolution,
    SlaTarget,
    Wait,
    WaitingOn,
)

ANSWERED_IN_MINUTES = {Priority.P1: 12.0, Priority.P2: 35.0, Priority.P3: 95.0, Priority.P4: 180.0}
"""Within how long half of the tickets are first answered, by priority."""

ANSWER_DUE_HOURS = {Priority.P1: 1, Priority.P2: 4, Priority.P3: 8, Priority.P4: 24}
RESOLUTION_DUE_HOURS = {Priority.P1: 8, Priority.P2: 30, Priority.P3: 96, Priority.P4: 240}

WAITING_SHARE, FOR_VENDORS_SHARE = 0.2, 0.15
REOPENED_SHARE = 0.045
TO_VENDORS_SHARE, TO_MANAGERS_SHARE = 0.02, 0.006
"""How many of all tickets; of those that wait, how many wait for a vendor."""

AGENTS = {
    "Service desk": ("anders", "bea", "chidi", "dalia"),
    "Field service": ("emil", "farah"),
    "Engineering": ("goran", "hana", "ines"),
    "Specialists": ("jonas", "kemi"),
}


def gone(ticket: ReportedTicket) -> ReportedTicket:
    """Return a ticket with its way; drawn from its number alone, so that the rest of the story stays as it is."""
    rng = Random(ticket.external_id)
    handed = tuple(replace(had, agent=rng.choice(AGENTS.get(had.team or "", ("anders",)))) for had in ticket.hand_overs)
    resolved = ticket.resolved_at
    answered = _answered(rng, ticket)
    if resolved is not None:
        answered = min(answered, resolved)
    resolutions, closed = _resolutions(rng, ticket)
    return replace(
        ticket,
        title=None if ticket.category is None else f"{ticket.category}: {rng.choice(_WHAT)}",
        hand_overs=handed,
        first_responded_at=answered,
        waits=_waits(rng, answered, resolved),
        resolutions=resolutions,
        closed_at=closed,
        response_sla=SlaTarget(ticket.logged_at + timedelta(hours=ANSWER_DUE_HOURS[ticket.priority])),
        resolution_sla=SlaTarget(ticket.logged_at + timedelta(hours=RESOLUTION_DUE_HOURS[ticket.priority])),
        escalations=_escalations(rng, handed),
    )


def known(ticket: ReportedTicket, now: datetime) -> ReportedTicket:
    """Return what could be known of a ticket at an instant."""
    first, closed = ticket.first_responded_at, ticket.closed_at
    return replace(
        ticket,
        hand_overs=tuple(had for had in ticket.hand_overs if had.at <= now),
        first_responded_at=first if first and first <= now else None,
        waits=tuple(
            replace(wait, end=wait.end if wait.end and wait.end <= now else None)
            for wait in ticket.waits
            if wait.start <= now
        ),
        resolutions=tuple(
            replace(one, reopened_at=one.reopened_at if one.reopened_at and one.reopened_at <= now else None)
            for one in ticket.resolutions
            if one.at <= now
        ),
        closed_at=closed if closed and closed <= now else None,
        escalations=tuple(one for one in ticket.escalations if one.at <= now),
    )


_WHAT = ("does not start", "is slow since this morning", "asks for a password", "shows an error", "please set up anew")


def _answered(rng: Random, ticket: ReportedTicket) -> datetime:
    minutes = rng.lognormvariate(math.log(ANSWERED_IN_MINUTES[ticket.priority]), 0.8)
    return _whole_minute(ticket.logged_at + timedelta(minutes=minutes))


def _waits(rng: Random, answered: datetime, resolved: datetime | None) -> tuple[Wait, ...]:
    if resolved is None or rng.random() >= WAITING_SHARE:
        return ()
    between = resolved - answered
    start = _whole_minute(answered + between * rng.uniform(0.1, 0.4))
    end = _whole_minute(answered + between * rng.uniform(0.5, 0.9))
    return (Wait(start, end, WaitingOn.VENDOR if rng.random() < FOR_VENDORS_SHARE else WaitingOn.CUSTOMER),)


def _resolutions(rng: Random, ticket: ReportedTicket) -> tuple[tuple[Resolution, ...], datetime | None]:
    resolved, closed = ticket.resolved_at, ticket.closed_at
    if resolved is None or closed is None or rng.random() >= REOPENED_SHARE:
        return ticket.resolutions, closed
    back = _whole_minute(resolved + timedelta(hours=rng.uniform(1, 90)))
    again = _whole_minute(back + timedelta(hours=rng.uniform(1, 30)))
    return (Resolution(resolved, back), Resolution(again)), again + (closed - resolved)


def _escalations(rng: Random, handed: tuple[HandOver, ...]) -> tuple[ReportedEscalation, ...]:
    fate = rng.random()
    last = handed[-1]
    at = _whole_minute(last.at + timedelta(hours=rng.uniform(0.5, 5)))
    if fate < TO_VENDORS_SHARE:
        return (ReportedEscalation(at, EscalationKind.VENDOR, last.team, "Printworks support", "spare part needed"),)
    if fate < TO_VENDORS_SHARE + TO_MANAGERS_SHARE:
        return (
            ReportedEscalation(at, EscalationKind.HIERARCHICAL, last.team, "Service manager", "client asked for it"),
        )
    return ()


def _whole_minute(instant: datetime) -> datetime:
    return instant.replace(second=0, microsecond=0)
