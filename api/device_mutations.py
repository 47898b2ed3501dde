"""Mutations of devices, discovery runs and services."""

from datetime import datetime
from typing import Any

import strawberry

from api import client_loaders as loaders
from api.belongings import Device, DiscoveryRun, Service
from api.bulk import BulkResult, results_of
from api.changing import EXPECTED, Payload, change, change_as, id_of, ids_of
from api.clients import ClientRef
from api.context import Info
from api.fields import FieldPrice, mutation_field
from api.payloads import KEY, event_id
from domain.access import Scope
from domain.bulk import BulkPolicy
from domain.clients import DeviceState, GapReason
from domain.errors import ErrorCode, Outcome
from domain.ids import IdKind, parse
from workflows import device_batches, devices, services
from workflows.device_batches import DeviceRow, UpsertDevices
from workflows.devices import RecordDiscovery, UpdateDevice
from workflows.services import CreateService, UpdateService

CREATING = (ErrorCode.NOT_FOUND, ErrorCode.NOT_ALLOWED)
UPDATING = (ErrorCode.NOT_FOUND, ErrorCode.NOT_ALLOWED, ErrorCode.STALE_VERSION)


@strawberry.input(description="One device as a tool reports it; what is left out stays as it is.")
class DeviceRowInput:
    key: str = strawberry.field(description="Its key in the tool, by which it is found again.")
    name: str | None = strawberry.field(default=None, description="Its name; a new device without one has its key.")
    kind: str | None = strawberry.field(default=None, description="What it is; a new one without is `UNKNOWN`.")
    state: DeviceState | None = strawberry.field(default=None, description="Its standing; a new one is `PENDING`.")
    in_scope: bool | None = strawberry.field(
        default=None, description="Whether the contract means it to be managed; a new one is."
    )
    gap_reason: GapReason | None = strawberry.field(default=None, description="Why it is not managed.")
    serial: str | None = strawberry.field(default=None, description="Its serial number.")
    seen_at: datetime | None = strawberry.field(default=None, description="When it was seen; left out, now.")
    site_id: strawberry.ID | None = strawberry.field(default=None, description="The client's site where it is.")

    def row(self) -> DeviceRow:
        return DeviceRow(
            self.key,
            self.name,
            self.kind,
            self.state,
            self.in_scope,
            self.gap_reason,
            self.serial,
            self.seen_at,
            id_of(IdKind.SITE, self.site_id),
        )


@strawberry.input(description="Devices of one client to be brought in or up to date.")
class DeviceUpsertInput:
    client: ClientRef = strawberry.field(description="The client.")
    system: str = strawberry.field(description="The tool whose keys they have, such as `NINJA`.")
    rows: list[DeviceRowInput] = strawberry.field(description="1 to 1,000 devices.")
    policy: BulkPolicy = strawberry.field(
        default=BulkPolicy.REJECT_ALL, description="What becomes of good rows when others are refused."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="A change of a device; what is left out stays as it is.")
class DeviceUpdateInput:
    device_id: strawberry.ID = strawberry.field(description="The device.")
    name: strawberry.Maybe[str] = strawberry.field(default=None, description="Its name.")
    kind: strawberry.Maybe[str] = strawberry.field(default=None, description="What it is.")
    state: strawberry.Maybe[DeviceState] = strawberry.field(default=None, description="Its standing.")
    in_scope: strawberry.Maybe[bool] = strawberry.field(
        default=None, description="Whether the contract means it to be managed."
    )
    gap_reason: strawberry.Maybe[GapReason | None] = strawberry.field(
        default=None, description="Why it is not managed; a managed device has none."
    )
    serial: strawberry.Maybe[str | None] = strawberry.field(default=None, description="Its serial number.")
    site_id: strawberry.Maybe[strawberry.ID | None] = strawberry.field(
        default=None, description="The client's site where it is; `null` for no one site."
    )
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="A search for devices to be noted.")
class DiscoveryRunRecordInput:
    client: ClientRef = strawberry.field(description="The client.")
    source: str = strawberry.field(description="What searched.")
    devices_found: int = strawberry.field(description="How many devices it found.")
    ran_at: datetime | None = strawberry.field(default=None, description="When it ended; left out, now.")
    site_id: strawberry.ID | None = strawberry.field(
        default=None, description="The one site that was searched; left out, the whole client."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="A service of a client to be noted.")
class ServiceCreateInput:
    client: ClientRef = strawberry.field(description="The client.")
    name: str = strawberry.field(description="Its name: 1 to 200 characters.")
    critical: bool = strawberry.field(default=False, description="Whether the client cannot do without it.")
    device_ids: list[strawberry.ID] | None = strawberry.field(default=None, description="The devices it runs on.")
    site_id: strawberry.ID | None = strawberry.field(default=None, description="The one site that uses it.")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.input(description="A change of a service; what is left out stays as it is.")
class ServiceUpdateInput:
    service_id: strawberry.ID = strawberry.field(description="The service.")
    name: strawberry.Maybe[str] = strawberry.field(default=None, description="Its name.")
    critical: strawberry.Maybe[bool] = strawberry.field(
        default=None, description="Whether the client cannot do without it."
    )
    device_ids: strawberry.Maybe[list[strawberry.ID]] = strawberry.field(
        default=None, description="All the devices it runs on anew."
    )
    site_id: strawberry.Maybe[strawberry.ID | None] = strawberry.field(
        default=None, description="The one site that uses it; `null` for all."
    )
    expected_version: int | None = strawberry.field(default=None, description=EXPECTED)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY)


