"""Figures: SQL sums what each bucket holds; formulas, intervals and statuses are the domain's."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg
from sqlalchemy import text
from sqlalchemy.sql.elements import TextClause

from db import onboarding_facts
from db.facts import ALL_CLIENTS, UNMAPPED
from db.session import Transaction
from domain.calendars import Calendar
from domain.kpis import Dimension, DirectFact, Fact, Kpi, Where
from domain.periods import Bucket
from domain.series import Moment, Totals

UNKNOWN = "UNKNOWN"

Key = tuple[str, ...]
"""The members of one series, in the order of `by`: an enum's name, a client's id in hexadecimal, or UNKNOWN."""

Sums = dict[Key, dict[int, Totals]]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be summed: buckets in order without gaps, split by dimensions, narrowed, as of a moment.

    `as_of` is set where the figures are wanted as they were at an earlier instant.
    """

    buckets: Sequence[Bucket]
    by: tuple[Dimension, ...]
    where: Where
    moment: Moment
    as_of: datetime | None = None


_SUMS = """
    select width_bucket(day, cast(:starts as date[])) - 1 as bucket, {client} as client_id, member,
           sum(tickets) as tickets, sum(escalated_tickets) as escalated_tickets, sum(escalations) as escalations
    from ({rows}) as counted
    group by 1, 2, 3
"""

_CELLS = """
        select day, client_id, {cell_member} as member, tickets, escalated_tickets, escalations from ticket_cell
        where tenant_id = :tenant and dimension = :dimension and source = any(:sources) and grain = :grain
          and {cell_clients} and day >= :start and day < :end
          and (cast(:members as text[]) is null or member = any(cast(:members as text[])))
        union all
"""

_DELTAS = """
        select day, coalesce(client_id, cast(:unmapped as uuid)) as client_id, {delta_member} as member,
               tickets, escalated_tickets, escalations
        from {deltas}
        where tenant_id = :tenant {until} and source = any(:sources)
          and {clients} and day >= :start and day < :end
          and (cast(:members as text[]) is null or {delta_column} = any(cast(:members as text[])))
"""

_COLUMN = {
    None: "''",
    Dimension.STAGE: "stage",
    Dimension.PHASE: "phase",
    Dimension.PRIORITY: "priority",
}


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
    past: bool

    def statement(self) -> TextClause:
        """Write cells and what is not folded yet or, of the past, all deltas recorded by then."""
        column = _COLUMN[self.inner]
        named = "client_id = any(:clients)"
        deltas = _DELTAS.format(
            delta_member=column if self.split else "''",
            delta_column=column,
            deltas="ticket_delta" if self.past else "unfolded_delta",
            until="and recorded_at <= :as_of" if self.past else "",
            clients=named if self.named_clients else "true",
        )
        of_some = named if self.named_clients else "client_id <> :all_clients"
        cells = _CELLS.format(
            cell_member="member" if self.split else "''",
            cell_clients="client_id = :all_clients" if self.overall else of_some,
        )
        client = "client_id" if self.by_client else "cast(null as uuid)"
        return text(_SUMS.format(client=client, rows=deltas if self.past else cells + deltas))


_statement = functools.cache(_Shape.statement)


async def totals(tx: Transaction, kpi: Kpi, asked: Asked, calendar: Calendar) -> Sums:
    """Return what each bucket of each series adds up to, in a number of statements that no amount of data changes."""
    facts = kpi.definition.facts
    if isinstance(facts, DirectFact):
        return await _DIRECT[facts](tx, asked, calendar)
    rows = await _sums(tx, asked)
    sums: Sums = {}
    for row in rows:
        sums.setdefault(_key(asked.by, row), {})[row["bucket"]] = _totals(facts, row)
    return sums


async def _sums(tx: Transaction, asked: Asked) -> list[asyncpg.Record]:
    narrowed = asked.where.members()
    split = [dimension for dimension in asked.by if dimension is not Dimension.CLIENT]
    inner = next(iter([*split, *narrowed]), None)
    by_client = Dimension.CLIENT in asked.by
    # A caller who sees only some clients has no right to the sum of all, and gets the sum of theirs.
    overall = not by_client and asked.where.clients is None and tx.clients is None
    monthly = all(bucket.start.day == 1 for bucket in asked.buckets) and asked.buckets[-1].end.day == 1
    named = asked.where.clients is not None
    shape = _Shape(inner, bool(split), by_client, overall, named, asked.as_of is not None)
    return await tx.rows(
        _statement(shape),
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


def _key(by: Sequence[Dimension], row: asyncpg.Record) -> Key:
    return tuple(_client(row["client_id"]) if one is Dimension.CLIENT else row["member"] for one in by)


def _client(client: UUID) -> str:
    return UNKNOWN if client == UNMAPPED else client.hex


def _totals(facts: Sequence[Fact], row: asyncpg.Record) -> Totals:
    amounts = [int(row[fact.value]) for fact in facts]
    return Totals(amounts[0], amounts[1] if len(amounts) > 1 else None)


async def _stage_spells(tx: Transaction, asked: Asked, calendar: Calendar) -> Sums:
    sums: Sums = {}
    for spell in await onboarding_facts.spells(tx, asked.buckets, asked.where, asked.moment, calendar):
        if spell.left_out is None:
            series = sums.setdefault(_members(asked.by, spell.client, spell.stage), {})
            series[spell.bucket] = series.get(spell.bucket, Totals()) + Totals(spells=(spell.spell,))
    return sums


async def _open_cycles(tx: Transaction, asked: Asked, _: Calendar) -> Sums:
    sums: Sums = {}
    for row in await onboarding_facts.open_cycles(tx, asked.buckets, asked.where, asked.moment):
        series = sums.setdefault(_members(asked.by, row["client_id"], row["stage"]), {})
        series[row["bucket"]] = series.get(row["bucket"], Totals()) + Totals(row["cycles"])
    return sums


async def _gated_moves(tx: Transaction, asked: Asked, _: Calendar) -> Sums:
    sums: Sums = {}
    for row in await onboarding_facts.gated_moves(tx, asked.buckets, asked.where, asked.moment):
        series = sums.setdefault(_members(asked.by, row["client_id"], row["stage"]), {})
        series[row["bucket"]] = series.get(row["bucket"], Totals()) + Totals(row["waived"], row["moves"])
    return sums


_DIRECT = {
    DirectFact.STAGE_SPELLS: _stage_spells,
    DirectFact.OPEN_CYCLES: _open_cycles,
    DirectFact.GATED_MOVES: _gated_moves,
}


def _members(by: Sequence[Dimension], client: UUID, stage: str) -> Key:
    return tuple(client.hex if one is Dimension.CLIENT else stage for one in by)
