from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from db import answers
from domain.access import Principal, Scope
from domain.errors import ForbiddenError
from domain.escalations import EscalationRule, EscalationTest
from domain.kpi_values import Status
from domain.kpis import Dimension, Kpi, Where
from domain.periods import Grain, Period
from domain.questions import Comparison, Question
from domain.tickets import Exclusion, HandOver, TicketSource
from tests.support.providers import Provider, sent
from tests.support.tickets import DESK, MARCH, NOON, YEAR, ask, fold, number, report, ticket
from workflows import tickets
from workflows.tickets import IngestTickets


async def test_a_ticket_counts_at_once_and_after_folding_just_the_same(provider: Provider) -> None:
    client = await provider.client()
    await report(provider, ticket(1, tiers=(1, 2, 1, 3)), ticket(2), client=client)
    for _ in range(2):
        assert await number(provider, Kpi.TICKETS_LOGGED) == 2
        assert await number(provider, Kpi.ESCALATED_TICKETS) == 1
        assert await number(provider, Kpi.ESCALATIONS) == 2
        assert await number(provider, Kpi.ESCALATION_RATE) == 0.5
        await fold(provider)
    assert await fold(provider) == 0


async def test_saying_it_again_changes_nothing(provider: Provider) -> None:
    client = await provider.client()
    batch = [ticket(n, tiers=(1, 2)) for n in range(5)]
    assert await report(provider, *batch, client=client) == {"created": 5, "changed": 0, "unchanged": 0}
    async with provider.context.database.reading(provider.admin) as tx:
        deltas = await tx.value(text("select count(*) from ticket_delta where tenant_id = :tenant"), tenant=tx.tenant)
    assert await report(provider, *batch, client=client) == {"created": 0, "changed": 0, "unchanged": 5}
    async with provider.context.database.reading(provider.admin) as tx:
        again = await tx.value(text("select count(*) from ticket_delta where tenant_id = :tenant"), tenant=tx.tenant)
        versions = await tx.value(text("select max(version) from ticket where tenant_id = :tenant"), tenant=tx.tenant)
    assert (again, versions) == (deltas, 1)


async def test_a_ticket_that_moves_to_another_client_restates_both(provider: Provider) -> None:
    here, there = await provider.client("Here"), await provider.client("There")
    await report(provider, ticket(1, tiers=(1, 2)), client=here)
    await fold(provider)
    await report(provider, ticket(1, tiers=(1, 2)), client=there)
    for client, expected in ((here, 0), (there, 1)):
        assert await number(provider, Kpi.TICKETS_LOGGED, Where(clients=(client,))) == expected
        assert await number(provider, Kpi.ESCALATIONS, Where(clients=(client,))) == expected
    assert await number(provider, Kpi.TICKETS_LOGGED) == 1


@pytest.mark.parametrize("reason", list(Exclusion))
async def test_a_ticket_merged_deleted_or_marked_spam_counts_no_longer(provider: Provider, reason: Exclusion) -> None:
    client = await provider.client()
    await report(provider, ticket(1, tiers=(1, 2)), ticket(2), client=client)
    await report(provider, ticket(1, tiers=(1, 2), exclusion=reason), client=client)
    assert await number(provider, Kpi.TICKETS_LOGGED) == 1
    assert await number(provider, Kpi.ESCALATIONS) == 0


async def test_tickets_of_alerts_are_a_source_of_their_own(provider: Provider) -> None:
    client = await provider.client()
    await report(provider, ticket(1), ticket(2, source=TicketSource.ALERT), client=client)
    assert await number(provider, Kpi.TICKETS_LOGGED) == 1
    assert await number(provider, Kpi.TICKETS_LOGGED, Where(sources=(TicketSource.ALERT,))) == 1
    assert await number(provider, Kpi.TICKETS_LOGGED, Where(sources=tuple(TicketSource))) == 2


async def test_an_older_report_never_overwrites_a_newer_one(provider: Provider) -> None:
    client = await provider.client()
    newer, older = NOON + timedelta(days=2), NOON + timedelta(days=1)
    await report(provider, ticket(1, tiers=(1, 2), changed_at=newer), client=client)
    assert (await report(provider, ticket(1, changed_at=older), client=client))["unchanged"] == 1
    assert await number(provider, Kpi.ESCALATED_TICKETS) == 1


