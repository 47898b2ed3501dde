"""Additive facts: signed deltas written beside the tickets, folded into cells, exact at every instant."""

import functools
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.sql.elements import TextClause

from db.session import Transaction, columns
from domain.kpi_definitions import FACTS, Dimension, Fact
from domain.kpis import OF_EACH_CLIENT, SETTLING_SAMPLE, SETTLING_SHARE
from domain.movements import Movements, Place
from domain.questions import NO_CLIENT

ALL_CLIENTS = UUID(int=0)
"""The client of a cell that holds all clients together; on nobody's list, so only who sees all sees it."""

UNMAPPED = NO_CLIENT
"""The client of a cell that holds the tickets of no known client."""

FOLD_BATCH_ROWS = 5_000

AMOUNTS = ", ".join(FACTS)
_SUMS = ", ".join(f"sum(t.{fact})::int as {fact}" for fact in FACTS)
ADDED = ", ".join(f"{fact} = c.{fact} + excluded.{fact}" for fact in FACTS)
_PLACED = (
    ("client_id", "uuid"),
    ("day", "date"),
    ("stage", "text"),
    ("phase", "text"),
    ("priority", "text"),
    ("source", "text"),
    ("kind", "text"),
    ("category_id", "uuid"),
    ("team_id", "uuid"),
    ("agent_id", "uuid"),
    ("site_id", "uuid"),
)
"""The columns of a place in the figures, in the order of `Place`."""

PLACE = tuple(name for name, _ in _PLACED)
_PLACE = ", ".join(PLACE)


def _unnested(*more: str) -> str:
    typed = (*_PLACED, *((name, "text" if name == "measure" else "int") for name in more))
    arrays = ", ".join(f"cast(:{name} as {kind}[])" for name, kind in typed)
    return f"unnest({arrays}) as m({', '.join(name for name, _ in typed)})"


_SELDOM = (
    tuple(fact for fact in FACTS if fact.endswith(("_hierarchical", "_sla", "_vendor"))),
    tuple(fact for fact in FACTS if "sla_" in fact),
)
"""Facts that many a batch has none of: it is written without them, for an array of noughts takes its time."""


@functools.cache
def _record_of(none: tuple[tuple[Fact, ...], ...]) -> TextClause:
    without = {fact for facts in none for fact in facts}
    amounts = ", ".join("0" if fact in without else f"m.{fact}" for fact in FACTS)
    return text(f"""
        with recorded as (
            insert into ticket_delta (tenant_id, recorded_at, {_PLACE}, {AMOUNTS})
            select :tenant, :recorded_at, {", ".join(f"m.{name}" for name, _ in _PLACED)}, {amounts}
            from {_unnested(*(fact for fact in FACTS if fact not in without))}
            returning *
        )
        insert into unfolded_delta (tenant_id, id, {_PLACE}, {AMOUNTS})
        select tenant_id, id, {_PLACE}, {AMOUNTS} from recorded
    """)


RECORD_TIMES = text(f"""
    insert into ticket_time (tenant_id, recorded_at, {_PLACE}, measure, minutes, amount)
    select :tenant, :recorded_at, m.* from {_unnested("measure", "minutes", "amount")}
""")

MEMBER = {
    Dimension.STAGE: "{row}.stage",
    Dimension.PHASE: "{row}.phase",
    Dimension.PRIORITY: "{row}.priority",
    Dimension.KIND: "{row}.kind",
    Dimension.CATEGORY: "coalesce(replace({row}.category_id::text, '-', ''), 'UNKNOWN')",
    Dimension.TEAM: "coalesce(replace({row}.team_id::text, '-', ''), 'UNKNOWN')",
    Dimension.TECHNICIAN: "coalesce(replace({row}.agent_id::text, '-', ''), 'UNKNOWN')",
    Dimension.SITE: "coalesce(replace({row}.site_id::text, '-', ''), 'UNKNOWN')",
}
"""How each dimension's member is told from a row of deltas: an enum's name, or an id in hexadecimal."""


def of_named_clients(row: str, *, unmapped: bool) -> str:
    """Return the condition that a row of deltas or times is of one of `:clients`; what is of none bears no id."""
    named = f"{row}client_id = any(:clients)"
    return f"({named} or {row}client_id is null)" if unmapped else named


SPLITS = ", ".join(
    f"('{dimension}', {member.format(row='t')}, {str(dimension in OF_EACH_CLIENT).lower()})"
    for dimension, member in MEMBER.items()
)

