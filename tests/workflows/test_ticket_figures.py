import asyncio
from dataclasses import replace
from datetime import date, datetime

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from db import cycles
from db.session import Database
from domain.clients import ExternalKey
from domain.kpis import Dimension, Kpi, Where
from domain.periods import Period
from domain.questions import Answer, Question
from domain.tickets import Exclusion, Priority, TicketSource
from tests.support.onboarding import opened
from tests.support.providers import Provider, done, new_provider, sent
from tests.support.tickets import DESK, MARCH, NOON, ask, fold, number, report, ticket
from workflows import tickets
from workflows.clients import CreateClient
from workflows.clients import create as create_client
from workflows.restating import restate

RECOUNT = text("""
    select case when cast(:by as text) = 'CLIENT' then coalesce(replace(t.client_id::text, '-', ''), 'UNKNOWN')
                when :by = 'STAGE' then t.stage when :by = 'PHASE' then t.phase
                when :by = 'PRIORITY' then t.priority else '' end as member,
           to_char(t.logged_at at time zone 'Europe/Amsterdam', 'YYYY-MM') as month,
           count(*) as tickets, count(*) filter (where t.escalations > 0) as escalated
    from ticket t where t.tenant_id = :tenant and t.exclusion is null and t.source = 'PERSON'
    group by 1, 2
""")

RECOUNT_ESCALATIONS = text("""
    select to_char(e.at at time zone 'Europe/Amsterdam', 'YYYY-MM') as month, sum(e.times) as escalations
    from escalation e join ticket t on t.tenant_id = e.tenant_id and t.id = e.ticket_id
    where e.tenant_id = :tenant and t.exclusion is null and t.source = 'PERSON'
    group by 1
""")

KEPT = (None, Dimension.CLIENT, Dimension.STAGE, Dimension.PHASE, Dimension.PRIORITY)

STEPS = st.lists(
    st.one_of(
        st.just("fold"),
        st.tuples(
            st.integers(1, 6),
            st.integers(0, 2),
            st.integers(-40, 40),
            st.lists(st.integers(1, 3), min_size=1, max_size=4),
            st.sampled_from([None, None, None, Exclusion.MERGED]),
            st.sampled_from(list(Priority)),
            st.sampled_from([TicketSource.PERSON, TicketSource.PERSON, TicketSource.ALERT]),
        ),
    ),
    max_size=14,
)


@given(steps=STEPS)
@settings(max_examples=40)
async def test_a_figure_equals_a_plain_recount_whatever_happens_to_the_tickets(
    database: Database, steps: list[object]
) -> None:
    provider = await new_provider(database)
    clients = [await provider.client("A"), await provider.client("B"), None]
    remembered: list[tuple[datetime, Answer]] = []
    question = Question(Kpi.ESCALATION_RATE, Period(date(2025, 12, 1), date(2026, 6, 1)), by=(Dimension.CLIENT,))
    for step in steps:
        if isinstance(step, tuple):
            which, client, days, tiers, exclusion, priority, source = step
            said = {"exclusion": exclusion, "priority": priority, "source": source}
            await report(provider, ticket(which, days=days, tiers=tuple(tiers), **said), client=clients[client])
        else:
            await fold(provider)
        remembered.append((provider.clock(), await ask(provider, question)))
        provider.clock.forward(minutes=1)
    for dimension in KEPT:
        await _assert_equal_to_a_recount(provider, question, dimension)
    for then, answer in remembered:
        again = await ask(provider, replace(question, as_of=then))
        assert _sums(again) == _sums(answer)


