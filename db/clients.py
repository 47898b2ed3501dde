"""Clients in the database: locked with their team, listed by name, found by another system's key."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Boolean, TextClause, and_, any_, bindparam, literal_column, or_, select, text
from sqlalchemy import types as sqltypes
from sqlalchemy.dialects.postgresql import ARRAY

from db.keyset import Listing, Stretch
from db.rows import Rows
from db.session import Transaction, columns
from db.tables.clients import ClientRow
from db.tables.onboarding import CycleRow
from domain.clients import Client, name_key
from domain.onboarding import ENTERED_IN_ERROR

ROWS = Rows(ClientRow, Client, derived=("name_key",))
_T = ClientRow.__table__.c
_CYCLE = CycleRow.__table__.c
_UUID = sqltypes.Uuid()

# Read row by row on purpose: as a semi-join it would be planned as a scan of all onboardings.
_ONBOARDED = (
    select(literal_column("1"))
    .where(
        _CYCLE.tenant_id == _T.tenant_id,
        _CYCLE.client_id == _T.id,
        or_(_CYCLE.outcome.is_(None), and_(*(_CYCLE.outcome != reason for reason in sorted(ENTERED_IN_ERROR)))),
    )
    .limit(1)
    .scalar_subquery()
)
KEPT = and_(_T.merged_into.is_(None), or_(_T.cycle_id.is_(None), _ONBOARDED.is_not(None)))
"""Clients that are neither merged into others nor discarded: all their onboardings were entered in error."""

LISTING = Listing(
    columns=(*ROWS.columns, _T.name_key),
    tenant=_T.tenant_id,
    orders={"NAME": (_T.name_key, _T.id), "CREATED_AT": (_T.created_at, _T.id)},
    only=(_T.erased_at.is_(None),),
    conditions={
        "kept": bindparam("kept", type_=Boolean()) == KEPT,
        "name_from": _T.name_key >= bindparam("name_from", type_=_T.name_key.type),
        "name_below": _T.name_key < bindparam("name_below", type_=_T.name_key.type),
        "owner": _T.owner_id == bindparam("owner", type_=_UUID),
        "account_manager": _T.account_manager_id == bindparam("account_manager", type_=_UUID),
        "stages": select(1)
        .where(
            _CYCLE.tenant_id == bindparam("tenant", type_=_UUID),
            _CYCLE.client_id == _T.id,
            _CYCLE.id == _T.cycle_id,
            _CYCLE.stage == any_(bindparam("stages", type_=ARRAY(sqltypes.Text()))),
        )
        .exists(),
    },
)
VISIBLE = text("select id from client where tenant_id = :tenant and id = any(cast(:clients as uuid[]))")
SAME_NAME = text("""
    select c.id from client c
    where c.tenant_id = :tenant and c.name_key = :name_key and c.id <> :client and c.merged_into is null
      and (c.cycle_id is null or (
          select 1 from cycle y
          where y.tenant_id = :tenant and y.client_id = c.id and coalesce(y.outcome <> all(:never), true) limit 1
      ) is not null)
    order by c.id limit 10
""")
FOLLOW = text("""
    with recursive way(asked, id, merged_into) as (
        select id, id, merged_into from client where tenant_id = :tenant and id = any(cast(:ids as uuid[]))
        union all
        select way.asked, c.id, c.merged_into
        from way join client c on c.tenant_id = :tenant and c.id = way.merged_into
    )
    select asked, id from way where merged_into is null
""")
HOLD_STILL = text("""
    select client_id, lead_id, account_manager_id, technical_lead_id, engineer_ids from cycle
    where tenant_id = :tenant and client_id = any(cast(:clients as uuid[])) and ended_at is null
    order by client_id, id
    for share
""")
HOLD_ALONE = text(str(HOLD_STILL).replace("for share", "for no key update"))
ADD_MANY = text("""
    insert into client (tenant_id, id, name, name_key, industry, seats, owner_id, account_manager_id,
                        created_at, version)
    select :tenant, c.id, c.name, c.name_key, c.industry, c.seats, c.owner_id, c.account_manager_id, :now, 1
    from unnest(cast(:ids as uuid[]), cast(:names as text[]), cast(:name_keys as text[]), cast(:industries as text[]),
                cast(:seats as integer[]), cast(:owners as uuid[]), cast(:managers as uuid[]))
         as c(id, name, name_key, industry, seats, owner_id, account_manager_id)
