"""Five million tickets by SQL: every figure, time and escalation is what the product itself would have made of them.

Clients' stays and the hours that are worked come from the product's own code as tables to look up; a sample of what
was drawn is assessed anew by it at the end. Digests alone are made up, so that a source that says a drawn ticket
again would write it again.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from db import attribution, escalation_rules, facts, tenants, terms
from db.facts import ALL_CLIENTS, MEMBER
from db.session import Transaction
from db.terms import Term, TermKind
from domain.calendars import Calendar
from domain.escalations import ClientHistory, RuleVersion
from domain.kpi_definitions import FACTS
from domain.kpis import OF_EACH_CLIENT, SETTLING_SAMPLE, SETTLING_SHARE
from domain.periods import start_of_day
from tests.bench.bare_tables import bare
from tests.support.providers import Provider
from workflows.context import new_id
from workflows.tickets import DEFAULT_RULE

SYSTEM = "BENCH"
CATEGORIES = ("Access", "Backup", "E-mail", "Hardware", "Network", "Printing", "Software", "Telephony")
TABLES = ("ticket", "hand_over", "escalation", "ticket_delta", "ticket_time", "ticket_cell")
PARTS = 8
"""Deltas are summed for a part of the clients at a time, so that their groups fit into memory."""

_SQL = Path(__file__).with_suffix(".sql")
_SESSION = {"work_mem": "512MB", "maintenance_work_mem": "1GB", "synchronous_commit": "off", "jit": "off"}
_MADE = [fact for fact in FACTS if not fact.endswith(("_hierarchical", "_sla", "_vendor"))]
"""What drawn tickets add to: they are escalated by function alone."""

_SAID = """
create function drawing.said(timestamptz) returns text language sql stable as
    $$select to_char($1 at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"+00:00"')$$;
create function drawing.until(drawing.worked, timestamptz) returns float8 language sql stable as
    $$select $1.seconds + extract(epoch from greatest(least($2, $1.closes), $1.opens) - $1.opens)$$;
"""


@dataclass(frozen=True, slots=True)
class Names:
    """The ids of what drawn tickets name."""

    categories: list[UUID]
    desk: UUID
    engineers: UUID
    agents: list[UUID]


async def fill(url: str, provider: Provider, clients: Sequence[UUID], number: int, days: int) -> None:
    """Draw a number of tickets of the last `days` days and spread them over the tables, which must be empty of them."""
    now = provider.clock.now.replace(microsecond=0)
    async with provider.context.database.writing(provider.admin) as tx:
        settings = (await tenants.get(tx)).settings
        await escalation_rules.add(tx, RuleVersion(new_id(), SYSTEM, DEFAULT_RULE, now, applied_at=now))
        names = await _names(tx)
        histories = await attribution.histories(tx, clients)
    statements = {part.partition("\n")[0]: part.partition("\n")[2] for part in _SQL.read_text().split("\n-- ")[1:]}
    async with _connections(url) as (one, other), bare(TABLES, one, other):
        await one.execute(statements["tables"] + _SAID)
        await one.copy_records_to_table(
            "client",
            schema_name="drawing",
            records=[_client(n, client, histories[client], names) for n, client in enumerate(clients, 1)],
        )
        worked = _worked(settings.calendar, now.date() - timedelta(days=days + 3), days + 10)
        await one.copy_records_to_table("worked", schema_name="drawing", records=worked)
        await one.execute("analyze drawing.client, drawing.worked")
        half, since = number // 2, now - timedelta(days=days)
        shape = (since, now, float(days * 86_400), float(number), len(clients), settings.zone.key)
        await asyncio.gather(
            one.execute(statements["draw"], 1, half, *shape),
            other.execute(statements["draw"], half + 1, number, *shape),
        )
        await one.execute("analyze drawing.drawn")
        tenant = provider.tenant_id
        await asyncio.gather(
            _write_tickets(one, statements, tenant, now, names),
            _write_figures(other, statements, tenant, now, names, len(clients)),
        )
        await one.execute("drop schema drawing cascade")
    async with provider.context.database.writing(provider.admin) as tx:
        await tx.run(facts.BY_INDEX_ALONE)
        await tx.run(facts.SETTLE, tenant=tx.tenant, share=SETTLING_SHARE, rows=SETTLING_SAMPLE, now=now)


@asynccontextmanager
async def _connections(url: str) -> AsyncIterator[tuple[Any, Any]]:
    one, other = [await asyncpg.connect(url, server_settings=_SESSION, command_timeout=3_600) for _ in range(2)]
    try:
        yield one, other
    finally:
        await one.close()
        await other.close()


async def _names(tx: Transaction) -> Names:
    categories = [Term(TermKind.CATEGORY, name) for name in CATEGORIES]
    teams = [Term(TermKind.TEAM, name) for name in ("Service desk", "Engineers")]
    agents = [Term(TermKind.AGENT, f"agent{n}", SYSTEM) for n in range(40)]
    ids = await terms.named(tx, (*categories, *teams, *agents), new_id)
    return Names([ids[one] for one in categories], ids[teams[0]], ids[teams[1]], [ids[one] for one in agents])


def _client(number: int, client: UUID, history: ClientHistory, names: Names) -> tuple[object, ...]:
    """Return what a client's tickets are stamped with from each instant on at which that changes."""
    changes = {at for stay in history.stays for at in (stay.entered_at, stay.left_at)}
    changes |= {at for window in history.windows for at in (window.opened_at, window.closed_at)}
    starts = sorted(at for at in changes if at is not None)
    stamps = [history.stamp(at) for at in starts]
    return (
        *(number, client, starts, [stamp.stage for stamp in stamps], [stamp.phase.value for stamp in stamps]),
        *([stamp.cycle for stamp in stamps], names.agents[number % 20], names.agents[20 + number % 20]),
    )


def _worked(calendar: Calendar, first: date, days: int) -> list[tuple[date, float, datetime, datetime]]:
    """Return of each local day the seconds worked before it, and its one stretch of work."""
    start, rows = start_of_day(first, calendar.zone), []
    for day in (first + timedelta(days=n) for n in range(days)):
        midnight = start_of_day(day, calendar.zone)
        (stretch,) = calendar._open_instants(day) or [(midnight, midnight)]
        rows.append((day, calendar.business_seconds_between(start, midnight), *stretch))
    return rows


async def _write_tickets(
    connection: Any, statements: dict[str, str], tenant: UUID, now: datetime, names: Names
) -> None:
    places = (list(CATEGORIES), names.categories, names.desk, names.engineers)
    await connection.execute(statements["tickets"], tenant, now, *places)
    await connection.execute(statements["hand_overs"], tenant)
    await connection.execute(statements["escalations"], tenant)


async def _write_figures(
    connection: Any, statements: dict[str, str], tenant: UUID, now: datetime, names: Names, clients: int
) -> None:
    places = (names.categories, names.desk, names.engineers)
    await connection.execute(statements["times"], tenant, now, *places)
    deltas = statements["deltas"].format(
        facts=", ".join(FACTS),
        sums=", ".join(f"sum(m.{fact})" if fact in _MADE else "0" for fact in FACTS),
        any=" or ".join(f"sum(m.{fact}) <> 0" for fact in _MADE),
    )
    for part in range(PARTS):
        bounds = clients * part // PARTS + 1, clients * (part + 1) // PARTS
        await connection.execute(deltas, tenant, now, *places, *bounds)
    sums = {"facts": ", ".join(FACTS), "sums": ", ".join(f"sum({fact})::int as {fact}" for fact in FACTS)}
    await connection.execute(statements["sums"].format(**sums))
    for dimension in (None, *MEMBER):
        member = MEMBER[dimension].format(row="t") if dimension else "''"
        shape = {"dimension": dimension or "NONE", "member": member, **sums}
        each = dimension is None or dimension in OF_EACH_CLIENT
        if each:
            await connection.execute(statements["cells of clients"].format(**shape), tenant)
        rows = "drawing.summed" if each else "ticket_delta"
        await connection.execute(statements["cells of all"].format(**shape, rows=rows), tenant, ALL_CLIENTS)
    await connection.execute(statements["cells of months"].format(**sums))
