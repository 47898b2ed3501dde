"""What an answer reads of clients and what is theirs, one statement a kind whatever the number of clients."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

from api.context import OperationContext
from api.paging import Page
from db import amendments, clients, contacts, contracts, cycles, devices, external_refs, members, services, sites
from db.keyset import Listing
from domain.amendments import Amendment
from domain.clients import Client, Contact, Contract, Device, DiscoveryRun, ExternalRef, Service
from domain.ids import IdKind
from domain.members import Member
from domain.onboarding import Cycle
from domain.sites import Site
from domain.stages import Stage

T = TypeVar("T")

Where = tuple[tuple[str, Any], ...]
"""Conditions of a listing as something that can be a key."""


async def client(context: OperationContext, keys: Sequence[UUID]) -> list[Client | None]:
    """Load clients by id."""
    async with context.reading() as tx:
        found = await clients.many(tx, keys)
    return [found.get(key) for key in keys]


async def client_of_key(context: OperationContext, keys: Sequence[tuple[str, str]]) -> list[Client | None]:
    """Load clients by another system and its key."""
    async with context.reading() as tx:
        refs = await external_refs.find(tx, IdKind.CLIENT, keys)
        found = await clients.many(tx, [ref.client_id for ref in refs.values()])
    return [found.get(refs[key].client_id) if key in refs else None for key in keys]


async def refs_of(context: OperationContext, keys: Sequence[UUID]) -> list[list[ExternalRef]]:
    """Load the references of objects."""
    async with context.reading() as tx:
        found = await external_refs.of_subjects(tx, keys)
    return [found.get(key, []) for key in keys]


async def member(context: OperationContext, keys: Sequence[UUID]) -> list[Member | None]:
    """Load members by id."""
    async with context.reading() as tx:
        found = await members.many(tx, keys)
    return [found.get(key) for key in keys]


async def contact(context: OperationContext, keys: Sequence[UUID]) -> list[Contact | None]:
    """Load contacts by id."""
    async with context.reading() as tx:
        found = await contacts.many(tx, keys)
    return [found.get(key) for key in keys]


async def contract(context: OperationContext, keys: Sequence[UUID]) -> list[Contract | None]:
    """Load contracts by id."""
    async with context.reading() as tx:
        found = await contracts.many(tx, keys)
    return [found.get(key) for key in keys]


async def service(context: OperationContext, keys: Sequence[UUID]) -> list[Service | None]:
    """Load services by id, with the devices they run on."""
    async with context.reading() as tx:
        found = await services.many(tx, keys)
    return [found.get(key) for key in keys]


async def device(context: OperationContext, keys: Sequence[UUID]) -> list[Device | None]:
    """Load devices by id."""
    async with context.reading() as tx:
        found = await devices.many(tx, keys)
    return [found.get(key) for key in keys]


async def discovery_run(context: OperationContext, keys: Sequence[UUID]) -> list[DiscoveryRun | None]:
    """Load discovery runs by id."""
    async with context.reading() as tx:
        found = await devices.RUNS.many(tx, keys)
    return [found.get(key) for key in keys]


async def site(context: OperationContext, keys: Sequence[UUID]) -> list[Site | None]:
    """Load sites by id."""
    async with context.reading() as tx:
        found = await sites.many(tx, keys)
    return [found.get(key) for key in keys]


async def amendment(context: OperationContext, keys: Sequence[UUID]) -> list[Amendment | None]:
    """Load amendments by id."""
    async with context.reading() as tx:
        found = await amendments.many(tx, keys)
    return [found.get(key) for key in keys]


async def amendments_of(context: OperationContext, keys: Sequence[UUID]) -> list[list[Amendment]]:
    """Load the amendments of contracts, by their numbers."""
    async with context.reading() as tx:
        found = await amendments.of_contracts(tx, keys)
    return [found[key] for key in keys]


async def latest_cycle(context: OperationContext, keys: Sequence[UUID]) -> list[Cycle | None]:
    """Load onboardings by id."""
    async with context.reading() as tx:
        found = await cycles.by_ids(tx, keys)
    return [found.get(key) for key in keys]


async def stages_of(context: OperationContext, roots: Sequence[Client]) -> list[Stage | None]:
    """Return the stage of the latest onboarding of each client."""
    ids = [root.cycle_id for root in roots if root.cycle_id]
    if not ids:
        return [None] * len(roots)
    async with context.reading() as tx:
        stages = await cycles.stages(tx, ids)
    return [stages.get(root.cycle_id) if root.cycle_id else None for root in roots]


async def contacts_of(context: OperationContext, keys: Sequence[UUID], page: Page) -> list[list[Contact]]:
    """Load a stretch of the contacts of each client."""
    return await _stretches(context, keys, contacts.LISTING, "NAME", page, contacts.ROWS.read)


async def contracts_of(context: OperationContext, keys: Sequence[UUID], page: Page) -> list[list[Contract]]:
    """Load a stretch of the contracts of each client."""
    return await _stretches(context, keys, contracts.LISTING, "CREATED_AT", page, contracts.ROWS.read)


async def services_of(context: OperationContext, keys: Sequence[UUID], page: Page) -> list[list[Service]]:
    """Load a stretch of the services of each client, with the devices they run on."""
    async with context.reading() as tx:
        found = await services.LISTING.rows_of(tx, keys, "NAME", page)
        read = {key: [services.read(row) for row in rows] for key, rows in found.items()}
        linked = await services.with_devices(tx, [one for rows in read.values() for one in rows])
    whole = {one.id: one for one in linked}
    return [[whole[one.id] for one in read[key]] for key in keys]


async def sites_of(context: OperationContext, keys: Sequence[UUID], where: Where, page: Page) -> list[list[Site]]:
    """Load a stretch of the sites of each client."""
    return await _stretches(context, keys, sites.LISTING, "NAME", page, sites.ROWS.read, dict(where))


async def devices_of(
    context: OperationContext, keys: Sequence[UUID], order: str, where: Where, page: Page
) -> list[list[Device]]:
    """Load a stretch of the devices of each client."""
    return await _stretches(context, keys, devices.LISTING, order, page, devices.ROWS.read, dict(where))


async def runs_of(context: OperationContext, keys: Sequence[UUID], page: Page) -> list[list[DiscoveryRun]]:
    """Load a stretch of the discovery runs of each client, the latest first."""
    async with context.reading() as tx:
        found = await devices.RUN_LISTING.rows_of(tx, keys, "RAN_AT", page, descending=True)
    return [[devices.RUNS.read(row) for row in found[key]] for key in keys]


async def counts_of(context: OperationContext, keys: Sequence[UUID], listing: Listing, where: Where) -> list[int]:
    """Count what each client has in a list."""
    async with context.reading() as tx:
        found = await listing.count_of(tx, keys, dict(where))
    return [found.get(key, 0) for key in keys]


async def _stretches(
    context: OperationContext,
    keys: Sequence[UUID],
    listing: Listing,
    order: str,
    page: Page,
    read: Callable[[Any], T],
    where: Mapping[str, object] | None = None,
) -> list[list[T]]:
    async with context.reading() as tx:
        found = await listing.rows_of(tx, keys, order, page, where)
    return [[read(row) for row in found[key]] for key in keys]
