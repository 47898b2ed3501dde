"""Sites in the database: the places at which clients work, and what names them."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Boolean, bindparam, text

from db.keyset import Listing
from db.rows import Rows
from db.session import Transaction
from db.tables.sites import SiteRow
from domain.clients import name_key
from domain.sites import Site

ROWS = Rows(SiteRow, Site, derived=("name_key",))
_T = SiteRow.__table__.c
LISTING = Listing(
    columns=ROWS.columns,
    tenant=_T.tenant_id,
    orders={"NAME": (_T.name_key, _T.id)},
    conditions={"in_use": _T.archived_at.is_(None) == bindparam("in_use", type_=Boolean())},
    parent=_T.client_id,
)
IN_USE = text("""
    select id from site
    where tenant_id = :tenant and client_id = :client and id = any(cast(:sites as uuid[])) and archived_at is null
""")
OPEN_ONBOARDING = text("""
    select id from cycle
    where tenant_id = :tenant and client_id = :client and scope_kind = 'SITE' and scope_key = :site and ended_at is null
""")

get = ROWS.get
lock = ROWS.lock
many = ROWS.many


async def add(tx: Transaction, site: Site) -> None:
    """Write a new site."""
    await ROWS.add(tx, site, name_key=name_key(site.name))


async def save(tx: Transaction, site: Site) -> None:
    """Write a site over its locked row."""
    await ROWS.save(tx, site.id, site, name_key=name_key(site.name))


async def in_use_among(tx: Transaction, client: UUID, wanted: Sequence[UUID]) -> frozenset[UUID]:
    """Return those of the ids that are sites of the client and not archived."""
    rows = await tx.rows(IN_USE, tenant=tx.tenant, client=client, sites=list(wanted))
    return frozenset(row["id"] for row in rows)


async def open_onboarding(tx: Transaction, site: Site) -> UUID | None:
    """Return the open onboarding of a site, if there is one."""
    found: UUID | None = await tx.value(OPEN_ONBOARDING, tenant=tx.tenant, client=site.client_id, site=site.id.hex)
    return found
