"""Teams read: which open onboardings somebody works on, and in which role."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import text

from db.session import Transaction
from domain.definitions import Owner

WORKING_ON = text("""
    select id from cycle
    where tenant_id = :tenant and ended_at is null and (
        (cast(:lead as boolean) and lead_id = :member)
        or (cast(:manager as boolean) and account_manager_id = :member)
        or (cast(:technical as boolean) and technical_lead_id = :member)
        or (cast(:engineer as boolean) and engineer_ids @> array[cast(:member as uuid)])
    )
    order by client_id, id
""")


async def working_on(tx: Transaction, member: UUID, roles: Collection[Owner]) -> list[UUID]:
    """Return the open onboardings in whose team somebody has one of some roles, client by client."""
    rows = await tx.rows(
        WORKING_ON,
        tenant=tx.tenant,
        member=member,
        lead=Owner.LEAD in roles,
        manager=Owner.ACCOUNT_MANAGER in roles,
        technical=Owner.TECHNICAL_LEAD in roles,
        engineer=Owner.ENGINEER in roles,
    )
    return [row["id"] for row in rows]