@strawberry.type(description="What became of each device.")
class DeviceUpsertPayload(Payload):
    results: list[BulkResult] = strawberry.field(description="What became of each row, in the order of the input.")


@strawberry.type(description="The device after the change, or why nothing changed.")
class DeviceUpdatePayload(Payload):
    device: Device | None = strawberry.field(description="The device as it is now, where it is known.")


@strawberry.type(description="The noted search, or why none was noted.")
class DiscoveryRunRecordPayload(Payload):
    discovery_run: DiscoveryRun | None = strawberry.field(description="The search, where it is known.")


@strawberry.type(description="The new service, or why none was noted.")
class ServiceCreatePayload(Payload):
    service: Service | None = strawberry.field(description="The service, where it is known.")


@strawberry.type(description="The service after the change, or why nothing changed.")
class ServiceUpdatePayload(Payload):
    service: Service | None = strawberry.field(description="The service as it is now, where it is known.")


@strawberry.type
class DevicesMutation:
    @mutation_field(
        scope=Scope.CLIENTS_WRITE,
        description="Bring up to 1,000 devices of one client in or up to date by a tool's keys, each of which is one "
        "device of that client.",
        may_fail=CREATING,
        cost=FieldPrice(weight=100),
    )
    async def device_upsert(self, info: Info, input: DeviceUpsertInput) -> DeviceUpsertPayload:
        rows = tuple(row.row() for row in input.rows)
        command = UpsertDevices(input.client.value(), input.system, rows, input.policy)
        request = info.context.command(input.idempotency_key)
        outcome = await info.context.perform(device_batches.upsert, request, command)
        return DeviceUpsertPayload(results=results_of(outcome, IdKind.DEVICE), **_told(outcome))

    @mutation_field(scope=Scope.CLIENTS_WRITE, description="Change a device or its standing.", may_fail=UPDATING)
    async def device_update(self, info: Info, input: DeviceUpdateInput) -> DeviceUpdatePayload:
        command = UpdateDevice(
            device_id=parse(IdKind.DEVICE, input.device_id),
            name=change(input.name),
            kind=change(input.kind),
            state=change(input.state),
            in_scope=change(input.in_scope),
            gap_reason=change(input.gap_reason),
            serial=change(input.serial),
            site_id=change_as(input.site_id, lambda given: id_of(IdKind.SITE, given)),
            expected_version=input.expected_version,
        )
        outcome = await info.context.perform(devices.update, info.context.command(input.idempotency_key), command)
        return DeviceUpdatePayload(device=await _shown(info, outcome, loaders.device), **_told(outcome))

    @mutation_field(
        scope=Scope.CLIENTS_WRITE,
        description="Note that a client was searched for devices, whatever was found.",
        may_fail=CREATING,
    )
    async def discovery_run_record(self, info: Info, input: DiscoveryRunRecordInput) -> DiscoveryRunRecordPayload:
        site = id_of(IdKind.SITE, input.site_id)
        command = RecordDiscovery(input.client.value(), input.source, input.devices_found, input.ran_at, site)
        request = info.context.command(input.idempotency_key)
        outcome = await info.context.perform(devices.record_discovery, request, command)
        run = await _shown(info, outcome, loaders.discovery_run)
        return DiscoveryRunRecordPayload(discovery_run=run, **_told(outcome))


@strawberry.type
class ServicesMutation:
    @mutation_field(
        scope=Scope.CLIENTS_WRITE, description="Note a service that a client depends on.", may_fail=CREATING
    )
    async def service_create(self, info: Info, input: ServiceCreateInput) -> ServiceCreatePayload:
        runs_on = ids_of(IdKind.DEVICE, input.device_ids)
        site = id_of(IdKind.SITE, input.site_id)
        command = CreateService(input.client.value(), input.name, input.critical, runs_on, site)
        outcome = await info.context.perform(services.create, info.context.command(input.idempotency_key), command)
        return ServiceCreatePayload(service=await _shown(info, outcome, loaders.service), **_told(outcome))

    @mutation_field(scope=Scope.CLIENTS_WRITE, description="Change a service, or what it runs on.", may_fail=UPDATING)
    async def service_update(self, info: Info, input: ServiceUpdateInput) -> ServiceUpdatePayload:
        command = UpdateService(
            service_id=parse(IdKind.SERVICE, input.service_id),
            name=change(input.name),
            critical=change(input.critical),
            device_ids=change_as(input.device_ids, lambda given: ids_of(IdKind.DEVICE, given)),
            site_id=change_as(input.site_id, lambda given: id_of(IdKind.SITE, given)),
            expected_version=input.expected_version,
        )
        outcome = await info.context.perform(services.update, info.context.command(input.idempotency_key), command)
        return ServiceUpdatePayload(service=await _shown(info, outcome, loaders.service), **_told(outcome))


async def _shown(info: Info, outcome: Outcome, batch: Any) -> Any:
    readable = outcome.subject is not None and info.context.principal.has(Scope.CLIENTS_READ)
    return await info.context.loader(batch).load(outcome.subject) if readable else None


def _told(outcome: Outcome) -> dict[str, Any]:
    return {"event_id": event_id(outcome), "errors": list(outcome.errors)}
