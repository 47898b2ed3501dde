"""Figures of onboardings held against a slow count of the rows that a random world of use cases leaves behind."""

import random
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

import pytest

from db import explain
from db.session import Database
from domain.access import Role
from domain.kpi_values import KpiValue
from domain.kpis import Dimension, Kpi, KpiKind, Where
from domain.periods import Bucket, Grain, Period, buckets
from domain.questions import Part, Question
from domain.series import Series
from tests.support import slow_figures as slow
from tests.support.onboarding import Everything
from tests.support.onboarding_life import Life
from tests.support.providers import new_provider
from tests.support.slow_figures import Copies
from tests.support.tickets import ask

PERIOD = Period(date(2026, 3, 1), date(2026, 7, 1))
NEW = [kpi for kpi in Kpi if kpi.name not in ("TICKETS_LOGGED", "ESCALATIONS", "ESCALATED_TICKETS", "ESCALATION_RATE")]


@pytest.fixture(scope="module", params=[1, 2, 3])
async def life(database: Database, request: pytest.FixtureRequest) -> Life:
    provider = await new_provider(database)
    leads = [await provider.invited(Role.ONBOARDING_LEAD) for _ in range(3)]
    made = Life(provider, leads, random.Random(request.param))
    await made.live(70)
    return made


@pytest.fixture
async def copies(life: Life, worker_database: str) -> Copies:
    return await Copies.of(worker_database, life.provider.tenant_id, life.provider.clock())


async def asked(life: Life, kpi: Kpi, grain: Grain = Grain.WEEK, *by: Dimension, **where: object) -> list[Series]:
    question = Question(kpi, PERIOD, grain, by=by, where=Where(**where))  # type: ignore[arg-type]
    return [one.series for one in (await ask(life.provider, question)).series]


def weeks() -> tuple[Bucket, ...]:
    return buckets(PERIOD, Grain.WEEK)


def whole() -> Bucket:
    return Bucket(PERIOD.start, PERIOD.end, whole=True)


def assert_duration(value: KpiValue, spells: Sequence[tuple[float, bool]]) -> None:
    rounded = [(round(length, 9), ended) for length, ended in spells]
    assert (value.numerator or 0, value.denominator or 0) == (sum(1 for _, ended in spells if ended), len(spells))
    assert value.value == pytest.approx(slow.kaplan_meier(rounded, 0.5))
    assert value.p90 == pytest.approx(slow.kaplan_meier(rounded, 0.9))


@pytest.mark.parametrize(
    ("kpi", "goal"), [(Kpi.TIME_TO_GO_LIVE, "EARLY_SUPPORT"), (Kpi.TIME_TO_STEADY_STATE, "STEADY_STATE")]
)
async def test_the_way_from_the_signature_is_what_a_slow_count_makes_of_the_rows(
    life: Life, copies: Copies, kpi: Kpi, goal: str
) -> None:
    (series,) = await asked(life, kpi)
    assert_duration(series.total, slow.ways(copies, goal, whole()))
    assert series.total.denominator
    for point in series.points:
        assert_duration(point.value, slow.ways(copies, goal, point.bucket))


async def test_contracting_and_our_share_of_it_are_what_a_slow_count_makes_of_the_turns(
    life: Life, copies: Copies
) -> None:
    (contracting,), (ours,) = await asked(life, Kpi.CONTRACTING_TIME), await asked(life, Kpi.PROVIDER_RESPONSE_TIME)
    for one, other, bucket in zip(contracting.points, ours.points, weeks(), strict=True):
        rows = slow.contractings(copies, bucket)
        assert_duration(one.value, [(days, signed) for days, _, signed in rows])
        assert_duration(other.value, [(days, signed) for _, days, signed in rows])
    rows = slow.contractings(copies, whole())
    assert ours.total.share == pytest.approx(sum(row[1] for row in rows) / sum(row[0] for row in rows))
    assert contracting.total.share is None


