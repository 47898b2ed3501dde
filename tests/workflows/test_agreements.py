"""What was agreed on is missed at the instant at which its time passes, whatever the source says or doesn't."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text

from db.session import Transaction
from domain.escalations import EscalationRule, EscalationTest
from domain.kpis import Kpi, Where
from domain.periods import Period
from domain.tickets import EscalationKind, Exclusion, Resolution, SlaResult, SlaTarget, Wait
from tests.support.providers import Provider, sent
from tests.support.tickets import DESK, NOON, fold, number, report, ticket
from workflows import agreements, tickets
from workflows.tickets import IngestTickets

DUE = NOON + timedelta(days=3)
BY_THEN = SlaTarget(DUE)
NOW = DUE - timedelta(hours=1)
ON_THE_DAY = Period(date(2026, 3, 4), date(2026, 3, 5))


@pytest.fixture
def desk(provider: Provider) -> Provider:
    """A provider an hour before what it has agreed on is due."""
    provider.clock.now = NOW
    return provider


async def _decided(provider: Provider) -> int:
    done = 0
    while some := await agreements.decide_one(provider.context, provider.tenant_id):
        done += some
    return done


async def _result(provider: Provider, numbered: int = 1) -> tuple[SlaResult | None, datetime | None]:
    async with provider.context.database.reading(provider.admin) as tx:
        row = await tx.one(
            text("""
                select resolution_sla, resolution_decided_at from ticket
                where tenant_id = :tenant and external_id = :numbered
            """),
            tenant=tx.tenant,
            numbered=f"T-{numbered}",
        )
    assert row is not None
    return row["resolution_sla"], row["resolution_decided_at"]


async def test_a_target_is_missed_at_the_instant_it_was_due_and_not_before(desk: Provider) -> None:
    await report(desk, ticket(1, resolution_sla=BY_THEN), client=await desk.client())
    desk.clock.now = DUE
    assert await _decided(desk) == 0
    desk.clock.forward(hours=9)
    assert await _decided(desk) == 1
    assert await _result(desk) == (SlaResult.MISSED, DUE)
    assert await number(desk, Kpi.SLA_MET, period=ON_THE_DAY) == 0
    assert await _decided(desk) == 0


async def test_a_first_response_that_does_not_come_is_missed_too(desk: Provider) -> None:
    await report(desk, ticket(1, response_sla=BY_THEN), client=await desk.client())
    desk.clock.forward(hours=2)
    assert await _decided(desk) == 1
    assert await number(desk, Kpi.RESPONSE_SLA_MET, period=ON_THE_DAY) == 0


async def test_what_was_done_in_time_waits_or_counts_nowhere_is_not_decided(desk: Provider) -> None:
    kept = ticket(1, resolution_sla=BY_THEN, resolutions=(Resolution(NOW),))
    waiting = ticket(2, resolution_sla=BY_THEN, waits=(Wait(NOW),))
    spam = ticket(3, resolution_sla=BY_THEN, exclusion=Exclusion.SPAM)
    await report(desk, kept, waiting, spam, client=await desk.client())
    desk.clock.forward(hours=2)
    assert await _decided(desk) == 0
    assert (await _result(desk, 2), await _result(desk, 3)) == ((None, None), (None, None))
    assert await number(desk, Kpi.SLA_MET) == 1


async def test_tickets_that_wait_stand_in_nobodys_way(desk: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agreements, "AT_ONCE", 2)
    earlier = SlaTarget(DUE - timedelta(minutes=30))
    waiting = [ticket(n, resolution_sla=earlier, waits=(Wait(NOW),)) for n in range(20)]
    overdue = [ticket(n, resolution_sla=BY_THEN, response_sla=BY_THEN) for n in range(20, 27)]
    await report(desk, *waiting, *overdue, client=await desk.client())
    desk.clock.forward(hours=2)
    assert await _decided(desk) == 7
    ended = [replace(one, waits=(Wait(NOW, desk.clock()),)) for one in waiting]
    await report(desk, *ended, client=await desk.client())
    assert await number(desk, Kpi.SLA_MET) == 0


async def test_a_missed_target_escalates_where_the_rule_says_so(desk: Provider) -> None:
    rule = EscalationRule(EscalationTest.TIER_RAISED, sla_missed=True)
    command = IngestTickets(DESK, (ticket(1, resolution_sla=BY_THEN),), await desk.client(), rule)
    await tickets.ingest(desk.context, desk.admin, sent(), command)
    await fold(desk)
    desk.clock.forward(hours=2)
    assert await _decided(desk) == 1
    by_the_clock = Where(escalation_kind=EscalationKind.SLA)
    assert await number(desk, Kpi.ESCALATIONS, by_the_clock, ON_THE_DAY) == 1
    assert await number(desk, Kpi.ESCALATIONS, period=ON_THE_DAY) == 0


async def test_subscribers_hear_of_it(desk: Provider) -> None:
    client = await desk.client()
    await report(desk, ticket(1, resolution_sla=BY_THEN), client=client)
    desk.clock.forward(hours=2)
    await _decided(desk)
    async with desk.context.database.relaying() as tx:
        told = await tx.rows(
            text("select body from pending where tenant_id = :tenant and type = 'tickets.ingested' order by id"),
            tenant=desk.tenant_id,
        )
    assert told[-1]["body"]["data"] == {"days": ["2026-03-01", "2026-03-04"], "created": 0, "updated": 1}


async def test_what_came_of_an_agreement_is_undone_when_the_source_reports_late(desk: Provider) -> None:
    client = await desk.client()
    await report(desk, ticket(1, resolution_sla=BY_THEN), client=client)
    desk.clock.forward(hours=2)
    await _decided(desk)
    await report(desk, ticket(1, resolution_sla=BY_THEN, resolutions=(Resolution(NOW),)), client=client)
    assert await _result(desk) == (SlaResult.MET, NOW)
    assert await number(desk, Kpi.SLA_MET) == 1


async def test_several_workers_decide_each_ticket_once(desk: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agreements, "AT_ONCE", 7)
    overdue = [ticket(n, resolution_sla=BY_THEN) for n in range(60)]
    client = await desk.client()
    await report(desk, *overdue, client=client)
    desk.clock.forward(hours=2)
    again = (report(desk, *overdue[20:40], client=client) for _ in range(3))
    await asyncio.gather(*(_decided(desk) for _ in range(4)), *again)
    await _decided(desk)
    async with desk.context.database.reading(desk.admin) as tx:
        assert await tx.value(_SUM, tenant=tx.tenant) == 60
        versions = await tx.value(text("select max(version) from ticket where tenant_id = :tenant"), tenant=tx.tenant)
    assert versions <= 2


_SUM = text("select sum(sla_decided) from ticket_delta where tenant_id = :tenant")


async def test_the_worker_finds_the_tenants_of_whom_something_is_due(desk: Provider, other_provider: Provider) -> None:
    await report(desk, ticket(1, resolution_sla=BY_THEN), client=await desk.client())
    await report(other_provider, ticket(1, resolution_sla=SlaTarget(datetime(2027, 1, 1, tzinfo=UTC))))
    desk.clock.forward(hours=2)
    await agreements.decide(desk.context)
    assert (await _result(desk))[0] == SlaResult.MISSED
    assert (await _result(other_provider))[0] is None


async def test_the_statements_of_a_batch_do_not_grow_with_it(desk: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    counts: list[int] = []
    run = Transaction.rows

    async def counted(tx: Transaction, *statement: object, **params: object) -> object:
        counts[-1] += 1
        return await run(tx, *statement, **params)  # type: ignore[arg-type]

    for first, size in ((0, 1), (100, 80)):
        await report(
            desk, *(ticket(first + n, resolution_sla=BY_THEN) for n in range(size)), client=await desk.client()
        )
        desk.clock.forward(hours=2)
        with monkeypatch.context() as patch:
            counts.append(0)
            patch.setattr(Transaction, "rows", counted)
            await agreements.decide_one(desk.context, desk.tenant_id)
        desk.clock.now = NOW
    assert counts[0] == counts[1]