async def _assert_equal_to_a_recount(provider: Provider, question: Question, dimension: Dimension | None) -> None:
    by = (dimension,) if dimension else ()
    rates = await ask(provider, replace(question, by=by))
    escalations = await ask(provider, replace(question, kpi=Kpi.ESCALATIONS, by=()))
    async with provider.context.database.reading(provider.admin) as tx:
        rows = await tx.rows(RECOUNT, tenant=tx.tenant, by=dimension.value if dimension else "")
        raised = await tx.rows(RECOUNT_ESCALATIONS, tenant=tx.tenant)
    assert _sums(rates) == {(row["member"], row["month"]): (row["escalated"], row["tickets"]) for row in rows}
    counted = {
        f"{point.bucket.start:%Y-%m}": point.value.value
        for point in escalations.series[0].series.points
        if point.value.value
    }
    assert counted == {row["month"]: row["escalations"] for row in raised}


def _sums(answer: Answer) -> dict[tuple[str, str], tuple[float | None, float | None]]:
    return {
        ("".join(one.members), f"{point.bucket.start:%Y-%m}"): (point.value.numerator, point.value.denominator)
        for one in answer.series
        for point in one.series.points
        if point.value.denominator
    }


async def test_tickets_of_an_unknown_key_get_their_client_once_somebody_maps_it(provider: Provider) -> None:
    await report(provider, ticket(1, tiers=(1, 2), client="ACME-7"), ticket(2, client="other"))
    await fold(provider)
    ref = ExternalKey(DESK, "ACME-7")
    client = done(await create_client(provider.context, provider.admin, sent(), CreateClient("Acme", external=(ref,))))
    await tickets.attribute(provider.context)
    answer = await ask(provider, Question(Kpi.ESCALATION_RATE, MARCH, by=(Dimension.CLIENT,)))
    sums = {one.members[0]: (one.series.total.numerator, one.series.total.denominator) for one in answer.series}
    assert sums == {client.hex: (1, 1), "UNKNOWN": (0, 1)}
    assert await number(provider, Kpi.ESCALATIONS, Where(clients=(client,))) == 1
    assert await number(provider, Kpi.TICKETS_LOGGED) == 2
    assert (await report(provider, ticket(1, tiers=(1, 2), client="ACME-7")))["unchanged"] == 1


async def test_tickets_are_stamped_anew_after_a_clients_history_was_corrected(provider: Provider) -> None:
    client = await provider.client()
    await report(provider, ticket(1), ticket(2, days=-30), client=client)
    opening = await opened(provider)
    assert await number(provider, Kpi.TICKETS_LOGGED, Where(stages=("CONTRACTING",))) == 0
    await report(provider, ticket(3, logged_at=provider.clock()), client=opening.client)
    async with provider.context.database.writing(provider.admin) as tx:
        await tx.run(
            text("update visit set stage = 'ASSET_DISCOVERY' where tenant_id = :tenant and cycle_id = :cycle"),
            tenant=tx.tenant,
            cycle=opening.cycle,
        )
        (cycle,) = (await cycles.by_ids(tx, [opening.cycle])).values()
        now = provider.clock()
        (restated,) = await restate(tx, provider.admin, sent(), cycle, (NOON, now), now)
    assert restated.count == 1
    assert await number(provider, Kpi.TICKETS_LOGGED, Where(stages=("CONTRACTING",))) == 0
    assert await number(provider, Kpi.TICKETS_LOGGED, Where(stages=("ASSET_DISCOVERY",))) == 1


async def test_batches_and_folds_at_once_neither_lose_nor_double_a_ticket(provider: Provider) -> None:
    clients = [await provider.client(f"Client {n}") for n in range(3)]
    batches = [
        [ticket(n % 40, days=n % 9, tiers=(1, 2)) for n in range(start, start + 30)] for start in range(0, 90, 10)
    ]
    work = [report(provider, *batch, client=clients[n % 3]) for n, batch in enumerate(batches)]
    await asyncio.gather(*work, *(fold(provider) for _ in range(6)))
    while await fold(provider):
        pass
    question = Question(Kpi.ESCALATION_RATE, Period(date(2025, 12, 1), date(2026, 6, 1)))
    for dimension in KEPT:
        await _assert_equal_to_a_recount(provider, question, dimension)
    assert await number(provider, Kpi.TICKETS_LOGGED) == 40
