"""A pass through stored tickets makes of them what a fresh database would, however often it is stopped."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from db import escalation_rules
from db.session import Database
from domain.access import system
from domain.escalations import EscalationRule, EscalationTest
from domain.jobs import JobStatus
from domain.kpi_definitions import FACTS
from domain.kpis import Kpi, Where
from domain.periods import Grain, Period, Weekday
from domain.questions import Question
from domain.tickets import (
    Exclusion,
    HandOver,
    ReportedTicket,
    Resolution,
    SlaTarget,
    TicketKind,
    TicketSource,
)
from tests.support.clock import Clock
from tests.support.jobs import latest
from tests.support.onboarding import opened
from tests.support.providers import Provider, new_provider, sent
from tests.support.rules import ANY_TEAM, BY_KIND, handed, set_rule, work, worked
from tests.support.tickets import DESK, NOON, YEAR, ask, fold, number, report, ticket
from workflows import calendars, job_runs, proofs, reassessing, rederiving, tenants, tickets
from workflows import escalation_rules as rules
from workflows import jobs as running
from workflows.calendars import SetCalendar
from workflows.escalation_rules import ApplyRules, SetRule
from workflows.tenants import UpdateSettings
from workflows.tickets import IngestTickets
from workflows.working_weeks import Terms


async def test_a_pass_that_was_cancelled_leaves_a_mixture_which_another_pass_ends(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rederiving, "AT_ONCE", 3)
    client = await provider.client()
    await report(provider, *(ticket(n, hand_overs=handed("A", "B")) for n in range(10)), client=client)
    await set_rule(provider, ANY_TEAM)
    steps = 0
    reassess = reassessing.reassess

    async def cancelled_meanwhile(*arguments: Any) -> int:
        nonlocal steps
        steps += 1
        if steps == 2:
            async with provider.context.database.reading(provider.admin) as tx:
                (job, *_) = await latest(tx)
            await running.cancel(provider.context, provider.admin, sent(), job.id)
        return await reassess(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(rederiving, "reassess", cancelled_meanwhile)
        job = await work(provider)
    assert (job.status, job.done) == (JobStatus.CANCELLED, 6)
    assert await number(provider, Kpi.ESCALATIONS) == 6
    async with provider.context.database.reading(provider.admin) as tx:
        assert await escalation_rules.mixed(tx, provider.clock()) == {DESK: (1, 2)}
    await rules.apply(provider.context, provider.admin, sent(), ApplyRules(DESK))
    job = await work(provider)
    assert (job.status, job.counts) == (JobStatus.DONE, {"CHANGED": 4, "UNCHANGED": 6})
    assert await number(provider, Kpi.ESCALATIONS) == 10
    async with provider.context.database.reading(provider.admin) as tx:
        assert await escalation_rules.mixed(tx, provider.clock()) == {}


async def test_a_pass_whose_worker_died_goes_on_behind_its_last_batch(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rederiving, "AT_ONCE", 3)
    client = await provider.client()
    await report(provider, *(ticket(n, hand_overs=handed("A", "B")) for n in range(10)), client=client)
    await set_rule(provider, ANY_TEAM)
    reassess, seen = reassessing.reassess, []

    async def dying(*arguments: Any) -> int:
        seen.append(len(arguments[-1]))
        done = await reassess(*arguments)
        if len(seen) == 2:
            raise KeyboardInterrupt
        return done

    with monkeypatch.context() as patch:
        patch.setattr(rederiving, "reassess", dying)
        with pytest.raises(KeyboardInterrupt):
            await work(provider)
        assert await number(provider, Kpi.ESCALATIONS) == 3
        job = await work(provider)
    assert (job.status, job.done, job.counts) == (JobStatus.DONE, 10, {"CHANGED": 10})
    assert await number(provider, Kpi.ESCALATIONS) == 10


async def test_a_pass_ends_when_a_newer_version_is_set(provider: Provider) -> None:
    client = await provider.client()
    await report(provider, ticket(1, hand_overs=handed("A", "B", "C")), client=client)
    await set_rule(provider, ANY_TEAM)
    await set_rule(provider, replace(ANY_TEAM, from_reassignment=2))
    await work(provider)
    assert await number(provider, Kpi.ESCALATIONS) == 1
    async with provider.context.database.reading(provider.admin) as tx:
        assert [job.status for job in await latest(tx)] == [JobStatus.DONE, JobStatus.DONE]
        assert (await escalation_rules.newest(tx))[DESK].applied_at is not None
        assert await escalation_rules.mixed(tx, provider.clock()) == {}


async def test_tickets_and_folds_meanwhile_and_two_workers_lose_and_double_nothing(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rederiving, "AT_ONCE", 7)
    client = await provider.client()
    said = [ticket(n, hand_overs=handed("A", "B"), days=n % 5) for n in range(60)]
    await report(provider, *said, client=client)
    await set_rule(provider, ANY_TEAM)
    await rules.apply(provider.context, provider.admin, sent(), ApplyRules())
    again = [replace(one, hand_overs=handed("A", "B", "C")) for one in said[::2]]
    await asyncio.gather(
        job_runs.work(provider.context),
        job_runs.work(provider.context),
        *(report(provider, *again[start : start + 10], client=client) for start in range(0, 30, 10)),
        *(fold(provider) for _ in range(5)),
    )
    await work(provider)
    assert await number(provider, Kpi.ESCALATIONS) == 90
    assert [one async for one in proofs.prove(provider.context, system(provider.tenant_id)) if one.found] == []


TEAMS = st.sampled_from(["A", "B", "C", None])
LOGGED = st.integers(-60, 60).map(lambda days: NOON + timedelta(days=days, hours=10))


@st.composite
def _reports(draw: st.DrawFn) -> ReportedTicket:
    logged = draw(LOGGED)
    teams = draw(st.lists(st.tuples(TEAMS, st.integers(1, 3)), max_size=4))
    due = draw(st.one_of(st.none(), st.integers(1, 90).map(lambda days: SlaTarget(logged + timedelta(days=days)))))
    ended = draw(st.one_of(st.none(), st.integers(1, 90).map(lambda days: Resolution(logged + timedelta(days=days)))))
    return ReportedTicket(
        f"T-{draw(st.integers(1, 9))}",
        None,
        logged,
        source=draw(st.sampled_from([TicketSource.PERSON, TicketSource.PERSON, TicketSource.ALERT])),
        exclusion=draw(st.sampled_from([None, None, None, Exclusion.SPAM])),
        hand_overs=tuple(HandOver(logged + timedelta(days=n), *one) for n, one in enumerate(teams)),
        resolution_sla=due,
        resolutions=(ended,) if ended else (),
    )


RULES = st.builds(
    SetRule,
    st.just(DESK),
    st.sampled_from([EscalationTest.REASSIGNED, EscalationTest.TIER_RAISED]),
    vendor_teams=st.sampled_from([(), ("B",)]),
    management_teams=st.sampled_from([(), ("C",)]),
    sla_missed=st.booleans(),
)


@given(said=st.lists(_reports(), min_size=1, max_size=12), wanted=RULES, folds=st.booleans())
@settings(max_examples=25)
async def test_a_new_rule_makes_of_old_tickets_what_a_fresh_database_would_and_a_dry_run_tells_it(
    database: Database, said: list[ReportedTicket], wanted: SetRule, folds: bool
) -> None:
    late = Clock(datetime(2026, 8, 1, 9, tzinfo=UTC))
    old, fresh = await new_provider(database, late), await new_provider(database, late)
    rule = EscalationRule(
        wanted.test,
        vendor_teams=wanted.vendor_teams,
        management_teams=wanted.management_teams,
        sla_missed=wanted.sla_missed,
    )
    for provider in (old, fresh):
        client = await provider.client()
        for one in said:
            command = IngestTickets(DESK, (one,), client, rule if provider is fresh else None)
            assert (await tickets.ingest(provider.context, provider.admin, sent(), command)).errors == ()
    if folds:
        await fold(old)
    then, before = late(), await _net(old)
    late.forward(hours=1)
    told = (await set_rule(old, replace(wanted, dry_run=True))).facts[rules.TRIAL_FACT]
    await set_rule(old, wanted)
    await worked(old)
    assert await _net(old) == await _net(fresh)
    assert await _net(old, then) == before
    assert [one async for one in proofs.prove(old.context, system(old.tenant_id)) if one.found] == []
    await _holds(old, told, then)


async def _net(provider: Provider, as_of: datetime | None = None) -> list[tuple[object, ...]]:
    """Return what all deltas and times of a provider add up to."""
    facts = ", ".join(f"sum({fact})" for fact in FACTS)
    until = "and recorded_at <= coalesce(:as_of, recorded_at)"
    async with provider.context.database.reading(provider.admin) as tx:
        sums = await tx.rows(
            text(f"select day, source, {facts} from ticket_delta where tenant_id = :tenant {until} group by 1, 2"),  # noqa: S608 -- names of our own
            tenant=tx.tenant,
            as_of=as_of,
        )
        times = await tx.rows(
            text(
                f"select measure, day, minutes, sum(amount) from ticket_time where tenant_id = :tenant {until}"  # noqa: S608
                " group by 1, 2, 3 having sum(amount) <> 0"
            ),
            tenant=tx.tenant,
            as_of=as_of,
        )
    return sorted((tuple(row) for row in sums if any(row[2:])), key=str) + sorted(
        (tuple(row) for row in times), key=str
    )


async def _holds(provider: Provider, told: Any, then: datetime) -> None:
    """Check a dry run's figures against the answers before and after."""
    period = Period(date(2025, 12, 1), date(2026, 8, 1))
    for kind, where in BY_KIND.items():
        for kpi, name in ((Kpi.ESCALATED_TICKETS, "escalated"), (Kpi.ESCALATIONS, "escalations")):
            for side, as_of in (("before", then), ("after", provider.clock())):
                answer = await ask(provider, Question(kpi, period, where=where, as_of=as_of))
                answered = {
                    point.bucket.start.isoformat(): point.value.value
                    for point in answer.series[0].series.points
                    if point.value.value
                }
                foretold = {
                    month["month"]: one[f"{name}_{side}"]
                    for month in told["months"]
                    for one in month["kinds"]
                    if one["kind"] == kind and one[f"{name}_{side}"]
                }
                assert answered == foretold, (kind, kpi, side)