""")
SAVE_MANY = text("""
    update client set name = c.name, name_key = c.name_key, industry = c.industry, seats = c.seats,
                      owner_id = c.owner_id, account_manager_id = c.account_manager_id, version = client.version + 1
    from unnest(cast(:ids as uuid[]), cast(:names as text[]), cast(:name_keys as text[]), cast(:industries as text[]),
                cast(:seats as integer[]), cast(:owners as uuid[]), cast(:managers as uuid[]))
         as c(id, name, name_key, industry, seats, owner_id, account_manager_id)
    where client.tenant_id = :tenant and client.id = c.id
""")

_HELD = (
    select(*ROWS.columns)
    .where(
        _T.tenant_id == bindparam("tenant", type_=_UUID), _T.id == any_(bindparam("ids", type_=ARRAY(sqltypes.Uuid())))
    )
    .order_by(_T.id)
    .with_for_update(read=True, key_share=True)
)
"""Clients of which something is about to be written: none is merged into another meanwhile."""

get = ROWS.get


async def many(tx: Transaction, wanted: Sequence[UUID]) -> dict[UUID, Client]:
    """Return those of the clients that are visible, by the ids asked for; that of a merged one leads to the other."""
    found = await ROWS.many(tx, wanted)
    merged = [id_ for id_, client in found.items() if client.merged_into]
    if not merged:
        return found
    leading = await follow(tx, merged)
    kept = await ROWS.many(tx, sorted(set(leading.values())))
    over = {id_: kept[leading[id_]] for id_ in merged if id_ in leading}
    return {id_: client for id_, client in found.items() if not client.merged_into} | over


async def follow(tx: Transaction, wanted: Sequence[UUID]) -> dict[UUID, UUID]:
    """Return for clients the ones into which they were merged, as far as they are visible; for others themselves."""
    return {row["asked"]: row["id"] for row in await tx.rows(FOLLOW, tenant=tx.tenant, ids=list(wanted))}


@dataclass(frozen=True, slots=True)
class Held:
    """A client with everybody on its team, its open onboardings kept from moving until the transaction ends."""

    client: Client
    team: frozenset[UUID | None]


async def hold(tx: Transaction, client: UUID, *, alone: bool = False) -> Held | None:
    """Return a client for a writer of gate evidence, as `hold_many`.

    Whoever will write to the onboardings too, as all do whose writing is activity, holds them alone: of two that
    share the locks neither could.
    """
    if not alone:
        return (await hold_many(tx, [client])).get(client)
    teams = await _teams(tx, [client], HOLD_ALONE)
    return _held(await _unmerging(tx, [client]), teams).get(client)


async def hold_kept(tx: Transaction, client: UUID, *, alone: bool = False) -> Held | None:
    """Return the client that somebody names, as `hold`: where it was merged, the one into which it was."""
    holding = await hold(tx, client, alone=alone)
    if holding is None or holding.client.merged_into is None:
        return holding
    leading = await follow(tx, [client])
    return await hold(tx, leading[client], alone=alone) if client in leading else None


async def hold_many(tx: Transaction, wanted: Sequence[UUID]) -> dict[UUID, Held]:
    """Return clients for a writer of what gates look at.

    The open onboardings are locked first, shared among writers: a move that is judging them at this
    moment ends before, and none begins until the writer is done, so nothing slips in between.
    """
    teams = await _teams(tx, wanted)
    return _held(await _unmerging(tx, wanted), teams)


async def lock_many(tx: Transaction, wanted: Sequence[UUID]) -> dict[UUID, Held]:
    """Return clients as `hold_many` does, and keep others from changing the clients themselves."""
    teams = await _teams(tx, wanted)
    return _held(await ROWS.lock_many(tx, wanted), teams)


async def lock(tx: Transaction, client: UUID) -> Held | None:
    """Return one client as `lock_many` does."""
    return (await lock_many(tx, [client])).get(client)


async def lock_kept(tx: Transaction, client: UUID) -> Held | None:
    """Return the client that somebody names, as `lock`: where it was merged, the one into which it was."""
    holding = await lock(tx, client)
    if holding is None or holding.client.merged_into is None:
        return holding
    leading = await follow(tx, [client])
    return await lock(tx, leading[client]) if client in leading else None


async def add(tx: Transaction, client: Client) -> None:
    """Write a new client.

    Raises:
        MissingReferenceError: the owner or the account manager is no member.
    """
    await ROWS.add(tx, client, name_key=name_key(client.name))


async def save(tx: Transaction, client: Client) -> None:
    """Write a client over its locked row."""
    await ROWS.save(tx, client.id, client, name_key=name_key(client.name))


async def add_many(tx: Transaction, new: Sequence[Client]) -> None:
    """Write new clients in one statement."""
    if new:
        await tx.run(ADD_MANY, tenant=tx.tenant, now=new[0].created_at, **_columns(new))


async def save_many(tx: Transaction, changed: Sequence[Client]) -> None:
    """Write clients over their locked rows in one statement; each gets its next version."""
    if changed:
        await tx.run(SAVE_MANY, tenant=tx.tenant, **_columns(changed))


async def visible_among(tx: Transaction, wanted: Sequence[UUID]) -> frozenset[UUID]:
    """Return those of the ids that are clients this transaction sees."""
    return frozenset(row["id"] for row in await tx.rows(VISIBLE, tenant=tx.tenant, clients=list(wanted)))


async def of_same_name(tx: Transaction, client: Client) -> list[UUID]:
    """Return up to ten other clients whose names read the same."""
    never = sorted(ENTERED_IN_ERROR)
    rows = await tx.rows(SAME_NAME, tenant=tx.tenant, name_key=name_key(client.name), client=client.id, never=never)
    return [row["id"] for row in rows]


async def listed(
    tx: Transaction, order: str, stretch: Stretch, where: Mapping[str, object], *, descending: bool = False
) -> list[Client]:
    """Return a stretch of the clients in an order of `LISTING`, narrowed by conditions of `LISTING`.

    Merged and discarded ones are left out, unless `where` says of `kept` what is wanted.
    """
    where = {"kept": True, **where}
    return [ROWS.read(row) for row in await LISTING.rows(tx, order, stretch, where, descending=descending)]


async def count(tx: Transaction, where: Mapping[str, object]) -> int:
    """Return how many clients there are under the conditions."""
    return await LISTING.count(tx, {"kept": True, **where})


async def _unmerging(tx: Transaction, wanted: Sequence[UUID]) -> dict[UUID, Client]:
    rows = await tx.rows(_HELD, tenant=tx.tenant, ids=list(wanted))
    return {row["id"]: ROWS.read(row) for row in rows}


async def _teams(
    tx: Transaction, wanted: Sequence[UUID], statement: TextClause = HOLD_STILL
) -> dict[UUID, set[UUID | None]]:
    teams: dict[UUID, set[UUID | None]] = {}
    for row in await tx.rows(statement, tenant=tx.tenant, clients=list(wanted)):
        leads = {row["lead_id"], row["account_manager_id"], row["technical_lead_id"]}
        teams.setdefault(row["client_id"], set()).update(leads, row["engineer_ids"])
    return teams


def _held(found: Mapping[UUID, Client], teams: Mapping[UUID, set[UUID | None]]) -> dict[UUID, Held]:
    return {
        id_: Held(client, frozenset({client.owner_id, client.account_manager_id} | teams.get(id_, set())))
        for id_, client in found.items()
    }


def _columns(written: Sequence[Client]) -> dict[str, list[object]]:
    rows = [(c.id, c.name, name_key(c.name), c.industry, c.seats, c.owner_id, c.account_manager_id) for c in written]
    names = ("ids", "names", "name_keys", "industries", "seats", "owners", "managers")
    return dict(zip(names, columns(rows, len(names)), strict=True))
