"""Calendars in the database: which is in force for which onboarding, and the versions that were before it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from sqlalchemy import text

from db.session import Transaction
from domain.calendars import Calendar, CalendarSource
from domain.onboarding import Cycle
from domain.own_calendars import OWN, CalendarOwner, Calendars, CalendarVersion
from domain.tenants import TenantSettings

IN_FORCE = text("""
    select cast(null as uuid) as site_id, cast(null as uuid) as contract_id, cast(settings as text) as body
    from tenant where id = :tenant
    union all
    select site_id, contract_id, cast(body as text) from calendar
    where tenant_id = :tenant and valid_to is null and body is not null and client_id is not null
      and (cast(:clients as uuid[]) is null or client_id = any(:clients))
""")

OF_OWNERS = text("""
    select site_id, contract_id, body from calendar
    where tenant_id = :tenant and valid_to is null and body is not null
      and (site_id = any(cast(:owners as uuid[])) or contract_id = any(cast(:owners as uuid[])))
""")

VERSIONS = text("""
    select k.site_id, k.contract_id, k.version, k.body, k.valid_from, k.valid_to, t.created_at
    from tenant t
    left join calendar k on k.tenant_id = t.id
     and (k.site_id = any(cast(:owners as uuid[])) or k.contract_id = any(cast(:owners as uuid[]))
          or (k.site_id is null and k.contract_id is null and cast(:own as boolean)))
    where t.id = :tenant
    order by k.version
""")

LATEST = text("""
    select site_id, contract_id, version, body, valid_from, valid_to from calendar
    where tenant_id = :tenant and valid_to is null and site_id is not distinct from cast(:site as uuid)
      and contract_id is not distinct from cast(:contract as uuid)
""")

CLOSE = text("""
    update calendar set valid_to = :now
    where tenant_id = :tenant and valid_to is null and site_id is not distinct from cast(:site as uuid)
      and contract_id is not distinct from cast(:contract as uuid)
    returning version
""")

ADD = text("""
    insert into calendar (tenant_id, id, client_id, site_id, contract_id, version, body, valid_from, valid_to)
    values (:tenant, :id, :client, :site, :contract, :version, :body, :valid_from, :valid_to)
""")


async def of_cycles(tx: Transaction, cycles: Iterable[Cycle]) -> dict[UUID, Calendar]:
    """Return for onboardings the calendar by which their targets and business days count, in one statement."""
    wanted = list(cycles)
    calendars = await in_force(tx, {cycle.client_id for cycle in wanted})
    return {cycle.id: calendars.of(cycle) for cycle in wanted}


async def in_force(tx: Transaction, clients: Iterable[UUID] | None = None) -> Calendars:
    """Return the provider's calendar and those of sites and contracts, of all clients or of some, in one statement."""
    rows = await tx.rows(IN_FORCE, tenant=tx.tenant, clients=None if clients is None else list(clients))
    return as_read(rows)


def as_read(rows: Sequence[asyncpg.Record]) -> Calendars:
    """Return the calendars that rows of `IN_FORCE` hold."""
    tenant = next(row["body"] for row in rows if row["site_id"] is None and row["contract_id"] is None)
    return Calendars(
        _tenants(tenant),
        {row["site_id"]: _owned(row["site_id"], None, row["body"]) for row in rows if row["site_id"]},
        {row["contract_id"]: _owned(None, row["contract_id"], row["body"]) for row in rows if row["contract_id"]},
    )


# Every question reads the calendars; the same text makes the same calendar, which never changes.
@lru_cache(maxsize=1_024)
def _tenants(settings: str) -> Calendar:
    return TenantSettings.from_data(msgspec.json.decode(settings)).calendar


@lru_cache(maxsize=4_096)
def _owned(site: UUID | None, contract: UUID | None, body: str) -> Calendar:
    return own(site, contract, msgspec.json.decode(body))


async def of_owners(tx: Transaction, owners: Sequence[UUID]) -> dict[UUID, Calendar]:
    """Return the calendars in force that sites and contracts have of their own, by the site's or contract's id."""
    rows = await tx.rows(OF_OWNERS, tenant=tx.tenant, owners=list(owners))
    return {row["site_id"] or row["contract_id"]: _own(row) for row in rows}


async def latest(tx: Transaction, owner: CalendarOwner) -> CalendarVersion | None:
    """Return the last version of a site's or contract's own calendar, or `None` where it never had one."""
    row = await tx.one(LATEST, tenant=tx.tenant, site=owner.site_id, contract=owner.contract_id)
    return _version(row) if row else None


async def versions(
    tx: Transaction, owners: Sequence[CalendarOwner], tenant: Calendar
) -> dict[CalendarOwner, list[CalendarVersion]]:
    """Return the versions of calendars, the oldest first, in one statement.

    `tenant` is the provider's in force: it is kept among the versions only once it has changed.
    """
    rows = await tx.rows(
        VERSIONS,
        tenant=tx.tenant,
        owners=[owner.id for owner in owners if owner.id],
        own=any(owner.id is None for owner in owners),
    )
    found: dict[CalendarOwner, list[CalendarVersion]] = {owner: [] for owner in owners}
    for row in rows:
        if row["version"] is not None:
            found[_owner(row["site_id"], row["contract_id"])].append(_version(row))
    for owner, kept in found.items():
        if owner == OWN and not kept:
            kept.append(CalendarVersion(tenant.version, tenant, rows[0]["created_at"], None))
    return found


async def close(tx: Transaction, owner: CalendarOwner, now: datetime) -> bool:
    """End the version in force, if one is kept; tell whether it was. The caller holds the owner's row."""
    return bool(await tx.rows(CLOSE, tenant=tx.tenant, site=owner.site_id, contract=owner.contract_id, now=now))


async def add(
    tx: Transaction, key: UUID, owner: CalendarOwner, kept: CalendarVersion, client: UUID | None = None
) -> None:
    """Keep a version; `client` is whose the site or contract is."""
    await tx.run(
        ADD,
        tenant=tx.tenant,
        id=key,
        client=client,
        site=owner.site_id,
        contract=owner.contract_id,
        version=kept.version,
        body=kept.calendar.to_data() if kept.calendar else None,
        valid_from=kept.valid_from,
        valid_to=kept.valid_to,
    )


def own(site: UUID | None, contract: UUID | None, body: Mapping[str, Any]) -> Calendar:
    """Return the calendar that is stored in these columns."""
    owner = _owner(site, contract)
    return Calendar.from_data(body, owner.source, owner.id)


def _owner(site: UUID | None, contract: UUID | None) -> CalendarOwner:
    if site:
        return CalendarOwner(CalendarSource.SITE, site)
    return CalendarOwner(CalendarSource.CONTRACT, contract) if contract else OWN


def _own(row: asyncpg.Record) -> Calendar:
    return own(row["site_id"], row["contract_id"], row["body"])


def _version(row: asyncpg.Record) -> CalendarVersion:
    calendar = _own(row) if row["body"] else None
    return CalendarVersion(row["version"], calendar, row["valid_from"], row["valid_to"])
