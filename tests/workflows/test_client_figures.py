"""Clients that stay and leave, told by how long they were served and how their onboarding went."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from db import explain
from db.explain import ExplainedRow
from domain.clients import ContractScope, ContractStatus, ContractType
from domain.kpis import Dimension, Kpi, Where
from domain.moves import Move
from domain.onboarding import EndReason
from domain.periods import Grain, Period
from domain.questions import Comparison, Part, Question
from domain.series import KpiValue, Status
from domain.stages import Stage
from tests.support.moving_in import CONTRACT, LOST, OFFBOARDED, STEADY, brought, lead_of, row
from tests.support.onboarding import Everything, Onboarding, opened
from tests.support.onboarding_life import passed
from tests.support.providers import Provider, done, sent
from tests.support.tickets import ask, report, ticket
from workflows.beginning import Team
from workflows.contracts import CreateContract
from workflows.contracts import create as create_contract
from workflows.expansion import ExpandCommand, expand
from workflows.opening import OpenCommand, open_cycle
from workflows.sites import CreateSite
from workflows.sites import create as create_site
from workflows.tenants import UpdateSettings, update_settings

MARCH = Period(date(2026, 3, 1), date(2026, 4, 1))
YEARS = Period(date(2025, 1, 1), date(2027, 1, 1))


async def total(provider: Provider, kpi: Kpi, period: Period = MARCH, **where: Any) -> KpiValue:
    answer = await ask(provider, Question(kpi, period, Grain.MONTH, where=Where(**where)))
    return answer.series[0].series.total


async def split(provider: Provider, kpi: Kpi, period: Period, *by: Dimension) -> dict[tuple[str, ...], KpiValue]:
    answer = await ask(provider, Question(kpi, period, Grain.YEAR, by=by))
    return {one.members: one.series.total for one in answer.series}


async def part(provider: Provider, kpi: Kpi, period: Period, part: Part) -> list[ExplainedRow]:
    async with provider.context.database.reading(provider.admin) as tx:
        return await explain.rows(tx, Question(kpi, period), part, Everything(), provider.clock())


async def served(provider: Provider, *, escalated: int, logged: int = 10) -> Onboarding:
    """Return a client in steady state, so many of whose tickets of early support were escalated."""
    one = await opened(provider)
    for _ in range(2):
        await one.forward()
    provider.clock.forward(hours=1)
    at = provider.clock()
    rows = [
        replace(ticket(n, tiers=(1, 2) if n < escalated else (1,), logged_at=at), external_id=f"{one.client.hex}-{n}")
        for n in range(logged)
    ]
    provider.clock.forward(days=95)
    await report(provider, *rows, client=one.client)
    await one.forward()
    return one


async def test_clients_whose_onboarding_went_badly_are_told_from_those_whose_went_well(provider: Provider) -> None:
    context, admin = provider.context, provider.admin
    done(await update_settings(context, admin, sent(), UpdateSettings(escalation_rate_limit=0.2)))
    bad, good = await served(provider, escalated=5), await served(provider, escalated=1)
    provider.clock.now = datetime(2026, 10, 2, 9, tzinfo=UTC)
    await passed(bad, Move.OFF_BOARD, outcome=EndReason.SERVICE_QUALITY, reason="too many hand-overs")
    october = Period(date(2026, 10, 1), date(2026, 11, 1))
    found = await split(provider, Kpi.CLIENT_RETENTION, october, Dimension.BASELINE)
    assert {key: (value.numerator, value.denominator) for key, value in found.items()} == {
        ("WITHIN_LIMIT",): (1, 1),
        ("OVER_LIMIT",): (0, 1),
    }
    whole = await total(provider, Kpi.CLIENT_RETENTION, october)
    assert (whole.value, whole.status) == (0.5, Status.INSUFFICIENT_SAMPLE)
    rows = {one.cycle_id: one for one in await part(provider, Kpi.CLIENT_RETENTION, october, Part.DENOMINATOR)}
    assert (rows[bad.cycle].baseline_rate, rows[bad.cycle].baseline_standing) == (0.5, "OVER_LIMIT")
    assert (rows[bad.cycle].ended, rows[bad.cycle].outcome) == (True, "SERVICE_QUALITY")
    assert (rows[good.cycle].baseline_rate, rows[good.cycle].ended) == (0.1, False)
    lost = await split(provider, Kpi.CLIENTS_LOST, october, Dimension.OUTCOME, Dimension.BASELINE)
    assert {key: value.value for key, value in lost.items()} == {("SERVICE_QUALITY", "OVER_LIMIT"): 1}


async def test_a_client_that_comes_back_within_the_period_was_lost_in_it(provider: Provider) -> None:
    one = await served(provider, escalated=0)
    provider.clock.now = datetime(2026, 10, 5, 9, tzinfo=UTC)
    await passed(one, Move.OFF_BOARD, outcome=EndReason.PRICE, reason="cheaper elsewhere")
    provider.clock.forward(days=3)
    again = OpenCommand(one.client, one.lead.id, one.contract, reopen=True)
    done(await open_cycle(provider.context, provider.admin, sent(), again))
    october = Period(date(2026, 10, 1), date(2026, 11, 1))
    retention = await total(provider, Kpi.CLIENT_RETENTION, october)
    assert (retention.numerator, retention.denominator) == (0, 1)
    later = await total(provider, Kpi.CLIENT_RETENTION, Period(date(2026, 11, 1), date(2026, 12, 1)))
    assert (later.value, later.status) == (None, Status.NO_DATA)


@pytest.mark.parametrize(
    ("ended", "february", "march"),
    [
        # Midnight in Amsterdam is 23:00 UTC of the day before; half-open, it belongs to the day that begins.
        (datetime(2026, 2, 28, 22, 59, tzinfo=UTC), (0, 1), (0, 0)),
        (datetime(2026, 2, 28, 23, 0, tzinfo=UTC), (1, 1), (0, 1)),
        (datetime(2026, 2, 28, 23, 1, tzinfo=UTC), (1, 1), (0, 1)),
    ],
)
async def test_a_loss_belongs_to_the_local_day_on_which_service_ended(
    provider: Provider, ended: datetime, february: tuple[int, int], march: tuple[int, int]
) -> None:
    told = STEADY | OFFBOARDED | {"ended_on": ended}
    await brought(provider, row(await lead_of(provider), **told))
    for period, kept in ((Period(date(2026, 2, 1), date(2026, 3, 1)), february), (MARCH, march)):
        value = await total(provider, Kpi.CLIENT_RETENTION, period)
        assert (value.numerator, value.denominator) == kept
        lost = await total(provider, Kpi.CLIENTS_LOST, period)
        assert lost.value == (1 if kept[1] and kept[0] < kept[1] else 0)


async def test_retention_of_a_year_asks_who_of_its_first_day_stayed_and_is_compared_with_the_year_before(
    provider: Provider,
) -> None:
    lead = await lead_of(provider)
    await brought(
        provider,
        row(lead, 1, **STEADY),
        row(lead, 2, **OFFBOARDED),
        row(lead, 3, **(OFFBOARDED | {"live_on": date(2024, 2, 1), "steady_on": date(2024, 6, 1)})),
        row(lead, 4, **(STEADY | {"live_on": date(2024, 3, 1), "discovery_on": None, "contracting_on": None})),
    )
    year = Period(date(2025, 3, 1), date(2026, 3, 1))
    question = Question(Kpi.CLIENT_RETENTION, year, Grain.QUARTER, compare=Comparison.PREVIOUS_PERIOD)
    (answer,) = (await ask(provider, question)).series
    # Two were in service on 1 March 2025, and one of them left in December; who joined later does not count.
    assert (answer.series.total.numerator, answer.series.total.denominator) == (1, 2)
    # The two that went live on the 1st of April were not in service when that day began.
    counts = [(point.value.numerator, point.value.denominator) for point in answer.series.points]
    assert counts == [(2, 2), (2, 2), (4, 4), (2, 4), (2, 2)]
    # A year earlier one was in service: the other went live on that very day.
    assert answer.previous is not None
    assert (answer.previous.numerator, answer.previous.denominator) == (1, 1)


async def test_losses_are_told_by_stage_outcome_and_tenure(provider: Provider) -> None:
    lead = await lead_of(provider)
    await brought(
        provider,
        row(lead, 1, **OFFBOARDED),
        row(lead, 2, **LOST),
        row(lead, 4, **(OFFBOARDED | {"live_on": date(2021, 4, 1)})),
    )
    by_tenure = await split(provider, Kpi.CLIENTS_LOST, YEARS, Dimension.STAGE, Dimension.TENURE)
    assert {key: value.value for key, value in by_tenure.items()} == {
        ("LOST", "BEFORE_SERVICE"): 1,
        ("OFFBOARDED", "UNDER_1_YEAR"): 1,
        ("OFFBOARDED", "FROM_3_YEARS"): 1,
    }
    assert (await total(provider, Kpi.CLIENTS_LOST, YEARS, outcomes=("PRICE",))).value == 1
    assert (await total(provider, Kpi.CLIENTS_LOST, YEARS, tenures=("UNDER_1_YEAR",))).value == 1


async def test_ways_of_clients_that_moved_in_count_where_their_dates_are_told(provider: Provider) -> None:
    lead = await lead_of(provider)
    early = replace(CONTRACT, signed_on=date(2025, 3, 10))
    await brought(
        provider,
        row(lead, 1, **(STEADY | {"contract": early})),
        row(lead, 2, **(STEADY | {"contract": early, "live_on": None})),
        row(lead, 3, **STEADY),
        row(lead, 4, **(STEADY | {"contract": None})),
    )
    spring = Period(date(2025, 3, 1), date(2025, 6, 1))
    live = await total(provider, Kpi.TIME_TO_GO_LIVE, spring)
    # The Monday of 10 March up to the Tuesday of 1 April 2025: three weeks and a day.
    assert (live.value, live.numerator, live.denominator) == (16, 1, 1)
    steady = await total(provider, Kpi.TIME_TO_STEADY_STATE, spring)
    assert (steady.numerator, steady.denominator) == (2, 2)
    left_out = await part(provider, Kpi.TIME_TO_GO_LIVE, YEARS, Part.LEFT_OUT)
    assert sorted(str(one.reason) for one in left_out) == ["DATE_MISSING", "NOT_SIGNED", "OUT_OF_ORDER"]


async def site_of(one: Onboarding) -> tuple[UUID, UUID]:
    """Open the onboarding of one more site, under a contract of its own."""
    context, admin = one.provider.context, one.provider.admin
    site = done(await create_site(context, admin, sent(), CreateSite(one.client, "Warehouse")))
    terms = CreateContract(
        one.client,
        "Warehouse",
        ContractType.MANAGED,
        (ContractScope.ENDPOINTS,),
        status=ContractStatus.SIGNED,
    )
    contract = done(await create_contract(context, admin, sent(), terms))
    cycle = done(
        await expand(context, admin, sent(), ExpandCommand(one.client, Team(one.lead.id), site, None, contract))
    )
    return site, cycle


async def test_the_onboarding_of_a_site_is_an_onboarding_and_no_client(provider: Provider) -> None:
    one = await served(provider, escalated=0)
    _, cycle = await site_of(one)
    today = provider.clock().date()
    month = Period(today.replace(day=1), date(today.year, today.month + 1, 1))
    per_lead = await total(provider, Kpi.ONBOARDINGS_PER_LEAD, month)
    assert (per_lead.value, per_lead.peak) == (1, 1)
    way = await total(provider, Kpi.TIME_TO_GO_LIVE, month)
    assert (way.numerator, way.denominator) == (0, 1)
    site = replace(one, cycle=cycle, version=1)
    await passed(site, Move.LOSE, outcome=EndReason.OTHER, reason="they moved")
    assert (await total(provider, Kpi.CLIENTS_LOST, month)).value == 0
    (left_out,) = await part(provider, Kpi.CLIENTS_LOST, month, Part.LEFT_OUT)
    assert (left_out.cycle_id, left_out.reason) == (cycle, "NOT_WHOLE_CLIENT")
    assert (await total(provider, Kpi.CLIENT_RETENTION, month)).denominator in (0, 1)


async def test_what_was_entered_in_error_counts_in_no_figure_and_it_is_said_why(
    provider: Provider,
) -> None:
    one = await opened(provider)
    await passed(one, Move.DISCARD, outcome=EndReason.DUPLICATE, reason="entered twice")
    assert (await one.seen()).stage is Stage.LOST
    for kpi in (Kpi.CLIENTS_LOST, Kpi.CONTRACTING_TIME, Kpi.TIME_TO_GO_LIVE, Kpi.ON_TIME_STAGES, Kpi.RE_PLANS):
        value = await total(provider, kpi)
        assert not value.numerator
        assert not value.denominator
        reasons = [row.reason for row in await part(provider, kpi, MARCH, Part.LEFT_OUT)]
        assert reasons == ([] if kpi is Kpi.RE_PLANS else ["ENTERED_IN_ERROR"])
