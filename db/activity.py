"""Activity: the instant at which anybody last did something for an onboarding."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from db.session import Transaction

# A client's cycles are locked in the order in which `db.clients.hold` locks them, so that two writers never wait for
# each other. Whoever touches a client while it holds its cycles still holds them alone (`hold(..., alone=True)`):
# two that share the locks could not both write.
TOUCH = text("""
    with touched as (
        select id from cycle
        where tenant_id = :tenant and ended_at is null and active_at < cast(:now as timestamptz)
          and (client_id = cast(:client as uuid) or id = cast(:cycle as uuid))
        order by client_id, id
        for no key update
    )
    update cycle set active_at = greatest(cycle.active_at, cast(:now as timestamptz))
    from touched where cycle.tenant_id = :tenant and cycle.id = touched.id
""")


async def touch(tx: Transaction, now: datetime, *, client: UUID | None = None, cycle: UUID | None = None) -> None:
    """Note that something was done for a client's open cycles, or for one open cycle; never sets the clock back.

    The version of a cycle does not count it: nobody's decision becomes stale by a note.
    """
    await tx.run(TOUCH, tenant=tx.tenant, now=now, client=client, cycle=cycle)
