"""Arrivals told: the audit trail and the events of a client that was brought in, marked as of the past."""

from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

from domain.access import Principal
from domain.backfill import Backfill, BackfilledMove
from domain.events import ClientsUpserted, ContactChanged, ContractChanged, Envelope, Event, OnboardingMoved
from domain.onboarding import Transition
from workflows.arriving import Arriving, Desk
from workflows.commands import envelope
from workflows.context import Request, new_id


def trail_of(past: Backfill, desk: Desk, principal: Principal, request: Request) -> list[tuple[Transition, Envelope]]:
    """Return a transition and an event for each move of the past: recorded now, effective when it was."""
    # In the order of their ids, by which what was recorded at one instant is sorted.
    ids = sorted(new_id() for _ in past.moves)
    told = enumerate(zip(ids, past.moves, strict=True), start=1)
    return [_move(past, version, key, move, desk, principal, request) for version, (key, move) in told]


def events_of(one: Arriving, principal: Principal, request: Request) -> Iterator[Envelope]:
    """Give an event for each thing beside the onboarding that came into being or was changed."""
    client, now = one.client, one.past.cycle.active_at if one.past else one.client.created_at

    def wrapped(event: Event, subject: UUID, version: int) -> Envelope:
        return envelope(principal, request, event, subject=subject, version=version, client=client.id, now=now)

    if one.before != client:
        yield wrapped(ClientsUpserted(created=one.before is None), client.id, client.version)
    if one.contract is not None:
        event = ContractChanged(created=True, status=one.contract.status.value, fields=("status",))
        yield wrapped(event, one.contract.id, one.contract.version)
    for contact in one.contacts:
        yield wrapped(ContactChanged(created=True, fields=("name", "roles")), contact.id, contact.version)


def _move(
    past: Backfill,
    version: int,
    key: UUID,
    move: BackfilledMove,
    desk: Desk,
    principal: Principal,
    request: Request,
) -> tuple[Transition, Envelope]:
    cycle, now = past.cycle, desk.now
    event = OnboardingMoved(
        move=move.move.value,
        from_stage=move.from_stage.value if move.from_stage else None,
        to_stage=move.to_stage.value,
        transition=key,
    )
    told = replace(
        envelope(principal, request, event, subject=cycle.id, version=version, client=cycle.client_id, now=now),
        occurred_at=move.effective_at,
    )
    row = Transition(
        id=key,
        cycle_id=cycle.id,
        client_id=cycle.client_id,
        version=version,
        move=move.move,
        from_stage=move.from_stage,
        to_stage=move.to_stage,
        accepted=True,
        refusal=None,
        recorded_at=now,
        effective_at=move.effective_at,
        actor_kind=principal.kind.value,
        actor_id=principal.id,
        on_behalf_of=request.on_behalf_of,
        channel=request.channel.value,
        definition_number=desk.definition.number,
        gates=(),
        waiver_ids=(),
        effect_ids=tuple(effect for effect, _ in move.effects),
        reason=move.reason,
        outcome=move.outcome,
        request_id=request.id,
        event_id=told.id,
    )
    return row, told
