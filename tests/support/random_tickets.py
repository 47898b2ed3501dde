"""Clients whose tickets do at random what tickets do: they are handed on, answered, resolved, reopened and merged."""

import random
from datetime import UTC, datetime, timedelta
from uuid import UUID

from domain.tickets import (
    EscalationKind,
    Exclusion,
    HandOver,
    Priority,
    ReportedEscalation,
    ReportedTicket,
    Resolution,
    SlaResult,
    SlaTarget,
    TicketKind,
    TicketSource,
)
from tests.support.providers import Provider
from tests.support.tickets import report

FIRST = datetime(2026, 2, 20, 7, tzinfo=UTC)


def random_ticket(number: int, dice: random.Random) -> ReportedTicket:
    """Return a ticket that was logged within three weeks, with a way of its own until some weeks later."""
    logged = FIRST + timedelta(minutes=dice.randint(0, 21 * 24 * 60))
    handed, at = [], logged
    for _ in range(dice.randint(1, 4)):
        tier = dice.randint(1, 3)
        handed.append(HandOver(at, f"Team {tier}", tier, agent=dice.choice((None, "ann", "ben"))))
        at += timedelta(hours=dice.randint(1, 40))
    resolutions = []
    for turn in range(dice.choice((0, 1, 1, 2))):
        ended = at + timedelta(hours=dice.randint(1, 90))
        again = ended + timedelta(hours=dice.randint(1, 120)) if turn or dice.random() < 0.3 else None
        resolutions.append(Resolution(ended, again))
        if again is None:
            break
        at = again
    return ReportedTicket(
        f"T-{number}",
        None,
        logged,
        kind=dice.choice((TicketKind.INCIDENT, TicketKind.INCIDENT, TicketKind.REQUEST, TicketKind.UNKNOWN)),
        source=dice.choice((TicketSource.PERSON,) * 5 + (TicketSource.ALERT,)),
        priority=dice.choice(tuple(Priority)),
        category=dice.choice((None, "Mail", "Printer")),
        exclusion=dice.choice((None,) * 7 + (Exclusion.MERGED, Exclusion.SPAM)),
        hand_overs=tuple(handed),
        first_responded_at=logged + timedelta(minutes=dice.randint(1, 900)) if dice.random() < 0.8 else None,
        resolutions=tuple(resolutions),
        resolution_sla=dice.choice((None, SlaTarget(logged + timedelta(days=2)), SlaTarget(logged, SlaResult.MISSED))),
        response_sla=dice.choice((None, SlaTarget(logged + timedelta(hours=2)))),
        escalations=dice.choice(((), (), (ReportedEscalation(at, EscalationKind.VENDOR),))),
    )


async def lived(provider: Provider, clients: list[UUID | None], tickets: int, seed: int) -> None:
    """Let each client have some tickets; `None` stands for those of no known client."""
    dice = random.Random(seed)
    numbers = iter(range(tickets * len(clients)))
    for client in clients:
        await report(provider, *(random_ticket(next(numbers), dice) for _ in range(tickets)), client=client)