async def test_stages_on_time_are_what_a_slow_count_makes_of_the_stays(life: Life, copies: Copies) -> None:
    (series,) = await asked(life, Kpi.ON_TIME_STAGES)
    for value, bucket in [(series.total, whole()), *((point.value, point.bucket) for point in series.points)]:
        assert (value.numerator or 0, value.denominator or 0) == slow.punctual(copies, bucket, None)
    for stage in slow.UNDER_WAY:
        for narrowed in await asked(life, Kpi.ON_TIME_STAGES, Grain.YEAR, stages=(stage,)):
            total = narrowed.total
            assert (total.numerator or 0, total.denominator or 0) == slow.punctual(copies, whole(), stage)


async def test_the_loads_of_leads_and_their_peaks_are_what_a_slow_count_makes_of_each_day(
    life: Life, copies: Copies
) -> None:
    days = [PERIOD.start + timedelta(days=n) for n in range(PERIOD.days)]
    begun = [day for day in days if slow.midnight(day) <= copies.now]
    loads = {day: slow.loads(copies, min(slow.midnight(day + timedelta(days=1)), copies.now)) for day in begun}
    (series,) = await asked(life, Kpi.ONBOARDINGS_PER_LEAD)
    for point in series.points:
        mine = [day for day in begun if point.bucket.start <= day < point.bucket.end]
        last = loads[mine[-1]] if mine else {}
        assert (point.value.numerator, point.value.denominator) == (sum(last.values()), len(last))
        assert point.value.value == (pytest.approx(sum(last.values()) / len(last)) if last else None)
        peak = max((load for day in mine for load in loads[day].values()), default=None)
        assert (point.value.peak or None) == peak
    assert series.total.peak == max(load for day in begun for load in loads[day].values())
    question = Question(Kpi.ONBOARDINGS_PER_LEAD, PERIOD, Grain.WEEK, by=(Dimension.LEAD,))
    for one in (await ask(life.provider, question)).series:
        lead = UUID(one.members[0])
        assert one.series.total.value == loads[begun[-1]].get(lead, 0)
        assert one.series.total.peak == max(loads[day].get(lead, 0) for day in begun)


async def test_retention_and_losses_are_what_a_slow_count_makes_of_the_cycles(life: Life, copies: Copies) -> None:
    (series,) = await asked(life, Kpi.CLIENT_RETENTION)
    (losses,) = await asked(life, Kpi.CLIENTS_LOST)
    spans = [(series.total, losses.total, whole())]
    spans += [(a.value, b.value, a.bucket) for a, b in zip(series.points, losses.points, strict=True)]
    for kept, lost, bucket in spans:
        start, end = slow.midnight(bucket.start), slow.midnight(bucket.end)
        base = slow.served_at(copies, start) if start <= copies.now else []
        gone = [cycle for cycle in base if cycle["ended_at"] is not None and cycle["ended_at"] < end]
        assert (kept.numerator or 0, kept.denominator or 0) == (len(base) - len(gone), len(base))
        assert kept.value == (pytest.approx(1 - len(gone) / len(base)) if base else None)
        assert lost.value == sum(1 for cycle in copies.clients if slow.inside(cycle["ended_at"], bucket))
    by_stage = Question(Kpi.CLIENTS_LOST, PERIOD, Grain.YEAR, by=(Dimension.STAGE, Dimension.OUTCOME))
    found = {one.members: one.series.total.value for one in (await ask(life.provider, by_stage)).series}
    counted: dict[tuple[str, ...], int] = {}
    for cycle in copies.clients:
        if slow.inside(cycle["ended_at"], whole()):
            key = (cycle["stage"], cycle["outcome"])
            counted[key] = counted.get(key, 0) + 1
    assert found == counted


