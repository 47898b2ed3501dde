"""Sums of tickets: the one statement that a question of a certain shape takes, over cells and what isn't folded yet."""

import functools
from dataclasses import dataclass

import asyncpg
from sqlalchemy import text
from sqlalchemy.sql.elements import TextClause

from db.asked import Asked
from db.facts import ALL_CLIENTS, MEMBER, UNMAPPED, of_named_clients
from db.session import Transaction
from domain.kpis import OF_EACH_CLIENT, Dimension, Fact

# One row per series, its buckets as arrays: a year of days for 50 clients must not cost a row per number.
_SUMS = """
    select client_id, member, array_agg(bucket) as buckets, {arrays}
    from (
        select width_bucket(day, cast(:starts as date[])) - 1 as bucket, {client} as client_id, member, {sums}
        from ({rows}) as counted
        group by 1, 2, 3
    ) as summed
    group by 1, 2
"""

_CELLS = """
        select day, client_id, {cell_member} as member, {facts} from ticket_cell
        where tenant_id = :tenant and dimension = :dimension and source = any(:sources) and grain = :grain
          and {cell_clients} and day >= :start and day < :end
          and (cast(:members as text[]) is null or member = any(cast(:members as text[])))
        union all
"""

_DELTAS = """
        select day, coalesce(client_id, cast(:unmapped as uuid)) as client_id, {delta_member} as member, {facts}
        from {deltas} as d
        where tenant_id = :tenant {until} and source = any(:sources)
          and {clients} and day >= :start and day < :end
          and (cast(:members as text[]) is null or {delta_column} = any(cast(:members as text[])))
"""

_COLUMN = {None: "''"} | {dimension: member.format(row="d") for dimension, member in MEMBER.items()}


@dataclass(frozen=True, slots=True)
class _Shape:
    """What makes one statement different from another; each is written and planned once.

    What is not asked is left out of the statement: a plan that must fit every question would read too much.
    """

    inner: Dimension | None
    split: bool
    by_client: bool
    overall: bool
    named_clients: bool
    unmapped: bool
    deltas_alone: bool
    facts: tuple[Fact, ...]

    def statement(self) -> TextClause:
        """Write cells and what is not folded yet, or all deltas: of the past those recorded by then."""
        column = _COLUMN[self.inner]
        named = "client_id = any(:clients)"
        facts = ", ".join(self.facts)
        deltas = _DELTAS.format(
            delta_member=column if self.split else "''",
            delta_column=column,
            deltas="ticket_delta" if self.deltas_alone else "unfolded_delta",
            until="and (cast(:as_of as timestamptz) is null or recorded_at <= :as_of)" if self.deltas_alone else "",
            facts=facts,
            clients=of_named_clients("", unmapped=self.unmapped) if self.named_clients else "true",
        )
        of_some = named if self.named_clients else "client_id <> :all_clients"
        cells = _CELLS.format(
            cell_member="member" if self.split else "''",
            cell_clients="client_id = :all_clients" if self.overall else of_some,
            facts=facts,
        )
        client = "client_id" if self.by_client else "cast(null as uuid)"
        return text(
            _SUMS.format(
                client=client,
                rows=deltas if self.deltas_alone else cells + deltas,
                arrays=", ".join(f"array_agg({fact}) as {fact}" for fact in self.facts),
                sums=", ".join(f"sum({fact}) as {fact}" for fact in self.facts),
            )
        )


_statement = functools.cache(_Shape.statement)


async def read(tx: Transaction, asked: Asked, facts: tuple[Fact, ...]) -> list[asyncpg.Record]:
    """Return a row per series with its member, its client and, as arrays, the sums of its buckets."""
    narrowed = asked.where.members()
    split = [dimension for dimension in asked.by if dimension is not Dimension.CLIENT]
    inner = next(iter([*split, *narrowed]), None)
    by_client = Dimension.CLIENT in asked.by
    named = asked.where.clients is not None
    unmapped = named and UNMAPPED in (asked.where.clients or ())
    # A caller who sees only some clients has no right to the sum of all, and gets the sum of theirs.
    overall = not by_client and not named and tx.clients is None
    # By team and the like sums are kept of all clients together alone: of some they are added up from their deltas.
    deltas_alone = asked.as_of is not None or (inner is not None and inner not in OF_EACH_CLIENT and not overall)
    monthly = all(bucket.start.day == 1 for bucket in asked.buckets) and asked.buckets[-1].end.day == 1
    return await tx.rows(
        _statement(_Shape(inner, bool(split), by_client, overall, named, unmapped, deltas_alone, facts)),
        tenant=tx.tenant,
        starts=[bucket.start for bucket in asked.buckets],
        start=asked.buckets[0].start,
        end=asked.buckets[-1].end,
        dimension=inner or "NONE",
        grain="M" if monthly else "D",
        members=list(narrowed[inner]) if inner in narrowed else None,
        sources=list(asked.where.sources),
        clients=None if asked.where.clients is None else list(asked.where.clients),
        all_clients=ALL_CLIENTS,
        unmapped=UNMAPPED,
        as_of=asked.as_of,
    )
