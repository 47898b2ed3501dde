"""Services: what a client depends on, and the devices it runs on."""

from dataclasses import dataclass, replace
from uuid import UUID

from db import devices, services
from db.session import Transaction
from domain.access import Principal, Scope
from domain.changes import UNCHANGED, Change, differences
from domain.client_rules import service_faults
from domain.clients import ClientRef, Service
from domain.errors import Outcome, UserError, invalid, not_found
from domain.events import ServiceChanged
from workflows.belongings import held, place_faults, told
from workflows.checks import fit, found, fresh, refusable
from workflows.commands import perform
from workflows.context import Context, Request, new_id

DEVICES_MOST = 1_000
"""Devices that one service can be said to run on."""


@dataclass(frozen=True, slots=True)
class CreateService:
    client: ClientRef
    name: str
    critical: bool = False
    device_ids: tuple[UUID, ...] = ()
    site_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class UpdateService:
    """Change what is given; `device_ids` replaces everything that the service is said to run on."""

    service_id: UUID
    name: Change[str] = UNCHANGED
    critical: Change[bool] = UNCHANGED
    device_ids: Change[tuple[UUID, ...]] = UNCHANGED
    site_id: Change[UUID | None] = UNCHANGED
    expected_version: int | None = None


async def create(context: Context, principal: Principal, request: Request, command: CreateService) -> Outcome:
    """Note a service of a client with its relationships."""
    principal.require(Scope.CLIENTS_WRITE)
    now = context.clock()

    @refusable
    async def act(tx: Transaction) -> Outcome:
        client = (await held(tx, principal, command.client, "client")).client
        runs_on = tuple(sorted(set(command.device_ids)))
        service = Service(new_id(), client.id, command.name.strip(), command.critical, now, 1, runs_on, command.site_id)
        fit([*service_faults(service), *await _device_faults(tx, service, command.device_ids)])
        fit(await place_faults(tx, client.id, command.site_id, "siteId"))
        await services.add(tx, service)
        event = ServiceChanged(created=True, fields=("name", "critical", "device_ids"))
        return await told(tx, principal, request, event, service, client.id, now)

    return await perform(context, principal, request, "serviceCreate", command, act)


async def update(context: Context, principal: Principal, request: Request, command: UpdateService) -> Outcome:
    """Change a service, or what it runs on."""
    principal.require(Scope.CLIENTS_WRITE)
    now = context.clock()

    @refusable
    async def act(tx: Transaction) -> Outcome:
        seen = found((await services.many(tx, [command.service_id])).get(command.service_id), "service", "serviceId")
        await held(tx, principal, seen.client_id, "serviceId")
        service = found(await services.lock(tx, command.service_id), "service", "serviceId")
        fresh(service, command.expected_version)
        asked = () if command.device_ids is UNCHANGED else command.device_ids
        wanted = {
            "name": command.name if command.name is UNCHANGED else command.name.strip(),
            "critical": command.critical,
            "device_ids": UNCHANGED if command.device_ids is UNCHANGED else tuple(sorted(set(command.device_ids))),
            "site_id": command.site_id,
        }
        changes = differences(service, wanted)
        if not changes:
            return Outcome(service.id, service.version)
        changed = replace(service, **changes, version=service.version + 1)
        fit([*service_faults(changed), *await _device_faults(tx, changed, asked)], service.id)
        fit(await place_faults(tx, service.client_id, changes.get("site_id"), "siteId"), service.id)
        await services.save(tx, changed)
        event = ServiceChanged(created=False, fields=tuple(changes))
        return await told(tx, principal, request, event, changed, service.client_id, now)

    return await perform(context, principal, request, "serviceUpdate", command, act)


async def _device_faults(tx: Transaction, service: Service, asked: tuple[UUID, ...]) -> list[UserError]:
    if not asked:
        return []
    if len(asked) > DEVICES_MOST:
        return [invalid(f"{len(asked)} devices are too many; name {DEVICES_MOST} at most.", "deviceIds")]
    known = await devices.of_client_among(tx, service.client_id, asked)
    return [
        not_found("device of this client", "deviceIds", str(index))
        for index, device in enumerate(asked)
        if device not in known
    ]
