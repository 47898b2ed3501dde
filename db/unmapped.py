"""Unmapped tickets by the keys of their clients, read off one index however many tickets there are."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text

from db import clients
from db.keyset import COUNT_LIMIT, Stretch
from db.session import Transaction
from domain.clients import Client, name_key
from domain.unmapped import UnmappedKey

GUESSES_MOST = 5

_WAITING = "t.tenant_id = :tenant and t.client_id is null and t.client_key is not null"

# From one key to the next, each looked up by itself: what lies between them is not read.
_KEYS = f"""
    with recursive found(system, client_key) as (
        (select t.system, t.client_key from ticket t
         where {_WAITING}
           and (cast(:after_0 as text) is null or (t.system, t.client_key) > (:after_0, :after_1))
           and (cast(:before_0 as text) is null or (t.system, t.client_key) < (:before_0, :before_1))
         order by t.system {{direction}}, t.client_key {{direction}} limit 1)
        union all
        select n.system, n.client_key
        from found f cross join lateral (
            select t.system, t.client_key from ticket t
            where {_WAITING} and (t.system, t.client_key) {{beyond}} (f.system, f.client_key)
              and (cast(:after_0 as text) is null or (t.system, t.client_key) > (:after_0, :after_1))
              and (cast(:before_0 as text) is null or (t.system, t.client_key) < (:before_0, :before_1))
            order by t.system {{direction}}, t.client_key {{direction}} limit 1
        ) n
    )
"""

_LISTED = (
    _KEYS
    + f"""
    , page as (select system, client_key from found limit :limit)
    select p.system, p.client_key, counted.tickets, first.logged_at as first_logged_at, last.logged_at as last_logged_at
    from page p
    cross join lateral (
        select count(*) as tickets from (
            select 1 from ticket t where {_WAITING} and t.system = p.system and t.client_key = p.client_key
            limit {COUNT_LIMIT}
        ) as few
    ) counted
    cross join lateral (
        select t.logged_at from ticket t where {_WAITING} and t.system = p.system and t.client_key = p.client_key
        order by t.logged_at limit 1
    ) first
    cross join lateral (
        select t.logged_at from ticket t where {_WAITING} and t.system = p.system and t.client_key = p.client_key
        order by t.logged_at desc limit 1
    ) last
    order by p.system {{direction}}, p.client_key {{direction}}
"""
)

FORWARD = text(_LISTED.format(direction="asc", beyond=">"))
BACKWARD = text(_LISTED.format(direction="desc", beyond="<"))
COUNT = text(
    _KEYS.format(direction="asc", beyond=">") + f"select count(*) from (select 1 from found limit {COUNT_LIMIT}) as few"
)

NAMED = text("""
    select n.name_key, c.id
    from unnest(cast(:names as text[])) as n(name_key)
    cross join lateral (
        select c.id from client c
        where c.tenant_id = :tenant and c.name_key = n.name_key and c.merged_into is null and c.erased_at is null
        order by c.id limit :most
    ) c
""")


async def listed(tx: Transaction, stretch: Stretch) -> list[UnmappedKey]:
    """Return a stretch of the keys, by system and key."""
    statement = BACKWARD if stretch.backward else FORWARD
    rows = await tx.rows(statement, tenant=tx.tenant, limit=stretch.limit, **_places(stretch.after, stretch.before))
    return [
        UnmappedKey(
            row["system"],
            row["client_key"],
            min(row["tickets"], COUNT_LIMIT - 1),
            row["tickets"] < COUNT_LIMIT,
            row["first_logged_at"],
            row["last_logged_at"],
        )
        for row in rows
    ]


async def count(tx: Transaction) -> int:
    """Return how many keys there are, no further than is told."""
    return int(await tx.value(COUNT, tenant=tx.tenant, **_places(None, None)))


async def guesses(tx: Transaction, keys: Sequence[str]) -> dict[str, list[Client]]:
    """Return for keys up to five clients each whose names read the same."""
    names = {key: name_key(key) for key in keys}
    wanted = sorted({name for name in names.values() if name})
    found: dict[str, list[UUID]] = {}
    for row in await tx.rows(NAMED, tenant=tx.tenant, names=wanted, most=GUESSES_MOST):
        found.setdefault(row["name_key"], []).append(row["id"])
    known = await clients.many(tx, [one for ids in found.values() for one in ids])
    return {key: [known[one] for one in found.get(name, ()) if one in known] for key, name in names.items()}


def _places(after: tuple[object, ...] | None, before: tuple[object, ...] | None) -> dict[str, object]:
    sides = (("after", after or (None, None)), ("before", before or (None, None)))
    return {f"{side}_{index}": value for side, place in sides for index, value in enumerate(place)}