# As an array, what is free is found by its key: joined, a table that is taken for empty was read whole for every row.
FOLD = text(f"""
    with taken as (
        delete from unfolded_delta d
        where d.tenant_id = :tenant and d.id = any(array(
            select id from unfolded_delta where tenant_id = :tenant order by id limit :rows for update skip locked
        ))
        returning d.*
    ), summed as (
        select split.dimension, t.source, span.grain, level.client_id, span.day, split.member, {_SUMS}
        from taken t
        cross join lateral (values (cast(:all_clients as uuid)),
                                   (coalesce(t.client_id, cast(:unmapped as uuid)))) as level(client_id)
        cross join lateral (values ('D', t.day),
                                   ('M', date_trunc('month', t.day::timestamp)::date)) as span(grain, day)
        cross join lateral (values ('NONE', '', true), {SPLITS}) as split(dimension, member, of_each)
        where split.of_each or level.client_id = :all_clients
        group by 1, 2, 3, 4, 5, 6
    ), added as (
        -- In the order of the key: two folds at once then wait for each other instead of deadlocking.
        insert into ticket_cell as c (tenant_id, dimension, source, grain, client_id, day, member, {AMOUNTS})
        select :tenant, s.dimension, s.source, s.grain, s.client_id, s.day, s.member, {AMOUNTS}
        from summed s
        order by s.dimension, s.source, s.grain, s.client_id, s.day, s.member
        on conflict (tenant_id, dimension, source, grain, client_id, day, member) do update set {ADDED}
    )
    select count(*) from taken
""")

# A batch of deltas makes some hundred thousand sums, which by default would be sorted on disk.
IN_MEMORY = text("set local work_mem = '64MB'")

TENANTS_TO_FOLD = text("select distinct tenant_id from unfolded_delta")

# Policies make the planner expect few rows, and so read every escalated ticket instead of the latest ones.
BY_INDEX_ALONE = text("set local enable_bitmapscan = off")

SETTLE = text("""
    insert into ticket_settling (tenant_id, seconds, computed_at)
    select :tenant, percentile_cont(:share) within group (order by delay), :now
    from (
        select greatest(0, extract(epoch from first_escalated_at - logged_at)) as delay from ticket
        where tenant_id = :tenant and first_escalated_at is not null
        order by first_escalated_at desc limit :rows
    ) as latest
    having count(*) > 0
    on conflict (tenant_id) do update set seconds = excluded.seconds, computed_at = excluded.computed_at
""")

SETTLING = text("select seconds from ticket_settling where tenant_id = :tenant")
"""Within which time nine of ten escalated tickets were first escalated, as of the last fold."""


async def record(tx: Transaction, moved: Movements, recorded_at: datetime) -> None:
    """Write what moved; call it in the transaction that writes the tickets."""
    if moved.sums:
        amounts: dict[str, list[object]] = dict(zip(FACTS, columns(list(moved.sums.values()), len(FACTS)), strict=True))
        none = tuple(facts for facts in _SELDOM if not any(any(amounts[fact]) for fact in facts))
        await _record(tx, _record_of(none), recorded_at, list(moved.sums), amounts)
    if moved.times:
        took = [(took.measure, took.minutes, amount) for (_, took), amount in moved.times.items()]
        measured = dict(zip(("measure", "minutes", "amount"), columns(took, 3), strict=True))
        await _record(tx, RECORD_TIMES, recorded_at, [place for place, _ in moved.times], measured)


async def _record(
    tx: Transaction,
    statement: TextClause,
    recorded_at: datetime,
    places: Sequence[Place],
    more: Mapping[str, Sequence[object]],
) -> None:
    placed = dict(zip((name for name, _ in _PLACED), columns(places, len(_PLACED)), strict=True))
    await tx.run(statement, tenant=tx.tenant, recorded_at=recorded_at, **placed, **more)


async def fold(tx: Transaction, now: datetime, rows: int = FOLD_BATCH_ROWS) -> int:
    """Add up to `rows` deltas to the cells and return how many there were; takes a principal of all clients.

    Deltas that another fold holds are left to it. A reader sees either the delta or the cell that took it up,
    never both, because one transaction does both. The time within which escalations come is computed anew.
    """
    await tx.run(IN_MEMORY)
    folded = int(await tx.value(FOLD, tenant=tx.tenant, rows=rows, all_clients=ALL_CLIENTS, unmapped=UNMAPPED))
    if folded:
        await tx.run(BY_INDEX_ALONE)
        await tx.run(SETTLE, tenant=tx.tenant, share=SETTLING_SHARE, rows=SETTLING_SAMPLE, now=now)
    return folded


async def tenants_to_fold(tx: Transaction) -> list[UUID]:
    """Return the tenants with deltas to fold, as the relay sees them."""
    return [row["tenant_id"] for row in await tx.rows(TENANTS_TO_FOLD)]