async def test_clients_in_notice_are_what_a_slow_count_makes_of_the_end_of_each_day(life: Life, copies: Copies) -> None:
    (series,) = await asked(life, Kpi.CLIENTS_IN_NOTICE, Grain.DAY)
    for point in series.points:
        at = min(slow.midnight(point.bucket.end), copies.now)
        begun = slow.midnight(point.bucket.start) <= copies.now
        assert point.value.value == (slow.in_notice(copies, at) if begun else None)


async def test_re_plans_are_the_dates_that_replaced_or_withdrew_another(life: Life, copies: Copies) -> None:
    (series,) = await asked(life, Kpi.RE_PLANS)
    for point in series.points:
        assert point.value.value == slow.re_plans(copies, point.bucket)
    assert series.total.value == slow.re_plans(copies, whole())


@pytest.mark.parametrize("kpi", NEW, ids=lambda kpi: kpi.name)
@pytest.mark.parametrize("grain", [Grain.DAY, Grain.MONTH])
async def test_the_rows_behind_every_figure_reconcile_with_it(life: Life, kpi: Kpi, grain: Grain) -> None:
    question = Question(kpi, PERIOD, grain)
    total = (await ask(life.provider, question)).series[0].series.total
    now = life.provider.clock()
    async with life.provider.context.database.reading(life.provider.admin) as tx:
        rows = {part: await explain.rows(tx, question, part, Everything(), now) for part in Part}
        counts = {part: await explain.count(tx, question, part, now) for part in Part}
    assert counts == {part: len(found) for part, found in rows.items()}
    assert all(row.reason is None for row in (*rows[Part.NUMERATOR], *rows[Part.DENOMINATOR]))
    assert all(row.reason is not None for row in rows[Part.LEFT_OUT])
    assert counts[Part.NUMERATOR] == (total.numerator or 0)
    assert counts[Part.DENOMINATOR] == (total.denominator or 0)
    if kpi.definition.kind is KpiKind.PROPORTION:
        assert {row.id for row in rows[Part.NUMERATOR]} <= {row.id for row in rows[Part.DENOMINATOR]}
    if kpi.definition.kind is KpiKind.DURATION:
        assert total.sample_size == counts[Part.DENOMINATOR]


@pytest.mark.parametrize("kpi", NEW, ids=lambda kpi: kpi.name)
async def test_every_split_adds_up_to_the_figure(life: Life, kpi: Kpi) -> None:
    plain = (await ask(life.provider, Question(kpi, PERIOD, Grain.YEAR))).series[0].series.total
    for dimension in kpi.definition.dimensions:
        split = (await ask(life.provider, Question(kpi, PERIOD, Grain.YEAR, by=(dimension,)))).series
        assert sum(one.series.total.numerator or 0 for one in split) == (plain.numerator or 0)
        if dimension is Dimension.LEAD or not kpi.definition.per_lead:
            having = [one for one in split if one.series.total.value != 0 or not kpi.definition.per_lead]
            assert sum(one.series.total.denominator or 0 for one in having) == (plain.denominator or 0)


async def test_a_figure_asked_as_of_an_earlier_moment_is_what_it_was_then(database: Database) -> None:
    provider = await new_provider(database)
    leads = [await provider.invited(Role.ONBOARDING_LEAD) for _ in range(2)]
    life = Life(provider, leads, random.Random(7), rewriting=False)
    remembered: list[tuple[datetime, dict[Kpi, KpiValue]]] = []
    for _ in range(8):
        await life.live(5)
        remembered.append((provider.clock(), {kpi: (await asked(life, kpi))[0].total for kpi in NEW}))
        provider.clock.forward(minutes=15)
    for then, figures in remembered:
        for kpi, value in figures.items():
            if kpi is Kpi.ON_TIME_STAGES:
                continue  # a hold shifts the target of the stay that it is in, and no earlier target is kept
            question = Question(kpi, PERIOD, Grain.WEEK, as_of=then)
            assert (await ask(provider, question)).series[0].series.total == value, kpi