EVERY_HOUR = dict.fromkeys(Weekday, ((0, 1440),))
MTTR = Question(Kpi.MTTR, YEAR, Grain.YEAR)


async def test_tickets_are_measured_anew_when_a_contracts_hours_or_the_providers_change(provider: Provider) -> None:
    onboarding = await opened(provider)
    solved = (Resolution(NOON + timedelta(days=2)),)
    incident = ticket(1, kind=TicketKind.INCIDENT, resolutions=solved)
    await report(provider, incident, client=onboarding.client)
    await report(provider, replace(incident, external_id="T-2"), client=await provider.client())
    then = provider.clock()

    async def hours(as_of: datetime | None = None) -> float | None:
        asked = replace(MTTR, as_of=as_of, where=Where(clients=(onboarding.client,)))
        return (await ask(provider, asked)).series[0].series.total.value

    in_office_hours = await hours()
    provider.clock.forward(hours=1)
    around_the_clock = SetCalendar(onboarding.contract, Terms(hours=EVERY_HOUR))
    context = provider.context
    assert (await calendars.set_contract(context, provider.admin, sent(), around_the_clock)).errors == ()
    job = await work(provider)
    assert (job.client, job.total, job.counts) == (onboarding.client, 1, {"CHANGED": 1})
    assert (await hours(), await hours(then)) == (48, in_office_hours)
    assert in_office_hours != 48
    settings = UpdateSettings(hours=EVERY_HOUR)
    assert (await tenants.update_settings(context, provider.admin, sent(), settings)).errors == ()
    assert (await work(provider)).counts == {"CHANGED": 1, "UNCHANGED": 1}
    assert [one async for one in proofs.prove(context, system(provider.tenant_id)) if one.found] == []


