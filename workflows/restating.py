"""Restating: tickets are stamped anew after their client's history was corrected, and every figure moves along."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from db import attribution, outbox, restamping
from db.session import Transaction
from db.tickets import Touched, Written
from domain.access import Principal
from domain.consequences import Consequence, ConsequenceKind
from domain.events import TicketsIngested
from domain.onboarding import Cycle, ScopeKind
from workflows.assessing import Claim, locked, rewrite
from workflows.commands import envelope
from workflows.context import Request

AT_ONCE = 2_000
"""Tickets that one statement places anew."""


async def restate(
    tx: Transaction,
    principal: Principal,
    request: Request,
    cycle: Cycle,
    span: tuple[datetime, datetime],
    now: datetime,
) -> tuple[Consequence, ...]:
    """Stamp anew what was logged at a client within a span, both ends too; tell how many tickets that changed.

    Only an onboarding of the whole client says where its tickets stand.
    """
    if cycle.scope_kind is not ScopeKind.WHOLE_CLIENT:
        return ()
    changed, after = 0, None
    since, until = span
    while found := await restamping.of_client(tx, cycle.client_id, since, until, after, AT_ONCE):
        changed += await place(tx, principal, request, found, now)
        after = found[-1].id
    return (Consequence(ConsequenceKind.TICKET, "stage and phase", count=changed),) if changed else ()


async def place(
    tx: Transaction,
    principal: Principal,
    request: Request,
    found: Sequence[restamping.Placeable],
    now: datetime,
) -> int:
    """Give tickets the client named, and the stage and phase of its history; return how many that changed.

    One that had no client gets the site and the device that its source's keys stand for at the new one's.
    """
    if not found:
        return 0
    histories = await attribution.histories(tx, sorted({one.client for one in found}))
    stored = await locked(tx, [one.id for one in found])
    systems: dict[str, dict[UUID, Claim]] = {}
    for one in found:
        was = stored.get(one.id)
        if was is None:
            continue
        client = was.assessed.client
        if (client, was.assessed.stamp) != (one.client, histories[one.client].stamp(was.report.logged_at)):
            claim = Claim.of(was)
            claim = replace(claim, client=one.client, places=None if client is None else claim.places)
            systems.setdefault(was.system, {})[one.id] = claim
    written = Written()
    for system, claims in sorted(systems.items()):
        written += await rewrite(tx, system, claims, stored, now)
    await tell(tx, principal, request, written.clients, now)
    return sum(len(claims) for claims in systems.values())


async def tell(
    tx: Transaction,
    principal: Principal,
    request: Request,
    clients: Mapping[UUID, Touched] | Mapping[UUID | None, Touched],
    now: datetime,
) -> UUID | None:
    """Append one event for each client and return the last one's id; tickets of no known client concern nobody yet."""
    events = [
        envelope(
            principal,
            request,
            TicketsIngested(created=touched.created, updated=touched.changed, days=tuple(sorted(touched.days))),
            subject=client,
            version=0,
            client=client,
            now=now,
        )
        for client, touched in clients.items()
        if client is not None
    ]
    await outbox.append(tx, events)
    return events[-1].id if events else None
