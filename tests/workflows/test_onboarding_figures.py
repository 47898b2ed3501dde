"""Figures of onboardings held against a slow count of the rows that a random world of use cases leaves behind."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from uuid import UUID

import pytest

from db import explain
from db.session import Database
from domain.access import Principal, Role
from domain.clients import ContractStatus, Party
from domain.gates import Gate
from domain.kpis import Dimension, Kpi, KpiKind, Where
from domain.moves import Move
from domain.onboarding import EndReason, HoldReason
from domain.periods import Bucket, Grain, Period, buckets
from domain.questions import Part, Question
from domain.series import KpiValue, Series
from domain.stages import Stage
from tests.support import slow_figures as slow
from tests.support.onboarding import Everything, Onboarding, opened
from tests.support.providers import Provider, done, new_provider, sent
from tests.support.slow_figures import Copies
from tests.support.tickets import ask
from workflows.contracts import UpdateContract
from workflows.contracts import update as update_contract
from workflows.teams import TeamCommand, change_team

PERIOD = Period(date(2026, 3, 1), date(2026, 7, 1))
NEW = [kpi for kpi in Kpi if kpi.name not in ("TICKETS_LOGGED", "ESCALATIONS", "ESCALATED_TICKETS", "ESCALATION_RATE")]


@dataclass
class Life:
    """A provider whose onboardings do at random what onboardings do, on quarter hours of a hundred days."""

    provider: Provider
    leads: list[Principal]
    dice: random.Random
    going: list[Onboarding] = field(default_factory=list)

    async def live(self, steps: int) -> None:
        for _ in range(steps):
            self.provider.clock.forward(minutes=15 * self.dice.randint(1, 96 * 2))
            if len(self.going) < 9:
                self.going.append(await opened(self.provider, lead=self.dice.choice(self.leads)))
            await self.act(self.dice.choice(self.going))

    async def act(self, one: Onboarding) -> None:
        seen = await one.seen()
        if seen.ended:
            return
        do = self.dice.choices(("forward", "hold", "back", "end", "lead", "turn"), weights=(6, 3, 1, 1, 2, 3))[0]
        if do == "lead":
            await self.hand_over(one)
        elif do == "turn":
            await self.turn(one)
        elif seen.held_at is not None:
            await passed(one, Move.RESUME)
        elif do == "hold" and seen.stage is not Stage.STEADY_STATE:
            await passed(one, Move.HOLD, hold_reason=HoldReason.CLIENT)
        elif do == "back" and seen.stage in (Stage.EARLY_SUPPORT, Stage.STEADY_STATE):
            await passed(one, Move.ROLL_BACK, to=Stage.ASSET_DISCOVERY, reason="wrong scope")
        elif do == "end" and seen.stage in (Stage.EARLY_SUPPORT, Stage.STEADY_STATE):
            await passed(one, Move.OFF_BOARD, outcome=EndReason.SERVICE_QUALITY, reason="left")
        elif do == "end":
            await passed(one, Move.LOSE, outcome=EndReason.PRICE, reason="too dear")
        elif seen.stage is not Stage.STEADY_STATE:
            await one.forward()

    async def hand_over(self, one: Onboarding) -> None:
        to = self.dice.choice(self.leads)
        outcome = await change_team(
            self.provider.context, self.provider.admin, sent(), TeamCommand(one.cycle, one.version, lead=to.id)
        )
        done(outcome)
        one.version, one.lead = outcome.version or 0, to

    async def turn(self, one: Onboarding) -> None:
        """Send a contract, or pass the turn; one that is signed already is left alone."""
        change = UpdateContract(one.contract, waiting_on=self.dice.choice([Party.CLIENT, Party.PROVIDER]))
        if self.dice.random() < 0.5:
            change = replace(change, status=self.dice.choice([ContractStatus.SENT, ContractStatus.NEGOTIATING]))
        await update_contract(self.provider.context, self.provider.admin, sent(), change)


async def passed(one: Onboarding, move: Move, **details: object) -> None:
    """Make a move as the admin, past every soft gate."""
    outcome = await one.move(move, by=one.provider.admin, **details)
    if outcome.errors:
        for blocker in outcome.errors[0].blockers:  # type: ignore[attr-defined]
            await one.waive(move, Gate(blocker.gate))
        done(await one.move(move, by=one.provider.admin, **details))


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
    life = Life(provider, [await provider.invited(Role.ONBOARDING_LEAD) for _ in range(2)], random.Random(7))
    remembered: list[tuple[datetime, dict[Kpi, KpiValue]]] = []
    for _ in range(8):
        await life.live(5)
        remembered.append((provider.clock(), {kpi: (await asked(life, kpi))[0].total for kpi in NEW}))
        provider.clock.forward(minutes=15)
    for then, figures in remembered:
        for kpi, value in figures.items():
            question = Question(kpi, PERIOD, Grain.WEEK, as_of=then)
            assert (await ask(provider, question)).series[0].series.total == value, kpi
