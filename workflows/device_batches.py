"""Batches of devices: what a search or a management tool reports of one client, by the tool's own keys."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from db import devices, external_refs, sites
from db.errors import RetryableError
from db.session import Transaction
from domain.access import Principal, Scope
from domain.bulk import ROWS_MOST, BulkPolicy, BulkResult, BulkStatus, all_left_out, failed
from domain.client_rules import device_faults, external_key_faults, past_faults
from domain.clients import Client, ClientRef, Device, DeviceState, ExternalKey, ExternalRef, GapReason
from domain.errors import Outcome, UserError, invalid, not_found
from domain.events import DevicesUpserted
from domain.ids import IdKind
from workflows.belongings import held
from workflows.checks import fit, refusable
from workflows.commands import perform, publish
from workflows.context import Context, Request, new_id
from workflows.devices import standing

RESULTS = "results"
"""The fact of an outcome that lists what became of each row."""


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """One device as a tool reports it; what is left out stays as it is, and for a new device is usual."""

    key: str
    name: str | None = None
    kind: str | None = None
    state: DeviceState | None = None
    in_scope: bool | None = None
    gap_reason: GapReason | None = None
    serial: str | None = None
    seen_at: datetime | None = None
    site_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class UpsertDevices:
    """Up to 1,000 devices of one client, each under its key in `system`."""

    client: ClientRef
    system: str
    rows: tuple[DeviceRow, ...]
    policy: BulkPolicy = BulkPolicy.REJECT_ALL


@dataclass(slots=True)
class _Batch:
    """The rows sorted by what becomes of them."""

    results: dict[int, BulkResult] = field(default_factory=dict)
    new: dict[int, Device] = field(default_factory=dict)
    changed: dict[int, Device] = field(default_factory=dict)
    touched: set[UUID] = field(default_factory=set)


async def upsert(context: Context, principal: Principal, request: Request, command: UpsertDevices) -> Outcome:
    """Bring a client's devices in or up to date, in a number of statements that does not grow with the rows."""
    principal.require(Scope.CLIENTS_WRITE)
    now = context.clock()

    @refusable
    async def act(tx: Transaction) -> Outcome:
        client = (await held(tx, principal, command.client, "client")).client
        fit(_size_faults(len(command.rows)))
        refs = [ExternalKey(command.system, row.key) for row in command.rows]
        keys = [ref.key for ref in refs]
        known = await external_refs.of_a_client(tx, IdKind.DEVICE, client.id, command.system, keys)
        present = await devices.lock_many(tx, [ref.subject_id for ref in known.values()])
        places = {row.site_id for row in command.rows if row.site_id is not None}
        in_use = await sites.in_use_among(tx, client.id, sorted(places)) if places else frozenset()
        batch = _Batch()
        first = {ref: index for index, ref in reversed(list(enumerate(refs)))}
        for index, (row, ref) in enumerate(zip(command.rows, refs, strict=True)):
            faults = list(external_key_faults(ref))
            before = present.get(known[ref.key].subject_id) if ref.key in known else None
            if first[ref] < index:
                faults.append(invalid(f"{row.key!r} stands in an earlier row already; send it once.", "key"))
            elif before and before.id in batch.touched:
                faults.append(invalid("This device stands in an earlier row under another key; send it once.", "key"))
            _sort(batch, index, _wanted(before, row, client, now), before, [*faults, *_row_faults(row, in_use, now)])
        if command.policy is BulkPolicy.REJECT_ALL and _failures(batch):
            return _rejected(batch)
        await _take_keys(tx, batch, refs)
        await devices.add_many(tx, list(batch.new.values()))
        await devices.save_many(tx, list(batch.changed.values()))
        facts = {RESULTS: _data(batch)}
        if not batch.new and not batch.changed:
            return Outcome(client.id, client.version, facts=facts)
        event = DevicesUpserted(created=len(batch.new), updated=len(batch.changed))
        version = client.version
        told = await publish(
            tx, principal, request, event, subject=client.id, version=version, client=client.id, now=now
        )
        return Outcome(client.id, version, told, facts=facts)

    return await perform(context, principal, request, "deviceUpsert", command, act)


def _wanted(before: Device | None, row: DeviceRow, client: Client, now: datetime) -> Device:
    seen = row.seen_at or now
    if before is None:
        return Device(
            id=new_id(),
            client_id=client.id,
            name=(row.name or row.key).strip(),
            kind=row.kind or "UNKNOWN",
            state=row.state or DeviceState.PENDING,
            in_scope=True if row.in_scope is None else row.in_scope,
            gap_reason=row.gap_reason,
            serial=row.serial,
            first_seen_at=seen,
            last_seen_at=seen,
            state_since=seen,
            created_at=now,
            version=1,
            site_id=row.site_id,
        )
    wanted = replace(
        before,
        name=before.name if row.name is None else row.name.strip(),
        kind=before.kind if row.kind is None else row.kind,
        state=before.state if row.state is None else row.state,
        in_scope=before.in_scope if row.in_scope is None else row.in_scope,
        gap_reason=before.gap_reason if row.gap_reason is None else row.gap_reason,
        serial=before.serial if row.serial is None else row.serial,
        site_id=before.site_id if row.site_id is None else row.site_id,
        last_seen_at=max(before.last_seen_at, seen),
    )
    return standing(wanted, before.state, now)


def _sort(batch: _Batch, index: int, wanted: Device, before: Device | None, faults: Sequence[UserError]) -> None:
    batch.touched.add(wanted.id)
    if errors := [*faults, *device_faults(wanted)]:
        batch.results[index] = failed(index, *errors)
    elif before is None:
        batch.new[index] = wanted
        batch.results[index] = BulkResult(index, BulkStatus.CREATED, wanted.id)
    elif wanted == before:
        batch.results[index] = BulkResult(index, BulkStatus.UNCHANGED, before.id)
    else:
        batch.changed[index] = wanted
        batch.results[index] = BulkResult(index, BulkStatus.UPDATED, before.id)


async def _take_keys(tx: Transaction, batch: _Batch, refs: Sequence[ExternalKey]) -> None:
    """Give the new devices their keys.

    Raises:
        RetryableError: another batch has just taken one of them for the same client.
    """
    wanted = [
        ExternalRef(IdKind.DEVICE, refs[index].system, refs[index].key, device.id, device.client_id)
        for index, device in batch.new.items()
    ]
    if len(await external_refs.take(tx, wanted)) < len(wanted):
        msg = "another batch has written the same keys at the same moment"
        raise RetryableError(msg)


def _row_faults(row: DeviceRow, in_use: frozenset[UUID], now: datetime) -> list[UserError]:
    faults = list(past_faults(row.seen_at, now, "seenAt")) if row.seen_at else []
    if row.site_id is not None and row.site_id not in in_use:
        faults.append(not_found("site of this client that is in use", "siteId"))
    return faults


def _size_faults(rows: int) -> list[UserError]:
    if 1 <= rows <= ROWS_MOST:
        return []
    return [invalid(f"{rows} rows cannot be taken; send 1 to {ROWS_MOST} at a time.", "rows")]


def _failures(batch: _Batch) -> list[BulkResult]:
    return [result for _, result in sorted(batch.results.items()) if result.errors]


def _rejected(batch: _Batch) -> Outcome:
    everything = [result for _, result in sorted(batch.results.items())]
    errors = tuple(error for result in everything for error in result.errors)
    return Outcome(errors=errors, facts={RESULTS: [result.to_data() for result in all_left_out(everything)]})


def _data(batch: _Batch) -> list[dict[str, object]]:
    return [result.to_data() for _, result in sorted(batch.results.items())]