async def test_a_ticket_belongs_to_the_local_day_of_the_provider(provider: Provider) -> None:
    client = await provider.client()
    late = datetime(2026, 3, 31, 22, 30, tzinfo=UTC)  # half past midnight in Amsterdam, already April
    await report(provider, replace(ticket(1), logged_at=late), client=client)
    assert await number(provider, Kpi.TICKETS_LOGGED, period=MARCH) == 0
    assert await number(provider, Kpi.TICKETS_LOGGED, period=Period(date(2026, 4, 1), date(2026, 4, 2))) == 1


async def test_a_rate_is_by_the_day_logged_and_escalations_by_the_day_they_happened(provider: Provider) -> None:
    client = await provider.client()
    await report(provider, ticket(1, days=30, tiers=(1, 2)), client=client)
    provider.clock.forward(days=200)
    for kpi, months in ((Kpi.ESCALATED_TICKETS, [1, 0]), (Kpi.ESCALATIONS, [0, 1])):
        answer = await ask(provider, Question(kpi, Period(date(2026, 3, 1), date(2026, 5, 1))))
        assert [point.value.value for point in answer.series[0].series.points] == months


async def test_a_rate_is_partial_until_the_tenants_own_time_to_escalate_has_passed(provider: Provider) -> None:
    client = await provider.client()
    slow = [ticket(n, tiers=(1, 1, 1, 1, 2)) for n in range(30)]
    await report(provider, *slow, client=client)
    await fold(provider)
    first = Period(date(2026, 3, 1), date(2026, 3, 2))
    question = Question(Kpi.ESCALATION_RATE, first, Grain.DAY)
    provider.clock.now = datetime(2026, 3, 5, 13, tzinfo=UTC)
    answer = await ask(provider, question)
    assert answer.settling == timedelta(days=4)
    assert answer.series[0].series.total.status is Status.PARTIAL
    provider.clock.forward(days=2)
    assert (await ask(provider, question)).series[0].series.total.status is Status.OK


async def test_an_earlier_answer_can_be_had_again(provider: Provider) -> None:
    client = await provider.client()
    await report(provider, ticket(1), ticket(2), client=client)
    then = provider.clock()
    provider.clock.forward(days=3)
    await report(provider, ticket(1, tiers=(1, 2)), ticket(3), client=client)
    await fold(provider)
    now = Question(Kpi.ESCALATION_RATE, YEAR, Grain.YEAR)
    assert (await ask(provider, now)).series[0].series.total.denominator == 3
    total = (await ask(provider, replace(now, as_of=then))).series[0].series.total
    assert (total.numerator, total.denominator) == (0, 2)
    before = (await ask(provider, replace(now, as_of=then - timedelta(seconds=1)))).series[0].series.total
    assert before.status is Status.NO_DATA


async def test_a_comparison_gives_the_period_before(provider: Provider) -> None:
    client = await provider.client()
    await report(provider, ticket(1), ticket(2), ticket(3, days=-10), client=client)
    question = Question(Kpi.TICKETS_LOGGED, MARCH, compare=Comparison.PREVIOUS_PERIOD)
    answer = await ask(provider, question)
    assert answer.series[0].previous is not None
    assert (answer.series[0].series.total.value, answer.series[0].previous.value) == (2, 1)
    assert question.compared_with == Period(date(2026, 2, 1), date(2026, 3, 1))


async def test_clients_asked_for_by_name_answer_even_without_tickets(provider: Provider) -> None:
    busy, idle = await provider.client("Busy"), await provider.client("Idle")
    await report(provider, *(ticket(n) for n in range(3)), client=busy)
    where = Where(clients=(busy, idle))
    answer = await ask(provider, Question(Kpi.ESCALATION_RATE, MARCH, by=(Dimension.CLIENT,), where=where))
    assert [(one.members, one.series.total.status) for one in answer.series] == [
        ((busy.hex,), Status.INSUFFICIENT_SAMPLE),
        ((idle.hex,), Status.NO_DATA),
    ]
    top = await ask(provider, Question(Kpi.TICKETS_LOGGED, MARCH, by=(Dimension.CLIENT,), where=where, top=1))
    assert top.truncated
    assert [one.members for one in top.series] == [(busy.hex,)]


async def test_tickets_of_no_known_client_are_counted_apart(provider: Provider) -> None:
    client = await provider.client()
    await report(provider, ticket(1), client=client)
    await report(provider, ticket(2, client="nobody knows"), ticket(3))
    assert await number(provider, Kpi.TICKETS_LOGGED) == 3
    answer = await ask(provider, Question(Kpi.TICKETS_LOGGED, MARCH, by=(Dimension.CLIENT,)))
    assert {one.members[0]: one.series.total.value for one in answer.series} == {client.hex: 1, "UNKNOWN": 2}


