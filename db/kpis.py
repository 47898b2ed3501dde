"""Figures: SQL sums what each bucket holds; formulas, intervals and statuses are the domain's."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from uuid import UUID

import asyncpg

from db import (
    client_facts,
    contract_facts,
    lead_facts,
    onboarding_facts,
    plan_facts,
    ticket_sums,
    ticket_times,
    way_facts,
)
from db.asked import Asked
from db.fact_rows import UNKNOWN, FactRow, Key, Sums, SumsRead, narrowed, summed
from db.facts import UNMAPPED
from db.session import Transaction
from domain.kpi_definitions import KpiKind, Measure
from domain.kpis import Dimension, DirectFact, Fact, Kpi, facts_of
from domain.own_calendars import Calendars
from domain.periods import Bucket, Grain, bucket_start
from domain.tickets import EscalationKind
from domain.totals import PlainSums, Totals

__all__ = ["UNKNOWN", "Key", "Reader", "SumsRead", "fact_rows"]


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads sums in one snapshot; figures that rest on the same sums, such as a dashboard's, read them once."""

    tx: Transaction
    calendars: Calendars
    facts: tuple[Fact, ...] = ()
    """The additive facts of all that is asked."""
    _read: dict[object, dict[Key, asyncpg.Record]] = field(default_factory=dict)

    async def totals(self, kpi: Kpi, asked: Asked) -> SumsRead:
        """Return what each bucket of each series adds up to; no amount of data changes the number of statements."""
        facts = kpi.definition.facts
        if isinstance(facts, DirectFact):
            if facts in _SUMMED:
                return await _SUMMED[facts](self.tx, asked, self.calendars)
            return summed(await fact_rows(self.tx, facts, asked, self.calendars), asked.by)
        additive = facts_of(kpi, asked.where.escalation_kind)
        if kpi.definition.kind is KpiKind.LEVEL:
            return await self._stock(additive[0], asked)
        names = [fact.value for fact in additive]
        return {
            key: PlainSums(row["buckets"], *[row[name] for name in names])
            for key, row in (await self._sums(asked)).items()
        }

    async def _sums(self, asked: Asked) -> dict[Key, asyncpg.Record]:
        where = asked.where
        if where.escalation_kind is not EscalationKind.FUNCTIONAL:
            where = replace(where, escalation_kind=EscalationKind.FUNCTIONAL)
        same = (asked.buckets, asked.by, where, asked.as_of)
        found = self._read.get(same)
        if found is None:
            rows = await ticket_sums.read(self.tx, asked, self.facts)
            found = self._read[same] = {_key(asked.by, row): row for row in rows}
        return found

    async def _stock(self, fact: Fact, asked: Asked) -> Sums:
        """A stock at the end of a bucket is all that came in less all that went by then, from the beginning on."""
        start = asked.buckets[0].start
        month = bucket_start(start, Grain.MONTH)
        # Whole months are kept summed up; the days of the month that has begun come beside the buckets.
        before = replace(asked, buckets=(Bucket(_THE_BEGINNING, month, whole=True),))
        begun = (Bucket(month, start, whole=True),) if month < start else ()
        stocks: dict[Key, float] = {}
        for key, row in (await self._sums(before)).items():
            stocks[key] = sum(row[fact.value])
        moved: dict[Key, dict[int, float]] = {}
        for key, row in (await self._sums(replace(asked, buckets=(*begun, *asked.buckets)))).items():
            moved[key] = dict(zip(row["buckets"], row[fact.value], strict=True))
        return {
            key: _cumulated(stocks.get(key, 0), moved.get(key, {}), len(begun), len(asked.buckets))
            for key in stocks | moved
        }


async def fact_rows(tx: Transaction, facts: DirectFact, asked: Asked, calendars: Calendars) -> list[FactRow]:
    """Return the rows behind a figure that is no sum, those that are left out too."""
    return narrowed(await _ROWS[facts](tx, asked, calendars), asked)


_THE_BEGINNING = date(1900, 1, 1)
"""Before any ticket."""


def _cumulated(stock: float, moved: Mapping[int, float], begun: int, buckets: int) -> dict[int, Totals]:
    level = stock + sum(moved.get(place, 0) for place in range(begun))
    totals = {}
    for place in range(buckets):
        level += moved.get(place + begun, 0)
        totals[place] = Totals(level)
    return totals


def _key(by: Sequence[Dimension], row: asyncpg.Record) -> Key:
    return tuple(_client(row["client_id"]) if one is Dimension.CLIENT else row["member"] for one in by)


def _client(client: UUID) -> str:
    return UNKNOWN if client == UNMAPPED else client.hex


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


_SUMMED: Mapping[DirectFact, Callable[[Transaction, Asked, Calendars], Awaitable[Sums]]] = {
    DirectFact.STAGE_SPELLS: _stage_spells,
    DirectFact.OPEN_CYCLES: _open_cycles,
    DirectFact.GATED_MOVES: _gated_moves,
    DirectFact.LEAD_LOADS: lead_facts.loads,
    DirectFact.SERVED_CLIENTS: client_facts.retained,
    DirectFact.RESPONSE_TIMES: partial(ticket_times.read, measure=Measure.RESPONSE),
    DirectFact.RESOLUTION_TIMES: partial(ticket_times.read, measure=Measure.RESOLUTION),
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