async def test_tickets_of_before_there_were_such_figures_are_brought_up(
    worker_database: str, database: Database
) -> None:
    early = Clock()
    old, fresh = await new_provider(database, early), await new_provider(database, early)
    solved = (Resolution(NOON + timedelta(days=2)),)
    said = [ticket(n, kind=TicketKind.INCIDENT, tiers=(1, 2) if n % 2 else (1,), resolutions=solved) for n in range(6)]
    for provider in (old, fresh):
        await report(provider, *said, client=await provider.client())
        await fold(provider)
    connection = await asyncpg.connect(worker_database)
    try:
        for statement in _AS_OF_BEFORE:
            await connection.execute(statement, old.tenant_id)
    finally:
        await connection.close()
    assert await _net(old) != await _net(fresh)
    rebuilt = proofs.rebuild(old.context, system(old.tenant_id))
    assert sum([one.corrections async for one in rebuilt]) > 0
    await rules.apply(old.context, old.admin, sent(), ApplyRules())
    await worked(old)
    assert await _net(old) == await _net(fresh)
    assert [one async for one in proofs.prove(old.context, system(old.tenant_id)) if one.found] == []


_NEW = "backlog = 0, open_incidents = 0, resolved = 0, first_contact = 0"
_AS_OF_BEFORE = (
    f"update ticket_delta set {_NEW} where tenant_id = $1",  # noqa: S608 -- names of our own
    f"update ticket_cell set {_NEW} where tenant_id = $1",  # noqa: S608
    "delete from ticket_time where tenant_id = $1",
    """update ticket set response_minutes = null, resolve_minutes = null, first_contact = null, first_ended_at = null,
                         ended_at = null where tenant_id = $1""",
)
"""What a database had of its tickets before they were kept in full."""
