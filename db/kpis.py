"""Figures: SQL sums what each bucket holds; formulas, intervals and statuses are the domain's."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg

from db import onboarding_facts, ticket_sums
from db.asked import Asked
from db.facts import UNMAPPED
from db.session import Transaction
from domain.calendars import Calendar
from domain.kpis import Dimension, DirectFact, Fact, Kpi
from domain.series import Totals

UNKNOWN = "UNKNOWN"

Key = tuple[str, ...]
"""The members of one series, in the order of `by`: an enum's name, a client's id in hexadecimal, or UNKNOWN."""

Sums = dict[Key, dict[int, Totals]]


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads sums in one snapshot; figures that rest on the same sums, such as a dashboard's, read them once."""

    tx: Transaction
    calendar: Calendar
    _read: dict[object, list[asyncpg.Record]] = field(default_factory=dict)

    async def totals(self, kpi: Kpi, asked: Asked) -> Sums:
        """Return what each bucket of each series adds up to; no amount of data changes the number of statements."""
        facts = kpi.definition.facts
        if isinstance(facts, DirectFact):
            return await _DIRECT[facts](self.tx, asked, self.calendar)
        same = (asked.buckets, asked.by, asked.where, asked.as_of)
        if same not in self._read:
            self._read[same] = await ticket_sums.read(self.tx, asked)
        return {_key(asked.by, row): _totals(facts, row) for row in self._read[same]}


def _key(by: Sequence[Dimension], row: asyncpg.Record) -> Key:
    return tuple(_client(row["client_id"]) if one is Dimension.CLIENT else row["member"] for one in by)


def _client(client: UUID) -> str:
    return UNKNOWN if client == UNMAPPED else client.hex


def _totals(facts: Sequence[Fact], row: asyncpg.Record) -> dict[int, Totals]:
    counted = row[facts[0].value]
    if len(facts) == 1:
        return {bucket: Totals(int(count)) for bucket, count in zip(row["buckets"], counted, strict=True)}
    out_of = row[facts[1].value]
    return {
        bucket: Totals(int(count), int(total))
        for bucket, count, total in zip(row["buckets"], counted, out_of, strict=True)
    }


async def _stage_spells(tx: Transaction, asked: Asked, calendar: Calendar) -> Sums:
    sums: Sums = {}
    for spell in await onboarding_facts.spells(tx, asked.buckets, asked.where, asked.moment, calendar):
        if spell.left_out is None:
            series = sums.setdefault(_members(asked.by, spell.client, spell.stage), {})
            series[spell.bucket] = series.get(spell.bucket, Totals()) + Totals(spells=(spell.spell,))
    return sums


async def _open_cycles(tx: Transaction, asked: Asked, _: Calendar) -> Sums:
    sums: Sums = {}
    for row in await onboarding_facts.open_cycles(tx, asked.buckets, asked.by, asked.where, asked.moment):
        series = sums.setdefault(_members(asked.by, row["client_id"], row["stage"]), {})
        series[row["bucket"]] = series.get(row["bucket"], Totals()) + Totals(row["cycles"])
    return sums


async def _gated_moves(tx: Transaction, asked: Asked, _: Calendar) -> Sums:
    sums: Sums = {}
    for row in await onboarding_facts.gated_moves(tx, asked.buckets, asked.by, asked.where, asked.moment):
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
