"""What counts as an escalation changes by versions: tried before, gone through after, earlier answers as they were."""

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from db import escalation_rules
from domain.access import Role
from domain.errors import ForbiddenError
from domain.escalations import EscalationTest
from domain.jobs import JobStatus
from domain.kpis import Kpi
from domain.periods import Grain, Period
from domain.questions import Question
from tests.support.jobs import latest
from tests.support.providers import Provider, codes, sent
from tests.support.rules import ANY_TEAM, BY_KIND, handed, set_rule, work
from tests.support.tickets import DESK, YEAR, ask, fold, number, report, ticket
from workflows import escalation_rules as rules
from workflows import rederiving
from workflows.escalation_rules import ApplyRules, SetRule


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
