"""The outbox: events are written beside the change they tell of, in the same transaction."""

from collections.abc import Sequence

from sqlalchemy import text

from db.session import Transaction
from domain.events import Envelope

APPEND = text("""
    insert into pending (tenant_id, client_id, event_id, type, scope, body, recorded_at)
    select :tenant, e.client_id, e.event_id, e.type, e.scope, e.body, e.recorded_at
    from unnest(cast(:clients as uuid[]), cast(:ids as uuid[]), cast(:types as text[]), cast(:scopes as text[]),
                cast(:bodies as jsonb[]), cast(:recorded as timestamptz[]))
         with ordinality as e(client_id, event_id, type, scope, body, recorded_at, n)
    order by e.n
""")


async def append(tx: Transaction, envelopes: Sequence[Envelope]) -> None:
    """Write events in the order given; call it after the row lock is held, so that order follows the lock."""
    if not envelopes:
        return
    tx.publishes = True
    await tx.run(
        APPEND,
        tenant=tx.tenant,
        clients=[e.client for e in envelopes],
        ids=[e.id for e in envelopes],
        types=[type(e.event).TYPE for e in envelopes],
        scopes=[type(e.event).SCOPE.value for e in envelopes],
        bodies=[e.body() for e in envelopes],
        recorded=[e.recorded_at for e in envelopes],
    )
