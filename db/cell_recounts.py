"""Recounts of cells: sums of days and months held against the deltas that they are made of, and put right."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import asyncpg
from sqlalchemy import text

from db.facts import ADDED, ALL_CLIENTS, AMOUNTS, SPLITS, UNMAPPED
from db.recounts import ALONE, PATIENCE
from db.session import Transaction
from domain.kpi_definitions import FACTS
from domain.kpis import Dimension
from domain.proofs import Difference, Ledger, Stretch

AT_ONCE = 50_000
"""Deltas of a month that one statement adds up by every dimension; of more it takes one dimension at a time."""

DIMENSIONS = ("NONE", *(str(one) for one in Dimension if f"'{one}'" in SPLITS))

MONTHS = text("""
    select date_trunc('month', day::timestamp)::date as month, count(*) as rows
    from (select day from ticket_delta where tenant_id = :tenant
          union all select day from ticket_cell where tenant_id = :tenant) as days
    group by 1 order by 1
""")

_KEY = "dimension, source, grain, client_id, day, member"
_UP = ", ".join(f"sum({fact})::int as {fact}" for fact in FACTS)
_SIGNED = ", ".join(f"sum(sign * {fact}) as {fact}" for fact in FACTS)
_LESS = ", ".join(f"-{fact} as {fact}" for fact in FACTS)
_KEPT = ", ".join(f"coalesce(sum({fact}) filter (where kept), 0)::int" for fact in FACTS)
_COUNTED = ", ".join(f"coalesce(sum({fact}) filter (where not kept), 0)::int" for fact in FACTS)
_MISSING = ", ".join(f"sum(case when kept then -{fact} else {fact} end)::int as {fact}" for fact in FACTS)
_ANY_MISSING = " or ".join(f"sum(case when kept then -{fact} else {fact} end) <> 0" for fact in FACTS)

# What is folded is what was recorded but for what still waits; both are read as of one instant.
_BOTH = f"""
    select false as kept, split.dimension, t.source, span.grain, level.client_id, span.day, split.member, {_UP}
    from (
        select client_id, day, stage, phase, priority, source, kind, category_id, team_id, agent_id, site_id, {_SIGNED}
        from (select *, 1 as sign from (
                  select client_id, day, stage, phase, priority, source, kind, category_id, team_id, agent_id, site_id,
                         {AMOUNTS}
                  from ticket_delta where tenant_id = :tenant and day >= :start and day < :end) as recorded
              union all
              select *, -1 from (
                  select client_id, day, stage, phase, priority, source, kind, category_id, team_id, agent_id, site_id,
                         {AMOUNTS}
                  from unfolded_delta where tenant_id = :tenant and day >= :start and day < :end) as waiting
             ) as each
        group by client_id, day, stage, phase, priority, source, kind, category_id, team_id, agent_id, site_id
    ) as t
    cross join lateral (values (cast(:all_clients as uuid)),
                               (coalesce(t.client_id, cast(:unmapped as uuid)))) as level(client_id)
    cross join lateral (values ('D', t.day), ('M', date_trunc('month', t.day::timestamp)::date)) as span(grain, day)
    cross join lateral (values ('NONE', '', true), {SPLITS}) as split(dimension, member, of_each)
    where split.dimension = any(:dimensions) and (split.of_each or level.client_id = :all_clients)
    group by 2, 3, 4, 5, 6, 7
    union all
    select true, {_KEY}, {AMOUNTS} from ticket_cell
    where tenant_id = :tenant and dimension = any(:dimensions) and day >= :start and day < :end
"""

TOLD = text(f"""
    select {_KEY}, array[{_KEPT}] as kept, array[{_COUNTED}] as counted, count(*) over () as found
    from ({_BOTH}) as both_sides
    group by {_KEY} having {_ANY_MISSING}
    order by day, {_KEY} limit :rows
""")

# In the order of the key, as folding does, so that both at once wait for each other instead of deadlocking.
MEND = text(f"""
    with mended as (
        insert into ticket_cell as c (tenant_id, {_KEY}, {AMOUNTS})
        select :tenant, {_KEY}, {_MISSING} from ({_BOTH}) as both_sides
        group by {_KEY} having {_ANY_MISSING}
        order by {_KEY}
        on conflict (tenant_id, {_KEY}) do update set {ADDED}
        returning 1
    )
    select count(*) from mended
""")


@dataclass(frozen=True, slots=True)
class Month:
    """What one statement goes through: the cells of a month, by some dimensions."""

    start: date
    end: date
    dimensions: tuple[str, ...]


async def months(tx: Transaction) -> list[Month]:
    """Return all that a tenant's cells could be of, in parts that one statement can go through."""
    await tx.run(PATIENCE)
    found = []
    for row in await tx.rows(MONTHS, tenant=tx.tenant):
        start: date = row["month"]
        end = start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
        at_once = [DIMENSIONS] if row["rows"] <= AT_ONCE else [(one,) for one in DIMENSIONS]
        found += [Month(start, end, dimensions) for dimensions in at_once]
    return found


async def prove(tx: Transaction, month: Month, rows: int) -> Stretch:
    """Hold the cells of a month against the deltas, as of one snapshot; name so many cells that differ."""
    await tx.run(PATIENCE)
    found = await tx.rows(TOLD, **_named(tx, month), rows=rows)
    differences = tuple(difference for row in found for difference in _differences(row))
    return Stretch(Ledger.CELLS, named(month), differences, found[0]["found"] - len(found) if found else 0)


async def mend(tx: Transaction, month: Month) -> int:
    """Add to the cells of a month what is missing to the deltas, and return how many cells that changed.

    What is added is a difference, so that folds meanwhile neither wait nor are lost: sums do not mind the order.
    """
    await tx.run(PATIENCE)
    await tx.run(ALONE, tenant=tx.tenant)
    return int(await tx.value(MEND, **_named(tx, month)))


def _named(tx: Transaction, month: Month) -> dict[str, object]:
    return {
        "tenant": tx.tenant,
        "start": month.start,
        "end": month.end,
        "dimensions": list(month.dimensions),
        "all_clients": ALL_CLIENTS,
        "unmapped": UNMAPPED,
    }


def _differences(row: asyncpg.Record) -> list[Difference]:
    kept: Sequence[int] = row["kept"]
    counted: Sequence[int] = row["counted"]
    client = row["client_id"]
    of_member = f" {row['dimension']}={row['member']}" if row["dimension"] != "NONE" else ""
    return [
        Difference(
            ledger=Ledger.CELLS,
            client=None if client in (ALL_CLIENTS, UNMAPPED) else client,
            day=row["day"],
            place=f"grain={row['grain']} source={row['source']}{of_member}",
            fact=fact,
            kept=had,
            counted=has,
            of_all=client == ALL_CLIENTS,
        )
        for fact, had, has in zip(FACTS, kept, counted, strict=True)
        if had != has
    ]


def named(month: Month) -> str:
    """Say for people what is gone through."""
    which = f"{month.start:%Y-%m}"
    return which if len(month.dimensions) > 1 else f"{which} by {month.dimensions[0]}"