async def test_a_program_for_one_client_sees_that_clients_figures_as_its_whole(provider: Provider) -> None:
    mine, other = await provider.client("Mine"), await provider.client("Other")
    program = await provider.program(Scope.KPIS_READ, Scope.CLIENTS_READ, clients=(mine,))
    await report(provider, ticket(1), client=mine)
    await report(provider, ticket(2), ticket(3), client=other)
    await report(provider, ticket(4))
    for _ in range(2):
        whole = await ask(provider, Question(Kpi.TICKETS_LOGGED, MARCH), program)
        assert whole.series[0].series.total.value == 1
        asked = await ask(provider, Question(Kpi.TICKETS_LOGGED, MARCH, where=Where(clients=(other,))), program)
        assert asked.series[0].series.total.value == 0
        split = await ask(provider, Question(Kpi.TICKETS_LOGGED, MARCH, by=(Dimension.CLIENT,)), program)
        assert [one.members for one in split.series] == [(mine.hex,)]
        await fold(provider)


async def test_another_provider_sees_none_of_it(provider: Provider, other_provider: Provider) -> None:
    client = await provider.client()
    await report(provider, ticket(1, tiers=(1, 2)), client=client)
    await fold(provider)
    for where in (Where(), Where(clients=(client,))):
        assert await number(other_provider, Kpi.TICKETS_LOGGED, where) == 0
    async with other_provider.context.database.reading(other_provider.admin) as tx:
        for table in ("ticket", "hand_over", "escalation", "ticket_delta", "ticket_cell", "escalation_rule"):
            assert await tx.value(text(f"select count(*) from {table}")) == 0  # noqa: S608 -- names of our own tables


async def test_a_program_cannot_write_over_a_ticket_that_it_does_not_see(provider: Provider) -> None:
    mine, other = await provider.client("Mine"), await provider.client("Other")
    await report(provider, ticket(1), client=other)
    program = await provider.program(Scope.TICKETS_WRITE, clients=(mine,))
    for number_, client in ((1, mine), (2, other)):
        command = IngestTickets(DESK, (ticket(number_), ticket(9)), client)
        try:
            outcome = await tickets.ingest(provider.context, program, sent(str(uuid4())), command)
        except ForbiddenError:
            continue
        assert outcome.errors
    assert await number(provider, Kpi.TICKETS_LOGGED) == 1


async def test_a_ticket_twice_in_a_batch_is_refused_by_name(provider: Provider) -> None:
    command = IngestTickets(DESK, (ticket(1), ticket(1)))
    outcome = await tickets.ingest(provider.context, provider.admin, sent(), command)
    assert outcome.errors[0].path == ("tickets", "1", "externalId")
    assert "'T-1' stands twice" in outcome.errors[0].message


async def test_the_rule_of_a_system_is_set_once_and_kept(provider: Provider) -> None:
    by_team = EscalationRule(EscalationTest.REASSIGNED)
    handed = tuple(HandOver(NOON, team) for team in "AB")
    command = IngestTickets(DESK, (replace(ticket(1), hand_overs=handed),), rule=by_team)
    await tickets.ingest(provider.context, provider.admin, sent(), command)
    await report(provider, replace(ticket(2), hand_overs=handed))
    assert await number(provider, Kpi.ESCALATED_TICKETS) == 2


async def test_the_statements_of_a_batch_and_of_an_answer_do_not_grow_with_it(provider: Provider) -> None:
    clients = [await provider.client(f"Client {n}") for n in range(4)]

    async def statements(principal: Principal, count: int, start: int) -> tuple[int, int]:
        batch = tuple(ticket(start + n, days=n % 20, tiers=(1, 2)) for n in range(count))
        async with provider.context.database.writing(principal) as tx:
            command = IngestTickets(DESK, batch, clients[start % 4])
            await tickets.write(provider.context, principal, sent(), tx, command)
            wrote = tx.statements
        async with provider.context.database.reading(principal) as tx:
            question = Question(Kpi.ESCALATION_RATE, MARCH, Grain.DAY, by=(Dimension.CLIENT,))
            await answers.answer(tx, question, provider.clock())
            return wrote, tx.statements

    await statements(provider.admin, 1, 0)
    assert await statements(provider.admin, 1, 10_000) == await statements(provider.admin, 500, 20_001)
