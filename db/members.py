"""Members in the database: the provider's people."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text

from db.keyset import Listing, Stretch
from db.rows import Rows
from db.session import Transaction
from db.tables.tenancy import MemberRow
from domain.access import Role
from domain.members import Member

ROWS = Rows(MemberRow, Member)
_T = MemberRow.__table__.c
LISTING = Listing(
    columns=ROWS.columns,
    tenant=_T.tenant_id,
    orders={"EMAIL": (_T.email,)},  # no two members of a provider share one
    only=(_T.erased_at.is_(None),),  # whoever was erased is shown where something refers to them, and listed nowhere
)
BY_EMAIL = text("select id from member where tenant_id = :tenant and email = :email")
OTHER_ADMIN = text("""
    select 1 from member
    where tenant_id = :tenant and id <> :member and active and roles @> array[cast(:role as text)] limit 1
""")
ACTIVE = text("select id from member where tenant_id = :tenant and id = any(cast(:members as uuid[])) and active")

get = ROWS.get
lock = ROWS.lock
many = ROWS.many
add = ROWS.add


async def save(tx: Transaction, member: Member) -> None:
    """Write a member over the locked row."""
    await ROWS.save(tx, member.id, member)


async def listed(tx: Transaction, stretch: Stretch) -> list[Member]:
    """Return a stretch of the members by e-mail address."""
    return [ROWS.read(row) for row in await LISTING.rows(tx, "EMAIL", stretch)]


async def count(tx: Transaction) -> int:
    """Return how many members there are, deactivated ones included."""
    return await LISTING.count(tx)


async def id_of_email(tx: Transaction, email: str) -> UUID | None:
    """Return the member with this address, active or not."""
    found: UUID | None = await tx.value(BY_EMAIL, tenant=tx.tenant, email=email)
    return found


async def has_other_admin(tx: Transaction, member: UUID) -> bool:
    """Tell whether somebody else is an active admin; the caller holds the tenant's lock."""
    return bool(await tx.value(OTHER_ADMIN, tenant=tx.tenant, member=member, role=Role.ADMIN.value))


async def active_among(tx: Transaction, members: Sequence[UUID]) -> frozenset[UUID]:
    """Return those of the ids that are active members."""
    rows = await tx.rows(ACTIVE, tenant=tx.tenant, members=list(members))
    return frozenset(row["id"] for row in rows)
