"""Kept figures are held against the tickets by SQL; what is wrong is named, and put right."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db import cell_recounts, recounts
from db.session import Database
from domain.access import system
from domain.kpis import Kpi
from domain.periods import Grain
from domain.proofs import Difference, Ledger
from domain.questions import Question
from domain.tickets import (
    EscalationKind,
    Exclusion,
    HandOver,
    Priority,
    ReportedEscalation,
    ReportedTicket,
    Resolution,
    SlaResult,
    SlaTarget,
    TicketKind,
    TicketSource,
    Wait,
)
from tests.support.providers import Provider, new_provider
from tests.support.tickets import NOON, YEAR, ask, fold, number, report, ticket
from workflows import proofs

HOURS = st.integers(0, 24 * 40).map(lambda hours: timedelta(hours=hours))


@st.composite
def _reports(draw: st.DrawFn) -> ReportedTicket:
    """Draw a ticket with any course that a source could tell."""
    logged = NOON + draw(HOURS)
    handed = tuple(
        HandOver(logged + timedelta(hours=place), f"T{tier}", tier, agent=draw(st.sampled_from([None, "ann", "bob"])))
        for place, tier in enumerate(draw(st.lists(st.integers(1, 3), max_size=3)))
    )
    instant = logged
    ended: list[Resolution] = []
    for held in draw(st.lists(HOURS, max_size=3)):
        instant += held + timedelta(hours=1)
        back = instant + timedelta(hours=draw(st.integers(1, 100)))
        ended.append(Resolution(instant, back))
        instant = back
    if ended and draw(st.sampled_from([True, False])):
        ended[-1] = replace(ended[-1], reopened_at=None)
    closed = draw(st.one_of(st.none(), st.just(instant + timedelta(hours=1))))
    waits = (Wait(logged + timedelta(hours=1), draw(st.sampled_from([None, logged + timedelta(hours=5)]))),)
    targets = st.one_of(
        st.none(), st.builds(SlaTarget, HOURS.map(lambda h: logged + h), st.sampled_from([None, *SlaResult]))
    )
    raised = st.builds(ReportedEscalation, HOURS.map(lambda h: logged + h), st.sampled_from(list(EscalationKind)))
    return ReportedTicket(
        f"T-{draw(st.integers(1, 6))}",
        None,
        logged,
        kind=draw(st.sampled_from([TicketKind.INCIDENT, TicketKind.REQUEST])),
        source=draw(st.sampled_from(list(TicketSource))),
        priority=draw(st.sampled_from([Priority.P1, Priority.P3])),
        category=draw(st.sampled_from([None, "network"])),
        closed_at=closed,
        exclusion=draw(st.sampled_from([None, None, None, Exclusion.MERGED])),
        hand_overs=handed,
        first_responded_at=draw(st.one_of(st.none(), HOURS.map(lambda hours: logged + hours))),
        resolutions=tuple(ended),
        times_reopened=draw(st.integers(0, 1)),
        waits=draw(st.sampled_from([(), waits])),
        first_contact=draw(st.sampled_from([None, True, False])),
        response_sla=draw(targets),
        resolution_sla=draw(targets),
        escalations=tuple(draw(st.lists(raised, max_size=2))),
    )


async def _proven(provider: Provider) -> list[Difference]:
    found: list[Difference] = []
    async for stretch in proofs.prove(provider.context, system(provider.tenant_id)):
        assert stretch.unnamed == 0
        found += stretch.differences
    return found


async def _rebuilt(provider: Provider) -> int:
    return sum([one.corrections async for one in proofs.rebuild(provider.context, system(provider.tenant_id))])


@given(reports=st.lists(st.tuples(_reports(), st.integers(0, 2), st.booleans()), max_size=12))
@settings(max_examples=25)
async def test_what_is_written_bit_by_bit_is_what_sql_counts_from_the_tickets(
    database: Database, reports: list[tuple[ReportedTicket, int, bool]]
) -> None:
    provider = await new_provider(database)
    clients = [await provider.client("A"), await provider.client("B"), None]
    for said, client, folded in reports:
        await report(provider, said, client=clients[client])
        provider.clock.forward(hours=7)
        if folded:
            await fold(provider)
    assert await _proven(provider) == []
    assert await _rebuilt(provider) == 0


FAULTS = {
    "a changed cell": (
        "update ticket_cell set resolved = resolved + 1 where tenant_id = $1 and dimension = 'PHASE' and grain = 'D'",
        {Ledger.CELLS},
    ),
    "a lost cell": ("delete from ticket_cell where tenant_id = $1 and dimension = 'TEAM'", {Ledger.CELLS}),
    "a cell of nothing": (
        """insert into ticket_cell
           select (jsonb_populate_record(c, '{"day": "2031-01-01"}')).* from ticket_cell c
           where tenant_id = $1 and tickets > 0 limit 1""",
        {Ledger.CELLS},
    ),
    "a missing delta": (
        "delete from ticket_delta where tenant_id = $1 and resolved > 0",
        {Ledger.DELTAS, Ledger.CELLS},
    ),
    "a delta changed": (
        "update ticket_delta set escalations = escalations + 2 where tenant_id = $1 and escalations > 0",
        {Ledger.DELTAS, Ledger.CELLS},
    ),
    "a delta of nobody": (
        "update ticket_delta set client_id = null where tenant_id = $1 and resolved > 0",
        {Ledger.DELTAS, Ledger.CELLS},
    ),
    "a wrong time": ("update ticket_time set minutes = minutes + 7 where tenant_id = $1", {Ledger.TIMES}),
    "a missing time": (
        "delete from ticket_time where tenant_id = $1 and measure = 'RESOLUTION'",
        {Ledger.TIMES},
    ),
    "what was never folded": ("delete from unfolded_delta where tenant_id = $1", {Ledger.CELLS}),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_every_planted_fault_is_named_and_put_right(worker_database: str, provider: Provider, fault: str) -> None:
    client = await provider.client()
    done = Resolution(NOON + timedelta(days=2))
    first = ticket(1, tiers=(1, 2), resolutions=(done,), first_responded_at=NOON + timedelta(hours=1))
    await report(provider, first, replace(first, external_id="T-2"), client=client)
    await fold(provider)
    await report(provider, ticket(3), client=client)
    assert await _proven(provider) == []
    statement, ledgers = FAULTS[fault]
    await _plant(worker_database, statement, provider.tenant_id)
    found = await _proven(provider)
    assert {one.ledger for one in found} == ledgers
    assert all(one.kept != one.counted for one in found)
    assert await _rebuilt(provider) > 0
    assert await _proven(provider) == []
    assert await _rebuilt(provider) == 0
    while await fold(provider):
        pass
    assert await _proven(provider) == []
    assert await number(provider, Kpi.TICKETS_LOGGED) == 3
    assert await number(provider, Kpi.ESCALATIONS) == 2


async def test_a_difference_says_whose_it_is_on_which_day_and_how_much(
    worker_database: str, provider: Provider
) -> None:
    client = await provider.client()
    await report(provider, ticket(1, tiers=(1, 2)), client=client)
    await _plant(
        worker_database, "update ticket_delta set tickets = 5 where tenant_id = $1 and tickets = 1", provider.tenant_id
    )
    (found,) = [one for one in await _proven(provider) if one.ledger is Ledger.DELTAS]
    assert (found.client, found.day, found.fact, found.kept, found.counted) == (client, NOON.date(), "tickets", 5, 1)
    assert "priority=UNKNOWN" in found.place


async def test_a_correction_is_recorded_now_and_leaves_earlier_answers_as_they_were(
    worker_database: str, provider: Provider
) -> None:
    client = await provider.client()
    await report(provider, ticket(1, tiers=(1, 2)), ticket(2), client=client)
    await _plant(
        worker_database, "update ticket_delta set tickets = 7 where tenant_id = $1 and tickets > 0", provider.tenant_id
    )
    provider.clock.forward(days=1)
    then = provider.clock()
    provider.clock.forward(days=1)
    question = Question(Kpi.TICKETS_LOGGED, YEAR, Grain.YEAR)
    told = (await ask(provider, replace(question, as_of=then))).series[0].series.total.value
    assert told != 2
    await _rebuilt(provider)
    assert (await ask(provider, replace(question, as_of=then))).series[0].series.total.value == told
    again = (await ask(provider, replace(question, as_of=provider.clock()))).series[0].series.total.value
    assert again == await number(provider, Kpi.TICKETS_LOGGED) == 2


async def test_figures_are_put_right_while_tickets_come_in_and_are_folded(
    worker_database: str, provider: Provider
) -> None:
    client = await provider.client()
    await report(provider, *(ticket(n, days=n % 9, tiers=(1, 2)) for n in range(40)), client=client)
    await fold(provider)
    await _plant(worker_database, "delete from ticket_delta where tenant_id = $1 and tickets > 0", provider.tenant_id)
    work = [
        report(provider, *(ticket(n % 60, days=n % 7, tiers=(1, 3)) for n in range(start, start + 20)), client=client)
        for start in range(0, 100, 10)
    ]
    await asyncio.gather(*work, *(fold(provider) for _ in range(6)), *(_rebuilt(provider) for _ in range(2)))
    assert await _proven(provider) == []
    while await fold(provider):
        pass
    assert await _proven(provider) == []


async def test_a_tenant_is_gone_through_part_by_part(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recounts, "AT_ONCE", 3)
    monkeypatch.setattr(cell_recounts, "AT_ONCE", 3)
    client = await provider.client()
    said = [ticket(n, tiers=(1, 2), priority=list(Priority)[n % 5], days=n * 9) for n in range(10)]
    await report(provider, *said, client=client)
    await fold(provider)
    stretches = [one async for one in proofs.prove(provider.context, system(provider.tenant_id))]
    assert sum(one.ledger is Ledger.DELTAS for one in stretches) == 5
    assert len({one.what for one in stretches}) == len(stretches) - 5
    assert [one for one in stretches if one.found] == []


async def _plant(url: str, statement: str, tenant: UUID) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement, tenant)
    finally:
        await connection.close()
