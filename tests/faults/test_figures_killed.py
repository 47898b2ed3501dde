"""Workers are killed while they fold figures and go through tickets that come late, out of order and corrected."""

import asyncio
import random
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from sqlalchemy import text

from db.session import APP_ROLE, RELAY_ROLE, Database
from domain.access import system
from domain.escalations import EscalationTest
from domain.tickets import (
    Exclusion,
    HandOver,
    Priority,
    ReportedTicket,
    Resolution,
    SlaTarget,
    TicketKind,
    TicketSource,
)
from tests.support.clock import WallClock
from tests.support.postgres import Postgres
from tests.support.providers import Provider, new_provider, sent
from tests.support.tickets import DESK, report
from tests.support.worker_process import workers
from workflows import escalation_rules, proofs
from workflows.escalation_rules import ApplyRules, SetRule

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")

KILLS, BATCHES, TICKETS = 5, 6, 120
WAITING = text("""
    select (select count(*) from unfolded_delta where tenant_id = :tenant)
         + (select count(*) from job where tenant_id = :tenant and status in ('QUEUED', 'RUNNING'))
""")


def _said(chance: random.Random) -> ReportedTicket:
    """Draw a report of one of some tickets: newer or older than what was said of it before, and mostly other."""
    logged = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(hours=chance.randrange(24 * 90))
    teams = [HandOver(logged + timedelta(hours=n), chance.choice("ABC"), n + 1) for n in range(chance.randrange(4))]
    ended = logged + timedelta(hours=chance.randrange(1, 400))
    return ReportedTicket(
        f"T-{chance.randrange(700)}",
        None,
        logged,
        kind=chance.choice([TicketKind.INCIDENT, TicketKind.REQUEST]),
        source=chance.choice(list(TicketSource)),
        priority=chance.choice(list(Priority)),
        category=chance.choice([None, "mail", "network"]),
        changed_at=logged + timedelta(hours=chance.randrange(400)),
        exclusion=chance.choice([None, None, None, None, Exclusion.MERGED]),
        hand_overs=tuple(teams),
        first_responded_at=logged + timedelta(minutes=chance.randrange(600)),
        resolutions=chance.choice([(), (Resolution(ended),), (Resolution(ended, ended + timedelta(hours=9)),)]),
        resolution_sla=chance.choice([None, SlaTarget(logged + timedelta(hours=100))]),
    )


async def test_what_workers_killed_in_the_middle_leave_is_what_the_tickets_say(
    postgres: Postgres, database_url: str, fresh_database: Database
) -> None:
    name = urlsplit(database_url).path.removeprefix("/")
    urls = (postgres.url(name, APP_ROLE), postgres.url(name, RELAY_ROLE))
    provider = await new_provider(fresh_database, WallClock())
    clients = [await provider.client("A"), await provider.client("B"), None]
    chance = random.Random(19)
    rule = SetRule(DESK, EscalationTest.REASSIGNED)
    async with asyncio.timeout(240):
        for killed in range(KILLS):
            async with workers(urls):
                for _ in range(BATCHES):
                    drawn = {one.external_id: one for one in (_said(chance) for _ in range(TICKETS))}
                    await report(provider, *drawn.values(), client=chance.choice(clients))
                wanted = replace(rule, from_reassignment=killed % 3 + 1, sla_missed=bool(killed % 2))
                changed = await escalation_rules.set_rule(provider.context, provider.admin, sent(), wanted)
                assert changed.errors == ()
                await asyncio.sleep(chance.random() * 0.5)
            assert await _amiss(provider) == []
        await escalation_rules.apply(provider.context, provider.admin, sent(), ApplyRules())
        assert await _waiting(provider) > 0, "nothing was left in the middle"
        async with workers(urls):
            while await _waiting(provider):  # noqa: ASYNC110 -- other processes are at it
                await asyncio.sleep(0.05)
    assert await _amiss(provider) == []
    async with provider.context.database.reading(provider.admin) as tx:
        standing = await tx.rows(
            text("select distinct rule_version from ticket where tenant_id = :tenant"), tenant=tx.tenant
        )
    assert [row["rule_version"] for row in standing] == [1 + KILLS]


async def _amiss(provider: Provider) -> list[object]:
    found: list[object] = []
    async for stretch in proofs.prove(provider.context, system(provider.tenant_id)):
        found += stretch.differences
    return found


async def _waiting(provider: Provider) -> int:
    async with provider.context.database.reading(provider.admin) as tx:
        return int(await tx.value(WAITING, tenant=tx.tenant))
