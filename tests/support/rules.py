"""Rules of escalations for tests: set in a line, with hand-overs that they see, and the work that follows done."""

from datetime import timedelta

from domain.errors import Outcome
from domain.escalations import EscalationTest
from domain.jobs import Job
from domain.kpis import Where
from domain.tickets import EscalationKind, HandOver
from tests.support.jobs import latest
from tests.support.providers import Provider, sent
from tests.support.tickets import DESK, NOON
from workflows import escalation_rules, job_runs
from workflows.escalation_rules import SetRule

ANY_TEAM = SetRule(DESK, EscalationTest.REASSIGNED)
BY_KIND = {kind: Where(escalation_kind=kind) for kind in EscalationKind}


def handed(*teams: str) -> tuple[HandOver, ...]:
    return tuple(HandOver(NOON + timedelta(hours=place), team, 1) for place, team in enumerate(teams))


async def set_rule(provider: Provider, command: SetRule) -> Outcome:
    return await escalation_rules.set_rule(provider.context, provider.admin, sent(), command)


async def worked(provider: Provider) -> None:
    """Let workers do what jobs there are."""
    while await job_runs.work(provider.context):
        pass


async def work(provider: Provider) -> Job:
    """Let workers do what jobs there are, and return the latest."""
    await worked(provider)
    async with provider.context.database.reading(provider.admin) as tx:
        return (await latest(tx))[0]
