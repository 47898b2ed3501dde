"""Devices: what was found at a client, one by one or as a search reports them."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from db import devices
from db.session import Transaction
from domain.access import Principal, Scope
from domain.changes import UNCHANGED, Change, differences
from domain.client_rules import device_faults, run_faults
from domain.clients import ClientRef, Device, DeviceState, DiscoveryRun, GapReason
from domain.errors import Outcome
from domain.events import DeviceChanged, DiscoveryRan
from workflows.belongings import held, place_faults, told
from workflows.checks import fit, found, fresh, refusable
from workflows.commands import perform, publish
from workflows.context import Context, Request, new_id


@dataclass(frozen=True, slots=True)
class UpdateDevice:
    device_id: UUID
    name: Change[str] = UNCHANGED
    kind: Change[str] = UNCHANGED
    state: Change[DeviceState] = UNCHANGED
    in_scope: Change[bool] = UNCHANGED
    gap_reason: Change[GapReason | None] = UNCHANGED
    serial: Change[str | None] = UNCHANGED
    site_id: Change[UUID | None] = UNCHANGED
    expected_version: int | None = None


@dataclass(frozen=True, slots=True)
class RecordDiscovery:
    """Note a search for devices, of one site where it is named; `ran_at` is when it ended, by default now."""

    client: ClientRef
    source: str
    devices_found: int
    ran_at: datetime | None = None
    site_id: UUID | None = None


async def update(context: Context, principal: Principal, request: Request, command: UpdateDevice) -> Outcome:
    """Change a device, or its standing with the provider."""
    principal.require(Scope.CLIENTS_WRITE)
    now = context.clock()

    @refusable
    async def act(tx: Transaction) -> Outcome:
        seen = found(await devices.get(tx, command.device_id), "device", "deviceId")
        await held(tx, principal, seen.client_id, "deviceId")
        device = found(await devices.lock(tx, command.device_id), "device", "deviceId")
        fresh(device, command.expected_version)
        names = ("name", "kind", "state", "in_scope", "gap_reason", "serial", "site_id")
        changes = differences(device, {name: getattr(command, name) for name in names})
        if not changes:
            return Outcome(device.id, device.version)
        changed = standing(replace(device, **changes, version=device.version + 1), device.state, now)
        fit(device_faults(changed), device.id)
        fit(await place_faults(tx, device.client_id, changes.get("site_id"), "siteId"), device.id)
        await devices.save(tx, changed)
        event = DeviceChanged(created=False, state=changed.state.value, fields=tuple(changes))
        return await told(tx, principal, request, event, changed, device.client_id, now)

    return await perform(context, principal, request, "deviceUpdate", command, act)


async def record_discovery(
    context: Context, principal: Principal, request: Request, command: RecordDiscovery
) -> Outcome:
    """Note that somebody or something has searched a client for devices."""
    principal.require(Scope.CLIENTS_WRITE)
    now = context.clock()

    @refusable
    async def act(tx: Transaction) -> Outcome:
        client = (await held(tx, principal, command.client, "client")).client
        ran_at = command.ran_at or now
        run = DiscoveryRun(new_id(), client.id, command.source.strip(), ran_at, command.devices_found, command.site_id)
        fit([*run_faults(run, now), *await place_faults(tx, client.id, command.site_id, "siteId")])
        await devices.add_run(tx, run, now)
        event = DiscoveryRan(devices_found=run.devices_found)
        event_id = await publish(tx, principal, request, event, subject=run.id, version=1, client=client.id, now=now)
        return Outcome(run.id, 1, event_id)

    return await perform(context, principal, request, "discoveryRunRecord", command, act)


def standing(device: Device, before: DeviceState, now: datetime) -> Device:
    """Return the device with the instant of its last change of state; a managed one has no gap to explain."""
    if device.state is before:
        return device
    gap = None if device.state is DeviceState.MANAGED else device.gap_reason
    return replace(device, state_since=now, gap_reason=gap)
