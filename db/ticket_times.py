"""Times that tickets took: how often each came about, in every bucket of every series, in one statement."""

import functools
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.sql.elements import TextClause

from db.asked import Asked
from db.fact_rows import UNKNOWN, Key, Sums
from db.facts import MEMBER, UNMAPPED, of_named_clients
from db.session import Transaction
from domain.kpi_definitions import Measure
from domain.kpis import Dimension
from domain.own_calendars import Calendars
from domain.tickets import TicketKind
from domain.totals import Totals

MINUTES_AN_HOUR = 60

_OF_ROW = {dimension: member.format(row="t") for dimension, member in MEMBER.items()} | {
    Dimension.CLIENT: f"coalesce(replace(t.client_id::text, '-', ''), '{UNKNOWN}')"
}

# What came and went again within a series cancels out: what is left is as if it had never been.
_TIMES = """
    select {members} as members, array_agg(bucket) as buckets, array_agg(minutes) as minutes, array_agg(times) as times
    from (
        select width_bucket(t.day, cast(:starts as date[])) - 1 as bucket, {selected} t.minutes, sum(t.amount) as times
        from ticket_time t
        where t.tenant_id = :tenant and t.measure = :measure and t.day >= :start and t.day < :end
          and t.source = any(:sources) {conditions}
        group by {grouped}
        having sum(t.amount) <> 0
    ) as counted
    group by 1
"""


@dataclass(frozen=True, slots=True)
class _Shape:
    """What makes one statement different from another; what is not asked is left out of it."""

    by: tuple[Dimension, ...]
    narrowed: tuple[Dimension, ...]
    named_clients: bool
    unmapped: bool
    incidents: bool
    past: bool

    def statement(self) -> TextClause:
        members = [f"{_OF_ROW[one]} as m{place}" for place, one in enumerate(self.by)]
        names = [f"m{place}" for place in range(len(self.by))]
        conditions = [f"and {_OF_ROW[one]} = any(:{one.lower()})" for one in self.narrowed]
        if self.named_clients:
            conditions.append(f"and {of_named_clients('t.', unmapped=self.unmapped)}")
        if self.incidents:
            conditions.append(f"and t.kind = '{TicketKind.INCIDENT}'")
        if self.past:
            conditions.append("and t.recorded_at <= :as_of")
        return text(
            _TIMES.format(
                members=f"array[{', '.join(names)}]::text[]",
                selected="".join(f"{member}, " for member in members),
                conditions=" ".join(conditions),
                grouped=", ".join(str(place) for place in range(1, len(self.by) + 3)),
            )
        )


_statement = functools.cache(_Shape.statement)


async def read(tx: Transaction, asked: Asked, _: Calendars, *, measure: Measure) -> Sums:
    """Return how often each time came about, in hours, by series and bucket.

    Times to resolve are those of incidents alone.
    """
    narrowed = asked.where.members()
    shape = _Shape(
        by=asked.by,
        narrowed=tuple(narrowed),
        named_clients=asked.where.clients is not None,
        unmapped=UNMAPPED in (asked.where.clients or ()),
        incidents=measure is Measure.RESOLUTION,
        past=asked.as_of is not None,
    )
    rows = await tx.rows(
        _statement(shape),
        tenant=tx.tenant,
        measure=measure.value,
        starts=[bucket.start for bucket in asked.buckets],
        start=asked.buckets[0].start,
        end=asked.buckets[-1].end,
        sources=list(asked.where.sources),
        clients=None if asked.where.clients is None else list(asked.where.clients),
        as_of=asked.as_of,
        **{one.lower(): list(members) for one, members in narrowed.items()},
    )
    return {_key(row["members"]): _totals(row["buckets"], row["minutes"], row["times"]) for row in rows}


def _key(members: list[str]) -> Key:
    return tuple(members)


def _totals(buckets: list[int], minutes: list[int], times: list[int]) -> dict[int, Totals]:
    counts: dict[int, list[tuple[float, int]]] = {}
    for bucket, minute, often in zip(buckets, minutes, times, strict=True):
        counts.setdefault(bucket, []).append((minute / MINUTES_AN_HOUR, int(often)))
    return {bucket: Totals(counts=tuple(sorted(pairs))) for bucket, pairs in counts.items()}
