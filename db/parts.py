"""Parts of a client in the database: what the onboarding of a site or a service stands on."""

from sqlalchemy import text

from db.session import Transaction
from domain.onboarding import Cycle

# The whole client's onboarding is held: it cannot end before this transaction does.
WHOLE_OPEN = text("""
    select w.id from client c
    join cycle w on w.tenant_id = :tenant and w.client_id = c.id and w.id = c.cycle_id
    where c.tenant_id = :tenant and c.id = :client and w.ended_at is null
    for share of w
""")
# Not to be merged before this transaction ends.
MERGED = text("""
    select merged_into from client where tenant_id = :tenant and id = :client for key share
""")
ARCHIVED = text("""
    select exists (
        select from site where tenant_id = :tenant and client_id = :client and id = :place and archived_at is not null
    )
""")


async def lost_footing(tx: Transaction, cycle: Cycle) -> str | None:
    """Return why an onboarding cannot be open again, else `None`: its client was merged into another.

    That of a part cannot either where its client's has ended, or its site is out of use.
    """
    if await tx.value(MERGED, tenant=tx.tenant, client=cycle.client_id):
        return "The client was merged into another since."
    if cycle.place_id is None:
        return None
    if not await tx.rows(WHOLE_OPEN, tenant=tx.tenant, client=cycle.client_id):
        return "The client's onboarding as a whole has ended since."
    if await tx.value(ARCHIVED, tenant=tx.tenant, client=cycle.client_id, place=cycle.place_id):
        return "The site was archived since."
    return None
