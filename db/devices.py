"""Devices in the database, and the searches that found them."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import any_, bindparam, text
from sqlalchemy import types as sqltypes
from sqlalchemy.dialects.postgresql import ARRAY

from db.keyset import Listing
from db.rows import Rows
from db.session import Transaction, columns
from db.tables.clients import DeviceRow, DiscoveryRunRow
from domain.clients import Device, DiscoveryRun, name_key

ROWS = Rows(DeviceRow, Device, derived=("name_key",))
_T = DeviceRow.__table__.c
LISTING = Listing(
    columns=ROWS.columns,
    tenant=_T.tenant_id,
    orders={"NAME": (_T.name_key, _T.id), "LAST_SEEN_AT": (_T.last_seen_at, _T.id)},
    conditions={
        "states": _T.state == any_(bindparam("states", type_=ARRAY(sqltypes.Text()))),
        "in_scope": _T.in_scope == bindparam("in_scope", type_=sqltypes.Boolean()),
        "site": _T.site_id == bindparam("site", type_=sqltypes.Uuid()),
    },
    parent=_T.client_id,
)
_FOUND = """
    unnest(cast(:ids as uuid[]), cast(:names as text[]), cast(:name_keys as text[]), cast(:kinds as text[]),
           cast(:states as text[]), cast(:in_scopes as boolean[]), cast(:gap_reasons as text[]),
           cast(:serials as text[]), cast(:seen as timestamptz[]), cast(:since as timestamptz[]),
           cast(:sites as uuid[]))
    as d(id, name, name_key, kind, state, in_scope, gap_reason, serial, last_seen_at, state_since, site_id)
"""
ADD_MANY = text(f"""
    insert into device (tenant_id, client_id, id, name, name_key, kind, state, in_scope, gap_reason, serial,
                        first_seen_at, last_seen_at, state_since, site_id, created_at, version)
    select :tenant, :client, d.id, d.name, d.name_key, d.kind, d.state, d.in_scope, d.gap_reason, d.serial,
           d.last_seen_at, d.last_seen_at, d.state_since, d.site_id, :now, 1
    from {_FOUND}
""")
SAVE_MANY = text(f"""
    update device set name = d.name, name_key = d.name_key, kind = d.kind, state = d.state, in_scope = d.in_scope,
                      gap_reason = d.gap_reason, serial = d.serial, last_seen_at = d.last_seen_at,
                      state_since = d.state_since, site_id = d.site_id, version = device.version + 1
    from {_FOUND}
    where device.tenant_id = :tenant and device.id = d.id
""")
OF_CLIENT = text("""
    select id from device
    where tenant_id = :tenant and client_id = :client and id = any(cast(:devices as uuid[]))
""")

RUNS = Rows(DiscoveryRunRow, DiscoveryRun, derived=("created_at",))
_R = DiscoveryRunRow.__table__.c
RUN_LISTING = Listing(
    columns=RUNS.columns,
    tenant=_R.tenant_id,
    orders={"RAN_AT": (_R.ran_at, _R.id)},
    parent=_R.client_id,
)

get = ROWS.get
lock = ROWS.lock
many = ROWS.many
lock_many = ROWS.lock_many


async def save(tx: Transaction, device: Device) -> None:
    """Write a device over its locked row."""
    await ROWS.save(tx, device.id, device, name_key=name_key(device.name))


async def add_many(tx: Transaction, found: Sequence[Device]) -> None:
    """Write new devices of one client in one statement."""
    if found:
        first = found[0]
        await tx.run(ADD_MANY, tenant=tx.tenant, client=first.client_id, now=first.created_at, **_columns(found))


async def save_many(tx: Transaction, changed: Sequence[Device]) -> None:
    """Write devices over their locked rows in one statement; each gets its next version."""
    if changed:
        await tx.run(SAVE_MANY, tenant=tx.tenant, **_columns(changed))


async def of_client_among(tx: Transaction, client: UUID, wanted: Sequence[UUID]) -> frozenset[UUID]:
    """Return those of the ids that are devices of the client."""
    rows = await tx.rows(OF_CLIENT, tenant=tx.tenant, client=client, devices=list(wanted))
    return frozenset(row["id"] for row in rows)


async def add_run(tx: Transaction, run: DiscoveryRun, created_at: object) -> None:
    """Write a discovery run."""
    await RUNS.add(tx, run, created_at=created_at)


def _columns(written: Sequence[Device]) -> dict[str, list[object]]:
    rows = [
        (
            d.id,
            d.name,
            name_key(d.name),
            d.kind,
            d.state,
            d.in_scope,
            d.gap_reason,
            d.serial,
            d.last_seen_at,
            d.state_since,
            d.site_id,
        )
        for d in written
    ]
    names = (
        "ids",
        "names",
        "name_keys",
        "kinds",
        "states",
        "in_scopes",
        "gap_reasons",
        "serials",
        "seen",
        "since",
        "sites",
    )
    return dict(zip(names, columns(rows, len(names)), strict=True))
