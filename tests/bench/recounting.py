"""Drawn tickets held against the product's own reading of them: the proof that the world is one it could have made."""

from collections import Counter
from collections.abc import Iterable, Mapping
from uuid import UUID

from sqlalchemy import text

from db import attribution, escalation_rules, stored_tickets, tenants
from db.session import Transaction
from domain.kpi_definitions import FACTS
from domain.movements import Assessed, Surroundings, assess, movements
from tests.support.providers import Provider

OF_CLIENT = text("select id from ticket where tenant_id = :tenant and client_id = :client")
CELLS = text(f"""
    select dimension, source, grain, day, member, {", ".join(FACTS)} from ticket_cell
    where tenant_id = :tenant and client_id = :client
""")  # noqa: S608 -- put together from our own constants
TIMES = text("select measure, minutes, day, amount from ticket_time where tenant_id = :tenant and client_id = :client")

Key = tuple[object, ...]


async def recounted(provider: Provider, client: UUID) -> int:
    """Return how many tickets a client has, all of which the product reads, escalates and counts just as drawn.

    Raises:
        AssertionError: something differs; the message says what first.
    """
    async with provider.context.database.writing(provider.admin) as tx:
        settings = (await tenants.get(tx)).settings
        ids = [row["id"] for row in await tx.rows(OF_CLIENT, tenant=tx.tenant, client=client)]
        stored = (await stored_tickets.locked_by_id(tx, ids, settings.zone)).values()
        newest = await escalation_rules.newest_of(tx, "BENCH")
        assert newest is not None
        history = (await attribution.histories(tx, [client]))[client]
        around = Surroundings(settings.zone, settings.calendar, newest.rule, history)
        anew = [assess(one.report, one.assessed.subjects, around, provider.clock.now) for one in stored]
        for one, other in zip(stored, anew, strict=True):
            assert _all_but_positions(one.assessed) == _all_but_positions(other), (one.assessed, other)
        await _compare(tx, client, anew)
    return len(anew)


def _all_but_positions(one: Assessed) -> Key:
    escalations = [(found.at, found.kind, found.times, found.to_team, found.to_tier) for found in one.escalations]
    return (one.subjects, one.stamp, one.day, one.measured, one.rule_version, escalations)


async def _compare(tx: Transaction, client: UUID, anew: Iterable[Assessed]) -> None:
    moved = movements((None, one) for one in anew)
    expected: dict[Key, list[int]] = {}
    for place, amounts in moved.sums.items():
        for day, grain in ((place.day, "D"), (place.day.replace(day=1), "M")):
            members = {"NONE": "", "STAGE": place.stage, "PHASE": str(place.phase), "PRIORITY": str(place.priority)}
            for dimension, member in members.items():
                sums = expected.setdefault((dimension, str(place.source), grain, day, member), [0] * len(FACTS))
                for index, amount in enumerate(amounts):
                    sums[index] += amount
    rows = await tx.rows(CELLS, tenant=tx.tenant, client=client)
    cells = {(row["dimension"], row["source"], row["grain"], row["day"], row["member"]): list(row)[5:] for row in rows}
    _same({key: sums for key, sums in expected.items() if any(sums)}, {k: s for k, s in cells.items() if any(s)})
    times: Counter[Key] = Counter()
    for row in await tx.rows(TIMES, tenant=tx.tenant, client=client):
        times[row["measure"], row["minutes"], row["day"]] += row["amount"]
    counted: Counter[Key] = Counter()
    for (place, took), amount in moved.times.items():
        counted[took.measure.value, took.minutes, place.day] += amount
    _same(counted, times)


def _same(expected: Mapping[Key, object], found: Mapping[Key, object]) -> None:
    different = [(key, expected.get(key), found.get(key)) for key in {**expected, **found}]
    different = [one for one in different if one[1] != one[2]]
    assert not different, f"{len(different)} figures differ from what the tickets say, such as {different[0]}"
