"""What counts as an escalation changes by versions: tried before, gone through after, earlier answers as they were."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from db import escalation_rules
from db.session import Database
from domain.access import Role, system
from domain.errors import ForbiddenError, Outcome
from domain.escalations import EscalationRule, EscalationTest
from domain.jobs import Job, JobStatus
from domain.kpi_definitions import FACTS
from domain.kpis import Kpi, Where
from domain.periods import Grain, Period
from domain.questions import Question
from domain.tickets import EscalationKind, Exclusion, HandOver, ReportedTicket, Resolution, SlaTarget, TicketSource
from tests.support.clock import Clock
from tests.support.jobs import latest
from tests.support.providers import Provider, codes, new_provider, sent
from tests.support.tickets import DESK, NOON, YEAR, ask, fold, number, report, ticket
from workflows import escalation_rules as rules
from workflows import job_runs, proofs, rederiving, tickets
from workflows import jobs as running
from workflows.escalation_rules import ApplyRules, SetRule
from workflows.tickets import IngestTickets

ANY_TEAM = SetRule(DESK, EscalationTest.REASSIGNED)
BY_KIND = {kind: Where(escalation_kind=kind) for kind in EscalationKind}


def handed(*teams: str) -> tuple[HandOver, ...]:
    return tuple(HandOver(NOON + timedelta(hours=place), team, 1) for place, team in enumerate(teams))


async def set_rule(provider: Provider, command: SetRule) -> Outcome:
    return await rules.set_rule(provider.context, provider.admin, sent(), command)


async def worked(provider: Provider) -> None:
    """Let workers do what jobs there are."""
    while await job_runs.work(provider.context):
        pass


async def work(provider: Provider) -> Job:
    """Let workers do what jobs there are, and return the latest."""
    await worked(provider)
    async with provider.context.database.reading(provider.admin) as tx:
        return (await latest(tx))[0]


async def by_kind(provider: Provider, period: Period = YEAR) -> dict[str, tuple[float | None, float | None]]:
    return {
        kind: (
            await number(provider, Kpi.ESCALATED_TICKETS, where, period),
            await number(provider, Kpi.ESCALATIONS, where, period),
        )
        for kind, where in BY_KIND.items()
    }


async def test_a_new_version_goes_through_all_tickets_and_says_who_made_it_and_why(provider: Provider) -> None:
    client = await provider.client()
    await report(provider, ticket(1, hand_overs=handed("A", "B", "A")), ticket(2, tiers=(1, 2)), client=client)
    await fold(provider)
    outcome = await set_rule(provider, replace(ANY_TEAM, expected_version=1, note=" Lines are gone. "))
    assert (outcome.errors, outcome.version) == ((), 2)
    assert await number(provider, Kpi.ESCALATIONS) == 1
    job = await work(provider)
    assert (job.status, job.done, job.total, job.counts) == (JobStatus.DONE, 2, 2, {"CHANGED": 2})
    assert await number(provider, Kpi.ESCALATIONS) == 3
    async with provider.context.database.reading(provider.admin) as tx:
        newest = (await escalation_rules.newest(tx))[DESK]
        assert await escalation_rules.mixed(tx, provider.clock()) == {}
        stamped = await tx.rows(
            text("select distinct rule_version from escalation where tenant_id = :tenant"), tenant=tx.tenant
        )
    assert (newest.author_id, newest.note, newest.applied_at) == (
        provider.admin.id,
        "Lines are gone.",
        provider.clock(),
    )
    assert [row["rule_version"] for row in stamped] == [2]


async def test_a_ticket_that_comes_in_meanwhile_counts_by_the_new_version(provider: Provider) -> None:
    client = await provider.client()
    await report(provider, ticket(1, hand_overs=handed("A", "B")), client=client)
    await set_rule(provider, ANY_TEAM)
    await report(provider, ticket(2, hand_overs=handed("A", "B")), client=client)
    assert await number(provider, Kpi.ESCALATED_TICKETS) == 1
    async with provider.context.database.reading(provider.admin) as tx:
        assert await escalation_rules.mixed(tx, provider.clock()) == {DESK: (1, 2)}
    await work(provider)
    assert await number(provider, Kpi.ESCALATED_TICKETS) == 2


async def test_an_answer_as_of_before_stays_and_doing_it_again_changes_nothing(provider: Provider) -> None:
    client = await provider.client()
    await report(provider, ticket(1, hand_overs=handed("A", "B")), client=client)
    then = provider.clock()
    provider.clock.forward(hours=1)
    await set_rule(provider, ANY_TEAM)
    await work(provider)
    question = Question(Kpi.ESCALATIONS, YEAR, Grain.YEAR, as_of=then)
    assert (await ask(provider, question)).series[0].series.total.value == 0
    assert (await set_rule(provider, ANY_TEAM)).facts == {rules.UNCHANGED_FACT: True}
    await rules.apply(provider.context, provider.admin, sent(), ApplyRules())
    assert (await work(provider)).counts == {"UNCHANGED": 1}


async def test_a_dry_run_tells_what_would_change_and_changes_nothing(provider: Provider) -> None:
    client = await provider.client()
    moved = [ticket(n, hand_overs=handed("A", "B"), days=0) for n in range(30)]
    await report(provider, *moved, ticket(99, tiers=(1, 2), days=-40), client=client)
    before = await by_kind(provider)
    outcome = await set_rule(provider, replace(ANY_TEAM, vendor_teams=("B",), dry_run=True))
    told: Any = outcome.facts[rules.TRIAL_FACT]
    assert (told["tickets"], told["changed"], len(told["sample"])) == (31, 30, 20)
    assert told["sample"][0] == {"external_id": "T-0", "before": [], "after": ["VENDOR"]}
    march = {one["kind"]: one for one in told["months"][-1]["kinds"]}
    assert (march["VENDOR"]["escalations_before"], march["VENDOR"]["escalations_after"]) == (0, 30)
    assert await by_kind(provider) == before
    narrowed = replace(ANY_TEAM, dry_run=True, start=date(2026, 1, 1), end=date(2026, 2, 1))
    told = (await set_rule(provider, narrowed)).facts[rules.TRIAL_FACT]
    assert (told["tickets"], told["changed"]) == (1, 0)
    async with provider.context.database.reading(provider.admin) as tx:
        assert (await latest(tx), (await escalation_rules.newest(tx))[DESK].version) == ([], 1)


async def test_of_many_tickets_a_job_tells_what_would_change(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "TRIED_AT_ONCE", 3)
    monkeypatch.setattr(rederiving, "AT_ONCE", 4)
    client = await provider.client()
    await report(provider, *(ticket(n, hand_overs=handed("A", "B")) for n in range(10)), client=client)
    outcome = await set_rule(provider, replace(ANY_TEAM, dry_run=True))
    job = await work(provider)
    assert (job.id.hex, job.status, job.result_count) == (outcome.facts[rules.JOB_FACT], JobStatus.DONE, 1)
    async with provider.context.database.reading(provider.admin) as tx:
        told = await tx.value(
            text("select body from job_result where tenant_id = :tenant and job_id = :job"),
            tenant=tx.tenant,
            job=job.id,
        )
    assert (told["tickets"], told["changed"]) == (10, 10)
    assert await number(provider, Kpi.ESCALATIONS) == 0


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        (replace(ANY_TEAM, from_tier=1), "fromTier"),
        (replace(ANY_TEAM, from_reassignment=0), "fromReassignment"),
        (SetRule(DESK, EscalationTest.TIER_RAISED, from_reassignment=2), "fromReassignment"),
        (SetRule(DESK, EscalationTest.TIER_RAISED, from_tier=0), "fromTier"),
        (replace(ANY_TEAM, vendor_teams=("X",), management_teams=("X",)), "managementTeams"),
        (replace(ANY_TEAM, vendor_teams=("",)), "vendorTeams"),
        (replace(ANY_TEAM, note="x" * 2_001), "note"),
        (replace(ANY_TEAM, start=date(2026, 1, 1)), "period"),
        (replace(ANY_TEAM, system=" "), "system"),
    ],
)
async def test_a_rule_that_makes_no_sense_is_refused(provider: Provider, wrong: SetRule, path: str) -> None:
    await report(provider, ticket(1))
    outcome = await set_rule(provider, wrong)
    assert (codes(outcome), outcome.errors[0].path[0]) == (["INVALID"], path)


async def test_a_rule_decided_on_another_version_is_refused(provider: Provider) -> None:
    await report(provider, ticket(1))
    assert codes(await set_rule(provider, replace(ANY_TEAM, expected_version=7))) == ["STALE_VERSION"]
    outcome = await rules.apply(provider.context, provider.admin, sent(), ApplyRules("NOWHERE"))
    assert codes(outcome) == ["NOT_FOUND"]


async def test_a_rule_takes_the_right_to_write_policies_for_every_client(provider: Provider) -> None:
    viewer = await provider.invited(Role.VIEWER)
    for principal in (viewer, replace(provider.admin, clients=frozenset[UUID]())):
        with pytest.raises(ForbiddenError):
            await rules.set_rule(provider.context, principal, sent(), ANY_TEAM)
        with pytest.raises(ForbiddenError):
            await rules.apply(provider.context, principal, sent(), ApplyRules())


async def test_a_pass_that_was_cancelled_leaves_a_mixture_which_another_pass_ends(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rederiving, "AT_ONCE", 3)
    client = await provider.client()
    await report(provider, *(ticket(n, hand_overs=handed("A", "B")) for n in range(10)), client=client)
    await set_rule(provider, ANY_TEAM)
    steps = 0
    reassess = rederiving.reassess

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
    reassess, seen = rederiving.reassess, []

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
