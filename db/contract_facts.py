"""Contractings: each contract's way to its signature, and how much of it waited on the provider."""

from collections.abc import Callable

import asyncpg
from sqlalchemy import text

from db.asked import Asked
from db.contract_turns import read
from db.fact_rows import Cut, FactRow, Subject, clients_of
from db.onboarding_facts import LeftOut
from db.session import Transaction
from domain.calendars import Calendar
from domain.contract_turns import Contracting, contracting
from domain.formulas import Spell
from domain.kpis import Dimension
from domain.onboarding import ScopeKind
from domain.own_calendars import Calendars
from domain.totals import Totals

# A contract is of nobody where every onboarding of its client was entered in error.
TURNS = text("""
    select t.client_id, t.contract_id, t.position, t.status, t.waiting_on, t.at,
           exists (select from cycle c where c.tenant_id = :tenant and c.client_id = t.client_id
                                         and c.outcome = any(:never))
           and not exists (select from cycle c where c.tenant_id = :tenant and c.client_id = t.client_id
                                                and coalesce(c.outcome <> all(:never), true)) as mistaken
    from contract_turn t
    join (
        select contract_id from contract_turn
        where tenant_id = :tenant and recorded_at <= :now
          and (cast(:clients as uuid[]) is null or client_id = any(:clients))
        group by contract_id having min(at) >= :from and min(at) < :to
    ) as begun on begun.contract_id = t.contract_id
    where t.tenant_id = :tenant and t.recorded_at <= :now
    order by t.contract_id, t.position
""")

_Measure = Callable[[Contracting, Calendar], tuple[float, Totals]]


async def contractings(tx: Transaction, asked: Asked, calendars: Calendars) -> list[FactRow]:
    """Return each contract's way from its beginning to its signature."""
    return await _rows(tx, asked, calendars, _whole)


async def provider_turns(tx: Transaction, asked: Asked, calendars: Calendars) -> list[FactRow]:
    """Return how long it was the provider's turn with each contract, beside the whole of its contracting."""
    return await _rows(tx, asked, calendars, _ours)


async def _rows(tx: Transaction, asked: Asked, calendars: Calendars, measure: _Measure) -> list[FactRow]:
    cut = Cut.of(asked)
    by_contract: dict[object, list[asyncpg.Record]] = {}
    for record in await tx.rows(TURNS, tenant=tx.tenant, clients=clients_of(asked), **cut.named()):
        by_contract.setdefault(record["contract_id"], []).append(record)
    return [_row(records, cut, calendars, measure) for records in by_contract.values()]


def _row(records: list[asyncpg.Record], cut: Cut, calendars: Calendars, measure: _Measure) -> FactRow:
    first = records[0]
    way = contracting([read(record) for record in records], cut.now)
    at = min(record["at"] for record in records)
    calendar = calendars.counting(ScopeKind.WHOLE_CLIENT, "", first["contract_id"])
    days, totals = (0.0, Totals()) if way is None else measure(way, calendar)
    left_out = None
    if first["mistaken"]:
        left_out = LeftOut.ENTERED_IN_ERROR
    elif way is None:
        left_out = LeftOut.DATE_MISSING
    elif not totals.spells:
        left_out = LeftOut.TURN_UNKNOWN
    return FactRow(
        id=first["contract_id"],
        at=at,
        bucket=cut.place(at) or 0,
        totals=totals,
        members={Dimension.CLIENT: first["client_id"].hex},
        subject=Subject(contract=first["contract_id"], ended=way is not None and way.signed),
        amount=days,
        left_out=left_out,
    )


def _whole(way: Contracting, calendar: Calendar) -> tuple[float, Totals]:
    days = calendar.business_days_between(way.began_at, way.until)
    return days, Totals(spells=(Spell(days, ended=way.signed, broken_off=way.broken_off),))


def _ours(way: Contracting, calendar: Calendar) -> tuple[float, Totals]:
    if way.ours is None:
        return 0.0, Totals()
    days = sum(calendar.business_days_between(start, end) for start, end in way.ours)
    spell = Spell(days, ended=way.signed, broken_off=way.broken_off)
    return days, Totals(days, calendar.business_days_between(way.began_at, way.until), (spell,))
