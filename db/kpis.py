"""Figures: SQL sums what each bucket holds; formulas, intervals and statuses are the domain's."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg

from db import client_facts, contract_facts, lead_facts, onboarding_facts, plan_facts, ticket_sums, way_facts
from db.asked import Asked
from db.fact_rows import UNKNOWN, FactRow, Key, Sums, narrowed, summed
from db.facts import UNMAPPED
from db.session import Transaction
from domain.kpis import Dimension, DirectFact, Fact, Kpi
from domain.own_calendars import Calendars
from domain.series import Totals

__all__ = ["UNKNOWN", "Key", "Reader", "Sums", "fact_rows"]


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads sums in one snapshot; figures that rest on the same sums, such as a dashboard's, read them once."""

    tx: Transaction
    calendars: Calendars
    _read: dict[object, list[asyncpg.Record]] = field(default_factory=dict)

    async def totals(self, kpi: Kpi, asked: Asked) -> Sums:
        """Return what each bucket of each series adds up to; no amount of data changes the number of statements."""
        facts = kpi.definition.facts
        if isinstance(facts, DirectFact):
            if facts in _SUMMED:
                return await _SUMMED[facts](self.tx, asked, self.calendars)
            return summed(await fact_rows(self.tx, facts, asked, self.calendars), asked.by)
        same = (asked.buckets, asked.by, asked.where, asked.as_of)
        if same not in self._read:
            self._read[same] = await ticket_sums.read(self.tx, asked)
        return {_key(asked.by, row): _totals(facts, row) for row in self._read[same]}


async def fact_rows(tx: Transaction, facts: DirectFact, asked: Asked, calendars: Calendars) -> list[FactRow]:
    """Return the rows behind a figure that is no sum, those that are left out too."""
    return narrowed(await _ROWS[facts](tx, asked, calendars), asked)


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


async def _stage_spells(tx: Transaction, asked: Asked, calendars: Calendars) -> Sums:
    sums: Sums = {}
    for spell in await onboarding_facts.spells(tx, asked.buckets, asked.where, asked.moment, calendars):
        if spell.left_out is None:
            series = sums.setdefault(_members(asked.by, spell.client, spell.stage), {})
            series[spell.bucket] = series.get(spell.bucket, Totals()) + Totals(spells=(spell.spell,))
    return sums


async def _open_cycles(tx: Transaction, asked: Asked, _: Calendars) -> Sums:
    sums: Sums = {}
    for row in await onboarding_facts.open_cycles(tx, asked.buckets, asked.by, asked.where, asked.moment):
        series = sums.setdefault(_members(asked.by, row["client_id"], row["stage"]), {})
        series[row["bucket"]] = series.get(row["bucket"], Totals()) + Totals(row["cycles"])
    return sums


async def _gated_moves(tx: Transaction, asked: Asked, _: Calendars) -> Sums:
    sums: Sums = {}
    for row in await onboarding_facts.gated_moves(tx, asked.buckets, asked.by, asked.where, asked.moment):
        series = sums.setdefault(_members(asked.by, row["client_id"], row["stage"]), {})
        series[row["bucket"]] = series.get(row["bucket"], Totals()) + Totals(row["waived"], row["moves"])
    return sums


_SUMMED = {
    DirectFact.STAGE_SPELLS: _stage_spells,
    DirectFact.OPEN_CYCLES: _open_cycles,
    DirectFact.GATED_MOVES: _gated_moves,
    DirectFact.LEAD_LOADS: lead_facts.loads,
    DirectFact.SERVED_CLIENTS: client_facts.retained,
}
"""What is summed apart from its rows: in SQL, or day by day."""

_ROWS = {
    DirectFact.WAYS_TO_GO_LIVE: way_facts.to_go_live,
    DirectFact.WAYS_TO_STEADY_STATE: way_facts.to_steady_state,
    DirectFact.CONTRACTINGS: contract_facts.contractings,
    DirectFact.PROVIDER_TURNS: contract_facts.provider_turns,
    DirectFact.DUE_STAYS: plan_facts.due_stays,
    DirectFact.RE_PLANS: plan_facts.re_plans,
    DirectFact.LEAD_LOADS: lead_facts.led_onboardings,
    DirectFact.SERVED_CLIENTS: client_facts.served,
    DirectFact.ENDED_CLIENTS: client_facts.ended,
    DirectFact.NOTICES: client_facts.in_notice,
}


def _members(by: Sequence[Dimension], client: UUID, stage: str) -> Key:
    return tuple(client.hex if one is Dimension.CLIENT else stage for one in by)
