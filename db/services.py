"""Services in the database: what a client depends on, and the devices it runs on."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import text

from db.keyset import Listing
from db.rows import Rows
from db.session import Transaction
from db.tables.clients import ServiceRow
from domain.clients import Service, name_key

ROWS = Rows(ServiceRow, Service, derived=("name_key",))
_T = ServiceRow.__table__.c
LISTING = Listing(
    columns=ROWS.columns,
    tenant=_T.tenant_id,
    orders={"NAME": (_T.name_key, _T.id)},
    parent=_T.client_id,
)
DEVICES = text("""
    select service_id, array_agg(device_id order by device_id) as devices from service_device
    where tenant_id = :tenant and service_id = any(cast(:services as uuid[])) group by service_id
""")
UNLINK = text("delete from service_device where tenant_id = :tenant and service_id = :service")
LINK = text("""
    insert into service_device (tenant_id, client_id, service_id, device_id)
    select :tenant, :client, :service, d.id from unnest(cast(:devices as uuid[])) as d(id)
""")
OF_CLIENT = text("""
    select id from service where tenant_id = :tenant and client_id = :client and id = any(cast(:services as uuid[]))
""")


async def lock(tx: Transaction, service: UUID) -> Service | None:
    """Return a service with its devices, and keep others from changing it."""
    found = await ROWS.lock(tx, service)
    return (await with_devices(tx, [found]))[0] if found else None


async def many(tx: Transaction, wanted: Sequence[UUID]) -> dict[UUID, Service]:
    """Return services with their devices, by id, in two statements."""
    found = await ROWS.many(tx, wanted)
    return {service.id: service for service in await with_devices(tx, list(found.values()))}


async def of_client_among(tx: Transaction, client: UUID, wanted: Sequence[UUID]) -> frozenset[UUID]:
    """Return those of the ids that are services of the client."""
    rows = await tx.rows(OF_CLIENT, tenant=tx.tenant, client=client, services=list(wanted))
    return frozenset(row["id"] for row in rows)


async def with_devices(tx: Transaction, services: Sequence[Service]) -> list[Service]:
    """Return the services, each with the devices it runs on, in one statement."""
    if not services:
        return []
    rows = await tx.rows(DEVICES, tenant=tx.tenant, services=[service.id for service in services])
    devices = {row["service_id"]: tuple(row["devices"]) for row in rows}
    return [replace(service, device_ids=devices.get(service.id, ())) for service in services]


async def add(tx: Transaction, service: Service) -> None:
    """Write a new service and what it runs on.

    Raises:
        MissingReferenceError: a device is not of this client.
    """
    await ROWS.add(tx, service, name_key=name_key(service.name))
    await _link(tx, service)


async def save(tx: Transaction, service: Service) -> None:
    """Write a service over its locked row, and what it runs on anew.

    Raises:
        MissingReferenceError: a device is not of this client.
    """
    await ROWS.save(tx, service.id, service, name_key=name_key(service.name))
    await tx.run(UNLINK, tenant=tx.tenant, service=service.id)
    await _link(tx, service)


def read(row: asyncpg.Record | Mapping[str, Any]) -> Service:
    """Return the service of a row, without its devices."""
    return ROWS.read(row)


async def _link(tx: Transaction, service: Service) -> None:
    if service.device_ids:
        devices = list(service.device_ids)
        await tx.run(LINK, tenant=tx.tenant, client=service.client_id, service=service.id, devices=devices)
