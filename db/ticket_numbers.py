"""Numbers of the tickets that people open here: one after another for each tenant, and none twice."""

from sqlalchemy import text

from db.session import Transaction

NEXT = text("""
    insert into ticket_number as n (tenant_id, last) values (:tenant, 1)
    on conflict (tenant_id) do update set last = n.last + 1
    returning last
""")


async def next_number(tx: Transaction) -> str:
    """Return the next number; whoever opens another ticket at this moment waits for the transaction's end."""
    return str(await tx.value(NEXT, tenant=tx.tenant))
