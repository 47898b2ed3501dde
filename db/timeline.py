"""The timeline read: one union over everything that keeps what happened to an onboarding, or to a client.

Every part reads no more than the stretch that is asked for: it begins at the stretch's own instant, by the index of
its table over (tenant, cycle, instant), and ends at its limit. What is kept by another instant than its index, such
as the granting of a waiver, is little for any one cycle.
"""

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import ARRAY, DateTime, Integer, Text, TextClause, Uuid, bindparam, text
from sqlalchemy.types import TypeEngine

from db.keyset import COUNT_LIMIT, Stretch
from db.session import Transaction
from db.timeline_parts import EDITS, PARTS, Part
from domain.timeline import TimelineEntry, TimelineKind

_DURING = """
    s.client_id = (select client_id from cycle where tenant_id = :tenant and id = p.key)
    and (s.cycle_id = p.key or s.cycle_id is null
         and s.recorded_at >= (select opened_at from cycle where tenant_id = :tenant and id = p.key)
         and s.recorded_at <= (select coalesce(ended_at, 'infinity') from cycle
                               where tenant_id = :tenant and id = p.key))
"""
"""Edits of one cycle, and of its client while it went on; asked for so that the index gives them in their order."""

_PLACE = ("at", "kind", "id")


async def timelines(
    tx: Transaction, cycles: Sequence[UUID], stretch: Stretch, kinds: Iterable[TimelineKind] | None = None
) -> dict[UUID, list[TimelineEntry]]:
    """Return one stretch of each cycle's timeline, oldest first; of some kinds of entries where they are named."""
    return await _stretches(tx, cycles, stretch, kinds, of_clients=False)


async def timelines_of_clients(
    tx: Transaction, clients: Sequence[UUID], stretch: Stretch, kinds: Iterable[TimelineKind] | None = None
) -> dict[UUID, list[TimelineEntry]]:
    """Return one stretch of each client's timeline: that of all its onboardings and what was edited between them."""
    return await _stretches(tx, clients, stretch, kinds, of_clients=True)


async def lengths(
    tx: Transaction, parents: Sequence[UUID], kinds: Iterable[TimelineKind] | None = None, *, of_clients: bool
) -> dict[UUID, int]:
    """Return how many entries each timeline has, counting no further than one beyond what is told."""
    statement = _count(of_clients=of_clients, narrowed=kinds is not None)
    rows = await tx.rows(statement, tenant=tx.tenant, parents=list(parents), limit=COUNT_LIMIT, kinds=_named(kinds))
    return {row["parent_key"]: row["counted"] for row in rows}


async def _stretches(
    tx: Transaction,
    parents: Sequence[UUID],
    stretch: Stretch,
    kinds: Iterable[TimelineKind] | None,
    *,
    of_clients: bool,
) -> dict[UUID, list[TimelineEntry]]:
    shape = _Shape(
        of_clients,
        narrowed=kinds is not None,
        backward=stretch.backward,
        after=stretch.after is not None,
        before=stretch.before is not None,
    )
    places: dict[str, object] = {}
    for side, place in (("after", stretch.after), ("before", stretch.before)):
        places |= {f"{side}_{name}": value for name, value in zip(_PLACE, place or (), strict=False)}
    rows = await tx.rows(
        _read(shape), tenant=tx.tenant, parents=list(parents), limit=stretch.limit, kinds=_named(kinds), **places
    )
    found: dict[UUID, list[TimelineEntry]] = {parent: [] for parent in parents}
    for row in rows:
        found[row["parent_key"]].append(_entry(row))
    return found


@dataclass(frozen=True, slots=True)
class _Shape:
    """What makes one statement different from another."""

    of_clients: bool
    narrowed: bool = False
    backward: bool = False
    after: bool = False
    before: bool = False
    limited: bool = True

    @property
    def order(self) -> str:
        return ", ".join(f"{name} desc" if self.backward else name for name in _PLACE)

    @property
    def end(self) -> str:
        """How a part ends: at the limit, in order; a count reads on in any order."""
        return f"order by {self.order} limit :limit" if self.limited else "limit :limit"


