"""Effects coming due: timers fire once, and what cannot happen says why."""

from uuid import UUID

from db import absences, effects, outbox
from domain.absences import Cover
from domain.access import Principal, system
from domain.effects import Effect, EffectKind, EffectState
from domain.events import Envelope, TimerFired
from workflows.commands import envelope, tenant_by_tenant
from workflows.context import Channel, Context, Request, new_id

BATCH = 200
"""Effects of one tenant that one transaction settles."""

MAIL_OFF = "MAIL_OFF"
"""Why a survey was not sent: this version sends no mail."""


async def fire_due(context: Context) -> int:
    """Settle what is due, earliest first, and return how many effects that were.

    Each effect is settled in the transaction that holds its row, so that two workers never fire one
    twice and a killed one leaves it due.
    """
    now = context.clock()
    async with context.database.relaying() as relaying:
        waiting = await effects.tenants_with_due(relaying, now)

    async def fire(tenant: UUID) -> int:
        return await _fire(context, system(tenant))

    return await tenant_by_tenant(waiting, fire)


async def _fire(context: Context, principal: Principal) -> int:
    now = context.clock()
    request = Request(f"tick-{new_id().hex}", Channel.SYSTEM)
    async with context.database.writing(principal) as tx:
        due = await effects.take_due(tx, now, BATCH)
        if not due:
            return 0
        await effects.settle(tx, [(effect.id, *_became(effect)) for effect, _ in due], now)
        cover = await absences.cover(tx, now)
        fired = [_event(context, principal, request, *pair, cover) for pair in due if pair[0].kind is EffectKind.TIMER]
        await outbox.append(tx, fired)
        return len(due)


def _became(effect: Effect) -> tuple[EffectState, str | None]:
    if effect.kind is EffectKind.TIMER:
        return EffectState.DONE, None
    return EffectState.SKIPPED, MAIL_OFF


def _event(
    context: Context, principal: Principal, request: Request, effect: Effect, version: int, cover: Cover
) -> Envelope:
    acting = cover.acting(UUID(effect.recipient)) if effect.recipient else None
    return envelope(
        principal,
        request,
        TimerFired(timer=effect.name, effect=effect.id, due_at=effect.due_at, acting=acting),
        subject=effect.cycle_id,
        version=version,
        client=effect.client_id,
        now=context.clock(),
    )
