"""Restating: tickets are stamped anew after their client's history was corrected, and every figure moves along."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from db import attribution, outbox, restamping
from db.session import Transaction
from db.tickets import Touched
from domain.access import Principal
from domain.consequences import Consequence, ConsequenceKind
from domain.events import TicketsIngested
from domain.onboarding import Cycle, ScopeKind
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
    """Give tickets the client named, and the stage and phase of its history; return how many that changed."""
    if not found:
        return 0
    histories = await attribution.histories(tx, sorted({one.client for one in found}))
    placed = {one.id: (one.client, histories[one.client].stamp(one.logged_at)) for one in found}
    touched = await restamping.place(tx, placed, now)
    await tell(tx, principal, request, touched, now)
    return sum(one.changed for one in touched.values())


async def tell(
    tx: Transaction,
    principal: Principal,
    request: Request,
    clients: Mapping[UUID, Touched] | Mapping[UUID | None, Touched],
    now: datetime,
) -> None:
    """Append one event for each client; tickets of no known client concern nobody yet."""
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
