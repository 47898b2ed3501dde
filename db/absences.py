"""Absences as rows, and in one statement who is away today and who stands in."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import text

from db.rows import Rows
from db.session import Transaction
from db.tables.tenancy import AbsenceRow
from domain.absences import Absence, Cover

ABSENCES = Rows(AbsenceRow, Absence)

_COLUMNS = "a.id, a.member_id, a.starts_on, a.ends_on, a.reason, a.created_at, a.version"

OF_MEMBERS = text(f"""
    select {_COLUMNS} from absence a
    where a.tenant_id = :tenant and a.member_id = any(cast(:members as uuid[]))
    order by a.member_id, a.starts_on, a.id
""")

# The day is the provider's own, which its settings tell: reading them apart would be a statement more.
TODAY = text(f"""
    select {_COLUMNS}, d.id as deputy_id
    from tenant t
    cross join lateral (
        select cast(timezone(t.settings #>> '{{calendar,zone}}', cast(:now as timestamptz)) as date) as day
    ) as here
    join absence a on a.tenant_id = :tenant and a.starts_on <= here.day
                  and (a.ends_on is null or a.ends_on >= here.day)
    join member m on m.tenant_id = :tenant and m.id = a.member_id
    left join member d on d.tenant_id = :tenant and d.id = m.deputy_id and d.active
    where t.id = :tenant
""")

DEPUTIES = text("select id, deputy_id from member where tenant_id = :tenant and deputy_id is not null")

REMOVE = text("delete from absence where tenant_id = :tenant and id = :absence")
REMOVE_OF = text("delete from absence where tenant_id = :tenant and member_id = :member returning id")

get = ABSENCES.get
add = ABSENCES.add


async def save(tx: Transaction, absence: Absence) -> None:
    """Write an absence over its row; the caller holds the member's."""
    await ABSENCES.save(tx, absence.id, absence)


async def remove(tx: Transaction, absence: UUID) -> None:
    """Remove an absence."""
    await tx.run(REMOVE, tenant=tx.tenant, absence=absence)


async def remove_of(tx: Transaction, member: UUID) -> int:
    """Remove all absences of a member; return how many there were."""
    return len(await tx.rows(REMOVE_OF, tenant=tx.tenant, member=member))


async def of_members(tx: Transaction, members: Sequence[UUID]) -> dict[UUID, list[Absence]]:
    """Return all absences of members, the earliest first."""
    found: dict[UUID, list[Absence]] = {}
    for row in await tx.rows(OF_MEMBERS, tenant=tx.tenant, members=list(members)):
        found.setdefault(row["member_id"], []).append(ABSENCES.read(row))
    return found


async def cover(tx: Transaction, now: datetime) -> Cover:
    """Return who is away on the provider's local day, and the active deputies of those."""
    rows = await tx.rows(TODAY, tenant=tx.tenant, now=now)
    return Cover(
        {row["member_id"]: ABSENCES.read(row) for row in rows},
        {row["member_id"]: row["deputy_id"] for row in rows if row["deputy_id"] is not None},
    )


async def deputies(tx: Transaction) -> dict[UUID, UUID]:
    """Return the deputy of everybody who has one."""
    return {row["id"]: row["deputy_id"] for row in await tx.rows(DEPUTIES, tenant=tx.tenant)}


def current(absences: Sequence[Absence], day: date) -> list[Absence]:
    """Return the absences that are not over by a day."""
    return [one for one in absences if one.ends_on is None or one.ends_on >= day]