# The caches keep one statement for each shape asked for, so that each is compiled once.
@functools.cache
def _read(shape: _Shape) -> TextClause:
    return _typed(f"""
        select p.key as parent_key, e.*
        from unnest(cast(:parents as uuid[])) as p(key)
        cross join lateral ({_every(shape)} {shape.end}) as e
        order by p.key, {", ".join(f"e.{column}" for column in shape.order.split(", "))}
    """)


@functools.cache
def _count(*, of_clients: bool, narrowed: bool) -> TextClause:
    shape = _Shape(of_clients, narrowed=narrowed, limited=False)
    return _typed(f"""
        select p.key as parent_key, (select count(*) from ({_every(shape)} limit :limit) as e) as counted
        from unnest(cast(:parents as uuid[])) as p(key)
    """)


def _every(shape: _Shape) -> str:
    """Return the union of all parts for the parent `p.key`; at most the limit of each."""
    if not shape.of_clients:
        parts = [_part(part, shape, f"{part.table} s", "s.cycle_id = p.key", "s.cycle_id") for part in PARTS]
        parts.append(_part(EDITS, shape, "client_edit s", _DURING, "p.key"))
        return f"select * from ({' union all '.join(parts)}) as every"
    parts = [_part(part, shape, f"{part.table} s", "s.cycle_id = c.id", "s.cycle_id") for part in PARTS]
    own = _part(EDITS, shape, "client_edit s", "s.client_id = p.key", "s.cycle_id")
    return f"""
        select * from (
            select of_cycle.* from cycle c
            cross join lateral (select * from ({" union all ".join(parts)}) as every {shape.end}) as of_cycle
            where c.tenant_id = :tenant and c.client_id = p.key
            union all {own}
        ) as all_of_it
    """


def _part(part: Part, shape: _Shape, source: str, of_parent: str, cycle: str) -> str:
    where = ["s.tenant_id = :tenant", of_parent, part.only]
    place = f"({part.at}, {part.kind}, s.id)"
    if shape.narrowed:
        where.append(f"{part.kind} = any(cast(:kinds as text[]))")
    for wanted, side, sign in ((shape.after, "after", ">"), (shape.before, "before", "<")):
        if wanted:
            # The instant alone is what the index can begin at; the whole place tells those of one instant apart.
            where += [f"{part.at} {sign}= :{side}_at", f"{place} {sign} (:{side}_at, :{side}_kind, :{side}_id)"]
    return f"""
        (select {part.at} as at, {part.kind} as kind, s.id, {part.key} as key, {part.detail} as detail,
                {part.actor_kind} as actor_kind, cast({part.actor_id} as uuid) as actor_id,
                cast({part.before} as uuid[]) as before, cast({part.after} as uuid[]) as after,
                cast({part.subject} as uuid) as subject_id, {cycle} as cycle_id
         from {source}
         where {" and ".join(where)} {shape.end})
    """


def _typed(statement: str) -> TextClause:
    """Return a statement whose parameters have their types, as those of places are compared in rows."""
    types: dict[str, TypeEngine[Any]] = {
        "tenant": Uuid(),
        "parents": ARRAY(Uuid()),
        "kinds": ARRAY(Text()),
        "limit": Integer(),
        "after_at": DateTime(timezone=True),
        "after_kind": Text(),
        "after_id": Uuid(),
        "before_at": DateTime(timezone=True),
        "before_kind": Text(),
        "before_id": Uuid(),
    }
    return text(statement).bindparams(
        *(bindparam(name, type_=kind) for name, kind in types.items() if f":{name}" in statement)
    )


def _named(kinds: Iterable[TimelineKind] | None) -> list[str]:
    return [kind.value for kind in kinds or ()]


def _entry(row: asyncpg.Record) -> TimelineEntry:
    return TimelineEntry(
        row["at"],
        TimelineKind(row["kind"]),
        row["id"],
        row["key"],
        row["detail"],
        row["actor_kind"],
        row["actor_id"],
        tuple(row["before"] or ()),
        tuple(row["after"] or ()),
        row["subject_id"],
        row["cycle_id"],
    )
